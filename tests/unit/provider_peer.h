/* SPDX-License-Identifier: MIT
 *
 * A provider that answers what a test has laid down for each path, on the loopback address, and the
 * state of a process that is configured to use it. One connection a request. */
#ifndef NOTES_PROVIDER_PEER_H
#define NOTES_PROVIDER_PEER_H

#include "base/ctx.h"
#include "config.h"
#include "http/form.h"
#include "provider/provider_parts.h"
#include "site.h"

#include "unit.h"

#include <pthread.h>

#define PEER_PAGES_MAX_COUNT    16
#define PEER_REQUESTS_MAX_COUNT 64
#define PEER_REQUEST_MAX_BYTES  8192
#define PEER_URL_BYTES          64

enum peer_status {
    PEER_SILENT = 0, /* takes the request and says nothing */
};

struct peer_page {
    const char *path;
    int status;
    const char *fields; /* more lines, each ended by CRLF; "" */
    const char *body;   /* must live until peer_stop */
};

struct peer {
    int listen_fd;
    pthread_t thread;
    char url[PEER_URL_BYTES]; /* "http://127.0.0.1:PORT" */
    pthread_mutex_t lock;     /* of all below */
    struct peer_page pages[PEER_PAGES_MAX_COUNT];
    size_t pages_count;
    char requests[PEER_REQUESTS_MAX_COUNT][PEER_REQUEST_MAX_BYTES];
    size_t requests_count;
    int silent_fds[PEER_REQUESTS_MAX_COUNT];
    size_t silent_count;
};

void peer_start(struct peer *peer);
void peer_stop(struct peer *peer);

/* From now on this path answers so; a path that has no page answers 404. */
void peer_page(struct peer *peer, const char *path, int status, const char *body);
void peer_page_with(struct peer *peer, const struct peer_page *page);

/* Requests of that path so far, and the last of them: "" when there is none. */
size_t peer_count(struct peer *peer, const char *path);
const char *peer_last(struct ctx *ctx, struct peer *peer, const char *path);

/* ---- our side ---- */

struct side {
    struct ctx ctx;
    struct config config;
    struct site site;
    struct providers *providers;
    struct peer peer;
};

/* Sets up *state: a peer, and a configuration with Twitter and OpenID Connect at it. */
int side_setup(void **state);
int side_teardown(void **state);

/* Reads the configuration anew, and forgets all that was kept and noted. */
void side_restart(struct side *side);

/* The value of a parameter of a location or a form, decoded; NULL: none. */
const char *parameter_of(struct ctx *ctx, const char *text, const char *name);

/* Begins a sign-in that wants to return to "/next". */
enum provider_failure
side_begin(struct side *side, enum provider_which which, struct provider_departure *out);

/* Comes back with this query. */
enum provider_failure side_finish(struct side *side,
                                  enum provider_which which,
                                  const char *query,
                                  const char *cookie,
                                  struct provider_arrival *out);

#endif
