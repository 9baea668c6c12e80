/* SPDX-License-Identifier: MIT
 *
 * Who looks after the processes asks also while a start lasts, and would end one that is silent. So
 * a start that takes longer than START_QUIET_MS is answered for by a small server with health's
 * routes only; what else is asked is 503. A start that is quicker never opens the port twice, so
 * that nobody meets these answers in it.
 *
 * Use:  struct start_health meanwhile;
 *       start_health_begin(&meanwhile, &options); ... start_health_end(&meanwhile); */
#ifndef NOTES_START_HEALTH_H
#define NOTES_START_HEALTH_H

#include <pthread.h>
#include <stdbool.h>

#include "http/http_server.h"

#define START_QUIET_MS 1000

struct start_health {
    struct http_server_options options;
    pthread_t thread;
    bool has_thread;
    int end_fd; /* tells the thread to end */
};

/* options: where the service will listen, and a router of routes that need no lane and no guard,
 * for whatever `app` is by now; loops, errors and limits by address are set here. Without a thread
 * or a port to be had nobody is answered; the service's own server will say why. */
void start_health_begin(struct start_health *health, const struct http_server_options *options);

/* The port is free again. */
void start_health_end(struct start_health *health);

#endif
