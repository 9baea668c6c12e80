/* SPDX-License-Identifier: MIT
 *
 * Accounts: what making, changing and removing a user means beyond its row. A password is hashed
 * before the transaction begins, because nobody should wait for the write lock that long; a new one
 * forgets the failed tries of its name and gives the account a new generation, by which notes-svc
 * ends its sessions. All use ctx->db. create, find_or_create and update hash: for the slow lane.
 * Depends on: user.h, user_store.h, password.h, throttle_store.h.
 * Tests:   tests/unit/test_user_store.c */
#ifndef NOTES_ACCOUNTS_H
#define NOTES_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "user/user.h"

struct ctx;
struct password_settings;
struct user_draft;

/* Errors:  ERR_INVALID with the member; ERR_CONFLICT the name is taken. */
MUST_CHECK enum err account_create(struct ctx *ctx,
                                   const struct password_settings *settings,
                                   const struct user_draft *draft,
                                   struct user *out_user);

/* The user of that name as it is, else a new one. Of a user that exists the password is not looked
 * at. Errors:  ERR_INVALID with the member. */
MUST_CHECK enum err account_find_or_create(struct ctx *ctx,
                                           const struct password_settings *settings,
                                           const struct user_draft *draft,
                                           struct user *out_user,
                                           bool *out_is_new);

/* A user that another program kept, with the hash of its password or NULL. */
struct account_move {
    struct user user; /* without id and generation */
    const char *password;
    int64_t created_unix_ms;
    int64_t updated_unix_ms;
    enum account_moved {
        ACCOUNT_MOVED,
        ACCOUNT_MOVED_BEFORE,   /* a user of this name is here */
        ACCOUNT_MOVED_SPELLED,  /* of this name but for case */
        ACCOUNT_MOVED_PASSWORD, /* of this name, but its password is another, or may be */
    } outcome;                  /* of account_move_all */
};

/* Makes those users that are not here, in one transaction; who is here stays as they are. With
 * is_dry nothing is written.
 * Units: count up to ACCOUNT_MOVE_MAX_COUNT. */
#define ACCOUNT_MOVE_MAX_COUNT 100
MUST_CHECK enum err
account_move_all(struct ctx *ctx, struct account_move *const *items, size_t count, bool is_dry);

/* Errors:  ERR_NOT_FOUND; ERR_INVALID with the member; ERR_CONFLICT changed by somebody else in the
 * same moment. */
MUST_CHECK enum err account_update(struct ctx *ctx,
                                   const struct password_settings *settings,
                                   const char *username,
                                   const struct user_draft *draft,
                                   struct user *out_user);

/* Errors:  ERR_NOT_FOUND. */
MUST_CHECK enum err account_destroy(struct ctx *ctx, const char *username);

#endif
