/* SPDX-License-Identifier: MIT
 *
 * Texts that a browser keeps: they come back as they were, and nothing else passes for them. */
#include "provider/sealed.h"

#include "base/clock.h"
#include "base/secret.h"
#include "http/cookie.h"

#include "http_fixture.h"

#define AGE_S 600

static const unsigned char key[SECRET_DIGEST_BYTES] = {1, 2, 3};
static const unsigned char other_key[SECRET_DIGEST_BYTES] = {1, 2, 4};
static const struct sealed_use use = {.key = key, .purpose = "a test", .count = 3};
static const struct sealed_texts texts = {.texts = {"one", "", "\xc3\xa9 & more"}};

static void what_is_sealed_comes_back(void **state)
{
    struct ctx *ctx = *state;
    const char *value = NULL;
    const char *again = NULL;
    struct sealed_texts out = {.texts = {NULL}};
    assert_int_equal(sealed_make(ctx, &use, &texts, &value), ERR_OK);
    assert_int_equal(sealed_make(ctx, &use, &texts, &again), ERR_OK);
    assert_string_not_equal(value, again);
    assert_true(sealed_open(ctx, &use, value, AGE_S, &out));
    for (size_t i = 0; i < use.count; i++)
        assert_string_equal(out.texts[i], texts.texts[i]);
    assert_null(out.texts[3]);
}

static void any_change_is_noticed(void **state)
{
    struct ctx *ctx = *state;
    const char *value = NULL;
    struct sealed_texts out = {.texts = {"untouched"}};
    assert_int_equal(sealed_make(ctx, &use, &texts, &value), ERR_OK);
    for (size_t i = 0; i < strlen(value); i++) {
        char *changed = arena_text(&ctx->arena, value);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_false(sealed_open(ctx, &use, changed, AGE_S, &out));
        changed[i] = '\0';
        assert_false(sealed_open(ctx, &use, changed, AGE_S, &out));
    }
    assert_false(sealed_open(ctx, &use, arena_format(&ctx->arena, "%sA", value), AGE_S, &out));
    assert_false(sealed_open(ctx, &use, "=", AGE_S, &out));
    assert_false(sealed_open(ctx, &use, NULL, AGE_S, &out));
    assert_string_equal(out.texts[0], "untouched");
}

static void another_key_purpose_or_count_does_not_open_it(void **state)
{
    struct ctx *ctx = *state;
    const char *value = NULL;
    struct sealed_texts out;
    const struct sealed_use wrong[] = {
        {.key = other_key, .purpose = "a test", .count = 3},
        {.key = key, .purpose = "another test", .count = 3},
        {.key = key, .purpose = "a test", .count = 4},
    };
    assert_int_equal(sealed_make(ctx, &use, &texts, &value), ERR_OK);
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        assert_false(sealed_open(ctx, &wrong[i], value, AGE_S, &out));
}

static void it_is_good_for_a_while(void **state)
{
    struct ctx *ctx = *state;
    const char *value = NULL;
    struct sealed_texts out;
    assert_int_equal(sealed_make(ctx, &use, &texts, &value), ERR_OK);
    assert_true(sealed_open(ctx, &use, value, AGE_S, &out));
    assert_false(sealed_open(ctx, &use, value, -1, &out)); /* as if it were a second too old */
}

static void what_does_not_fit_is_not_sealed(void **state)
{
    struct ctx *ctx = *state;
    const char *value = NULL;
    struct sealed_texts out;
    char *large = arena_take(&ctx->arena, SEALED_TEXT_MAX_BYTES + 2);
    memset(large, 'x', SEALED_TEXT_MAX_BYTES);
    const struct sealed_use one = {.key = key, .purpose = "", .count = 1};
    const struct sealed_texts too_large = {.texts = {large}};
    const struct sealed_texts line = {.texts = {"a\nb"}};
    assert_int_equal(sealed_make(ctx, &one, &too_large, &value), ERR_TOO_LARGE);
    assert_int_equal(sealed_make(ctx, &one, &line, &value), ERR_INVALID);
    assert_null(value);
    large[SEALED_TEXT_MAX_BYTES - 32] = '\0';
    assert_int_equal(sealed_make(ctx, &one, &too_large, &value), ERR_OK);
    assert_in_range(strlen(value), 1, COOKIE_VALUE_MAX_BYTES);
    assert_true(sealed_open(ctx, &one, value, AGE_S, &out));
    assert_string_equal(out.texts[0], large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_sealed_comes_back, ctx_setup, ctx_teardown),
        cmocka_unit_test_setup_teardown(any_change_is_noticed, ctx_setup, ctx_teardown),
        cmocka_unit_test_setup_teardown(another_key_purpose_or_count_does_not_open_it, ctx_setup,
                                        ctx_teardown),
        cmocka_unit_test_setup_teardown(it_is_good_for_a_while, ctx_setup, ctx_teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_not_sealed, ctx_setup, ctx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
