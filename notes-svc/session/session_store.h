/* SPDX-License-Identifier: MIT
 *
 * Where sessions are kept: in Redis when one is configured, in the database otherwise; and the
 * site's device key, which is in the database always. What is kept of a session is found by the
 * digest of its id. Depends on: session.h, config.h; ctx->db, ctx->redis. */
#ifndef NOTES_SESSION_STORE_H
#define NOTES_SESSION_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/secret.h"

struct app;
struct config;
struct ctx;
struct db;
struct session;
struct session_list;

#define SESSION_LIST_MAX_COUNT 1001 /* SESSIONS_PER_USER at most, and that of a sign-in */

/* Not in the database: pages can be shown while it is away. */
bool session_store_is_apart(const struct config *config);

MUST_CHECK enum err session_insert(struct ctx *ctx,
                                   const struct app *app,
                                   struct session *session,
                                   int64_t now_unix_ms);

/* Fills what the cookie did not tell. Errors: ERR_NOT_FOUND no such session. */
MUST_CHECK enum err session_fill(struct ctx *ctx, const struct app *app, struct session *session);

/* Stores used_unix_ms and checked_unix_ms, but for what is later there already: who has read the
 * session before somebody else used it must not take that back. A time after now_unix_ms gives way,
 * or each request would ask, and none would age, after the clock was set back. A session that is
 * gone is no error: it stays gone. */
MUST_CHECK enum err session_touch(struct ctx *ctx,
                                  const struct app *app,
                                  const struct session *session,
                                  int64_t now_unix_ms);

/* A session that is gone already is no error. */
MUST_CHECK enum err
session_delete(struct ctx *ctx, const struct app *app, const struct session *session);

/* The sessions of this user (in the stored spelling) that are not over, the last used first; the
 * SESSION_LIST_MAX_COUNT last used where there are more. `own`, which is alive, is among them; it
 * may be NULL. Of a Redis: those that programs before migration 2 have made are there after their
 * next use. */
MUST_CHECK enum err session_list(struct ctx *ctx,
                                 const struct app *app,
                                 const char *username,
                                 const struct session *own,
                                 struct session_list *out_list);

/* All or none. Those that are gone already are no error. */
MUST_CHECK enum err
session_delete_all(struct ctx *ctx, const struct app *app, const struct session_list *list);

/* Removes at most limit_count sessions that were made or last used before these times from the
 * database, also those that were left there before Redis was configured. Redis lets its own go by
 * itself. */
MUST_CHECK enum err session_purge(struct ctx *ctx,
                                  struct db *db,
                                  int64_t created_before_unix_ms,
                                  int64_t used_before_unix_ms,
                                  int64_t limit_count,
                                  int64_t *out_count);

/* The key that signs device cookies; made at the first call, the same for every process of this
 * database. Owns: the caller, who calls secret_done. */
MUST_CHECK enum err session_device_key(struct ctx *ctx, struct db *db, struct secret *out_key);

#endif
