/* SPDX-License-Identifier: MIT
 *
 * Puts notes-svc together, part by part in dependency order, and takes it apart in reverse. Nothing
 * here knows a route, a page or SQL. All database connections are opened by the main thread before
 * any worker runs, so that a database that can't be opened often enough stops the start with a line
 * for people instead of leaving a worker without one. Depends on: everything. */
#include "app.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/rate.h"
#include "base/text.h"
#include "base/workers.h"
#include "config.h"
#include "data/db.h"
#include "data/group_commit.h"
#include "data/migrate.h"
#include "data/redis.h"
#include "guard.h"
#include "housekeeping.h"
#include "http/http_client.h"
#include "http/http_server.h"
#include "http/listener.h"
#include "live/bus.h"
#include "live/hub.h"
#include "live/live_jobs.h"
#include "live/places.h"
#include "note/note_purge_store.h"
#include "page/asset_handlers.h"
#include "page/page.h"
#include "provider/provider.h"
#include "routes.h"
#include "service/service.h"
#include "service/start.h"
#include "session/session_store.h"
#include "session/userauth_client.h"

#define LOCK_WAIT_MS 5000

/* Saving 1 MiB of text that was made for it takes up to 75 MB: in MD4C, or as the page that says
 * what is wrong with it. */
#define LARGE_WORKERS_COUNT 2

/* An address may begin so many more sign-ins at a provider than it may fail: many people behind one
 * address begin at once, and few of them fail. */
#define STARTS_PER_FAILURE 6

/* Who writes too much on a live socket needs no line of the log for each try. */
#define WRITES_TOLD_PER_MIN 1

/* Made by tools/compile_sql.py. */
extern const struct migrations notes_migrations;
extern const struct migrations notes_migrations_mysql;

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
    for (size_t i = 0; lanes && i < lanes->count; i++) {
        db_close(lanes->items[i].db);
        http_client_free(lanes->items[i].http);
        redis_free(lanes->items[i].redis);
    }
    free(lanes);
}

static enum err open_lane(struct ctx *ctx,
                          const struct db_options *options,
                          const struct redis_options *redis,
                          struct lane_local *lane)
{
    enum err err = db_open(ctx, options, &lane->db);
    if (err)
        return err;
    lane->http = http_client_new();
    lane->redis = redis->is_set ? redis_new(redis) : NULL; /* connects when it is first used */
    bool is_whole = lane->http && (lane->redis || !redis->is_set);
    return is_whole ? ERR_OK : ctx_fail(ctx, ERR_UNAVAILABLE, "out of memory");
}

/* Of all lanes. */
static int64_t workers_count(const struct config *config)
{
    return config->service.workers + config->writers + LARGE_WORKERS_COUNT + config->login_workers;
}

static enum err open_lanes(struct ctx *ctx, struct app *app)
{
    const struct config *config = app->config;
    int64_t count = workers_count(config);
    int64_t own_files_count = LISTENER_OWN_FILES_COUNT + LISTENER_FILES_PER_WORKER * count;
    enum err err = listener_make_room(ctx, config->service.connection_limit + config->live_sockets,
                                      own_files_count);
    if (err)
        return err;
    if (!http_client_start())
        return ctx_fail(ctx, ERR_UNAVAILABLE, "can't start an HTTP client");
    app->lanes = calloc(1, sizeof(struct lanes) + (size_t)count * sizeof(struct lane_local));
    if (!app->lanes)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "out of memory");
    app->lanes->count = (size_t)count;
    struct db_options options = config->database.options;
    options.lock_wait_ms = LOCK_WAIT_MS;
    options.can_connect_later = true;
    for (size_t i = 0; i < app->lanes->count && !err; i++)
        err = open_lane(ctx, &options, &config->redis.options, &app->lanes->items[i]);
    return err;
}

/* ---- parts ---- */

DEFINE_CLEANUP(char *, free)

/* Keeps a second process off the same file, whatever name it knows it by: caches and events are
 * this process's. The file is there: the lanes have opened it. */
enum err app_lock_database(struct ctx *ctx, const struct config *config)
{
    const char *path = config->database.path;
    if (!path)
        return ERR_OK; /* a server's data is shared */
    CLEANUP(free_ptr) char *real_path = realpath(path, NULL);
    if (!real_path)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "can't follow %s: %s", path, strerrordesc_np(errno));
    enum err err = service_lock_file(ctx, arena_format(&ctx->arena, "%s.lock", real_path));
    if (err != ERR_CONFLICT)
        return err;
    ctx_forgive(ctx);
    return ctx_fail(ctx, ERR_CONFLICT, "%s is in use by another notes-svc", path);
}

