/* SPDX-License-Identifier: MIT
 *
 * The wait is drawn from its upper half, so that several processes do not come back in step.
 * Depends on: clock.h, secret.h (for random numbers). */
#include "data/redis_place.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/secret.h"

void redis_place_init(struct redis_place *place)
{
    *place = (struct redis_place){.wait_ms = 0};
    pthread_mutex_init(&place->lock, NULL);
}

struct redis_place *redis_place_new(struct arena *arena)
{
    struct redis_place *place = arena_take(arena, sizeof(*place));
    redis_place_init(place);
    return place;
}

bool redis_place_may_try(struct redis_place *place,
                         bool *out_is_alone,
                         char out_cause[REDIS_CAUSE_MAX_BYTES])
{
    int64_t now_ms = clock_monotonic_ms();
    pthread_mutex_lock(&place->lock);
    bool is_well = place->wait_ms == 0;
    bool may_try = is_well || (now_ms >= place->not_before_ms && !place->is_tried);
    *out_is_alone = may_try && !is_well;
    if (!may_try)
        (void)snprintf(out_cause, REDIS_CAUSE_MAX_BYTES, "%s", place->cause);
    if (*out_is_alone)
        place->is_tried = true;
    pthread_mutex_unlock(&place->lock);
    return may_try;
}

void redis_place_end_try(struct redis_place *place, bool is_alone)
{
    if (!is_alone)
        return;
    pthread_mutex_lock(&place->lock);
    place->is_tried = false;
    pthread_mutex_unlock(&place->lock);
}

void redis_place_found(struct redis_place *place)
{
    pthread_mutex_lock(&place->lock);
    place->wait_ms = 0;
    place->not_before_ms = 0;
    pthread_mutex_unlock(&place->lock);
}

static int64_t jittered(int64_t wait_ms)
{
    uint32_t random = 0;
    secret_random(&random, sizeof(random));
    return wait_ms / 2 + (int64_t)(random % (uint32_t)(wait_ms / 2 + 1));
}

/* Several that began together and fail together count once. */
void redis_place_missed(struct redis_place *place, const char *cause)
{
    int64_t now_ms = clock_monotonic_ms();
    pthread_mutex_lock(&place->lock);
    if (now_ms >= place->not_before_ms) {
        int64_t wait_ms = place->wait_ms ? place->wait_ms * 2 : REDIS_WAIT_FIRST_MS;
        place->wait_ms = wait_ms < REDIS_WAIT_MAX_MS ? wait_ms : REDIS_WAIT_MAX_MS;
        place->not_before_ms = now_ms + jittered(place->wait_ms);
        (void)snprintf(place->cause, sizeof(place->cause), "%s", cause);
    }
    pthread_mutex_unlock(&place->lock);
}

size_t redis_place_sentinel(struct redis_place *place)
{
    pthread_mutex_lock(&place->lock);
    size_t sentinel = place->sentinel;
    pthread_mutex_unlock(&place->lock);
    return sentinel;
}

void redis_place_set_sentinel(struct redis_place *place, size_t sentinel)
{
    pthread_mutex_lock(&place->lock);
    place->sentinel = sentinel;
    pthread_mutex_unlock(&place->lock);
}
