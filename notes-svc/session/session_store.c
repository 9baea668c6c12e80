/* SPDX-License-Identifier: MIT
 *
 * The one place that chooses what keeps sessions. Depends on: session_driver.h. */
#include "session/session_store.h"

#include "app.h"
#include "base/ctx.h"
#include "config.h"
#include "session/session.h"
#include "session/session_driver.h"

static const struct session_driver *driver_of(const struct config *config)
{
    return session_store_is_apart(config) ? &session_redis : &session_db;
}

bool session_store_is_apart(const struct config *config)
{
    return config->redis.options.is_set;
}

enum err
session_insert(struct ctx *ctx, const struct app *app, struct session *session, int64_t now_unix_ms)
{
    session->created_unix_ms = now_unix_ms;
    session->used_unix_ms = now_unix_ms;
    session->checked_unix_ms = now_unix_ms;
    int64_t left_ms = session_left_ms(session, app->config, now_unix_ms);
    return driver_of(app->config)->insert(ctx, app, session, left_ms);
}

enum err session_fill(struct ctx *ctx, const struct app *app, struct session *session)
{
    return driver_of(app->config)->fill(ctx, app, session);
}

enum err session_touch(struct ctx *ctx,
                       const struct app *app,
                       const struct session *session,
                       int64_t now_unix_ms)
{
    int64_t left_ms = session_left_ms(session, app->config, now_unix_ms);
    return left_ms > 0 ? driver_of(app->config)->touch(ctx, app, session, left_ms) : ERR_OK;
}

enum err session_delete(struct ctx *ctx, const struct app *app, const struct session *session)
{
    return driver_of(app->config)->delete (ctx, app, session);
}
