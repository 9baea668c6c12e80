/* SPDX-License-Identifier: MIT
 *
 * Texts, times and keys of another program's tables: what they become, how they are shown. */
#include "service/from_node.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"

#include "unit.h"

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){.p = (const unsigned char *)text, .n = text ? strlen(text) : 0};
}

static void times_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t unix_ms; /* -1: none */
    } ROWS[] = {
        {"2026-11-22 16:25:18.000 +00:00", 1795364718000},
        {"2026-11-22 16:25:18.000000", 1795364718000},
        {"2026-11-22 16:25:18", 1795364718000},
        {"2026-11-22T16:25:18.5Z", 1795364718500},
        {"2026-11-22T18:25:18.123456789+02:00", 1795364718123},
        {"2026-11-22 11:25:18.999 -05:00", 1795364718999},
        {"1970-01-01 00:00:00", 0},
        {"2000-02-29 00:00:00", 951782400000},
        {"1795364718000", 1795364718000},
        {"0", 0},
        {NULL, -1},
        {"", -1},
        {"nonsense", -1},
        {"-1", -1},
        {"1969-12-31 23:59:59", -1},
        {"0000-00-00 00:00:00.000000", -1},
        {"2026-11-22", -1},
        {"2026-11-22 16:25", -1},
        {"2026-13-22 16:25:18", -1},
        {"2026-11-32 16:25:18", -1},
        {"2026-11-22 24:25:18", -1},
        {"2026-11-22 16:60:18", -1},
        {"2026-11-22 16:25:18.", -1},
        {"2026-11-22 16:25:18 +2:00", -1},
        {"2026-11-22 16:25:18 +20:00", -1},
        {"2026-11-22 16:25:18 and more", -1},
        {"2026-11-22 16:25:18.000 +00:00x", -1},
        {"99999999999999999999", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        int64_t unix_ms = -1;
        bool is_time = from_node_time(bytes_of(ROWS[i].text), &unix_ms);
        print_message("%s\n", ROWS[i].text ? ROWS[i].text : "NULL");
        assert_int_equal(is_time, ROWS[i].unix_ms >= 0);
        assert_true(unix_ms == ROWS[i].unix_ms);
    }
}

static void texts_are_made_to_fit(void **state)
{
    static const struct {
        const char *raw;
        bool is_one_line;
        const char *text;
        bool is_changed;
    } ROWS[] = {
        {"plain é 😀", false, "plain é 😀", false},
        {"", false, "", false},
        {NULL, false, NULL, false},
        {"a\r\nb\rc\n\td", false, "a\nb\nc\n\td", false},
        {"a\r\nb\tc", true, "a  b c", true},
        {"a\x07z", false, "a\xEF\xBF\xBDz", true},
        {"\xC3\xA9\xFF\xC3", false, "\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBD", true},
        {"\xC2\x85\xED\xA0\x80", false, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", true},
    };
    struct ctx ctx;
    (void)state;
    ctx_init(&ctx, NULL, 1000);
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        bool is_changed = false;
        const char *text =
            from_node_text(&ctx, bytes_of(ROWS[i].raw), ROWS[i].is_one_line, &is_changed);
        if (ROWS[i].text)
            assert_string_equal(text, ROWS[i].text);
        else
            assert_null(text);
        assert_int_equal(is_changed, ROWS[i].is_changed);
    }
    bool is_changed = false;
    const struct bytes with_nul = {.p = (const unsigned char *)"a\0b", .n = 3};
    assert_string_equal(from_node_text(&ctx, with_nul, false, &is_changed), "a\xEF\xBF\xBD"
                                                                            "b");
    assert_null(from_node_exact(with_nul));
    assert_null(from_node_exact(bytes_of("a\tb")));
    assert_null(from_node_exact(bytes_of("\xFF")));
    assert_string_equal(from_node_exact(bytes_of("Key é")), "Key é");
    ctx_done(&ctx);
}

static void a_shown_key_can_do_nothing_to_a_terminal(void **state)
{
    static const struct {
        const char *raw;
        const char *shown;
    } ROWS[] = {
        {NULL, "NULL"},
        {"", "\"\""},
        {"plain é", "\"plain é\""},
        {"a\x1b[31m\n\"\\", "\"a\\x1b[31m\\x0a\\\"\\\\\""},
        {"\xFF\xC2\x9B", "\"\\xff\\xc2\\x9b\""},
        {"a\xE2\x80\xAE"
         "b",
         "\"a\\xe2\\x80\\xaeb\""},            /* right-to-left override */
        {"\xE2\x80\x94", "\"\xE2\x80\x94\""}, /* a dash */
    };
    struct arena arena;
    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
        assert_string_equal(from_node_shown(&arena, bytes_of(ROWS[i].raw)), ROWS[i].shown);
    char *long_key = arena_take(&arena, 5000);
    memset(long_key, '\x01', 4999);
    assert_true(strlen(from_node_shown(&arena, bytes_of(long_key))) < 1024);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(times_are_read),
        UNIT(texts_are_made_to_fit),
        UNIT(a_shown_key_can_do_nothing_to_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
