/* SPDX-License-Identifier: MIT
 *
 * Sign-in with Twitter: a request token, the browser's visit there, an access token, the profile.
 * Source: RFC 5849 section 2; Twitter's "Log in with Twitter"; routes/users.mjs of the Node
 * original, which leaves the same to passport-twitter. The access token is used once and
 * forgotten. Depends on: oauth1.h, twitter_wire.h, provider_parts.h. */
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
#include "provider/oauth1.h"
#include "provider/provider_parts.h"
#include "provider/provider_url.h"
#include "provider/twitter_wire.h"

#define CALLBACK_PATH      "/users/auth/twitter/callback"
#define ISSUER             "twitter"
#define NONCE_RANDOM_BYTES 16
#define LOCATION_MAX_BYTES 8192
#define MS_PER_S           1000

/* TWITTER_API_URL may end in "/". */
static const char *url_of(struct ctx *ctx, const struct providers *providers, const char *path)
{
    const char *base = providers->config->twitter_api_url;
    size_t size_bytes = strlen(base);
    bool has_slash = size_bytes > 0 && base[size_bytes - 1] == '/';
    return arena_format(&ctx->arena, "%.*s%s", (int)(size_bytes - has_slash), base, path);
}

/* Signs and sends. `own` is what the call needs besides of OAuth's parameters. */
static enum provider_failure call(struct ctx *ctx,
                                  const struct providers *providers,
                                  const struct provider_call *wanted,
                                  const struct twitter_token *token,
                                  const struct oauth1_parameter *own,
                                  struct http_answer *out_answer)
{
    const struct oauth1_parameter parameters[] = {{.name = "oauth_version", .value = "1.0"},
                                                  own ? *own : (struct oauth1_parameter){NULL}};
    const struct oauth1_credentials credentials = {
        .consumer_key = &providers->config->twitter_consumer_key,
        .consumer_secret = &providers->config->twitter_consumer_secret,
        .token = token->token,
        .token_secret = token->secret,
    };
    const struct oauth1_request request = {
        .method = wanted->method,
        .url = wanted->url,
        .own = parameters,
        .own_count = own ? 2 : 1,
        .nonce = secret_token(&ctx->arena, NONCE_RANDOM_BYTES),
        .timestamp = arena_format(&ctx->arena, "%lld", (long long)clock_unix_ms() / MS_PER_S),
    };
    struct provider_call signed_call = *wanted;
    if (oauth1_authorization(ctx, &credentials, &request, &signed_call.authorization))
        return PROVIDER_NOT_VALID;
    return provider_call(ctx, providers, &signed_call, out_answer);
}

/* A refusal of a token. Twitter refuses a request whose time is off, and says so in its Date. */
static enum provider_failure refused(struct ctx *ctx, const struct http_answer *answer)
{
    if (answer->status == 401 && provider_clock_differs(answer))
        return provider_fail(ctx, PROVIDER_CLOCK, "Twitter: status 401, and a clock that differs");
    return provider_fail(ctx, PROVIDER_NOT_VALID, "Twitter: status %d to a token", answer->status);
}

static enum provider_failure begin(struct ctx *ctx,
                                   struct providers *providers,
                                   struct provider_journey *out_journey,
                                   const char **out_location)
{
    const struct oauth1_parameter callback = {
        .name = "oauth_callback",
        .value =
            arena_format(&ctx->arena, "%s" CALLBACK_PATH, providers->config->twitter_callback_host),
    };
    const struct provider_call wanted = {.method = "POST",
                                         .url = url_of(ctx, providers, "/oauth/request_token")};
    const struct twitter_token none = {.token = NULL};
    struct http_answer answer;
    struct twitter_token token;
    struct strbuf location;
    enum provider_failure failure = call(ctx, providers, &wanted, &none, &callback, &answer);
    if (failure)
        return failure;
    if (answer.status != 200)
        return refused(ctx, &answer);
    if (twitter_wire_token(ctx, answer.body, &token))
        return PROVIDER_NOT_VALID;
    if (!token.is_callback_confirmed)
        return provider_fail(ctx, PROVIDER_NOT_VALID, "Twitter does not confirm the callback");
    strbuf_init(&location, &ctx->arena, 256, LOCATION_MAX_BYTES);
    strbuf_add(&location, url_of(ctx, providers, "/oauth/authenticate?oauth_token="));
    strbuf_add_url(&location, token.token);
    *out_journey =
        (struct provider_journey){.state = token.token, .nonce = "", .secret = token.secret};
    return strbuf_text(&location, out_location) ? PROVIDER_NOT_VALID : PROVIDER_OK;
}

