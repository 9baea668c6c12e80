/* SPDX-License-Identifier: MIT
 *
 * Identities in the database. The only file that knows the table `identities`. Each function is one
 * statement; a user's row is locked by whoever changes his identities (account_identities.c).
 * Depends on: db.h, identity.h. Knows nothing of HTTP or JSON. */
#ifndef NOTES_IDENTITY_STORE_H
#define NOTES_IDENTITY_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct db;
struct identity;
struct identity_list;

/* The id of the user who has it.
 * Errors:  ERR_NOT_FOUND nobody.
 * Tests:   tests/unit/test_account_identities.c */
MUST_CHECK enum err identity_find_user(struct ctx *ctx,
                                       struct db *db,
                                       const struct identity *identity,
                                       int64_t *out_user_id);

/* All of a user, the oldest first. */
MUST_CHECK enum err
identity_list_of(struct ctx *ctx, struct db *db, int64_t user_id, struct identity_list *out_list);

/* created_unix_ms is not used: it is now.
 * Errors:  ERR_CONFLICT somebody has it. */
MUST_CHECK enum err
identity_insert(struct ctx *ctx, struct db *db, int64_t user_id, const struct identity *identity);

/* Errors:  ERR_NOT_FOUND this user has it not. */
MUST_CHECK enum err
identity_delete(struct ctx *ctx, struct db *db, int64_t user_id, const struct identity *identity);

/* After a commit that had no answer: has the user this identity, or (is_linked false) has he lost
 * it? See db_find_out. */
MUST_CHECK enum err identity_find_out(struct ctx *ctx,
                                      struct db *db,
                                      int64_t user_id,
                                      const struct identity *identity,
                                      bool is_linked);

#endif
