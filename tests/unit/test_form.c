/* SPDX-License-Identifier: MIT
 *
 * Forms and queries: strict decoding, fields that are absent or doubled. */
#include "http/form.h"

#include "http_fixture.h"

static void fields_are_split_and_decoded_in_order(void **state)
{
    static const struct {
        const char *text;
        size_t count;
        const char *first_name;
        const char *first_value;
    } rows[] = {
        {"", 0, NULL, NULL},
        {"&", 0, NULL, NULL},
        {"&&&", 0, NULL, NULL},
        {"a=b", 1, "a", "b"},
        {"a", 1, "a", ""},
        {"a=", 1, "a", ""},
        {"=b", 1, "", "b"},
        {"a=b=c", 1, "a", "b=c"},
        {"a=1&b=2&", 2, "a", "1"},
        {"&a=1&&b=2", 2, "a", "1"},
        {"a+b=c+d", 1, "a b", "c d"},
        {"a%26b=c%3Dd", 1, "a&b", "c=d"},
        {"%C3%BC=%E2%82%AC", 1, "\xC3\xBC", "\xE2\x82\xAC"},
        {"\xC3\xBC=1", 1, "\xC3\xBC", "1"},
        {"a=%2B", 1, "a", "+"},
        {"a=%0D%0A", 1, "a", "\r\n"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct form form;
        assert_int_equal(form_parse(*state, bytes_of(rows[i].text), &form), ERR_OK);
        assert_int_equal(form.count, rows[i].count);
        if (rows[i].count == 0)
            continue;
        assert_string_equal(form.fields[0].name, rows[i].first_name);
        assert_string_equal(form.fields[0].value, rows[i].first_value);
    }
}

static void what_is_not_utf8_or_badly_escaped_is_refused(void **state)
{
    static const char *const texts[] = {"a=%",   "a=%1",   "a=%zz",     "%00=1",   "a=%00",
                                        "a=%FF", "a=\xFF", "a=1&b=%C3", "%C0%80=1"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct form form = {.count = 77};
        assert_int_equal(form_parse(*state, bytes_of(texts[i]), &form), ERR_INVALID);
        assert_int_equal(form.count, 77);
    }
    struct form form;
    struct bytes with_nul = {.p = (const unsigned char *)"a=b\0c", .n = 5};
    assert_int_equal(form_parse(*state, with_nul, &form), ERR_INVALID);
}

static void there_may_be_so_many_fields_only(void **state)
{
    char text[FORM_FIELDS_MAX_COUNT * 2 + 2] = "a";
    struct form form;
    for (size_t i = 1; i < FORM_FIELDS_MAX_COUNT; i++)
        memcpy(text + 2 * i - 1, "&a", 3);
    assert_int_equal(form_parse(*state, bytes_of(text), &form), ERR_OK);
    assert_int_equal(form.count, FORM_FIELDS_MAX_COUNT);
    memcpy(text + strlen(text), "&a", 3);
    assert_int_equal(form_parse(*state, bytes_of(text), &form), ERR_INVALID);
}

static void a_field_that_comes_twice_is_refused_when_it_is_read(void **state)
{
    struct ctx *ctx = *state;
    struct form form;
    const char *value = "before";
    assert_int_equal(form_parse(ctx, bytes_of("a=1&b=2&a=3&c="), &form), ERR_OK);
    assert_int_equal(form_text(ctx, &form, "b", &value), ERR_OK);
    assert_string_equal(value, "2");
    assert_int_equal(form_text(ctx, &form, "c", &value), ERR_OK);
    assert_string_equal(value, "");
    assert_int_equal(form_text(ctx, &form, "none", &value), ERR_OK);
    assert_null(value);
    value = "before";
    assert_int_equal(form_text(ctx, &form, "a", &value), ERR_INVALID);
    assert_string_equal(value, "before");
    assert_string_equal(ctx->why.field, "a");
    assert_string_equal(form_first(&form, "a"), "1");
    assert_null(form_first(&form, "none"));
}

static void what_is_needed_must_be_there(void **state)
{
    struct ctx *ctx = *state;
    struct form form;
    const char *value = NULL;
    assert_int_equal(form_parse(ctx, bytes_of("a=1&b=x&b=y"), &form), ERR_OK);
    assert_int_equal(form_need(ctx, &form, "a", &value), ERR_OK);
    assert_string_equal(value, "1");
    assert_int_equal(form_need(ctx, &form, "none", &value), ERR_INVALID);
    assert_string_equal(ctx->why.field, "none");
    assert_string_equal(ctx->why.hint, "\"none\" is missing.");
    ctx_forgive(ctx);
    assert_int_equal(form_need(ctx, &form, "b", &value), ERR_INVALID);
    assert_string_equal(ctx->why.field, "b");
    assert_string_equal(ctx->why.hint, "\"b\" was sent more than once.");
}

static void numbers_are_read_within_their_range(void **state)
{
    static const struct {
        const char *text;
        enum err err;
        int64_t number;
    } rows[] = {
        {"n=1", ERR_OK, 1},        {"n=10", ERR_OK, 10},         {"n=0", ERR_INVALID, 99},
        {"n=11", ERR_INVALID, 99}, {"n=", ERR_INVALID, 99},      {"n=+1", ERR_INVALID, 99},
        {"m=1", ERR_INVALID, 99},  {"n=1&n=1", ERR_INVALID, 99}, {"n=1x", ERR_INVALID, 99},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct form form;
        int64_t number = 99;
        assert_int_equal(form_parse(*state, bytes_of(rows[i].text), &form), ERR_OK);
        assert_int_equal(form_need_i64(*state, &form, "n", 1, 10, &number), rows[i].err);
        assert_int_equal(number, rows[i].number);
        ctx_forgive(*state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_CTX(fields_are_split_and_decoded_in_order),
        UNIT_WITH_CTX(what_is_not_utf8_or_badly_escaped_is_refused),
        UNIT_WITH_CTX(there_may_be_so_many_fields_only),
        UNIT_WITH_CTX(a_field_that_comes_twice_is_refused_when_it_is_read),
        UNIT_WITH_CTX(what_is_needed_must_be_there),
        UNIT_WITH_CTX(numbers_are_read_within_their_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