/* The field when it is there once and not too long, else NULL. */
static const char *one_of(struct ctx *ctx, const struct form *query, const char *name)
{
    const char *value = NULL;
    if (form_text(ctx, query, name, &value))
        return NULL;
    return value && *value && strlen(value) <= PROVIDER_TOKEN_MAX_BYTES ? value : NULL;
}

/* The request token came by a redirect through this browser and nobody else knows it: it is the
 * state. */
static enum provider_failure look(struct ctx *ctx,
                                  struct providers *providers,
                                  const struct form *query,
                                  const struct provider_journey *journey,
                                  struct provider_proof *out_proof)
{
    (void)providers;
    const char *denied = one_of(ctx, query, "denied");
    const char *token = denied ? denied : one_of(ctx, query, "oauth_token");
    if (!secret_text_matches(journey->state, token))
        return provider_fail(ctx, PROVIDER_STATE, "another token than the one that was begun with");
    if (denied)
        return provider_fail(ctx, PROVIDER_DECLINED, "Twitter: denied");
    const char *verifier = one_of(ctx, query, "oauth_verifier");
    if (!verifier)
        return provider_fail(ctx, PROVIDER_STATE, "no verifier");
    *out_proof = (struct provider_proof){.code = verifier};
    return PROVIDER_OK;
}

/* Apps of some plans may not read profiles: then the access token's answer must do. */
static enum provider_failure read_profile(struct ctx *ctx,
                                          const struct providers *providers,
                                          const struct twitter_token *access,
                                          struct twitter_profile *out_profile)
{
    const struct provider_call wanted = {
        .method = "GET", .url = url_of(ctx, providers, "/1.1/account/verify_credentials.json")};
    struct http_answer answer;
    enum provider_failure failure = call(ctx, providers, &wanted, access, NULL, &answer);
    if (failure)
        return failure;
    if (answer.status != 200)
        return access->user_id ? PROVIDER_OK : refused(ctx, &answer);
    if (twitter_wire_profile(ctx, answer.body, out_profile))
        return PROVIDER_NOT_VALID;
    if (access->user_id && !text_equals(access->user_id, out_profile->id))
        return provider_fail(ctx, PROVIDER_NOT_VALID, "Twitter: the profile of somebody else");
    return PROVIDER_OK;
}

static struct provider_person person_of(struct ctx *ctx, const struct twitter_profile *profile)
{
    const char *username = provider_foreign_text(ctx, profile->screen_name);
    const char *name = provider_foreign_text(ctx, profile->name);
    return (struct provider_person){
        .provider = ISSUER,
        .issuer = ISSUER,
        .subject = profile->id,
        .username = *username ? username : profile->id,
        .given_name = "",
        .family_name = name, /* as the Node original has it */
        .middle_name = "",
        .email = "",
        .photo = provider_foreign_photo(profile->photo),
        .shown_name = *name ? name : username,
    };
}

static enum provider_failure fetch(struct ctx *ctx,
                                   struct providers *providers,
                                   const struct provider_journey *journey,
                                   const struct provider_proof *proof,
                                   struct provider_person *out_who)
{
    const struct oauth1_parameter verifier = {.name = "oauth_verifier", .value = proof->code};
    const struct twitter_token request = {.token = journey->state, .secret = journey->secret};
    const struct provider_call wanted = {.method = "POST",
                                         .url = url_of(ctx, providers, "/oauth/access_token")};
    struct http_answer answer;
    struct twitter_token access;
    enum provider_failure failure = call(ctx, providers, &wanted, &request, &verifier, &answer);
    if (failure)
        return failure;
    if (answer.status == 401 && !provider_clock_differs(&answer))
        return provider_fail(ctx, PROVIDER_STATE, "Twitter: the token is used or too old");
    if (answer.status != 200)
        return refused(ctx, &answer);
    if (twitter_wire_token(ctx, answer.body, &access))
        return PROVIDER_NOT_VALID;
    struct twitter_profile profile = {.id = access.user_id, .screen_name = access.screen_name};
    failure = read_profile(ctx, providers, &access, &profile);
    if (!failure)
        *out_who = person_of(ctx, &profile);
    return failure;
}

const struct provider_kind provider_twitter = {.begin = begin, .look = look, .fetch = fetch};
