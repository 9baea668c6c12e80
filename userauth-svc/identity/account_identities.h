/* SPDX-License-Identifier: MIT
 *
 * Accounts by identity: a user is found by one, or made with it; identities are linked to a user
 * and unlinked. An identity is one user's at most, and a user keeps a way to sign in. The account's
 * generation stays, so sessions go on. All use ctx->db. Depends on: identity.h, identity_store.h,
 * user.h, user_store.h, throttle_store.h.
 * Tests:   tests/unit/test_account_identities.c, tests/http/test_userauth_identities.py */
#ifndef NOTES_ACCOUNT_IDENTITIES_H
#define NOTES_ACCOUNT_IDENTITIES_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "identity/identity.h"
#include "user/user.h"

struct ctx;

/* How somebody may sign in. */
struct account_identities {
    struct user user;
    bool has_password; /* one that could be right, were the user not disabled */
    struct identity_list identities;
};

/* Which account is meant: the one of this name, if it has this generation still. */
struct account_named {
    const char *username;
    const char *generation; /* NULL: whichever it has */
};

/* The user who has the identity as he is, else a new one without a password, whose name is like the
 * draft's. Who has the name already, or had it before he was destroyed, is never given out.
 * Errors:  ERR_INVALID with the member; ERR_FORBIDDEN the user is disabled; ERR_CONFLICT no name
 *          is free. */
MUST_CHECK enum err account_of_identity(struct ctx *ctx,
                                        const struct user_draft *draft,
                                        const struct identity *identity,
                                        struct user *out_user,
                                        bool *out_is_new);

/* Errors:  ERR_NOT_FOUND no such user. */
MUST_CHECK enum err account_identities_of(struct ctx *ctx,
                                          const char *username,
                                          struct account_identities *out_account);

/* Nothing changes when the user has it already.
 * Errors:  ERR_INVALID with the member; ERR_NOT_FOUND no such user; ERR_PRECONDITION another
 *          generation; ERR_CONFLICT another user has it, or this one has as many as
 *          IDENTITIES_PER_USER_MAX. */
MUST_CHECK enum err account_link_identity(struct ctx *ctx,
                                          const struct account_named *named,
                                          const struct identity *identity,
                                          struct account_identities *out_account,
                                          bool *out_has_changed);

/* Errors:  ERR_INVALID with the member; ERR_NOT_FOUND no such user, or not linked;
 *          ERR_PRECONDITION another generation; ERR_CONFLICT it is the last way to sign in. */
MUST_CHECK enum err account_unlink_identity(struct ctx *ctx,
                                            const struct account_named *named,
                                            const struct identity *identity,
                                            struct account_identities *out_account);

#endif
