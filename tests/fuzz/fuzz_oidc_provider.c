/* SPDX-License-Identifier: MIT
 *
 * A provider's description and its keys: what is taken has only addresses that may be used, and
 * only keys that signatures are verified with. */
#include "provider/oidc_wire.h"

#include "base/ctx.h"
#include "base/text.h"
#include "provider/provider_url.h"

#include "fuzz.h"

#include <string.h>

static void check_endpoint(const char *url, bool is_needed)
{
    FUZZ_REQUIRE(url || !is_needed);
    if (url)
        FUZZ_REQUIRE(provider_url_kind(url) == PROVIDER_URL_HTTPS);
}

static void check_key(const struct oidc_key *key)
{
    FUZZ_REQUIRE(key->kind == OIDC_KEY_RSA || key->kind == OIDC_KEY_P256 ||
                 key->kind == OIDC_KEY_P384 || key->kind == OIDC_KEY_P521);
    FUZZ_REQUIRE(text_starts_with(key->jwk, key->kind == OIDC_KEY_RSA ? "{\"kty\":\"RSA\","
                                                                      : "{\"kty\":\"EC\","));
    /* Nothing of theirs ends a text and adds a member. */
    size_t quotes_count = 0;
    for (const char *p = key->jwk; *p; p++)
        quotes_count += *p == '"';
    FUZZ_REQUIRE(quotes_count == (key->kind == OIDC_KEY_RSA ? 12 : 16));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, FUZZ_BUDGET_MS);
    const struct bytes json = {.p = data, .n = size};
    struct oidc_provider provider;
    struct oidc_keys keys;
    if (!oidc_wire_provider(&ctx, json, "https://login.example.org", &provider)) {
        check_endpoint(provider.authorization_endpoint, true);
        check_endpoint(provider.token_endpoint, true);
        check_endpoint(provider.jwks_uri, true);
        check_endpoint(provider.userinfo_endpoint, false);
        check_endpoint(provider.end_session_endpoint, false);
    }
    ctx_forgive(&ctx);
    if (oidc_wire_keys(&ctx, json, &keys))
        return 0;
    FUZZ_REQUIRE(keys.count <= OIDC_KEYS_MAX_COUNT);
    for (size_t i = 0; i < keys.count; i++)
        check_key(&keys.items[i]);
    return 0;
}
