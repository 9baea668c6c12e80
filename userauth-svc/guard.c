/* SPDX-License-Identifier: MIT
 *
 * Depends on: app.h, api_keys.h, parse.h, json_body.h. */
#include "guard.h"

#include <strings.h>

#include "app.h"
#include "auth/api_keys.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/parse.h"
#include "http/http_message.h"
#include "http/json_body.h"
#include "http/router.h"
#include "user/user_handlers.h"
#include "user/user_wire.h"

#define BASIC_SCHEME "Basic "

/* The name of the key in the Authorization field, NULL for none. */
static const char *key_of(const struct app *app, struct ctx *ctx, const char *authorization)
{
    struct bytes credentials = {0};
    if (!authorization || strncasecmp(authorization, BASIC_SCHEME, sizeof(BASIC_SCHEME) - 1) != 0)
        return NULL;
    if (!parse_base64(&ctx->arena, authorization + sizeof(BASIC_SCHEME) - 1, &credentials))
        return NULL;
    return api_keys_match(&app->keys, credentials);
}

enum err guard(struct app *app, struct ctx *ctx, struct http_request *rq, struct http_response *rs)
{
    (void)rs;
    if (rq->route->protection == PROTECTION_NONE)
        return ERR_OK;
    const char *authorization = rq->fields[HTTP_FIELD_AUTHORIZATION];
    ctx->user = key_of(app, ctx, authorization);
    if (ctx->user)
        return ERR_OK;
    log_warn(ctx, "auth.key_refused", log_str("peer", rq->client_text),
             log_str("why", authorization ? "wrong" : "missing"));
    return ctx_fail(ctx, ERR_UNAUTHENTICATED, "API key: %s", authorization ? "wrong" : "missing");
}

/* The Node version's clients compare the body of a 404 of /find with {}. */
static bool is_find_without_user(const struct http_request *rq, enum err err)
{
    return err == ERR_NOT_FOUND && rq->route && rq->route->handler == user_find_handle;
}

void guard_render_error(struct app *app,
                        struct ctx *ctx,
                        const struct http_request *rq,
                        enum err err,
                        struct http_response *rs)
{
    (void)app;
    if (is_find_without_user(rq, err)) {
        user_wire_answer_empty(err_status(err), rs);
        return;
    }
    json_body_error(ctx, err, rs);
    if (err == ERR_UNAUTHENTICATED)
        http_response_field(rs, "WWW-Authenticate", "Basic realm=\"userauth\", charset=\"UTF-8\"");
}

void guard_decorate(struct app *app,
                    struct ctx *ctx,
                    const struct http_request *rq,
                    struct http_response *rs)
{
    (void)app;
    (void)ctx;
    (void)rq;
    if (!http_response_find(rs, "Cache-Control"))
        http_response_field(rs, "Cache-Control", "no-store");
    http_response_field(rs, "X-Content-Type-Options", "nosniff");
}
