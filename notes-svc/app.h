/* SPDX-License-Identifier: MIT
 *
 * The running notes-svc: everything that lives as long as the process, built in dependency order by
 * app_new and undone in reverse by app_free. Handlers get it as their first argument and read it;
 * what changes in it has a lock of its own. */
#ifndef NOTES_APP_H
#define NOTES_APP_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/cache.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/secret.h"
#include "page/ways.h"
#include "service/health.h"
#include "site.h"

struct asset_store;
struct bus;
struct config;
struct ctx;
struct group_commit;
struct housekeeping;
struct http_server;
struct hub;
struct lanes;
struct log;
struct places;
struct providers;
struct rate;
struct userauth_client;
struct workers;

/* Places in health.names. */
enum app_dependency { APP_DATABASE, APP_USER_SERVICE, APP_REDIS };

struct app {
    const struct config *config;
    struct log *log;
    struct health health;
    struct lanes *lanes; /* connections and HTTP clients, one of each per thread */
    struct asset_store *assets;
    struct userauth_client *userauth;
    struct providers *providers;  /* NULL when none is configured */
    struct ways ways;             /* made of them */
    struct rate *login_failures;  /* by address; what this process saw of them */
    struct rate *writes;          /* by user */
    struct rate *writes_told;     /* by user: lines of the log about too many of them */
    struct rate *provider_starts; /* sign-ins begun at a provider, by address; NULL without one */
    struct secret device_key; /* signs device cookies; the same for all processes of a database */
    struct site site;         /* made of it */
    struct trust trust;       /* in what is kept of the next two */
    struct cache *pages;      /* shared_page.h */
    struct cache *sessions;   /* session_cache.h */
    struct group_commit *comment_commits;
    _Atomic int far_lists_count; /* pages of the list far behind that are read now */
    struct workers *workers;
    struct places *places; /* for live sockets */
    struct hub *hub;
    struct bus *bus;               /* to the other processes; NULL without Redis */
    struct workers *writers;       /* for what changes notes, and so waits for a disk */
    struct workers *large_workers; /* for what comes with a large body */
    struct workers *slow_workers;  /* for calls to userauth-svc that take long */
    struct http_server *server;
    struct housekeeping *housekeeping;
};

/* Errors: a line for people in ctx->why.text. Owns: the caller, who calls app_free. */
MUST_CHECK enum err
app_new(struct ctx *ctx, const void *config, struct log *log, struct app **out_app);
void app_free(struct app *app);

/* Keeps a second process off the same SQLite file for as long as this one lives; a server needs
 * nothing. Errors: ERR_CONFLICT another one has it. */
MUST_CHECK enum err app_lock_database(struct ctx *ctx, const struct config *config);

struct http_server *app_server(struct app *app);
void app_set_draining(struct app *app);

/* Once a second on the main thread: hands due housekeeping to a worker. Never blocks. */
void app_tick(struct app *app);

#endif
