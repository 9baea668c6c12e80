/* SPDX-License-Identifier: MIT
 *
 * A user's sessions in a real SQLite file: listed in order, without those that are over, and
 * deleted all or none. */
#include "notes_db.h"

#include "app.h"
#include "base/clock.h"
#include "config.h"
#include "session/session.h"
#include "session/session_store.h"

static const struct config config = {.session_idle_s = 7200, .session_absolute_s = 86400};
static const struct app app = {.config = &config};

static const struct db_statement COUNT = {"SELECT count(*) FROM sessions"};
static const struct db_statement ADD_OLD = {
    "INSERT INTO sessions"
    " (digest, username, user_etag, created_unix_ms, used_unix_ms, checked_unix_ms)"
    " VALUES (?, ?, ?, ?, ?, ?)"};

/* Of `me` unless another name is given, last used so long ago. */
static void
add(struct notes_db *notes, unsigned char first_byte, const char *user, int64_t unused_s)
{
    int64_t at_ms = clock_unix_ms() - unused_s * 1000;
    struct session session = {.digest = {first_byte},
                              .username = user,
                              .user_etag = "etag",
                              .device = "Firefox on Linux",
                              .address = "10.0.0.1"};
    notes->ctx.db = notes->db;
    assert_int_equal(session_insert(&notes->ctx, &app, &session, at_ms), ERR_OK);
}

static struct session_list list(struct notes_db *notes, const char *user)
{
    struct session_list found = {0};
    assert_int_equal(session_list(&notes->ctx, &app, user, NULL, &found), ERR_OK);
    return found;
}

static void a_users_sessions_come_the_last_used_first(void **state)
{
    CLEANUP(notes_db_done) struct notes_db notes;
    (void)state;
    notes_db_init(&notes);
    add(&notes, 1, "me", 50);
    add(&notes, 2, "me", 10);
    add(&notes, 3, "you", 1);
    add(&notes, 4, "me", 7300);
    add(&notes, 5, "Me", 1);
    struct session_list found = list(&notes, "me");
    assert_int_equal(found.count, 2);
    assert_int_equal(found.items[0].digest[0], 2);
    assert_int_equal(found.items[1].digest[0], 1);
    assert_string_equal(found.items[0].username, "me");
    assert_string_equal(found.items[0].user_etag, "etag");
    assert_string_equal(found.items[0].device, "Firefox on Linux");
    assert_string_equal(found.items[0].address, "10.0.0.1");
    assert_int_equal(list(&notes, "nobody").count, 0);
}

static void a_row_of_the_release_before_says_nothing_of_its_device(void **state)
{
    static const unsigned char digest[SECRET_DIGEST_BYTES] = {9};
    CLEANUP(notes_db_done) struct notes_db notes;
    (void)state;
    notes_db_init(&notes);
    notes.ctx.db = notes.db;
    struct db_value now = db_i64(clock_unix_ms());
    assert_int_equal(db_run(&notes.ctx, notes.db, &ADD_OLD,
                            DB_VALUES(db_blob(digest, sizeof(digest)), db_text("me"),
                                      db_text("etag"), now, now, now),
                            NULL),
                     ERR_OK);
    struct session_list found = list(&notes, "me");
    assert_int_equal(found.count, 1);
    assert_null(found.items[0].device);
    assert_null(found.items[0].address);
}

/* The only one of `me`, as it is stored. */
static struct session stored(struct notes_db *notes)
{
    struct session_list found = list(notes, "me");
    assert_int_equal(found.count, 1);
    return found.items[0];
}

