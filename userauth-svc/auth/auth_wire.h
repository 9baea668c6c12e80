/* SPDX-License-Identifier: MIT
 *
 * A password check as JSON: who tries, and what is answered.
 * Depends on: login.h, http_message.h. */
#ifndef NOTES_AUTH_WIRE_H
#define NOTES_AUTH_WIRE_H

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct http_response;
struct login_result;
struct login_try;

/* Errors:  ERR_INVALID no JSON object, or a member that can't be one.
 * Tests:   tests/unit/test_user_wire.c */
MUST_CHECK enum err auth_wire_read(struct ctx *ctx, struct bytes body, struct login_try *out_try);

/* 200 with check true (and the ETag of account and password) or false, or 429 with Retry-After. */
MUST_CHECK enum err auth_wire_answer(struct ctx *ctx,
                                     const struct login_try *login_try,
                                     const struct login_result *result,
                                     struct http_response *rs);

#endif
