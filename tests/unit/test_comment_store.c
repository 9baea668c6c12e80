/* SPDX-License-Identifier: MIT
 *
 * Comments in a real SQLite file: rows, order, revisions, ranges, and that a failure of any single
 * call leaves everything as it was. */
#include "comment/comment_store.h"

#include "notes_db.h"
#include "unit.h"

#include "note/note_store.h"

#define NOW INT64_C(1800000000000)

static const struct db_statement CHECKSUM = {
    "SELECT (SELECT sum(revision * 3 + id) FROM notes)"
    " + (SELECT coalesce(sum(id * 7 + note_id * 5), 0) FROM comments)"
    " + (SELECT revision * 19 FROM home_list)"};

static int64_t create_note(struct notes_db *notes, const char *key, const char *author)
{
    struct note_save save = {
        .key = key, .title = "T", .body = "b", .user = author, .now_unix_ms = NOW};
    struct note_change change;
    assert_int_equal(note_create(&notes->ctx, notes->db, &save, &change), ERR_OK);
    return change.id;
}

static struct comment_change comment(struct notes_db *notes, const char *key, const char *message)
{
    struct comment_draft draft = {
        .note_key = key, .author = "you", .message = message, .now_unix_ms = NOW};
    struct comment_change change;
    assert_int_equal(comment_insert(&notes->ctx, notes->db, NULL, &draft, &change), ERR_OK);
    return change;
}

static int64_t revision_of(struct notes_db *notes, const char *key)
{
    int64_t revision = 0;
    assert_int_equal(note_find_revision(&notes->ctx, notes->db, key, &revision), ERR_OK);
    return revision;
}

static void comment_renews_the_note_and_not_the_list(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    int64_t home_before = 0;
    int64_t home_after = 0;
    create_note(&notes, "k", "me");
    create_note(&notes, "other", "me");
    assert_int_equal(note_home_revision(&notes.ctx, notes.db, &home_before), ERR_OK);
    struct comment_change first = comment(&notes, "k", "one");
    struct comment_change second = comment(&notes, "k", "two");
    assert_int_equal(first.previous, NOW);
    assert_int_equal(first.revision, NOW + 1);
    assert_int_equal(second.previous, first.revision);
    assert_true(second.revision > second.previous);
    assert_true(second.id > first.id);
    assert_int_equal(revision_of(&notes, "k"), second.revision);
    assert_int_equal(revision_of(&notes, "other"), NOW);
    assert_int_equal(note_home_revision(&notes.ctx, notes.db, &home_after), ERR_OK);
    assert_int_equal(home_after, home_before);
}

static void comment_needs_its_note(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    struct comment_draft draft = {
        .note_key = "none", .author = "you", .message = "m", .now_unix_ms = NOW};
    struct comment_change change = {.id = -1};
    assert_int_equal(comment_insert(&notes.ctx, notes.db, NULL, &draft, &change), ERR_NOT_FOUND);
    assert_int_equal(change.id, -1);
}

static void list_is_newest_first_in_ranges(void **state)
{
    static const char *const messages[] = {"0", "1", "2", "3", "4"};
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    int64_t ids[ARRAY_COUNT(messages)];
    struct comment_range range = {.note_id = create_note(&notes, "k", "me"), .limit_count = 2};
    struct comment_list list;
    int64_t newer = -1;
    create_note(&notes, "other", "me");
    for (size_t i = 0; i < ARRAY_COUNT(messages); i++) {
        ids[i] = comment(&notes, "k", messages[i]).id;
        comment(&notes, "other", "not here");
    }
    assert_int_equal(comment_list(&notes.ctx, notes.db, &range, &list), ERR_OK);
    assert_int_equal(list.count, 2);
    assert_true(list.has_more);
    assert_int_equal(list.items[0].id, ids[4]);
    assert_string_equal(list.items[0].message, "4");
    assert_string_equal(list.items[0].author, "you");
    assert_int_equal(list.items[0].made_unix_ms, NOW);
    assert_int_equal(list.items[1].id, ids[3]);
    range.before_id = ids[1];
    assert_int_equal(comment_list(&notes.ctx, notes.db, &range, &list), ERR_OK);
    assert_int_equal(list.count, 1);
    assert_false(list.has_more);
    assert_int_equal(list.items[0].id, ids[0]);
    assert_int_equal(comment_newer_before(&notes.ctx, notes.db, &range, &newer), ERR_OK);
    assert_int_equal(newer, ids[3]);
    range.before_id = newer;
    assert_int_equal(comment_list(&notes.ctx, notes.db, &range, &list), ERR_OK);
    assert_int_equal(list.items[0].id, ids[2]);
    assert_int_equal(list.items[1].id, ids[1]);
    assert_int_equal(comment_newer_before(&notes.ctx, notes.db, &range, &newer), ERR_OK);
    assert_int_equal(newer, 0);
    range.note_id = 999;
    assert_int_equal(comment_list(&notes.ctx, notes.db, &range, &list), ERR_OK);
    assert_int_equal(list.count, 0);
}

static void limits_out_of_range_are_refused(void **state)
{
    static const int64_t limits[] = {0, -1, COMMENT_LIST_MAX_COUNT + 1, INT64_MIN};
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    struct comment_list list = {.count = 99};
    for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
        struct comment_range range = {.note_id = 1, .limit_count = limits[i]};
        assert_int_equal(comment_list(&notes.ctx, notes.db, &range, &list), ERR_INVALID);
    }
    assert_int_equal(list.count, 99);
}

