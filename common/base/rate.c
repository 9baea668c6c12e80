/* SPDX-License-Identifier: MIT
 *
 * Token buckets in a table of fixed size: strangers choose the keys, so it must never grow. A
 * key's place is the neighbourhood that a keyed digest names (nobody can aim at another's), and
 * what is stored is part of the digest: no address is kept. Tokens are counted in 1/60000, so
 * that a minute's refill needs no fractions.
 * Depends on: rate.h, secret.h. */
#include "base/rate.h"

#include "base/secret.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NEIGHBOURS_COUNT 8
#define ID_BYTES         16
#define DIGEST_KEY_BYTES 32
#define MS_PER_MINUTE    60000
#define TOKEN_UNITS      MS_PER_MINUTE
#define PER_MINUTE_MAX   INT64_C(1000000000)

struct bucket {
    unsigned char id[ID_BYTES];
    int64_t units;
    int64_t seen_ms;
    bool is_used;
};

struct rate {
    int64_t per_minute;
    unsigned char digest_key[DIGEST_KEY_BYTES];
    pthread_mutex_t lock; /* of the buckets */
    struct bucket buckets[RATE_KEYS_MAX_COUNT];
};

/* calloc: a table that few keys use stays mostly untouched memory. */
struct rate *rate_new(int64_t per_minute)
{
    struct rate *rate = calloc(1, sizeof(*rate));
    if (!rate || pthread_mutex_init(&rate->lock, NULL) != 0)
        abort();
    rate->per_minute = per_minute < PER_MINUTE_MAX ? per_minute : PER_MINUTE_MAX;
    secret_random(rate->digest_key, sizeof(rate->digest_key));
    return rate;
}

void rate_free(struct rate *rate)
{
    if (!rate)
        return;
    (void)pthread_mutex_destroy(&rate->lock);
    free(rate);
}

static struct bucket *neighbourhood_of(struct rate *rate, const unsigned char *digest)
{
    uint32_t number;
    memcpy(&number, digest + ID_BYTES, sizeof(number));
    return &rate->buckets[(size_t)number % (RATE_KEYS_MAX_COUNT / NEIGHBOURS_COUNT) *
                          NEIGHBOURS_COUNT];
}

static struct bucket *find_bucket(struct bucket *near, const unsigned char *id)
{
    for (size_t i = 0; i < NEIGHBOURS_COUNT; i++) {
        if (near[i].is_used && memcmp(near[i].id, id, ID_BYTES) == 0)
            return &near[i];
    }
    return NULL;
}

/* A free one, or the one that was idle longest. */
static struct bucket *bucket_to_give(struct bucket *near)
{
    struct bucket *oldest = &near[0];
    for (size_t i = 0; i < NEIGHBOURS_COUNT; i++) {
        if (!near[i].is_used)
            return &near[i];
        if (near[i].seen_ms < oldest->seen_ms)
            oldest = &near[i];
    }
    return oldest;
}

static void refill(const struct rate *rate, struct bucket *bucket, int64_t now_ms)
{
    int64_t idle_ms = now_ms > bucket->seen_ms ? now_ms - bucket->seen_ms : 0;
    if (idle_ms > MS_PER_MINUTE)
        idle_ms = MS_PER_MINUTE;
    int64_t full_units = rate->per_minute * TOKEN_UNITS;
    int64_t units = bucket->units + idle_ms * rate->per_minute;
    bucket->units = units < full_units ? units : full_units;
    if (now_ms > bucket->seen_ms)
        bucket->seen_ms = now_ms;
}

static int64_t wait_s(const struct rate *rate, const struct bucket *bucket)
{
    if (bucket->units >= TOKEN_UNITS)
        return 0;
    int64_t units_per_s = rate->per_minute * 1000;
    return (TOKEN_UNITS - bucket->units + units_per_s - 1) / units_per_s;
}

static int64_t take_locked(struct rate *rate, const unsigned char *digest, int64_t now_ms)
{
    struct bucket *near = neighbourhood_of(rate, digest);
    struct bucket *bucket = find_bucket(near, digest);
    if (!bucket) {
        bucket = bucket_to_give(near);
        memcpy(bucket->id, digest, ID_BYTES);
        bucket->units = rate->per_minute * TOKEN_UNITS;
        bucket->seen_ms = now_ms;
        bucket->is_used = true;
    }
    refill(rate, bucket, now_ms);
    int64_t wait = wait_s(rate, bucket);
    if (wait == 0)
        bucket->units -= TOKEN_UNITS;
    return wait;
}

static void give_back_locked(struct rate *rate, const unsigned char *digest)
{
    struct bucket *bucket = find_bucket(neighbourhood_of(rate, digest), digest);
    if (!bucket)
        return;
    int64_t full_units = rate->per_minute * TOKEN_UNITS;
    int64_t units = bucket->units + TOKEN_UNITS;
    bucket->units = units < full_units ? units : full_units;
}

static void
digest_key(const struct rate *rate, const char *key, unsigned char out_digest[SECRET_DIGEST_BYTES])
{
    struct bytes digest_key = {.p = rate->digest_key, .n = sizeof(rate->digest_key)};
    secret_digest(digest_key, key, strlen(key), out_digest);
}

int64_t rate_take(struct rate *rate, const char *key, int64_t now_ms)
{
    if (rate->per_minute <= 0)
        return 0;
    unsigned char digest[SECRET_DIGEST_BYTES];
    digest_key(rate, key, digest);
    (void)pthread_mutex_lock(&rate->lock);
    int64_t wait = take_locked(rate, digest, now_ms);
    (void)pthread_mutex_unlock(&rate->lock);
    return wait;
}

void rate_give_back(struct rate *rate, const char *key)
{
    if (rate->per_minute <= 0)
        return;
    unsigned char digest[SECRET_DIGEST_BYTES];
    digest_key(rate, key, digest);
    (void)pthread_mutex_lock(&rate->lock);
    give_back_locked(rate, digest);
    (void)pthread_mutex_unlock(&rate->lock);
}
