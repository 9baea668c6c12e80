/* SPDX-License-Identifier: MIT
 *
 * A worker lane: a fixed number of threads and one bounded queue. Jobs run as plain blocking code;
 * each thread owns what its `local_new` made for it (a database connection, an HTTP client), so
 * nothing is shared.
 *
 * workers_new → workers_submit from any thread, never blocking → workers_free, which runs what is
 * queued. Whoever submits answers "busy" when the queue is full. A job whose deadline passed in the
 * queue is not run: `expire` is called instead, by a worker that meets it or by workers_expire, at
 * once. */
#ifndef NOTES_WORKERS_H
#define NOTES_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct workers;

/* Embedded in what is to be done; owned by the workers from submit until run, run_all or expire has
 * been called. */
struct job {
    struct job *next;
    int64_t deadline_ms; /* clock_monotonic_ms() */
    void (*run)(struct job *job, void *local);
    void (*expire)(struct job *job);

    /* Jobs of one kind that wait one behind the other may be run together, by the run_all of the
     * first: two to WORKERS_TOGETHER_MAX_COUNT of them, a list. NULL: it runs by itself, as all do
     * in a lane that knows owners. */
    const void *kind;
    uint64_t owner; /* whose it is, 0: nobody's */
    uint64_t round; /* the lane's, where owners take turns */
    void (*run_all)(struct job *first, void *local);
};

#define WORKERS_TOGETHER_MAX_COUNT 8

struct workers_options {
    const char *name; /* of the threads: at most 15 characters */
    int64_t count;
    int64_t queue_max_count;
    int64_t per_owner_max_count; /* of workers that run one owner's jobs, 0: all; his others wait */
    bool takes_turns;            /* owners do, nobody's jobs being one's */
    int niceness;                /* 0: as the process */
    void *(*local_new)(void *owner); /* called on the new thread; NULL: the job gets NULL */
    void (*local_free)(void *local); /* called on the thread at its end */
    void *owner;
};

/* NULL when a thread can't be started. */
struct workers *workers_new(const struct workers_options *options);

/* Runs what is queued, ends the threads. */
void workers_free(struct workers *workers);

/* False when the queue is full, or has as many of this owner as it has room left, where one has his
 * share or takes turns (the job stays the caller's). Threads: any. */
MUST_CHECK bool workers_submit(struct workers *workers, struct job *job);

/* May submit find room? What it says may be otherwise a moment later: it saves the way of a job
 * that will hardly be taken. Threads: any. */
bool workers_have_room(struct workers *workers);

/* Expires queued jobs whose deadline passed. Called once a second by the main thread. */
void workers_expire(struct workers *workers, int64_t now_ms);

/* Jobs queued or running. */
size_t workers_busy_count(struct workers *workers);

#endif
