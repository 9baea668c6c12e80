/* SPDX-License-Identifier: MIT
 *
 * Text under construction: growth, the sticky maximum, and the escapes of each target. */
#include "base/strbuf.h"

#include "unit.h"

#include <stdio.h>

#define ROOM_BYTES 10000

typedef void (*append_fn)(struct strbuf *buf, const char *text);

struct escape_row {
    const char *text;
    const char *expected;
};

static void
check_rows(struct arena *arena, append_fn append, const struct escape_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct strbuf buf;
        strbuf_init(&buf, arena, 0, ROOM_BYTES);
        append(&buf, rows[i].text);
        const char *text = NULL;
        assert_int_equal(strbuf_text(&buf, &text), ERR_OK);
        assert_string_equal(text, rows[i].expected);
        assert_int_equal(buf.size_bytes, strlen(rows[i].expected));
    }
}

static void html_special_characters_become_references(void **state)
{
    static const struct escape_row rows[] = {
        {"", ""},
        {NULL, ""},
        {"plain", "plain"},
        {"<", "&lt;"},
        {"<b a=\"x\" c='y'>&amp;</b>",
         "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;amp;&lt;/b&gt;"},
        {"a&&b", "a&amp;&amp;b"},
        {"grün ☃ 🐋<", "grün ☃ 🐋&lt;"},
    };
    check_rows(*state, strbuf_add_html, rows, ARRAY_COUNT(rows));
}

static void url_components_keep_only_unreserved_characters(void **state)
{
    static const struct escape_row rows[] = {
        {"", ""},
        {"AZaz09-._~", "AZaz09-._~"},
        {"a b", "a%20b"},
        {"a/b?c=d&e#f%", "a%2Fb%3Fc%3Dd%26e%23f%25"},
        {"\"'<>", "%22%27%3C%3E"},
        {"ü", "%C3%BC"},
        {"\x01\x7F+", "%01%7F%2B"},
    };
    check_rows(*state, strbuf_add_url, rows, ARRAY_COUNT(rows));
}

static void json_strings_are_quoted_and_safe_in_html(void **state)
{
    static const struct escape_row rows[] = {
        {NULL, "null"},
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\x01\x1f", "\"\\u0001\\u001f\""},
        {"</script>&", "\"\\u003c/script\\u003e\\u0026\""},
        {"a\xE2\x80\xA8z\xE2\x80\xA9", "\"a\\u2028z\\u2029\""},
        {"€ ☃ \xE2\x80\xA7", "\"€ ☃ \xE2\x80\xA7\""},
        {"ends in half \xE2", "\"ends in half \xE2\""},
        {"ends in half \xE2\x80", "\"ends in half \xE2\x80\""},
    };
    check_rows(*state, strbuf_add_json, rows, ARRAY_COUNT(rows));
}

