/* SPDX-License-Identifier: MIT
 *
 * Signing in and out. Source: routes/users.mjs of the Node original; SPEC sections 5 and 7. */
#ifndef NOTES_LOGIN_HANDLERS_H
#define NOTES_LOGIN_HANDLERS_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"

struct app;
struct ctx;
struct http_request;
struct http_response;

/* Sends somebody who is not signed in to the login page, which leads back here, or to the page
 * whose form was sent. */
void login_redirect(struct app *app,
                    struct ctx *ctx,
                    const struct http_request *rq,
                    struct http_response *rs);

/* Where somebody was going who was sent to the login page: a path of this site. NULL: nowhere. */
const char *login_next(struct ctx *ctx, const struct http_request *rq);

/* Who has shown who he is. */
struct login_right {
    const char *username;
    const char *etag;  /* of account and password */
    const char *via;   /* "twitter", "oidc"; NULL: by a password */
    const char *next;  /* a path, checked here; NULL: the first page */
    bool is_elsewhere; /* he is signed in at the provider as well, and to be signed out there */
};

/* A new session under a new id; one that the browser had before ends. Then on to `next`. */
MUST_CHECK enum err login_answer(struct app *app,
                                 struct ctx *ctx,
                                 const struct http_request *rq,
                                 struct http_response *rs,
                                 const struct login_right *right);

MUST_CHECK enum err login_page_handle(struct app *app,
                                      struct ctx *ctx,
                                      const struct http_request *rq,
                                      struct http_response *rs);
MUST_CHECK enum err login_handle(struct app *app,
                                 struct ctx *ctx,
                                 const struct http_request *rq,
                                 struct http_response *rs);
MUST_CHECK enum err logout_handle(struct app *app,
                                  struct ctx *ctx,
                                  const struct http_request *rq,
                                  struct http_response *rs);

#endif
