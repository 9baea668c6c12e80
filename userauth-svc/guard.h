/* SPDX-License-Identifier: MIT
 *
 * Who may call: HTTP Basic with an API key, checked before every handler but health. Also the shape
 * of refusals. Depends on: app.h, api_keys.h, http_message.h, json_body.h. Source: RFC 7617. */
#ifndef NOTES_GUARD_H
#define NOTES_GUARD_H

#include "base/cleanup.h"
#include "base/err.h"

struct app;
struct ctx;
struct http_request;
struct http_response;

/* Sets ctx->user to the key's name.
 * Errors:  ERR_UNAUTHENTICATED. */
MUST_CHECK enum err
guard(struct app *app, struct ctx *ctx, struct http_request *rq, struct http_response *rs);

/* {"code","message","requestId"[,"field"]}, with WWW-Authenticate when a key is needed; {} for a
 * user that /find does not find. */
void guard_render_error(struct app *app,
                        struct ctx *ctx,
                        const struct http_request *rq,
                        enum err err,
                        struct http_response *rs);

/* Answers are about people: no cache may keep them, no browser may take them for something else. */
void guard_decorate(struct app *app,
                    struct ctx *ctx,
                    const struct http_request *rq,
                    struct http_response *rs);

#endif
