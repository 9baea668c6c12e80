/* SPDX-License-Identifier: MIT
 *
 * A request and its answer as plain structs: what handlers see. No library's type is in here;
 * http_server.c makes the one from the socket and writes the other to it. Both die with the
 * request's ctx. */
#ifndef NOTES_HTTP_MESSAGE_H
#define NOTES_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "http/form.h"

struct cached;
struct ctx;
struct http_prepared;
struct route;
struct session;

/* clang-format off */
/*      enum      on the wire   changes something (RFC 9110 9.2.1) */
#define HTTP_METHOD_TABLE(X)            \
    X(GET,        "GET",        false)  \
    X(HEAD,       "HEAD",       false)  \
    X(POST,       "POST",       true)   \
    X(PUT,        "PUT",        true)   \
    X(PATCH,      "PATCH",      true)   \
    X(DELETE,     "DELETE",     true)   \
    X(OPTIONS,    "OPTIONS",    false)  \
    X(OTHER,      "OTHER",      true)

/* The request fields that anything here reads; all others are ignored.
 *      enum               name                    may come once only */
#define HTTP_FIELD_TABLE(X)                                      \
    X(HOST,                "Host",                 true)         \
    X(AUTHORIZATION,       "Authorization",        true)         \
    X(COOKIE,              "Cookie",               false)        \
    X(CONTENT_TYPE,        "Content-Type",         true)         \
    X(CONTENT_LENGTH,      "Content-Length",       true)         \
    X(TRANSFER_ENCODING,   "Transfer-Encoding",    true)         \
    X(ORIGIN,              "Origin",               true)         \
    X(SEC_FETCH_SITE,      "Sec-Fetch-Site",       true)         \
    X(SEC_FETCH_DEST,      "Sec-Fetch-Dest",       true)         \
    X(REFERER,             "Referer",              true)         \
    X(ACCEPT,              "Accept",               false)        \
    X(ACCEPT_ENCODING,     "Accept-Encoding",      false)        \
    X(IF_NONE_MATCH,       "If-None-Match",        false)        \
    X(IF_MATCH,            "If-Match",             true)         \
    X(X_REQUEST_ID,        "X-Request-Id",         true)         \
    X(X_FORWARDED_FOR,     "X-Forwarded-For",      false)        \
    X(X_FORWARDED_PROTO,   "X-Forwarded-Proto",    true)         \
    X(USER_AGENT,          "User-Agent",           true)         \
    X(CONNECTION,          "Connection",           false)        \
    X(UPGRADE,             "Upgrade",              false)        \
    X(SEC_WEBSOCKET_KEY,   "Sec-WebSocket-Key",    true)         \
    X(SEC_WEBSOCKET_VERSION, "Sec-WebSocket-Version", true)
/* clang-format on */

enum http_method {
#define HTTP_METHOD_ENUM(name, text, is_unsafe) HTTP_##name,
    HTTP_METHOD_TABLE(HTTP_METHOD_ENUM)
#undef HTTP_METHOD_ENUM
};

enum http_field_id {
#define HTTP_FIELD_ENUM(name, text, is_single) HTTP_FIELD_##name,
    HTTP_FIELD_TABLE(HTTP_FIELD_ENUM)
#undef HTTP_FIELD_ENUM
        HTTP_FIELD_COUNT
};

#define ROUTE_PARAMS_MAX_COUNT 2

struct http_request {
    enum http_method method;
    const char *target; /* as sent: path and query */
    const char *path;   /* percent-decoded, valid UTF-8, begins with "/" */
    struct form query;  /* decoded */
    struct form form;   /* notes-svc: of a form body, decoded by its guard; empty otherwise */
    const char *fields[HTTP_FIELD_COUNT];       /* request fields, NULL when absent */
    const char *params[ROUTE_PARAMS_MAX_COUNT]; /* of the route's pattern, in order */
    struct bytes body;                          /* empty when there was none */
    bool has_body;
    bool is_faulty; /* query or body will be refused after the guard, which need not look into them
                     */
    struct address client; /* behind trusted proxies */
    const char *client_text;
    bool is_https; /* of the client's side, as a trusted proxy says */
    const struct route *route;
    const void *fetched;           /* by the route's `fetch`; NULL: nothing, the handler reads */
    const struct session *session; /* notes-svc: set by its guard, NULL when nobody is signed in */
    bool is_session_unknown; /* notes-svc: nor whether somebody is; sessions can't be read now */
};

struct http_field {
    const char *name;
    const char *value;
};

#define HTTP_RESPONSE_FIELDS_MAX_COUNT 24
#define HTTP_RETRY_AFTER_S             2 /* of a 503 that knows no better time */

/* Who takes the socket after a 101. Exactly one of the two is called, on the event loop. */
struct http_upgrade {
    void *owner;
    /* The socket is non-blocking and the owner's from here on; `extra` came behind the request. */
    void (*take)(void *owner, int fd, struct bytes extra);
    /* The connection ended before its 101 was sent. */
    void (*drop)(void *owner);
};

/* What a handler fills. Memory: the request's arena or static. With `prepared` set, body and fields
 * are not used. */
struct http_response {
    int status; /* 0 means 200 */
    struct http_field fields[HTTP_RESPONSE_FIELDS_MAX_COUNT];
    size_t fields_count;
    struct bytes body;
    const struct http_prepared
        *prepared;         /* a whole answer made before (assets, pages); see http_server.h */
    struct cached *holds;  /* what `prepared` is of, released when it was sent; NULL: nothing */
    bool has_plain_fields; /* true: the service's standing fields (security headers) are left out */
    bool has_no_request_id; /* true: others get the same answer, under the same entity tag */
    const struct http_upgrade *upgrade; /* with status 101: the connection leaves HTTP */
};

const char *http_method_name(enum http_method method);
enum http_method http_method_parse(const char *text);
bool http_method_is_unsafe(enum http_method method);
const char *http_field_name(enum http_field_id id);
bool http_field_is_single(enum http_field_id id);

/* "Not Found" for 404: RFC 9110's phrases. */
const char *http_status_text(int status);

/* Adds a field. A value with control characters becomes "", and empty fields are not sent: a header
 * can't be injected. More than HTTP_RESPONSE_FIELDS_MAX_COUNT are dropped. The text is borrowed. */
void http_response_field(struct http_response *rs, const char *name, const char *value);

/* The first field of this name, NULL when there is none. Case-insensitive. */
const char *http_response_find(const struct http_response *rs, const char *name);

/* A body of this type. The text is borrowed. */
void http_response_text(struct http_response *rs, int status, const char *type, const char *text);

/* 302 (or another 3xx) to a place. `location` is ASCII made by us. */
void http_response_redirect(struct http_response *rs, int status, const char *location);

/* "application/json" for "Application/JSON; charset=utf-8". Errors: ERR_MEDIA_TYPE for another type
 * or a charset other than UTF-8. */
MUST_CHECK enum err
http_content_type_is(struct ctx *ctx, const struct http_request *rq, const char *wanted);

/* Does the client ask for JSON rather than HTML: is application/json named in Accept and text/html
 * not? */
bool http_wants_json(const struct http_request *rq);

/* Is this entity tag in If-None-Match (RFC 9110 13.1.2, weak comparison)? `etag` with its quotes.
 */
bool http_etag_matches(const struct http_request *rq, const char *etag);

/* Does the client take gzip (Accept-Encoding, q=0 is a no)? */
bool http_accepts_gzip(const struct http_request *rq);

#endif
