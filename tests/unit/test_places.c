/* SPDX-License-Identifier: MIT
 *
 * Places for live sockets, in all and by address; timers in their queues. */
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
    struct places *places = places_new(100, 2);
    (void)state;
    struct place *first = places_take(places, &one);
    struct place *second = places_take(places, &one);
    assert_non_null(first);
    assert_non_null(second);
    assert_null(places_take(places, &one));
    struct place *third = places_take(places, &other);
    assert_non_null(third);
    places_give(places, first);
    first = places_take(places, &one);
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
    struct places *places = places_new(2, 0);
    (void)state;
    struct place *first = places_take(places, &one);
    struct place *second = places_take(places, &one);
    assert_null(places_take(places, &other));
    places_give(places, first);
    places_give(places, second);
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
        UNIT(timers_are_due_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
