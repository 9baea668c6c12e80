/* SPDX-License-Identifier: MIT
 *
 * What both kinds of provider have in common: the process's state, and the cookie that a browser
 * carries from setting out to coming back.
 * Depends on: provider.h, provider_parts.h, sealed.h, site.h. */
#include "provider/provider.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/text.h"
#include "config.h"
#include "http/http_client.h"
#include "provider/provider_parts.h"
#include "provider/sealed.h"
#include "site.h"

#define PENDING_PURPOSE "an identity that waits to be linked"
#define TWITTER_NAME    "Twitter"
#define PURPOSE_LINK    "link"
#define PURPOSE_SIGN_IN "sign-in"

static const char *const words[PROVIDER_COUNT] = {
    [PROVIDER_TWITTER] = "twitter", [PROVIDER_OIDC] = "oidc"};
static const struct provider_kind *const kinds[PROVIDER_COUNT] = {
    [PROVIDER_TWITTER] = &provider_twitter, [PROVIDER_OIDC] = &provider_oidc};

/* ---- life ---- */

/* Of the slow lane's threads one at least is left to local sign-ins, when there are two; and of two
 * providers none takes all turns, when there are two. */
static void share_turns(struct providers *providers)
{
    const struct config *config = providers->config;
    bool has_both = config->has_twitter && config->has_oidc;
    int64_t spare_count = config->login_workers - 1;
    int most_count = PROVIDER_TURNS_MAX_COUNT + has_both;
    int count = spare_count < most_count ? (int)spare_count : most_count;
    providers->turns_max_count = count < 1 ? 1 : count;
    bool is_shared = has_both && count > 1;
    providers->turns_each_max_count = providers->turns_max_count - is_shared;
}

enum err providers_new(struct ctx *ctx,
                       const struct config *config,
                       const struct site *site,
                       struct providers **out_providers)
{
    *out_providers = NULL;
    if (!config->has_twitter && !config->has_oidc)
        return ERR_OK;
    struct providers *providers = calloc(1, sizeof(*providers));
    if (!providers)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "out of memory");
    if (pthread_mutex_init(&providers->lock, NULL) != 0)
        abort();
    providers->config = config;
    providers->site = site;
    share_turns(providers);
    enum err err = ERR_OK;
    if (config->provider_ca_file)
        err = http_client_authorities(ctx, config->provider_ca_file, &providers->authorities);
    if (err)
        providers_free(providers);
    else
        *out_providers = providers;
    return err;
}

void providers_free(struct providers *providers)
{
    if (!providers)
        return;
    free(providers->authorities);
    free(providers->discovery.text);
    free(providers->keys.text);
    (void)pthread_mutex_destroy(&providers->lock);
    free(providers);
}

/* ---- names ---- */

bool provider_is_set(const struct providers *providers, enum provider_which which)
{
    if (!providers)
        return false;
    return which == PROVIDER_TWITTER ? providers->config->has_twitter : providers->config->has_oidc;
}

const char *provider_name(const struct providers *providers, enum provider_which which)
{
    return which == PROVIDER_TWITTER || !providers ? TWITTER_NAME : providers->config->oidc_name;
}

const char *provider_word(enum provider_which which)
{
    return words[which];
}

static const char *issuer_of(const struct providers *providers, enum provider_which which)
{
    return which == PROVIDER_TWITTER ? words[which] : providers->config->oidc_issuer;
}

const char *provider_name_of_issuer(const struct providers *providers, const char *issuer)
{
    for (enum provider_which which = 0; which < PROVIDER_COUNT; which++)
        if (provider_is_set(providers, which) && text_equals(issuer, issuer_of(providers, which)))
            return provider_name(providers, which);
    return NULL;
}

/* ---- the cookie ---- */

enum flow_text {
    FLOW_PURPOSE,
    FLOW_NEXT,
    FLOW_BOUND,
    FLOW_STATE,
    FLOW_NONCE,
    FLOW_SECRET,
    FLOW_COUNT
};

/* What was begun at one provider is not finished at another. */
static struct sealed_use
flow_use(struct ctx *ctx, const struct providers *providers, enum provider_which which)
{
    return (struct sealed_use){
        .key = providers->site->provider_key,
        .purpose = arena_format(&ctx->arena, "a sign-in at %s", issuer_of(providers, which)),
        .count = FLOW_COUNT,
    };
}

static enum err seal_flow(struct ctx *ctx,
                          const struct sealed_use *use,
                          const struct provider_flow *flow,
                          const struct provider_journey *journey,
                          const char **out_cookie)
{
    const struct sealed_texts texts = {
        .texts = {
            [FLOW_PURPOSE] = flow->purpose == PROVIDER_LINK ? PURPOSE_LINK : PURPOSE_SIGN_IN,
            [FLOW_NEXT] = strlen(flow->next) <= PROVIDER_NEXT_MAX_BYTES ? flow->next : "",
            [FLOW_BOUND] = flow->bound,
            [FLOW_STATE] = journey->state,
            [FLOW_NONCE] = journey->nonce,
            [FLOW_SECRET] = journey->secret,
        }};
    return sealed_make(ctx, use, &texts, out_cookie);
}

