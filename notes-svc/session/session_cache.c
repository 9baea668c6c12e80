/* SPDX-License-Identifier: MIT
 *
 * Depends on: cache.h, session.h. */
#include "session/session_cache.h"

#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "config.h"
#include "session/session.h"
#include "session/session_check.h"

#define MS_PER_S ((int64_t)1000)

struct known_session {
    struct cached cached;
    unsigned char digest[SECRET_DIGEST_BYTES];
    int64_t created_unix_ms;
    int64_t used_unix_ms;
    int64_t checked_unix_ms;
    bool is_unstored;
    char username[];
};

static struct bytes key_of(const unsigned char digest[SECRET_DIGEST_BYTES])
{
    return (struct bytes){.p = digest, .n = SECRET_DIGEST_BYTES};
}

static void free_known(struct cached *cached)
{
    free(cached);
}

struct cache_ticket session_cache_begin(struct app *app, const struct session *session)
{
    return cache_begin(app->sessions, key_of(session->digest), clock_monotonic_ms());
}

void session_cache_keep(struct app *app,
                        const struct cache_ticket *ticket,
                        const struct session *session)
{
    size_t name_bytes = strlen(session->username) + 1;
    struct known_session *known = calloc(1, sizeof(*known) + name_bytes);
    if (!known)
        abort();
    memcpy(known->digest, session->digest, sizeof(known->digest));
    memcpy(known->username, session->username, name_bytes);
    known->created_unix_ms = session->created_unix_ms;
    known->used_unix_ms = session->used_unix_ms;
    known->checked_unix_ms = session->checked_unix_ms;
    known->is_unstored = session->is_unstored;
    known->cached.key = key_of(known->digest);
    known->cached.size_bytes = sizeof(*known) + name_bytes;
    known->cached.free = free_known;
    atomic_init(&known->cached.users_count, 1);
    (void)cache_put(app->sessions, ticket, &known->cached);
    cached_release(&known->cached);
}

/* Is anything to be done with it, which needs the store or userauth-svc? A clock that went back
 * counts as such. */
static bool is_due(const struct config *config, const struct session *session)
{
    int64_t now_unix_ms = clock_unix_ms();
    int64_t unused_ms = now_unix_ms - session->used_unix_ms;
    int64_t unchecked_ms = now_unix_ms - session->checked_unix_ms;
    return unused_ms < 0 || unused_ms >= SESSION_USE_WRITE_EVERY_S * MS_PER_S || unchecked_ms < 0 ||
           unchecked_ms >= SESSION_CHECK_SOON_MS(config->user_check_s) ||
           session_is_over(session, config, now_unix_ms);
}

bool session_cache_fill(struct app *app, struct ctx *ctx, struct session *session)
{
    CLEANUP(cached_release_ptr) struct cached *cached = NULL;
    enum cache_state state =
        cache_find(app->sessions, key_of(session->digest), clock_monotonic_ms(), &cached);
    if (state != CACHE_FRESH)
        return false;
    const struct known_session *known = (const struct known_session *)(const void *)cached;
    session->username = arena_text(&ctx->arena, known->username);
    session->created_unix_ms = known->created_unix_ms;
    session->used_unix_ms = known->used_unix_ms;
    session->checked_unix_ms = known->checked_unix_ms;
    return !is_due(app->config, session);
}

void session_cache_add_check(struct app *app, struct session *session, int64_t now_unix_ms)
{
    CLEANUP(cached_release_ptr) struct cached *cached = NULL;
    enum cache_state state =
        cache_find(app->sessions, key_of(session->digest), clock_monotonic_ms(), &cached);
    if (state != CACHE_FRESH)
        return;
    const struct known_session *known = (const struct known_session *)(const void *)cached;
    bool is_later =
        known->checked_unix_ms > session->checked_unix_ms && known->checked_unix_ms <= now_unix_ms;
    if (!known->is_unstored || !is_later)
        return;
    session->checked_unix_ms = known->checked_unix_ms;
    session->is_unstored = true;
}

void session_cache_drop(struct app *app, const unsigned char digest[SECRET_DIGEST_BYTES])
{
    cache_drop(app->sessions, key_of(digest));
}
