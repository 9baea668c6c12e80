/* SPDX-License-Identifier: MIT
 *
 * Reads what an OpenID Connect provider sends. A key is written anew with its public members, so
 * that the library that verifies never sees others. Members that only describe a person are taken
 * when they are texts, and left out otherwise: no sign-in fails for a strange nickname.
 * Depends on: oidc_wire.h, json_body.h, strbuf.h. */
#include "provider/oidc_wire.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "http/json_body.h"
#include "provider/provider_url.h"

#define KID_MAX_BYTES   256
#define CLAIM_MAX_BYTES 2048
#define JWK_MAX_BYTES   4096
#define TIME_MAX_S      ((int64_t)1 << 53)

/* Of a modulus or exponent in base64url: RFC 7518 3.3 wants 2048 bits; more than 8192 only cost
 * time. */
#define RSA_N_MIN_CHARS 342
#define RSA_N_MAX_CHARS 1366
#define RSA_E_MAX_CHARS 11

/* ---- members ---- */

/* A text of at most max_bytes without control characters in the arena; NULL when it is absent or
 * something else. */
static const char *
text_or_null(struct ctx *ctx, const json_t *object, const char *name, size_t max_bytes)
{
    const json_t *member = json_object_get(object, name);
    if (!json_is_string(member) || json_string_length(member) > max_bytes)
        return NULL;
    const char *text = json_string_value(member);
    if (strlen(text) != json_string_length(member) || text_has_control(text, ""))
        return NULL;
    return arena_text(&ctx->arena, text);
}

/* The same for a member that decides: something else than a text is no answer. */
static enum err need_text_or_absent(struct ctx *ctx,
                                    const json_t *object,
                                    const char *name,
                                    size_t max_bytes,
                                    const char **out_text)
{
    const json_t *member = json_object_get(object, name);
    *out_text = text_or_null(ctx, object, name, max_bytes);
    if (member && !*out_text)
        return ctx_fail(ctx, ERR_INVALID, "the member %s is no text that can be used", name);
    return ERR_OK;
}

static bool list_has(const json_t *list, const char *wanted)
{
    size_t place = 0;
    const json_t *item = NULL;
    json_array_foreach(list, place,
                       item) if (json_is_string(item) &&
                                 text_equals(json_string_value(item), wanted)) return true;
    return false;
}

/* ---- the provider ---- */

static enum err read_endpoint(
    struct ctx *ctx, const json_t *json, const char *issuer, const char *name, const char **out_url)
{
    enum err err = need_text_or_absent(ctx, json, name, PROVIDER_URL_MAX_BYTES, out_url);
    if (!err && *out_url && !provider_url_may_follow(issuer, *out_url))
        err = ctx_fail(ctx, ERR_INVALID, "the provider's %s may not be used: only https", name);
    return err;
}

