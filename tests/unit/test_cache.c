/* SPDX-License-Identifier: MIT
 *
 * What is kept and for how long: fills that race with changes, trust, room, many threads. */
#include "base/cache.h"

#include "base/secret.h"

#include <pthread.h>
#include <stdio.h>

#include "unit.h"

#define MAX_BYTES  ((size_t)64 * 1024)
#define ITEM_BYTES 1024 /* a quarter of a shard's room, the most that is kept */

struct thing {
    struct cached cached;
    char key[32];
    int64_t version;
};

static _Atomic int64_t alive_count;

static void free_thing(struct cached *cached)
{
    atomic_fetch_sub(&alive_count, 1);
    free(cached);
}

static struct bytes key_of(const char *key)
{
    return (struct bytes){.p = (const unsigned char *)key, .n = strlen(key)};
}

static struct thing *make_thing(const char *key, int64_t version, size_t size_bytes)
{
    struct thing *thing = calloc(1, sizeof(*thing));
    assert_non_null(thing);
    (void)snprintf(thing->key, sizeof(thing->key), "%s", key);
    thing->version = version;
    thing->cached.key = key_of(thing->key);
    thing->cached.size_bytes = size_bytes;
    thing->cached.free = free_thing;
    atomic_init(&thing->cached.users_count, 1);
    atomic_fetch_add(&alive_count, 1);
    return thing;
}

static bool
keep(struct cache *cache, const struct cache_ticket *ticket, const char *key, int64_t version)
{
    struct thing *thing = make_thing(key, version, ITEM_BYTES);
    bool is_kept = cache_put(cache, ticket, &thing->cached);
    cached_release(&thing->cached);
    return is_kept;
}

static bool read_and_keep(struct cache *cache, const char *key, int64_t version, int64_t now_ms)
{
    const struct cache_ticket ticket = cache_begin(cache, key_of(key), now_ms);
    return keep(cache, &ticket, key, version);
}

/* The version that is kept, 0 when there is none. */
static int64_t
look(struct cache *cache, const char *key, int64_t now_ms, enum cache_state *out_state)
{
    CLEANUP(cached_release_ptr) struct cached *cached = NULL;
    *out_state = cache_find(cache, key_of(key), now_ms, &cached);
    assert_true((*out_state == CACHE_NONE) == (cached == NULL));
    return cached ? ((struct thing *)(void *)cached)->version : 0;
}

static enum cache_state state_of(struct cache *cache, const char *key, int64_t now_ms)
{
    enum cache_state state;
    (void)look(cache, key, now_ms, &state);
    return state;
}

/* ---- */

struct world {
    struct trust trust;
    struct cache *cache;
};

static int world_new(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    if (!world)
        return -1;
    trust_gain(&world->trust);
    world->cache = cache_new(MAX_BYTES, &world->trust);
    *state = world;
    return 0;
}

static int world_free(void **state)
{
    struct world *world = *state;
    cache_free(world->cache);
    free(world);
    return atomic_load(&alive_count) == 0 ? 0 : -1;
}

static void what_was_read_is_found_again(void **state)
{
    struct world *world = *state;
    enum cache_state found;
    assert_int_equal(state_of(world->cache, "a", 0), CACHE_NONE);
    assert_true(read_and_keep(world->cache, "a", 7, 0));
    assert_int_equal(look(world->cache, "a", 1, &found), 7);
    assert_int_equal(found, CACHE_FRESH);
    assert_int_equal(state_of(world->cache, "b", 1), CACHE_NONE);
    assert_int_equal(state_of(world->cache, "", 1), CACHE_NONE);
    assert_int_equal(cache_size_bytes(world->cache), ITEM_BYTES);
}

static void a_change_ends_it(void **state)
{
    struct world *world = *state;
    assert_true(read_and_keep(world->cache, "a", 7, 0));
    cache_drop(world->cache, key_of("a"));
    assert_int_equal(state_of(world->cache, "a", 1), CACHE_NONE);
    assert_int_equal(cache_size_bytes(world->cache), 0);
}

static void what_was_being_read_when_a_change_came_is_not_kept(void **state)
{
    struct world *world = *state;
    const struct cache_ticket ticket = cache_begin(world->cache, key_of("a"), 0);
    cache_drop(world->cache, key_of("a"));
    assert_false(keep(world->cache, &ticket, "a", 7));
    assert_int_equal(state_of(world->cache, "a", 1), CACHE_NONE);
    assert_true(read_and_keep(world->cache, "a", 8, 1));
}

