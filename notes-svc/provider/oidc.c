/* SPDX-License-Identifier: MIT
 *
 * Sign-in with an OpenID Connect provider by an authorization code, with PKCE, state and nonce.
 * Tokens are used at once and forgotten: what is kept is who somebody is.
 * Source: OpenID Connect Core 1.0 section 3.1; RFC 7636; RFC 9207; RFC 6749 section 2.3.1.
 * Depends on: oidc_cache.h, id_token.h, provider_parts.h. */
#include <nettle/sha2.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "config.h"
#include "http/form.h"
#include "http/http_client.h"
#include "provider/id_token.h"
#include "provider/oidc_cache.h"
#include "provider/provider_parts.h"
#include "provider/provider_settings.h"

#define CALLBACK_PATH         "/users/auth/oidc/callback"
#define WORD                  "oidc"
#define STATE_RANDOM_BYTES    24
#define VERIFIER_RANDOM_BYTES 32 /* RFC 7636 4.1 */
#define LOCATION_MAX_BYTES    8192
#define BODY_MAX_BYTES        16384
#define MS_PER_S              1000

/* ---- going there ---- */

/* The first parameter of a query or form, and any after it. */
static void add(struct strbuf *text, const char *name, const char *value)
{
    strbuf_add(text, name);
    strbuf_add_char(text, '=');
    strbuf_add_url(text, value);
}

static void add_next(struct strbuf *text, const char *name, const char *value)
{
    strbuf_add_char(text, '&');
    add(text, name, value);
}

static const char *callback_of(struct ctx *ctx, const struct providers *providers)
{
    return arena_format(&ctx->arena, "%s" CALLBACK_PATH, providers->config->own_origin);
}

/* RFC 7636 4.2. */
static const char *challenge_of(struct ctx *ctx, const char *verifier)
{
    struct sha256_ctx sha256;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&sha256);
    sha256_update(&sha256, strlen(verifier), (const uint8_t *)verifier);
    sha256_digest(&sha256, sizeof(digest), digest);
    return secret_base64url(&ctx->arena, digest, sizeof(digest));
}

/* An address of theirs may have a query already. */
static struct strbuf begin_location(struct ctx *ctx, const char *url)
{
    struct strbuf location;
    strbuf_init(&location, &ctx->arena, 1024, LOCATION_MAX_BYTES);
    strbuf_add(&location, url);
    strbuf_add_char(&location, strchr(url, '?') ? '&' : '?');
    return location;
}

static enum provider_failure begin(struct ctx *ctx,
                                   struct providers *providers,
                                   struct provider_journey *out_journey,
                                   const char **out_location)
{
    const struct config *config = providers->config;
    struct oidc_provider provider;
    enum provider_failure failure = oidc_cache_provider(ctx, providers, &provider);
    if (failure)
        return failure;
    const struct provider_journey journey = {
        .state = secret_token(&ctx->arena, STATE_RANDOM_BYTES),
        .nonce = secret_token(&ctx->arena, STATE_RANDOM_BYTES),
        .secret = secret_token(&ctx->arena, VERIFIER_RANDOM_BYTES),
    };
    struct strbuf location = begin_location(ctx, provider.authorization_endpoint);
    add(&location, "response_type", "code");
    add_next(&location, "client_id", config->oidc_client_id);
    add_next(&location, "redirect_uri", callback_of(ctx, providers));
    add_next(&location, "scope", config->oidc_scopes);
    add_next(&location, "state", journey.state);
    add_next(&location, "nonce", journey.nonce);
    add_next(&location, "code_challenge", challenge_of(ctx, journey.secret));
    add_next(&location, "code_challenge_method", "S256");
    if (strbuf_text(&location, out_location))
        return provider_fail(ctx, PROVIDER_NOT_VALID, "the provider's address is too long");
    *out_journey = journey;
    return PROVIDER_OK;
}

/* ---- coming back ---- */

/* What the query has once, NULL otherwise. */
static const char *one_of(struct ctx *ctx, const struct form *query, const char *name)
{
    const char *value = NULL;
    if (form_text(ctx, query, name, &value))
        return NULL;
    return value && *value ? value : NULL;
}

/* RFC 9207: an answer of another provider must not pass for one of this. */
static bool
is_from_issuer(struct ctx *ctx, const struct providers *providers, const struct form *query)
{
    const char *issuer = one_of(ctx, query, "iss");
    if (issuer)
        return text_equals(issuer, providers->config->oidc_issuer);
    return !form_first(query, "iss");
}