static void numbers_are_written_whole(void **state)
{
    static const struct {
        int64_t number;
        const char *expected;
    } rows[] = {
        {0, "0"},
        {7, "7"},
        {-1, "-1"},
        {1234567890, "1234567890"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct strbuf buf;
        strbuf_init(&buf, *state, 0, ROOM_BYTES);
        strbuf_add_i64(&buf, rows[i].number);
        assert_string_equal(buf.text, rows[i].expected);
    }
}

static void text_of_exactly_the_maximum_fits(void **state)
{
    struct strbuf buf;
    const char *text = NULL;
    strbuf_init(&buf, *state, 0, 5);
    strbuf_add(&buf, "12345");
    assert_int_equal(strbuf_text(&buf, &text), ERR_OK);
    assert_string_equal(text, "12345");
}

static void overflow_is_sticky_and_adds_nothing(void **state)
{
    struct strbuf buf;
    const char *text = "untouched";
    strbuf_init(&buf, *state, 5, 5);
    strbuf_add(&buf, "1234");
    strbuf_add(&buf, "56");
    strbuf_add_char(&buf, '5');
    strbuf_format(&buf, "%d", 5);
    strbuf_add_html(&buf, "<");
    assert_int_equal(strbuf_text(&buf, &text), ERR_TOO_LARGE);
    assert_string_equal(text, "untouched");
    assert_string_equal(buf.text, "1234");
}

static void a_format_that_passes_the_maximum_overflows(void **state)
{
    struct strbuf buf;
    const char *text = NULL;
    strbuf_init(&buf, *state, 0, 8);
    strbuf_format(&buf, "%s", "12345678");
    assert_int_equal(strbuf_text(&buf, &text), ERR_OK);
    strbuf_format(&buf, "%s", "9");
    assert_int_equal(strbuf_text(&buf, &text), ERR_TOO_LARGE);
    assert_string_equal(buf.text, "12345678");
}

static void a_maximum_of_nothing_takes_nothing(void **state)
{
    struct strbuf buf;
    const char *text = NULL;
    strbuf_init(&buf, *state, 100, 0);
    strbuf_add(&buf, "");
    assert_int_equal(strbuf_text(&buf, &text), ERR_OK);
    assert_string_equal(text, "");
    strbuf_add_char(&buf, 'x');
    assert_int_equal(strbuf_text(&buf, &text), ERR_TOO_LARGE);
}

static void growing_text_keeps_its_bytes(void **state)
{
    struct strbuf buf;
    struct strbuf other;
    strbuf_init(&buf, *state, 10, 1000000);
    strbuf_init(&other, *state, 0, 1000000);
    for (int i = 0; i < 20000; i++) {
        strbuf_format(&buf, "%05d", i);
        if (i % 3 == 0)
            strbuf_add(&other, "other");
        assert_int_equal(strlen(buf.text + buf.size_bytes - 5), 5);
    }
    assert_int_equal(buf.size_bytes, 100000);
    for (int i = 0; i < 20000; i++) {
        char expected[16];
        (void)snprintf(expected, sizeof(expected), "%05d", i);
        assert_memory_equal(buf.text + i * 5, expected, 5);
    }
}

static void growth_uses_the_room_behind_the_text(void **state)
{
    struct arena *arena = *state;
    struct strbuf buf;
    strbuf_init(&buf, arena, 10, 100000);
    const char *before = buf.text;
    for (int i = 0; i < 1000; i++)
        strbuf_add_char(&buf, 'x');
    assert_ptr_equal(buf.text, before);
}

static void growth_ends_at_the_maximum(void **state)
{
    struct strbuf buf;
    const char *text = NULL;
    strbuf_init(&buf, *state, 60, 100);
    for (int i = 0; i < 100; i++)
        strbuf_add_char(&buf, 'x');
    assert_int_equal(strbuf_text(&buf, &text), ERR_OK);
    assert_int_equal(strlen(text), 100);
    strbuf_add_char(&buf, 'x');
    assert_int_equal(strbuf_text(&buf, &text), ERR_TOO_LARGE);
}

static void long_formats_into_little_room_are_whole(void **state)
{
    struct strbuf buf;
    strbuf_init(&buf, *state, 0, 100000);
    strbuf_add(&buf, "start ");
    strbuf_format(&buf, "%0*d", 5000, 1);
    assert_int_equal(buf.size_bytes, 5006);
    assert_int_equal(strlen(buf.text), 5006);
    assert_memory_equal(buf.text, "start 0000", 10);
}

static void bytes_with_a_known_size_need_no_end(void **state)
{
    struct strbuf buf;
    strbuf_init(&buf, *state, 0, 100);
    strbuf_add_bytes(&buf, "abcdef", 3);
    strbuf_add_html_bytes(&buf, "<xyz", 2);
    strbuf_add_bytes(&buf, NULL, 0);
    assert_string_equal(buf.text, "abc&lt;x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_ARENA(html_special_characters_become_references),
        UNIT_WITH_ARENA(url_components_keep_only_unreserved_characters),
        UNIT_WITH_ARENA(json_strings_are_quoted_and_safe_in_html),
        UNIT_WITH_ARENA(numbers_are_written_whole),
        UNIT_WITH_ARENA(text_of_exactly_the_maximum_fits),
        UNIT_WITH_ARENA(overflow_is_sticky_and_adds_nothing),
        UNIT_WITH_ARENA(a_format_that_passes_the_maximum_overflows),
        UNIT_WITH_ARENA(a_maximum_of_nothing_takes_nothing),
        UNIT_WITH_ARENA(growing_text_keeps_its_bytes),
        UNIT_WITH_ARENA(growth_uses_the_room_behind_the_text),
        UNIT_WITH_ARENA(growth_ends_at_the_maximum),
        UNIT_WITH_ARENA(long_formats_into_little_room_are_whole),
        UNIT_WITH_ARENA(bytes_with_a_known_size_need_no_end),
    };
    return cmocka_run_group_tests_name("strbuf", tests, NULL, NULL);
}
