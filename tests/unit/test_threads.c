/* SPDX-License-Identifier: MIT
 *
 * Numbers of threads: a setting counts, the rest follows the processors that the process may use.
 */
#include "service/threads.h"

#include "unit.h"

#include <sched.h>

static void a_setting_counts(void **state)
{
    (void)state;
    assert_int_equal(threads_per_core(7), 7);
    assert_int_equal(threads_of_loops(1), 1);
    assert_int_equal(threads_of_workers(1, 64), 1);
    assert_int_equal(threads_of_workers(200, 1), 200);
}

static void workers_follow_the_loops(void **state)
{
    (void)state;
    static const struct {
        int64_t loops_count;
        int64_t workers_count;
    } rows[] = {{1, 4}, {2, 4}, {3, 6}, {4, 8}, {5, 8}, {64, 8}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_int_equal(threads_of_workers(0, rows[i].loops_count), rows[i].workers_count);
}

static void only_processors_that_may_be_used_count(void **state)
{
    (void)state;
    cpu_set_t all;
    cpu_set_t one;
    assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
    assert_int_equal(threads_per_core(0), CPU_COUNT(&all));
    size_t first = 0;
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    assert_int_equal(threads_per_core(0), 1);
    assert_int_equal(threads_of_loops(0), 2);
    assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_setting_counts),
        cmocka_unit_test(workers_follow_the_loops),
        cmocka_unit_test(only_processors_that_may_be_used_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
