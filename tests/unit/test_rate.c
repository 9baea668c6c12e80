/* SPDX-License-Identifier: MIT
 *
 * Token buckets with a clock of the test's own. */
#include "base/rate.h"

#include "unit.h"

#include <pthread.h>
#include <stdio.h>

#define START_MS INT64_C(1000000)

static void a_burst_is_allowed_and_what_is_over_must_wait(void **state)
{
    (void)state;
    struct rate *rate = rate_new(10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(rate_take(rate, "a", START_MS), 0);
    assert_int_equal(rate_take(rate, "a", START_MS), 6);
    assert_int_equal(rate_take(rate, "a", START_MS + 1), 6);
    assert_int_equal(rate_take(rate, "a", START_MS + 1000), 5);
    assert_int_equal(rate_take(rate, "a", START_MS + 5999), 1);
    assert_int_equal(rate_take(rate, "a", START_MS + 6000), 0);
    assert_int_equal(rate_take(rate, "a", START_MS + 6000), 6);
    rate_free(rate);
}

static void the_promised_wait_is_enough(void **state)
{
    static const int64_t rates_per_minute[] = {1, 2, 7, 10, 59, 60, 61, 300, 7000};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rates_per_minute); i++) {
        struct rate *rate = rate_new(rates_per_minute[i]);
        int64_t wait_s = 0;
        while (wait_s == 0)
            wait_s = rate_take(rate, "a", START_MS);
        assert_int_equal(rate_take(rate, "a", START_MS), wait_s);
        assert_int_equal(rate_take(rate, "a", START_MS + wait_s * 1000), 0);
        rate_free(rate);
    }
}

static void a_bucket_never_holds_more_than_a_minute(void **state)
{
    (void)state;
    struct rate *rate = rate_new(3);
    assert_int_equal(rate_take(rate, "a", START_MS), 0);
    int64_t later_ms = START_MS + INT64_C(1000000000000);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rate_take(rate, "a", later_ms), 0);
    assert_int_equal(rate_take(rate, "a", later_ms), 20);
    rate_free(rate);
}

static void keys_do_not_share_a_bucket(void **state)
{
    (void)state;
    struct rate *rate = rate_new(1);
    assert_int_equal(rate_take(rate, "a", START_MS), 0);
    assert_int_equal(rate_take(rate, "b", START_MS), 0);
    assert_int_equal(rate_take(rate, "", START_MS), 0);
    assert_int_equal(rate_take(rate, "a", START_MS), 60);
    rate_free(rate);
}