static void nor_does_it_confirm_what_is_there(void **state)
{
    struct world *world = *state;
    struct thing *thing = make_thing("a", 7, ITEM_BYTES);
    struct cache_ticket ticket = cache_begin(world->cache, key_of("a"), 0);
    const struct cache_ticket late = cache_begin(world->cache, key_of("a"), CACHE_USE_MS);
    assert_true(cache_put(world->cache, &ticket, &thing->cached));
    cache_drop(world->cache, key_of("a"));
    cache_confirm(world->cache, &late, &thing->cached);
    ticket = cache_begin(world->cache, key_of("a"), 1);
    assert_true(cache_put(world->cache, &ticket, &thing->cached)); /* the same again */
    cache_confirm(world->cache, &late, &thing->cached);
    assert_int_equal(state_of(world->cache, "a", CACHE_USE_MS + 1), CACHE_OLD);
    cached_release(&thing->cached);
}

static void a_change_of_one_key_leaves_the_others(void **state)
{
    struct world *world = *state;
    assert_true(read_and_keep(world->cache, "a", 7, 0));
    cache_drop(world->cache, key_of("b"));
    assert_int_equal(state_of(world->cache, "a", 1), CACHE_FRESH);
}

static void who_has_found_it_keeps_it_whatever_happens(void **state)
{
    struct world *world = *state;
    struct cached *cached = NULL;
    assert_true(read_and_keep(world->cache, "a", 7, 0));
    assert_int_equal(cache_find(world->cache, key_of("a"), 1, &cached), CACHE_FRESH);
    cache_drop(world->cache, key_of("a"));
    assert_true(read_and_keep(world->cache, "a", 8, 1));
    assert_int_equal(((struct thing *)(void *)cached)->version, 7);
    cached_release(cached);
}

static void one_user_is_asked_to_confirm_and_the_others_go_on(void **state)
{
    struct world *world = *state;
    assert_true(read_and_keep(world->cache, "a", 7, 100));
    assert_int_equal(state_of(world->cache, "a", 100 + CACHE_DUE_MS - 1), CACHE_FRESH);
    assert_int_equal(state_of(world->cache, "a", 100 + CACHE_DUE_MS), CACHE_DUE);
    for (int i = 0; i < 3; i++)
        assert_int_equal(state_of(world->cache, "a", 100 + CACHE_DUE_MS + i), CACHE_FRESH);
    assert_int_equal(state_of(world->cache, "a", 100 + CACHE_DUE_MS + CACHE_ASK_MS), CACHE_DUE);
    assert_int_equal(state_of(world->cache, "a", 100 + CACHE_USE_MS - 1), CACHE_FRESH);
    assert_int_equal(state_of(world->cache, "a", 100 + CACHE_USE_MS), CACHE_OLD);
    assert_int_equal(state_of(world->cache, "a", 100 + CACHE_USE_MS), CACHE_OLD);
}

static void confirmed_it_holds_from_the_read_on(void **state)
{
    struct world *world = *state;
    CLEANUP(cached_release_ptr) struct cached *cached = NULL;
    assert_true(read_and_keep(world->cache, "a", 7, 0));
    const struct cache_ticket ticket = cache_begin(world->cache, key_of("a"), 1500);
    assert_int_equal(cache_find(world->cache, key_of("a"), 3000, &cached), CACHE_OLD);
    cache_confirm(world->cache, &ticket, cached);
    assert_int_equal(state_of(world->cache, "a", 1500 + CACHE_USE_MS - 1), CACHE_DUE);
    assert_int_equal(state_of(world->cache, "a", 1500 + CACHE_USE_MS), CACHE_OLD);
}

static void what_was_read_later_stays(void **state)
{
    struct world *world = *state;
    enum cache_state found;
    const struct cache_ticket early = cache_begin(world->cache, key_of("a"), 0);
    assert_true(read_and_keep(world->cache, "a", 8, 10));
    assert_false(keep(world->cache, &early, "a", 7));
    assert_int_equal(look(world->cache, "a", 11, &found), 8);
    assert_true(read_and_keep(world->cache, "a", 9, 20));
    assert_int_equal(look(world->cache, "a", 21, &found), 9);
    assert_int_equal(cache_size_bytes(world->cache), ITEM_BYTES);
}

static void without_trust_all_is_to_be_confirmed(void **state)
{
    struct world *world = *state;
    assert_true(read_and_keep(world->cache, "a", 7, 0));
    trust_lose(&world->trust);
    assert_false(trust_is_given(&world->trust));
    assert_int_equal(state_of(world->cache, "a", 1), CACHE_OLD);
    assert_true(read_and_keep(world->cache, "b", 7, 1));
    assert_int_equal(state_of(world->cache, "b", 1), CACHE_OLD);
    trust_lose(&world->trust);
    assert_int_equal(state_of(world->cache, "b", 1), CACHE_OLD);
}

