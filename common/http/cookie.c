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

/* The value of the next pair of this name at or behind *at, which moves behind it; p NULL: none. */
static struct bytes next_value(const char **at, const char *name)
{
    size_t name_bytes = strlen(name);
    const char *pair = *at;
    while (pair && *pair) {
        pair = skip_blanks(pair);
        size_t size_bytes = pair_size(pair);
        const char *next = pair + strcspn(pair, ";");
        next += *next == ';';
        if (size_bytes > name_bytes && memcmp(pair, name, name_bytes) == 0 &&
            pair[name_bytes] == '=') {
            *at = next;
            return (struct bytes){.p = (const unsigned char *)pair + name_bytes + 1,
                                  .n = size_bytes - name_bytes - 1};
        }
        pair = next;
    }
    *at = pair;
    return (struct bytes){.p = NULL, .n = 0};
}

/* A neighbouring site may have set a second one for its own path or for both: a browser doesn't
 * say which is ours, so two that differ are none. */
const char *cookie_get(struct ctx *ctx, const struct http_request *rq, const char *name)
{
    const char *at = rq->fields[HTTP_FIELD_COOKIE];
    const struct bytes first = next_value(&at, name);
    if (!first.p || first.n > COOKIE_VALUE_MAX_BYTES ||
        !is_cookie_text((const char *)first.p, first.n))
        return NULL;
    for (struct bytes more = next_value(&at, name); more.p; more = next_value(&at, name))
        if (more.n != first.n || memcmp(more.p, first.p, first.n) != 0)
            return NULL;
    return arena_text_copy(&ctx->arena, (const char *)first.p, first.n);
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
