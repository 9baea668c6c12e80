/* SPDX-License-Identifier: MIT
 *
 * The worker lane. One lock guards the queue and the list of idle workers; it is never held while a
 * job runs, expires, while somebody is woken, or while a thread makes or frees what it owns. A job
 * goes straight to an idle worker when there is one, to the one that became idle last: what it owns
 * is the warmest, and nobody else is woken in vain. Jobs that can be run together are no reason to
 * wake more than two: those take along what came meanwhile, and the fewer they are the more it
 * is. If they are stuck, idle workers take over at the next workers_expire, within a second. A job
 * whose owner has his share is passed over until one of his is done: that worker looks next. What
 * is passed over must not fill the queue: whose jobs wait there leaves at least as much room free.
 * Where owners take turns the queue is in order of rounds: a job is of the one after its owner's
 * last, or of the present one. So whoever comes waits for one job of each other, however many those
 * have there. Of owners a table is kept, in which two may share a place: so who has none in the
 * queue is of the next round at the latest, whatever the table says, and likewise who had jobs
 * there that were not run.
 * Signals are for the main thread: all are blocked here.
 * Depends on: workers.h, clock.h, secret.h, threads. */
#include "base/workers.h"

#include "base/clock.h"
#include "base/secret.h"
#include "base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* How many workers are woken for jobs that can be run together; and one more for each full list of
 * them that waits. */
#define TOGETHER_WORKERS_COUNT 2
#define ROUND_PLACES_BITS      10

struct worker {
    struct workers *lane;
    pthread_t thread;
    sem_t woken;       /* once for each time in the list of idle workers */
    struct job *given; /* to an idle worker, before it is woken: a list; NULL: the lane ends */

    /* Under the lane's lock: */
    struct worker *next_idle;
    size_t jobs_count; /* that it runs */
    uint64_t owner;    /* whose they are */
    bool is_together;  /* they are of a kind */
};

