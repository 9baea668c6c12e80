/* SPDX-License-Identifier: MIT
 *
 * An ID token, its head and its claims: whatever comes is refused or read whole. Only what was
 * signed with these keys, whose private parts nobody has, is taken. */
#include "provider/id_token.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "base/text.h"
#include "provider/oidc_wire.h"
#include "provider/provider.h"

#include "fuzz.h"

#include <string.h>

#define NOW_S 1790000000

static const struct oidc_keys keys = {
    .items =
        {{.kind = OIDC_KEY_RSA,
          .kid = "a",
          .jwk = "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\""
                 "llvzsYyOUIwAt_0XZaokC5l5dVwNPZ8ULdgModz69YeYcvh09G9D21n2izQE8_18X0OfRFa9r-d2mFnX"
                 "Qcforey73vcPz-rN5iWxMES__2Xl0vTWBb8yfLxAef9voLtYJrKTFx017jNuTDopsV0mQ9HZzazYZfwi"
                 "BfPSIbmpgF5m09WaX5G68_-GCZvEhgQIZQruX7jcG7jEn6S3pv4oeoqHNe_hNHMLHPK-P5HBVaafLZst"
                 "1KtLU-8mJAfVyoA_zjhKSLuvmMlJ5g9six0qnA0Eb-5CehXp9Is7ARJaI4EQVe2lQOF9V2fPyS4SIy18"
                 "R6XtmdKU8m97IAYS04k_gw"
                 "\"}"},
         {.kind = OIDC_KEY_P256,
          .kid = "b",
          .alg = "ES256",
          .jwk = "{\"kty\":\"EC\",\"crv\":\"P-256\","
                 "\"x\":\"kIy79M6SbyqKNOdVQRklFpzfjI-hjLubUJ9PAkXJ23Y\","
                 "\"y\":\"fvERB8BkIQdvj4E1V2JDzEy40Oy36Ck6U2QCROHLLfE\"}"}},
    .count = 2,
};

static const struct id_token_wanted wanted = {
    .issuer = "https://login.example.org", .client_id = "notes", .nonce = "n-1", .now_s = NOW_S};

static void check_text(const char *text)
{
    if (text)
        FUZZ_REQUIRE(text_is_utf8(text, strlen(text)) && !text_has_control(text, ""));
}

static void check_claims(const struct oidc_claims *claims)
{
    check_text(claims->iss);
    check_text(claims->sub);
    check_text(claims->nonce);
    check_text(claims->profile.name);
    check_text(claims->profile.email);
    FUZZ_REQUIRE(claims->aud_count <= OIDC_AUDIENCES_MAX_COUNT);
    for (size_t i = 0; i < claims->aud_count; i++)
        FUZZ_REQUIRE(claims->aud[i]);
    FUZZ_REQUIRE(claims->exp_s >= 0 && claims->iat_s >= 0 && claims->nbf_s >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(ctx_done) struct ctx ctx;
    FUZZ_REQUIRE(secret_start());
    ctx_init(&ctx, NULL, FUZZ_BUDGET_MS);
    const struct bytes bytes = {.p = data, .n = size};
    struct oidc_token_head head = {.alg = NULL};
    struct oidc_claims claims = {.sub = NULL};
    if (!oidc_wire_head(&ctx, bytes, &head))
        FUZZ_REQUIRE(head.alg);
    ctx_forgive(&ctx);
    if (!oidc_wire_claims(&ctx, bytes, &claims))
        check_claims(&claims);
    ctx_forgive(&ctx);
    const char *token = arena_text_copy(&ctx.arena, (const char *)data, size);
    struct oidc_claims taken = {.sub = NULL};
    enum id_token_verdict verdict = id_token_check(&ctx, token, &keys, &wanted, &taken);
    FUZZ_REQUIRE((verdict == ID_TOKEN_GOOD) == (taken.sub != NULL));
    if (verdict != ID_TOKEN_GOOD)
        return 0;
    check_claims(&taken);
    FUZZ_REQUIRE(strcmp(taken.sub, "s-1") == 0 && strcmp(taken.nonce, "n-1") == 0);
    return 0;
}
