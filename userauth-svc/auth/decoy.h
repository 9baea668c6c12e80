/* SPDX-License-Identifier: MIT
 *
 * A name that nobody has must cost what a name that somebody has costs, or the time of a failed
 * login tells who has an account. Stored hashes are of several kinds and costs (bcrypt from the
 * Node version, Argon2id of older settings), so each name without a password of its own gets the
 * stored hash of some user to be verified against in vain: the same one at each try, chosen by a
 * digest of the name that is keyed by a secret of this database. So the costs of such names have
 * the proportions of the stored ones. Depends on: db.h, user_store.h, secret.h. */
#ifndef NOTES_DECOY_H
#define NOTES_DECOY_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct db;
struct secret;

/* The key, made at the first start and kept in the database: a new one would give names other
 * costs, and several processes must agree. The only function that knows the table `service_values`.
 * Owns:    the caller, who calls secret_done.
 * Tests:   tests/unit/test_decoy.c */
MUST_CHECK enum err decoy_key(struct ctx *ctx, struct db *db, struct secret *out_key);

/* Where a name stands among places 1..count. When the count grows by one, one name in count + 1
 * moves, to the new place, and no other: a user more does not change what names cost.
 * Units:   count >= 1. Source: Lamping & Veach, "A Fast, Minimal Memory, Consistent Hash
 * Algorithm". */
int64_t decoy_place(const struct secret *key, const char *name_key, int64_t count);

/* The hash for this lower-cased name; NULL when nobody has a password. To be verified for its cost
 * only: that it matches means nothing. Uses ctx->db. */
MUST_CHECK enum err
decoy_hash(struct ctx *ctx, const struct secret *key, const char *name_key, const char **out_hash);

#endif
