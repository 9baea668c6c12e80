/* SPDX-License-Identifier: MIT
 *
 * The OpenID Connect provider's description and keys: asked for when they are needed, and kept for
 * an hour. Blocking. Depends on: provider_parts.h, oidc_wire.h. */
#ifndef NOTES_OIDC_CACHE_H
#define NOTES_OIDC_CACHE_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "provider/oidc_wire.h"
#include "provider/provider.h"

#define OIDC_KEEP_MS ((int64_t)3600 * 1000)
#define OIDC_KEYS_ANEW_MS \
    60000 /* keys are fetched at most so often because a token names an unknown one */

MUST_CHECK enum provider_failure oidc_cache_provider(struct ctx *ctx,
                                                     struct providers *providers,
                                                     struct oidc_provider *out_provider);

/* True: it is kept, and oidc_cache_provider asks nobody. */
bool oidc_cache_has_provider(struct providers *providers);

MUST_CHECK enum provider_failure oidc_cache_keys(struct ctx *ctx,
                                                 struct providers *providers,
                                                 const struct oidc_provider *provider,
                                                 struct oidc_keys *out_keys);

/* The same, but fetched now. PROVIDER_NOT_VALID: they were less than OIDC_KEYS_ANEW_MS ago. */
MUST_CHECK enum provider_failure oidc_cache_keys_anew(struct ctx *ctx,
                                                      struct providers *providers,
                                                      const struct oidc_provider *provider,
                                                      struct oidc_keys *out_keys);

#endif
