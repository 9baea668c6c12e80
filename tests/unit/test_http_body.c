/* SPDX-License-Identifier: MIT
 *
 * Bodies under construction: limits, the common limit, and the end of a body that was cut. */
#include "http/http_body.h"

#include "http_fixture.h"

static const struct address CLIENT = {{0}};

static void what_fits_is_kept_and_all_is_counted(void **state)
{
    struct shares shares;
    struct http_body body;
    (void)state;
    shares_init(&shares, "bodies", 1000000);
    http_body_init(&body, &shares, &CLIENT, NULL, 10);
    http_body_add(&body, "", 0);
    assert_null(body.bytes);
    http_body_add(&body, "01234", 5);
    http_body_add(&body, "56789abc", 8);
    http_body_add(&body, "def", 3);
    assert_int_equal(body.size_bytes, 10);
    assert_int_equal(body.total_bytes, 16);
    assert_string_equal((const char *)body.bytes, "0123456789");
    assert_false(body.is_without_room);
    assert_int_equal(shares_used_bytes(&shares), 11);
    http_body_done(&body);
    assert_int_equal(shares_used_bytes(&shares), 0);
    http_body_done(&body);
    shares_done(&shares);
}

static void without_a_limit_nothing_is_kept(void **state)
{
    struct shares shares;
    struct http_body body;
    (void)state;
    shares_init(&shares, "bodies", 1000000);
    http_body_init(&body, &shares, &CLIENT, NULL, 0);
    http_body_add(&body, "abc", 3);
    assert_null(body.bytes);
    assert_int_equal(body.total_bytes, 3);
    http_body_done(&body);
    shares_done(&shares);
}

static void memory_grows_with_what_came_and_keeps_it(void **state)
{
    struct shares shares;
    struct http_body body;
    (void)state;
    shares_init(&shares, "bodies", 1000000);
    http_body_init(&body, &shares, &CLIENT, NULL, 100000);
    for (size_t i = 0; i < 100000; i++) {
        unsigned char byte = (unsigned char)(i * 7);
        http_body_add(&body, &byte, 1);
        assert_true(body.capacity_bytes <= 4096 ||
                    body.capacity_bytes <= 2 * (body.size_bytes + 1));
    }
    for (size_t i = 0; i < 100000; i++)
        assert_int_equal(body.bytes[i], (unsigned char)(i * 7));
    assert_int_equal(body.bytes[100000], 0);
    assert_int_equal(shares_used_bytes(&shares), 100001);
    http_body_done(&body);
    shares_done(&shares);
}

static void bodies_share_one_limit(void **state)
{
    struct shares shares;
    struct http_body first;
    struct http_body second;
    static const char text[5000] = "x";
    (void)state;
    shares_init(&shares, "bodies", 10000);
    http_body_init(&first, &shares, &CLIENT, NULL, 100000);
    http_body_init(&second, &shares, &CLIENT, NULL, 100000);
    http_body_add(&first, text, sizeof(text));
    assert_false(first.is_without_room);
    http_body_add(&second, text, sizeof(text));
    assert_true(second.is_without_room);
    assert_int_equal(second.size_bytes, 0);
    assert_int_equal(second.total_bytes, sizeof(text));
    http_body_done(&first);
    http_body_add(&second, text, 1); /* what came later is no part of a body with a hole */
    assert_int_equal(second.size_bytes, 0);
    http_body_done(&second);
    assert_int_equal(shares_used_bytes(&shares), 0);
    shares_done(&shares);
}

static void a_cut_body_ends_with_a_whole_character(void **state)
{
    static const struct {
        const char *text;
        size_t whole_bytes;
    } rows[] = {
        {"", 0},
        {"abc", 3},
        {"abc%", 3},
        {"abc%4", 3},
        {"abc%41", 6},
        {"abc\xC3", 3},
        {"abc\xC3\xBC", 5},
        {"a%C3", 1},
        {"a%C3%", 1},
        {"a%C3%B", 1},
        {"a%C3%BC", 7},
        {"a%E2%82", 1},
        {"a%E2%82%AC", 10},
        {"a%F0%9F%98", 1},
        {"a%F0%9F%98%80", 13},
        {"a\xE2%82", 1},
        {"%zz%", 3},
        {"\x80\x80", 2},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct bytes body = {.p = (const unsigned char *)rows[i].text, .n = strlen(rows[i].text)};
        assert_int_equal(http_body_whole_chars(body, body.n).n, rows[i].whole_bytes);
    }
}

static void a_body_is_cut_by_its_decoded_size(void **state)
{
    static const struct {
        const char *text;
        size_t max_bytes;
        size_t whole_bytes;
    } rows[] = {
        {"abc", 0, 0},      {"abc", 2, 2},      {"abc", 3, 3},       {"%41%42c", 2, 6},
        {"a%C3%BCb", 2, 1}, {"a%C3%BCb", 3, 7}, {"a\xC3\xBC", 2, 1}, {"a%0D%0Ab", 2, 7},
        {"a%0D%0Ab", 3, 8}, {"a\r\nb", 2, 3},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct bytes body = {.p = (const unsigned char *)rows[i].text, .n = strlen(rows[i].text)};
        assert_int_equal(http_body_whole_chars(body, rows[i].max_bytes).n, rows[i].whole_bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(what_fits_is_kept_and_all_is_counted),     UNIT(without_a_limit_nothing_is_kept),
        UNIT(memory_grows_with_what_came_and_keeps_it), UNIT(bodies_share_one_limit),
        UNIT(a_cut_body_ends_with_a_whole_character),   UNIT(a_body_is_cut_by_its_decoded_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
