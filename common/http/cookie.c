/* SPDX-License-Identifier: MIT
 *
 * Reads a Cookie field pair by pair; browsers send "name=value; name=value".
 * Depends on: cookie.h, http_message.h. Source: RFC 6265 4.1.1 (characters), 5.4. */
#include "http/cookie.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "http/http_message.h"

#include <string.h>

/* cookie-octet: visible ASCII but quote, comma, semicolon and backslash. */
static bool is_cookie_text(const char *text, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ' || c >= 0x7f || strchr("\",;\\", c))
            return false;
    }
    return true;
}

static bool is_path_text(const char *path)
{
    if (!path || path[0] != '/')
        return false;
    for (const char *p = path; *p; p++) {
        if (*p <= ' ' || *p >= 0x7f || *p == ';')
            return false;
    }
    return true;
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

/* The end of a pair without the blanks before the separator. */
static size_t pair_size(const char *pair)
{
    size_t size_bytes = strcspn(pair, ";");
    while (size_bytes > 0 && (pair[size_bytes - 1] == ' ' || pair[size_bytes - 1] == '\t'))
        size_bytes--;
    return size_bytes;
}

const char *cookie_get(struct ctx *ctx, const struct http_request *rq, const char *name)
{
    const char *at = rq->fields[HTTP_FIELD_COOKIE];
    size_t name_bytes = strlen(name);
    while (at && *at) {
        at = skip_blanks(at);
        size_t size_bytes = pair_size(at);
        if (size_bytes > name_bytes && memcmp(at, name, name_bytes) == 0 && at[name_bytes] == '=') {
            const char *value = at + name_bytes + 1;
            size_t value_bytes = size_bytes - name_bytes - 1;
            if (value_bytes > COOKIE_VALUE_MAX_BYTES || !is_cookie_text(value, value_bytes))
                return NULL;
            return arena_text_copy(&ctx->arena, value, value_bytes);
        }
        at += strcspn(at, ";");
        at += *at == ';';
    }
    return NULL;
}

void cookie_set(struct ctx *ctx, struct http_response *rs, const struct cookie *cookie)
{
    const char *value = cookie->value ? cookie->value : "";
    if (!is_cookie_text(value, strlen(value)))
        value = "";
    const char *max_age = "";
    if (cookie->max_age_s >= 0)
        max_age = arena_format(&ctx->arena, "; Max-Age=%lld", (long long)cookie->max_age_s);
    http_response_field(rs, "Set-Cookie",
                        arena_format(&ctx->arena, "%s=%s; Path=%s%s; HttpOnly; SameSite=%s%s",
                                     cookie->name, value,
                                     is_path_text(cookie->path) ? cookie->path : "/", max_age,
                                     cookie->is_same_site_strict ? "Strict" : "Lax",
                                     cookie->is_secure ? "; Secure" : ""));
}
