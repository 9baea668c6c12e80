/* SPDX-License-Identifier: MIT
 *
 * The signature base string and its HMAC. SHA-1 stands in the standard; as an HMAC with a secret
 * key nothing is known against it. Nettle is in the process already, below libmicrohttpd, whereas
 * liboauth would bring a second TLS library. Depends on: oauth1.h, strbuf.h, nettle. */
#include "provider/oauth1.h"

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "base/strbuf.h"
#include "base/text.h"

#define SIGNATURE_CHARS ((size_t)BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE))

struct parameters {
    struct oauth1_parameter items[OAUTH1_PARAMETERS_MAX_COUNT]; /* percent-encoded */
    size_t count;
    size_t own_count; /* those that stand in the field come first */
};

static const char *encode(struct ctx *ctx, const char *text)
{
    struct strbuf encoded;
    const char *out = "";
    strbuf_init(&encoded, &ctx->arena, strlen(text) + 1, OAUTH1_TEXT_MAX_BYTES);
    strbuf_add_url(&encoded, text);
    return strbuf_text(&encoded, &out) ? NULL : out;
}

/* False: too many, or too long. */
static bool add(struct ctx *ctx, struct parameters *parameters, const char *name, const char *value)
{
    if (parameters->count == OAUTH1_PARAMETERS_MAX_COUNT)
        return false;
    struct oauth1_parameter *item = &parameters->items[parameters->count++];
    *item = (struct oauth1_parameter){.name = encode(ctx, name), .value = encode(ctx, value)};
    return item->name && item->value;
}

static bool gather(struct ctx *ctx,
                   const struct oauth1_credentials *credentials,
                   const struct oauth1_request *request,
                   struct parameters *parameters)
{
    bool is_whole =
        add(ctx, parameters, "oauth_consumer_key", credentials->consumer_key->text) &&
        add(ctx, parameters, "oauth_signature_method", "HMAC-SHA1") &&
        add(ctx, parameters, "oauth_timestamp", request->timestamp) &&
        add(ctx, parameters, "oauth_nonce", request->nonce) &&
        (!credentials->token || add(ctx, parameters, "oauth_token", credentials->token));
    for (size_t i = 0; i < request->own_count; i++)
        is_whole = is_whole && add(ctx, parameters, request->own[i].name, request->own[i].value);
    parameters->own_count = parameters->count;
    for (size_t i = 0; i < request->others_count; i++)
        is_whole =
            is_whole && add(ctx, parameters, request->others[i].name, request->others[i].value);
    return is_whole;
}

/* RFC 5849 3.4.1.3.2: by encoded name, then by encoded value. */
static int compare(const void *a, const void *b)
{
    const struct oauth1_parameter *one = a;
    const struct oauth1_parameter *other = b;
    int order = strcmp(one->name, other->name);
    return order ? order : strcmp(one->value, other->value);
}

/* RFC 5849 3.4.1.2: scheme and host in lower case, without the scheme's own port. */
static const char *base_url(struct ctx *ctx, const char *url)
{
    const char *start = strstr(url, "://");
    if (!start)
        return url;
    size_t head_bytes = (size_t)(start - url) + 3;
    head_bytes += strcspn(url + head_bytes, "/");
    char *head = text_lower(&ctx->arena, arena_text_copy(&ctx->arena, url, head_bytes));
    const char *port = text_starts_with(head, "https://") ? ":443" : ":80";
    if (text_ends_with(head, port))
        head[strlen(head) - strlen(port)] = '\0';
    const char *path = url + head_bytes;
    return arena_format(&ctx->arena, "%s%s", head, *path ? path : "/");
}

/* RFC 5849 3.4.1.1. */
static enum err base_string(struct ctx *ctx,
                            const struct oauth1_request *request,
                            const struct parameters *parameters,
                            const char **out_text)
{
    struct parameters sorted = *parameters;
    struct strbuf pairs;
    struct strbuf base;
    const char *text = NULL;
    qsort(sorted.items, sorted.count, sizeof(sorted.items[0]), compare);
    strbuf_init(&pairs, &ctx->arena, 512, OAUTH1_TEXT_MAX_BYTES);
    for (size_t i = 0; i < sorted.count; i++)
        strbuf_format(&pairs, "%s%s=%s", i ? "&" : "", sorted.items[i].name, sorted.items[i].value);
    enum err err = strbuf_text(&pairs, &text);
    if (err)
        return err;
    strbuf_init(&base, &ctx->arena, 1024, OAUTH1_TEXT_MAX_BYTES);
    strbuf_add_url(&base, request->method);
    strbuf_add_char(&base, '&');
    strbuf_add_url(&base, base_url(ctx, request->url));
    strbuf_add_char(&base, '&');
    strbuf_add_url(&base, text);
    return strbuf_text(&base, out_text);
}

/* RFC 5849 3.4.2. */
static enum err sign(struct ctx *ctx,
                     const struct oauth1_credentials *credentials,
                     const char *base,
                     char out_signature[SIGNATURE_CHARS + 1])
{
    const char *consumer = encode(ctx, credentials->consumer_secret->text);
    const char *token = encode(ctx, credentials->token_secret ? credentials->token_secret : "");
    struct hmac_sha1_ctx hmac;
    uint8_t digest[SHA1_DIGEST_SIZE];
    if (!consumer || !token)
        return ERR_TOO_LARGE;
    const char *key = arena_format(&ctx->arena, "%s&%s", consumer, token);
    hmac_sha1_set_key(&hmac, strlen(key), (const uint8_t *)key);
    hmac_sha1_update(&hmac, strlen(base), (const uint8_t *)base);
    hmac_sha1_digest(&hmac, sizeof(digest), digest);
    secret_wipe(&hmac, sizeof(hmac));
    base64_encode_raw(out_signature, sizeof(digest), digest);
    out_signature[SIGNATURE_CHARS] = '\0';
    return ERR_OK;
}

enum err oauth1_authorization(struct ctx *ctx,
                              const struct oauth1_credentials *credentials,
                              const struct oauth1_request *request,
                              const char **out_value)
{
    struct parameters parameters = {.count = 0};
    const char *base = NULL;
    char signature[SIGNATURE_CHARS + 1];
    struct strbuf field;
    if (!gather(ctx, credentials, request, &parameters))
        return ctx_fail(ctx, ERR_TOO_LARGE, "too much to sign");
    enum err err = base_string(ctx, request, &parameters, &base);
    if (err || (err = sign(ctx, credentials, base, signature)))
        return ctx_fail(ctx, err, "too much to sign");
    strbuf_init(&field, &ctx->arena, 512, OAUTH1_TEXT_MAX_BYTES);
    strbuf_add(&field, "OAuth ");
    for (size_t i = 0; i < parameters.own_count; i++)
        strbuf_format(&field, "%s=\"%s\", ", parameters.items[i].name, parameters.items[i].value);
    strbuf_add(&field, "oauth_signature=\"");
    strbuf_add_url(&field, signature);
    strbuf_add_char(&field, '"');
    err = strbuf_text(&field, out_value);
    return err ? ctx_fail(ctx, err, "too much to sign") : ERR_OK;
}
