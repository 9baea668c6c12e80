/* SPDX-License-Identifier: MIT
 *
 * Puts notes-svc together, part by part in dependency order, and takes it apart in reverse. Nothing
 * here knows a route, a page or SQL. Depends on: everything. */
#include "app.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/rate.h"
#include "base/text.h"
#include "base/workers.h"
#include "config.h"
#include "data/db.h"
#include "data/migrate.h"
#include "guard.h"
#include "housekeeping.h"
#include "http/http_client.h"
#include "http/http_server.h"
#include "live/hub.h"
#include "live/live_jobs.h"
#include "live/places.h"
#include "page/asset_handlers.h"
#include "page/page.h"
#include "routes.h"
#include "service/service.h"
#include "session/session_store.h"
#include "session/userauth_client.h"

#define SQLITE_PREFIX   "sqlite:"
#define WORKER_START_MS 5000
#define LOOPS_MAX_COUNT 64

extern const struct migrations notes_migrations; /* made by tools/compile_sql.py */

/* ---- what each worker owns ---- */

static void *local_new(void *owner)
{
    const struct app *app = owner;
    struct lane_local *local = calloc(1, sizeof(*local));
    if (!local)
        abort();
    struct ctx ctx;
    ctx_init(&ctx, app->log, WORKER_START_MS);
    const struct db_options options = {.url = app->config->database_url,
                                       .lock_wait_ms = WORKER_START_MS};
    if (db_open(&ctx, &options, &local->db))
        log_error(&ctx, "database.open_failed", log_str("why", ctx.why.text));
    local->http = http_client_new();
    ctx_done(&ctx);
    return local;
}

static void local_free(void *pointer)
{
    struct lane_local *local = pointer;
    db_close(local->db);
    http_client_free(local->http);
    free(local);
}

/* ---- standing fields ---- */

