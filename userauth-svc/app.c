/* SPDX-License-Identifier: MIT
 *
 * Puts userauth-svc together, part by part in dependency order, and takes it apart in reverse.
 * Nothing here knows a route or SQL. All database connections are opened by the main thread before
 * any worker runs, so that a database that can't be opened often enough stops the start with a line
 * for people instead of leaving a worker without one. Depends on: everything. */
#include "app.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "auth/decoy.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/workers.h"
#include "config.h"
#include "data/db.h"
#include "data/migrate.h"
#include "guard.h"
#include "housekeeping.h"
#include "http/http_server.h"
#include "http/listener.h"
#include "routes.h"
#include "service/service.h"
#include "service/start.h"

#define LOCK_WAIT_MS  5000
#define HASH_NICENESS 5 /* lookups go first */

/* Made by tools/compile_sql.py. */
extern const struct migrations userauth_migrations;
extern const struct migrations userauth_migrations_mysql;

/* ---- what each worker owns ---- */

struct lanes {
    _Atomic size_t taken_count;
    size_t count;
    struct lane_local items[];
};

/* Each new thread takes the next one; there are as many as threads. */
static void *local_new(void *owner)
{
    struct lanes *lanes = ((struct app *)owner)->lanes;
    size_t place = atomic_fetch_add(&lanes->taken_count, 1);
    return place < lanes->count ? &lanes->items[place] : NULL;
}

static void lanes_free(struct lanes *lanes)
{
    for (size_t i = 0; lanes && i < lanes->count; i++)
        db_close(lanes->items[i].db);
    free(lanes);
}

static enum err open_lanes(struct ctx *ctx, struct app *app)
{
    size_t count = (size_t)(app->config->service.workers + app->config->hash_workers);
    int64_t own_files_count = LISTENER_OWN_FILES_COUNT + LISTENER_FILES_PER_WORKER * (int64_t)count;
    enum err err = listener_make_room(ctx, app->config->service.connection_limit, own_files_count);
    if (err)
        return err;
    app->lanes = calloc(1, sizeof(struct lanes) + count * sizeof(struct lane_local));
    if (!app->lanes)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "out of memory");
    app->lanes->count = count;
    struct db_options options = app->config->database.options;
    options.lock_wait_ms = LOCK_WAIT_MS;
    options.can_connect_later = true;
    for (size_t i = 0; i < count && !err; i++)
        err = db_open(ctx, &options, &app->lanes->items[i].db);
    return err;
}

/* ---- parts ---- */

static enum err prepare_database(struct ctx *ctx, struct app *app)
{
    int64_t applied_count = 0;
    const struct migrations *migrations =
        app->config->database.path ? &userauth_migrations : &userauth_migrations_mysql;
    enum err err = migrate_run(ctx, app->lanes->items[0].db, migrations, &applied_count);
    if (!err && applied_count)
        log_info(ctx, "database.migrated", log_i64("migrations", applied_count));
    return err ? err : decoy_key(ctx, app->lanes->items[0].db, &app->decoy_key);
}

static enum err open_database(struct ctx *ctx, struct app *app)
{
    assert(app->lanes); /* the lanes were opened first */
    struct http_server_options meanwhile = service_settings_server(&app->config->service);
    meanwhile.app = app;
    meanwhile.log = app->log;
    meanwhile.router = routes_of_health;
    return start_database(ctx, &(struct start_plan){.app = app,
                                                    .settings = &app->config->database,
                                                    .db = app->lanes->items[0].db,
                                                    .prepare = prepare_database,
                                                    .health = &app->health,
                                                    .dependency = APP_DATABASE,
                                                    .meanwhile = meanwhile});
}

/* Old deployments may have such keys, so they are no reason not to start. */
static void warn_of_short_keys(const struct app *app, const struct ctx *ctx)
{
    for (size_t i = 0; i < app->keys.count; i++) {
        const struct api_key *key = &app->keys.items[i];
        size_t key_chars = key->credentials.size_bytes - strlen(key->name) - 1;
        if (key_chars < API_KEY_STRONG_CHARS)
            log_warn(ctx, "key.is_short", log_str("name", key->name));
    }
}

static enum err load_keys(struct ctx *ctx, struct app *app)
{
    const struct config *config = app->config;
    if (secret_is_set(&config->api_keys)) {
        const char *reason = api_keys_parse(&ctx->arena, config->api_keys.text, &app->keys);
        warn_of_short_keys(app, ctx);
        return reason ? ctx_fail(ctx, ERR_INVALID, "API_KEYS: %s", reason) : ERR_OK;
    }
    bool is_new = false;
    enum err err = api_keys_from_file(ctx, config->key_path, &app->keys, &is_new);
    if (!err && is_new)
        log_info(ctx, "key.created", log_str("name", API_KEY_GENERATED_NAME),
                 log_str("path", config->key_path));
    return err;
}

static enum err start_workers(struct ctx *ctx, struct app *app)
{
    struct workers_options options = {
        .name = "worker",
        .count = app->config->service.workers,
        .queue_max_count = app->config->service.queue_limit,
        .local_new = local_new,
        .owner = app,
    };
    app->workers = workers_new(&options);
    options.name = "hash";
    options.count = app->config->hash_workers;
    options.niceness = HASH_NICENESS;
    app->hash_workers = app->workers ? workers_new(&options) : NULL;
    app->housekeeping = housekeeping_new(app);
    return app->hash_workers && app->housekeeping
               ? ERR_OK
               : ctx_fail(ctx, ERR_UNAVAILABLE, "can't start the workers");
}

static enum err start_server(struct ctx *ctx, struct app *app)
{
    static const struct networks no_proxies;
    struct http_server_options options = service_settings_server(&app->config->service);
    options.app = app;
    options.log = app->log;
    options.trusted = &no_proxies;
    options.router = routes;
    options.lanes[LANE_WORKER] = app->workers;
    options.lanes[LANE_SLOW] = app->hash_workers;
    options.guard = guard;
    options.render_error = guard_render_error;
    options.decorate = guard_decorate;
    return http_server_new(ctx, &options, &app->server);
}

/* ---- life ---- */

static enum err build(struct ctx *ctx, struct app *app)
{
    const struct config *config = app->config;
    password_settings_init(&app->passwords, config->password_memory_kib, config->password_passes);
    app->throttle_limits =
        (struct throttle_limits){.client_failures_count = config->throttle_failures,
                                 .name_failures_count = config->throttle_failures_of_name,
                                 .wait_max_s = config->throttle_wait_max_s};
    app->login_rules = (struct login_rules){.passwords = &app->passwords,
                                            .decoy_key = &app->decoy_key,
                                            .throttle = &app->throttle_limits};
    enum err err =
        config->needs_state_dir ? service_state_dir(ctx, config->service.state_dir) : ERR_OK;
    if (!err)
        err = load_keys(ctx, app);
    if (!err)
        err = open_lanes(ctx, app);
    if (!err)
        err = open_database(ctx, app);
    if (!err)
        err = start_workers(ctx, app);
    if (!err)
        err = start_server(ctx, app);
    return err;
}

enum err app_new(struct ctx *ctx, const void *config, struct log *log, struct app **out_app)
{
    struct app *app = calloc(1, sizeof(*app));
    if (!app)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "out of memory");
    app->config = config;
    app->log = log;
    app->health.names[APP_DATABASE] = "database";
    enum err err = build(ctx, app);
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
    workers_free(app->hash_workers);
    workers_free(app->workers);
    housekeeping_free(app->housekeeping);
    lanes_free(app->lanes);
    secret_done(&app->decoy_key);
    api_keys_done(&app->keys);
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
