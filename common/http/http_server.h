/* SPDX-License-Identifier: MIT
 *
 * The HTTP server: event loops that never block, in front of worker lanes. The only file that knows
 * libmicrohttpd.
 *
 * A request's way: the loop reads it (bounded, under a deadline) → router → loop-lane handlers run
 * at once, and so does a route's `cached`; others are suspended and handed to their lane, whose
 * thread runs guard and handler, and resumed → the answer is written from the request's own memory,
 * or from shared memory, without copying → access log.
 *
 * Order of calls: http_server_new → http_server_tick once a second → http_server_send_away, where
 * there is time for it → http_server_drain → http_server_free. Threads: these from the main thread.
 * Guard, handler and render_error run on any lane. */
#ifndef NOTES_HTTP_SERVER_H
#define NOTES_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "http/http_message.h"
#include "http/router.h"

struct app;
struct ctx;
struct db;
struct http_client;
struct http_server;
struct log;
struct workers;

/* Over-long bodies are read and dropped up to here, so that the client sees the 413; beyond, the
 * connection is closed. */
#define HTTP_DRAIN_MAX_BYTES  ((size_t)8 * 1024 * 1024)
#define HTTP_TARGET_MAX_BYTES 8192
#define HTTP_BODIES_MAX_BYTES \
    ((size_t)256 * 1024 * 1024)                     /* of all requests together; beyond: 503 */
#define HTTP_BODY_LARGE_BYTES   ((size_t)32 * 1024) /* beyond: LANE_LARGE, where there is one */
#define HTTP_ANSWER_LARGE_BYTES ((size_t)256 * 1024)
#define HTTP_ANSWER_SMALL_BYTES ((size_t)8 * 1024) /* the kernel takes it whole, read or not */
#define HTTP_ANSWERS_MAX_BYTES \
    ((size_t)256 * 1024 * 1024) /* of all answers under way but small ones together; beyond: 503 */
#define HTTP_SEND_BYTES_PER_S ((size_t)32 * 1024) /* a client that takes less is cut off */

/* What a lane's thread owns: the `local` of its struct workers. The server puts it into ctx before
 * guard and handler. */
struct lane_local {
    struct db *db;
    struct http_client *http;
    struct redis *redis; /* NULL: none is configured */
};

/* Puts what the thread owns into ctx: `local` is a struct lane_local, or NULL for nothing. */
void lane_lend(struct ctx *ctx, const void *local);

struct http_server_options {
    struct app *app;
    struct log *log;
    const char *listen; /* an IPv4 or IPv6 address */
    int64_t port;       /* 0: the system chooses; see http_server_port */
    int64_t loops;
    int64_t connections_max_count;
    int64_t connections_per_address_count; /* 0: no limit; trusted proxies are exempt */
    int64_t upgraded_max_count; /* sockets that leave HTTP and stay open; 0: no route upgrades */
    int64_t idle_timeout_s;     /* keep-alive, and writing to a client that does not read */

    /* A whole request must have arrived by then: 408. An answer must be taken in this time and one
     * second for each HTTP_SEND_BYTES_PER_S. */
    int64_t read_timeout_s;
    size_t head_max_bytes;       /* of each request, and of a connection's memory */
    size_t bodies_max_bytes;     /* of all requests together, 0: HTTP_BODIES_MAX_BYTES */
    size_t answers_max_bytes;    /* of all but small answers together, 0: HTTP_ANSWERS_MAX_BYTES */
    int64_t request_deadline_ms; /* handlers' budget from the request's last byte */
    const struct networks *trusted;
    struct router router;

    /* NULL: no route may use it. A request whose body is over HTTP_BODY_LARGE_BYTES takes many
     * times as much while it is worked on: the threads of LANE_LARGE bound how many there are. What
     * belongs to LANE_SLOW stays there, or it would hold them up by what it waits for. */
    struct workers *lanes[LANES_COUNT];

    /* Protection and lane for GET and HEAD that match no row, so that the error's page knows who
     * asks; its handler is not called. NULL: answered at once, on the loop. */
    const struct route *unrouted;

    /* Who asks, as far as it is known without I/O: sets rq->session and ctx->user for a route's
     * `cached`, on the event loop. False: it is not known. NULL: no route is answered from a cache.
     */
    bool (*recall)(struct app *app, struct ctx *ctx, struct http_request *rq);

    /* Runs before the handler, on its lane. It may set rq->session, ctx->user. Anything but ERR_OK
     * ends the request with render_error, unless it has answered itself (rs->status set). */
    enum err (*guard)(struct app *app,
                      struct ctx *ctx,
                      struct http_request *rq,
                      struct http_response *rs);

    /* Makes the answer for an error of the server, guard or handler. rs is empty. Must not block:
     * runs on loops too. */
    void (*render_error)(struct app *app,
                         struct ctx *ctx,
                         const struct http_request *rq,
                         enum err err,
                         struct http_response *rs);

    /* Adds the service's standing fields (security headers) to an answer that is not prepared. Of
     * the request, method, route and client may be all that is left. */
    void (*decorate)(struct app *app,
                     struct ctx *ctx,
                     const struct http_request *rq,
                     struct http_response *rs);
};

/* Binds and starts. Errors: ERR_UNAVAILABLE with one line for people in ctx->why.text ("can't
 * listen on ...: ..."). */
MUST_CHECK enum err http_server_new(struct ctx *ctx,
                                    const struct http_server_options *options,
                                    struct http_server **out_server);

/* The port that it listens on. */
int64_t http_server_port(const struct http_server *server);

/* Once a second: closes connections whose request arrives or whose answer leaves too slowly,
 * expires queued work. */
void http_server_tick(struct http_server *server);

/* From here on each answer says "Connection: close", so that clients which keep their connections
 * move to another replica; all else goes on as before. */
void http_server_send_away(struct http_server *server);

/* The same, and stops accepting; running requests finish. Waits at most wait_ms. Returns how many
 * requests were still running then. */
size_t http_server_drain(struct http_server *server, int64_t wait_ms);

/* After drain. Closes what is left, once lanes have given back what they have: their requests'
 * deadlines bound that. */
void http_server_free(struct http_server *server);

/* A whole answer, made once and shared by all who ask (assets, pages). Owns: the caller, until no
 * answer uses it: after http_server_free, or in the end of what rs->holds. `body` is borrowed for
 * as long. */
struct http_prepared *http_prepared_new(int status,
                                        const struct http_field *fields,
                                        size_t fields_count,
                                        struct bytes body);
void http_prepared_free(struct http_prepared *prepared);

/* For the logs' bytes figure. */
size_t http_prepared_size_bytes(const struct http_prepared *prepared);
int http_prepared_status(const struct http_prepared *prepared);

/* "GNU libmicrohttpd 0.9.75": for --version. */
const char *http_server_library(void);

#endif
