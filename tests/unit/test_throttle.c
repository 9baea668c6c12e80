/* SPDX-License-Identifier: MIT
 *
 * The rules of the throttle, with a clock that the test owns. */
#include "unit.h"

#include "auth/throttle.h"

#define START_MS INT64_C(1795366800000)
#define SECOND   INT64_C(1000)

static const struct throttle_limits LIMITS = {
    .client_failures_count = 5, .name_failures_count = 100, .wait_max_s = 900};

static void four_failures_are_free_and_the_wait_doubles_up_to_15_minutes(void **state)
{
    (void)state;
    const int64_t waits[] = {0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900};
    struct throttle throttle = {0};
    int64_t now_ms = START_MS;
    for (size_t i = 0; i < ARRAY_COUNT(waits); i++) {
        assert_int_equal(throttle_wait_s(&LIMITS, &throttle, now_ms), 0);
        assert_int_equal(throttle_add_failure(&LIMITS, &throttle, now_ms), waits[i]);
        assert_int_equal(throttle_wait_s(&LIMITS, &throttle, now_ms), waits[i]);
        now_ms += waits[i] * SECOND;
    }
    assert_int_equal(throttle.client.failures, ARRAY_COUNT(waits));
    assert_int_equal(throttle.total.failures, ARRAY_COUNT(waits));
}

static void other_limits_hold_as_well(void **state)
{
    (void)state;
    const struct throttle_limits limits = {
        .client_failures_count = 1, .name_failures_count = 10, .wait_max_s = 5};
    const int64_t waits[] = {1, 2, 4, 5, 5, 5, 5, 5, 5, 5};
    struct throttle throttle = {0};
    int64_t now_ms = START_MS;
    for (size_t i = 0; i < ARRAY_COUNT(waits); i++) {
        assert_int_equal(throttle_wait_s(&limits, &throttle, now_ms), 0);
        assert_int_equal(throttle_add_failure(&limits, &throttle, now_ms), waits[i]);
        now_ms += waits[i] * SECOND;
    }
    assert_int_equal(throttle_wait_s(&limits, &throttle, now_ms), 5); /* the name is closed */
}

static void seconds_left_are_rounded_up(void **state)
{
    (void)state;
    const struct throttle throttle = {
        .client = {.failures = 6, .wait_until_unix_ms = START_MS + 2000}};
    assert_int_equal(throttle_wait_s(&LIMITS, &throttle, START_MS), 2);
    assert_int_equal(throttle_wait_s(&LIMITS, &throttle, START_MS + 1), 2);
    assert_int_equal(throttle_wait_s(&LIMITS, &throttle, START_MS + 1000), 1);
    assert_int_equal(throttle_wait_s(&LIMITS, &throttle, START_MS + 1999), 1);
    assert_int_equal(throttle_wait_s(&LIMITS, &throttle, START_MS + 2000), 0);
    assert_int_equal(throttle_wait_s(&LIMITS, &throttle, START_MS + 5000), 0);
}

static void a_wait_from_a_clock_that_was_set_back_does_not_count(void **state)
{
    (void)state;
    struct throttle throttle = {
        .client = {.failures = 20, .wait_until_unix_ms = START_MS + 900 * SECOND}};
    assert_int_equal(throttle_wait_s(&LIMITS, &throttle, START_MS), 900);
    assert_int_equal(throttle_wait_s(&LIMITS, &throttle, START_MS - 1), 0);
}

static void a_success_forgets_the_clients_failures(void **state)
{
    (void)state;
    struct throttle throttle = {.client = {.failures = 4, .used_unix_ms = START_MS}};
    assert_true(throttle_add_success(&throttle, START_MS));
    assert_int_equal(throttle.client.failures, 0);
    assert_int_equal(throttle.client.wait_until_unix_ms, 0);
    assert_true(throttle.client.has_succeeded);
    assert_int_equal(throttle_add_failure(&LIMITS, &throttle, START_MS), 0);
    assert_int_equal(throttle.client.failures, 1);
    assert_true(throttle.client.has_succeeded);
}

