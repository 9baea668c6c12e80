/* SPDX-License-Identifier: MIT
 *
 * Identities as JSON: what a request says of one, and how a user may sign in.
 * Depends on: identity.h, account_identities.h, http_message.h. */
#ifndef NOTES_IDENTITY_WIRE_H
#define NOTES_IDENTITY_WIRE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"

struct account_identities;
struct ctx;
struct http_response;
struct identity;

/* Both `issuer` and `subject`, or neither: then *out_is_given is false. `provider` may be missing.
 * What they must be is identity_check's business.
 * Errors:  ERR_INVALID no JSON object, a member of another type, or one of the two alone.
 * Tests:   tests/unit/test_identity_wire.c */
MUST_CHECK enum err identity_wire_read(struct ctx *ctx,
                                       struct bytes body,
                                       struct identity *out_identity,
                                       bool *out_is_given);

/* 200 with {"username", "provider", "hasPassword", "identities": [{"issuer", "subject", "provider",
 * "createdAt"}, …]}. */
MUST_CHECK enum err identity_wire_answer(struct ctx *ctx,
                                         const struct account_identities *account,
                                         struct http_response *rs);

#endif
