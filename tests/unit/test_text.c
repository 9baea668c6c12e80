/* SPDX-License-Identifier: MIT
 *
 * Questions about text: UTF-8 at its edges, controls, blanks, case, newlines, cuts. */
#include "base/text.h"

#include "unit.h"

static void well_formed_utf8_is_recognised(void **state)
{
    static const struct {
        const char *text;
        size_t size_bytes;
        bool is_utf8;
    } rows[] = {
        {"", 0, true},
        {"plain ASCII of more than eight bytes", 36, true},
        {"\x7F", 1, true},
        {"\0", 1, false},
        {"12345678\0", 9, false},
        {"123\0005678", 8, false},
        {"\xC2\x80", 2, true},
        {"\xDF\xBF", 2, true},
        {"\xC1\xBF", 2, false},
        {"\xC0\x80", 2, false},
        {"\xC2", 1, false},
        {"\xC2\x41", 2, false},
        {"\x80", 1, false},
        {"\xBF", 1, false},
        {"\xE0\xA0\x80", 3, true},
        {"\xE0\x9F\xBF", 3, false},
        {"\xE1\x80\x80", 3, true},
        {"\xE1\x80", 2, false},
        {"\xE1\x80\xC0", 3, false},
        {"\xED\x9F\xBF", 3, true},
        {"\xED\xA0\x80", 3, false},
        {"\xEE\x80\x80", 3, true},
        {"\xEF\xBF\xBF", 3, true},
        {"\xF0\x90\x80\x80", 4, true},
        {"\xF0\x8F\xBF\xBF", 4, false},
        {"\xF3\x80\x80\x80", 4, true},
        {"\xF4\x8F\xBF\xBF", 4, true},
        {"\xF4\x90\x80\x80", 4, false},
        {"\xF0\x90\x80", 3, false},
        {"\xF0\x90\x80\x41", 4, false},
        {"\xF5\x80\x80\x80", 4, false},
        {"\xFF", 1, false},
        {"eight by\xC3\xBC and on", 17, true},
        {"eight by\xC3", 9, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (text_is_utf8(rows[i].text, rows[i].size_bytes) != rows[i].is_utf8)
            fail_msg("row %zu", i);
    }
}

/* Every sequence of up to three bytes against the rule written another way. */
static void every_short_sequence_is_judged_by_the_standard(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x1000000; code += code < 0x10000 ? 1 : 7) {
        const char bytes[3] = {(char)(code >> 16), (char)(code >> 8), (char)code};
        uint32_t lead = code >> 16;
        if (lead < 0xE0 || lead > 0xEF)
            continue;
        bool has_tail = (code & 0xC0C0) == 0x8080;
        uint32_t point = (lead & 0xF) << 12 | (code >> 8 & 0x3F) << 6 | (code & 0x3F);
        bool expected = has_tail && point >= 0x800 && (point < 0xD800 || point > 0xDFFF);
        if (text_is_utf8(bytes, 3) != expected)
            fail_msg("%06x", code);
    }
}

static void characters_are_counted_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(text_count_chars(""), 0);
    assert_int_equal(text_count_chars("abc"), 3);
    assert_int_equal(text_count_chars("aü☃🐋"), 4);
}

