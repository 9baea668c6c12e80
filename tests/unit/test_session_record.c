/* SPDX-License-Identifier: MIT
 *
 * The record of a session: what was written is read, and nothing else. */
#include "session/session_record.h"

#include "base/ctx.h"
#include "session/session.h"
#include "site.h"

#include "unit.h"

static const struct site SITE = {.record_key = {1}};
static const struct site OTHER_SITE = {.record_key = {2}};

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
    struct session written = EXAMPLE;
    struct session read = {.digest = {7}};
    struct bytes record;
    ctx_init(&ctx, NULL, 1000);
    written.digest[0] = 7;
    assert_int_equal(session_record_write(&ctx, &SITE, &written, &record), ERR_OK);
    const char start[] = "2\n1795366800000\n1795366800001\n0\n\"5f3c-1\"\nZoë & co\n";
    assert_int_equal(record.n, sizeof(start) - 1 + 43);
    assert_memory_equal(record.p, start, sizeof(start) - 1);
    assert_int_equal(session_record_read(&ctx, &SITE, record, &read), ERR_OK);
    assert_string_equal(read.username, EXAMPLE.username);
    assert_string_equal(read.user_etag, EXAMPLE.user_etag);
    assert_int_equal(read.created_unix_ms, EXAMPLE.created_unix_ms);
    assert_int_equal(read.used_unix_ms, EXAMPLE.used_unix_ms);
    assert_int_equal(read.checked_unix_ms, EXAMPLE.checked_unix_ms);
    assert_int_equal(read.digest[0], 7);
}

static const char *record_of(struct ctx *ctx, const struct session *session)
{
    struct bytes record;
    assert_int_equal(session_record_write(ctx, &SITE, session, &record), ERR_OK);
    return (const char *)record.p;
}

/* With the line's text instead, or without the line when it is NULL. */
static const char *with_line(struct ctx *ctx, const char *record, size_t line, const char *text)
{
    const char *at = record;
    for (size_t i = 0; i < line; i++)
        at = strchr(at, '\n') + 1;
    const char *rest = at + strcspn(at, "\n");
    return arena_format(&ctx->arena, "%.*s%s%s", (int)(at - record), record, text ? text : "",
                        text || !*rest ? rest : rest + 1);
}

static void assert_refused(struct ctx *ctx, struct bytes record)
{
    struct session read = EXAMPLE;
    assert_int_equal(session_record_read(ctx, &SITE, record, &read), ERR_INVALID);
    assert_memory_equal(&read, &EXAMPLE, sizeof(read));
    ctx_forgive(ctx);
}

static void what_is_no_record_is_refused_and_changes_nothing(void **state)
{
    static const struct {
        size_t line;
        const char *text;
    } rows[] = {
        {0, "1"},
        {0, " 2"},
        {0, "3"},
        {0, NULL},
        {1, "-1"},
        {1, "1795366800001"},
        {1, NULL},
        {2, "x"},
        {2, "9223372036854775807"},
        {3, ""},
        {3, "+3"},
        {3, "99999999999999999999"},
        {4, ""},
        {4, NULL},
        {4, "\"5f3c-2\""},
        {5, ""},
        {5, "me"},
        {5, "m\xff"},
        {5, NULL},
        {6, ""},
        {6, NULL},
        {6, "\n"},
        {6, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    };
    static const char *const texts[] = {"", "2", "\n\n\n\n\n\n", "{\"user\":\"me\"}",
                                        "1\n1\n2\n3\netag\nme"};
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, 1000);
    const char *record = record_of(&ctx, &EXAMPLE);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_refused(&ctx, bytes_of(with_line(&ctx, record, rows[i].line, rows[i].text)));
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        assert_refused(&ctx, bytes_of(texts[i]));
    assert_refused(&ctx, bytes_of(arena_format(&ctx.arena, "%s\n", record)));
    struct session read = EXAMPLE;
    assert_int_equal(session_record_read(&ctx, &SITE, bytes_of(record), &read), ERR_OK);
}

static void a_record_of_another_session_or_site_is_refused(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    struct session other = EXAMPLE;
    ctx_init(&ctx, NULL, 1000);
    other.digest[SECRET_DIGEST_BYTES - 1] = 1;
    assert_refused(&ctx, bytes_of(record_of(&ctx, &other)));
    struct session read = EXAMPLE;
    assert_int_equal(
        session_record_read(&ctx, &OTHER_SITE, bytes_of(record_of(&ctx, &EXAMPLE)), &read),
        ERR_INVALID);
}

/* The store writes these two itself. */
static void the_times_of_use_and_check_are_the_stores(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    struct session read = {.username = NULL};
    ctx_init(&ctx, NULL, 1000);
    const char *record = with_line(&ctx, record_of(&ctx, &EXAMPLE), 2, "1795366860000");
    record = with_line(&ctx, record, 3, "1795366850000");
    assert_int_equal(session_record_read(&ctx, &SITE, bytes_of(record), &read), ERR_OK);
    assert_int_equal(read.used_unix_ms, 1795366860000);
    assert_int_equal(read.checked_unix_ms, 1795366850000);
}

static void a_nul_ends_no_record(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, 1000);
    const char *record = record_of(&ctx, &EXAMPLE);
    assert_refused(&ctx,
                   (struct bytes){.p = (const unsigned char *)record, .n = strlen(record) + 1});
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
        assert_int_equal(session_record_write(&ctx, &SITE, &session, &record), ERR_INTERNAL);
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
        UNIT(a_record_of_another_session_or_site_is_refused),
        UNIT(the_times_of_use_and_check_are_the_stores),
        UNIT(a_nul_ends_no_record),
        UNIT(texts_that_make_no_record_are_refused),
        UNIT(a_sign_in_is_read_as_it_was_written),
        UNIT(what_is_no_sign_in_says_nothing),
        UNIT(what_is_too_long_or_has_lines_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
