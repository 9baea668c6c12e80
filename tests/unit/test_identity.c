/* SPDX-License-Identifier: MIT
 *
 * The rules of identities, and the names of users who come by one. */
#include "unit.h"

#include "base/ctx.h"
#include "base/text.h"
#include "identity/identity.h"
#include "user/user.h"

#define BUDGET_MS 60000

/* `count` times the character. */
static const char *repeated(struct ctx *ctx, char c, size_t count)
{
    char *text = arena_take(&ctx->arena, count + 1);
    memset(text, c, count);
    return text;
}

static void issuer_subject_and_provider_have_limits(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    const char *longest = repeated(&ctx, 'x', 255);
    const char *longer = repeated(&ctx, 'x', 256);
    const struct {
        struct identity identity;
        const char *field; /* NULL: fine */
    } rows[] = {
        {{"twitter", "783214", "twitter", 0}, NULL},
        {{longest, longest, longest, 0}, NULL},
        {{" ", "a/b", "é", 0}, NULL},
        {{"twitter", "1", NULL, 0}, NULL},
        {{"", "1", "x", 0}, "issuer"},
        {{longer, "1", "x", 0}, "issuer"},
        {{"a\nb", "1", "x", 0}, "issuer"},
        {{"x", "", "x", 0}, "subject"},
        {{"x", longer, "x", 0}, "subject"},
        {{"x", "\xc2\x85", "x", 0}, "subject"},
        {{"x", "1", "", 0}, "provider"},
        {{"x", "1", longer, 0}, "provider"},
        {{"x", "1", "\x7f", 0}, "provider"},
        {{"x", "1", "local", 0}, "provider"},
        {{"x", "1", "LoCal", 0}, "provider"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        ctx_forgive(&ctx);
        assert_int_equal(identity_check(&ctx, &rows[i].identity),
                         rows[i].field ? ERR_INVALID : ERR_OK);
        if (rows[i].field)
            assert_string_equal(ctx.why.field, rows[i].field);
    }
}

static void any_wish_becomes_a_sound_name(void **state)
{
    const char *rows[][2] = {
        {"Me", "Me"},
        {"a/b", "a-b"},
        {"", "user"},
        {" \t\xe2\x80\x8b/", "user"},
        {" two  words ", "two-words"},
        {"\xc2\x85x", "x"},
        {"日本 語", "日本-語"},
        {"..", ".."},
        {"me@example.com", "me@example.com"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *name = identity_name(*state, rows[i][0]);
        assert_string_equal(name, rows[i][1]);
        assert_true(username_is_sound(name));
    }
}

static void a_suffix_fits_into_the_longest_name(void **state)
{
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    (void)state;
    const char *name = identity_name(&ctx.arena, repeated(&ctx, 'x', 1000));
    assert_int_equal(strlen(name), USERNAME_MAX_CHARS);
    const char *second = identity_name_with(&ctx.arena, name, "-20");
    assert_int_equal(strlen(second), USERNAME_MAX_CHARS);
    assert_true(text_ends_with(second, "xx-20"));
    assert_string_equal(identity_name_with(&ctx.arena, "me", "-2"), "me-2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(issuer_subject_and_provider_have_limits),
        UNIT_WITH_ARENA(any_wish_becomes_a_sound_name),
        UNIT(a_suffix_fits_into_the_longest_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
