/* SPDX-License-Identifier: MIT
 *
 * REDIS_URL and lists of sentinels: what each part comes to, and what is refused. */
#include "unit.h"

#include "data/redis_url.h"

static void parts_are_decoded(void **state)
{
    struct redis_url url = {0};
    assert_null(redis_url_parse(*state, "redis://us%40er:p%2Fw%3A@[fe80::1]:7/3", &url));
    assert_string_equal(url.username, "us@er");
    assert_string_equal(url.password, "p/w:");
    assert_string_equal(url.host.host, "fe80::1");
    assert_int_equal(url.host.port, 7);
    assert_int_equal(url.database, 3);
}

static void parts_may_be_left_out(void **state)
{
    struct redis_url url = {0};
    assert_null(redis_url_parse(*state, "redis://cache", &url));
    assert_null(url.username);
    assert_null(url.password);
    assert_string_equal(url.host.host, "cache");
    assert_int_equal(url.host.port, REDIS_PORT);
    assert_int_equal(url.database, 0);
    assert_null(redis_url_parse(*state, "redis://:pw@cache/", &url));
    assert_null(url.username);
    assert_string_equal(url.password, "pw");
    assert_null(redis_url_parse(*state, "redis://anna@[::1]", &url));
    assert_string_equal(url.username, "anna");
    assert_null(url.password);
    assert_string_equal(url.host.host, "::1");
    assert_int_equal(url.host.port, REDIS_PORT);
    assert_null(redis_url_parse(*state, "redis://@cache", &url));
    assert_null(url.username);
}

static void what_means_nothing_is_refused_and_writes_nothing(void **state)
{
    static const char *const URLS[] = {"",
                                       "cache",
                                       "redis:",
                                       "redis://",
                                       "redis:///1",
                                       "redis://u:@h",
                                       "redis://:@h",
                                       "redis://u:p@",
                                       "redis://h:",
                                       "redis://h:0",
                                       "redis://h:65536",
                                       "redis://h:1x",
                                       "redis://h/x",
                                       "redis://h/-1",
                                       "redis://h/65536",
                                       "redis://h/1/2",
                                       "redis://h/1?x",
                                       "redis://h?x",
                                       "redis://h#x",
                                       "redis://a b",
                                       "redis://[::1",
                                       "redis://[]",
                                       "redis://[::1]x",
                                       "redis://::1",
                                       "redis://h@i@j",
                                       "redis://a,b",
                                       "redis://%00@h",
                                       "redis://u:%0a@h",
                                       "redis://u:%zz@h",
                                       "REDIS://h",
                                       "http://h"};
    for (size_t i = 0; i < ARRAY_COUNT(URLS); i++) {
        struct redis_url url = {0};
        if (!redis_url_parse(*state, URLS[i], &url))
            fail_msg("taken: %s", URLS[i]);
        assert_null(url.host.host);
    }
}

static void tls_is_refused_by_name(void **state)
{
    struct redis_url url = {0};
    const char *fault = redis_url_parse(*state, "rediss://u:hidden@h", &url);
    assert_non_null(strstr(fault, "TLS"));
    assert_null(strstr(fault, "hidden"));
}

static void sentinels_are_a_list(void **state)
{
    struct redis_host hosts[REDIS_SENTINELS_MAX_COUNT];
    size_t count = 0;
    assert_null(redis_sentinels_parse(*state, "one,10.0.0.1:7,[::1]:8,[::2]", hosts, &count));
    assert_int_equal(count, 4);
    assert_string_equal(hosts[0].host, "one");
    assert_int_equal(hosts[0].port, REDIS_SENTINEL_PORT);
    assert_int_equal(hosts[1].port, 7);
    assert_string_equal(hosts[2].host, "::1");
    assert_int_equal(hosts[2].port, 8);
    assert_int_equal(hosts[3].port, REDIS_SENTINEL_PORT);
    assert_null(redis_sentinels_parse(*state, "a,b,c,d,e,f,g,h", hosts, &count));
    assert_int_equal(count, 8);
}

static void a_list_with_a_fault_is_refused_whole(void **state)
{
    static const char *const LISTS[] = {
        "", ",", "a,", "a,,b", "a:x", "a b", "a:1:2", "redis://a", "a,b,c,d,e,f,g,h,i"};
    for (size_t i = 0; i < ARRAY_COUNT(LISTS); i++) {
        struct redis_host hosts[REDIS_SENTINELS_MAX_COUNT] = {{NULL, 0}};
        size_t count = 77;
        if (!redis_sentinels_parse(*state, LISTS[i], hosts, &count))
            fail_msg("taken: %s", LISTS[i]);
        assert_int_equal(count, 77);
        assert_null(hosts[0].host);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_ARENA(parts_are_decoded),
        UNIT_WITH_ARENA(parts_may_be_left_out),
        UNIT_WITH_ARENA(what_means_nothing_is_refused_and_writes_nothing),
        UNIT_WITH_ARENA(tls_is_refused_by_name),
        UNIT_WITH_ARENA(sentinels_are_a_list),
        UNIT_WITH_ARENA(a_list_with_a_fault_is_refused_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
