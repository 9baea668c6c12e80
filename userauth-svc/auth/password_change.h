/* SPDX-License-Identifier: MIT
 *
 * Somebody changes the own password: the new one is judged first, which costs nothing and tells
 * nothing of any account; then the old one is checked like a login (login.h), with its throttle,
 * its costs and its answers; then the new one takes its place. Every session of before ends with
 * the account's new generation. Depends on: login.h, password.h, password_rules.h,
 * throttle_store.h, user_store.h. */
#ifndef NOTES_PASSWORD_CHANGE_H
#define NOTES_PASSWORD_CHANGE_H

#include <stdint.h>

#include "auth/login.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "rules/password_rules.h"

struct ctx;

struct password_change {
    struct login_try login_try; /* name, old password, client */
    const char *new_password;
};

struct password_change_result {
    enum password_fault fault; /* another than PASSWORD_FINE: the old password was not looked at */
    struct login_result login; /* LOGIN_RIGHT: the password is changed, and this is the new
                                  generation */
};

/* Hashes twice: for the slow lane. Uses ctx->db. When the account was changed by others between
 * check and change, it ends as with a wrong password that is not counted: what was typed is most
 * likely no longer right.
 * Units:   min_chars in code points.
 * Tests:   tests/unit/test_password_change.c, tests/http/test_userauth_change.py */
MUST_CHECK enum err password_change(struct ctx *ctx,
                                    const struct login_rules *rules,
                                    int64_t min_chars,
                                    const struct password_change *change,
                                    struct password_change_result *out_result);

#endif
