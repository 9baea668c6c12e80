/* SPDX-License-Identifier: MIT
 *
 * Keys are spread over shards, each with its lock, its part of the bytes, a table of buckets and a
 * list by use. A drop counts up an epoch that some keys share: a fill that is refused for another
 * key's sake costs one more read. Strangers may choose keys, so the hash begins with a random
 * number. Depends on: cache.h, secret.h. */
#include "base/cache.h"

#include "base/secret.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS_COUNT   16  /* powers of two, all three */
#define BUCKETS_COUNT  256 /* of a shard */
#define EPOCHS_COUNT   64  /* of a shard */
#define ITEM_MAX_SHARE 4   /* a value takes this part of a shard at most */

struct shard {
    pthread_mutex_t lock; /* of all below */
    struct cached *buckets[BUCKETS_COUNT];
    uint64_t epochs[EPOCHS_COUNT];
    struct cached *newest;
    struct cached *oldest;
    size_t size_bytes;
};

struct cache {
    struct trust *trust;
    size_t shard_max_bytes;
    _Atomic size_t gone_bytes;
    uint64_t seed;
    struct shard shards[SHARDS_COUNT];
};

/* ---- trust ---- */

void trust_gain(struct trust *trust)
{
    uint64_t turn = atomic_load(&trust->turn);
    atomic_store(&trust->turn, turn + 1 + (turn & 1)); /* what was read before counts no more */
}

void trust_lose(struct trust *trust)
{
    uint64_t turn = atomic_load(&trust->turn);
    atomic_store(&trust->turn, turn + (turn & 1));
}

bool trust_is_given(struct trust *trust)
{
    return atomic_load(&trust->turn) & 1;
}

/* ---- places ---- */

static uint64_t hash_of(const struct cache *cache, struct bytes key)
{
    uint64_t hash = cache->seed; /* FNV-1a from here on, and a last stir for the low bits */
    for (size_t i = 0; i < key.n; i++)
        hash = (hash ^ key.p[i]) * UINT64_C(1099511628211);
    return hash ^ (hash >> 29);
}

static struct shard *shard_of(struct cache *cache, uint64_t hash)
{
    return &cache->shards[hash & (SHARDS_COUNT - 1)];
}

static struct cached **bucket_of(struct shard *shard, uint64_t hash)
{
    return &shard->buckets[(hash >> 4) & (BUCKETS_COUNT - 1)];
}

static uint64_t *epoch_of(struct shard *shard, uint64_t hash)
{
    return &shard->epochs[(hash >> 12) & (EPOCHS_COUNT - 1)];
}

static struct cached *look_up(struct shard *shard, uint64_t hash, struct bytes key)
{
    struct cached *at = *bucket_of(shard, hash);
    while (at && !(at->hash == hash && at->key.n == key.n && memcmp(at->key.p, key.p, key.n) == 0))
        at = at->next;
    return at;
}

/* ---- the list by use ---- */

static void take_off_list(struct shard *shard, struct cached *cached)
{
    if (cached->newer)
        cached->newer->older = cached->older;
    else
        shard->newest = cached->older;
    if (cached->older)
        cached->older->newer = cached->newer;
    else
        shard->oldest = cached->newer;
}

static void put_on_list(struct shard *shard, struct cached *cached)
{
    cached->newer = NULL;
    cached->older = shard->newest;
    if (shard->newest)
        shard->newest->newer = cached;
    else
        shard->oldest = cached;
    shard->newest = cached;
}

/* ---- coming and going; under the shard's lock ---- */

static void insert(struct shard *shard, struct cached *cached)
{
    struct cached **bucket = bucket_of(shard, cached->hash);
    cached->next = *bucket;
    *bucket = cached;
    put_on_list(shard, cached);
    shard->size_bytes += cached->size_bytes;
}

/* Puts it on a chain of what is released when the lock is free again. Until then the cache is one
 * of its users: the last one takes it off the count. */
