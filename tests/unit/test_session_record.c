/* SPDX-License-Identifier: MIT
 *
 * The record of a session: what was written is read, and nothing else. */
#include "session/session_record.h"

#include "base/ctx.h"
#include "session/session.h"

#include "unit.h"

static const struct session EXAMPLE = {
    .username = "Zoë & co",
    .user_etag = "\"5f3c-1\"",
    .created_unix_ms = 1795366800000,
    .used_unix_ms = 1795366800001,
    .checked_unix_ms = 0,
};

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){.p = (const unsigned char *)text, .n = strlen(text)};
}

static void a_record_holds_the_session(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    struct session read = {.digest = {7}};
    struct bytes record;
    ctx_init(&ctx, NULL, 1000);
    assert_int_equal(session_record_write(&ctx, &EXAMPLE, &record), ERR_OK);
    assert_string_equal((const char *)record.p,
                        "1\n1795366800000\n1795366800001\n0\n\"5f3c-1\"\nZoë & co");
    assert_int_equal(session_record_read(&ctx, record, &read), ERR_OK);
    assert_string_equal(read.username, EXAMPLE.username);
    assert_string_equal(read.user_etag, EXAMPLE.user_etag);
    assert_int_equal(read.created_unix_ms, EXAMPLE.created_unix_ms);
    assert_int_equal(read.used_unix_ms, EXAMPLE.used_unix_ms);
    assert_int_equal(read.checked_unix_ms, EXAMPLE.checked_unix_ms);
    assert_int_equal(read.digest[0], 7);
}

static void what_is_no_record_is_refused_and_changes_nothing(void **state)
{
    static const char *const texts[] = {
        "",
        "1",
        "\n\n\n\n\n",
        "1\n1\n2\n3\n\nme",
        "1\n1\n2\n3\netag\n",
        "1\n1\n2\n3\netag",
        "1\n1\n2\n3\netag\nme\n",
        "1\n1\n2\n3\netag\nme\nmore",
        "2\n1\n2\n3\netag\nme",
        " 1\n1\n2\n3\netag\nme",
        "1\n-1\n2\n3\netag\nme",
        "1\n1\n9223372036854775807\n3\netag\nme",
        "1\n1\n2\n99999999999999999999\netag\nme",
        "1\n1\n2\n+3\netag\nme",
        "1\n1\n2\n\netag\nme",
        "1\n1\n2\n3\netag\nm\xff",
        "{\"user\":\"me\"}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        CLEANUP(ctx_done) struct ctx ctx;
        struct session read = EXAMPLE;
        ctx_init(&ctx, NULL, 1000);
        assert_int_equal(session_record_read(&ctx, bytes_of(texts[i]), &read), ERR_INVALID);
        assert_memory_equal(&read, &EXAMPLE, sizeof(read));
    }
}

static void a_nul_ends_no_record(void **state)
{
    static const char text[] = "1\n1\n2\n3\netag\nme\0more";
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    struct session read = EXAMPLE;
    ctx_init(&ctx, NULL, 1000);
    const struct bytes record = {.p = (const unsigned char *)text, .n = sizeof(text) - 1};
    assert_int_equal(session_record_read(&ctx, record, &read), ERR_INVALID);
}

static void texts_that_make_no_record_are_refused(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    struct bytes record;
    ctx_init(&ctx, NULL, 1000);
    char *long_name = arena_take(&ctx.arena, SESSION_RECORD_MAX_BYTES + 1);
    memset(long_name, 'x', SESSION_RECORD_MAX_BYTES);
    const char *const pairs[][2] = {
        {"", "etag"}, {"me", ""}, {"m\ne", "etag"}, {"me", "et\nag"}, {long_name, "etag"}};
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
        struct session session = EXAMPLE;
        session.username = pairs[i][0];
        session.user_etag = pairs[i][1];
        assert_int_equal(session_record_write(&ctx, &session, &record), ERR_INTERNAL);
        ctx_forgive(&ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_record_holds_the_session),
        UNIT(what_is_no_record_is_refused_and_changes_nothing),
        UNIT(a_nul_ends_no_record),
        UNIT(texts_that_make_no_record_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
