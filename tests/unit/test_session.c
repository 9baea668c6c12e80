/* SPDX-License-Identifier: MIT
 *
 * Handles of sessions: they find their own session among a user's, and tell nothing. */
#include "session/session.h"

#include "base/ctx.h"
#include "site.h"

#include "unit.h"

static const struct bytes KEY = {.p = (const unsigned char *)"the key of this site", .n = 20};
static const struct bytes OTHER = {.p = (const unsigned char *)"the key of another", .n = 18};

struct world {
    struct ctx ctx;
    struct site site;
    struct site other;
    struct session items[3];
};

static int world_new(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    if (!world || !secret_start())
        return -1;
    ctx_init(&world->ctx, NULL, 1000);
    site_init(&world->site, KEY);
    site_init(&world->other, OTHER);
    for (size_t i = 0; i < ARRAY_COUNT(world->items); i++)
        memcpy(world->items[i].digest, session_make(&world->ctx, "me", "etag")->digest,
               SECRET_DIGEST_BYTES);
    *state = world;
    return 0;
}

static int world_free(void **state)
{
    struct world *world = *state;
    ctx_done(&world->ctx);
    free(world);
    return 0;
}

static void a_handle_finds_its_session_only(void **state)
{
    struct world *world = *state;
    const struct session_list all = {.items = world->items, .count = 3};
    const struct session_list first_two = {.items = world->items, .count = 2};
    for (size_t i = 0; i < all.count; i++) {
        const char *handle = session_handle(&world->ctx, &world->site, &world->items[i]);
        assert_int_equal(strlen(handle), 24);
        assert_ptr_equal(session_of_handle(&world->ctx, &world->site, &all, handle),
                         &world->items[i]);
        assert_null(session_of_handle(&world->ctx, &world->other, &all, handle));
    }
    const char *third = session_handle(&world->ctx, &world->site, &world->items[2]);
    assert_null(session_of_handle(&world->ctx, &world->site, &first_two, third));
}

static void a_text_that_is_no_handle_finds_nothing(void **state)
{
    struct world *world = *state;
    const struct session_list all = {.items = world->items, .count = 3};
    const struct session_list none = {.count = 0};
    const char *handle = session_handle(&world->ctx, &world->site, &world->items[0]);
    const char *texts[] = {
        "",
        "x",
        session_hex(&world->ctx, world->items[0].digest, 12),
        arena_format(&world->ctx.arena, "%s ", handle),
        arena_format(&world->ctx.arena, "%.23s", handle),
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        assert_null(session_of_handle(&world->ctx, &world->site, &all, texts[i]));
    assert_null(session_of_handle(&world->ctx, &world->site, &none, handle));
}

static void sessions_are_the_same_by_their_digest(void **state)
{
    struct world *world = *state;
    struct session again = {.username = "you"};
    memcpy(again.digest, world->items[1].digest, sizeof(again.digest));
    assert_true(session_is_same(&world->items[1], &again));
    again.digest[SECRET_DIGEST_BYTES - 1] ^= 1;
    assert_false(session_is_same(&world->items[1], &again));
}

#define UNIT_IN_WORLD(test) cmocka_unit_test_setup_teardown(test, world_new, world_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_IN_WORLD(a_handle_finds_its_session_only),
        UNIT_IN_WORLD(a_text_that_is_no_handle_finds_nothing),
        UNIT_IN_WORLD(sessions_are_the_same_by_their_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
