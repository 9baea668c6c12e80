/* SPDX-License-Identifier: MIT
 *
 * Session ids, their digest and form token, the life rule, the cookie. No SQL here.
 * Depends on: secret.h for all cryptography, cookie.h for the wire. */
#include "session/session.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "config.h"
#include "http/cookie.h"
#include "http/http_message.h"
#include "session/user_agent.h"
#include "site.h"

#define CSRF_CONTEXT      "notes form token 1"
#define HANDLE_BYTES      12
#define CLOCK_BACK_MAX_MS (MS_PER_S * 3600 * 24)
#define MS_PER_S          ((int64_t)1000)

/* "__Host-" ties the cookie to this host and to https (RFC 6265bis 4.1.3.2). */
static const char *cookie_name(const struct config *config)
{
    return config->is_public_https ? "__Host-notescookie.sid" : "notescookie.sid";
}

/* What follows from the id alone. */
static void derive(struct ctx *ctx, struct session *session)
{
    unsigned char token[SECRET_DIGEST_BYTES];
    const struct bytes no_key = {.p = NULL, .n = 0};
    const struct bytes key = {.p = session->id, .n = sizeof(session->id)};
    secret_digest(no_key, session->id, sizeof(session->id), session->digest);
    secret_digest(key, CSRF_CONTEXT, sizeof(CSRF_CONTEXT) - 1, token);
    session->csrf = secret_base64url(&ctx->arena, token, sizeof(token));
}

struct session *session_make(struct ctx *ctx, const char *username, const char *user_etag)
{
    struct session *session = arena_take(&ctx->arena, sizeof(*session));
    secret_random(session->id, sizeof(session->id));
    derive(ctx, session);
    session->username = username;
    session->user_etag = user_etag;
    return session;
}

struct session *session_of_request(struct ctx *ctx,
                                   const struct http_request *rq,
                                   const char *username,
                                   const char *user_etag)
{
    struct session *session = session_make(ctx, username, user_etag);
    session->device = user_agent_name(&ctx->arena, rq->fields[HTTP_FIELD_USER_AGENT]);
    session->address = rq->client_text;
    return session;
}

struct session *
session_from_cookie(struct ctx *ctx, const struct config *config, const struct http_request *rq)
{
    const char *value = cookie_get(ctx, rq, cookie_name(config));
    if (!value)
        return NULL;
    struct session *session = arena_take(&ctx->arena, sizeof(*session));
    if (!secret_from_base64url(value, session->id, sizeof(session->id)))
        return NULL;
    derive(ctx, session);
    return session;
}

bool session_is_same(const struct session *a, const struct session *b)
{
    return secret_bytes_equal(a->digest, b->digest, sizeof(a->digest));
}

bool session_is_over(const struct session *session,
                     const struct config *config,
                     int64_t now_unix_ms)
{
    return now_unix_ms < session->created_unix_ms - CLOCK_BACK_MAX_MS ||
           session_left_ms(session, config, now_unix_ms) < 0;
}

/* A clock that went back lengthens no life beyond the settings'. */
int64_t
session_left_ms(const struct session *session, const struct config *config, int64_t now_unix_ms)
{
    int64_t idle_ms = now_unix_ms - session->used_unix_ms;
    int64_t age_ms = now_unix_ms - session->created_unix_ms;
    int64_t idle_left_ms = config->session_idle_s * MS_PER_S - (idle_ms > 0 ? idle_ms : 0);
    int64_t age_left_ms = config->session_absolute_s * MS_PER_S - (age_ms > 0 ? age_ms : 0);
    return idle_left_ms < age_left_ms ? idle_left_ms : age_left_ms;
}

const char *session_hex(struct ctx *ctx, const unsigned char *bytes, size_t size_bytes)
{
    static const char DIGITS[] = "0123456789abcdef";
    char *hex = arena_take(&ctx->arena, 2 * size_bytes + 1);
    for (size_t i = 0; i < size_bytes; i++) {
        hex[2 * i] = DIGITS[bytes[i] >> 4];
        hex[2 * i + 1] = DIGITS[bytes[i] & 0xf];
    }
    return hex;
}

const char *session_handle(struct ctx *ctx, const struct site *site, const struct session *session)
{
    unsigned char handle[SECRET_DIGEST_BYTES];
    const struct bytes key = {.p = site->session_key, .n = sizeof(site->session_key)};
    secret_digest(key, session->digest, sizeof(session->digest), handle);
    return session_hex(ctx, handle, HANDLE_BYTES);
}

const struct session *session_of_handle(struct ctx *ctx,
                                        const struct site *site,
                                        const struct session_list *list,
                                        const char *handle)
{
    for (size_t i = 0; i < list->count; i++) {
        if (secret_text_matches(session_handle(ctx, site, &list->items[i]), handle))
            return &list->items[i];
    }
    return NULL;
}

bool session_csrf_matches(const struct session *session, const char *token)
{
    return secret_text_matches(session->csrf, token);
}

void session_cookie_set(struct ctx *ctx,
                        const struct config *config,
                        struct http_response *rs,
                        const struct session *session)
{
    cookie_set(ctx, rs,
               &(struct cookie){
                   .name = cookie_name(config),
                   .value = secret_base64url(&ctx->arena, session->id, sizeof(session->id)),
                   .path = "/",
                   .max_age_s = -1,
                   .is_secure = config->is_public_https,
               });
}

void session_cookie_remove(struct ctx *ctx, const struct config *config, struct http_response *rs)
{
    cookie_set(ctx, rs,
               &(struct cookie){
                   .name = cookie_name(config),
                   .value = "",
                   .path = "/",
                   .max_age_s = 0,
                   .is_secure = config->is_public_https,
               });
}