static void what_was_read_before_takes_no_later_use_back(void **state)
{
    CLEANUP(notes_db_done) struct notes_db notes;
    int64_t now_ms = clock_unix_ms();
    (void)state;
    notes_db_init(&notes);
    add(&notes, 1, "me", 1000);
    struct session looked_at = stored(&notes);
    struct session used = looked_at;
    used.used_unix_ms = now_ms - 10;
    used.checked_unix_ms = now_ms - 20;
    assert_int_equal(session_touch(&notes.ctx, &app, &used, now_ms), ERR_OK);
    looked_at.checked_unix_ms = now_ms - 30;
    assert_int_equal(session_touch(&notes.ctx, &app, &looked_at, now_ms), ERR_OK);
    assert_int_equal(stored(&notes).used_unix_ms, now_ms - 10);
    assert_int_equal(stored(&notes).checked_unix_ms, now_ms - 20);
    looked_at.checked_unix_ms = now_ms;
    assert_int_equal(session_touch(&notes.ctx, &app, &looked_at, now_ms), ERR_OK);
    assert_int_equal(stored(&notes).used_unix_ms, now_ms - 10);
    assert_int_equal(stored(&notes).checked_unix_ms, now_ms);
}

static void a_check_in_the_future_gives_way(void **state)
{
    CLEANUP(notes_db_done) struct notes_db notes;
    int64_t now_ms = clock_unix_ms();
    (void)state;
    notes_db_init(&notes);
    add(&notes, 1, "me", -1000);
    struct session checked = stored(&notes);
    checked.checked_unix_ms = now_ms;
    assert_int_equal(session_touch(&notes.ctx, &app, &checked, now_ms), ERR_OK);
    assert_int_equal(stored(&notes).checked_unix_ms, now_ms);
    assert_true(stored(&notes).used_unix_ms > now_ms);
}

static enum err run_delete(struct ctx *ctx, struct db *db, void *argument)
{
    ctx->db = db;
    return session_delete_all(ctx, &app, argument);
}

static void check_undone(struct db *real, void *argument)
{
    CLEANUP(ctx_done) struct ctx ctx;
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    (void)argument;
    ctx_init(&ctx, NULL, NOTES_DB_BUDGET_MS);
    assert_int_equal(db_query(&ctx, real, &COUNT, DB_NO_VALUES, &rows), ERR_OK);
    assert_int_equal(db_next(&ctx, &rows, &has_row), ERR_OK);
    assert_int_equal(db_rows_i64(&rows, 0), 3);
}

static void all_are_deleted_or_none(void **state)
{
    CLEANUP(notes_db_done) struct notes_db notes;
    (void)state;
    notes_db_init(&notes);
    add(&notes, 1, "me", 3);
    add(&notes, 2, "me", 2);
    add(&notes, 3, "you", 1);
    struct session_list mine = list(&notes, "me");
    const struct fake_db_operation operation = {
        .run = run_delete, .argument = &mine, .check_undone = check_undone};
    assert_int_equal(fake_db_torture(notes.db, notes.fake, &operation), 4);
    assert_int_equal(notes_db_number(&notes, &COUNT), 1);
    assert_int_equal(session_delete_all(&notes.ctx, &app, &mine), ERR_OK);
    assert_int_equal(list(&notes, "you").count, 1);
}

static enum err run_list(struct ctx *ctx, struct db *db, void *argument)
{
    ctx->db = db;
    return session_list(ctx, &app, "me", NULL, argument);
}

static void a_failure_gives_no_part_of_a_list(void **state)
{
    CLEANUP(notes_db_done) struct notes_db notes;
    struct session_list found = {0};
    (void)state;
    notes_db_init(&notes);
    add(&notes, 1, "me", 3);
    add(&notes, 2, "me", 2);
    const struct fake_db_operation operation = {.run = run_list,
                                                .argument = &found,
                                                .outputs = &found,
                                                .outputs_size_bytes = sizeof(found)};
    assert_true(fake_db_torture(notes.db, notes.fake, &operation) >= 3);
    assert_int_equal(found.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_users_sessions_come_the_last_used_first),
        UNIT(a_row_of_the_release_before_says_nothing_of_its_device),
        UNIT(what_was_read_before_takes_no_later_use_back),
        UNIT(a_check_in_the_future_gives_way),
        UNIT(all_are_deleted_or_none),
        UNIT(a_failure_gives_no_part_of_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
