/* SPDX-License-Identifier: MIT
 *
 * The settings of Redis: what they come to together, and which do not go together. */
#include "unit.h"

#include <stdio.h>

#include "data/redis_settings.h"

struct config {
    struct redis_settings redis;
};

static const struct setting rows[] = {REDIS_SETTING_ROWS(struct config, redis)};

static const char *const names[] = {"REDIS_URL",       "REDIS_ENDPOINT", "REDIS_PASSWORD",
                                    "REDIS_SENTINELS", "REDIS_MASTER",   "REDIS_SENTINEL_PASSWORD",
                                    "REDIS_TIMEOUT_MS"};

struct world {
    struct arena arena;
    struct env_faults faults;
    struct config config;
};

static int world_new(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    if (!world || !secret_start())
        return -1;
    arena_init(&world->arena);
    world->faults.arena = &world->arena;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        unsetenv(names[i]);
    *state = world;
    return 0;
}

static int world_free(void **state)
{
    struct world *world = *state;
    env_secrets_done(rows, ARRAY_COUNT(rows), &world->config);
    arena_done(&world->arena);
    free(world);
    return 0;
}

static void set(const char *name, const char *value)
{
    assert_int_equal(setenv(name, value, 1), 0);
}

static const struct redis_options *read_all(struct world *world)
{
    env_read(rows, ARRAY_COUNT(rows), &world->config, &world->faults);
    redis_settings_check(&world->config.redis, &world->faults);
    return &world->config.redis.options;
}

static void assert_fault(struct world *world, const char *line)
{
    (void)read_all(world);
    assert_int_equal(world->faults.count, 1);
    assert_string_equal(world->faults.lines[0], line);
}

static void nothing_set_is_no_redis(void **state)
{
    struct world *world = *state;
    const struct redis_options *options = read_all(world);
    assert_int_equal(world->faults.count, 0);
    assert_false(options->is_set);
    assert_null(options->place);
}

static void a_url_says_it_all(void **state)
{
    struct world *world = *state;
    set("REDIS_URL", "redis://anna:p%25w@cache:7000/5");
    const struct redis_options *options = read_all(world);
    assert_int_equal(world->faults.count, 0);
    assert_true(options->is_set);
    assert_string_equal(options->host.host, "cache");
    assert_int_equal(options->host.port, 7000);
    assert_string_equal(options->username, "anna");
    assert_string_equal(options->password->text, "p%w");
    assert_int_equal(options->database, 5);
    assert_int_equal(options->timeout_ms, 500);
    assert_int_equal(options->sentinels_count, 0);
    assert_null(options->sentinel_password);
    assert_non_null(options->place);
}

static void the_password_may_come_apart(void **state)
{
    struct world *world = *state;
    set("REDIS_URL", "redis://anna@cache");
    set("REDIS_PASSWORD", "p%25w");
    set("REDIS_TIMEOUT_MS", "1500");
    const struct redis_options *options = read_all(world);
    assert_int_equal(world->faults.count, 0);
    assert_string_equal(options->password->text, "p%25w");
    assert_string_equal(options->username, "anna");
    assert_int_equal(options->timeout_ms, 1500);
}

static void the_older_name_is_a_host(void **state)
{
    struct world *world = *state;
    set("REDIS_ENDPOINT", "cache");
    const struct redis_options *options = read_all(world);
    assert_int_equal(world->faults.count, 0);
    assert_true(options->is_set);
    assert_string_equal(options->host.host, "cache");
    assert_int_equal(options->host.port, REDIS_PORT);
    assert_null(options->password);
}

static void sentinels_do_without_a_url(void **state)
{
    struct world *world = *state;
    set("REDIS_SENTINELS", "a,b:7");
    set("REDIS_SENTINEL_PASSWORD", "sp");
    const struct redis_options *options = read_all(world);
    assert_int_equal(world->faults.count, 0);
    assert_true(options->is_set);
    assert_int_equal(options->sentinels_count, 2);
    assert_int_equal(options->sentinels[1].port, 7);
    assert_string_equal(options->master, "mymaster");
    assert_string_equal(options->sentinel_password->text, "sp");
}

