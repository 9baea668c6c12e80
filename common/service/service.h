/* SPDX-License-Identifier: MIT
 *
 * The life of a service process, the same for both: command line, settings, start, the second's
 * tick, drain, end. A service gives its table of settings and four functions; this file does the
 * rest.
 *
 * SIGTERM and SIGINT end a start at once (start.h). Later they drain: /readyz fails and each answer
 * closes its connection, DRAIN_DELAY_MS pass (a proxy must notice), new connections are refused,
 * running requests finish (DRAIN_WAIT_MS at most; one that a lane has begun is never dropped, and
 * may take until its deadline), exit 0. A second signal ends at once. SIGPIPE is ignored. */
#ifndef NOTES_SERVICE_H
#define NOTES_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/err.h"
#include "base/log.h"

struct app;
struct ctx;
struct http_server;
struct router;
struct service_settings;

enum service_exit {
    SERVICE_EXIT_OK = 0,
    SERVICE_EXIT_FAILED = 1,
    SERVICE_EXIT_USAGE = 2,
    SERVICE_EXIT_UNREACHABLE = 3, /* of a tool that needs another's data */
};

#define SERVICE_TICK_MS 1000

/* In the help of a tool: the end of a line, and the column where the next one begins. */
#define SERVICE_HELP_BREAK "\n                    "

/* A piece of administration that needs the settings and the data but not the running service. */
struct service_tool {
    const char *name;     /* "--restore" */
    const char *argument; /* what follows it, for --help: "KEY" */
    const char *help;
    const char *done; /* printed when it worked */
    enum err (*run)(struct ctx *ctx, const void *config, const char *argument);
    /* Longer work instead of `run` and `done`: it prints by itself and gives the exit code. */
    int (*work)(const void *config, const char *argument, bool has_flag);
    const char *flag; /* may come besides, anywhere: "--dry-run"; only with `work`; NULL: none */
};

struct service {
    const char *name;      /* "notes-svc" */
    const char *summary;   /* one line for --help */
    const char *libraries; /* for --version, besides those that both services use; NULL: none */
    const struct setting *settings;
    size_t settings_count;
    void *config;                          /* zeroed storage that the table describes */
    const struct service_settings *common; /* in it */
    const struct router *router;           /* for --print-routes */

    const struct service_tool *tools; /* NULL: none */
    size_t tools_count;

    /* Further checks and derived values, after the table's own; adds faults. */
    void (*config_check)(void *config, struct env_faults *faults);

    /* Builds the program and starts its server. On failure ctx->why.text is one line for people. */
    enum err (*app_new)(struct ctx *ctx, const void *config, struct log *log, struct app **out_app);
    struct http_server *(*app_server)(struct app *app);
    void (*app_set_draining)(struct app *app);
    void (*app_tick)(struct app *app); /* once a second, on the main thread; must not block */
    void (*app_free)(struct app *app); /* the server has drained */
};

/* The whole of main(). Returns the exit code. */
int service_main(const struct service *service, int argc, char **argv);

/* Makes a folder (0700) with its parents when missing, and checks that files can be made in it.
 * Errors: ERR_UNAVAILABLE with a line for people in ctx->why.text. */
MUST_CHECK enum err service_state_dir(struct ctx *ctx, const char *path);

/* Takes the lock file for good (until the process ends). Errors: ERR_CONFLICT another process has
 * it; ERR_UNAVAILABLE. */
MUST_CHECK enum err service_lock_file(struct ctx *ctx, const char *path);

#endif