static void
take_out(struct cache *cache, struct shard *shard, struct cached *cached, struct cached **removed)
{
    cached->gone_bytes = &cache->gone_bytes;
    atomic_fetch_add(cached->gone_bytes, cached->size_bytes);
    struct cached **at = bucket_of(shard, cached->hash);
    while (*at != cached)
        at = &(*at)->next;
    *at = cached->next;
    take_off_list(shard, cached);
    shard->size_bytes -= cached->size_bytes;
    cached->next = *removed;
    *removed = cached;
}

/* For the lock's holder, who releases them afterwards. */
static void make_room(struct cache *cache, struct shard *shard, struct cached **removed)
{
    while (shard->size_bytes > cache->shard_max_bytes)
        take_out(cache, shard, shard->oldest, removed);
}

static void release_all(struct cached *removed)
{
    while (removed) {
        struct cached *next = removed->next;
        cached_release(removed);
        removed = next;
    }
}

/* ---- for all threads ---- */

static enum cache_state state_of(struct cached *cached, int64_t now_ms, uint64_t turn)
{
    int64_t age_ms = now_ms - cached->confirmed_ms;
    if (!(turn & 1) || cached->turn != turn || age_ms >= CACHE_USE_MS)
        return CACHE_OLD;
    if (age_ms < CACHE_DUE_MS || now_ms - cached->asked_ms < CACHE_ASK_MS)
        return CACHE_FRESH;
    cached->asked_ms = now_ms;
    return CACHE_DUE;
}

enum cache_state
cache_find(struct cache *cache, struct bytes key, int64_t now_ms, struct cached **out_cached)
{
    uint64_t hash = hash_of(cache, key);
    struct shard *shard = shard_of(cache, hash);
    enum cache_state state = CACHE_NONE;
    *out_cached = NULL;
    (void)pthread_mutex_lock(&shard->lock);
    struct cached *cached = look_up(shard, hash, key);
    if (cached) {
        state = state_of(cached, now_ms, atomic_load(&cache->trust->turn));
        take_off_list(shard, cached);
        put_on_list(shard, cached);
        atomic_fetch_add(&cached->users_count, 1);
        *out_cached = cached;
    }
    (void)pthread_mutex_unlock(&shard->lock);
    return state;
}

struct cache_ticket cache_begin(struct cache *cache, struct bytes key, int64_t now_ms)
{
    struct cache_ticket ticket = {
        .hash = hash_of(cache, key),
        .turn = atomic_load(&cache->trust->turn),
        .begun_ms = now_ms,
    };
    struct shard *shard = shard_of(cache, ticket.hash);
    (void)pthread_mutex_lock(&shard->lock);
    ticket.epoch = *epoch_of(shard, ticket.hash);
    (void)pthread_mutex_unlock(&shard->lock);
    return ticket;
}

/* Whether nothing was told of the key since. Under the lock. */
static bool is_valid(struct shard *shard, const struct cache_ticket *ticket)
{
    return *epoch_of(shard, ticket->hash) == ticket->epoch;
}

static void mark(struct cached *cached, const struct cache_ticket *ticket)
{
    cached->turn = ticket->turn;
    cached->confirmed_ms = ticket->begun_ms;
    cached->asked_ms = ticket->begun_ms;
}

bool cache_put(struct cache *cache, const struct cache_ticket *ticket, struct cached *cached)
{
    struct shard *shard = shard_of(cache, ticket->hash);
    struct cached *removed = NULL;
    if (cached->size_bytes > cache_item_max_bytes(cache) ||
        cache_gone_bytes(cache) > cache->shard_max_bytes * SHARDS_COUNT)
        return false;
    (void)pthread_mutex_lock(&shard->lock);
    struct cached *present = look_up(shard, ticket->hash, cached->key);
    bool is_kept =
        is_valid(shard, ticket) && !(present && present->confirmed_ms > ticket->begun_ms);
    if (is_kept) {
        if (present)
            take_out(cache, shard, present, &removed);
        cached->hash = ticket->hash;
        mark(cached, ticket);
        atomic_fetch_add(&cached->users_count, 1);
        insert(shard, cached);
    }
    make_room(cache, shard, &removed);
    (void)pthread_mutex_unlock(&shard->lock);
    release_all(removed);
    return is_kept;
}