static void control_characters_are_found(void **state)
{
    static const struct {
        const char *text;
        const char *allowed;
        bool has_control;
    } rows[] = {
        {"", "", false},           {"plain ü", "", false},   {"a\nb", "", true},
        {"a\nb\t", "\n\t", false}, {"a\nb\r", "\n\t", true}, {"\x01", "", true},
        {"\x1F", "", true},        {"\x7F", "", true},       {"\xC2\x80", "", true},
        {"\xC2\x9F", "", true},    {"\xC2\xA0", "", false},  {"\xC3\x80", "", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (text_has_control(rows[i].text, rows[i].allowed) != rows[i].has_control)
            fail_msg("row %zu", i);
    }
}

static void texts_that_show_nothing_are_blank(void **state)
{
    static const struct {
        const char *text;
        bool is_blank;
    } rows[] = {
        {"", true},
        {" \t\r\n\v\f", true},
        {"\xC2\xA0", true},         /* no-break space */
        {"\xC2\x85", true},         /* next line */
        {"\xC2\xAD", true},         /* soft hyphen */
        {"\xE1\x9A\x80", true},     /* ogham space */
        {"\xE2\x80\x8B", true},     /* zero width space */
        {"\xE2\x80\x8F", true},     /* right-to-left mark */
        {"\xE2\x80\x90", false},    /* hyphen */
        {"\xE2\x81\xA0", true},     /* word joiner */
        {"\xE3\x80\x80", true},     /* ideographic space */
        {"\xEF\xBB\xBF", true},     /* byte order mark */
        {"\xF3\xA0\x80\xA0", true}, /* tag space */
        {" \xE2\x80\x8B\xEF\xBB\xBF ", true},
        {" . ", false},
        {"ü", false},
        {"🐋", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (text_is_blank(rows[i].text) != rows[i].is_blank)
            fail_msg("row %zu", i);
    }
}

static void comparing_ignores_only_ascii_case(void **state)
{
    (void)state;
    assert_true(text_equals("a", "a"));
    assert_false(text_equals("a", "A"));
    assert_true(text_equals_nocase("", ""));
    assert_true(text_equals_nocase("Content-TYPE", "content-type"));
    assert_false(text_equals_nocase("a", "ab"));
    assert_false(text_equals_nocase("ab", "a"));
    assert_false(text_equals_nocase("Ü", "ü"));
    assert_false(text_equals_nocase("@[`{", "`{@["));
}

static void starts_and_ends_are_recognised(void **state)
{
    (void)state;
    assert_true(text_starts_with("/notes/view", "/notes/"));
    assert_true(text_starts_with("x", ""));
    assert_false(text_starts_with("/note", "/notes"));
    assert_true(text_ends_with("style.css", ".css"));
    assert_true(text_ends_with("x", ""));
    assert_false(text_ends_with("css", ".css"));
    assert_false(text_ends_with("a.css.map", ".css"));
}

static void lowering_changes_ascii_letters_only(void **state)
{
    assert_string_equal(text_lower(*state, "AZaz09[`ÄÖ"), "azaz09[`ÄÖ");
    assert_string_equal(text_lower(*state, ""), "");
}

static void what_shows_nothing_is_tidied_to_one_character(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"a", "a"},
        {" a ", "a"},
        {"a \t\nb", "a-b"},
        {"//", ""},
        {"a/ /b", "a-b"},
        {"-a--b-", "a-b"},
        {"a - b", "a-b"},
        {"ü☃🐋", "ü☃🐋"},
        {"☃\u00a0🐋", "☃-🐋"},
        {"a\u200b\u202eb", "a-b"},
        {"a\u17b5\u2800", "a"},
        {"a\ufff9\U0001d173\U0001bca0b", "a-b"},
        {"a\x7f\xc2\x85"
         "b",
         "a-b"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_string_equal(text_tidy(*state, rows[i][0], "/", '-'), rows[i][1]);
    assert_string_equal(text_tidy(*state, "a/b", "", '_'), "a/b");
}

static void newlines_become_unix_ones(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},         {"a\r\nb", "a\nb"},         {"a\rb", "a\nb"},
        {"a\nb", "a\nb"}, {"\r\r\n\n\r", "\n\n\n\n"}, {"\r\n\r\n", "\n\n"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_string_equal(text_unix_newlines(*state, rows[i][0]), rows[i][1]);
}

static void cuts_never_go_through_a_character(void **state)
{
    assert_string_equal(text_cut(*state, "aü☃🐋z", 0), "");
    assert_string_equal(text_cut(*state, "aü☃🐋z", 1), "a");
    assert_string_equal(text_cut(*state, "aü☃🐋z", 2), "aü");
    assert_string_equal(text_cut(*state, "aü☃🐋z", 3), "aü☃");
    assert_string_equal(text_cut(*state, "aü☃🐋z", 4), "aü☃🐋");
    assert_string_equal(text_cut(*state, "aü☃🐋z", 5), "aü☃🐋z");
    assert_string_equal(text_cut(*state, "aü☃🐋z", 6), "aü☃🐋z");
}

static void numbers_are_written_in_digits(void **state)
{
    static const struct {
        int64_t number;
        const char *text;
    } rows[] = {
        {0, "0"},
        {7, "7"},
        {10, "10"},
        {-1, "-1"},
        {1234567890, "1234567890"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char room[TEXT_I64_CHARS + 1] = "";
        assert_string_equal(text_i64(room, rows[i].number), rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(well_formed_utf8_is_recognised),
        UNIT(every_short_sequence_is_judged_by_the_standard),
        UNIT(characters_are_counted_not_bytes),
        UNIT(control_characters_are_found),
        UNIT(texts_that_show_nothing_are_blank),
        UNIT(comparing_ignores_only_ascii_case),
        UNIT(starts_and_ends_are_recognised),
        UNIT(numbers_are_written_in_digits),
        UNIT_WITH_ARENA(lowering_changes_ascii_letters_only),
        UNIT_WITH_ARENA(what_shows_nothing_is_tidied_to_one_character),
        UNIT_WITH_ARENA(newlines_become_unix_ones),
        UNIT_WITH_ARENA(cuts_never_go_through_a_character),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
