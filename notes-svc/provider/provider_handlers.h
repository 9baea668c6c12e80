/* SPDX-License-Identifier: MIT
 *
 * Signing in at a provider: the way there and back, and linking an account there to one's user.
 * Source: routes/users.mjs of the Node original for Twitter. */
#ifndef NOTES_PROVIDER_HANDLERS_H
#define NOTES_PROVIDER_HANDLERS_H

#include "base/cleanup.h"
#include "base/err.h"

struct app;
struct ctx;
struct http_request;
struct http_response;

/* Sends the browser to the provider; with `?link`, to link an account there. An unknown or
 * unconfigured provider is ERR_NOT_FOUND, here and in the next. */
MUST_CHECK enum err provider_begin_handle(struct app *app,
                                          struct ctx *ctx,
                                          const struct http_request *rq,
                                          struct http_response *rs);

/* Takes it back. */
MUST_CHECK enum err provider_callback_handle(struct app *app,
                                             struct ctx *ctx,
                                             const struct http_request *rq,
                                             struct http_response *rs);

/* The question whether to link what waits for it, and its yes. */
MUST_CHECK enum err provider_link_page_handle(struct app *app,
                                              struct ctx *ctx,
                                              const struct http_request *rq,
                                              struct http_response *rs);
MUST_CHECK enum err provider_link_handle(struct app *app,
                                         struct ctx *ctx,
                                         const struct http_request *rq,
                                         struct http_response *rs);

MUST_CHECK enum err provider_unlink_handle(struct app *app,
                                           struct ctx *ctx,
                                           const struct http_request *rq,
                                           struct http_response *rs);

#endif
