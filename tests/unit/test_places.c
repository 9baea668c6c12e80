/* SPDX-License-Identifier: MIT
 *
 * Places for live sockets, in all, by address and by session; timers in their queues. */
#include "live/places.h"
#include "live/timers.h"

#include "base/address.h"

#include "unit.h"

static struct address address_of(const char *text)
{
    struct address address;
    assert_true(address_parse(text, &address));
    return address;
}

static void an_address_has_so_many_places_and_gets_them_back(void **state)
{
    const struct address one = address_of("192.0.2.1");
    const struct address other = address_of("192.0.2.2");
    struct places *places =
        places_new(&(struct places_limits){.count = 100, .per_address_count = 2});
    (void)state;
    struct place *first = places_take(places, &one, NULL);
    struct place *second = places_take(places, &one, NULL);
    assert_non_null(first);
    assert_non_null(second);
    assert_null(places_take(places, &one, NULL));
    struct place *third = places_take(places, &other, NULL);
    assert_non_null(third);
    places_give(places, first);
    first = places_take(places, &one, NULL);
    assert_non_null(first);
    places_give(places, first);
    places_give(places, second);
    places_give(places, third);
    places_free(places);
}

static void there_are_so_many_in_all(void **state)
{
    const struct address one = address_of("2001:db8::1");
    const struct address other = address_of("192.0.2.2");
    struct places *places = places_new(&(struct places_limits){.count = 2});
    (void)state;
    struct place *first = places_take(places, &one, NULL);
    struct place *second = places_take(places, &one, NULL);
    assert_null(places_take(places, &other, NULL));
    places_give(places, first);
    places_give(places, second);
    places_free(places);
}

static void a_session_has_so_many_wherever_it_is(void **state)
{
    const struct address one = address_of("192.0.2.1");
    const struct address other = address_of("192.0.2.2");
    const unsigned char mine[SECRET_DIGEST_BYTES] = {1};
    const unsigned char yours[SECRET_DIGEST_BYTES] = {1, [SECRET_DIGEST_BYTES - 1] = 1};
    struct places *places = places_new(
        &(struct places_limits){.count = 100, .per_address_count = 3, .per_session_count = 2});
    (void)state;
    struct place *first = places_take(places, &one, mine);
    struct place *second = places_take(places, &other, mine);
    assert_non_null(first);
    assert_non_null(second);
    assert_null(places_take(places, &one, mine));
    /* What was refused holds nothing: of this address one is taken, and two are left. */
    struct place *third = places_take(places, &one, yours);
    struct place *fourth = places_take(places, &one, NULL);
    assert_non_null(third);
    assert_non_null(fourth);
    assert_null(places_take(places, &one, NULL));
    places_give(places, first);
    first = places_take(places, &other, mine);
    assert_non_null(first);
    assert_null(places_take(places, &other, mine));
    places_give(places, first);
    places_give(places, second);
    places_give(places, third);
    places_give(places, fourth);
    places_free(places);
}

static void timers_are_due_in_order(void **state)
{
    struct timer_queue queue;
    struct timer first = {0};
    struct timer second = {0};
    (void)state;
    timer_queue_init(&queue, 100);
    assert_true(timer_next_ms(&queue) == INT64_MAX);
    timer_start(&queue, &first, 0);
    timer_start(&queue, &second, 10);
    assert_int_equal(timer_next_ms(&queue), 100);
    assert_null(timer_take_due(&queue, 99));
    timer_start(&queue, &first, 20); /* anew: now behind the other */
    assert_ptr_equal(timer_take_due(&queue, 200), &second);
    assert_ptr_equal(timer_take_due(&queue, 200), &first);
    assert_null(timer_take_due(&queue, 200));
    timer_stop(&first);
    timer_start(&queue, &first, 300);
    timer_stop(&first);
    assert_true(timer_next_ms(&queue) == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(an_address_has_so_many_places_and_gets_them_back),
        UNIT(there_are_so_many_in_all),
        UNIT(a_session_has_so_many_wherever_it_is),
        UNIT(timers_are_due_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
