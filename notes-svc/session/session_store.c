/* SPDX-License-Identifier: MIT
 *
 * The one place that chooses what keeps sessions. Depends on: session_driver.h. */
#include "session/session_store.h"

#include <stdlib.h>

#include "app.h"
#include "base/clock.h"
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

static struct session_moment
moment_of(const struct app *app, const struct session *session, int64_t now_unix_ms)
{
    return (struct session_moment){.now_unix_ms = now_unix_ms,
                                   .left_ms = session_left_ms(session, app->config, now_unix_ms)};
}

enum err
session_insert(struct ctx *ctx, const struct app *app, struct session *session, int64_t now_unix_ms)
{
    session->created_unix_ms = now_unix_ms;
    session->used_unix_ms = now_unix_ms;
    session->checked_unix_ms = now_unix_ms;
    const struct session_moment moment = moment_of(app, session, now_unix_ms);
    return driver_of(app->config)->insert(ctx, app, session, &moment);
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
    const struct session_moment moment = moment_of(app, session, now_unix_ms);
    return moment.left_ms > 0 ? driver_of(app->config)->touch(ctx, app, session, &moment) : ERR_OK;
}

enum err session_delete(struct ctx *ctx, const struct app *app, const struct session *session)
{
    return driver_of(app->config)->delete (ctx, app, session);
}

enum err session_delete_all(struct ctx *ctx, const struct app *app, const struct session_list *list)
{
    return list->count ? driver_of(app->config)->delete_all(ctx, app, list) : ERR_OK;
}

/* ---- lists ---- */

static int compare_by_use(const void *a, const void *b)
{
    const struct session *left = a;
    const struct session *right = b;
    int64_t later_ms = left->used_unix_ms - right->used_unix_ms;
    if (!later_ms)
        later_ms = left->created_unix_ms - right->created_unix_ms;
    return later_ms > 0 ? -1 : later_ms < 0;
}

static enum err read_list(struct ctx *ctx,
                          const struct app *app,
                          const char *username,
                          struct session_list *out_list)
{
    struct session_list list = {0};
    int64_t now_unix_ms = clock_unix_ms();
    enum err err = driver_of(app->config)->list(ctx, app, username, SESSION_LIST_MAX_COUNT, &list);
    if (err)
        return err;
    size_t count = 0;
    for (size_t i = 0; i < list.count; i++)
        if (!session_is_over(&list.items[i], app->config, now_unix_ms))
            list.items[count++] = list.items[i];
    list.count = count;
    if (count)
        qsort(list.items, count, sizeof(*list.items), compare_by_use);
    *out_list = list;
    return ERR_OK;
}

static bool is_in(const struct session_list *list, const struct session *session)
{
    for (size_t i = 0; i < list->count; i++)
        if (session_is_same(&list->items[i], session))
            return true;
    return false;
}

/* A session that a program before migration 2 made is entered in its user's list by a touch. */
enum err session_list(struct ctx *ctx,
                      const struct app *app,
                      const char *username,
                      const struct session *own,
                      struct session_list *out_list)
{
    struct session_list list = {0};
    enum err err = read_list(ctx, app, username, &list);
    if (!err && own && !is_in(&list, own)) {
        err = session_touch(ctx, app, own, clock_unix_ms());
        if (!err)
            err = read_list(ctx, app, username, &list);
    }
    if (!err)
        *out_list = list;
    return err;
}