/* Source: SPEC section 7; OWASP HTTP headers sheet. */
static void
decorate(struct app *app, struct ctx *ctx, const struct http_request *rq, struct http_response *rs)
{
    (void)ctx;
    (void)rq;
    http_response_field(
        rs, "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
    http_response_field(rs, "X-Content-Type-Options", "nosniff");
    http_response_field(rs, "Referrer-Policy", "same-origin");
    http_response_field(rs, "Permissions-Policy",
                        "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
    http_response_field(rs, "Cross-Origin-Opener-Policy", "same-origin");
    http_response_field(rs, "Cross-Origin-Resource-Policy", "same-origin");
    if (app->config->is_public_https)
        http_response_field(rs, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
}

/* ---- parts ---- */

/* The folder, and the lock that keeps a second process off the same file: caches and events are
 * this process's. */
static enum err open_state(struct ctx *ctx, const struct config *config)
{
    enum err err = service_state_dir(ctx, config->state_dir);
    if (err)
        return err;
    const char *path = config->database_url + sizeof(SQLITE_PREFIX) - 1;
    err = service_lock_file(ctx, arena_format(&ctx->arena, "%s.lock", path));
    if (err != ERR_CONFLICT)
        return err;
    ctx_forgive(ctx);
    return ctx_fail(ctx, ERR_CONFLICT, "%s is in use by another notes-svc", path);
}

static enum err open_database(struct ctx *ctx, struct app *app)
{
    CLEANUP(db_close_ptr) struct db *db = NULL;
    const struct db_options options = {.url = app->config->database_url,
                                       .lock_wait_ms = WORKER_START_MS};
    int64_t applied = 0;
    enum err err = db_open(ctx, &options, &db);
    if (err || (err = migrate_run(ctx, db, &notes_migrations, &applied)))
        return err;
    if (applied)
        log_info(ctx, "database.migrated", log_i64("migrations", applied));
    return session_device_key(ctx, db, &app->device_key);
}

static enum err build_parts(struct ctx *ctx, struct app *app)
{
    if (!http_client_start())
        return ctx_fail(ctx, ERR_UNAVAILABLE, "can't start an HTTP client");
    app->userauth = userauth_client_new(app->config);
    app->login_failures = rate_new(app->config->login_failures_per_min);
    app->writes = rate_new(app->config->writes_per_min);
    app->assets = asset_store_new();
    app->housekeeping = housekeeping_new(app);
    if (!app->userauth || !app->login_failures || !app->writes || !app->assets ||
        !app->housekeeping)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "out of memory");
    app->workers = workers_new(&(struct workers_options){
        .name = "worker",
        .count = app->config->workers,
        .queue_max_count = app->config->queue_limit,
        .local_new = local_new,
        .local_free = local_free,
        .owner = app,
    });
    return app->workers ? ERR_OK
                        : ctx_fail(ctx, ERR_UNAVAILABLE, "can't start %lld workers",
                                   (long long)app->config->workers);
}

static void give_place(struct app *app, void *place)
{
    places_give(app->places, place);
}

/* Twice in the time within which a session of a user who is gone must be found out. */
static enum err build_hub(struct ctx *ctx, struct app *app)
{
    const struct config *config = app->config;
    app->places = places_new(config->live_sockets, config->sockets_per_address);
    app->hub = hub_new(&(struct hub_options){
        .app = app,
        .log = app->log,
        .workers = app->workers,
        .times = {.ping_interval_ms = config->live_ping_interval_ms,
                  .ping_timeout_ms = config->live_ping_timeout_ms},
        .connect_timeout_ms = config->live_connect_timeout_ms,
        .queue_max_bytes = config->live_queue_bytes,
        .check_every_ms = config->user_check_s * 1000 / 2,
        .read = live_read,
        .serve = live_serve,
        .check = live_check,
        .leave = give_place,
    });
    return app->hub ? ERR_OK : ctx_fail(ctx, ERR_UNAVAILABLE, "can't start the live hub");
}

static int64_t loop_count(const struct config *config)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (config->http_loops)
        return config->http_loops;
    return cores < 1 ? 1 : cores > LOOPS_MAX_COUNT ? LOOPS_MAX_COUNT : cores;
}

static enum err start_server(struct ctx *ctx, struct app *app)
{
    const struct config *config = app->config;
    return http_server_new(ctx,
                           &(struct http_server_options){
                               .app = app,
                               .log = app->log,
                               .listen = config->listen,
                               .port = config->port,
                               .loops = loop_count(config),
                               .connections_max_count = config->connection_limit,
                               .connections_per_address_count = config->connections_per_address,
                               .upgraded_max_count = config->live_sockets,
                               .idle_timeout_s = config->idle_timeout_s,
                               .read_timeout_s = config->read_timeout_s,
                               .request_deadline_ms = config->request_deadline_ms,
                               .trusted = &config->trusted,
                               .router = routes,
                               .worker_lane = app->workers,
                               .unrouted = &routes_unrouted,
                               .guard = guard,
                               .render_error = page_error,
                               .decorate = decorate,
                           },
                           &app->server);
}

/* ---- life ---- */

enum err app_new(struct ctx *ctx, const void *config, struct log *log, struct app **out_app)
{
    struct app *app = calloc(1, sizeof(*app));
    if (!app)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "out of memory");
    app->config = config;
    app->log = log;
    app->health.names[APP_DATABASE] = "database";
    app->health.names[APP_USER_SERVICE] = "userauth";
    enum err err = open_state(ctx, app->config);
    if (!err)
        err = open_database(ctx, app);
    if (!err)
        err = build_parts(ctx, app);
    if (!err)
        err = build_hub(ctx, app);
    if (!err)
        err = start_server(ctx, app);
    if (err) {
        app_free(app);
        return err;
    }
    health_set_state(&app->health, HEALTH_READY);
    *out_app = app;
    return ERR_OK;
}

void app_free(struct app *app)
{
    if (!app)
        return;
    http_server_free(app->server);
    hub_stop(app->hub);
    workers_free(app->workers);
    hub_free(app->hub);
    places_free(app->places);
    housekeeping_free(app->housekeeping);
    asset_store_free(app->assets);
    rate_free(app->writes);
    rate_free(app->login_failures);
    userauth_client_free(app->userauth);
    secret_done(&app->device_key);
    free(app);
}

struct http_server *app_server(struct app *app)
{
    return app->server;
}

void app_set_draining(struct app *app)
{
    health_set_state(&app->health, HEALTH_DRAINING);
}

void app_tick(struct app *app)
{
    housekeeping_tick(app->housekeeping);
}