static void comment_is_found_in_its_own_note_only(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    int64_t note_id = create_note(&notes, "k", "me");
    create_note(&notes, "nobody's", NULL);
    int64_t id = comment(&notes, "k", "m").id;
    int64_t other_id = comment(&notes, "nobody's", "m").id;
    struct comment_place place = {.id = -1};
    assert_int_equal(comment_find(&notes.ctx, notes.db, "nobody's", id, &place), ERR_NOT_FOUND);
    assert_int_equal(comment_find(&notes.ctx, notes.db, "none", id, &place), ERR_NOT_FOUND);
    assert_int_equal(comment_find(&notes.ctx, notes.db, "k", id + 1000, &place), ERR_NOT_FOUND);
    assert_int_equal(place.id, -1);
    assert_int_equal(comment_find(&notes.ctx, notes.db, "k", id, &place), ERR_OK);
    assert_int_equal(place.id, id);
    assert_int_equal(place.note_id, note_id);
    assert_string_equal(place.author, "you");
    assert_string_equal(place.note_author, "me");
    assert_int_equal(comment_find(&notes.ctx, notes.db, "nobody's", other_id, &place), ERR_OK);
    assert_null(place.note_author);
}

static void destroyed_comment_is_gone_and_renews_the_note(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    create_note(&notes, "k", "me");
    struct comment_change made = comment(&notes, "k", "m");
    struct comment_place place;
    struct comment_change change = {0};
    assert_int_equal(comment_find(&notes.ctx, notes.db, "k", made.id, &place), ERR_OK);
    assert_int_equal(comment_destroy(&notes.ctx, notes.db, &place, NOW - 1000, &change), ERR_OK);
    assert_int_equal(change.id, made.id);
    assert_int_equal(change.previous, made.revision);
    assert_int_equal(change.revision, made.revision + 1);
    assert_int_equal(revision_of(&notes, "k"), change.revision);
    struct comment_change none = {.id = -1};
    assert_int_equal(comment_destroy(&notes.ctx, notes.db, &place, NOW, &none), ERR_NOT_FOUND);
    place.note_id = 999;
    assert_int_equal(comment_destroy(&notes.ctx, notes.db, &place, NOW, &none), ERR_NOT_FOUND);
    assert_int_equal(none.id, -1);
    assert_int_equal(revision_of(&notes, "k"), change.revision);
    assert_true(comment(&notes, "k", "m").id > made.id);
}

/* ---- every single call may fail ---- */

struct trial {
    struct notes_db *notes;
    int64_t checksum; /* before */
    struct comment_place named;
    struct comment_place place;
    struct comment_change change;
    struct comment_list list;
    int64_t number;
};

static void check_undone(struct db *real, void *argument)
{
    struct trial *trial = argument;
    (void)real;
    fake_db_fail_at(trial->notes->fake, 0);
    assert_int_equal(notes_db_number(trial->notes, &CHECKSUM), trial->checksum);
}

static enum err try_insert(struct ctx *ctx, struct db *db, void *argument)
{
    struct trial *trial = argument;
    struct comment_draft draft = {
        .note_key = "k", .author = "you", .message = "m", .now_unix_ms = NOW};
    return comment_insert(ctx, db, NULL, &draft, &trial->change);
}

static enum err try_destroy(struct ctx *ctx, struct db *db, void *argument)
{
    struct trial *trial = argument;
    return comment_destroy(ctx, db, &trial->named, NOW, &trial->change);
}

static enum err try_find(struct ctx *ctx, struct db *db, void *argument)
{
    struct trial *trial = argument;
    return comment_find(ctx, db, "k", trial->named.id, &trial->place);
}

static enum err try_list(struct ctx *ctx, struct db *db, void *argument)
{
    struct trial *trial = argument;
    struct comment_range range = {.note_id = trial->named.note_id, .limit_count = 1};
    return comment_list(ctx, db, &range, &trial->list);
}

static enum err try_newer(struct ctx *ctx, struct db *db, void *argument)
{
    struct trial *trial = argument;
    struct comment_range range = {
        .note_id = trial->named.note_id, .before_id = trial->named.id, .limit_count = 1};
    return comment_newer_before(ctx, db, &range, &trial->number);
}

static void failure_of_any_call_leaves_all_as_it_was(void **state)
{
    struct trial trial = {0};
    const struct {
        enum err (*run)(struct ctx *ctx, struct db *db, void *argument);
        void *outputs;
        size_t outputs_size_bytes;
    } rows[] = {
        {try_insert, &trial.change, sizeof(trial.change)},
        {try_destroy, &trial.change, sizeof(trial.change)},
        {try_find, &trial.place, sizeof(trial.place)},
        {try_list, &trial.list, sizeof(trial.list)},
        {try_newer, &trial.number, sizeof(trial.number)},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP(notes_db_done) struct notes_db notes;
        notes_db_init(&notes);
        create_note(&notes, "k", "me");
        comment(&notes, "k", "one");
        assert_int_equal(
            comment_find(&notes.ctx, notes.db, "k", comment(&notes, "k", "two").id, &trial.named),
            ERR_OK);
        trial.notes = &notes;
        trial.checksum = notes_db_number(&notes, &CHECKSUM);
        const struct fake_db_operation operation = {
            .run = rows[i].run,
            .argument = &trial,
            .outputs = rows[i].outputs,
            .outputs_size_bytes = rows[i].outputs_size_bytes,
            .check_undone = check_undone,
        };
        assert_true(fake_db_torture(notes.db, notes.fake, &operation) >= 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(comment_renews_the_note_and_not_the_list),
        UNIT(comment_needs_its_note),
        UNIT(list_is_newest_first_in_ranges),
        UNIT(limits_out_of_range_are_refused),
        UNIT(comment_is_found_in_its_own_note_only),
        UNIT(destroyed_comment_is_gone_and_renews_the_note),
        UNIT(failure_of_any_call_leaves_all_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
