/* SPDX-License-Identifier: MIT
 *
 * The worker lane. One lock guards the queue and the list of idle workers; it is never held while a
 * job runs, expires, while somebody is woken, or while a thread makes or frees what it owns. A job
 * goes straight to an idle worker when there is one, to the one that became idle last: what it owns
 * is the warmest, and nobody else is woken in vain. Signals are for the main thread: all are
 * blocked here.
 * Depends on: workers.h, clock.h, threads. */
#include "base/workers.h"

#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

struct worker {
    struct workers *lane;
    pthread_t thread;
    sem_t woken;              /* once for each time in the list of idle workers */
    struct job *given;        /* to an idle worker, before it is woken; NULL: the lane ends */
    struct worker *next_idle; /* under the lane's lock */
};

struct workers {
    struct workers_options options;
    struct worker *all;
    size_t started_count;
    pthread_mutex_t lock; /* of all below */
    struct worker *idle;  /* while there is one, the queue is empty */
    struct job *first;
    struct job *last;
    size_t queued_count;
    size_t running_count;
    bool is_stopping;
};

static void append(struct job **first, struct job **last, struct job *job)
{
    job->next = NULL;
    if (*last)
        (*last)->next = job;
    else
        *first = job;
    *last = job;
}

static struct job *pop_locked(struct workers *workers)
{
    struct job *job = workers->first;
    workers->first = job->next;
    if (!workers->first)
        workers->last = NULL;
    workers->queued_count--;
    return job;
}

static struct worker *pop_idle_locked(struct workers *workers)
{
    struct worker *worker = workers->idle;
    if (worker)
        workers->idle = worker->next_idle;
    return worker;
}

static void wake(struct worker *worker, struct job *job)
{
    worker->given = job;
    (void)sem_post(&worker->woken);
}

static struct job *wait_for_job(struct worker *worker)
{
    while (sem_wait(&worker->woken) != 0 && errno == EINTR)
        continue;
    return worker->given;
}

/* NULL when the lane ends and nothing is left. */
static struct job *next_job(struct worker *worker, bool has_finished_one)
{
    struct workers *workers = worker->lane;
    struct job *job = NULL;
    (void)pthread_mutex_lock(&workers->lock);
    if (has_finished_one)
        workers->running_count--;
    bool must_wait = !workers->first && !workers->is_stopping;
    if (workers->first) {
        job = pop_locked(workers);
        workers->running_count++;
    } else if (must_wait) {
        worker->next_idle = workers->idle;
        workers->idle = worker;
    }
    (void)pthread_mutex_unlock(&workers->lock);
    return must_wait ? wait_for_job(worker) : job;
}

static void run_jobs(struct worker *worker, void *local)
{
    for (struct job *job = next_job(worker, false); job; job = next_job(worker, true)) {
        if (job->deadline_ms <= clock_monotonic_ms())
            job->expire(job);
        else
            job->run(job, local);
    }
}

/* A niceness that the system refuses is no reason not to work. */
static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    const struct workers_options *options = &worker->lane->options;
    if (options->name)
        (void)pthread_setname_np(pthread_self(), options->name);
    if (options->niceness != 0)
        (void)setpriority(PRIO_PROCESS, (id_t)gettid(), options->niceness);
    void *local = options->local_new ? options->local_new(options->owner) : NULL;
    run_jobs(worker, local);
    if (options->local_free && local)
        options->local_free(local);
    return NULL;
}

static bool start_thread(struct workers *workers, struct worker *worker)
{
    worker->lane = workers;
    if (sem_init(&worker->woken, 0, 0) != 0)
        abort();
    if (pthread_create(&worker->thread, NULL, worker_main, worker) == 0)
        return true;
    (void)sem_destroy(&worker->woken);
    return false;
}

/* Threads inherit the mask of the one that makes them. */
static bool start_threads(struct workers *workers)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    size_t wanted_count = (size_t)workers->options.count;
    while (workers->started_count < wanted_count &&
           start_thread(workers, &workers->all[workers->started_count]))
        workers->started_count++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return workers->started_count == wanted_count;
}

struct workers *workers_new(const struct workers_options *options)
{
    struct workers *workers = calloc(1, sizeof(*workers));
    if (!workers || pthread_mutex_init(&workers->lock, NULL) != 0)
        abort();
    workers->options = *options;
    workers->all = calloc((size_t)options->count, sizeof(*workers->all));
    if (!workers->all)
        abort();
    if (!start_threads(workers)) {
        workers_free(workers);
        return NULL;
    }
    return workers;
}

static void wake_all(struct worker *idle)
{
    while (idle) {
        struct worker *next = idle->next_idle; /* a woken one may be gone */
        wake(idle, NULL);
        idle = next;
    }
}

void workers_free(struct workers *workers)
{
    if (!workers)
        return;
    (void)pthread_mutex_lock(&workers->lock);
    workers->is_stopping = true;
    struct worker *idle = TAKE(workers->idle);
    (void)pthread_mutex_unlock(&workers->lock);
    wake_all(idle);
    for (size_t i = 0; i < workers->started_count; i++) {
        (void)pthread_join(workers->all[i].thread, NULL);
        (void)sem_destroy(&workers->all[i].woken);
    }
    (void)pthread_mutex_destroy(&workers->lock);
    free(workers->all);
    free(workers);
}

static bool has_room_locked(const struct workers *workers)
{
    return !workers->is_stopping &&
           workers->queued_count < (size_t)workers->options.queue_max_count;
}

bool workers_have_room(struct workers *workers)
{
    (void)pthread_mutex_lock(&workers->lock);
    bool has_room = has_room_locked(workers);
    (void)pthread_mutex_unlock(&workers->lock);
    return has_room;
}

bool workers_submit(struct workers *workers, struct job *job)
{
    (void)pthread_mutex_lock(&workers->lock);
    bool has_room = has_room_locked(workers);
    struct worker *idle = has_room ? pop_idle_locked(workers) : NULL;
    if (idle) {
        workers->running_count++;
    } else if (has_room) {
        append(&workers->first, &workers->last, job);
        workers->queued_count++;
    }
    (void)pthread_mutex_unlock(&workers->lock);
    if (idle)
        wake(idle, job);
    return has_room;
}

/* Splits the queue into what is kept and what is returned. */
static struct job *take_expired_locked(struct workers *workers, int64_t now_ms)
{
    struct job *expired_first = NULL;
    struct job *expired_last = NULL;
    struct job *job = workers->first;
    workers->first = NULL;
    workers->last = NULL;
    while (job) {
        struct job *next = job->next;
        if (job->deadline_ms <= now_ms) {
            append(&expired_first, &expired_last, job);
            workers->queued_count--;
        } else {
            append(&workers->first, &workers->last, job);
        }
        job = next;
    }
    return expired_first;
}

void workers_expire(struct workers *workers, int64_t now_ms)
{
    (void)pthread_mutex_lock(&workers->lock);
    struct job *job = take_expired_locked(workers, now_ms);
    (void)pthread_mutex_unlock(&workers->lock);
    while (job) {
        struct job *next = job->next; /* expire may free the job */
        job->expire(job);
        job = next;
    }
}

size_t workers_busy_count(struct workers *workers)
{
    (void)pthread_mutex_lock(&workers->lock);
    size_t count = workers->queued_count + workers->running_count;
    (void)pthread_mutex_unlock(&workers->lock);
    return count;
}
