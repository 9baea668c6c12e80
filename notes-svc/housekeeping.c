/* SPDX-License-Identifier: MIT
 *
 * Depends on: workers.h (where it runs), the stores that it tidies. */
#include "housekeeping.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "app.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/workers.h"
#include "config.h"
#include "data/db.h"
#include "http/http_server.h"
#include "note/note_store.h"
#include "session/session_store.h"
#include "session/userauth_client.h"

#define MS_PER_S   ((int64_t)1000)
#define MS_PER_DAY (MS_PER_S * 3600 * 24)

struct housekeeping {
    struct job job;
    struct app *app;
    _Atomic int is_running;
    int64_t purge_at_ms; /* monotonic; the job's own while it runs */
    int64_t probe_at_ms; /* monotonic; the main thread's */
};

static void
note_state(struct app *app, struct ctx *ctx, enum app_dependency dependency, enum err err)
{
    if (health_note(&app->health, dependency, err != ERR_OK)) {
        const char *name = app->health.names[dependency];
        if (err)
            log_error(ctx, "dependency.lost", log_str("name", name), log_str("why", ctx->why.text));
        else
            log_info(ctx, "dependency.found", log_str("name", name));
    }
    ctx_forgive(ctx);
}

static void probe(struct app *app, struct ctx *ctx)
{
    note_state(app, ctx, APP_DATABASE, db_ping(ctx, ctx->db));
    note_state(app, ctx, APP_USER_SERVICE, userauth_ping(ctx, app->userauth));
}

static enum err purge_sessions(struct app *app, struct ctx *ctx, int64_t *out_count)
{
    int64_t now_unix_ms = clock_unix_ms();
    return session_purge(ctx, ctx->db, now_unix_ms - app->config->session_absolute_s * MS_PER_S,
                         now_unix_ms - app->config->session_idle_s * MS_PER_S,
                         HOUSEKEEPING_BATCH_COUNT, out_count);
}

static enum err purge_notes(struct app *app, struct ctx *ctx, int64_t *out_count)
{
    int64_t before_unix_ms = clock_unix_ms() - app->config->destroyed_keep_days * MS_PER_DAY;
    return note_purge_destroyed(ctx, ctx->db, before_unix_ms, HOUSEKEEPING_BATCH_COUNT, out_count);
}

/* Batch after batch until one is not full. */
static void purge(struct app *app,
                  struct ctx *ctx,
                  const char *event,
                  enum err (*purge_batch)(struct app *, struct ctx *, int64_t *))
{
    int64_t total = 0;
    for (int i = 0; i < HOUSEKEEPING_BATCHES_MAX && ctx_left_ms(ctx) > 0; i++) {
        int64_t count = 0;
        if (purge_batch(app, ctx, &count)) {
            log_warn(ctx, "housekeeping.failed", log_str("why", ctx->why.text));
            ctx_forgive(ctx);
            break;
        }
        total += count;
        if (count < HOUSEKEEPING_BATCH_COUNT)
            break;
    }
    if (total)
        log_info(ctx, event, log_i64("count", total));
}

static void run(struct job *job, void *local)
{
    struct housekeeping *housekeeping = (struct housekeeping *)job; /* its first member */
    const struct lane_local *lane = local;
    struct ctx ctx;
    ctx_init(&ctx, housekeeping->app->log, HOUSEKEEPING_BUDGET_MS);
    ctx.db = lane->db;
    ctx.http = lane->http;
    probe(housekeeping->app, &ctx);
    if (clock_monotonic_ms() >= housekeeping->purge_at_ms) {
        housekeeping->purge_at_ms = clock_monotonic_ms() + HOUSEKEEPING_PURGE_EVERY_MS;
        purge(housekeeping->app, &ctx, "session.purged", purge_sessions);
        purge(housekeeping->app, &ctx, "note.purged", purge_notes);
    }
    ctx_done(&ctx);
    atomic_store(&housekeeping->is_running, 0);
}

/* The lane is too busy: next time. */
static void expire(struct job *job)
{
    struct housekeeping *housekeeping = (struct housekeeping *)job;
    atomic_store(&housekeeping->is_running, 0);
}

struct housekeeping *housekeeping_new(struct app *app)
{
    struct housekeeping *housekeeping = calloc(1, sizeof(*housekeeping));
    if (!housekeeping)
        return NULL;
    housekeeping->app = app;
    housekeeping->job.run = run;
    housekeeping->job.expire = expire;
    return housekeeping;
}

void housekeeping_free(struct housekeeping *housekeeping)
{
    free(housekeeping);
}

void housekeeping_tick(struct housekeeping *housekeeping)
{
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms < housekeeping->probe_at_ms || atomic_exchange(&housekeeping->is_running, 1))
        return;
    housekeeping->probe_at_ms = now_ms + HOUSEKEEPING_PROBE_EVERY_MS;
    housekeeping->job.deadline_ms = now_ms + HOUSEKEEPING_PROBE_EVERY_MS;
    if (!workers_submit(housekeeping->app->workers, &housekeeping->job))
        atomic_store(&housekeeping->is_running, 0);
}
