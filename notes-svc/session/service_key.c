/* SPDX-License-Identifier: MIT
 *
 * Depends on: secret.h, parse.h, config.h. */
#include "session/service_key.h"

#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/parse.h"
#include "config.h"

#define BASIC_SCHEME "Basic "

enum err service_key_get(struct ctx *ctx,
                         const struct config *config,
                         struct secret *storage,
                         const struct secret **out_key)
{
    *out_key = &config->user_service_key;
    if (secret_is_set(&config->user_service_key))
        return ERR_OK;
    if (secret_read_file(ctx, config->user_service_key_path, storage)) {
        const char *why = arena_format(&ctx->arena, "%s", ctx->why.text);
        ctx_forgive(ctx);
        return ctx_fail(ctx, ERR_UNAVAILABLE, "USER_SERVICE_KEY is not set, and %s", why);
    }
    *out_key = storage;
    return ERR_OK;
}

bool service_key_matches(struct ctx *ctx, const struct config *config, const char *authorization)
{
    CLEANUP(secret_done) struct secret storage = {0};
    const struct secret *key = NULL;
    struct bytes credentials = {0};
    if (!authorization || strncasecmp(authorization, BASIC_SCHEME, sizeof(BASIC_SCHEME) - 1) != 0 ||
        !parse_base64(&ctx->arena, authorization + sizeof(BASIC_SCHEME) - 1, &credentials))
        return false;
    if (service_key_get(ctx, config, &storage, &key)) {
        log_error(ctx, "auth.key_missing", log_str("why", ctx->why.text));
        ctx_forgive(ctx);
        return false;
    }
    const char *right = arena_format(&ctx->arena, "%s:%s", config->user_service_id, key->text);
    CLEANUP(secret_done) struct secret wanted = secret_new(right, strlen(right));
    return secret_equals(&wanted, (const char *)credentials.p, credentials.n);
}
