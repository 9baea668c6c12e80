/* SPDX-License-Identifier: MIT
 *
 * Dates as text at their edges, and clocks that go forward. */
#include "base/clock.h"

#include "unit.h"

#include <stdio.h>

struct row {
    int64_t unix_ms;
    const char *iso;
    const char *people;
};

static const struct row rows[] = {
    {0, "1970-01-01T00:00:00.000Z", "1 Jan 1970, 00:00 UTC"},
    {-1, "1970-01-01T00:00:00.000Z", "1 Jan 1970, 00:00 UTC"},
    {INT64_MIN, "1970-01-01T00:00:00.000Z", "1 Jan 1970, 00:00 UTC"},
    {1, "1970-01-01T00:00:00.001Z", "1 Jan 1970, 00:00 UTC"},
    {68169599999, "1972-02-28T23:59:59.999Z", "28 Feb 1972, 23:59 UTC"},
    {68169600000, "1972-02-29T00:00:00.000Z", "29 Feb 1972, 00:00 UTC"},
    {951782400000, "2000-02-29T00:00:00.000Z", "29 Feb 2000, 00:00 UTC"},
    {951868800000, "2000-03-01T00:00:00.000Z", "1 Mar 2000, 00:00 UTC"},
    {978307199999, "2000-12-31T23:59:59.999Z", "31 Dec 2000, 23:59 UTC"},
    {978307200000, "2001-01-01T00:00:00.000Z", "1 Jan 2001, 00:00 UTC"},
    {1795364718000, "2026-11-22T16:25:18.000Z", "22 Nov 2026, 16:25 UTC"},
    {4107542400000, "2100-03-01T00:00:00.000Z", "1 Mar 2100, 00:00 UTC"},
    {253402300799999, "9999-12-31T23:59:59.999Z", "31 Dec 9999, 23:59 UTC"},
    {253402300800000, "9999-12-31T23:59:59.999Z", "31 Dec 9999, 23:59 UTC"},
    {INT64_MAX, "9999-12-31T23:59:59.999Z", "31 Dec 9999, 23:59 UTC"},
};

static void times_are_written_as_javascript_does(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char text[CLOCK_ISO_BYTES];
        clock_iso_into(text, rows[i].unix_ms);
        assert_string_equal(text, rows[i].iso);
        assert_string_equal(clock_iso(*state, rows[i].unix_ms), rows[i].iso);
    }
}

static void times_are_written_for_people(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_string_equal(clock_people(*state, rows[i].unix_ms), rows[i].people);
}

/* Walks all days of the range with a calendar of its own. */
static void every_day_has_its_date(void **state)
{
    static const int month_days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    (void)state;
    int64_t day = 0;
    for (int year = 1970; year <= 9999; year++) {
        bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (int month = 0; month < 12; month++) {
            int days = month_days[month] + (month == 1 && is_leap);
            for (int i = 1; i <= days; i++, day++) {
                char expected[64];
                char text[CLOCK_ISO_BYTES];
                (void)snprintf(expected, sizeof(expected), "%04d-%02d-%02dT00:00:00.000Z", year,
                               month + 1, i);
                clock_iso_into(text, day * 86400000);
                if (strcmp(text, expected) != 0)
                    fail_msg("%s is not %s", text, expected);
            }
        }
    }
}

static void the_monotonic_clock_never_goes_back(void **state)
{
    (void)state;
    int64_t before_us = clock_monotonic_us();
    for (int i = 0; i < 10000; i++) {
        int64_t now_us = clock_monotonic_us();
        assert_true(now_us >= before_us);
        before_us = now_us;
    }
    assert_true(clock_monotonic_ms() >= before_us / 1000);
}

static void the_wall_clock_is_in_this_century(void **state)
{
    (void)state;
    assert_true(clock_unix_ms() > INT64_C(1577836800000));
    assert_true(clock_unix_ms() < INT64_C(4102444800000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_ARENA(times_are_written_as_javascript_does),
        UNIT_WITH_ARENA(times_are_written_for_people),
        UNIT(every_day_has_its_date),
        UNIT(the_monotonic_clock_never_goes_back),
        UNIT(the_wall_clock_is_in_this_century),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
