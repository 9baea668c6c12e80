/* SPDX-License-Identifier: MIT
 *
 * HTTP calls to another service, ours or somebody else's: one client per thread, connection kept
 * alive, bounded answer, bounded time, no redirects, http and https only, certificates always
 * verified. The only file that knows libcurl. */
#ifndef NOTES_HTTP_CLIENT_H
#define NOTES_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/secret.h"

struct ctx;
struct http_client;

#define HTTP_CLIENT_ANSWER_MAX_BYTES ((size_t)4 * 1024 * 1024)
#define HTTP_CLIENT_CONNECT_MAX_MS   2000

/* Once per process, before any thread. */
MUST_CHECK bool http_client_start(void);

/* "libcurl 7.88.1": for --version. */
const char *http_client_library(void);

/* NULL when out of memory. */
struct http_client *http_client_new(void);
void http_client_free(struct http_client *client);

struct http_call {
    const char *method;
    const char *url;        /* its path is sent as it is, dots too */
    const char *basic_user; /* NULL: no Authorization */
    const struct secret *basic_password;
    const char *authorization; /* the field's value instead; NULL: as above */
    const char *if_match;      /* an entity tag; NULL: none */
    const char *json_body;     /* NULL: no body */
    const char *form_body; /* application/x-www-form-urlencoded, instead of json_body; NULL: none */
    int64_t timeout_ms;    /* cut to what ctx has left */
    int64_t connect_ms;    /* 0: HTTP_CLIENT_CONNECT_MAX_MS */
    size_t answer_max_bytes; /* 0: HTTP_CLIENT_ANSWER_MAX_BYTES */
    char *authorities; /* certificates (PEM) that are believed; NULL: the system's. Only read */
    bool is_https_only;
    bool is_foreign; /* not to a service of ours: it is not told the request's id, but who we are */
};

/* In the request's arena. */
struct http_answer {
    int status;
    struct bytes body;     /* NUL-terminated as well */
    const char *etag;      /* NULL when absent */
    const char *link;      /* NULL when absent */
    int64_t retry_after_s; /* 0 when absent */
    int64_t date_unix_s;   /* the other side's clock; 0 when absent */
    bool is_json;
};

/* Any answer with a status is ERR_OK; the caller looks at the status.
 * Errors: ERR_UNAVAILABLE no answer: not reachable, too late, too large, not HTTP. */
MUST_CHECK enum err http_call(struct ctx *ctx,
                              struct http_client *client,
                              const struct http_call *call,
                              struct http_answer *out_answer);

/* Why the client's last call failed with ERR_UNAVAILABLE. */
enum http_client_fault {
    HTTP_CLIENT_UNREACHED,
    HTTP_CLIENT_LATE,
    HTTP_CLIENT_TOO_LARGE,
    HTTP_CLIENT_NO_TLS,    /* a connection, but https can't be spoken there */
    HTTP_CLIENT_UNTRUSTED, /* no certificate that holds */
    HTTP_CLIENT_NO_HTTP    /* not HTTP, cut off, or nothing */
};
enum http_client_fault http_client_fault(const struct http_client *client);

#define HTTP_CLIENT_AUTHORITIES_MAX_BYTES ((size_t)4 * 1024 * 1024)

/* The certificates of the system's authorities, and those of this file (PEM). Owns: the caller, who
 * calls free. Errors: ERR_INVALID there is no certificate in it, or it is too large;
 * ERR_UNAVAILABLE it can't be read. */
MUST_CHECK enum err http_client_authorities(struct ctx *ctx, const char *path, char **out_pem);

#endif