static void regained_trust_covers_only_what_is_read_from_then_on(void **state)
{
    struct world *world = *state;
    CLEANUP(cached_release_ptr) struct cached *cached = NULL;
    assert_true(read_and_keep(world->cache, "a", 7, 0));
    trust_lose(&world->trust);
    const struct cache_ticket ticket = cache_begin(world->cache, key_of("b"), 0);
    trust_gain(&world->trust);
    assert_true(keep(world->cache, &ticket, "b", 7));
    assert_int_equal(state_of(world->cache, "a", 1), CACHE_OLD);
    assert_int_equal(state_of(world->cache, "b", 1), CACHE_OLD);
    const struct cache_ticket next = cache_begin(world->cache, key_of("a"), 1);
    assert_int_equal(cache_find(world->cache, key_of("a"), 1, &cached), CACHE_OLD);
    cache_confirm(world->cache, &next, cached);
    assert_int_equal(state_of(world->cache, "a", 1), CACHE_FRESH);
    trust_gain(&world->trust); /* twice in a row: there was a gap that nobody noticed */
    assert_true(trust_is_given(&world->trust));
    assert_int_equal(state_of(world->cache, "a", 1), CACHE_OLD);
}

static void the_longest_unused_makes_room(void **state)
{
    struct world *world = *state;
    char key[16];
    assert_true(read_and_keep(world->cache, "used", 1, 0));
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof(key), "k%d", i);
        assert_true(read_and_keep(world->cache, key, 1, 0));
        assert_true(cache_size_bytes(world->cache) <= MAX_BYTES);
        assert_int_equal(state_of(world->cache, "used", 0), CACHE_FRESH);
        assert_int_equal(state_of(world->cache, key, 0), CACHE_FRESH);
    }
    assert_int_equal(state_of(world->cache, "k0", 0), CACHE_NONE);
    assert_true(atomic_load(&alive_count) <= (int64_t)(MAX_BYTES / ITEM_BYTES));
}

static void what_would_take_too_large_a_part_is_not_kept(void **state)
{
    struct world *world = *state;
    struct thing *thing = make_thing("a", 1, cache_item_max_bytes(world->cache) + 1);
    const struct cache_ticket ticket = cache_begin(world->cache, key_of("a"), 0);
    assert_int_equal(cache_item_max_bytes(world->cache), ITEM_BYTES);
    assert_false(cache_put(world->cache, &ticket, &thing->cached));
    assert_int_equal(cache_size_bytes(world->cache), 0);
    cached_release(&thing->cached);
}

static void what_grows_is_counted_and_makes_room(void **state)
{
    struct world *world = *state;
    CLEANUP(cached_release_ptr) struct cached *gone = NULL;
    char key[16];
    assert_true(read_and_keep(world->cache, "gone", 1, 0));
    assert_int_equal(cache_find(world->cache, key_of("gone"), 0, &gone), CACHE_FRESH);
    cache_drop(world->cache, key_of("gone"));
    cache_grow(world->cache, gone, ITEM_BYTES);
    for (int i = 0; i < 1000; i++) {
        CLEANUP(cached_release_ptr) struct cached *grown = NULL;
        (void)snprintf(key, sizeof(key), "k%d", i);
        assert_true(read_and_keep(world->cache, key, 1, 0));
        assert_int_equal(cache_find(world->cache, key_of(key), 0, &grown), CACHE_FRESH);
        cache_grow(world->cache, grown, (size_t)2 * ITEM_BYTES);
        assert_int_equal(grown->size_bytes, 3 * ITEM_BYTES);
        assert_true(cache_size_bytes(world->cache) <= MAX_BYTES);
        assert_int_equal(state_of(world->cache, key, 0), CACHE_FRESH);
    }
    assert_int_equal(cache_gone_bytes(world->cache), 2 * ITEM_BYTES);
    assert_true(atomic_load(&alive_count) <= (int64_t)(MAX_BYTES / ((size_t)3 * ITEM_BYTES)) + 1);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof(key), "k%d", i);
        cache_drop(world->cache, key_of(key));
    }
    assert_int_equal(cache_size_bytes(world->cache), 0);
}

