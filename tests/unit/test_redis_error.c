/* SPDX-License-Identifier: MIT
 *
 * What errors of Redis mean, and how much of their text is shown. */
#include "unit.h"

#include "data/redis_error.h"

static void codes_have_meanings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err err;
        enum redis_effect effect;
    } ROWS[] = {
        {"READONLY You can't write against a read only replica.", ERR_UNAVAILABLE,
         REDIS_EFFECT_MOVE},
        {"LOADING Redis is loading the dataset in memory", ERR_UNAVAILABLE, REDIS_EFFECT_LOST},
        {"OOM command not allowed when used memory > 'maxmemory'.", ERR_UNAVAILABLE,
         REDIS_EFFECT_STAYS},
        {"MASTERDOWN", ERR_UNAVAILABLE, REDIS_EFFECT_LOST},
        {"READONLYISH text", ERR_INTERNAL, REDIS_EFFECT_STAYS},
        {"WRONGTYPE Operation against a key", ERR_INTERNAL, REDIS_EFFECT_STAYS},
        {"ERR syntax error", ERR_INTERNAL, REDIS_EFFECT_STAYS},
        {"", ERR_INTERNAL, REDIS_EFFECT_STAYS},
    };
    for (size_t i = 0; i < ARRAY_COUNT(ROWS); i++) {
        struct redis_error error = redis_error_of(ROWS[i].text);
        assert_int_equal(error.err, ROWS[i].err);
        assert_int_equal(error.effect, ROWS[i].effect);
    }
}

static void what_is_quoted_is_not_shown(void **state)
{
    assert_string_equal(redis_error_shown(*state, "ERR unknown command `x`, with args: `pw`"),
                        "ERR unknown command ");
    assert_string_equal(redis_error_shown(*state, "ERR unknown command 'x' \"pw\""),
                        "ERR unknown command ");
    assert_string_equal(redis_error_shown(*state, "ERR syntax error"), "ERR syntax error");
    assert_string_equal(redis_error_shown(*state, "ERR a\x1b[0m"), "(not text)");
    assert_string_equal(redis_error_shown(*state, "ERR \xff"), "(not text)");
    char large[1000];
    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    assert_int_equal(strlen(redis_error_shown(*state, large)), 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(codes_have_meanings),
        UNIT_WITH_ARENA(what_is_quoted_is_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
