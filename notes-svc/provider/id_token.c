/* SPDX-License-Identifier: MIT
 *
 * First the head, which nobody vouches for and which only chooses among what is allowed here; then
 * the signature; and only then the claims. Depends on: id_token.h, jws.h, oidc_wire.h. */
#include "provider/id_token.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "base/text.h"
#include "provider/jws.h"
#include "provider/oidc_wire.h"
#include "provider/provider.h"

#define HEAD_MAX_BYTES 2048
#define PARTS_CHARS    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* RFC 7518 3.1: an algorithm goes with one kind of key. There is no "none" here, and none with a
 * shared key. */
static const struct {
    const char *alg;
    enum oidc_key_kind kind;
} algorithms[] = {
    {"RS256", OIDC_KEY_RSA},  {"RS384", OIDC_KEY_RSA},  {"RS512", OIDC_KEY_RSA},
    {"PS256", OIDC_KEY_RSA},  {"PS384", OIDC_KEY_RSA},  {"PS512", OIDC_KEY_RSA},
    {"ES256", OIDC_KEY_P256}, {"ES384", OIDC_KEY_P384}, {"ES512", OIDC_KEY_P521},
};

#define bad(ctx, ...) ((void)ctx_fail((ctx), ERR_UNAVAILABLE, __VA_ARGS__), ID_TOKEN_BAD)

/* ---- head ---- */

/* Three parts of base64url, none of them empty. Returns the length of the first, 0: no such token.
 */
static size_t head_chars(const char *token)
{
    size_t counts[3] = {0};
    if (strlen(token) > OIDC_TOKEN_MAX_BYTES)
        return 0;
    for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
        counts[i] = strspn(token, PARTS_CHARS);
        token += counts[i];
        bool is_last = i + 1 == ARRAY_COUNT(counts);
        if (counts[i] == 0 || *token != (is_last ? '\0' : '.'))
            return 0;
        token += !is_last;
    }
    return counts[0];
}

static bool read_head(struct ctx *ctx, const char *token, struct oidc_token_head *out_head)
{
    size_t chars = head_chars(token);
    size_t size_bytes = chars / 4 * 3 + (chars % 4 ? chars % 4 - 1 : 0);
    if (size_bytes == 0 || size_bytes > HEAD_MAX_BYTES)
        return false;
    const char *text = arena_text_copy(&ctx->arena, token, chars);
    unsigned char *json = arena_take(&ctx->arena, size_bytes);
    return secret_from_base64url(text, json, size_bytes) &&
           !oidc_wire_head(ctx, (struct bytes){.p = json, .n = size_bytes}, out_head);
}

static bool is_allowed(const char *alg)
{
    for (size_t i = 0; i < ARRAY_COUNT(algorithms); i++)
        if (text_equals(alg, algorithms[i].alg))
            return true;
    return false;
}

static bool fits(const struct oidc_key *key, const struct oidc_token_head *head)
{
    if (key->alg && !text_equals(key->alg, head->alg))
        return false;
    if (head->kid && (!key->kid || !text_equals(key->kid, head->kid)))
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(algorithms); i++)
        if (text_equals(head->alg, algorithms[i].alg))
            return key->kind == algorithms[i].kind;
    return false;
}

/* ---- signature ---- */

static enum id_token_verdict verify(struct ctx *ctx,
                                    const char *token,
                                    const struct oidc_keys *keys,
                                    const struct oidc_token_head *head,
                                    struct bytes *out_payload)
{
    size_t tries_max_count = head->kid ? ID_TOKEN_TRIES_MAX_COUNT : 1;
    size_t count = 0;
    for (size_t i = 0; i < keys->count; i++)
        count += fits(&keys->items[i], head);
    if (count == 0)
        return ID_TOKEN_KEY_UNKNOWN;
    if (count > tries_max_count)
        return bad(ctx, "the ID token does not say which of %zu keys", count);
    for (size_t i = 0; i < keys->count; i++)
        if (fits(&keys->items[i], head) && jws_verify(ctx, token, keys->items[i].jwk, out_payload))
            return ID_TOKEN_GOOD;
    if (!head->kid)
        return ID_TOKEN_KEY_UNKNOWN; /* the provider may have changed its only key */
    return bad(ctx, "the ID token's signature does not hold");
}

/* ---- claims ---- */

static bool is_for(const struct oidc_claims *claims, const char *client_id)
{
    bool is_ours = false;
    for (size_t i = 0; i < claims->aud_count; i++)
        is_ours = is_ours || text_equals(claims->aud[i], client_id);
    if (claims->azp)
        return is_ours && text_equals(claims->azp, client_id);
    return is_ours && claims->aud_count == 1;
}

static bool is_subject(const char *sub)
{
    size_t size_bytes = sub ? strlen(sub) : 0;
    if (size_bytes == 0 || size_bytes > PROVIDER_SUBJECT_MAX_BYTES)
        return false;
    for (const char *p = sub; *p; p++)
        if (*p < ' ' || *p >= 0x7f)
            return false;
    return true;
}

static enum id_token_verdict
check_times(struct ctx *ctx, const struct oidc_claims *claims, int64_t now_s)
{
    if (!claims->exp_s || !claims->iat_s)
        return bad(ctx, "the ID token has no exp or no iat");
    bool is_now = now_s < claims->exp_s + ID_TOKEN_SKEW_S &&
                  claims->iat_s <= now_s + ID_TOKEN_SKEW_S &&
                  claims->nbf_s <= now_s + ID_TOKEN_SKEW_S &&
                  now_s - claims->iat_s <= ID_TOKEN_AGE_MAX_S + ID_TOKEN_SKEW_S;
    if (is_now)
        return ID_TOKEN_GOOD;
    (void)ctx_fail(ctx, ERR_UNAVAILABLE,
                   "the ID token is good from %lld, issued %lld, to %lld; here it is %lld",
                   (long long)claims->nbf_s, (long long)claims->iat_s, (long long)claims->exp_s,
                   (long long)now_s);
    return ID_TOKEN_CLOCK;
}

static enum id_token_verdict check_claims(struct ctx *ctx,
                                          const struct oidc_claims *claims,
                                          const struct id_token_wanted *wanted)
{
    if (!claims->iss || !text_equals(claims->iss, wanted->issuer))
        return bad(ctx, "the ID token is of another issuer");
    if (!is_for(claims, wanted->client_id))
        return bad(ctx, "the ID token is for somebody else");
    if (!secret_text_matches(wanted->nonce, claims->nonce))
        return bad(ctx, "the ID token is of another sign-in");
    if (!is_subject(claims->sub))
        return bad(ctx, "the ID token has no subject that can be one");
    return check_times(ctx, claims, wanted->now_s);
}

enum id_token_verdict id_token_check(struct ctx *ctx,
                                     const char *token,
                                     const struct oidc_keys *keys,
                                     const struct id_token_wanted *wanted,
                                     struct oidc_claims *out_claims)
{
    struct oidc_token_head head;
    struct oidc_claims claims;
    struct bytes payload = {.n = 0};
    if (!read_head(ctx, token, &head))
        return bad(ctx, "the ID token is none");
    if (!is_allowed(head.alg))
        return bad(ctx, "the ID token is signed by %s", head.alg);
    enum id_token_verdict verdict = verify(ctx, token, keys, &head, &payload);
    if (verdict != ID_TOKEN_GOOD)
        return verdict;
    if (oidc_wire_claims(ctx, payload, &claims))
        return ID_TOKEN_BAD;
    verdict = check_claims(ctx, &claims, wanted);
    if (verdict == ID_TOKEN_GOOD)
        *out_claims = claims;
    return verdict;
}
