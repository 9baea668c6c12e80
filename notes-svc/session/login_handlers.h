/* SPDX-License-Identifier: MIT
 *
 * Signing in and out. Source: routes/users.mjs of the Node original; SPEC sections 5 and 7. */
#ifndef NOTES_LOGIN_HANDLERS_H
#define NOTES_LOGIN_HANDLERS_H

#include "base/cleanup.h"
#include "base/err.h"

struct app;
struct ctx;
struct http_request;
struct http_response;

/* Sends somebody who is not signed in to the login page, which leads back here (GET only). */
void login_redirect(struct app *app,
                    struct ctx *ctx,
                    const struct http_request *rq,
                    struct http_response *rs);

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
