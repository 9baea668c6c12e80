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
#include "page/asset_handlers.h"
#include "page/page.h"
#include "routes.h"
#include "service/service.h"
#include "session/session_store.h"
#include "session/userauth_client.h"

#define WORKER_START_MS 5000
#define LOOPS_MAX_COUNT 64

/* Made by tools/compile_sql.py. */
extern const struct migrations notes_migrations;
extern const struct migrations notes_migrations_mysql;

/* ---- what each worker owns ---- */

static void *local_new(void *owner)
{
    const struct app *app = owner;
    struct lane_local *local = calloc(1, sizeof(*local));
    if (!local)
        abort();
    struct ctx ctx;
    ctx_init(&ctx, app->log, WORKER_START_MS);
    struct db_options options = app->config->database.options;
    options.lock_wait_ms = WORKER_START_MS;
    options.can_connect_later = true;
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
    const char *path = config->database.path;
    if (!path)
        return ERR_OK; /* a server's data is shared */
    enum err err = service_state_dir(ctx, config->state_dir);
    if (err)
        return err;
    err = service_lock_file(ctx, arena_format(&ctx->arena, "%s.lock", path));
    if (err != ERR_CONFLICT)
        return err;
    ctx_forgive(ctx);
    return ctx_fail(ctx, ERR_CONFLICT, "%s is in use by another notes-svc", path);
}

static enum err open_database(struct ctx *ctx, struct app *app)
{
    CLEANUP(db_close_ptr) struct db *db = NULL;
    const struct migrations *migrations =
        app->config->database.path ? &notes_migrations : &notes_migrations_mysql;
    struct db_options options = app->config->database.options;
    options.lock_wait_ms = WORKER_START_MS;
    int64_t applied = 0;
    enum err err = db_open(ctx, &options, &db);
    if (err || (err = migrate_run(ctx, db, migrations, &applied)))
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
    workers_free(app->workers);
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
