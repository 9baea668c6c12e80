/* SPDX-License-Identifier: MIT
 *
 * The worker lane. One lock guards one list; it is never held while a job runs, expires, or
 * while a thread makes or frees what it owns. Signals are for the main thread: all are blocked
 * here.
 * Depends on: workers.h, clock.h, threads. */
#include "base/workers.h"

#include "base/clock.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

struct workers {
    struct workers_options options;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t has_work;
    struct job *first;
    struct job *last;
    size_t queued_count;
    size_t running_count;
    bool is_stopping;
    pthread_t *threads;
    size_t thread_count;
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

/* NULL when the lane ends and nothing is left. */
static struct job *next_job(struct workers *workers)
{
    struct job *job = NULL;
    (void)pthread_mutex_lock(&workers->lock);
    while (!workers->first && !workers->is_stopping)
        (void)pthread_cond_wait(&workers->has_work, &workers->lock);
    if (workers->first) {
        job = pop_locked(workers);
        workers->running_count++;
    }
    (void)pthread_mutex_unlock(&workers->lock);
    return job;
}

static void note_finished(struct workers *workers)
{
    (void)pthread_mutex_lock(&workers->lock);
    workers->running_count--;
    (void)pthread_mutex_unlock(&workers->lock);
}

static void run_jobs(struct workers *workers, void *local)
{
    for (struct job *job = next_job(workers); job; job = next_job(workers)) {
        if (job->deadline_ms <= clock_monotonic_ms())
            job->expire(job);
        else
            job->run(job, local);
        note_finished(workers);
    }
}

/* A niceness that the system refuses is no reason not to work. */
static void *worker_main(void *argument)
{
    struct workers *workers = argument;
    const struct workers_options *options = &workers->options;
    if (options->name)
        (void)pthread_setname_np(pthread_self(), options->name);
    if (options->niceness != 0)
        (void)setpriority(PRIO_PROCESS, (id_t)gettid(), options->niceness);
    void *local = options->local_new ? options->local_new(options->owner) : NULL;
    run_jobs(workers, local);
    if (options->local_free && local)
        options->local_free(local);
    return NULL;
}

/* Threads inherit the mask of the one that makes them. */
static bool start_threads(struct workers *workers)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    size_t wanted_count = (size_t)workers->options.count;
    while (workers->thread_count < wanted_count &&
           pthread_create(&workers->threads[workers->thread_count], NULL, worker_main, workers) ==
               0)
        workers->thread_count++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return workers->thread_count == wanted_count;
}

struct workers *workers_new(const struct workers_options *options)
{
    struct workers *workers = calloc(1, sizeof(*workers));
    if (!workers || pthread_mutex_init(&workers->lock, NULL) != 0 ||
        pthread_cond_init(&workers->has_work, NULL) != 0)
        abort();
    workers->options = *options;
    workers->threads = calloc((size_t)options->count, sizeof(*workers->threads));
    if (!workers->threads)
        abort();
    if (!start_threads(workers)) {
        workers_free(workers);
        return NULL;
    }
    return workers;
}

void workers_free(struct workers *workers)
{
    if (!workers)
        return;
    (void)pthread_mutex_lock(&workers->lock);
    workers->is_stopping = true;
    (void)pthread_cond_broadcast(&workers->has_work);
    (void)pthread_mutex_unlock(&workers->lock);
    for (size_t i = 0; i < workers->thread_count; i++)
        (void)pthread_join(workers->threads[i], NULL);
    (void)pthread_cond_destroy(&workers->has_work);
    (void)pthread_mutex_destroy(&workers->lock);
    free(workers->threads);
    free(workers);
}

bool workers_submit(struct workers *workers, struct job *job)
{
    (void)pthread_mutex_lock(&workers->lock);
    bool has_room =
        !workers->is_stopping && workers->queued_count < (size_t)workers->options.queue_max_count;
    if (has_room) {
        append(&workers->first, &workers->last, job);
        workers->queued_count++;
        (void)pthread_cond_signal(&workers->has_work);
    }
    (void)pthread_mutex_unlock(&workers->lock);
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
