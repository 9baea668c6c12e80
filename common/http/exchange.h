/* SPDX-License-Identifier: MIT
 *
 * One request and its answer, from the first line to the log, without the library that moves the
 * bytes: which checks come in which order, where the handler runs, what is answered when it can't.
 *
 * exchange_new → exchange_head, once the fields are in `head` → exchange_body for each piece →
 * exchange_arrived → (exchange_submit, when it said so) → exchange_answered → exchange_free. All on
 * the event loop; between submit and resume the lane's thread owns it. */
#ifndef NOTES_EXCHANGE_H
#define NOTES_EXCHANGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/workers.h"
#include "http/http_body.h"
#include "http/http_head.h"
#include "http/http_message.h"
#include "http/http_server.h"
#include "http/shares.h"

struct connection;

/* What all exchanges of a server share. */
struct exchange_host {
    struct http_server_options options;
    struct shares bodies;
    struct shares answers;        /* the large ones, until they are sent */
    void (*resume)(void *handle); /* lets the event loop go on with a suspended connection */
    _Atomic bool is_draining;
    _Atomic bool is_closing;        /* nothing more is handed to a lane */
    _Atomic size_t active_count;    /* requests whose head is there, until they are done */
    _Atomic size_t suspended_count; /* handed to a lane and not back yet */
};

enum exchange_stage { EXCHANGE_HEAD, EXCHANGE_BODY, EXCHANGE_ON_LANE, EXCHANGE_ANSWERED };

/* What the event loop does next. */
enum exchange_next {
    EXCHANGE_READ,    /* go on reading */
    EXCHANGE_SUSPEND, /* suspend the connection, then exchange_submit */
    EXCHANGE_SEND,    /* the answer is in rs */
    EXCHANGE_CLOSE,   /* shut the connection without an answer */
};

struct exchange {
    struct job job; /* first: the lane knows only this */
    struct exchange_host *host;
    struct connection *connection;
    void *handle; /* of the library */
    enum exchange_stage stage;
    enum err verdict;      /* on head and route; answered before the guard is asked */
    enum err late_verdict; /* the same, answered after the guard; see options.unrouted */
    enum err outcome;      /* for the log */
    bool is_over;          /* the body is larger than the route takes */
    bool is_query_bad;
    bool is_type_wrong;
    bool must_close;
    bool is_counted;
    bool is_upgraded; /* rs.upgrade has taken the socket */
    int64_t begun_ms;
    const char *target_at; /* where the library has the target, and how long it was */
    size_t target_bytes;
    const char *target;
    struct http_head head;
    struct http_request rq;
    struct http_response rs;
    struct http_body body;
    struct share answer; /* of host->answers */
    struct ctx ctx;      /* last, because it is large and mostly untouched */
};

/* `options` are copied; trusted may be NULL. Does not set resume. */
void exchange_host_init(struct exchange_host *host, const struct http_server_options *options);
/* All exchanges are gone. */
void exchange_host_done(struct exchange_host *host);

/* For a first line with this target. NULL when out of memory. */
struct exchange *exchange_new(struct exchange_host *host,
                              struct connection *connection,
                              void *handle,
                              const char *target);

/* How much the answer's body will take on the wire. */
size_t exchange_answer_bytes(const struct exchange *exchange);

/* Writes the access log. `is_whole`: the answer was sent to its end. */
void exchange_free(struct exchange *exchange, bool is_whole);

/* The fields are in exchange->head; `head_err` is what they said. */
MUST_CHECK enum exchange_next exchange_head(struct exchange *exchange, enum err head_err);
MUST_CHECK enum exchange_next
exchange_body(struct exchange *exchange, const void *bytes, size_t size_bytes);
MUST_CHECK enum exchange_next exchange_arrived(struct exchange *exchange);

/* The connection is suspended. The exchange belongs to the lane from here until host->resume. */
void exchange_submit(struct exchange *exchange);

/* Is this the connection's last answer? */
bool exchange_must_close(const struct exchange *exchange);

#endif