static enum err read_endpoints(struct ctx *ctx,
                               const json_t *json,
                               const char *issuer,
                               struct oidc_provider *provider)
{
    const struct {
        const char *name;
        const char **out_url;
        bool is_needed;
    } rows[] = {
        {"authorization_endpoint", &provider->authorization_endpoint, true},
        {"token_endpoint", &provider->token_endpoint, true},
        {"jwks_uri", &provider->jwks_uri, true},
        {"userinfo_endpoint", &provider->userinfo_endpoint, false},
        {"end_session_endpoint", &provider->end_session_endpoint, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        enum err err = read_endpoint(ctx, json, issuer, rows[i].name, rows[i].out_url);
        if (err)
            return err;
        if (rows[i].is_needed && !*rows[i].out_url)
            return ctx_fail(ctx, ERR_INVALID, "the provider names no %s", rows[i].name);
    }
    return ERR_OK;
}

enum err oidc_wire_provider(struct ctx *ctx,
                            struct bytes body,
                            const char *issuer,
                            struct oidc_provider *out_provider)
{
    CLEANUP(json_body_release) json_t *json = NULL;
    struct oidc_provider provider = {.jwks_uri = NULL};
    enum err err = json_body_parse(ctx, body, &json);
    if (err)
        return err;
    const char *named = text_or_null(ctx, json, "issuer", CLAIM_MAX_BYTES);
    if (!named || !text_equals(named, issuer))
        return ctx_fail(ctx, ERR_INVALID, "the provider calls itself %s, not %s",
                        named ? named : "nothing", issuer);
    err = read_endpoints(ctx, json, issuer, &provider);
    if (err)
        return err;
    const json_t *ways = json_object_get(json, "token_endpoint_auth_methods_supported");
    provider.announces_iss =
        json_is_true(json_object_get(json, "authorization_response_iss_parameter_supported"));
    provider.takes_secret_in_body_only =
        list_has(ways, "client_secret_post") && !list_has(ways, "client_secret_basic");
    *out_provider = provider;
    return ERR_OK;
}

/* ---- keys ---- */

static bool is_base64url(const char *text, size_t min_chars, size_t max_chars)
{
    size_t size = strlen(text);
    return size >= min_chars && size <= max_chars &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == size;
}

static bool read_rsa(struct ctx *ctx, const json_t *json, struct oidc_key *key)
{
    const char *n = text_or_null(ctx, json, "n", RSA_N_MAX_CHARS);
    const char *e = text_or_null(ctx, json, "e", RSA_E_MAX_CHARS);
    if (!n || !e || !is_base64url(n, RSA_N_MIN_CHARS, RSA_N_MAX_CHARS) ||
        !is_base64url(e, 1, RSA_E_MAX_CHARS))
        return false;
    key->kind = OIDC_KEY_RSA;
    key->jwk = arena_format(&ctx->arena, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"}", n, e);
    return true;
}

static bool read_ec(struct ctx *ctx, const json_t *json, struct oidc_key *key)
{
    static const struct {
        const char *name;
        enum oidc_key_kind kind;
        size_t chars; /* of a coordinate */
    } curves[] = {
        {"P-256", OIDC_KEY_P256, 43}, {"P-384", OIDC_KEY_P384, 64}, {"P-521", OIDC_KEY_P521, 88}};
    const char *name = text_or_null(ctx, json, "crv", KID_MAX_BYTES);
    const char *x = text_or_null(ctx, json, "x", KID_MAX_BYTES);
    const char *y = text_or_null(ctx, json, "y", KID_MAX_BYTES);
    if (!name || !x || !y)
        return false;
    for (size_t i = 0; i < ARRAY_COUNT(curves); i++) {
        size_t chars = curves[i].chars;
        if (!text_equals(name, curves[i].name) || !is_base64url(x, chars, chars) ||
            !is_base64url(y, chars, chars))
            continue;
        key->kind = curves[i].kind;
        key->jwk = arena_format(
            &ctx->arena, "{\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"}", name, x, y);
        return true;
    }
    return false;
}

/* False: none that signatures are verified with. */
static bool read_key(struct ctx *ctx, const json_t *json, struct oidc_key *key)
{
    const char *kty = text_or_null(ctx, json, "kty", KID_MAX_BYTES);
    const char *use = text_or_null(ctx, json, "use", KID_MAX_BYTES);
    const json_t *operations = json_object_get(json, "key_ops");
    if (!kty || (json_object_get(json, "use") && (!use || !text_equals(use, "sig"))) ||
        (operations && !list_has(operations, "verify")))
        return false;
    if (need_text_or_absent(ctx, json, "kid", KID_MAX_BYTES, &key->kid) ||
        need_text_or_absent(ctx, json, "alg", KID_MAX_BYTES, &key->alg)) {
        ctx_forgive(ctx);
        return false;
    }
    if (text_equals(kty, "RSA"))
        return read_rsa(ctx, json, key);
    return text_equals(kty, "EC") && read_ec(ctx, json, key);
}

enum err oidc_wire_keys(struct ctx *ctx, struct bytes body, struct oidc_keys *out_keys)
{
    CLEANUP(json_body_release) json_t *json = NULL;
    enum err err = json_body_parse(ctx, body, &json);
    if (err)
        return err;
    const json_t *list = json_object_get(json, "keys");
    if (!json_is_array(list) || json_array_size(list) > OIDC_KEYS_MAX_COUNT)
        return ctx_fail(ctx, ERR_INVALID, "no list of at most %d keys", OIDC_KEYS_MAX_COUNT);
    size_t place = 0;
    const json_t *item = NULL;
    out_keys->count = 0;
    json_array_foreach(list, place, item)
    {
        struct oidc_key key = {.kid = NULL};
        if (read_key(ctx, item, &key))
            out_keys->items[out_keys->count++] = key;
    }
    return ERR_OK;
}

/* ---- a token ---- */

enum err oidc_wire_head(struct ctx *ctx, struct bytes body, struct oidc_token_head *out_head)
{
    CLEANUP(json_body_release) json_t *json = NULL;
    struct oidc_token_head head = {.alg = NULL};
    enum err err = json_body_parse(ctx, body, &json);
    if (err || (err = need_text_or_absent(ctx, json, "alg", KID_MAX_BYTES, &head.alg)) ||
        (err = need_text_or_absent(ctx, json, "kid", KID_MAX_BYTES, &head.kid)))
        return err;
    if (!head.alg)
        return ctx_fail(ctx, ERR_INVALID, "a token's head without alg");
    if (json_object_get(json, "crit"))
        return ctx_fail(ctx, ERR_INVALID, "a token's head with crit");
    *out_head = head;
    return ERR_OK;
}

/* NumericDate (RFC 7519 2) may have a fraction. */
static enum err
read_time(struct ctx *ctx, const json_t *json, const char *name, int64_t *out_time_s)
{
    const json_t *member = json_object_get(json, name);
    *out_time_s = 0;
    if (!member)
        return ERR_OK;
    double time_s = json_is_number(member) ? json_number_value(member) : -1;
    if (!(time_s >= 1 && time_s <= (double)TIME_MAX_S))
        return ctx_fail(ctx, ERR_INVALID, "the claim %s is no time", name);
    *out_time_s = (int64_t)time_s;
    return ERR_OK;
}

static enum err read_audience(struct ctx *ctx, const json_t *json, struct oidc_claims *claims)
{
    const json_t *member = json_object_get(json, "aud");
    if (!json_is_array(member)) {
        claims->aud[0] = text_or_null(ctx, json, "aud", CLAIM_MAX_BYTES);
        claims->aud_count = claims->aud[0] != NULL;
        return ERR_OK;
    }
    if (json_array_size(member) > OIDC_AUDIENCES_MAX_COUNT)
        return ctx_fail(ctx, ERR_INVALID, "a token for more than %d", OIDC_AUDIENCES_MAX_COUNT);
    size_t place = 0;
    const json_t *item = NULL;
    json_array_foreach(member, place, item)
    {
        const char *text = json_string_value(item);
        if (!text || strlen(text) != json_string_length(item))
            return ctx_fail(ctx, ERR_INVALID, "the claim aud is no list of texts");
        claims->aud[claims->aud_count++] = arena_text(&ctx->arena, text);
    }
    return ERR_OK;
}

/* Some providers write the flag as a text. */
static bool is_verified(const json_t *flag)
{
    return json_is_true(flag) ||
           (json_is_string(flag) && text_equals(json_string_value(flag), "true"));
}

static struct oidc_profile read_profile(struct ctx *ctx, const json_t *json)
{
    return (struct oidc_profile){
        .preferred_username = text_or_null(ctx, json, "preferred_username", CLAIM_MAX_BYTES),
        .nickname = text_or_null(ctx, json, "nickname", CLAIM_MAX_BYTES),
        .name = text_or_null(ctx, json, "name", CLAIM_MAX_BYTES),
        .given_name = text_or_null(ctx, json, "given_name", CLAIM_MAX_BYTES),
        .family_name = text_or_null(ctx, json, "family_name", CLAIM_MAX_BYTES),
        .middle_name = text_or_null(ctx, json, "middle_name", CLAIM_MAX_BYTES),
        .picture = text_or_null(ctx, json, "picture", CLAIM_MAX_BYTES),
        .email = text_or_null(ctx, json, "email", CLAIM_MAX_BYTES),
        .is_email_verified = is_verified(json_object_get(json, "email_verified")),
    };
}

enum err oidc_wire_claims(struct ctx *ctx, struct bytes body, struct oidc_claims *out_claims)
{
    CLEANUP(json_body_release) json_t *json = NULL;
    struct oidc_claims claims = {.aud_count = 0};
    enum err err = json_body_parse(ctx, body, &json);
    if (err || (err = need_text_or_absent(ctx, json, "iss", CLAIM_MAX_BYTES, &claims.iss)) ||
        (err = need_text_or_absent(ctx, json, "sub", CLAIM_MAX_BYTES, &claims.sub)) ||
        (err = need_text_or_absent(ctx, json, "azp", CLAIM_MAX_BYTES, &claims.azp)) ||
        (err = need_text_or_absent(ctx, json, "nonce", CLAIM_MAX_BYTES, &claims.nonce)) ||
        (err = read_audience(ctx, json, &claims)) ||
        (err = read_time(ctx, json, "exp", &claims.exp_s)) ||
        (err = read_time(ctx, json, "iat", &claims.iat_s)) ||
        (err = read_time(ctx, json, "nbf", &claims.nbf_s)))
        return err;
    claims.profile = read_profile(ctx, json);
    *out_claims = claims;
    return ERR_OK;
}

/* ---- answers ---- */

/* A token goes into a field, so it must not end one. */
static bool is_token(const char *text)
{
    size_t size_bytes = 0;
    for (; text[size_bytes]; size_bytes++)
        if (text[size_bytes] <= ' ' || text[size_bytes] >= 0x7f)
            return false;
    return size_bytes > 0;
}

enum err oidc_wire_tokens(struct ctx *ctx, struct bytes body, struct oidc_tokens *out_tokens)
{
    CLEANUP(json_body_release) json_t *json = NULL;
    enum err err = json_body_parse(ctx, body, &json);
    if (err)
        return err;
    const char *type = text_or_null(ctx, json, "token_type", KID_MAX_BYTES);
    const struct oidc_tokens tokens = {
        .id_token = text_or_null(ctx, json, "id_token", OIDC_TOKEN_MAX_BYTES),
        .access_token = text_or_null(ctx, json, "access_token", OIDC_TOKEN_MAX_BYTES),
    };
    if (!tokens.id_token || !tokens.access_token || !is_token(tokens.id_token) ||
        !is_token(tokens.access_token))
        return ctx_fail(ctx, ERR_INVALID, "no ID token or no access token that can be one");
    if (!type || !text_equals_nocase(type, "Bearer"))
        return ctx_fail(ctx, ERR_INVALID, "tokens of another type than Bearer");
    *out_tokens = tokens;
    return ERR_OK;
}

const char *oidc_wire_error(struct ctx *ctx, struct bytes body)
{
    CLEANUP(json_body_release) json_t *json = NULL;
    if (json_body_parse(ctx, body, &json)) {
        ctx_forgive(ctx);
        return "";
    }
    const char *error = text_or_null(ctx, json, "error", KID_MAX_BYTES);
    return error ? error : "";
}