static void a_success_of_a_known_client_is_written_once_an_hour_at_most(void **state)
{
    (void)state;
    struct throttle throttle = {0};
    assert_true(throttle_add_success(&throttle, START_MS));
    assert_false(throttle_add_success(&throttle, START_MS));
    throttle.client.used_unix_ms = START_MS;
    assert_false(throttle_add_success(&throttle, START_MS + THROTTLE_REFRESH_MS - 1));
    throttle.client.used_unix_ms = START_MS;
    assert_true(throttle_add_success(&throttle, START_MS + THROTTLE_REFRESH_MS));
    (void)throttle_add_failure(&LIMITS, &throttle, START_MS);
    assert_true(throttle_add_success(&throttle, START_MS));
}

static void from_100_failures_on_only_known_clients_are_heard(void **state)
{
    (void)state;
    struct throttle throttle = {.total = {.failures = 99, .used_unix_ms = START_MS}};
    assert_int_equal(throttle_wait_s(&LIMITS, &throttle, START_MS), 0);
    assert_int_equal(throttle_add_failure(&LIMITS, &throttle, START_MS), 0);
    assert_int_equal(throttle.total.failures, 100);
    assert_int_equal(throttle_wait_s(&LIMITS, &throttle, START_MS), LIMITS.wait_max_s);
    throttle.client.has_succeeded = true;
    assert_int_equal(throttle_wait_s(&LIMITS, &throttle, START_MS), 0);
}

static void a_known_client_has_its_own_wait_all_the_same(void **state)
{
    (void)state;
    const struct throttle throttle = {.client = {.failures = 7,
                                                 .wait_until_unix_ms = START_MS + 4 * SECOND,
                                                 .has_succeeded = true},
                                      .total = {.failures = 500, .used_unix_ms = START_MS}};
    assert_int_equal(throttle_wait_s(&LIMITS, &throttle, START_MS), 4);
}

static void only_a_known_client_opens_a_closed_name(void **state)
{
    (void)state;
    struct throttle closed = {.total = {.failures = 100, .used_unix_ms = START_MS}};
    struct throttle stranger = closed;
    assert_true(throttle_add_success(&stranger, START_MS));
    assert_int_equal(stranger.total.failures, 100);
    struct throttle known = closed;
    known.client.has_succeeded = true;
    known.client.used_unix_ms = START_MS;
    assert_true(throttle_add_success(&known, START_MS));
    assert_int_equal(known.total.failures, 0);
}

static void a_day_without_a_failure_opens_a_closed_name(void **state)
{
    (void)state;
    struct throttle throttle = {.total = {.failures = 100, .used_unix_ms = START_MS}};
    assert_int_equal(throttle_wait_s(&LIMITS, &throttle, START_MS + THROTTLE_TOTAL_TTL_MS - 1),
                     LIMITS.wait_max_s);
    assert_int_equal(throttle_wait_s(&LIMITS, &throttle, START_MS + THROTTLE_TOTAL_TTL_MS), 0);
    (void)throttle_add_failure(&LIMITS, &throttle, START_MS + THROTTLE_TOTAL_TTL_MS);
    assert_int_equal(throttle.total.failures, 1);
}

static void the_first_success_of_a_client_forgets_no_total_and_the_second_does(void **state)
{
    (void)state;
    struct throttle throttle = {.total = {.failures = 50, .used_unix_ms = START_MS}};
    assert_true(throttle_add_success(&throttle, START_MS));
    assert_int_equal(throttle.total.failures, 50);
    assert_true(throttle_add_success(&throttle, START_MS));
    assert_int_equal(throttle.total.failures, 0);
}

static void a_device_is_the_prefix_and_something(void **state)
{
    (void)state;
    assert_true(throttle_is_device("device:x"));
    assert_true(throttle_is_device("device:device:"));
    const char *others[] = {"", "device", "device:", "Device:x", " device:x", "address:device:x"};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        assert_false(throttle_is_device(others[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(four_failures_are_free_and_the_wait_doubles_up_to_15_minutes),
        UNIT(other_limits_hold_as_well),
        UNIT(seconds_left_are_rounded_up),
        UNIT(a_wait_from_a_clock_that_was_set_back_does_not_count),
        UNIT(a_success_forgets_the_clients_failures),
        UNIT(a_success_of_a_known_client_is_written_once_an_hour_at_most),
        UNIT(from_100_failures_on_only_known_clients_are_heard),
        UNIT(a_known_client_has_its_own_wait_all_the_same),
        UNIT(only_a_known_client_opens_a_closed_name),
        UNIT(a_day_without_a_failure_opens_a_closed_name),
        UNIT(the_first_success_of_a_client_forgets_no_total_and_the_second_does),
        UNIT(a_device_is_the_prefix_and_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
