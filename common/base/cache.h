/* SPDX-License-Identifier: MIT
 *
 * A cache of what a store said, for many threads: bounded by bytes, the longest unused goes first.
 * Values are shared and never changed; who found one keeps it until cached_release, whatever the
 * cache does meanwhile. What has gone and is still in use is counted too: while it is more than may
 * be kept, nothing new is. So both together are never more than twice that. No call waits for
 * anything but a short lock.
 *
 * What is kept can be wrong in two ways, and each has its means. A change that is told: cache_drop.
 * A fill that was reading when it came is not kept: cache_begin before the read, cache_put after
 * it. A change that nobody told: a value is used for CACHE_USE_MS after it was read or confirmed,
 * and only while the cache has reason to believe that changes are told (struct trust).
 *
 *     struct cache_ticket ticket = cache_begin(cache, key, now_ms);
 *     ... read from the store ...
 *     cache_put(cache, &ticket, value);
 */
#ifndef NOTES_CACHE_H
#define NOTES_CACHE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/cleanup.h"

#define CACHE_USE_MS 2000 /* after a value was confirmed: nobody uses it any more */
#define CACHE_DUE_MS 1000 /* one of its users is asked to confirm it, the others go on */
#define CACHE_ASK_MS 500  /* another one is asked when that has not happened */

/* Are changes told to this process, all of them? Shared by the caches that depend on it. What was
 * read before the last doubt is not used without being confirmed. */
struct trust {
    _Atomic uint64_t turn; /* odd: yes */
};

void trust_gain(struct trust *trust);
void trust_lose(struct trust *trust);
bool trust_is_given(struct trust *trust);

struct cache;

/* The first member of what is kept. The owner sets the first four, and changes nothing after
 * cache_put; of the size, see cache_grow. */
struct cached {
    struct bytes key;  /* lives as long as the value */
    size_t size_bytes; /* all that it takes */
    void (*free)(struct cached *cached);
    _Atomic size_t users_count; /* 1 for its maker */

    /* The cache's, under its lock. */
    uint64_t hash;
    _Atomic size_t *gone_bytes; /* of the cache, where it counts since it has gone; NULL: nowhere */
    struct cached *next;        /* in its bucket */
    struct cached *newer;
    struct cached *older;
    uint64_t turn;        /* of trust, when it was read or confirmed */
    int64_t confirmed_ms; /* monotonic */
    int64_t asked_ms;
};

enum cache_state {
    CACHE_NONE,
    CACHE_OLD,   /* there, and to be confirmed before it is used */
    CACHE_DUE,   /* may be used; this caller is to confirm it */
    CACHE_FRESH, /* may be used */
};

/* When a read began. */
struct cache_ticket {
    uint64_t hash;
    uint64_t epoch;
    uint64_t turn;
    int64_t begun_ms;
};

/* `trust` outlives the cache. max_bytes 0: nothing is kept. */
struct cache *cache_new(size_t max_bytes, struct trust *trust);
/* What was found must have been released. */
void cache_free(struct cache *cache);

/* Owns: the caller, who calls cached_release; NULL with CACHE_NONE. Units: now_ms monotonic. */
enum cache_state
cache_find(struct cache *cache, struct bytes key, int64_t now_ms, struct cached **out_cached);

/* Before a key is read from the store. Units: now_ms monotonic. */
struct cache_ticket cache_begin(struct cache *cache, struct bytes key, int64_t now_ms);

/* Keeps what was read since, instead of what there is. Not when the key was dropped meanwhile, when
 * what there is was read later, when it would take too large a part of the cache, or when too much
 * that has gone is in use. The caller keeps its own share. False: it is not kept. */
bool cache_put(struct cache *cache, const struct cache_ticket *ticket, struct cached *cached);

/* The store has said since that this value is the present one. */
void cache_confirm(struct cache *cache, const struct cache_ticket *ticket, struct cached *cached);

/* This value takes so much more from now on; the longest unused go, if there is no room for it. One
 * that is not kept any more counts among those that have gone. */
void cache_grow(struct cache *cache, struct cached *cached, size_t more_bytes);

/* It is another now: after the change, before anybody is told. */
void cache_drop(struct cache *cache, struct bytes key);

/* The largest value that is kept, 0: none is. */
size_t cache_item_max_bytes(const struct cache *cache);

/* How much has gone and is still in use. */
size_t cache_gone_bytes(struct cache *cache);

/* How much is kept now. */
size_t cache_size_bytes(struct cache *cache);

/* One user less; the last one frees it. */
void cached_release(struct cached *cached);
DEFINE_CLEANUP(struct cached *, cached_release)

#endif
