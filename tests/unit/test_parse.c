/* SPDX-License-Identifier: MIT
 *
 * Strict reading of numbers and encodings. A refused text leaves the output as it was. */
#include "base/parse.h"

#include "unit.h"

#define UNTOUCHED INT64_C(-77)

static void numbers_are_read_whole_or_not_at_all(void **state)
{
    static const struct {
        const char *text;
        int64_t min, max;
        bool is_good;
        int64_t expected;
    } rows[] = {
        {"0", 0, 10, true, 0},
        {"-0", 0, 10, true, 0},
        {"007", 0, 10, true, 7},
        {"10", 0, 10, true, 10},
        {"11", 0, 10, false, 0},
        {"-1", 0, 10, false, 0},
        {"-5", -5, 10, true, -5},
        {"-6", -5, 10, false, 0},
        {"", 0, 10, false, 0},
        {"-", -5, 10, false, 0},
        {"--1", -5, 10, false, 0},
        {"+1", 0, 10, false, 0},
        {" 1", 0, 10, false, 0},
        {"1 ", 0, 10, false, 0},
        {"1x", 0, 10, false, 0},
        {"0x1", 0, 10, false, 0},
        {"1.0", 0, 10, false, 0},
        {"9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX},
        {"9223372036854775808", INT64_MIN, INT64_MAX, false, 0},
        {"-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN},
        {"-9223372036854775809", INT64_MIN, INT64_MAX, false, 0},
        {"99999999999999999999999", INT64_MIN, INT64_MAX, false, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        int64_t number = UNTOUCHED;
        if (parse_i64(rows[i].text, rows[i].min, rows[i].max, &number) != rows[i].is_good)
            fail_msg("\"%s\"", rows[i].text);
        assert_true(number == (rows[i].is_good ? rows[i].expected : UNTOUCHED));
    }
}

static void percent_encoding_is_decoded_or_refused(void **state)
{
    static const struct {
        const char *text;
        bool plus_is_space;
        const char *expected; /* NULL: refused */
    } rows[] = {
        {"", false, ""},        {"plain", false, "plain"}, {"a+b", false, "a+b"},
        {"a+b", true, "a b"},   {"a%2Bb", true, "a+b"},    {"%41%4a%4A", false, "AJJ"},
        {"%C3%BC", false, "ü"}, {"ü", false, "ü"},         {"%", false, NULL},
        {"%4", false, NULL},    {"abc%4", false, NULL},    {"%4g", false, NULL},
        {"%g4", false, NULL},   {"%%41", false, NULL},     {"%_4", false, NULL},
        {"%00", false, NULL},   {"%C3", false, NULL},      {"%ED%A0%80", false, NULL},
        {"\xFF", false, NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char untouched[] = "untouched";
        char *text = untouched;
        bool is_good =
            parse_percent(*state, rows[i].text, strlen(rows[i].text), rows[i].plus_is_space, &text);
        if (is_good != (rows[i].expected != NULL))
            fail_msg("\"%s\"", rows[i].text);
        assert_string_equal(text, is_good ? rows[i].expected : "untouched");
    }
}

static void percent_decoding_stops_at_the_given_size(void **state)
{
    char *text = NULL;
    assert_true(parse_percent(*state, "a%20b", 4, false, &text));
    assert_string_equal(text, "a ");
    assert_false(parse_percent(*state, "a%20b", 3, false, &text));
    assert_false(parse_percent(*state, "a\0b", 3, false, &text));
}

static void base64_is_decoded_or_refused(void **state)
{
    static const struct {
        const char *text;
        const char *expected; /* NULL: refused */
        size_t size_bytes;
    } rows[] = {
        {"", "", 0},
        {"Zg==", "f", 1},
        {"Zm8=", "fo", 2},
        {"Zm9v", "foo", 3},
        {"Zm9vYg==", "foob", 4},
        {"Zm9vYmE=", "fooba", 5},
        {"Zm9vYmFy", "foobar", 6},
        {"+/+/", "\xFB\xFF\xBF", 3},
        {"AAAA", "\0\0\0", 3},
        {"Zg", NULL, 0},
        {"Zg=", NULL, 0},
        {"Zh==", NULL, 0}, /* bits that no byte takes */
        {"Zm9=", NULL, 0},
        {"Z===", NULL, 0},
        {"====", NULL, 0},
        {"Zg==Zg==", NULL, 0},
        {"Zm8=Zm8=", NULL, 0},
        {"Zm-_", NULL, 0},
        {"Zm9v\n", NULL, 0},
        {" Zm9", NULL, 0},
        {"Z=9v", NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct bytes bytes = {.p = NULL, .n = 99};
        bool is_good = parse_base64(*state, rows[i].text, &bytes);
        if (is_good != (rows[i].expected != NULL))
            fail_msg("\"%s\"", rows[i].text);
        assert_int_equal(bytes.n, is_good ? rows[i].size_bytes : 99);
        if (is_good) {
            assert_memory_equal(bytes.p, rows[i].expected, bytes.n);
            assert_int_equal(bytes.p[bytes.n], 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(numbers_are_read_whole_or_not_at_all),
        UNIT_WITH_ARENA(percent_encoding_is_decoded_or_refused),
        UNIT_WITH_ARENA(percent_decoding_stops_at_the_given_size),
        UNIT_WITH_ARENA(base64_is_decoded_or_refused),
    };
    return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
