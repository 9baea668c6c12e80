/* SPDX-License-Identifier: MIT
 *
 * Depends on: session_check.h, app.h, log.h. */
#include "session/session_check.h"

#include "app.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/text.h"
#include "config.h"
#include "live/live_events.h"
#include "session/session.h"
#include "session/session_cache.h"
#include "session/session_store.h"
#include "session/userauth_client.h"

#define MS_PER_S ((int64_t)1000)

enum err session_end(struct app *app, struct ctx *ctx, const struct session *session)
{
    enum err err = session_delete(ctx, app, session);
    session_cache_drop(app, session->digest);
    live_session_ended(app, ctx, session->digest);
    return err;
}

static void
end_session(struct app *app, struct ctx *ctx, const struct session *session, const char *reason)
{
    if (session_end(app, ctx, session))
        ctx_forgive(ctx); /* it is refused all the same, and at each later request again */
    log_info(ctx, "session.ended", log_str("user", session->username), log_str("peer", ctx->peer),
             log_str("reason", reason));
}

/* Is the user still who signed in? */
static bool is_user_unchanged(struct app *app,
                              struct ctx *ctx,
                              struct session *session,
                              int64_t user_check_s,
                              int64_t now_unix_ms)
{
    int64_t age_ms = now_unix_ms - session->checked_unix_ms;
    if (age_ms >= 0 && age_ms < user_check_s * MS_PER_S)
        return true;
    bool has_grace = age_ms < app->config->user_check_grace_s * MS_PER_S;
    const char *etag = NULL;
    enum err err = userauth_etag(ctx, app->userauth, session->username, !has_grace, &etag);
    if (!err && text_equals(etag, session->user_etag)) {
        session->checked_unix_ms = now_unix_ms;
        return true;
    }
    if (!err || err == ERR_NOT_FOUND) {
        end_session(app, ctx, session, err ? "user_gone" : "user_changed");
        return false;
    }
    log_debug(ctx, "session.check_postponed", log_str("why", ctx->why.text));
    ctx_forgive(ctx);
    return has_grace;
}

/* The idle clock and the last check are stored when they have moved enough. A full disk or a
 * full Redis must not stop reading. */
static void touch(struct app *app,
                  struct ctx *ctx,
                  struct session *session,
                  enum session_use use,
                  int64_t checked_before_ms,
                  int64_t now_unix_ms)
{
    bool is_due = use == SESSION_IS_USED &&
                  now_unix_ms - session->used_unix_ms >= SESSION_USE_WRITE_EVERY_S * MS_PER_S;
    if (!is_due && session->checked_unix_ms == checked_before_ms)
        return;
    if (use == SESSION_IS_USED)
        session->used_unix_ms = now_unix_ms;
    if (session_touch(ctx, app, session, now_unix_ms)) {
        log_warn(ctx, "session.touch_failed", log_str("why", ctx->why.text));
        ctx_forgive(ctx);
    }
}

enum err session_check(struct app *app,
                       struct ctx *ctx,
                       struct session *session,
                       enum session_use use,
                       int64_t user_check_s,
                       bool *out_is_alive)
{
    enum err err = session_fill(ctx, app, session);
    if (err && err != ERR_NOT_FOUND)
        return err;
    *out_is_alive = false;
    if (err)
        return ERR_OK;
    int64_t now_unix_ms = clock_unix_ms();
    int64_t checked_before_ms = session->checked_unix_ms;
    if (session_is_over(session, app->config, now_unix_ms)) {
        end_session(app, ctx, session, "expired");
        return ERR_OK;
    }
    if (!is_user_unchanged(app, ctx, session, user_check_s, now_unix_ms))
        return ERR_OK;
    touch(app, ctx, session, use, checked_before_ms, now_unix_ms);
    *out_is_alive = true;
    return ERR_OK;
}
