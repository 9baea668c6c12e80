/* SPDX-License-Identifier: MIT
 *
 * Is this ID token the provider's word, for us, now, and about the sign-in that we began?
 * Source: OpenID Connect Core 1.0 section 3.1.3.7; RFC 8725 (what goes wrong with such tokens).
 * Tests: tests/unit/test_id_token.c */
#ifndef NOTES_ID_TOKEN_H
#define NOTES_ID_TOKEN_H

#include <stdint.h>

#include "base/cleanup.h"

struct ctx;
struct oidc_claims;
struct oidc_keys;

#define ID_TOKEN_SKEW_S    120 /* that clocks may differ */
#define ID_TOKEN_AGE_MAX_S 600
#define ID_TOKEN_TRIES_MAX_COUNT \
    4 /* keys of one name; a token without a name must fit exactly one */

enum id_token_verdict {
    ID_TOKEN_GOOD,
    ID_TOKEN_KEY_UNKNOWN, /* it may be signed with a newer key than these */
    ID_TOKEN_CLOCK,       /* all is well but its times */
    ID_TOKEN_BAD,
};

struct id_token_wanted {
    const char *issuer;
    const char *client_id;
    const char *nonce;
    int64_t now_s; /* since 1970 */
};

/* out_claims is written on ID_TOKEN_GOOD. Why it is not good goes to ctx->why. */
MUST_CHECK enum id_token_verdict id_token_check(struct ctx *ctx,
                                                const char *token,
                                                const struct oidc_keys *keys,
                                                const struct id_token_wanted *wanted,
                                                struct oidc_claims *out_claims);

#endif
