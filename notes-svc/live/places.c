/* SPDX-License-Identifier: MIT
 *
 * A table of the holders, which are addresses and sessions, each with the count of its sockets; all
 * sockets of one holder share its entry. Depends on: places.h, address.h, secret.h. */
#include "live/places.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"

#define BUCKETS_COUNT 1024 /* a power of two */
#define KEY_BYTES     ADDRESS_TEXT_BYTES

_Static_assert(SECRET_DIGEST_BYTES + 1 <= KEY_BYTES, "a session fits in a key as well");

struct holder {
    struct holder *next;
    int64_t count;
    char key[KEY_BYTES]; /* filled up with zeros */
};

struct place {
    struct holder *address;
    struct holder *session; /* NULL: nobody is signed in */
};

struct places {
    struct places_limits limits;
    pthread_mutex_t lock; /* of the next two, and of all holders */
    int64_t count;
    struct holder *buckets[BUCKETS_COUNT];
};

struct places *places_new(const struct places_limits *limits)
{
    struct places *places = calloc(1, sizeof(*places));
    if (!places || pthread_mutex_init(&places->lock, NULL) != 0)
        abort();
    places->limits = *limits;
    return places;
}

void places_free(struct places *places)
{
    if (!places)
        return;
    (void)pthread_mutex_destroy(&places->lock);
    free(places);
}

/* ---- holders ---- */

static void address_key(const struct address *address, char key[KEY_BYTES])
{
    memset(key, 0, KEY_BYTES);
    address_limit_key(address, key);
}

/* No text begins so, and no address is named so. */
static void session_key(const unsigned char digest[SECRET_DIGEST_BYTES], char key[KEY_BYTES])
{
    memset(key, 0, KEY_BYTES);
    key[0] = '@';
    memcpy(key + 1, digest, SECRET_DIGEST_BYTES);
}

static struct holder **bucket_of(struct places *places, const char key[KEY_BYTES])
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (size_t i = 0; i < KEY_BYTES; i++)
        hash = (hash ^ (unsigned char)key[i]) * 16777619U;
    return &places->buckets[hash & (BUCKETS_COUNT - 1)];
}

/* One more of this holder's; NULL when it has its share. */
static struct holder *
hold_locked(struct places *places, const char key[KEY_BYTES], int64_t limit_count)
{
    struct holder **bucket = bucket_of(places, key);
    struct holder *holder = *bucket;
    while (holder && !secret_bytes_equal(holder->key, key, KEY_BYTES))
        holder = holder->next;
    if (holder && limit_count > 0 && holder->count >= limit_count)
        return NULL;
    if (!holder) {
        holder = calloc(1, sizeof(*holder));
        if (!holder)
            abort();
        memcpy(holder->key, key, KEY_BYTES);
        holder->next = *bucket;
        *bucket = holder;
    }
    holder->count++;
    return holder;
}

static void release_locked(struct places *places, struct holder *holder)
{
    if (!holder || --holder->count > 0)
        return;
    struct holder **at = bucket_of(places, holder->key);
    while (*at != holder)
        at = &(*at)->next;
    *at = holder->next;
    free(holder);
}

/* ---- places ---- */

static bool take_locked(struct places *places,
                        struct place *place,
                        const struct address *address,
                        const unsigned char *session)
{
    char key[KEY_BYTES];
    if (places->count >= places->limits.count)
        return false;
    address_key(address, key);
    place->address = hold_locked(places, key, places->limits.per_address_count);
    if (place->address && session) {
        session_key(session, key);
        place->session = hold_locked(places, key, places->limits.per_session_count);
    }
    if (place->address && (place->session || !session)) {
        places->count++;
        return true;
    }
    release_locked(places, place->address);
    return false;
}

struct place *places_take(struct places *places,
                          const struct address *address,
                          const unsigned char session[SECRET_DIGEST_BYTES])
{
    struct place *place = calloc(1, sizeof(*place));
    if (!place)
        abort();
    (void)pthread_mutex_lock(&places->lock);
    bool is_taken = take_locked(places, place, address, session);
    (void)pthread_mutex_unlock(&places->lock);
    if (is_taken)
        return place;
    free(place);
    return NULL;
}

void places_give(struct places *places, struct place *place)
{
    (void)pthread_mutex_lock(&places->lock);
    places->count--;
    release_locked(places, place->session);
    release_locked(places, place->address);
    (void)pthread_mutex_unlock(&places->lock);
    free(place);
}
