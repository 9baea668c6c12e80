/* SPDX-License-Identifier: MIT
 *
 * Decodes a try, has it checked, writes the security event, answers.
 * Depends on: app.h, login.h, auth_wire.h, log.h. */
#include "auth/auth_handlers.h"

#include <stdatomic.h>

#include "app.h"
#include "auth/auth_wire.h"
#include "auth/login.h"
#include "base/ctx.h"
#include "base/log.h"
#include "http/http_message.h"

/* The name is the typed one: whoever looks for guessing wants to see what was guessed. */
static void
log_result(struct ctx *ctx, const struct login_try *login_try, const struct login_result *result)
{
    if (result->verdict == LOGIN_RIGHT)
        log_info(ctx, "auth.login_ok", log_str("user", login_try->username),
                 log_str("client", login_try->client), log_str("key", ctx->user),
                 log_str("peer", ctx->peer));
    if (result->is_counted)
        log_warn(ctx, "auth.login_failed", log_str("user", login_try->username),
                 log_str("client", login_try->client), log_str("key", ctx->user),
                 log_str("peer", ctx->peer));
    if (result->verdict == LOGIN_WAIT)
        log_warn(ctx, "auth.locked", log_str("user", login_try->username),
                 log_str("client", login_try->client), log_str("key", ctx->user),
                 log_str("peer", ctx->peer), log_i64("wait_s", result->wait_s));
}

enum err password_check_handle(struct app *app,
                               struct ctx *ctx,
                               const struct http_request *rq,
                               struct http_response *rs)
{
    struct login_try login_try = {0};
    struct login_result result = {0};
    enum err err = auth_wire_read(ctx, rq->body, &login_try);
    if (!err)
        err = login_check(ctx, &app->passwords, &app->decoy_key, &login_try, &result);
    if (err)
        return err;
    if (result.is_counted || result.verdict == LOGIN_RIGHT)
        atomic_store(&app->has_new_throttle_rows, 1);
    log_result(ctx, &login_try, &result);
    return auth_wire_answer(ctx, &login_try, &result, rs);
}
