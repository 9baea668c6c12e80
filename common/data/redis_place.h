/* SPDX-License-Identifier: MIT
 *
 * What all connections of the process know about one Redis: whether it answers, and when it may be
 * asked again after it did not. Each vain try doubles the wait, and one caller at a time tries
 * again: a Redis that hangs holds up one worker, not all of them.
 *
 * redis_place_may_try → the try, with redis_place_found, redis_place_missed or neither →
 * redis_place_end_try. A try lasts as long as it does: looking a name up takes longer than
 * anybody's time limit when the name servers are silent.
 * Threads: any. One lock. */
#ifndef NOTES_REDIS_PLACE_H
#define NOTES_REDIS_PLACE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct arena;

#define REDIS_WAIT_FIRST_MS   100
#define REDIS_WAIT_MAX_MS     3000
#define REDIS_CAUSE_MAX_BYTES 256

struct redis_place {
    pthread_mutex_t lock;
    int64_t wait_ms; /* 0: it answered last time */
    int64_t not_before_ms;
    bool is_tried;   /* somebody tries again */
    size_t sentinel; /* which one answered last */
    char cause[REDIS_CAUSE_MAX_BYTES];
};

void redis_place_init(struct redis_place *place);
struct redis_place *redis_place_new(struct arena *arena);

/* False, with the last cause: not now. True: *out_is_alone says whether it is the one try of a
 * Redis that is away; redis_place_end_try takes it back. */
MUST_CHECK bool redis_place_may_try(struct redis_place *place,
                                    bool *out_is_alone,
                                    char out_cause[REDIS_CAUSE_MAX_BYTES]);
void redis_place_end_try(struct redis_place *place, bool is_alone);
void redis_place_found(struct redis_place *place);
void redis_place_missed(struct redis_place *place, const char *cause);

size_t redis_place_sentinel(struct redis_place *place);
void redis_place_set_sentinel(struct redis_place *place, size_t sentinel);

#endif
