/* SPDX-License-Identifier: MIT
 *
 * A table of the addresses that have sockets, each with its count; all sockets of one address share
 * its entry. Depends on: places.h, address.h. */
#include "live/places.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"

#define BUCKETS_COUNT 1024 /* a power of two */

struct place {
    struct place *next;
    int64_t count;
    char key[ADDRESS_TEXT_BYTES];
};

struct places {
    int64_t max_count;
    int64_t per_address_count;
    pthread_mutex_t lock; /* of the next two */
    int64_t count;
    struct place *buckets[BUCKETS_COUNT];
};

struct places *places_new(int64_t max_count, int64_t per_address_count)
{
    struct places *places = calloc(1, sizeof(*places));
    if (!places || pthread_mutex_init(&places->lock, NULL) != 0)
        abort();
    places->max_count = max_count;
    places->per_address_count = per_address_count;
    return places;
}

void places_free(struct places *places)
{
    if (!places)
        return;
    (void)pthread_mutex_destroy(&places->lock);
    free(places);
}

static struct place **bucket_of(struct places *places, const char *key)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 16777619U;
    return &places->buckets[hash & (BUCKETS_COUNT - 1)];
}

static struct place *take_locked(struct places *places, const char *key)
{
    struct place **bucket = bucket_of(places, key);
    struct place *place = *bucket;
    if (places->count >= places->max_count)
        return NULL;
    while (place && strcmp(place->key, key) != 0)
        place = place->next;
    if (place && places->per_address_count > 0 && place->count >= places->per_address_count)
        return NULL;
    if (!place) {
        place = calloc(1, sizeof(*place));
        if (!place)
            return NULL;
        memcpy(place->key, key, strlen(key) + 1);
        place->next = *bucket;
        *bucket = place;
    }
    place->count++;
    places->count++;
    return place;
}

struct place *places_take(struct places *places, const struct address *address)
{
    char key[ADDRESS_TEXT_BYTES];
    address_limit_key(address, key);
    (void)pthread_mutex_lock(&places->lock);
    struct place *place = take_locked(places, key);
    (void)pthread_mutex_unlock(&places->lock);
    return place;
}

void places_give(struct places *places, struct place *place)
{
    (void)pthread_mutex_lock(&places->lock);
    places->count--;
    if (--place->count == 0) {
        struct place **at = bucket_of(places, place->key);
        while (*at != place)
            at = &(*at)->next;
        *at = place->next;
        free(place);
    }
    (void)pthread_mutex_unlock(&places->lock);
}
