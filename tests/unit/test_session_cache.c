/* SPDX-License-Identifier: MIT
 *
 * When the event loop may take a session for known, and when it must be read. */
#include "session/session_cache.h"

#include "app.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "config.h"
#include "session/session.h"

#include "unit.h"

#define MINUTE_MS ((int64_t)60000)

static struct config config = {
    .session_idle_s = 3600, .session_absolute_s = 86400, .user_check_s = 60};

struct world {
    struct app app;
    struct ctx ctx;
};

static int world_new(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    if (!world)
        return -1;
    world->app.config = &config;
    trust_gain(&world->app.trust);
    world->app.sessions = cache_new((size_t)1024 * 1024, &world->app.trust);
    ctx_init(&world->ctx, NULL, 1000);
    *state = world;
    return 0;
}

static int world_free(void **state)
{
    struct world *world = *state;
    cache_free(world->app.sessions);
    ctx_done(&world->ctx);
    free(world);
    return 0;
}

/* Of a user who signed in, was seen and was asked for so long ago. */
static struct session
session_of(unsigned char first_byte, int64_t age_ms, int64_t unused_ms, int64_t unchecked_ms)
{
    int64_t now_unix_ms = clock_unix_ms();
    return (struct session){
        .digest = {first_byte},
        .username = "J\xC3\xBCrgen",
        .created_unix_ms = now_unix_ms - age_ms,
        .used_unix_ms = now_unix_ms - unused_ms,
        .checked_unix_ms = now_unix_ms - unchecked_ms,
    };
}

static void keep(struct world *world, const struct session *session)
{
    const struct cache_ticket ticket = session_cache_begin(&world->app, session);
    session_cache_keep(&world->app, &ticket, session);
}

static bool is_known(struct world *world, unsigned char first_byte, struct session *out_session)
{
    *out_session = (struct session){.digest = {first_byte}};
    return session_cache_fill(&world->app, &world->ctx, out_session);
}

static void a_session_that_was_read_is_known(void **state)
{
    struct world *world = *state;
    struct session found;
    const struct session kept = session_of(1, 3 * MINUTE_MS, 0, 0);
    assert_false(is_known(world, 1, &found));
    keep(world, &kept);
    assert_true(is_known(world, 1, &found));
    assert_string_equal(found.username, kept.username);
    assert_int_equal(found.created_unix_ms, kept.created_unix_ms);
    assert_false(is_known(world, 2, &found));
}

static void one_that_has_ended_is_not(void **state)
{
    struct world *world = *state;
    struct session found;
    const struct session kept = session_of(1, 0, 0, 0);
    keep(world, &kept);
    session_cache_drop(&world->app, kept.digest);
    assert_false(is_known(world, 1, &found));
    const struct cache_ticket ticket = session_cache_begin(&world->app, &kept);
    session_cache_drop(&world->app, kept.digest);
    session_cache_keep(&world->app, &ticket, &kept); /* it was read before its end */
    assert_false(is_known(world, 1, &found));
}

static void nor_one_with_which_something_is_to_be_done(void **state)
{
    static const struct row {
        int64_t age_ms, unused_ms, unchecked_ms;
        bool is_known;
    } rows[] = {
        {50 * MINUTE_MS, MINUTE_MS / 2, MINUTE_MS / 4, true},
        {50 * MINUTE_MS, MINUTE_MS, 0, false},     /* its use is to be noted */
        {50 * MINUTE_MS, 0, MINUTE_MS / 2, false}, /* its user is to be asked for */
        {24 * 60 * MINUTE_MS + 1, 0, 0, false},    /* it is over */
        {50 * MINUTE_MS, -MINUTE_MS, 0, false},    /* the clock went back */
        {50 * MINUTE_MS, 0, -MINUTE_MS, false},
    };
    struct world *world = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct session found;
        unsigned char first_byte = (unsigned char)(i + 1);
        const struct session kept =
            session_of(first_byte, rows[i].age_ms, rows[i].unused_ms, rows[i].unchecked_ms);
        keep(world, &kept);
        assert_int_equal(is_known(world, first_byte, &found), rows[i].is_known);
    }
}

static void nor_any_while_ends_of_sessions_are_not_told(void **state)
{
    struct world *world = *state;
    struct session found;
    const struct session kept = session_of(1, 0, 0, 0);
    keep(world, &kept);
    trust_lose(&world->app.trust);
    assert_false(is_known(world, 1, &found));
    trust_gain(&world->app.trust);
    assert_false(is_known(world, 1, &found));
    keep(world, &kept);
    assert_true(is_known(world, 1, &found));
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, world_new, world_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD(a_session_that_was_read_is_known),
        WORLD(one_that_has_ended_is_not),
        WORLD(nor_one_with_which_something_is_to_be_done),
        WORLD(nor_any_while_ends_of_sessions_are_not_told),
    };
    return secret_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