static void sentinels_take_the_rest_from_the_url(void **state)
{
    struct world *world = *state;
    set("REDIS_SENTINELS", "a");
    set("REDIS_MASTER", "notes");
    set("REDIS_URL", "redis://anna:pw@ignored/2");
    const struct redis_options *options = read_all(world);
    assert_int_equal(world->faults.count, 0);
    assert_string_equal(options->master, "notes");
    assert_string_equal(options->username, "anna");
    assert_string_equal(options->password->text, "pw");
    assert_int_equal(options->database, 2);
}

static void faults_name_the_setting_and_no_secret(void **state)
{
    struct world *world = *state;
    set("REDIS_URL", "redis://anna:hidden@cache:port");
    assert_fault(world, "REDIS_URL: names a port that is no number from 1 to 65535");
}

static void two_passwords_are_refused(void **state)
{
    set("REDIS_URL", "redis://:hidden@cache");
    set("REDIS_PASSWORD", "hidden");
    assert_fault(*state, "REDIS_PASSWORD: is set, and REDIS_URL has one too");
}

static void a_user_without_a_password_is_refused(void **state)
{
    set("REDIS_URL", "redis://anna@cache");
    assert_fault(*state, "REDIS_URL: names a user, and there is no password");
}

static void two_hosts_are_refused(void **state)
{
    set("REDIS_URL", "redis://cache");
    set("REDIS_ENDPOINT", "cache");
    assert_fault(*state, "REDIS_ENDPOINT: is set, and REDIS_URL too; set one of them");
}

static void an_endpoint_beside_sentinels_is_refused(void **state)
{
    set("REDIS_SENTINELS", "a");
    set("REDIS_ENDPOINT", "cache");
    assert_fault(*state, "REDIS_ENDPOINT: is set, and REDIS_SENTINELS too; set one of them");
}

static void wrong_hosts_are_refused(void **state)
{
    struct world *world = *state;
    set("REDIS_ENDPOINT", "cache:port");
    assert_fault(world, "REDIS_ENDPOINT: names a port that is no number from 1 to 65535");
    unsetenv("REDIS_ENDPOINT");
    set("REDIS_SENTINELS", "a,,b");
    world->faults.count = 0;
    assert_fault(world, "REDIS_SENTINELS: is not of the form HOST[:PORT]");
}

static void a_password_for_nothing_is_refused(void **state)
{
    set("REDIS_PASSWORD", "hidden");
    assert_fault(*state, "REDIS_PASSWORD: is set, and nothing says where Redis is: set REDIS_URL");
}

static void a_password_for_no_sentinel_is_refused(void **state)
{
    set("REDIS_URL", "redis://cache");
    set("REDIS_SENTINEL_PASSWORD", "hidden");
    assert_fault(*state, "REDIS_SENTINEL_PASSWORD: is set, and REDIS_SENTINELS is not");
}

#define UNIT_WORLD(test) cmocka_unit_test_setup_teardown(test, world_new, world_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WORLD(nothing_set_is_no_redis),
        UNIT_WORLD(a_url_says_it_all),
        UNIT_WORLD(the_password_may_come_apart),
        UNIT_WORLD(the_older_name_is_a_host),
        UNIT_WORLD(sentinels_do_without_a_url),
        UNIT_WORLD(sentinels_take_the_rest_from_the_url),
        UNIT_WORLD(faults_name_the_setting_and_no_secret),
        UNIT_WORLD(two_passwords_are_refused),
        UNIT_WORLD(a_user_without_a_password_is_refused),
        UNIT_WORLD(two_hosts_are_refused),
        UNIT_WORLD(an_endpoint_beside_sentinels_is_refused),
        UNIT_WORLD(wrong_hosts_are_refused),
        UNIT_WORLD(a_password_for_nothing_is_refused),
        UNIT_WORLD(a_password_for_no_sentinel_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
