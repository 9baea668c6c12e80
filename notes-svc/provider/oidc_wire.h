/* SPDX-License-Identifier: MIT
 *
 * JSON of an OpenID Connect provider, as structs: its description, its keys, a token's head and
 * claims, its answers. All of it is foreign: read strictly, members that come twice refuse the
 * whole, and what is not needed is not read.
 * Sources: OpenID Connect Discovery 1.0 section 3; RFC 7517 (keys); RFC 7515 (JWS); RFC 6749
 * section 5; OpenID Connect Core 1.0 sections 2 and 5. */
#ifndef NOTES_OIDC_WIRE_H
#define NOTES_OIDC_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"

struct ctx;

#define OIDC_KEYS_MAX_COUNT      64
#define OIDC_AUDIENCES_MAX_COUNT 16
#define OIDC_TOKEN_MAX_BYTES     ((size_t)64 * 1024) /* of an ID token and of an access token */

/* ---- the provider ---- */

struct oidc_provider {
    const char *authorization_endpoint;
    const char *token_endpoint;
    const char *userinfo_endpoint; /* NULL: none */
    const char *jwks_uri;
    const char *end_session_endpoint; /* NULL: none */
    bool announces_iss;               /* RFC 9207: its answers name it */
    bool takes_secret_in_body_only;   /* client_secret_post, and not client_secret_basic */
};

/* Errors: ERR_INVALID it is no description of this issuer, or names an address that may not be
 * used. */
MUST_CHECK enum err oidc_wire_provider(struct ctx *ctx,
                                       struct bytes body,
                                       const char *issuer,
                                       struct oidc_provider *out_provider);

/* ---- its keys ---- */

enum oidc_key_kind { OIDC_KEY_RSA, OIDC_KEY_P256, OIDC_KEY_P384, OIDC_KEY_P521 };

/* A public key for signatures. */
struct oidc_key {
    enum oidc_key_kind kind;
    const char *kid; /* NULL: has none */
    const char *alg; /* NULL: for any that fits the kind */
    const char *jwk; /* its public members only, as JSON */
};

struct oidc_keys {
    struct oidc_key items[OIDC_KEYS_MAX_COUNT];
    size_t count;
};

/* Keys for other uses, of other kinds, or too weak or too large are left out.
 * Errors: ERR_INVALID it is no set of keys. */
MUST_CHECK enum err oidc_wire_keys(struct ctx *ctx, struct bytes body, struct oidc_keys *out_keys);

/* ---- a token ---- */

struct oidc_token_head {
    const char *alg;
    const char *kid; /* NULL: none */
};

/* Errors: ERR_INVALID it is no head of a JWS, or has members that must be understood ("crit"). */
MUST_CHECK enum err
oidc_wire_head(struct ctx *ctx, struct bytes body, struct oidc_token_head *out_head);

/* What a token or the user info says of a person; texts that are absent are NULL. */
struct oidc_profile {
    const char *preferred_username;
    const char *nickname;
    const char *name;
    const char *given_name;
    const char *family_name;
    const char *middle_name;
    const char *picture;
    const char *email;
    bool is_email_verified;
};

/* Times are seconds since 1970; 0 when absent. */
struct oidc_claims {
    const char *iss; /* texts are NULL when absent */
    const char *sub;
    const char *azp;
    const char *nonce;
    const char *aud[OIDC_AUDIENCES_MAX_COUNT];
    size_t aud_count;
    int64_t exp_s;
    int64_t iat_s;
    int64_t nbf_s;
    struct oidc_profile profile;
};

/* Errors: ERR_INVALID not an object, or a member of another type than it must have. */
MUST_CHECK enum err
oidc_wire_claims(struct ctx *ctx, struct bytes body, struct oidc_claims *out_claims);

/* ---- answers ---- */

struct oidc_tokens {
    const char *id_token;
    const char *access_token;
};

/* Errors: ERR_INVALID a token is missing, too large or no visible ASCII, or the type is not Bearer.
 */
MUST_CHECK enum err
oidc_wire_tokens(struct ctx *ctx, struct bytes body, struct oidc_tokens *out_tokens);

/* The member "error" of a refusal, "" when there is none that is one. */
const char *oidc_wire_error(struct ctx *ctx, struct bytes body);

#endif
