/* SPDX-License-Identifier: MIT
 *
 * Depends on: app.h, workers.h, db.h, throttle_store.h. */
#include "housekeeping.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "app.h"
#include "auth/throttle_store.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/workers.h"
#include "config.h"
#include "data/db.h"
#include "http/http_server.h"

struct housekeeping {
    struct job job; /* first: the job's address is ours */
    struct app *app;
    _Atomic int is_running;
    int64_t next_ms; /* monotonic; the main thread's */
};

static void probe(struct app *app, struct ctx *ctx)
{
    enum err err = db_ping(ctx, ctx->db);
    if (health_note(&app->health, APP_DATABASE, err ? HEALTH_LOST : HEALTH_OK)) {
        const char *name = app->health.names[APP_DATABASE];
        if (err)
            log_error(ctx, "dependency.lost", log_str("name", name), log_str("why", ctx->why.text));
        else
            log_info(ctx, "dependency.found", log_str("name", name));
    }
    ctx_forgive(ctx);
}

/* Only after tries were counted: counting the rows of a quiet table again and again would be waste.
 */
static void evict(struct app *app, struct ctx *ctx)
{
    if (!atomic_exchange(&app->has_new_throttle_rows, 0))
        return;
    int64_t removed_count = THROTTLE_EVICT_MAX_COUNT;
    for (int i = 0; i < HOUSEKEEPING_EVICT_RUNS && removed_count == THROTTLE_EVICT_MAX_COUNT; i++) {
        if (throttle_evict(ctx, ctx->db, app->config->throttle_rows_max, &removed_count)) {
            log_warn(ctx, "throttle.evict_failed", log_str("why", ctx->why.text));
            ctx_forgive(ctx);
            break;
        }
    }
    if (removed_count > 0) /* perhaps there are more, or it failed: again next time */
        atomic_store(&app->has_new_throttle_rows, 1);
}

static void run(struct job *job, void *local)
{
    struct housekeeping *housekeeping = (struct housekeeping *)job;
    struct ctx ctx;
    ctx_init(&ctx, housekeeping->app->log, HOUSEKEEPING_BUDGET_MS);
    lane_lend(&ctx, local);
    probe(housekeeping->app, &ctx);
    evict(housekeeping->app, &ctx);
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
    if (now_ms < housekeeping->next_ms || atomic_exchange(&housekeeping->is_running, 1))
        return;
    housekeeping->next_ms = now_ms + HOUSEKEEPING_EVERY_MS;
    housekeeping->job.deadline_ms = now_ms + HOUSEKEEPING_BUDGET_MS;
    if (!workers_submit(housekeeping->app->workers, &housekeeping->job))
        atomic_store(&housekeeping->is_running, 0);
}