/* RFC 6749 A.11: printable ASCII. */
static bool is_code(const char *code)
{
    size_t size_bytes = 0;
    for (; code[size_bytes]; size_bytes++)
        if (code[size_bytes] < ' ' || code[size_bytes] >= 0x7f)
            return false;
    return size_bytes <= PROVIDER_CODE_MAX_BYTES;
}

static enum provider_failure refused(struct ctx *ctx, const char *error)
{
    char *shown = text_cut(&ctx->arena, error, PROVIDER_NAME_MAX_CHARS);
    if (text_equals(error, "access_denied"))
        return provider_fail(ctx, PROVIDER_DECLINED, "the provider: %s", shown);
    if (text_equals(error, "server_error") || text_equals(error, "temporarily_unavailable"))
        return provider_fail(ctx, PROVIDER_UNREACHABLE, "the provider: %s", shown);
    return provider_fail(ctx, PROVIDER_NOT_VALID, "the provider: %s", shown);
}

static enum provider_failure look(struct ctx *ctx,
                                  struct providers *providers,
                                  const struct form *query,
                                  const struct provider_journey *journey,
                                  struct provider_proof *out_proof)
{
    const char *state = one_of(ctx, query, "state");
    const char *error = one_of(ctx, query, "error");
    const char *code = one_of(ctx, query, "code");
    if (!secret_text_matches(journey->state, state))
        return provider_fail(ctx, PROVIDER_STATE, "another state than the one that was begun with");
    if (!is_from_issuer(ctx, providers, query))
        return provider_fail(ctx, PROVIDER_NOT_VALID, "an answer of another issuer");
    if (error)
        return refused(ctx, error);
    if (!code || !is_code(code))
        return provider_fail(ctx, PROVIDER_NOT_VALID, "no code, or none that can be one");
    *out_proof =
        (struct provider_proof){.code = code, .names_issuer = form_first(query, "iss") != NULL};
    return PROVIDER_OK;
}

/* ---- code to tokens ---- */

/* RFC 6749 2.3.1: both are form-encoded before they become Basic credentials. */
static const char *encode(struct ctx *ctx, const char *text)
{
    struct strbuf encoded;
    const char *out = "";
    strbuf_init(&encoded, &ctx->arena, strlen(text) + 1, BODY_MAX_BYTES);
    strbuf_add_url(&encoded, text);
    return strbuf_text(&encoded, &out) ? "" : out;
}

static enum err token_body(struct ctx *ctx,
                           const struct providers *providers,
                           const struct provider_journey *journey,
                           const char *code,
                           bool has_secret_in_body,
                           const char **out_body)
{
    const struct config *config = providers->config;
    struct strbuf body;
    strbuf_init(&body, &ctx->arena, 1024, BODY_MAX_BYTES);
    add(&body, "grant_type", "authorization_code");
    add_next(&body, "code", code);
    add_next(&body, "redirect_uri", callback_of(ctx, providers));
    add_next(&body, "code_verifier", journey->secret);
    if (has_secret_in_body || !secret_is_set(&config->oidc_client_secret))
        add_next(&body, "client_id", config->oidc_client_id);
    if (has_secret_in_body)
        add_next(&body, "client_secret", config->oidc_client_secret.text);
    return strbuf_text(&body, out_body);
}

/* A refusal of a code. A code is good once and for a short time. */
static enum provider_failure code_refused(struct ctx *ctx, const struct http_answer *answer)
{
    const char *error = oidc_wire_error(ctx, answer->body);
    if (text_equals(error, "invalid_grant"))
        return provider_fail(ctx, PROVIDER_STATE, "the code is used, too old, or not for us");
    return provider_fail(ctx, PROVIDER_NOT_VALID, "the token endpoint: status %d %s",
                         answer->status, text_cut(&ctx->arena, error, PROVIDER_NAME_MAX_CHARS));
}

