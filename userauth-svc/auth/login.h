/* SPDX-License-Identifier: MIT
 *
 * One try of a name and a password: throttled, checked, counted. An unknown name goes the same way
 * as a known one, statement by statement, with another user's hash (decoy.h) whose result is
 * dropped, so that neither the answer nor its time tells who has an account. So does the name of a
 * disabled user, with its own hash. Depends on: decoy.h, password.h, throttle.h, throttle_store.h,
 * user_store.h. */
#ifndef NOTES_LOGIN_H
#define NOTES_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct password_settings;
struct secret;
struct throttle_limits;

/* The same for all tries. */
struct login_rules {
    const struct password_settings *passwords;
    const struct secret *decoy_key;
    const struct throttle_limits *throttle;
};

struct login_try {
    const char *username; /* sound, see user.h */
    const char *password; /* "" is never right */
    const char *client;   /* by what the caller tells people apart; "" by default */
    bool skips_renewal;   /* a weak hash stays: it is about to be replaced */
};

enum login_verdict { LOGIN_RIGHT, LOGIN_WRONG, LOGIN_WAIT };

struct login_result {
    enum login_verdict verdict;
    bool is_counted;      /* a failure that was counted; LOGIN_WAIT without it: the password was not
                             looked at */
    int64_t wait_s;       /* LOGIN_WAIT */
    const char *username; /* LOGIN_RIGHT: the stored spelling */
    const char *generation; /* LOGIN_RIGHT */
};

/* Hashes: for the slow lane. Uses ctx->db.
 * The failure is counted after the hashing, in a transaction that reads the count again: of many
 * tries at the same time each one beyond the free ones learns nothing, even if it was begun before
 * the others were counted. A right try of a client that has nothing to forget writes nothing.
 * Tests:   tests/unit/test_login.c */
MUST_CHECK enum err login_check(struct ctx *ctx,
                                const struct login_rules *rules,
                                const struct login_try *login_try,
                                struct login_result *out_result);

#endif
