/* SPDX-License-Identifier: MIT
 *
 * What is known about a Redis: who may try, when, and how long the waits get. */
#include "unit.h"

#include <time.h>

#include "base/secret.h"
#include "data/redis_place.h"

#define TRY_NS (5 * 1000000L)
#define TRIES  4000

static int place_new(void **state)
{
    static struct redis_place place;
    redis_place_init(&place);
    *state = &place;
    return secret_start() ? 0 : -1;
}

static bool may_try(struct redis_place *place, bool *out_is_alone)
{
    char cause[REDIS_CAUSE_MAX_BYTES];
    return redis_place_may_try(place, out_is_alone, cause);
}

static void wait_for_turn(struct redis_place *place)
{
    bool is_alone = false;
    for (int i = 0; !may_try(place, &is_alone); i++) {
        assert_true(i < TRIES);
        nanosleep(&(struct timespec){.tv_nsec = TRY_NS}, NULL);
    }
}

static void while_it_answers_all_may_try(void **state)
{
    struct redis_place *place = *state;
    for (int i = 0; i < 2; i++) {
        bool is_alone = true;
        assert_true(may_try(place, &is_alone));
        assert_false(is_alone);
    }
}

static void after_a_miss_one_at_a_time_may(void **state)
{
    struct redis_place *place = *state;
    char cause[REDIS_CAUSE_MAX_BYTES] = "";
    bool is_alone = true;
    redis_place_missed(place, "refused");
    place->not_before_ms = INT64_MAX;
    assert_false(redis_place_may_try(place, &is_alone, cause));
    assert_false(is_alone);
    assert_string_equal(cause, "refused");
    place->not_before_ms = 0;
    assert_true(may_try(place, &is_alone));
    assert_true(is_alone);
    assert_false(may_try(place, &is_alone));
    redis_place_found(place);
    assert_true(may_try(place, &is_alone));
    assert_true(may_try(place, &is_alone));
}

/* Also when others find out meanwhile that nobody is there: those who had begun before it was
 * known, and the subscriber. */
static void a_try_lasts_until_it_is_ended(void **state)
{
    struct redis_place *place = *state;
    bool is_alone = false;
    redis_place_missed(place, "refused");
    place->not_before_ms = 0;
    assert_true(may_try(place, &is_alone));
    assert_true(is_alone);
    redis_place_missed(place, "refused");
    redis_place_end_try(place, false);
    place->not_before_ms = 0;
    bool is_another_alone = true;
    assert_false(may_try(place, &is_another_alone));
    redis_place_end_try(place, is_alone);
    assert_true(may_try(place, &is_another_alone));
}

static void waits_double_up_to_a_limit_and_end(void **state)
{
    struct redis_place *place = *state;
    static const int64_t WAITS_MS[] = {100, 200, 400, 800, 1600, 3000, 3000};
    for (size_t i = 0; i < ARRAY_COUNT(WAITS_MS); i++) {
        place->not_before_ms = 0;
        redis_place_missed(place, "refused");
        assert_int_equal(place->wait_ms, WAITS_MS[i]);
    }
    redis_place_found(place);
    redis_place_missed(place, "refused");
    assert_int_equal(place->wait_ms, REDIS_WAIT_FIRST_MS);
    wait_for_turn(place);
}

static void those_that_fail_together_count_once(void **state)
{
    struct redis_place *place = *state;
    redis_place_missed(place, "first");
    place->not_before_ms = INT64_MAX;
    redis_place_missed(place, "second");
    assert_int_equal(place->wait_ms, REDIS_WAIT_FIRST_MS);
    assert_string_equal(place->cause, "first");
}

#define UNIT_PLACE(test) cmocka_unit_test_setup(test, place_new)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_PLACE(while_it_answers_all_may_try),
        UNIT_PLACE(after_a_miss_one_at_a_time_may),
        UNIT_PLACE(a_try_lasts_until_it_is_ended),
        UNIT_PLACE(waits_double_up_to_a_limit_and_end),
        UNIT_PLACE(those_that_fail_together_count_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