/* Else each reader who takes long could hold another page that is not kept any more. */
static void what_has_gone_and_is_in_use_has_a_limit(void **state)
{
    enum { FOUND_MAX_COUNT = 3 * MAX_BYTES / ITEM_BYTES };
    struct world *world = *state;
    struct cached *found[FOUND_MAX_COUNT] = {NULL};
    size_t found_count = 0;
    while (found_count < FOUND_MAX_COUNT &&
           read_and_keep(world->cache, "read by many", (int64_t)found_count + 1, 1000)) {
        assert_int_equal(
            cache_find(world->cache, key_of("read by many"), 1000, &found[found_count++]),
            CACHE_FRESH);
        cache_drop(world->cache, key_of("read by many"));
        assert_int_equal(cache_gone_bytes(world->cache), found_count * ITEM_BYTES);
    }
    assert_int_equal(found_count, MAX_BYTES / ITEM_BYTES + 1);
    assert_false(read_and_keep(world->cache, "another", 1, 1000));
    cached_release(found[--found_count]);
    assert_true(read_and_keep(world->cache, "another", 1, 1000));
    assert_int_equal(state_of(world->cache, "another", 1000), CACHE_FRESH);
    while (found_count > 0)
        cached_release(found[--found_count]);
    assert_int_equal(cache_gone_bytes(world->cache), 0);
    assert_int_equal(atomic_load(&alive_count), 1);
}

static void a_cache_without_room_keeps_nothing(void **state)
{
    struct world *world = *state;
    struct cache *none = cache_new(0, &world->trust);
    assert_false(read_and_keep(none, "a", 1, 0));
    assert_int_equal(state_of(none, "a", 0), CACHE_NONE);
    cache_drop(none, key_of("a"));
    cache_free(none);
}

/* ---- many threads ---- */

#define READERS_COUNT 3
#define CHANGES_COUNT 3000

/* A store with one row, whose changes are told after they were made. */
struct store {
    struct cache *cache;
    _Atomic int64_t version;
    _Atomic int64_t told;
    _Atomic bool is_over;
    _Atomic int64_t older_count; /* values that were found after a newer one had been told */
    _Atomic int64_t hits_count;
};

static void *read_on(void *argument)
{
    struct store *store = argument;
    while (!atomic_load(&store->is_over)) {
        int64_t told = atomic_load(&store->told);
        CLEANUP(cached_release_ptr) struct cached *cached = NULL;
        if (cache_find(store->cache, key_of("row"), 1, &cached) == CACHE_FRESH) {
            atomic_fetch_add(&store->hits_count, 1);
            if (((struct thing *)(void *)cached)->version < told)
                atomic_fetch_add(&store->older_count, 1);
            continue;
        }
        const struct cache_ticket ticket = cache_begin(store->cache, key_of("row"), 0);
        int64_t version = atomic_load(&store->version);
        sched_yield(); /* a store takes time */
        struct thing *thing = make_thing("row", version, ITEM_BYTES);
        (void)cache_put(store->cache, &ticket, &thing->cached);
        cached_release(&thing->cached);
    }
    return NULL;
}

static void nobody_finds_what_was_there_before_a_change_that_was_told(void **state)
{
    struct world *world = *state;
    struct store store = {.cache = world->cache};
    pthread_t readers[READERS_COUNT];
    for (size_t i = 0; i < READERS_COUNT; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, &store), 0);
    for (int64_t version = 1; version <= CHANGES_COUNT; version++) {
        atomic_store(&store.version, version);
        cache_drop(world->cache, key_of("row"));
        atomic_store(&store.told, version);
        if (version % 4 == 0)
            sched_yield();
    }
    while (atomic_load(&store.hits_count) == 0)
        sched_yield();
    atomic_store(&store.is_over, true);
    for (size_t i = 0; i < READERS_COUNT; i++)
        (void)pthread_join(readers[i], NULL);
    assert_int_equal(atomic_load(&store.older_count), 0);
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, world_new, world_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD(what_was_read_is_found_again),
        WORLD(a_change_ends_it),
        WORLD(what_was_being_read_when_a_change_came_is_not_kept),
        WORLD(nor_does_it_confirm_what_is_there),
        WORLD(a_change_of_one_key_leaves_the_others),
        WORLD(who_has_found_it_keeps_it_whatever_happens),
        WORLD(one_user_is_asked_to_confirm_and_the_others_go_on),
        WORLD(confirmed_it_holds_from_the_read_on),
        WORLD(what_was_read_later_stays),
        WORLD(without_trust_all_is_to_be_confirmed),
        WORLD(regained_trust_covers_only_what_is_read_from_then_on),
        WORLD(the_longest_unused_makes_room),
        WORLD(what_would_take_too_large_a_part_is_not_kept),
        WORLD(what_grows_is_counted_and_makes_room),
        WORLD(what_has_gone_and_is_in_use_has_a_limit),
        WORLD(a_cache_without_room_keeps_nothing),
        WORLD(nobody_finds_what_was_there_before_a_change_that_was_told),
    };
    return secret_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
