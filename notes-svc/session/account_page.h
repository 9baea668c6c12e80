/* SPDX-License-Identifier: MIT
 *
 * The page of one's own account: structs to HTML. Passwords are never sent back. */
#ifndef NOTES_ACCOUNT_PAGE_H
#define NOTES_ACCOUNT_PAGE_H

#include "base/cleanup.h"
#include "base/err.h"

struct app;
struct ctx;
struct http_request;
struct http_response;

/* Where in the form the page says what was wrong. */
enum account_place { ACCOUNT_WHOLE_FORM, ACCOUNT_OLD, ACCOUNT_NEW, ACCOUNT_AGAIN };

struct account_problem {
    enum account_place place;
    const char *text;
};

/* The name of a session's device for people, whatever is known of it. */
const char *account_device(const char *device);

/* notice may be NULL. */
MUST_CHECK enum err account_send(struct app *app,
                                 struct ctx *ctx,
                                 const struct http_request *rq,
                                 struct http_response *rs,
                                 const char *notice);

/* The same with what was wrong. */
MUST_CHECK enum err account_refuse(struct app *app,
                                   struct ctx *ctx,
                                   const struct http_request *rq,
                                   struct http_response *rs,
                                   int status,
                                   const struct account_problem *problem);

#endif