/* A purge of what was destroyed before there was time finds nothing, and tells what it goes
 * without. Its failure is no failure of the start. */
static void tell_if_old(struct ctx *ctx, struct db *db)
{
    struct note_purge purge = {0};
    if (note_purge_destroyed(ctx, db, 0, 1, &purge))
        ctx_forgive(ctx);
    else if (purge.has_no_skip)
        log_warn(ctx, "database.old",
                 log_str("why", "the server has no SKIP LOCKED, which MySQL has since 8.0 and "
                                "MariaDB since 10.6: each comment is committed by itself"));
}

static enum err prepare_database(struct ctx *ctx, struct app *app)
{
    assert(app->lanes); /* the lanes were opened first */
    struct db *db = app->lanes->items[0].db;
    const struct migrations *migrations =
        app->config->database.path ? &notes_migrations : &notes_migrations_mysql;
    int64_t applied = 0;
    enum err err = app_lock_database(ctx, app->config);
    if (err || (err = migrate_run(ctx, db, migrations, &applied)))
        return err;
    if (applied)
        log_info(ctx, "database.migrated", log_i64("migrations", applied));
    if ((err = session_device_key(ctx, db, &app->device_key)))
        return err;
    site_init(&app->site, (struct bytes){.p = (const unsigned char *)app->device_key.text,
                                         .n = app->device_key.size_bytes});
    tell_if_old(ctx, db);
    return ERR_OK;
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

static enum err build_parts(struct ctx *ctx, struct app *app)
{
    app->userauth = userauth_client_new(app->config);
    app->login_failures = rate_new(app->config->login_failures_per_min);
    app->writes = rate_new(app->config->writes_per_min);
    app->writes_told = rate_new(WRITES_TOLD_PER_MIN);
    app->assets = asset_store_new();
    app->pages = cache_new((size_t)app->config->page_cache_bytes, &app->trust);
    app->sessions = cache_new((size_t)app->config->session_cache_bytes, &app->trust);
    app->comment_commits = group_commit_new(GROUP_COMMIT_WAIT_MS);
    app->housekeeping = housekeeping_new(app);
    if (!app->userauth || !app->login_failures || !app->writes || !app->assets ||
        !app->comment_commits || !app->housekeeping)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "out of memory");
    enum err err = providers_new(ctx, app->config, &app->site, &app->providers);
    if (err)
        return err;
    ways_init(&app->ways, app->providers);
    app->provider_starts =
        app->providers ? rate_new(app->config->login_failures_per_min * STARTS_PER_FAILURE) : NULL;
    if (app->providers && !app->provider_starts)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "out of memory");
    /* Nobody else changes an SQLite file; of servers' data the bus says when it is heard. */
    if (app->config->database.path && !app->config->redis.options.is_set)
        trust_gain(&app->trust);
    return ERR_OK;
}

/* Its absence stops no start: it is told, and found out later as any other loss. */
static void look_for_redis(struct ctx *ctx, struct app *app)
{
    lane_lend(ctx, &app->lanes->items[0]);
    housekeeping_note_redis(app, ctx);
    lane_lend(ctx, NULL);
}

static enum err start_workers(struct ctx *ctx, struct app *app)
{
    const struct config *config = app->config;
    struct workers_options options = {
        .name = "worker",
        .count = config->service.workers,
        .queue_max_count = config->service.queue_limit,
        .takes_turns = true,
        .local_new = local_new,
        .owner = app,
    };
    app->workers = workers_new(&options);
    options.name = "writer";
    options.count = config->writers;
    app->writers = app->workers ? workers_new(&options) : NULL;
    options.name = "large";
    options.count = LARGE_WORKERS_COUNT;
    options.per_owner_max_count = LARGE_WORKERS_COUNT - 1;
    app->large_workers = app->writers ? workers_new(&options) : NULL;
    options.name = "login";
    options.count = config->login_workers;
    options.per_owner_max_count = 0;
    options.queue_max_count = config->login_queue_limit;
    app->slow_workers = app->large_workers ? workers_new(&options) : NULL;
    return app->slow_workers ? ERR_OK
                             : ctx_fail(ctx, ERR_UNAVAILABLE, "can't start %lld workers",
                                        (long long)workers_count(config));
}

