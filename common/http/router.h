/* SPDX-License-Identifier: MIT
 *
 * The routes of a service, as one table: who may call (protection), where the handler runs (lane),
 * how large a body may be, of which type. A row without a stated protection or lane is refused at
 * start. Pure. */
#ifndef NOTES_ROUTER_H
#define NOTES_ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "http/http_message.h"

struct app;

/* What the service's guard asks before the handler runs. */
enum protection {
    PROTECTION_UNSTATED, /* refused at start */
    PROTECTION_NONE, /* everybody; for unsafe methods the guard still checks Origin (notes-svc) */
    PROTECTION_API_KEY,     /* userauth-svc: HTTP Basic with an API key */
    PROTECTION_VIEWER,      /* notes-svc: everybody; the session is read if there is one */
    PROTECTION_SESSION,     /* notes-svc: signed in; unsafe methods need the form token as well */
    PROTECTION_SERVICE_KEY, /* notes-svc: HTTP Basic with the key of userauth-svc; no browser */
};

enum lane {
    LANE_UNSTATED, /* refused at start */
    LANE_LOOP,     /* on the event loop: never blocks */
    LANE_WORKER,   /* on a worker: may block until the deadline */
    LANE_WRITER,   /* the same, for what waits for a disk; so that reading never does */
    LANE_SLOW,     /* on a small lane of its own for what takes long: hashing passwords, calls to
                      another service; so it can't starve the rest */
    LANE_LARGE,    /* no row states it: what comes with a large body goes there from its row's lane,
                      unless that is the slow one */
    LANES_COUNT,
};

enum body_type { BODY_NONE, BODY_JSON, BODY_FORM };

typedef enum err (*handler_fn)(struct app *app,
                               struct ctx *ctx,
                               const struct http_request *rq,
                               struct http_response *rs);

/* Answers from a cache, on the event loop, before the lane is asked. False: it is not there, and
 * nothing was done. */
typedef bool (*cached_fn)(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs);

/* One of several requests for a route that waited for the same worker. */
struct fetch {
    struct ctx *ctx;
    struct http_request *rq;
};

/* Reads for all of them at once what each one's handler would read, and leaves it in rq->fetched,
 * in the arena of each. What can't be read is left to the handlers, and so is the failure. After
 * the guard, on the lane. Units: count 2..WORKERS_TOGETHER_MAX_COUNT. */
typedef void (*fetch_fn)(struct app *app, const struct fetch *items, size_t count);

struct route {
    enum http_method method;
    const char *pattern; /* "/find/:username"; a last "/…" segment of the form "*name" takes the
                            rest of the path */
    enum protection protection;
    enum lane lane;
    enum body_type body_type;
    size_t body_max_bytes; /* BODY_NONE: bodies are read up to BODY_NONE_MAX_BYTES and ignored */
    cached_fn cached;      /* NULL: the lane answers always */
    fetch_fn fetch;        /* NULL: each request is served by itself */
    handler_fn handler;
};

#define BODY_NONE_MAX_BYTES 65536

struct router {
    const struct route *routes;
    size_t count;
};

/* First fault of the table as text, or NULL: unstated protection or lane, two rows for one method
 * and pattern, a loop-lane row with a protection that needs I/O, a cached answer where there must
 * be none, a pattern without a slash, an unknown parameter form. */
const char *router_fault(const struct router *router);

/* Finds the row and fills rq->route and rq->params. HEAD finds GET rows.
 * `path` still is percent-encoded, so that "%2F" in a parameter is no separator; parameters are
 * decoded. Errors: ERR_NOT_FOUND no such path; ERR_METHOD the path exists for other methods;
 * ERR_INVALID a parameter is not valid percent-encoded UTF-8. */
MUST_CHECK enum err router_find(const struct router *router,
                                struct ctx *ctx,
                                const char *path,
                                struct http_request *rq);

/* "GET, HEAD, POST": the Allow field for a path; "" when the path is unknown. In the arena. */
const char *router_allow(const struct router *router, struct ctx *ctx, const char *path);

/* A head that begins with "# ", then one line a row: METHOD PATTERN PROTECTION LANE BODY_MAX_BYTES.
 * A lane that a cache is asked before is "cache+worker". */
void router_print(FILE *out, const struct router *router);

#endif
