/* SPDX-License-Identifier: MIT
 *
 * DATABASE_URL: what each part of a MySQL URL comes to, and what is refused. */
#include "unit.h"

#include "data/db_url.h"

static void parts_are_decoded(void **state)
{
    struct arena *arena = *state;
    struct db_url url = {0};
    assert_null(db_url_parse(
        arena, "mysql://us%40er:p%2Fw%3A@db,[fe80::1]:3307,10.0.0.1:1/no%20tes", &url));
    assert_string_equal(url.user, "us@er");
    assert_string_equal(url.password, "p/w:");
    assert_string_equal(url.database, "no tes");
    assert_int_equal(url.hosts_count, 3);
    assert_string_equal(url.hosts[0].name, "db");
    assert_int_equal(url.hosts[0].port, DB_MYSQL_PORT);
    assert_string_equal(url.hosts[1].name, "fe80::1");
    assert_int_equal(url.hosts[1].port, 3307);
    assert_string_equal(url.hosts[2].name, "10.0.0.1");
    assert_int_equal(url.hosts[2].port, 1);
    assert_null(db_url_parse(arena, "mysql://u@h/d", &url));
    assert_null(url.password);
}

static void what_means_nothing_is_refused_and_writes_nothing(void **state)
{
    struct arena *arena = *state;
    static const char *const URLS[] = {"",
                                       "mysql:",
                                       "mysql://",
                                       "mysql://h/d",
                                       "mysql://u@h",
                                       "mysql://u@h/",
                                       "mysql://@h/d",
                                       "mysql://u:@h/d",
                                       "mysql://u@/d",
                                       "mysql://u@h:/d",
                                       "mysql://u@h:0/d",
                                       "mysql://u@h:65536/d",
                                       "mysql://u@h,/d",
                                       "mysql://u@,h/d",
                                       "mysql://u@[::1/d",
                                       "mysql://u@[]/d",
                                       "mysql://u@[::1]x/d",
                                       "mysql://u@h/d/e",
                                       "mysql://u@h/d?x",
                                       "mysql://u@h/d#x",
                                       "mysql://u%00@h/d",
                                       "mysql://u%zz@h/d",
                                       "mysql://u%0a@h/d",
                                       "mysql://u@h@i/d",
                                       "mysql://u@h\ni/d",
                                       "mysql://u@h i/d",
                                       "mysql://u@h]/d",
                                       "mysql://u@[:\x01:1]/d",
                                       "mysql://u@a,b,c,d,e,f,g,h,i/d",
                                       "MYSQL://u@h/d",
                                       "postgres://u@h/d"};
    for (size_t i = 0; i < ARRAY_COUNT(URLS); i++) {
        struct db_url url = {0};
        if (!db_url_parse(arena, URLS[i], &url))
            fail_msg("taken: %s", URLS[i]);
        assert_null(url.user);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_ARENA(parts_are_decoded),
        UNIT_WITH_ARENA(what_means_nothing_is_refused_and_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
