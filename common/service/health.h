/* SPDX-License-Identifier: MIT
 *
 * /healthz and /readyz: what a load balancer and a person ask. Dependencies are a fixed list of
 * names with their last known state, set by whoever used them last or by a periodic probe; reading
 * never blocks. /healthz is 200 while the process runs. /readyz is 503 only before the first
 * complete start and while draining: a lost dependency is told in the body, but must not take every
 * replica out of service at once. Threads: any. */
#ifndef NOTES_HEALTH_H
#define NOTES_HEALTH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct http_response;

#define HEALTH_DEPENDENCIES_MAX_COUNT 4

enum health_state { HEALTH_STARTING, HEALTH_READY, HEALTH_DRAINING };

enum health_dependency {
    HEALTH_OK,
    HEALTH_LOST,    /* it does not answer */
    HEALTH_REFUSED, /* it answers, and does not let us in: waiting brings nothing */
};

struct health {
    _Atomic int state;
    const char
        *names[HEALTH_DEPENDENCIES_MAX_COUNT]; /* NULL ends the list; set before any thread */
    _Atomic int dependencies[HEALTH_DEPENDENCIES_MAX_COUNT]; /* enum health_dependency */
};

/* Returns true when the state of the dependency is another than before: worth one log line. */
bool health_note(struct health *health, size_t dependency, enum health_dependency state);
void health_set_state(struct health *health, enum health_state state);

MUST_CHECK enum err health_live(struct ctx *ctx, struct http_response *rs);
MUST_CHECK enum err
health_ready(struct ctx *ctx, const struct health *health, struct http_response *rs);

#endif
