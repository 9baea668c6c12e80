/* SPDX-License-Identifier: MIT
 *
 * Cookies (RFC 6265bis): reading one of a Cookie field, writing Set-Cookie. Values are base64url or
 * similar: nothing is quoted or decoded here. */
#ifndef NOTES_COOKIE_H
#define NOTES_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

struct ctx;
struct http_request;
struct http_response;

#define COOKIE_VALUE_MAX_BYTES 4000 /* browsers keep 4096 of name and value (RFC 6265bis 5.6) */

struct cookie {
    const char *name;  /* token characters, ours */
    const char *value; /* cookie-octets; anything else makes the cookie empty */
    const char *path;
    int64_t max_age_s; /* below 0: a session cookie (no Max-Age); 0 removes it */
    bool is_secure;
    bool is_same_site_strict; /* else Lax */
};

/* The value of the cookie of that name (exact, case-sensitive), in the arena; NULL when absent,
 * over-long, or there several times with different values. */
const char *cookie_get(struct ctx *ctx, const struct http_request *rq, const char *name);

/* Adds Set-Cookie, always HttpOnly. */
void cookie_set(struct ctx *ctx, struct http_response *rs, const struct cookie *cookie);

#endif