struct workers {
    struct workers_options options;
    struct worker *all;
    size_t started_count;
    pthread_mutex_t lock; /* of all below */
    struct worker *idle;  /* while there is one, only jobs of a kind are queued, and those of owners
                          * who have their share */
    struct job *first;
    struct job *last;
    size_t queued_count;
    uint64_t round;                               /* of what was begun last */
    uint64_t last_rounds[1 << ROUND_PLACES_BITS]; /* of owners, see last_round_of */
    uint64_t factor;
    size_t running_count;
    size_t together_count; /* workers that run jobs of a kind */
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

/* Nobody can tell whose place is whose: the factor is random. */
static uint64_t *last_round_of(struct workers *workers, uint64_t owner)
{
    return &workers->last_rounds[owner * workers->factor >> (64 - ROUND_PLACES_BITS)];
}

/* waiting_count: jobs of its owner in the queue. */
static void take_turn_locked(struct workers *workers, struct job *job, size_t waiting_count)
{
    if (!workers->options.takes_turns)
        return;
    uint64_t *last_round = last_round_of(workers, job->owner);
    uint64_t latest_round = workers->round + waiting_count + 1;
    job->round = *last_round < workers->round ? workers->round : *last_round + 1;
    if (job->round > latest_round)
        job->round = latest_round;
    if (*last_round < job->round)
        *last_round = job->round;
}

/* Behind all of its round. Most go to the end: there is no way to walk. */
static void enqueue_in_turn_locked(struct workers *workers, struct job *job)
{
    struct job *before = workers->last;
    if (before && before->round > job->round) {
        before = NULL;
        for (struct job *at = workers->first; at->round <= job->round; at = at->next)
            before = at;
    }
    job->next = before ? before->next : workers->first;
    if (before)
        before->next = job;
    else
        workers->first = job;
    if (!job->next)
        workers->last = job;
}

static void enqueue_locked(struct workers *workers, struct job *job)
{
    if (workers->options.takes_turns)
        enqueue_in_turn_locked(workers, job);
    else
        append(&workers->first, &workers->last, job);
    workers->queued_count++;
}

/* Has its owner fewer workers than he may have? */
static bool may_run_locked(const struct workers *workers, const struct job *job)
{
    int64_t limit_count = workers->options.per_owner_max_count;
    int64_t count = 0;
    if (limit_count == 0 || job->owner == 0)
        return true;
    for (int64_t i = 0; i < workers->options.count; i++)
        count += workers->all[i].jobs_count > 0 && workers->all[i].owner == job->owner;
    return count < limit_count;
}

/* The first that may run, and those of its kind right behind it: a list. NULL: there is none. */
static struct job *pop_locked(struct workers *workers, size_t *out_count)
{
    struct job *before = NULL;
    struct job *first = workers->first;
    for (; first && !may_run_locked(workers, first); first = first->next)
        before = first;
    if (!first)
        return NULL;
    struct job *last = first;
    size_t count = 1;
    for (; first->kind && count < WORKERS_TOGETHER_MAX_COUNT; count++) {
        if (!last->next || last->next->kind != first->kind)
            break;
        last = last->next;
    }
    if (before)
        before->next = last->next;
    else
        workers->first = last->next;
    if (!last->next)
        workers->last = before;
    last->next = NULL;
    workers->queued_count -= count;
    *out_count = count;
    return first;
}

static void begin_locked(struct worker *worker, struct job *jobs, size_t count)
{
    worker->given = jobs;
    worker->jobs_count = count;
    worker->owner = jobs->owner;
    worker->is_together = jobs->kind;
    worker->lane->running_count += count;
    if (worker->lane->round < jobs->round)
        worker->lane->round = jobs->round;
    worker->lane->together_count += worker->is_together;
}

/* False: nothing that is queued may run. */
static bool begin_queued_locked(struct worker *worker)
{
    size_t count = 0;
    struct job *jobs = pop_locked(worker->lane, &count);
    if (jobs)
        begin_locked(worker, jobs, count);
    return jobs;
}

static void end_locked(struct worker *worker)
{
    worker->lane->running_count -= worker->jobs_count;
    worker->lane->together_count -= worker->is_together;
    worker->jobs_count = 0;
    worker->is_together = false;
}

static struct worker *pop_idle_locked(struct workers *workers)
{
    struct worker *worker = workers->idle;
    if (worker) {
        workers->idle = worker->next_idle;
        worker->next_idle = NULL;
    }
    return worker;
}

/* Workers that were idle, linked by next_idle. */
static void wake_all(struct worker *worker)
{
    while (worker) {
        struct worker *next = worker->next_idle; /* a woken one goes on by itself */
        (void)sem_post(&worker->woken);
        worker = next;
    }
}

static void wait_for_jobs(struct worker *worker)
{
    while (sem_wait(&worker->woken) != 0 && errno == EINTR)
        continue;
}

/* A list of one job, or of several that are run together; NULL when the lane ends and nothing is
 * left but for who runs jobs of the same owner. The ones before are done. */
static struct job *next_jobs(struct worker *worker)
{
    struct workers *workers = worker->lane;
    (void)pthread_mutex_lock(&workers->lock);
    end_locked(worker);
    worker->given = NULL;
    bool must_wait = !begin_queued_locked(worker) && !workers->is_stopping;
    if (must_wait) {
        worker->next_idle = workers->idle;
        workers->idle = worker;
    }
    (void)pthread_mutex_unlock(&workers->lock);
    if (must_wait)
        wait_for_jobs(worker);
    return worker->given;
}

static void run_list(struct job *job, void *local)
{
    struct job *first = NULL;
    struct job *last = NULL;
    int64_t now_ms = clock_monotonic_ms();
    while (job) {
        struct job *next = job->next; /* whoever runs or expires may free the job */
        if (job->deadline_ms <= now_ms)
            job->expire(job);
        else
            append(&first, &last, job);
        job = next;
    }
    if (first && first->next)
        first->run_all(first, local);
    else if (first)
        first->run(first, local);
}

static void run_jobs(struct worker *worker, void *local)
{
    for (struct job *jobs = next_jobs(worker); jobs; jobs = next_jobs(worker))
        run_list(jobs, local);
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
    if (thread_start(&worker->thread, worker_main, worker))
        return true;
    (void)sem_destroy(&worker->woken);
    return false;
}

static bool start_threads(struct workers *workers)
{
    size_t wanted_count = (size_t)workers->options.count;
    while (workers->started_count < wanted_count &&
           start_thread(workers, &workers->all[workers->started_count]))
        workers->started_count++;
    return workers->started_count == wanted_count;
}

struct workers *workers_new(const struct workers_options *options)
{
    struct workers *workers = calloc(1, sizeof(*workers));
    if (!workers || pthread_mutex_init(&workers->lock, NULL) != 0)
        abort();
    workers->options = *options;
    secret_random(&workers->factor, sizeof(workers->factor));
    workers->factor |= 1;
    workers->all = calloc((size_t)options->count, sizeof(*workers->all));
    if (!workers->all)
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

/* Gives it to an idle worker, whom it returns to be woken; NULL: it waits. */
static struct worker *place_locked(struct workers *workers, struct job *job, size_t waiting_count)
{
    struct worker *idle = may_run_locked(workers, job) ? pop_idle_locked(workers) : NULL;
    job->next = NULL;
    take_turn_locked(workers, job, waiting_count);
    if (idle)
        begin_locked(idle, job, 1);
    else
        enqueue_locked(workers, job);
    return idle;
}

static struct worker *place_together_locked(struct workers *workers, struct job *job)
{
    enqueue_locked(workers, job);
    if (workers->together_count >= TOGETHER_WORKERS_COUNT &&
        workers->queued_count < WORKERS_TOGETHER_MAX_COUNT)
        return NULL;
    bool has_begun = workers->idle && begin_queued_locked(workers->idle);
    return has_begun ? pop_idle_locked(workers) : NULL;
}

/* Does it matter whose a job is? */
static bool knows_owners(const struct workers *workers)
{
    return workers->options.takes_turns || workers->options.per_owner_max_count > 0;
}

/* Jobs of an owner in the queue; 0 where it does not matter. */
static size_t waiting_count_locked(const struct workers *workers, uint64_t owner)
{
    size_t count = 0;
    if (!knows_owners(workers))
        return 0;
    for (const struct job *job = workers->first; job; job = job->next)
        count += job->owner == owner;
    return count;
}

/* Would its owner leave as much room as his jobs have that wait? So one has half of the queue, two
 * a third each, and who has none there finds room beside fewer owners than it is long. */
static bool
has_room_for_locked(const struct workers *workers, const struct job *job, size_t waiting_count)
{
    size_t room_count = (size_t)workers->options.queue_max_count - workers->queued_count;
    return has_room_locked(workers) && (job->owner == 0 || waiting_count < room_count);
}

/* Kinds and owners don't mix: a list would be of several owners, and who runs it could go on with
 * another job, while those that rely on him to take them along wait beside idle workers. */
bool workers_submit(struct workers *workers, struct job *job)
{
    if (knows_owners(workers))
        job->kind = NULL;
    (void)pthread_mutex_lock(&workers->lock);
    size_t waiting_count = waiting_count_locked(workers, job->owner);
    bool has_room = has_room_for_locked(workers, job, waiting_count);
    struct worker *woken = !has_room   ? NULL
                           : job->kind ? place_together_locked(workers, job)
                                       : place_locked(workers, job, waiting_count);
    (void)pthread_mutex_unlock(&workers->lock);
    if (woken)
        (void)sem_post(&woken->woken);
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

/* Who waits for workers that don't come back is served by idle ones, as far as there are any. */
static struct worker *relieve_locked(struct workers *workers)
{
    struct worker *woken = NULL;
    while (workers->idle && begin_queued_locked(workers->idle)) {
        struct worker *worker = pop_idle_locked(workers);
        worker->next_idle = woken;
        woken = worker;
    }
    return woken;
}

void workers_expire(struct workers *workers, int64_t now_ms)
{
    (void)pthread_mutex_lock(&workers->lock);
    struct job *job = take_expired_locked(workers, now_ms);
    struct worker *woken = relieve_locked(workers);
    (void)pthread_mutex_unlock(&workers->lock);
    wake_all(woken);
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
