/* SPDX-License-Identifier: MIT
 *
 * The running userauth-svc: everything that lives as long as the process, built in dependency order
 * by app_new and undone in reverse by app_free. Handlers get it as their first argument and read
 * it; what changes in it is atomic. */
#ifndef NOTES_APP_H
#define NOTES_APP_H

#include <stddef.h>

#include "auth/api_keys.h"
#include "auth/login.h"
#include "auth/password.h"
#include "auth/throttle.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/secret.h"
#include "service/health.h"

struct config;
struct ctx;
struct db;
struct housekeeping;
struct http_server;
struct log;
struct workers;

/* Places in health.names. */
enum app_dependency { APP_DATABASE };

struct app {
    const struct config *config;
    struct log *log;
    struct health health;
    struct api_keys keys;
    struct password_settings passwords;
    struct secret decoy_key; /* see decoy.h */
    struct throttle_limits throttle_limits;
    struct login_rules login_rules;    /* of the three above */
    struct lanes *lanes;               /* database connections, one per thread */
    _Atomic int has_new_throttle_rows; /* set by whoever counts a try, cleared by housekeeping */
    struct workers *workers;
    struct workers *hash_workers;
    struct housekeeping *housekeeping;
    struct http_server *server;
};

/* Errors: a line for people in ctx->why.text. Owns: the caller, who calls app_free. */
MUST_CHECK enum err
app_new(struct ctx *ctx, const void *config, struct log *log, struct app **out_app);
void app_free(struct app *app);

struct http_server *app_server(struct app *app);
void app_set_draining(struct app *app);

/* Once a second on the main thread: hands due housekeeping to a worker. Never blocks. */
void app_tick(struct app *app);

#endif