static enum provider_failure fetch_tokens(struct ctx *ctx,
                                          struct providers *providers,
                                          const struct oidc_provider *provider,
                                          const struct provider_journey *journey,
                                          const char *code,
                                          struct oidc_tokens *out_tokens)
{
    const struct config *config = providers->config;
    bool has_secret = secret_is_set(&config->oidc_client_secret);
    bool is_in_body = has_secret && provider->takes_secret_in_body_only;
    struct provider_call wanted = {.method = "POST", .url = provider->token_endpoint};
    CLEANUP(secret_done) struct secret password = {.text = NULL};
    if (has_secret && !is_in_body) {
        const char *encoded = encode(ctx, config->oidc_client_secret.text);
        password = secret_new(encoded, strlen(encoded));
        wanted.basic_user = encode(ctx, config->oidc_client_id);
        wanted.basic_password = &password;
    }
    struct http_answer answer;
    if (token_body(ctx, providers, journey, code, is_in_body, &wanted.form_body))
        return provider_fail(ctx, PROVIDER_NOT_VALID, "the code is too long");
    enum provider_failure failure = provider_call(ctx, providers, &wanted, &answer);
    if (failure)
        return failure;
    if (answer.status != 200)
        return code_refused(ctx, &answer);
    return oidc_wire_tokens(ctx, answer.body, out_tokens) ? PROVIDER_NOT_VALID : PROVIDER_OK;
}

/* ---- tokens to a person ---- */

static enum provider_failure failure_of(enum id_token_verdict verdict)
{
    switch (verdict) {
    case ID_TOKEN_GOOD:
        return PROVIDER_OK;
    case ID_TOKEN_CLOCK:
        return PROVIDER_CLOCK;
    case ID_TOKEN_KEY_UNKNOWN:
    case ID_TOKEN_BAD:
        break;
    }
    return PROVIDER_NOT_VALID;
}

/* A provider changes its keys at will: for a key that is unknown they are fetched anew, once. */
static enum provider_failure check_token(struct ctx *ctx,
                                         struct providers *providers,
                                         const struct oidc_provider *provider,
                                         const char *token,
                                         const char *nonce,
                                         struct oidc_claims *out_claims)
{
    const struct id_token_wanted wanted = {
        .issuer = providers->config->oidc_issuer,
        .client_id = providers->config->oidc_client_id,
        .nonce = nonce,
        .now_s = clock_unix_ms() / MS_PER_S,
    };
    struct oidc_keys keys;
    enum provider_failure failure = oidc_cache_keys(ctx, providers, provider, &keys);
    if (failure)
        return failure;
    enum id_token_verdict verdict = id_token_check(ctx, token, &keys, &wanted, out_claims);
    if (verdict != ID_TOKEN_KEY_UNKNOWN)
        return failure_of(verdict);
    failure = oidc_cache_keys_anew(ctx, providers, provider, &keys);
    if (failure)
        return failure;
    verdict = id_token_check(ctx, token, &keys, &wanted, out_claims);
    if (verdict == ID_TOKEN_KEY_UNKNOWN)
        (void)ctx_fail(ctx, ERR_UNAVAILABLE, "the ID token is signed with a key of nobody's");
    return failure_of(verdict);
}

