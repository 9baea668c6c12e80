/* SPDX-License-Identifier: MIT
 *
 * A lane of workers under test, and jobs that count: gates say when a job may go on, and tests wait
 * for counts, not for time. */
#ifndef NOTES_WORKER_JOBS_H
#define NOTES_WORKER_JOBS_H

#include "base/workers.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"

#include "unit.h"

#define FAR_MS INT64_C(3600000)

struct counted_job {
    struct job job; /* first, so that a job is one of these */
    struct lane *lane;
    int number;
    sem_t *gate; /* NULL: runs through */
};

struct lane {
    pthread_mutex_t lock; /* of order */
    int order[7000];
    int order_count;
    atomic_int expired_count;
    atomic_int local_new_count;
    atomic_int local_free_count;
    atomic_int wrong_local_count;
    int lists[100]; /* how many jobs each list had, under the lock */
    int lists_count;
    sem_t started;
    sem_t gate;
};

static inline int lane_new(void **state)
{
    struct lane *lane = calloc(1, sizeof(*lane));
    if (!lane || pthread_mutex_init(&lane->lock, NULL) != 0 ||
        sem_init(&lane->started, 0, 0) != 0 || sem_init(&lane->gate, 0, 0) != 0)
        return -1;
    *state = lane;
    return 0;
}

static inline int lane_free(void **state)
{
    struct lane *lane = *state;
    (void)sem_destroy(&lane->gate);
    (void)sem_destroy(&lane->started);
    (void)pthread_mutex_destroy(&lane->lock);
    free(lane);
    return 0;
}

static inline void *local_new(void *owner)
{
    struct lane *lane = owner;
    atomic_fetch_add(&lane->local_new_count, 1);
    pthread_t *local = malloc(sizeof(*local));
    if (local)
        *local = pthread_self();
    return local;
}

static struct lane *lane_of_free;

static inline void local_free(void *local)
{
    atomic_fetch_add(&lane_of_free->local_free_count, 1);
    if (!pthread_equal(*(pthread_t *)local, pthread_self()))
        atomic_fetch_add(&lane_of_free->wrong_local_count, 1);
    free(local);
}

static inline void run(struct job *job, void *local)
{
    struct counted_job *counted = (struct counted_job *)job;
    struct lane *lane = counted->lane;
    (void)sem_post(&lane->started);
    if (counted->gate)
        (void)sem_wait(counted->gate);
    if (local && !pthread_equal(*(pthread_t *)local, pthread_self()))
        atomic_fetch_add(&lane->wrong_local_count, 1);
    (void)pthread_mutex_lock(&lane->lock);
    lane->order[lane->order_count++] = counted->number;
    (void)pthread_mutex_unlock(&lane->lock);
}

static inline void expire(struct job *job)
{
    struct counted_job *counted = (struct counted_job *)job;
    atomic_fetch_add(&counted->lane->expired_count, 1);
}

static inline struct counted_job job_of(struct lane *lane, int number)
{
    return (struct counted_job){
        .job = {.deadline_ms = clock_monotonic_ms() + FAR_MS, .run = run, .expire = expire},
        .lane = lane,
        .number = number,
    };
}

static inline struct workers *workers_of(struct lane *lane, int64_t count, int64_t queue_max_count)
{
    struct workers_options options = {
        .name = "unit",
        .count = count,
        .queue_max_count = queue_max_count,
        .local_new = local_new,
        .local_free = local_free,
        .owner = lane,
    };
    lane_of_free = lane;
    struct workers *workers = workers_new(&options);
    assert_non_null(workers);
    return workers;
}

static inline void
let_go_and_expect(struct workers *workers, struct lane *lane, const int *order, int count)
{
    (void)sem_post(&lane->gate);
    workers_free(workers);
    assert_int_equal(lane->order_count, count);
    assert_memory_equal(lane->order, order, (size_t)count * sizeof(*order));
}

/* Holds a lane's only worker inside `holder`. */
static inline struct workers *
hold(struct lane *lane, struct workers *workers, struct counted_job *holder)
{
    assert_non_null(workers);
    *holder = job_of(lane, 999);
    holder->gate = &lane->gate;
    assert_true(workers_submit(workers, &holder->job));
    (void)sem_wait(&lane->started);
    return workers;
}

static inline struct workers *
held_lane(struct lane *lane, struct counted_job *holder, int64_t queue_max_count)
{
    return hold(lane, workers_of(lane, 1, queue_max_count), holder);
}

#define UNIT_WITH_LANE(test) cmocka_unit_test_setup_teardown(test, lane_new, lane_free)

#endif
