/* SPDX-License-Identifier: MIT
 *
 * Depends on: assets.h (the compiled-in files), http_server.h (prepared answers). */
#include "page/asset_handlers.h"

#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "base/ctx.h"
#include "base/text.h"
#include "http/assets.h"
#include "http/http_message.h"
#include "http/http_server.h"

#define CACHE_FOR_GOOD  "public, max-age=31536000, immutable"
#define CACHE_FOR_A_DAY "public, max-age=86400"
#define CACHE_NEVER     "no-store"
#define DIGEST_CHARS    10

enum variant { FOR_GOOD, FOR_A_DAY, NEVER, VARIANT_COUNT };

struct answers {
    struct http_prepared *plain[VARIANT_COUNT];
    struct http_prepared *gzip[VARIANT_COUNT]; /* NULL where gzip does not help */
};

struct asset_store {
    struct answers *answers; /* one per row of assets_table */
};

static struct http_prepared *prepare(const struct asset *asset, const char *caching, bool is_gzip)
{
    const struct http_field fields[] = {
        {"Content-Type", asset->type},
        {"Cache-Control", caching},
        {"Vary", "Accept-Encoding"},
        {"X-Content-Type-Options", "nosniff"},
        {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Content-Encoding", "gzip"},
    };
    size_t count = ARRAY_COUNT(fields) - (is_gzip ? 0 : 1);
    struct bytes body = {.p = is_gzip ? asset->gzip : asset->bytes,
                         .n = is_gzip ? asset->gzip_bytes : asset->size_bytes};
    return http_prepared_new(200, fields, count, body);
}

static bool prepare_all(struct answers *answers, const struct asset *asset)
{
    static const char *const CACHING[VARIANT_COUNT] = {CACHE_FOR_GOOD, CACHE_FOR_A_DAY,
                                                       CACHE_NEVER};
    for (size_t i = 0; i < VARIANT_COUNT; i++) {
        answers->plain[i] = prepare(asset, CACHING[i], false);
        answers->gzip[i] = asset->gzip ? prepare(asset, CACHING[i], true) : NULL;
        if (!answers->plain[i] || (asset->gzip && !answers->gzip[i]))
            return false;
    }
    return true;
}

struct asset_store *asset_store_new(void)
{
    struct asset_store *store = calloc(1, sizeof(*store));
    if (!store)
        return NULL;
    store->answers = calloc(assets_count, sizeof(*store->answers));
    for (size_t i = 0; store->answers && i < assets_count; i++) {
        if (prepare_all(&store->answers[i], &assets_table[i]))
            continue;
        asset_store_free(store);
        return NULL;
    }
    return store;
}

void asset_store_free(struct asset_store *store)
{
    if (!store)
        return;
    for (size_t i = 0; store->answers && i < assets_count; i++) {
        for (size_t j = 0; j < VARIANT_COUNT; j++) {
            http_prepared_free(store->answers[i].plain[j]);
            http_prepared_free(store->answers[i].gzip[j]);
        }
    }
    free(store->answers);
    free(store);
}

/* Is it "notes.0123456789.css" for the asset "notes.css", with any digest? */
static bool is_outdated_name(const struct asset *asset, const char *file)
{
    const char *dot = strrchr(asset->name, '.');
    size_t stem_bytes = (size_t)(dot - asset->name);
    if (strncmp(file, asset->name, stem_bytes + 1) != 0 ||
        strlen(file) != strlen(asset->name) + DIGEST_CHARS + 1)
        return false;
    const char *digest = file + stem_bytes + 1;
    return strspn(digest, "0123456789abcdef") == DIGEST_CHARS &&
           text_equals(digest + DIGEST_CHARS, dot);
}

static void answer(const struct app *app,
                   size_t place,
                   enum variant variant,
                   const struct http_request *rq,
                   struct http_response *rs)
{
    const struct answers *answers = &app->assets->answers[place];
    bool is_gzip = answers->gzip[variant] && http_accepts_gzip(rq);
    rs->prepared = is_gzip ? answers->gzip[variant] : answers->plain[variant];
}

enum err asset_handle(struct app *app,
                      struct ctx *ctx,
                      const struct http_request *rq,
                      struct http_response *rs)
{
    for (size_t i = 0; i < assets_count; i++) {
        if (text_equals(rq->path, assets_table[i].path)) {
            answer(app, i, FOR_GOOD, rq, rs);
            return ERR_OK;
        }
    }
    for (size_t i = 0; i < assets_count; i++) {
        if (is_outdated_name(&assets_table[i], rq->params[0])) {
            answer(app, i, NEVER, rq, rs);
            return ERR_OK;
        }
    }
    return ctx_fail(ctx, ERR_NOT_FOUND, "no such asset");
}

enum err favicon_handle(struct app *app,
                        struct ctx *ctx,
                        const struct http_request *rq,
                        struct http_response *rs)
{
    for (size_t i = 0; i < assets_count; i++) {
        if (!text_equals(assets_table[i].name, "favicon.svg"))
            continue;
        answer(app, i, FOR_A_DAY, rq, rs);
        return ERR_OK;
    }
    return ctx_fail(ctx, ERR_NOT_FOUND, "no icon was compiled in");
}
