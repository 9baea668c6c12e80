/* SPDX-License-Identifier: MIT
 *
 * Who is signed in: a session is made at sign-in, found by the cookie's random id of which only a
 * digest is stored, and ends by sign-out, idleness, age, or when its user is gone or has another
 * password. Pure rules and the cookie; what is kept is session_store.c's. Source: SPEC section 7;
 * OWASP session management sheet. */
#ifndef NOTES_SESSION_H
#define NOTES_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/secret.h"

struct config;
struct ctx;
struct http_request;
struct http_response;
struct site;

#define SESSION_ID_BYTES          32 /* random; 43 characters in the cookie */
#define SESSION_USE_WRITE_EVERY_S 60 /* the idle clock is stored at most this often */

struct session {
    unsigned char id[SESSION_ID_BYTES]; /* of the cookie; wiped with the request */
    unsigned char digest[SECRET_DIGEST_BYTES];
    const char *username;
    const char *user_etag;
    const char *csrf; /* the form token: a digest keyed by the id, so nothing is stored for it */
    int64_t created_unix_ms;
    int64_t used_unix_ms;
    int64_t checked_unix_ms;
    bool is_unstored;    /* a time of check that the store did not take is known here */
    const char *device;  /* at sign-in: user_agent.h; NULL: not known, or not asked for */
    const char *address; /* of the client at sign-in; the same */
};

struct session_list {
    struct session *items; /* without id and form token, the last used first */
    size_t count;
};

/* A new session for this user. Nothing is stored yet. */
struct session *session_make(struct ctx *ctx, const char *username, const char *user_etag);

/* The same, with the device and address of who asks. */
struct session *session_of_request(struct ctx *ctx,
                                   const struct http_request *rq,
                                   const char *username,
                                   const char *user_etag);

/* From the request's cookie: id, digest and form token; the rest is the store's to fill. NULL when
 * there is no well-formed cookie. */
struct session *
session_from_cookie(struct ctx *ctx, const struct config *config, const struct http_request *rq);

/* Is it the same session, by the digest? */
bool session_is_same(const struct session *a, const struct session *b);

/* Over by idleness or age? A clock that went back by more than a day ends it as well. */
bool session_is_over(const struct session *session,
                     const struct config *config,
                     int64_t now_unix_ms);

/* How long it lives yet if nobody uses it; 0 or less when it is over. */
int64_t
session_left_ms(const struct session *session, const struct config *config, int64_t now_unix_ms);

/* In hexadecimal, for people and command lines. In the arena. */
const char *session_hex(struct ctx *ctx, const unsigned char *bytes, size_t size_bytes);

/* The session's name for people and scripts, who may all know it: a keyed digest of the digest that
 * is stored, from which neither that nor the id can be told. Hexadecimal digits, in the arena. */
const char *session_handle(struct ctx *ctx, const struct site *site, const struct session *session);

/* NULL: none of these has such a handle. Constant time for each. */
const struct session *session_of_handle(struct ctx *ctx,
                                        const struct site *site,
                                        const struct session_list *list,
                                        const char *handle);

/* Constant time. `token` may be NULL. */
bool session_csrf_matches(const struct session *session, const char *token);

void session_cookie_set(struct ctx *ctx,
                        const struct config *config,
                        struct http_response *rs,
                        const struct session *session);
void session_cookie_remove(struct ctx *ctx, const struct config *config, struct http_response *rs);

#endif