static void a_refusal_takes_nothing(void **state)
{
    (void)state;
    struct rate *rate = rate_new(2);
    assert_int_equal(rate_take(rate, "a", START_MS), 0);
    assert_int_equal(rate_take(rate, "a", START_MS), 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(rate_take(rate, "a", START_MS), 30);
    assert_int_equal(rate_take(rate, "a", START_MS + 29999), 1);
    assert_int_equal(rate_take(rate, "a", START_MS + 30000), 0);
    rate_free(rate);
}

static void what_was_given_back_can_be_taken_again(void **state)
{
    (void)state;
    struct rate *rate = rate_new(2);
    assert_int_equal(rate_take(rate, "a", START_MS), 0);
    assert_int_equal(rate_take(rate, "a", START_MS), 0);
    assert_int_equal(rate_take(rate, "a", START_MS), 30);
    rate_give_back(rate, "a");
    assert_int_equal(rate_take(rate, "a", START_MS), 0);
    assert_int_equal(rate_take(rate, "a", START_MS), 30);
    rate_free(rate);
}

static void giving_back_never_makes_more_than_a_full_minute(void **state)
{
    (void)state;
    struct rate *rate = rate_new(1);
    rate_give_back(rate, "never taken");
    assert_int_equal(rate_take(rate, "never taken", START_MS), 0);
    assert_int_equal(rate_take(rate, "never taken", START_MS), 60);
    for (int i = 0; i < 3; i++)
        rate_give_back(rate, "never taken");
    assert_int_equal(rate_take(rate, "never taken", START_MS), 0);
    assert_int_equal(rate_take(rate, "never taken", START_MS), 60);
    rate_free(rate);
}

static void giving_back_is_for_one_key(void **state)
{
    (void)state;
    struct rate *rate = rate_new(1);
    assert_int_equal(rate_take(rate, "a", START_MS), 0);
    assert_int_equal(rate_take(rate, "b", START_MS), 0);
    rate_give_back(rate, "b");
    assert_int_equal(rate_take(rate, "a", START_MS), 60);
    assert_int_equal(rate_take(rate, "b", START_MS), 0);
    rate_free(rate);
}

static void a_limit_of_nothing_is_off(void **state)
{
    (void)state;
    struct rate *rate = rate_new(0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(rate_take(rate, "a", START_MS), 0);
    rate_give_back(rate, "a");
    assert_int_equal(rate_take(rate, "a", START_MS), 0);
    rate_free(rate);
    rate_free(NULL);
}

static void a_clock_that_goes_back_refills_nothing(void **state)
{
    (void)state;
    struct rate *rate = rate_new(1);
    assert_int_equal(rate_take(rate, "a", START_MS), 0);
    assert_int_equal(rate_take(rate, "a", START_MS - 500000), 60);
    assert_int_equal(rate_take(rate, "a", START_MS + 59999), 1);
    assert_int_equal(rate_take(rate, "a", START_MS + 60000), 0);
    rate_free(rate);
}

/* A key that is used again and again is never the one that was idle longest. */
static void a_flood_of_keys_does_not_push_out_one_in_use(void **state)
{
    (void)state;
    struct rate *rate = rate_new(1);
    assert_int_equal(rate_take(rate, "attacker", START_MS), 0);
    for (int i = 0; i < 4 * RATE_KEYS_MAX_COUNT; i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "key %d", i);
        assert_int_equal(rate_take(rate, key, START_MS + i / 1000), 0);
        assert_true(rate_take(rate, "attacker", START_MS + i / 1000 + 1) > 0);
    }
    rate_free(rate);
}

struct taker {
    struct rate *rate;
    int taken_count;
};

static void *take_many(void *argument)
{
    struct taker *taker = argument;
    for (int i = 0; i < 1000; i++)
        taker->taken_count += rate_take(taker->rate, "shared", START_MS) == 0;
    return NULL;
}

static void threads_together_take_no_more_than_there_is(void **state)
{
    (void)state;
    enum { TAKERS_COUNT = 4 };
    struct rate *rate = rate_new(500);
    struct taker takers[TAKERS_COUNT];
    pthread_t threads[TAKERS_COUNT];
    int taken_count = 0;
    for (int i = 0; i < TAKERS_COUNT; i++) {
        takers[i] = (struct taker){.rate = rate};
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, &takers[i]), 0);
    }
    for (int i = 0; i < TAKERS_COUNT; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        taken_count += takers[i].taken_count;
    }
    assert_int_equal(taken_count, 500);
    rate_free(rate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_burst_is_allowed_and_what_is_over_must_wait),
        UNIT(the_promised_wait_is_enough),
        UNIT(a_bucket_never_holds_more_than_a_minute),
        UNIT(keys_do_not_share_a_bucket),
        UNIT(a_refusal_takes_nothing),
        UNIT(what_was_given_back_can_be_taken_again),
        UNIT(giving_back_never_makes_more_than_a_full_minute),
        UNIT(giving_back_is_for_one_key),
        UNIT(a_limit_of_nothing_is_off),
        UNIT(a_clock_that_goes_back_refills_nothing),
        UNIT(a_flood_of_keys_does_not_push_out_one_in_use),
        UNIT(threads_together_take_no_more_than_there_is),
    };
    return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