/* What the user info has goes before what the ID token has: many providers keep that short. */
static void merge(struct oidc_profile *profile, const struct oidc_profile *newer)
{
    const struct {
        const char **to;
        const char *from;
    } rows[] = {
        {&profile->preferred_username, newer->preferred_username},
        {&profile->nickname, newer->nickname},
        {&profile->name, newer->name},
        {&profile->given_name, newer->given_name},
        {&profile->family_name, newer->family_name},
        {&profile->middle_name, newer->middle_name},
        {&profile->picture, newer->picture},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (rows[i].from)
            *rows[i].to = rows[i].from;
    if (newer->email) { /* the flag belongs to its address */
        profile->email = newer->email;
        profile->is_email_verified = newer->is_email_verified;
    }
}

static enum provider_failure add_user_info(struct ctx *ctx,
                                           const struct providers *providers,
                                           const char *url,
                                           const char *access_token,
                                           struct oidc_claims *claims)
{
    const struct provider_call wanted = {
        .method = "GET",
        .url = url,
        .authorization = arena_format(&ctx->arena, "Bearer %s", access_token),
    };
    struct http_answer answer;
    struct oidc_claims info;
    enum provider_failure failure = provider_call(ctx, providers, &wanted, &answer);
    if (failure)
        return failure;
    if (answer.status != 200)
        return provider_fail(ctx, PROVIDER_NOT_VALID, "the user info: status %d", answer.status);
    if (oidc_wire_claims(ctx, answer.body, &info))
        return PROVIDER_NOT_VALID;
    if (!info.sub || !text_equals(info.sub, claims->sub))
        return provider_fail(ctx, PROVIDER_NOT_VALID, "the user info of somebody else");
    merge(&claims->profile, &info.profile);
    return PROVIDER_OK;
}

/* What stands before the "@"; all of it when there is none. */
static const char *local_part(struct ctx *ctx, const char *text)
{
    return arena_text_copy(&ctx->arena, text, strcspn(text, "@"));
}

/* The first one that is a text. */
static const char *username_of(struct ctx *ctx, const struct oidc_profile *profile)
{
    const char *const wishes[] = {profile->preferred_username, profile->nickname, profile->email,
                                  profile->name};
    for (size_t i = 0; i < ARRAY_COUNT(wishes); i++) {
        const char *wish =
            provider_foreign_text(ctx, wishes[i] ? local_part(ctx, wishes[i]) : NULL);
        if (*wish)
            return wish;
    }
    return WORD;
}

static struct provider_person
person_of(struct ctx *ctx, const struct providers *providers, const struct oidc_claims *claims)
{
    const struct oidc_profile *profile = &claims->profile;
    bool has_email = profile->email && profile->is_email_verified &&
                     strlen(profile->email) <= PROVIDER_EMAIL_MAX_BYTES;
    const char *name = provider_foreign_text(ctx, profile->name);
    struct provider_person person = {
        .provider = WORD,
        .issuer = providers->config->oidc_issuer,
        .subject = claims->sub,
        .username = username_of(ctx, profile),
        .given_name = provider_foreign_text(ctx, profile->given_name),
        .family_name = provider_foreign_text(ctx, profile->family_name),
        .middle_name = provider_foreign_text(ctx, profile->middle_name),
        .email = has_email ? profile->email : "",
        .photo = provider_foreign_photo(profile->picture),
    };
    person.shown_name = *name ? name : person.username;
    return person;
}

static enum provider_failure check_domain(struct ctx *ctx,
                                          const struct providers *providers,
                                          const struct provider_person *person)
{
    const char *domains = providers->config->oidc_allowed_domains;
    if (!domains || provider_settings_has_domain(domains, person->email))
        return PROVIDER_OK;
    return provider_fail(ctx, PROVIDER_DOMAIN, "no verified address of OIDC_ALLOWED_DOMAINS");
}

static enum provider_failure fetch(struct ctx *ctx,
                                   struct providers *providers,
                                   const struct provider_journey *journey,
                                   const struct provider_proof *proof,
                                   struct provider_person *out_who)
{
    struct oidc_provider provider;
    struct oidc_tokens tokens;
    struct oidc_claims claims;
    enum provider_failure failure = oidc_cache_provider(ctx, providers, &provider);
    if (!failure && provider.announces_iss && !proof->names_issuer)
        failure = provider_fail(ctx, PROVIDER_NOT_VALID, "an answer without its issuer");
    if (!failure)
        failure = fetch_tokens(ctx, providers, &provider, journey, proof->code, &tokens);
    if (!failure)
        failure = check_token(ctx, providers, &provider, tokens.id_token, journey->nonce, &claims);
    if (!failure && provider.userinfo_endpoint)
        failure =
            add_user_info(ctx, providers, provider.userinfo_endpoint, tokens.access_token, &claims);
    if (failure)
        return failure;
    const struct provider_person person = person_of(ctx, providers, &claims);
    failure = check_domain(ctx, providers, &person);
    if (!failure)
        *out_who = person;
    return failure;
}

const struct provider_kind provider_oidc = {.begin = begin, .look = look, .fetch = fetch};

/* ---- going away ---- */

static enum provider_failure
look_up(struct ctx *ctx, struct providers *providers, struct oidc_provider *out_provider)
{
    if (oidc_cache_has_provider(providers))
        return oidc_cache_provider(ctx, providers, out_provider);
    enum provider_failure failure = provider_turn_take(ctx, providers, PROVIDER_OIDC);
    if (failure)
        return failure;
    failure = oidc_cache_provider(ctx, providers, out_provider);
    provider_turn_end(providers, PROVIDER_OIDC, failure);
    return failure;
}

const char *provider_logout_url(struct ctx *ctx, struct providers *providers)
{
    struct oidc_provider provider;
    const char *url = NULL;
    if (!provider_is_set(providers, PROVIDER_OIDC))
        return NULL;
    if (look_up(ctx, providers, &provider)) {
        ctx_forgive(ctx);
        return NULL;
    }
    if (!provider.end_session_endpoint)
        return NULL;
    struct strbuf location = begin_location(ctx, provider.end_session_endpoint);
    add(&location, "client_id", providers->config->oidc_client_id);
    add_next(&location, "post_logout_redirect_uri",
             arena_format(&ctx->arena, "%s/", providers->config->own_origin));
    return strbuf_text(&location, &url) ? NULL : url;
}
