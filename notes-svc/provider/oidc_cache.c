/* SPDX-License-Identifier: MIT
 *
 * Kept as the text that came, once it was read without a fault; each request reads its own copy.
 * Depends on: oidc_cache.h, http_client.h. */
#include "provider/oidc_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "config.h"
#include "http/http_client.h"
#include "provider/provider_parts.h"

#define DISCOVERY_PATH "/.well-known/openid-configuration"

/* ---- what is kept ---- */

/* n = 0: nothing, or no longer. */
static struct bytes
take_kept(struct ctx *ctx, struct providers *providers, const struct provider_kept *kept)
{
    struct bytes copy = {.n = 0};
    (void)pthread_mutex_lock(&providers->lock);
    if (kept->text && clock_monotonic_ms() < kept->until_ms) {
        copy.p = (unsigned char *)arena_text_copy(&ctx->arena, kept->text, kept->size_bytes);
        copy.n = kept->size_bytes;
    }
    (void)pthread_mutex_unlock(&providers->lock);
    return copy;
}

/* Without memory it is just asked for again. */
static void keep(struct providers *providers, struct provider_kept *kept, struct bytes body)
{
    char *text = malloc(body.n + 1);
    if (!text)
        return;
    memcpy(text, body.p, body.n);
    text[body.n] = '\0';
    (void)pthread_mutex_lock(&providers->lock);
    char *old = kept->text;
    *kept = (struct provider_kept){
        .text = text,
        .size_bytes = body.n,
        .until_ms = clock_monotonic_ms() + OIDC_KEEP_MS,
    };
    (void)pthread_mutex_unlock(&providers->lock);
    free(old);
}

static enum provider_failure
fetch(struct ctx *ctx, const struct providers *providers, const char *url, struct bytes *out_body)
{
    const struct provider_call wanted = {.method = "GET", .url = url};
    struct http_answer answer;
    enum provider_failure failure = provider_call(ctx, providers, &wanted, &answer);
    if (failure)
        return failure;
    if (answer.status != 200 || answer.body.n == 0)
        return provider_fail(ctx, PROVIDER_NOT_VALID, "%s: status %d", url, answer.status);
    *out_body = answer.body;
    return PROVIDER_OK;
}

/* ---- the description ---- */

/* Discovery 1.0 section 4.1: the path stands behind the issuer's, without a "/" at its end. */
static const char *discovery_url(struct ctx *ctx, const char *issuer)
{
    size_t size_bytes = strlen(issuer);
    bool has_slash = size_bytes > 0 && issuer[size_bytes - 1] == '/';
    return arena_format(&ctx->arena, "%.*s" DISCOVERY_PATH, (int)(size_bytes - has_slash), issuer);
}

bool oidc_cache_has_provider(struct providers *providers)
{
    (void)pthread_mutex_lock(&providers->lock);
    bool is_kept =
        providers->discovery.text && clock_monotonic_ms() < providers->discovery.until_ms;
    (void)pthread_mutex_unlock(&providers->lock);
    return is_kept;
}

enum provider_failure oidc_cache_provider(struct ctx *ctx,
                                          struct providers *providers,
                                          struct oidc_provider *out_provider)
{
    const char *issuer = providers->config->oidc_issuer;
    struct bytes body = take_kept(ctx, providers, &providers->discovery);
    bool is_kept = body.n > 0;
    enum provider_failure failure = PROVIDER_OK;
    if (!is_kept)
        failure = fetch(ctx, providers, discovery_url(ctx, issuer), &body);
    if (failure)
        return failure;
    if (oidc_wire_provider(ctx, body, issuer, out_provider))
        return PROVIDER_NOT_VALID;
    if (!is_kept)
        keep(providers, &providers->discovery, body);
    return PROVIDER_OK;
}

/* ---- the keys ---- */

static enum provider_failure fetch_keys(struct ctx *ctx,
                                        struct providers *providers,
                                        const struct oidc_provider *provider,
                                        struct oidc_keys *out_keys)
{
    struct bytes body = {.n = 0};
    enum provider_failure failure = fetch(ctx, providers, provider->jwks_uri, &body);
    if (failure)
        return failure;
    if (oidc_wire_keys(ctx, body, out_keys))
        return PROVIDER_NOT_VALID;
    keep(providers, &providers->keys, body);
    return PROVIDER_OK;
}

enum provider_failure oidc_cache_keys(struct ctx *ctx,
                                      struct providers *providers,
                                      const struct oidc_provider *provider,
                                      struct oidc_keys *out_keys)
{
    struct bytes body = take_kept(ctx, providers, &providers->keys);
    if (body.n == 0)
        return fetch_keys(ctx, providers, provider, out_keys);
    return oidc_wire_keys(ctx, body, out_keys) ? PROVIDER_NOT_VALID : PROVIDER_OK;
}

enum provider_failure oidc_cache_keys_anew(struct ctx *ctx,
                                           struct providers *providers,
                                           const struct oidc_provider *provider,
                                           struct oidc_keys *out_keys)
{
    int64_t now_ms = clock_monotonic_ms();
    (void)pthread_mutex_lock(&providers->lock);
    bool is_allowed = now_ms >= providers->keys_anew_from_ms;
    if (is_allowed)
        providers->keys_anew_from_ms = now_ms + OIDC_KEYS_ANEW_MS;
    (void)pthread_mutex_unlock(&providers->lock);
    if (!is_allowed)
        return provider_fail(ctx, PROVIDER_NOT_VALID,
                             "the ID token's key is unknown, and keys were fetched a moment ago");
    return fetch_keys(ctx, providers, provider, out_keys);
}
