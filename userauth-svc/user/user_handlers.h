/* SPDX-License-Identifier: MIT
 *
 * Route handlers of users.
 * Depends on: accounts.h, account_access.h, user_store.h, user_wire.h. */
#ifndef NOTES_USER_HANDLERS_H
#define NOTES_USER_HANDLERS_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"

struct app;
struct ctx;
struct fetch;
struct http_request;
struct http_response;

/* POST /create-user */
MUST_CHECK enum err user_create_handle(struct app *app,
                                       struct ctx *ctx,
                                       const struct http_request *rq,
                                       struct http_response *rs);

/* POST /update-user/:username */
MUST_CHECK enum err user_update_handle(struct app *app,
                                       struct ctx *ctx,
                                       const struct http_request *rq,
                                       struct http_response *rs);

/* POST /find-or-create without an identity (identity_handlers.h): by name */
MUST_CHECK enum err user_find_or_create_handle(struct app *app,
                                               struct ctx *ctx,
                                               const struct http_request *rq,
                                               struct http_response *rs);

/* What several user_find_handle would read. */
void user_find_fetch(struct app *app, const struct fetch *items, size_t count);

/* GET /find/:username */
MUST_CHECK enum err user_find_handle(struct app *app,
                                     struct ctx *ctx,
                                     const struct http_request *rq,
                                     struct http_response *rs);

/* DELETE /destroy/:username */
MUST_CHECK enum err user_destroy_handle(struct app *app,
                                        struct ctx *ctx,
                                        const struct http_request *rq,
                                        struct http_response *rs);

/* POST /disable/:username: the user may not sign in any more, and every session ends. */
MUST_CHECK enum err user_disable_handle(struct app *app,
                                        struct ctx *ctx,
                                        const struct http_request *rq,
                                        struct http_response *rs);

/* POST /enable/:username */
MUST_CHECK enum err user_enable_handle(struct app *app,
                                       struct ctx *ctx,
                                       const struct http_request *rq,
                                       struct http_response *rs);

/* POST /revoke/:username: every session ends, the user may sign in again. */
MUST_CHECK enum err user_revoke_handle(struct app *app,
                                       struct ctx *ctx,
                                       const struct http_request *rq,
                                       struct http_response *rs);

/* GET /list?after=USERNAME&limit=N: at most 1,000, whatever N says. */
MUST_CHECK enum err user_list_handle(struct app *app,
                                     struct ctx *ctx,
                                     const struct http_request *rq,
                                     struct http_response *rs);

#endif
