/* SPDX-License-Identifier: MIT
 *
 * Depends on: workers.h (where it runs), the stores that it tidies. */
#include "housekeeping.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "app.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/workers.h"
#include "config.h"
#include "data/db.h"
#include "data/redis.h"
#include "http/http_server.h"
#include "note/note_purge_store.h"
#include "session/session_store.h"
#include "session/userauth_client.h"

#define MS_PER_S   ((int64_t)1000)
#define MS_PER_DAY (MS_PER_S * 3600 * 24)

/* What is handed to a lane; one run at a time. */
struct task {
    struct job job;
    struct housekeeping *housekeeping;
    void (*work)(struct housekeeping *housekeeping, struct ctx *ctx);
    _Atomic int is_running;
    int64_t due_at_ms; /* monotonic; the main thread's */
};

struct housekeeping {
    struct app *app;
    struct task data;         /* on the worker lane */
    struct task user_service; /* on the slow lane: it may hang */
    int64_t purge_at_ms;      /* monotonic; the data task's own while it runs */
};

/* ERR_UNAUTHENTICATED: it is there, and does not let us in. */
static void
note_state(struct app *app, struct ctx *ctx, enum app_dependency dependency, enum err err)
{
    bool is_refused = err == ERR_UNAUTHENTICATED;
    enum health_dependency state = is_refused ? HEALTH_REFUSED : err ? HEALTH_LOST : HEALTH_OK;
    if (health_note(&app->health, dependency, state)) {
        const char *name = app->health.names[dependency];
        if (is_refused)
            log_error(ctx, "dependency.refused", log_str("name", name),
                      log_str("why", ctx->why.text));
        else if (err)
            log_error(ctx, "dependency.lost", log_str("name", name), log_str("why", ctx->why.text));
        else
            log_info(ctx, "dependency.found", log_str("name", name));
    }
    ctx_forgive(ctx);
}

void housekeeping_note_redis(struct app *app, struct ctx *ctx)
{
    struct redis_answer answer;
    const struct redis_command ping = {REDIS_ARGS(redis_text("PING")), .can_repeat = true};
    enum err err = redis_run(ctx, ctx->redis, &ping, &answer);
    if (health_note(&app->health, APP_REDIS, err ? HEALTH_LOST : HEALTH_OK)) {
        if (err)
            log_error(ctx, "redis.lost", log_str("why", ctx->why.text));
        else
            log_info(ctx, "redis.back", log_str("name", "redis"));
    }
    ctx_forgive(ctx);
}

/* What one transaction removed. */
struct batch {
    int64_t count;
    bool has_more;
};

static enum err purge_sessions(struct app *app, struct ctx *ctx, struct batch *out_batch)
{
    int64_t now_unix_ms = clock_unix_ms();
    int64_t count = 0;
    enum err err = session_purge(
        ctx, ctx->db, now_unix_ms - app->config->session_absolute_s * MS_PER_S,
        now_unix_ms - app->config->session_idle_s * MS_PER_S, HOUSEKEEPING_BATCH_COUNT, &count);
    if (!err)
        *out_batch = (struct batch){.count = count, .has_more = count >= HOUSEKEEPING_BATCH_COUNT};
    return err;
}

static enum err purge_notes(struct app *app, struct ctx *ctx, struct batch *out_batch)
{
    int64_t before_unix_ms = clock_unix_ms() - app->config->destroyed_keep_days * MS_PER_DAY;
    struct note_purge purge = {0};
    enum err err =
        note_purge_destroyed(ctx, ctx->db, before_unix_ms, HOUSEKEEPING_BATCH_COUNT, &purge);
    if (!err)
        *out_batch = (struct batch){.count = purge.notes_count, .has_more = purge.has_more};
    return err;
}

/* Batch after batch until nothing is left or the time is over. Is there more? */
static bool purge(struct app *app,
                  struct ctx *ctx,
                  const char *event,
                  enum err (*purge_batch)(struct app *, struct ctx *, struct batch *))
{
    int64_t end_ms = clock_monotonic_ms() + HOUSEKEEPING_PURGE_MS;
    int64_t total = 0;
    struct batch batch = {.has_more = true};
    while (batch.has_more && clock_monotonic_ms() < end_ms) {
        if (purge_batch(app, ctx, &batch)) {
            log_warn(ctx, "housekeeping.failed", log_str("why", ctx->why.text));
            ctx_forgive(ctx);
            batch = (struct batch){.has_more = false}; /* again when it is due */
        }
        total += batch.count;
    }
    if (total)
        log_info(ctx, event, log_i64("count", total));
    return batch.has_more;
}

static void look_after_data(struct housekeeping *housekeeping, struct ctx *ctx)
{
    struct app *app = housekeeping->app;
    if (ctx->redis)
        housekeeping_note_redis(app, ctx);
    note_state(app, ctx, APP_DATABASE, db_ping(ctx, ctx->db));
    if (clock_monotonic_ms() < housekeeping->purge_at_ms)
        return;
    bool has_more = purge(app, ctx, "session.purged", purge_sessions);
    has_more = purge(app, ctx, "note.purged", purge_notes) || has_more;
    housekeeping->purge_at_ms = clock_monotonic_ms() + (has_more ? HOUSEKEEPING_PURGE_AGAIN_MS
                                                                 : HOUSEKEEPING_PURGE_EVERY_MS);
}

static void probe_user_service(struct housekeeping *housekeeping, struct ctx *ctx)
{
    struct app *app = housekeeping->app;
    note_state(app, ctx, APP_USER_SERVICE, userauth_ping(ctx, app->userauth));
}

/* ---- tasks ---- */

static void run(struct job *job, void *local)
{
    struct task *task = (struct task *)job; /* its first member */
    struct ctx ctx;
    ctx_init(&ctx, task->housekeeping->app->log, HOUSEKEEPING_BUDGET_MS);
    lane_lend(&ctx, local);
    task->work(task->housekeeping, &ctx);
    ctx_done(&ctx);
    atomic_store(&task->is_running, 0);
}

/* The lane is too busy: next time. */
static void expire(struct job *job)
{
    struct task *task = (struct task *)job;
    atomic_store(&task->is_running, 0);
}

static void submit_when_due(struct task *task, struct workers *lane, int64_t now_ms)
{
    if (now_ms < task->due_at_ms || atomic_exchange(&task->is_running, 1))
        return;
    task->due_at_ms = now_ms + HOUSEKEEPING_PROBE_EVERY_MS;
    task->job.deadline_ms = now_ms + HOUSEKEEPING_PROBE_EVERY_MS;
    if (!workers_submit(lane, &task->job))
        atomic_store(&task->is_running, 0);
}

/* ---- life ---- */

struct housekeeping *housekeeping_new(struct app *app)
{
    struct housekeeping *housekeeping = calloc(1, sizeof(*housekeeping));
    if (!housekeeping)
        return NULL;
    housekeeping->app = app;
    const struct job job = {.run = run, .expire = expire};
    housekeeping->data =
        (struct task){.job = job, .housekeeping = housekeeping, .work = look_after_data};
    housekeeping->user_service =
        (struct task){.job = job, .housekeeping = housekeeping, .work = probe_user_service};
    return housekeeping;
}

void housekeeping_free(struct housekeeping *housekeeping)
{
    free(housekeeping);
}

void housekeeping_tick(struct housekeeping *housekeeping)
{
    int64_t now_ms = clock_monotonic_ms();
    submit_when_due(&housekeeping->data, housekeeping->app->workers, now_ms);
    submit_when_due(&housekeeping->user_service, housekeeping->app->slow_workers, now_ms);
}
