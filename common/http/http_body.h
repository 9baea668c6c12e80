/* SPDX-License-Identifier: MIT
 *
 * A request's body while it arrives. Memory grows with what came, not with what was announced, and
 * all bodies together stay under one limit, which clients share. What is over the limit is counted
 * and dropped, so that the client gets to see the answer. Bodies hold passwords: memory is wiped
 * before it is given back.
 *
 * http_body_init → http_body_add for each piece → http_body_done. Threads: one at a time. */
#ifndef NOTES_HTTP_BODY_H
#define NOTES_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "http/shares.h"

struct http_body {
    struct share share;
    unsigned char *bytes; /* ends in NUL */
    size_t size_bytes;    /* kept */
    size_t capacity_bytes;
    size_t keep_max_bytes; /* 0: nothing is kept */
    size_t total_bytes;    /* arrived, kept or not */
    bool is_without_room;  /* what came since was dropped */
};

/* Whose body it is: see share_init. */
void http_body_init(struct http_body *body,
                    struct shares *shares,
                    const struct address *client,
                    struct connection *connection,
                    size_t keep_max_bytes);
void http_body_add(struct http_body *body, const void *bytes, size_t size_bytes);

/* Wipes and frees. Does nothing on a zeroed struct. */
void http_body_done(struct http_body *body);

/* The beginning that decodes to at most so many bytes, carriage returns not counted, and ends
 * neither within a percent escape nor within a UTF-8 character: what a limit cut in two is left
 * out, so that the rest can be read as a form. */
struct bytes http_body_whole_chars(struct bytes body, size_t decoded_max_bytes);

#endif
