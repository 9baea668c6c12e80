/* SPDX-License-Identifier: MIT
 *
 * HTTP calls to another service of ours: one client per thread, connection kept alive, bounded
 * answer, bounded time, no redirects, http and https only. The only file that knows libcurl. */
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
    const char *json_body; /* NULL: no body */
    int64_t timeout_ms;    /* cut to what ctx has left */
};

/* In the request's arena. */
struct http_answer {
    int status;
    struct bytes body;     /* NUL-terminated as well */
    const char *etag;      /* NULL when absent */
    const char *link;      /* NULL when absent */
    int64_t retry_after_s; /* 0 when absent */
    bool is_json;
};

/* Why the last call had no answer. */
enum http_fault {
    HTTP_FAULT_NONE,
    HTTP_FAULT_REACH,       /* no connection, or not in time */
    HTTP_FAULT_TLS,         /* a connection, but no TLS */
    HTTP_FAULT_CERTIFICATE, /* TLS, with a certificate that is not trusted */
    HTTP_FAULT_ANSWER,      /* something that is no answer of HTTP, or none, or a part of one */
};

enum http_fault http_client_fault(const struct http_client *client);

/* Any answer with a status is ERR_OK; the caller looks at the status.
 * Errors: ERR_UNAVAILABLE no answer: not reachable, too late, too large, not HTTP. */
MUST_CHECK enum err http_call(struct ctx *ctx,
                              struct http_client *client,
                              const struct http_call *call,
                              struct http_answer *out_answer);

#endif
