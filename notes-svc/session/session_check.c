/* SPDX-License-Identifier: MIT
 *
 * Depends on: session_check.h, app.h, log.h. */
#include "session/session_check.h"

#include "app.h"
#include "base/arena.h"
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

/* What a request notes of its session is done beside reading, and waits for others who write no
 * longer than this: for the lock of a file, or for a server, where giving up costs the connection.
 * Redis has a limit of its own. */
#define NOTE_IN_FILE_MS   100
#define NOTE_IN_SERVER_MS 1000

enum err session_end(struct app *app, struct ctx *ctx, const struct session *session)
{
    enum err err = session_delete(ctx, app, session);
    const struct ctx_why why = ctx->why; /* telling the others forgives what fails there */
    session_cache_drop(app, session->digest);
    live_session_ended(app, ctx, session->digest);
    ctx->why = why;
    return err;
}

enum err session_end_all(struct app *app,
                         struct ctx *ctx,
                         const struct session_list *list,
                         const char *reason)
{
    enum err err = session_delete_all(ctx, app, list);
    for (size_t i = 0; i < list->count; i++) {
        const struct session *session = &list->items[i];
        session_cache_drop(app, session->digest);
        if (err)
            continue;
        live_session_ended(app, ctx, session->digest);
        log_info(ctx, "session.ended", log_str("user", session->username),
                 log_str("peer", ctx->peer), log_str("reason", reason));
    }
    return err;
}

/* Those of the list but `kept`. */
static struct session_list
without(struct ctx *ctx, const struct session_list *list, const struct session *kept)
{
    struct session_list rest = {
        .items = arena_take_array(&ctx->arena, list->count + 1, sizeof(*rest.items))};
    for (size_t i = 0; i < list->count; i++)
        if (!kept || !session_is_same(&list->items[i], kept))
            rest.items[rest.count++] = list->items[i];
    return rest;
}

enum err session_end_others(struct app *app,
                            struct ctx *ctx,
                            const char *username,
                            const struct session *kept,
                            const char *reason,
                            size_t *out_count)
{
    struct session_list list;
    struct session_list others;
    size_t count = 0;
    do {
        enum err err = session_list(ctx, app, username, NULL, &list);
        if (err)
            return err;
        others = without(ctx, &list, kept);
        if ((err = session_end_all(app, ctx, &others, reason)))
            return err;
        count += others.count;
    } while (list.count == SESSION_LIST_MAX_COUNT && others.count);
    *out_count = count;
    return ERR_OK;
}

/* Parts a list by the user's present entity tag; NULL: there is no such user. */
static void part_by_etag(struct ctx *ctx,
                         const struct session_list *list,
                         const struct session *own,
                         const char *etag,
                         struct session_list *out_holding,
                         struct session_list *out_stale)
{
    size_t item_bytes = sizeof(*list->items);
    *out_holding =
        (struct session_list){.items = arena_take_array(&ctx->arena, list->count + 1, item_bytes)};
    *out_stale =
        (struct session_list){.items = arena_take_array(&ctx->arena, list->count + 1, item_bytes)};
    for (size_t i = 0; i < list->count; i++) {
        const struct session *session = &list->items[i];
        bool is_own = own && session_is_same(session, own);
        bool holds = is_own || (etag && text_equals(etag, session->user_etag));
        struct session_list *part = holds ? out_holding : out_stale;
        part->items[part->count++] = *session;
    }
}

enum err session_list_checked(struct app *app,
                              struct ctx *ctx,
                              const char *username,
                              const struct session *own,
                              struct session_list *out_list)
{
    struct session_list stale;
    const char *etag = NULL;
    enum err err = session_list(ctx, app, username, own, out_list);
    if (err || out_list->count == 0)
        return err;
    bool is_away = false;
    err = userauth_etag(ctx, app->userauth, username, true, &etag, &is_away);
    if (err)
        ctx_forgive(ctx);
    if (err && err != ERR_NOT_FOUND)
        return ERR_OK;
    const struct session_list list = *out_list;
    part_by_etag(ctx, &list, own, etag, out_list, &stale);
    if (session_end_all(app, ctx, &stale, err ? "user_gone" : "user_changed"))
        ctx_forgive(ctx); /* they let nobody in: each is refused when somebody comes with it */
    return ERR_OK;
}

static enum err make_room(struct app *app, struct ctx *ctx, const struct session *made)
{
    struct session_list list;
    size_t most_others = (size_t)app->config->sessions_per_user - 1;
    enum err err = session_list(ctx, app, made->username, NULL, &list);
    if (err)
        return err;
    list = without(ctx, &list, made);
    if (list.count <= most_others)
        return ERR_OK;
    const struct session_list unused = {.items = &list.items[most_others],
                                        .count = list.count - most_others};
    return session_end_all(app, ctx, &unused, "too_many");
}

