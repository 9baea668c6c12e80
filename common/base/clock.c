/* SPDX-License-Identifier: MIT
 *
 * Time as numbers and as text. Dates are computed here, not by gmtime: no shared buffer, no
 * locale, no time zone.
 * Depends on: clock.h, arena.h. */
#include "base/clock.h"

#include "base/arena.h"

#include <stdio.h>
#include <time.h>

#define MS_PER_DAY       INT64_C(86400000)
#define UNIX_MS_MAX      INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */
#define DAYS_PER_ERA     146097                   /* 400 years */
#define DAYS_TO_UNIX     719468                   /* from 0000-03-01 to 1970-01-01 */
#define DAYS_PER_CENTURY 36524
#define DAYS_PER_4_YEARS 1460 /* of a century's first: the leap day is the last one */

struct moment {
    unsigned year, month, day, hour, minute, second, ms;
};

static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Years are counted from March, so that the leap day is the last of its year and months before it
 * do not move. */
static void set_date(struct moment *moment, unsigned days_since_1970)
{
    unsigned days = days_since_1970 + DAYS_TO_UNIX;
    unsigned era = days / DAYS_PER_ERA;
    unsigned day_of_era = days % DAYS_PER_ERA;
    unsigned year_of_era = (day_of_era - day_of_era / DAYS_PER_4_YEARS +
                            day_of_era / DAYS_PER_CENTURY - day_of_era / (DAYS_PER_ERA - 1)) /
                           365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month_from_march = (5 * day_of_year + 2) / 153;
    moment->day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    moment->month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    moment->year = era * 400 + year_of_era + (moment->month <= 2);
}

static struct moment moment_of(int64_t unix_ms)
{
    int64_t held_ms = unix_ms < 0 ? 0 : unix_ms > UNIX_MS_MAX ? UNIX_MS_MAX : unix_ms;
    unsigned ms_of_day = (unsigned)(held_ms % MS_PER_DAY);
    struct moment moment = {
        .hour = ms_of_day / 3600000,
        .minute = ms_of_day / 60000 % 60,
        .second = ms_of_day / 1000 % 60,
        .ms = ms_of_day % 1000,
    };
    set_date(&moment, (unsigned)(held_ms / MS_PER_DAY));
    return moment;
}

/* clock_gettime fails only for a clock that the system does not know; these two it knows. */
static int64_t read_us(clockid_t clock_id)
{
    struct timespec now = {0};
    (void)clock_gettime(clock_id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_unix_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_monotonic_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_monotonic_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

void clock_sleep_ms(int64_t ms)
{
    const struct timespec span = {.tv_sec = (time_t)(ms / 1000),
                                  .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&span, NULL);
}

static char *put_digits(char *to, unsigned number, unsigned count, char behind)
{
    for (unsigned i = count; i > 0; i--) {
        to[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    to[count] = behind;
    return to + count + 1;
}

/* By hand, because each log line and each comment has one. */
void clock_iso_into(char out_text[CLOCK_ISO_BYTES], int64_t unix_ms)
{
    struct moment moment = moment_of(unix_ms);
    char *to = put_digits(out_text, moment.year, 4, '-');
    to = put_digits(to, moment.month, 2, '-');
    to = put_digits(to, moment.day, 2, 'T');
    to = put_digits(to, moment.hour, 2, ':');
    to = put_digits(to, moment.minute, 2, ':');
    to = put_digits(to, moment.second, 2, '.');
    to = put_digits(to, moment.ms, 3, 'Z');
    *to = '\0';
}

char *clock_iso(struct arena *arena, int64_t unix_ms)
{
    char *text = arena_take(arena, CLOCK_ISO_BYTES);
    clock_iso_into(text, unix_ms);
    return text;
}

char *clock_people(struct arena *arena, int64_t unix_ms)
{
    struct moment moment = moment_of(unix_ms);
    return arena_format(arena, "%u %s %u, %02u:%02u UTC", moment.day,
                        month_names[(moment.month - 1) % 12], moment.year, moment.hour,
                        moment.minute);
}
