/* SPDX-License-Identifier: MIT
 *
 * A request's body while it arrives. Memory grows with what came, not with what was announced, and
 * all bodies together stay under one budget. What is over the limit is counted and dropped, so that
 * the client gets to see the answer. Bodies hold passwords: memory is wiped before it is given
 * back.
 *
 * http_body_init → http_body_add for each piece → http_body_done. Threads: one at a time; the
 * budget is shared. */
#ifndef NOTES_HTTP_BODY_H
#define NOTES_HTTP_BODY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"

/* Of all bodies of a server, or of all its answers but small ones. */
struct http_body_budget {
    _Atomic size_t used_bytes;
    size_t max_bytes;
};

struct http_body {
    struct http_body_budget *budget;
    unsigned char *bytes; /* ends in NUL */
    size_t size_bytes;    /* kept */
    size_t capacity_bytes;
    size_t keep_max_bytes; /* 0: nothing is kept */
    size_t total_bytes;    /* arrived, kept or not */
    bool is_out_of_budget; /* what came since was dropped */
};

/* Takes so many bytes, or nothing and false when they are not there. */
MUST_CHECK bool http_body_budget_take(struct http_body_budget *budget, size_t size_bytes);
void http_body_budget_give_back(struct http_body_budget *budget, size_t size_bytes);

void http_body_init(struct http_body *body, struct http_body_budget *budget, size_t keep_max_bytes);
void http_body_add(struct http_body *body, const void *bytes, size_t size_bytes);

/* Wipes and frees. Does nothing on a zeroed struct. */
void http_body_done(struct http_body *body);

/* The beginning that decodes to at most so many bytes, carriage returns not counted, and ends
 * neither within a percent escape nor within a UTF-8 character: what a limit cut in two is left
 * out, so that the rest can be read as a form. */
struct bytes http_body_whole_chars(struct bytes body, size_t decoded_max_bytes);

#endif
