/* SPDX-License-Identifier: MIT
 *
 * What a start may wait for, and what ends it meanwhile. A database server that is away, refuses us
 * or takes no writes is waited for, as long as it takes: whoever starts services and servers
 * together need not keep an order. Before a service serves there is nothing to drain, so that
 * SIGTERM and SIGINT end it at once, even amid a call that waits.
 *
 * Use:  struct start_guard guard = {0};
 *       start_guard_begin(&guard, log, &ends);
 *       err = build everything, with start_database(...) in it;
 *       start_guard_end(&guard); */
#ifndef NOTES_START_H
#define NOTES_START_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "http/http_server.h"

struct app;
struct ctx;
struct db;
struct db_settings;
struct health;
struct log;

#define START_BUDGET_MS     60000 /* of a try; a migration's own time is not counted (migrate.h) */
#define START_WAIT_FIRST_MS 100   /* between two tries; doubled each time */
#define START_WAIT_MAX_MS   2000

struct start_guard {
    pthread_t thread;
    bool has_thread;
    struct log *log;
    sigset_t ends; /* blocked in every thread */
};

/* Without a thread to be had, a signal waits for the end of the start. */
void start_guard_begin(struct start_guard *guard, struct log *log, const sigset_t *ends);
void start_guard_end(struct start_guard *guard);

struct start_plan {
    struct app *app;
    const struct db_settings *settings;
    const struct db *db;                                   /* that `prepare` works on */
    enum err (*prepare)(struct ctx *ctx, struct app *app); /* migrations, what is made once */
    struct health *health;
    size_t dependency;                    /* the database's place in it */
    struct http_server_options meanwhile; /* for start_health.h */
};

/* Runs `prepare`, for a server again and again while it is ERR_UNAVAILABLE. Each try has a ctx of
 * its own with START_BUDGET_MS; each new reason is one log line, as an error when the server was
 * there and refused us. Health is answered meanwhile. Threads: the main one, before others use
 * `db`. */
MUST_CHECK enum err start_database(struct ctx *ctx, const struct start_plan *plan);

#endif
