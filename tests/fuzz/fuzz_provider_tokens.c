/* SPDX-License-Identifier: MIT
 *
 * Answers to a code or a token: what is taken of them can stand in a field of a request, in an
 * address and in a cookie. */
#include "base/ctx.h"
#include "provider/oidc_wire.h"
#include "provider/provider_parts.h"
#include "provider/twitter_wire.h"

#include "fuzz.h"

#include <string.h>

static void check_token(const char *token, size_t max_bytes)
{
    FUZZ_REQUIRE(token && *token && strlen(token) <= max_bytes);
    for (const char *p = token; *p; p++)
        FUZZ_REQUIRE(*p > ' ' && *p < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, FUZZ_BUDGET_MS);
    const struct bytes body = {.p = data, .n = size};
    struct oidc_tokens tokens;
    struct twitter_token token;
    struct twitter_profile profile;
    if (!oidc_wire_tokens(&ctx, body, &tokens)) {
        check_token(tokens.id_token, OIDC_TOKEN_MAX_BYTES);
        check_token(tokens.access_token, OIDC_TOKEN_MAX_BYTES);
    }
    ctx_forgive(&ctx);
    FUZZ_REQUIRE(oidc_wire_error(&ctx, body));
    if (!twitter_wire_token(&ctx, body, &token)) {
        check_token(token.token, PROVIDER_TOKEN_MAX_BYTES);
        check_token(token.secret, PROVIDER_TOKEN_MAX_BYTES);
        FUZZ_REQUIRE(!token.user_id || twitter_wire_is_id(token.user_id));
    }
    ctx_forgive(&ctx);
    if (!twitter_wire_profile(&ctx, body, &profile))
        FUZZ_REQUIRE(twitter_wire_is_id(profile.id));
    return 0;
}