static void give_place(struct app *app, void *place)
{
    places_give(app->places, place);
}

/* Twice in the time within which a session of a user who is gone must be found out. */
static enum err build_hub(struct ctx *ctx, struct app *app)
{
    const struct config *config = app->config;
    app->places = places_new(&(struct places_limits){
        .count = config->live_sockets,
        .per_address_count = config->sockets_per_address,
        .per_session_count = config->sockets_per_session,
    });
    app->hub = hub_new(&(struct hub_options){
        .app = app,
        .log = app->log,
        .workers = app->workers,
        .writers = app->writers,
        .times = {.ping_interval_ms = config->live_ping_interval_ms,
                  .ping_timeout_ms = config->live_ping_timeout_ms},
        .connect_timeout_ms = config->live_connect_timeout_ms,
        .queue_max_bytes = config->live_queue_bytes,
        .messages_per_s = config->live_messages_per_s,
        .check_every_ms = config->user_check_s * 1000 / 2,
        .confirm_every_ms = HUB_CONFIRM_MS,
        .read = live_read,
        .confirm = live_confirm,
        .serve = live_serve,
        .check = live_check,
        .leave = give_place,
    });
    return app->hub ? ERR_OK : ctx_fail(ctx, ERR_UNAVAILABLE, "can't start the live hub");
}

static enum err start_bus(struct ctx *ctx, struct app *app)
{
    const struct redis_options *redis = &app->config->redis.options;
    if (!redis->is_set)
        return ERR_OK;
    app->bus = bus_new(&(struct bus_options){
        .app = app,
        .log = app->log,
        .hub = app->hub,
        .redis = redis,
        .site = &app->site,
    });
    return app->bus ? ERR_OK : ctx_fail(ctx, ERR_UNAVAILABLE, "can't start the live bus");
}

static enum err start_server(struct ctx *ctx, struct app *app)
{
    struct http_server_options options = service_settings_server(&app->config->service);
    options.app = app;
    options.log = app->log;
    options.upgraded_max_count = app->config->live_sockets;
    options.trusted = &app->config->trusted;
    options.router = app->providers ? routes : routes_without_providers;
    options.lanes[LANE_WORKER] = app->workers;
    options.lanes[LANE_WRITER] = app->writers;
    options.lanes[LANE_LARGE] = app->large_workers;
    options.lanes[LANE_SLOW] = app->slow_workers;
    options.unrouted = &routes_unrouted;
    options.guard = guard;
    options.render_error = page_error;
    options.decorate = page_standing_fields;
    options.recall = guard_recall;
    return http_server_new(ctx, &options, &app->server);
}

/* ---- life ---- */

static enum err build(struct ctx *ctx, struct app *app)
{
    bool has_file = app->config->database.path; /* a server needs no folder here */
    enum err err = has_file ? service_state_dir(ctx, app->config->service.state_dir) : ERR_OK;
    if (!err)
        err = open_lanes(ctx, app);
    if (!err)
        err = open_database(ctx, app);
    if (!err)
        err = build_parts(ctx, app);
    if (!err && app->config->redis.options.is_set)
        look_for_redis(ctx, app);
    if (!err)
        err = start_workers(ctx, app);
    if (!err)
        err = build_hub(ctx, app);
    if (!err)
        err = start_bus(ctx, app);
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
    app->health.names[APP_USER_SERVICE] = "userauth";
    if (app->config->redis.options.is_set)
        app->health.names[APP_REDIS] = "redis";
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
    bus_stop(app->bus);
    hub_stop(app->hub);
    workers_free(app->slow_workers);
    workers_free(app->large_workers);
    workers_free(app->writers);
    workers_free(app->workers);
    bus_free(app->bus);
    hub_free(app->hub);
    places_free(app->places);
    housekeeping_free(app->housekeeping);
    group_commit_free(app->comment_commits);
    cache_free(app->sessions);
    cache_free(app->pages);
    asset_store_free(app->assets);
    rate_free(app->provider_starts);
    rate_free(app->writes_told);
    rate_free(app->writes);
    rate_free(app->login_failures);
    providers_free(app->providers);
    userauth_client_free(app->userauth);
    lanes_free(app->lanes);
    secret_wipe(&app->site, sizeof(app->site));
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
