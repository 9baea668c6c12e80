/* SPDX-License-Identifier: MIT
 *
 * The throttle's rows in the database, so that a restart forgets nothing and several processes
 * count together. The only file that knows the table `login_throttle`. The table is bounded: names
 * and clients are whatever strangers type. Depends on: db.h, throttle.h. */
#ifndef NOTES_THROTTLE_STORE_H
#define NOTES_THROTTLE_STORE_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct db;
struct throttle;

#define THROTTLE_CLIENT_MAX_CHARS 255

/* Whose rows: `name_key` is a lower-cased name, `client` what the caller tells people apart by, ""
 * by default. */
struct throttle_key {
    const char *name_key;
    const char *client;
};

/* Rows that don't exist are zero, but that a device has succeeded before (throttle_is_device).
 * Tests:   tests/unit/test_login.c */
MUST_CHECK enum err throttle_load(struct ctx *ctx,
                                  struct db *db,
                                  const struct throttle_key *key,
                                  struct throttle *out_throttle);

/* In the caller's transaction, before the load that something is saved from: others who count for
 * the same name wait. It makes an empty total when there is none, which throttle_save removes. */
MUST_CHECK enum err throttle_lock(struct ctx *ctx, struct db *db, const struct throttle_key *key);

/* In the caller's transaction, together with the load that it is made from. A total without
 * failures is removed. */
MUST_CHECK enum err throttle_save(struct ctx *ctx,
                                  struct db *db,
                                  const struct throttle_key *key,
                                  const struct throttle *throttle);

/* Forgets all clients of a name, and its total. */
MUST_CHECK enum err throttle_drop(struct ctx *ctx, struct db *db, const char *name_key);

/* Removes rows over the maximum: those of clients that never succeeded first, of these the longest
 * unused; at most THROTTLE_EVICT_MAX_COUNT in one call, so that it stays short. */
#define THROTTLE_EVICT_MAX_COUNT 512
MUST_CHECK enum err
throttle_evict(struct ctx *ctx, struct db *db, int64_t rows_max_count, int64_t *out_removed_count);

#endif
