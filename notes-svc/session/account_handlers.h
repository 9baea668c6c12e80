/* SPDX-License-Identifier: MIT
 *
 * One's own account: the page, a new password, the list of one's sessions and their end. */
#ifndef NOTES_ACCOUNT_HANDLERS_H
#define NOTES_ACCOUNT_HANDLERS_H

#include "base/cleanup.h"
#include "base/err.h"

struct app;
struct ctx;
struct http_request;
struct http_response;

MUST_CHECK enum err account_page_handle(struct app *app,
                                        struct ctx *ctx,
                                        const struct http_request *rq,
                                        struct http_response *rs);
MUST_CHECK enum err account_password_handle(struct app *app,
                                            struct ctx *ctx,
                                            const struct http_request *rq,
                                            struct http_response *rs);
MUST_CHECK enum err account_session_end_handle(struct app *app,
                                               struct ctx *ctx,
                                               const struct http_request *rq,
                                               struct http_response *rs);
MUST_CHECK enum err account_others_end_handle(struct app *app,
                                              struct ctx *ctx,
                                              const struct http_request *rq,
                                              struct http_response *rs);

#endif
