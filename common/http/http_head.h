/* SPDX-License-Identifier: MIT
 *
 * The head of a request, as bytes that a stranger sent, into struct http_request: one reading or a
 * refusal (RFC 9112). Whatever two programs in a row could read differently is refused. Order of
 * calls: http_head_target, http_head_field for each field, http_head_finish. Pure. */
#ifndef NOTES_HTTP_HEAD_H
#define NOTES_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "http/http_message.h"

struct ctx;

/* A request with more "&" than this has no meaning here (FORM_FIELDS_MAX_COUNT). */
#define HTTP_QUERY_PIECES_MAX_COUNT 64

/* How the body is delimited. */
struct http_framing {
    int64_t declared_bytes; /* of Content-Length, -1 when there is none */
    bool is_chunked;
    bool expects_continue; /* Expect: 100-continue */
};

struct http_line;

struct http_head {
    struct http_request *rq;
    const char *raw_path;  /* still percent-encoded, for the router */
    const char *raw_query; /* still encoded, "" when there is none */
    const char *authority; /* of an absolute-form target, NULL otherwise */
    bool is_http_1_1;
    bool is_whole; /* all fields were read: http_head_finish was called */
    struct http_framing framing;
    struct http_line *first_more; /* further lines of fields that are lists, see http_head_finish */
    struct http_line *last_more;
};

/* Sets method, target, path. Errors: ERR_INVALID not a method, path or http URL; too long. */
MUST_CHECK enum err
http_head_target(struct ctx *ctx, struct http_head *head, const char *method, const char *target);

/* Takes over a field if it is one that anybody reads. The name is as sent. Of a list that comes in
 * several lines rq has the first one only until http_head_finish, until when values must stay.
 * Errors: ERR_INVALID not a field name or value; a second one of what may come once. */
MUST_CHECK enum err http_head_field(struct ctx *ctx,
                                    struct http_head *head,
                                    const char *name,
                                    const char *value,
                                    size_t value_bytes);

/* Joins the lines of lists; Host, framing and X-Request-Id, once all fields are there. Errors:
 * ERR_INVALID. */
MUST_CHECK enum err http_head_finish(struct ctx *ctx, struct http_head *head);

/* How many pieces the query of a target has, as it was sent. */
size_t http_head_pieces(const char *target);

/* Is this value of Content-Length made of digits only, and of few enough? */
bool http_head_is_length(const char *value);

#endif
