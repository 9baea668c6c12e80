/* SPDX-License-Identifier: MIT
 *
 * The cookie's value is base64url of a random nonce and a digest, keyed by the site's device key,
 * of name and nonce. Depends on: secret.h, cookie.h. */
#include "session/device.h"

#include <string.h>

#include "app.h"
#include "base/address.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/text.h"
#include "config.h"
#include "http/cookie.h"
#include "http/http_message.h"

#define NONCE_BYTES 16
#define COOKIE_NAME "notesdevice"
#define COOKIE_PATH "/users" /* logins, and changes of a password */
#define COOKIE_MAX_AGE_S \
    ((int64_t)400 * 24 * 3600) /* browsers keep no cookie longer (RFC 6265bis) */

struct device {
    unsigned char nonce[NONCE_BYTES];
    unsigned char mac[SECRET_DIGEST_BYTES];
};

/* The digest of a nonce and a name. */
static void sign(struct app *app,
                 struct ctx *ctx,
                 const unsigned char nonce[NONCE_BYTES],
                 const char *username,
                 unsigned char out_mac[SECRET_DIGEST_BYTES])
{
    const char *text =
        arena_format(&ctx->arena, "%s %s", secret_base64url(&ctx->arena, nonce, NONCE_BYTES),
                     text_lower(&ctx->arena, username));
    const struct bytes key = {.p = (const unsigned char *)app->device_key.text,
                              .n = app->device_key.size_bytes};
    secret_digest(key, text, strlen(text), out_mac);
}

/* The device of the request's cookie, if it was signed for this name; else NULL. */
static const struct device *
device_of(struct app *app, struct ctx *ctx, const struct http_request *rq, const char *username)
{
    struct device *claimed = arena_take(&ctx->arena, sizeof(*claimed));
    const char *value = cookie_get(ctx, rq, COOKIE_NAME);
    if (!value || !secret_from_base64url(value, claimed, sizeof(*claimed)))
        return NULL;
    unsigned char expected[SECRET_DIGEST_BYTES];
    sign(app, ctx, claimed->nonce, username, expected);
    return secret_bytes_equal(expected, claimed->mac, sizeof(expected)) ? claimed : NULL;
}

const char *
device_client(struct app *app, struct ctx *ctx, const struct http_request *rq, const char *username)
{
    const struct device *device = device_of(app, ctx, rq, username);
    if (device)
        return arena_format(&ctx->arena, "device:%s",
                            secret_base64url(&ctx->arena, device->nonce, NONCE_BYTES));
    char address[ADDRESS_TEXT_BYTES];
    address_limit_key(&rq->client, address);
    return arena_format(&ctx->arena, "address:%s", address);
}

void device_remember(struct app *app,
                     struct ctx *ctx,
                     const struct http_request *rq,
                     struct http_response *rs,
                     const char *username)
{
    const struct device *known = device_of(app, ctx, rq, username);
    struct device device = known ? *known : (struct device){0};
    if (!known) {
        secret_random(device.nonce, sizeof(device.nonce));
        sign(app, ctx, device.nonce, username, device.mac);
    }
    cookie_set(ctx, rs,
               &(struct cookie){
                   .name = COOKIE_NAME,
                   .value = secret_base64url(&ctx->arena, &device, sizeof(device)),
                   .path = COOKIE_PATH,
                   .max_age_s = COOKIE_MAX_AGE_S,
                   .is_secure = app->config->is_public_https,
                   .is_same_site_strict = true,
               });
}
