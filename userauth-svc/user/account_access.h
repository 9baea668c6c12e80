/* SPDX-License-Identifier: MIT
 *
 * Who may sign in, and who stays signed in: a user can be disabled and enabled, and signed out
 * everywhere. Each gives the account a new generation, by which notes-svc ends its sessions at
 * their next check; so none of before lives again when the user is enabled. Password, names and
 * counted tries stay as they are. All use ctx->db.
 * Depends on: user.h, user_store.h.
 * Tests:   tests/unit/test_user_store.c, tests/http/test_userauth_access.py */
#ifndef NOTES_ACCOUNT_ACCESS_H
#define NOTES_ACCOUNT_ACCESS_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct user;

enum account_access { ACCOUNT_DISABLE, ACCOUNT_ENABLE, ACCOUNT_REVOKE };

/* The user afterwards. Nothing changes, not even the generation, of one who is disabled or enabled
 * already.
 * Errors:  ERR_NOT_FOUND. */
MUST_CHECK enum err account_change_access(struct ctx *ctx,
                                          const char *username,
                                          enum account_access access,
                                          struct user *out_user,
                                          bool *out_has_changed);

#endif
