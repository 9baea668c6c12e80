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

/* ---- the sign-in ---- */

static void a_sign_in_is_read_as_it_was_written(void **state)
{
    static const struct {
        const char *device;
        const char *address;
        const char *value;
    } rows[] = {
        {"Firefox on Linux", "2001:db8::1", "1\nFirefox on Linux\n2001:db8::1"},
        {NULL, NULL, "1\n\n"},
        {"Zoë", NULL, "1\nZoë\n"},
        {NULL, "10.0.0.1", "1\n\n10.0.0.1"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP(ctx_done) struct ctx ctx;
        struct session session = {.device = rows[i].device, .address = rows[i].address};
        struct session read = {.device = "before", .address = "before"};
        ctx_init(&ctx, NULL, 1000);
        struct bytes value = session_sign_in_write(&ctx, &session);
        assert_string_equal((const char *)value.p, rows[i].value);
        session_sign_in_read(&ctx, value, &read);
        assert_int_equal(!read.device, !rows[i].device);
        assert_int_equal(!read.address, !rows[i].address);
        assert_true(!read.device || strcmp(read.device, rows[i].device) == 0);
        assert_true(!read.address || strcmp(read.address, rows[i].address) == 0);
    }
}

static void what_is_no_sign_in_says_nothing(void **state)
{
    static const char *const texts[] = {"",           "1",          "1\na",       "1\na\nb\n",
                                        "2\na\nb",    " 1\na\nb",   "\n\n",       "a",
                                        "1\na\nb\nc", "1\n\xff\nb", "1\n\x07\n\t"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        CLEANUP(ctx_done) struct ctx ctx;
        struct session read = {.device = "before", .address = "before", .username = "me"};
        ctx_init(&ctx, NULL, 1000);
        session_sign_in_read(&ctx, bytes_of(texts[i]), &read);
        assert_null(read.device);
        assert_null(read.address);
        assert_string_equal(read.username, "me");
    }
}

static void what_is_too_long_or_has_lines_is_left_out(void **state)
{
    char text[SESSION_SIGN_IN_MAX_BYTES + 1] = "";
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, 1000);
    memset(text, 'x', sizeof(text) - 1);
    struct session session = {.device = text, .address = "a\nb"};
    assert_string_equal((const char *)session_sign_in_write(&ctx, &session).p, "1\n\n");
    session_sign_in_read(&ctx, bytes_of(text), &session);
    assert_null(session.device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_record_holds_the_session),
        UNIT(what_is_no_record_is_refused_and_changes_nothing),
        UNIT(a_nul_ends_no_record),
        UNIT(texts_that_make_no_record_are_refused),
        UNIT(a_sign_in_is_read_as_it_was_written),
        UNIT(what_is_no_sign_in_says_nothing),
        UNIT(what_is_too_long_or_has_lines_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