void session_made(struct app *app,
                  struct ctx *ctx,
                  const struct session *made,
                  const struct session *left)
{
    if (left && session_end(app, ctx, left)) {
        log_warn(ctx, "session.old_kept", log_str("user", made->username),
                 log_str("peer", ctx->peer), log_str("why", ctx->why.text));
        ctx_forgive(ctx);
    }
    if (make_room(app, ctx, made)) {
        log_warn(ctx, "session.make_room_failed", log_str("user", made->username),
                 log_str("why", ctx->why.text));
        ctx_forgive(ctx);
    }
}

/* Until then something may be noted beside a request. */
static int64_t note_until_ms(const struct app *app, const struct ctx *ctx)
{
    int64_t limit_ms = app->config->database.path ? NOTE_IN_FILE_MS : NOTE_IN_SERVER_MS;
    int64_t until_ms = clock_monotonic_ms() + limit_ms;
    return session_store_is_apart(app->config) || ctx->deadline_ms < until_ms ? ctx->deadline_ms
                                                                              : until_ms;
}

void session_end_refused(struct app *app,
                         struct ctx *ctx,
                         const struct session *session,
                         const char *reason)
{
    if (session_end(app, ctx, session))
        ctx_forgive(ctx); /* it is refused all the same, and at each later request again */
    log_info(ctx, "session.ended", log_str("user", session->username), log_str("peer", ctx->peer),
             log_str("reason", reason));
}

/* Is the user still who signed in? Errors: as userauth_etag. */
static enum err ask_for_user(struct app *app,
                             struct ctx *ctx,
                             const struct session *session,
                             bool can_wait,
                             bool *out_is_unchanged,
                             bool *out_is_away)
{
    const char *etag = NULL;
    enum err err =
        userauth_etag(ctx, app->userauth, session->username, can_wait, &etag, out_is_away);
    if (err && err != ERR_NOT_FOUND)
        return err;
    *out_is_unchanged = !err && text_equals(etag, session->user_etag);
    if (!*out_is_unchanged)
        session_end_refused(app, ctx, session, err ? "user_gone" : "user_changed");
    return ERR_OK;
}

/* From half of user_check_s on the user is asked for if that needs no waiting, so that few ever
 * wait; later it must be. The last answer holds on while userauth-svc is away, and only then: who
 * keeps it busy must not keep others signed in. */
static enum err check_user(struct app *app,
                           struct ctx *ctx,
                           struct session *session,
                           int64_t user_check_s,
                           int64_t now_unix_ms,
                           bool *out_is_unchanged)
{
    int64_t age_ms = now_unix_ms - session->checked_unix_ms;
    bool is_away = false;
    bool may_be_late = age_ms >= 0 && age_ms < user_check_s * MS_PER_S;
    *out_is_unchanged = may_be_late && age_ms < SESSION_CHECK_SOON_MS(user_check_s);
    if (*out_is_unchanged)
        return ERR_OK;
    enum err err = ask_for_user(app, ctx, session, !may_be_late, out_is_unchanged, &is_away);
    if (!err && *out_is_unchanged)
        session->checked_unix_ms = now_unix_ms;
    if (!err || user_check_s == SESSION_USER_NOW || !(is_away || may_be_late))
        return err;
    log_debug(ctx, "session.check_postponed", log_str("why", ctx->why.text));
    ctx_forgive(ctx);
    *out_is_unchanged = may_be_late || age_ms < app->config->user_check_grace_s * MS_PER_S;
    return ERR_OK;
}

/* It is over whether its row goes or not, which housekeeping would remove. */
static void end_expired(struct app *app, struct ctx *ctx, const struct session *session)
{
    int64_t deadline_ms = ctx->deadline_ms;
    ctx->deadline_ms = note_until_ms(app, ctx);
    session_end_refused(app, ctx, session, "expired");
    ctx->deadline_ms = deadline_ms;
}

/* The idle clock and the last check are stored when they have moved enough. A full disk, a full
 * Redis, or somebody who holds the database locked must not stop reading: the next request tries
 * again. */
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
    int64_t deadline_ms = ctx->deadline_ms;
    ctx->deadline_ms = note_until_ms(app, ctx);
    enum err err = session_touch(ctx, app, session, clock_unix_ms());
    ctx->deadline_ms = deadline_ms;
    session->is_unstored = err;
    if (err) {
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
    session_cache_add_check(app, session, now_unix_ms);
    int64_t checked_before_ms = session->checked_unix_ms;
    if (session_is_over(session, app->config, now_unix_ms)) {
        end_expired(app, ctx, session);
        return ERR_OK;
    }
    bool is_unchanged = false;
    err = check_user(app, ctx, session, user_check_s, now_unix_ms, &is_unchanged);
    if (err || !is_unchanged)
        return err;
    touch(app, ctx, session, use, checked_before_ms, now_unix_ms);
    *out_is_alive = true;
    return ERR_OK;
}
