/* SPDX-License-Identifier: MIT
 *
 * A password check, and a change of the own password, as JSON: who tries, and what is answered.
 * Depends on: login.h, password_change.h, http_message.h. */
#ifndef NOTES_AUTH_WIRE_H
#define NOTES_AUTH_WIRE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct http_response;
struct login_result;
struct login_try;
struct password_change;
struct password_change_result;

/* Errors:  ERR_INVALID no JSON object, or a member that can't be one.
 * Tests:   tests/unit/test_user_wire.c */
MUST_CHECK enum err auth_wire_read(struct ctx *ctx, struct bytes body, struct login_try *out_try);

/* 200 with check true (and the ETag of account and password) or false, or 429 with Retry-After. */
MUST_CHECK enum err auth_wire_answer(struct ctx *ctx,
                                     const struct login_try *login_try,
                                     const struct login_result *result,
                                     struct http_response *rs);

/* Errors:  ERR_INVALID no JSON object, or a member that can't be one. What a new password must be
 * is not looked at. */
MUST_CHECK enum err
auth_wire_read_change(struct ctx *ctx, struct bytes body, struct password_change *out_change);

/* As auth_wire_answer, with `changed`; or 400 with a code for the rule that the new password
 * breaks. */
MUST_CHECK enum err auth_wire_answer_change(struct ctx *ctx,
                                            const struct password_change *change,
                                            const struct password_change_result *result,
                                            int64_t min_chars,
                                            struct http_response *rs);

#endif