void cache_confirm(struct cache *cache, const struct cache_ticket *ticket, struct cached *cached)
{
    struct shard *shard = shard_of(cache, ticket->hash);
    (void)pthread_mutex_lock(&shard->lock);
    bool is_there = look_up(shard, ticket->hash, cached->key) == cached;
    if (is_there && is_valid(shard, ticket) && cached->confirmed_ms < ticket->begun_ms)
        mark(cached, ticket);
    (void)pthread_mutex_unlock(&shard->lock);
}

void cache_grow(struct cache *cache, struct cached *cached, size_t more_bytes)
{
    uint64_t hash = hash_of(cache, cached->key);
    struct shard *shard = shard_of(cache, hash);
    struct cached *removed = NULL;
    (void)pthread_mutex_lock(&shard->lock);
    if (look_up(shard, hash, cached->key) == cached) {
        cached->size_bytes += more_bytes;
        shard->size_bytes += more_bytes;
        make_room(cache, shard, &removed);
    } else if (cached->gone_bytes) {
        cached->size_bytes += more_bytes;
        atomic_fetch_add(cached->gone_bytes, more_bytes);
    }
    (void)pthread_mutex_unlock(&shard->lock);
    release_all(removed);
}

void cache_drop(struct cache *cache, struct bytes key)
{
    uint64_t hash = hash_of(cache, key);
    struct shard *shard = shard_of(cache, hash);
    struct cached *removed = NULL;
    (void)pthread_mutex_lock(&shard->lock);
    (*epoch_of(shard, hash))++;
    struct cached *cached = look_up(shard, hash, key);
    if (cached)
        take_out(cache, shard, cached, &removed);
    (void)pthread_mutex_unlock(&shard->lock);
    release_all(removed);
}

size_t cache_item_max_bytes(const struct cache *cache)
{
    return cache->shard_max_bytes / ITEM_MAX_SHARE;
}

size_t cache_gone_bytes(struct cache *cache)
{
    return atomic_load(&cache->gone_bytes);
}

size_t cache_size_bytes(struct cache *cache)
{
    size_t size_bytes = 0;
    for (size_t i = 0; i < SHARDS_COUNT; i++) {
        struct shard *shard = &cache->shards[i];
        (void)pthread_mutex_lock(&shard->lock);
        size_bytes += shard->size_bytes;
        (void)pthread_mutex_unlock(&shard->lock);
    }
    return size_bytes;
}

void cached_release(struct cached *cached)
{
    if (atomic_fetch_sub(&cached->users_count, 1) != 1)
        return;
    if (cached->gone_bytes)
        atomic_fetch_sub(cached->gone_bytes, cached->size_bytes);
    cached->free(cached);
}

/* ---- life ---- */

struct cache *cache_new(size_t max_bytes, struct trust *trust)
{
    struct cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        abort();
    cache->trust = trust;
    cache->shard_max_bytes = max_bytes / SHARDS_COUNT;
    secret_random(&cache->seed, sizeof(cache->seed));
    for (size_t i = 0; i < SHARDS_COUNT; i++) {
        if (pthread_mutex_init(&cache->shards[i].lock, NULL) != 0)
            abort();
    }
    return cache;
}

void cache_free(struct cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < SHARDS_COUNT; i++) {
        struct shard *shard = &cache->shards[i];
        struct cached *removed = NULL;
        while (shard->oldest)
            take_out(cache, shard, shard->oldest, &removed);
        release_all(removed);
        (void)pthread_mutex_destroy(&shard->lock);
    }
    free(cache);
}