static bool open_flow(struct ctx *ctx,
                      const struct sealed_use *use,
                      const char *cookie,
                      struct provider_flow *out_flow,
                      struct provider_journey *out_journey)
{
    struct sealed_texts sealed;
    if (!sealed_open(ctx, use, cookie, PROVIDER_FLOW_MAX_AGE_S, &sealed))
        return false;
    bool is_link = text_equals(sealed.texts[FLOW_PURPOSE], PURPOSE_LINK);
    *out_flow = (struct provider_flow){
        .purpose = is_link ? PROVIDER_LINK : PROVIDER_SIGN_IN,
        .next = sealed.texts[FLOW_NEXT],
        .bound = sealed.texts[FLOW_BOUND],
    };
    *out_journey = (struct provider_journey){
        .state = sealed.texts[FLOW_STATE],
        .nonce = sealed.texts[FLOW_NONCE],
        .secret = sealed.texts[FLOW_SECRET],
    };
    return true;
}

/* ---- there and back ---- */

enum provider_failure provider_begin(struct ctx *ctx,
                                     struct providers *providers,
                                     enum provider_which which,
                                     const struct provider_flow *flow,
                                     struct provider_departure *out_departure)
{
    struct provider_journey journey;
    struct provider_departure departure;
    enum provider_failure failure = provider_turn_take(ctx, providers, which);
    if (failure)
        return failure;
    failure = kinds[which]->begin(ctx, providers, &journey, &departure.location);
    provider_turn_end(providers, which, failure);
    if (failure)
        return failure;
    const struct sealed_use use = flow_use(ctx, providers, which);
    if (seal_flow(ctx, &use, flow, &journey, &departure.cookie))
        return PROVIDER_NOT_VALID;
    *out_departure = departure;
    return PROVIDER_OK;
}

static enum provider_failure ask_who(struct ctx *ctx,
                                     struct providers *providers,
                                     enum provider_which which,
                                     const struct provider_journey *journey,
                                     const struct provider_proof *proof,
                                     struct provider_person *out_who)
{
    enum provider_failure failure = provider_turn_take(ctx, providers, which);
    if (failure)
        return failure;
    failure = kinds[which]->fetch(ctx, providers, journey, proof, out_who);
    /* A status of 500 may be the doing of who chose the code: it must not keep others out. */
    provider_turn_end(providers, which, failure == PROVIDER_SLOW ? failure : PROVIDER_OK);
    return failure;
}

enum provider_failure provider_finish(struct ctx *ctx,
                                      struct providers *providers,
                                      enum provider_which which,
                                      const struct form *query,
                                      const char *cookie,
                                      struct provider_arrival *out_arrival)
{
    const struct sealed_use use = flow_use(ctx, providers, which);
    struct provider_journey journey;
    struct provider_proof proof;
    *out_arrival = (struct provider_arrival){.is_flow_known = false};
    if (!open_flow(ctx, &use, cookie, &out_arrival->flow, &journey))
        return provider_fail(ctx, PROVIDER_STATE, "no sign-in was begun in this browser");
    out_arrival->is_flow_known = true;
    enum provider_failure failure = kinds[which]->look(ctx, providers, query, &journey, &proof);
    if (failure)
        return failure;
    return ask_who(ctx, providers, which, &journey, &proof, &out_arrival->who);
}

/* ---- an identity that waits ---- */

enum pending_text {
    PENDING_BOUND,
    PENDING_PROVIDER,
    PENDING_ISSUER,
    PENDING_SUBJECT,
    PENDING_SHOWN_NAME,
    PENDING_COUNT
};

static struct sealed_use pending_use(const struct providers *providers)
{
    return (struct sealed_use){
        .key = providers->site->provider_key, .purpose = PENDING_PURPOSE, .count = PENDING_COUNT};
}

enum err provider_pending_seal(struct ctx *ctx,
                               const struct providers *providers,
                               const struct provider_person *person,
                               const char *bound,
                               const char **out_cookie)
{
    const struct sealed_use use = pending_use(providers);
    const struct sealed_texts texts = {.texts = {
                                           [PENDING_BOUND] = bound,
                                           [PENDING_PROVIDER] = person->provider,
                                           [PENDING_ISSUER] = person->issuer,
                                           [PENDING_SUBJECT] = person->subject,
                                           [PENDING_SHOWN_NAME] = person->shown_name,
                                       }};
    return sealed_make(ctx, &use, &texts, out_cookie);
}

bool provider_pending_open(struct ctx *ctx,
                           const struct providers *providers,
                           const char *cookie,
                           const char *bound,
                           struct provider_person *out_person)
{
    const struct sealed_use use = pending_use(providers);
    struct sealed_texts sealed;
    if (!sealed_open(ctx, &use, cookie, PROVIDER_FLOW_MAX_AGE_S, &sealed) ||
        !text_equals(sealed.texts[PENDING_BOUND], bound))
        return false;
    *out_person = (struct provider_person){
        .provider = sealed.texts[PENDING_PROVIDER],
        .issuer = sealed.texts[PENDING_ISSUER],
        .subject = sealed.texts[PENDING_SUBJECT],
        .username = "",
        .given_name = "",
        .family_name = "",
        .middle_name = "",
        .email = "",
        .photo = "",
        .shown_name = sealed.texts[PENDING_SHOWN_NAME],
    };
    return true;
}
