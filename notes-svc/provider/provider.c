/* SPDX-License-Identifier: MIT
 *
 * What both kinds of provider have in common. Depends on: provider.h. */
#include "provider/provider.h"

#include <stdlib.h>

#include "base/ctx.h"
#include "base/text.h"
#include "config.h"

struct providers {
    const struct config *config;
    const struct site *site;
};

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
    providers->config = config;
    providers->site = site;
    *out_providers = providers;
    return ERR_OK;
}

void providers_free(struct providers *providers)
{
    free(providers);
}

bool provider_is_set(const struct providers *providers, enum provider_which which)
{
    if (!providers)
        return false;
    return which == PROVIDER_TWITTER ? providers->config->has_twitter : providers->config->has_oidc;
}

const char *provider_name(const struct providers *providers, enum provider_which which)
{
    return which == PROVIDER_TWITTER || !providers ? "Twitter" : providers->config->oidc_name;
}

const char *provider_word(enum provider_which which)
{
    return which == PROVIDER_TWITTER ? "twitter" : "oidc";
}

const char *provider_name_of_issuer(const struct providers *providers, const char *issuer)
{
    if (provider_is_set(providers, PROVIDER_TWITTER) && text_equals(issuer, "twitter"))
        return "Twitter";
    return provider_is_set(providers, PROVIDER_OIDC) &&
                   text_equals(issuer, providers->config->oidc_issuer)
               ? providers->config->oidc_name
               : NULL;
}

enum provider_failure provider_begin(struct ctx *ctx,
                                     struct providers *providers,
                                     enum provider_which which,
                                     const struct provider_flow *flow,
                                     struct provider_departure *out_departure)
{
    (void)ctx;
    (void)providers;
    (void)which;
    (void)flow;
    (void)out_departure;
    return PROVIDER_UNREACHABLE;
}

enum provider_failure provider_finish(struct ctx *ctx,
                                      struct providers *providers,
                                      enum provider_which which,
                                      const struct form *query,
                                      const char *cookie,
                                      struct provider_arrival *out_arrival)
{
    (void)ctx;
    (void)providers;
    (void)which;
    (void)query;
    (void)cookie;
    *out_arrival = (struct provider_arrival){.is_flow_known = false};
    return PROVIDER_UNREACHABLE;
}

const char *provider_logout_url(struct ctx *ctx, struct providers *providers)
{
    (void)ctx;
    (void)providers;
    return NULL;
}

enum err provider_pending_seal(struct ctx *ctx,
                               const struct providers *providers,
                               const struct provider_person *person,
                               const char *bound,
                               const char **out_cookie)
{
    (void)providers;
    (void)person;
    (void)bound;
    (void)out_cookie;
    return ctx_fail(ctx, ERR_UNAVAILABLE, "not there yet");
}

bool provider_pending_open(struct ctx *ctx,
                           const struct providers *providers,
                           const char *cookie,
                           const char *bound,
                           struct provider_person *out_person)
{
    (void)ctx;
    (void)providers;
    (void)cookie;
    (void)bound;
    (void)out_person;
    return false;
}
