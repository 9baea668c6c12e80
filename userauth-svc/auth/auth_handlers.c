/* SPDX-License-Identifier: MIT
 *
 * Decodes a try, has it checked, writes the security event, answers.
 * Depends on: app.h, config.h, login.h, password_change.h, auth_wire.h, log.h. */
#include "auth/auth_handlers.h"

#include <stdatomic.h>

#include "app.h"
#include "auth/auth_wire.h"
#include "auth/login.h"
#include "auth/password_change.h"
#include "base/ctx.h"
#include "base/log.h"
#include "config.h"
#include "http/http_message.h"

static void
log_locked(struct ctx *ctx, const struct login_try *login_try, const struct login_result *result)
{
    if (result->verdict == LOGIN_WAIT)
        log_warn(ctx, "auth.locked", log_str("user", login_try->username),
                 log_str("client", login_try->client), log_str("key", ctx->user),
                 log_str("peer", ctx->peer), log_i64("wait_s", result->wait_s));
}

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
    log_locked(ctx, login_try, result);
}

static void log_change(struct ctx *ctx,
                       const struct password_change *change,
                       const struct password_change_result *result)
{
    const struct login_try *login_try = &change->login_try;
    const struct login_result *login = &result->login;
    if (result->fault) {
        log_info(ctx, "auth.change_refused", log_str("user", login_try->username),
                 log_str("client", login_try->client), log_str("key", ctx->user),
                 log_str("peer", ctx->peer), log_str("why", password_rules_code(result->fault)));
        return;
    }
    if (login->verdict == LOGIN_RIGHT)
        log_info(ctx, "user.password_changed", log_str("user", login->username),
                 log_str("client", login_try->client), log_str("key", ctx->user),
                 log_str("peer", ctx->peer));
    if (login->verdict == LOGIN_WRONG || login->is_counted)
        log_warn(ctx, "auth.change_failed", log_str("user", login_try->username),
                 log_str("client", login_try->client), log_str("key", ctx->user),
                 log_str("peer", ctx->peer));
    log_locked(ctx, login_try, login);
}

static void note_throttle(struct app *app, const struct login_result *result)
{
    if (result->is_counted || result->verdict == LOGIN_RIGHT)
        atomic_store(&app->has_new_throttle_rows, 1);
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
        err = login_check(ctx, &app->login_rules, &login_try, &result);
    if (err)
        return err;
    note_throttle(app, &result);
    log_result(ctx, &login_try, &result);
    return auth_wire_answer(ctx, &login_try, &result, rs);
}

enum err password_change_handle(struct app *app,
                                struct ctx *ctx,
                                const struct http_request *rq,
                                struct http_response *rs)
{
    const int64_t min_chars = app->config->password_min_chars;
    struct password_change change = {0};
    struct password_change_result result = {0};
    enum err err = auth_wire_read_change(ctx, rq->body, &change);
    if (!err)
        err = password_change(ctx, &app->login_rules, min_chars, &change, &result);
    if (err)
        return err;
    if (!result.fault)
        note_throttle(app, &result.login);
    log_change(ctx, &change, &result);
    return auth_wire_answer_change(ctx, &change, &result, min_chars, rs);
}
