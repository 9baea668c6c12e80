/* SPDX-License-Identifier: MIT
 *
 * Depends on: log.h, db.h, health.h, start_health.h, threads. */
#include "service/start.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"
#include "data/db.h"
#include "data/db_settings.h"
#include "service/health.h"
#include "service/start_health.h"

#define DATABASE "database" /* as in the services' health */
#define GUARD_MS 1000       /* budget of a ctx that only logs */

/* --- Signals --- */

/* Tells the guard's thread, and no other, that its time is over. */
#define STARTED SIGUSR2

/* The main thread may be in the middle of anything and stays there: the process ends around it. A
 * migration that is cut off goes on at the next start. */
static void *end_at_signal(void *argument)
{
    const struct start_guard *guard = argument;
    (void)pthread_setname_np(pthread_self(), "start");
    sigset_t awaited = guard->ends;
    sigaddset(&awaited, STARTED);
    int number;
    do
        number = sigwaitinfo(&awaited, NULL);
    while (number < 0); /* EINTR: it was halted, and goes on */
    if (number == STARTED)
        return NULL;
    struct ctx ctx;
    ctx_init(&ctx, guard->log, GUARD_MS);
    log_info(&ctx, "service.stopped", log_i64("pid", getpid()));
    log_end(guard->log);
    _exit(0);
}

void start_guard_begin(struct start_guard *guard, struct log *log, const sigset_t *ends)
{
    guard->log = log;
    guard->ends = *ends;
    guard->has_thread = thread_start(&guard->thread, end_at_signal, guard);
}

void start_guard_end(struct start_guard *guard)
{
    if (!guard->has_thread)
        return;
    (void)pthread_kill(guard->thread, STARTED);
    (void)pthread_join(guard->thread, NULL);
    guard->has_thread = false;
}

/* --- Database --- */

/* Only what is new: a server that is away for an hour is one line. */
static void report_wait(const struct ctx *ctx, bool is_refused, char *told, size_t told_size)
{
    if (text_equals(told, ctx->why.text))
        return;
    (void)snprintf(told, told_size, "%s", ctx->why.text);
    if (is_refused)
        log_error(ctx, "service.waiting", log_str("for", DATABASE), log_str("why", told));
    else
        log_warn(ctx, "service.waiting", log_str("for", DATABASE), log_str("why", told));
}

static enum err prepare_when_there(struct ctx *ctx, const struct start_plan *plan)
{
    char told[CTX_WHY_MAX_BYTES] = "";
    for (int64_t wait_ms = START_WAIT_FIRST_MS;; wait_ms *= 2) {
        CLEANUP(ctx_done) struct ctx attempt;
        ctx_init(&attempt, ctx->log, START_BUDGET_MS);
        enum err err = plan->prepare(&attempt, plan->app);
        if (err && err != ERR_UNAVAILABLE)
            return ctx_fail(ctx, err, "%s", attempt.why.text);
        bool is_refused = err && db_is_refused(plan->db);
        (void)health_note(plan->health, plan->dependency,
                          is_refused ? HEALTH_REFUSED
                          : err      ? HEALTH_LOST
                                     : HEALTH_OK);
        if (!err && told[0])
            log_info(ctx, "dependency.found", log_str("name", DATABASE));
        if (!err) {
            ctx->deadline_ms = clock_monotonic_ms() + START_BUDGET_MS;
            return ERR_OK;
        }
        report_wait(&attempt, is_refused, told, sizeof(told));
        if (wait_ms > START_WAIT_MAX_MS)
            wait_ms = START_WAIT_MAX_MS;
        clock_sleep_ms(wait_ms);
    }
}

enum err start_database(struct ctx *ctx, const struct start_plan *plan)
{
    struct start_health meanwhile;
    if (plan->settings->path)
        return plan->prepare(ctx, plan->app);
    start_health_begin(&meanwhile, &plan->meanwhile);
    enum err err = prepare_when_there(ctx, plan);
    start_health_end(&meanwhile);
    return err;
}
