/* SPDX-License-Identifier: MIT
 *
 * What keeps sessions: SQL (session_db.c) or Redis (session_redis.c). Private to session_store.c,
 * whose header says what each function means. Each uses its own connection of ctx. */
#ifndef NOTES_SESSION_DRIVER_H
#define NOTES_SESSION_DRIVER_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct app;
struct ctx;
struct session;
struct session_list;

/* When something of a session is noted, and what follows from it. */
struct session_moment {
    int64_t now_unix_ms;
    int64_t left_ms; /* the session lives so long yet if nobody uses it; more than 0 */
};

struct session_driver {
    enum err (*insert)(struct ctx *ctx,
                       const struct app *app,
                       const struct session *session,
                       const struct session_moment *moment);
    enum err (*fill)(struct ctx *ctx, const struct app *app, struct session *session);
    enum err (*touch)(struct ctx *ctx,
                      const struct app *app,
                      const struct session *session,
                      const struct session_moment *moment);
    enum err (*delete)(struct ctx *ctx, const struct app *app, const struct session *session);
    /* In any order; some of them may be over. */
    enum err (*list)(struct ctx *ctx,
                     const struct app *app,
                     const char *username,
                     int64_t limit_count,
                     struct session_list *out_list);
    /* All of them or none. */
    enum err (*delete_all)(struct ctx *ctx, const struct app *app, const struct session_list *list);
};

extern const struct session_driver session_db;
extern const struct session_driver session_redis;

#endif
