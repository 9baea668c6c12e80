/* SPDX-License-Identifier: MIT
 *
 * Notes in a real SQLite file: what each write does to rows, versions and revisions, what it
 * refuses, and that a failure of any single call leaves everything as it was. */
#include "note/note_store.h"

#include "note/note_purge_store.h"
#include "notes_db.h"
#include "unit.h"

#define NOW INT64_C(1800000000000)

static const struct db_statement NOTES_COUNT = {"SELECT count(*) FROM notes"};
static const struct db_statement DESTROYED_COUNT = {"SELECT count(*) FROM destroyed_notes"};
static const struct db_statement VERSIONS_COUNT = {"SELECT count(*) FROM note_versions"};
static const struct db_statement HTML_COUNT = {"SELECT count(html) FROM note_versions"};
static const struct db_statement COMMENTS_COUNT = {"SELECT count(*) FROM comments"};
static const struct db_statement CHECKSUM = {
    "SELECT (SELECT coalesce(sum(revision + version * 7 + home_revision * 3 + id), 0) FROM notes)"
    " + (SELECT coalesce(sum(revision * 5 + id), 0) FROM destroyed_notes)"
    " + (SELECT coalesce(sum(note_id * 11 + version * 13 + length(body)"
    "                        + coalesce(length(html), -1)), 0)"
    "    FROM note_versions)"
    " + (SELECT count(*) * 17 FROM comments) + (SELECT revision * 19 FROM home_list)"};
static const struct db_statement ADD_COMMENT = {
    "INSERT INTO comments (note_id, author, message, made_unix_ms) VALUES (?, 'a', 'm', 1)"};

static struct note_save save_of(const char *key, int64_t now_unix_ms)
{
    return (struct note_save){
        .key = key,
        .title = "Title",
        .body = "body",
        .html = {.text = "<p>body</p>\n", .size_bytes = 12},
        .user = "me",
        .now_unix_ms = now_unix_ms,
    };
}

static struct note_change create(struct notes_db *notes, const char *key, int64_t now_unix_ms)
{
    struct note_save save = save_of(key, now_unix_ms);
    struct note_change change;
    assert_int_equal(note_create(&notes->ctx, notes->db, &save, &change), ERR_OK);
    return change;
}

static int64_t home_revision(struct notes_db *notes)
{
    int64_t revision = 0;
    assert_int_equal(note_home_revision(&notes->ctx, notes->db, &revision), ERR_OK);
    return revision;
}

static void created_note_is_found_in_each_part(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    struct note note = {0};
    int64_t revision = 0;
    assert_int_equal(note_find(&notes.ctx, notes.db, "k", NOTE_SHOWN, &note), ERR_NOT_FOUND);
    assert_int_equal(note_find_revision(&notes.ctx, notes.db, "k", &revision), ERR_NOT_FOUND);
    assert_null(note.key);
    assert_int_equal(revision, 0);
    struct note_change change = create(&notes, "k", NOW);
    assert_int_equal(change.version, 1);
    assert_int_equal(change.revision, NOW);
    assert_int_equal(change.previous, 0);
    assert_int_equal(note_find(&notes.ctx, notes.db, "k", NOTE_SHOWN, &note), ERR_OK);
    assert_int_equal(note.id, change.id);
    assert_string_equal(note.key, "k");
    assert_string_equal(note.title, "Title");
    assert_string_equal(note.html.text, "<p>body</p>\n");
    assert_int_equal(note.html.size_bytes, 12);
    assert_null(note.body);
    assert_string_equal(note.author, "me");
    assert_int_equal(note.version, 1);
    assert_int_equal(note.revision, NOW);
    assert_int_equal(note.created_unix_ms, NOW);
    assert_int_equal(note.changed_unix_ms, NOW);
    assert_int_equal(note_find(&notes.ctx, notes.db, "k", NOTE_BODY, &note), ERR_OK);
    assert_string_equal(note.body, "body");
    assert_null(note.html.text);
    assert_int_equal(note_find(&notes.ctx, notes.db, "k", NOTE_HEAD, &note), ERR_OK);
    assert_null(note.body);
    assert_null(note.html.text);
    assert_int_equal(note_find_revision(&notes.ctx, notes.db, "k", &revision), ERR_OK);
    assert_int_equal(revision, NOW);
}

static void revisions_of_several_are_read_together(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    const char *keys[NOTE_REVISIONS_MAX_COUNT + 1];
    int64_t revisions[NOTE_REVISIONS_MAX_COUNT + 1];
    for (size_t i = 0; i <= NOTE_REVISIONS_MAX_COUNT; i++)
        keys[i] = arena_format(&notes.ctx.arena, "k%zu", i);
    for (size_t i = 0; i < NOTE_REVISIONS_MAX_COUNT; i += 2)
        create(&notes, keys[i], NOW + (int64_t)i);
    create(&notes, "K2", NOW + 1000);
    assert_int_equal(
        note_revisions(&notes.ctx, notes.db, keys, NOTE_REVISIONS_MAX_COUNT, revisions), ERR_OK);
    for (size_t i = 0; i < NOTE_REVISIONS_MAX_COUNT; i++)
        assert_int_equal(revisions[i], i % 2 ? 0 : NOW + (int64_t)i);
    const char *same[] = {"k4", "k4", "none", "k6"};
    assert_int_equal(note_revisions(&notes.ctx, notes.db, same, 4, revisions), ERR_OK);
    assert_int_equal(revisions[0], NOW + 4);
    assert_int_equal(revisions[1], NOW + 4);
    assert_int_equal(revisions[2], 0);
    assert_int_equal(revisions[3], NOW + 6);
    assert_int_equal(note_revisions(&notes.ctx, notes.db, keys, 0, revisions), ERR_INVALID);
    assert_int_equal(
        note_revisions(&notes.ctx, notes.db, keys, NOTE_REVISIONS_MAX_COUNT + 1, revisions),
        ERR_INVALID);
}

static void note_without_html_shows_its_body(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    struct note_save save = save_of("k", NOW);
    struct note_change change;
    struct note note;
    save.html.text = NULL;
    save.user = NULL;
    assert_int_equal(note_create(&notes.ctx, notes.db, &save, &change), ERR_OK);
    assert_int_equal(note_find(&notes.ctx, notes.db, "k", NOTE_SHOWN, &note), ERR_OK);
    assert_string_equal(note.body, "body");
    assert_null(note.html.text);
    assert_null(note.author);
}

static void key_that_exists_is_a_conflict_and_changes_nothing(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    create(&notes, "k", NOW);
    int64_t before = notes_db_number(&notes, &CHECKSUM);
    struct note_save save = save_of("k", NOW + 5);
    struct note_change change = {.id = -1};
    assert_int_equal(note_create(&notes.ctx, notes.db, &save, &change), ERR_CONFLICT);
    assert_int_equal(change.id, -1);
    assert_int_equal(notes_db_number(&notes, &CHECKSUM), before);
    create(&notes, "K", NOW);
    create(&notes, "k ", NOW);
}

static void update_keeps_the_earlier_version_and_raises_revisions(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    create(&notes, "k", NOW);
    int64_t home_before = home_revision(&notes);
    struct note_save save = save_of("k", NOW);
    struct note_change change;
    struct note note;
    save.title = "Other";
    save.body = "other body";
    save.user = "you";
    save.version = 1;
    assert_int_equal(note_update(&notes.ctx, notes.db, &save, &change), ERR_OK);
    assert_int_equal(change.version, 2);
    assert_int_equal(change.previous, NOW);
    assert_int_equal(change.revision, NOW + 1);
    assert_true(home_revision(&notes) > home_before);
    assert_int_equal(note_find(&notes.ctx, notes.db, "k", NOTE_BODY, &note), ERR_OK);
    assert_string_equal(note.title, "Other");
    assert_string_equal(note.body, "other body");
    assert_string_equal(note.author, "me");
    assert_int_equal(note.version, 2);
    assert_int_equal(notes_db_number(&notes, &VERSIONS_COUNT), 2);
    assert_int_equal(notes_db_number(&notes, &HTML_COUNT), 1);
    static const struct db_statement EDITORS = {
        "SELECT count(*) FROM note_versions WHERE (version = 1 AND editor = 'me'"
        " AND body = 'body') OR (version = 2 AND editor = 'you')"};
    assert_int_equal(notes_db_number(&notes, &EDITORS), 2);
}

static void update_without_a_version_is_of_the_latest(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    create(&notes, "k", NOW);
    struct note_save save = save_of("k", NOW);
    struct note_change change;
    for (int64_t version = 2; version <= 3; version++) {
        assert_int_equal(note_update(&notes.ctx, notes.db, &save, &change), ERR_OK);
        assert_int_equal(change.version, version);
        assert_int_equal(notes_db_number(&notes, &VERSIONS_COUNT), version);
        assert_int_equal(notes_db_number(&notes, &HTML_COUNT), 1);
    }
}

static void update_of_another_version_is_a_conflict(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    create(&notes, "k", NOW);
    int64_t before = notes_db_number(&notes, &CHECKSUM);
    struct note_save save = save_of("k", NOW + 5);
    struct note_change change = {.id = -1};
    static const int64_t versions[] = {2, -1, INT64_MAX};
    for (size_t i = 0; i < ARRAY_COUNT(versions); i++) {
        save.version = versions[i];
        assert_int_equal(note_update(&notes.ctx, notes.db, &save, &change), ERR_CONFLICT);
    }
    save.key = "other";
    assert_int_equal(note_update(&notes.ctx, notes.db, &save, &change), ERR_NOT_FOUND);
    assert_int_equal(change.id, -1);
    assert_int_equal(notes_db_number(&notes, &CHECKSUM), before);
}

static void destroyed_note_is_gone_and_its_key_starts_above(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    struct note_change first = create(&notes, "k", NOW);
    int64_t home_before = home_revision(&notes);
    struct note_act act = {.key = "k", .user = "you", .now_unix_ms = NOW};
    struct note_change change;
    struct note note;
    assert_int_equal(note_destroy(&notes.ctx, notes.db, &act, &change), ERR_OK);
    assert_int_equal(change.id, first.id);
    assert_int_equal(change.previous, NOW);
    assert_int_equal(change.revision, NOW + 1);
    assert_true(home_revision(&notes) > home_before);
    assert_int_equal(note_find(&notes.ctx, notes.db, "k", NOTE_HEAD, &note), ERR_NOT_FOUND);
    assert_int_equal(note_destroy(&notes.ctx, notes.db, &act, &change), ERR_NOT_FOUND);
    assert_int_equal(notes_db_number(&notes, &DESTROYED_COUNT), 1);
    assert_int_equal(notes_db_number(&notes, &VERSIONS_COUNT), 1);
    struct note_change second = create(&notes, "k", NOW - 1000);
    assert_true(second.revision > change.revision);
    assert_int_equal(second.version, 2);
    assert_true(second.id > first.id);
    act.now_unix_ms = NOW - 500;
    assert_int_equal(note_destroy(&notes.ctx, notes.db, &act, &change), ERR_OK);
    assert_true(create(&notes, "k", NOW - 1000).revision > change.revision);
}

static void destroying_another_version_is_a_conflict(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    create(&notes, "k", NOW);
    struct note_save save = save_of("k", NOW);
    struct note_change change = {.id = -1};
    assert_int_equal(note_update(&notes.ctx, notes.db, &save, &change), ERR_OK);
    int64_t before = notes_db_number(&notes, &CHECKSUM);
    struct note_act act = {.key = "k", .user = "you", .version = 1, .now_unix_ms = NOW};
    change.id = -1;
    assert_int_equal(note_destroy(&notes.ctx, notes.db, &act, &change), ERR_CONFLICT);
    assert_int_equal(change.id, -1);
    assert_int_equal(notes_db_number(&notes, &CHECKSUM), before);
    act.version = 2;
    assert_int_equal(note_destroy(&notes.ctx, notes.db, &act, &change), ERR_OK);
}

static void restored_note_is_as_it_was(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    struct note_change first = create(&notes, "k", NOW);
    struct note_act act = {.key = "k", .user = "you", .now_unix_ms = NOW};
    struct note_change destroyed;
    struct note_change change = {.id = -1};
    struct note note;
    assert_int_equal(note_restore(&notes.ctx, notes.db, &act, &change), ERR_NOT_FOUND);
    assert_int_equal(change.id, -1);
    assert_int_equal(note_destroy(&notes.ctx, notes.db, &act, &destroyed), ERR_OK);
    int64_t home_before = home_revision(&notes);
    assert_int_equal(note_restore(&notes.ctx, notes.db, &act, &change), ERR_OK);
    assert_int_equal(change.id, first.id);
    assert_true(change.revision > destroyed.revision);
    assert_int_equal(change.previous, destroyed.revision);
    assert_true(home_revision(&notes) > home_before);
    assert_int_equal(notes_db_number(&notes, &DESTROYED_COUNT), 0);
    assert_int_equal(note_find(&notes.ctx, notes.db, "k", NOTE_SHOWN, &note), ERR_OK);
    assert_string_equal(note.html.text, "<p>body</p>\n");
    assert_string_equal(note.author, "me");
    assert_int_equal(note.revision, change.revision);
}

static void newest_destroyed_is_restored_unless_a_note_has_the_key(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    struct note_act act = {.key = "k", .user = "you", .now_unix_ms = NOW};
    struct note_change change;
    create(&notes, "k", NOW);
    assert_int_equal(note_destroy(&notes.ctx, notes.db, &act, &change), ERR_OK);
    int64_t newest_id = create(&notes, "k", NOW - 9000).id;
    int64_t before = notes_db_number(&notes, &CHECKSUM);
    assert_int_equal(note_restore(&notes.ctx, notes.db, &act, &change), ERR_CONFLICT);
    assert_int_equal(notes_db_number(&notes, &CHECKSUM), before);
    act.now_unix_ms = NOW - 8000;
    assert_int_equal(note_destroy(&notes.ctx, notes.db, &act, &change), ERR_OK);
    assert_int_equal(note_restore(&notes.ctx, notes.db, &act, &change), ERR_OK);
    assert_int_equal(change.id, newest_id);
}

static void list_is_newest_change_first_also_within_a_millisecond(void **state)
{
    static const char *const keys[] = {"a", "b", "c", "d", "e"};
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    struct note_list list;
    struct note_change change;
    assert_int_equal(note_list(&notes.ctx, notes.db, 1, 2, &list), ERR_OK);
    assert_int_equal(list.count, 0);
    assert_false(list.has_more);
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        create(&notes, keys[i], NOW);
    struct note_save save = save_of("b", NOW);
    save.version = 1;
    assert_int_equal(note_update(&notes.ctx, notes.db, &save, &change), ERR_OK);
    assert_int_equal(note_list(&notes.ctx, notes.db, 1, 2, &list), ERR_OK);
    assert_int_equal(list.count, 2);
    assert_true(list.has_more);
    assert_string_equal(list.items[0].key, "b");
    assert_string_equal(list.items[0].title, "Title");
    assert_string_equal(list.items[0].author, "me");
    assert_int_equal(list.items[0].changed_unix_ms, NOW);
    assert_string_equal(list.items[1].key, "e");
    assert_int_equal(note_list(&notes.ctx, notes.db, 3, 2, &list), ERR_OK);
    assert_int_equal(list.count, 1);
    assert_false(list.has_more);
    assert_string_equal(list.items[0].key, "a");
    assert_int_equal(note_list(&notes.ctx, notes.db, 4, 2, &list), ERR_OK);
    assert_int_equal(list.count, 0);
    assert_int_equal(
        note_list(&notes.ctx, notes.db, NOTE_PAGE_MAX_NUMBER, NOTE_LIST_MAX_COUNT, &list), ERR_OK);
    assert_int_equal(list.count, 0);
}

static void limits_out_of_range_are_refused(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    struct note_list list = {.count = 99};
    struct note_purge done = {.notes_count = -1};
    static const int64_t bad[][2] = {
        {0, 1}, {-1, 1}, {NOTE_PAGE_MAX_NUMBER + 1, 1}, {1, 0}, {1, NOTE_LIST_MAX_COUNT + 1}};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        assert_int_equal(note_list(&notes.ctx, notes.db, bad[i][0], bad[i][1], &list), ERR_INVALID);
    assert_int_equal(list.count, 99);
    assert_int_equal(note_purge_destroyed(&notes.ctx, notes.db, NOW, 0, &done), ERR_INVALID);
    assert_int_equal(
        note_purge_destroyed(&notes.ctx, notes.db, NOW, NOTE_PURGE_MAX_COUNT + 1, &done),
        ERR_INVALID);
    assert_int_equal(done.notes_count, -1);
}

/* Of a purge: one comment, one version, which counts for 25, and the note. */
#define ROWS_OF_DESTROYED INT64_C(27)

/* Destroys a note of one comment at this time. */
static void make_destroyed(struct notes_db *notes, const char *key, int64_t at_unix_ms)
{
    struct note_change change = create(notes, key, at_unix_ms);
    struct note_act act = {.key = key, .user = "me", .now_unix_ms = at_unix_ms};
    assert_int_equal(
        db_run(&notes->ctx, notes->db, &ADD_COMMENT, DB_VALUES(db_i64(change.id)), NULL), ERR_OK);
    assert_int_equal(note_destroy(&notes->ctx, notes->db, &act, &change), ERR_OK);
}

static struct note_purge purge(struct notes_db *notes, int64_t before_unix_ms, int64_t limit_count)
{
    struct note_purge purge = {.notes_count = -1};
    assert_int_equal(
        note_purge_destroyed(&notes->ctx, notes->db, before_unix_ms, limit_count, &purge), ERR_OK);
    return purge;
}

static void purge_removes_what_is_old_with_versions_and_comments(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    struct note_change live = create(&notes, "live", NOW - 100);
    assert_int_equal(db_run(&notes.ctx, notes.db, &ADD_COMMENT, DB_VALUES(db_i64(live.id)), NULL),
                     ERR_OK);
    make_destroyed(&notes, "new", NOW);
    make_destroyed(&notes, "old", NOW - 10);
    make_destroyed(&notes, "older", NOW - 20);
    make_destroyed(&notes, "oldest", NOW - 30);
    struct note_purge done = purge(&notes, NOW, 2 * ROWS_OF_DESTROYED);
    assert_int_equal(done.notes_count, 2);
    assert_true(done.has_more);
    static const struct db_statement OLD_IS_LEFT = {
        "SELECT count(*) FROM destroyed_notes WHERE note_key = 'old'"};
    assert_int_equal(notes_db_number(&notes, &OLD_IS_LEFT), 1);
    done = purge(&notes, NOW, 2 * ROWS_OF_DESTROYED);
    assert_int_equal(done.notes_count, 1);
    assert_false(done.has_more);
    assert_int_equal(purge(&notes, NOW, 1).notes_count, 0);
    assert_int_equal(notes_db_number(&notes, &NOTES_COUNT), 1);
    assert_int_equal(notes_db_number(&notes, &DESTROYED_COUNT), 1);
    assert_int_equal(notes_db_number(&notes, &VERSIONS_COUNT), 2);
    assert_int_equal(notes_db_number(&notes, &COMMENTS_COUNT), 2);
}

/* Destroys a note of so many comments and versions at this time. */
static void make_large_destroyed(struct notes_db *notes, int64_t comments_count, int versions_count)
{
    static const struct db_statement ADD_COMMENTS = {
        "INSERT INTO comments (note_id, author, message, made_unix_ms)"
        " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        " SELECT ?, 'a', 'm', i FROM n"};
    struct note_change change = create(notes, "large", NOW - 50);
    struct note_act act = {.key = "large", .user = "me", .now_unix_ms = NOW - 40};
    struct note_save save = save_of("large", NOW - 45);
    assert_int_equal(db_run(&notes->ctx, notes->db, &ADD_COMMENTS,
                            DB_VALUES(db_i64(comments_count), db_i64(change.id)), NULL),
                     ERR_OK);
    for (int i = 1; i < versions_count; i++)
        assert_int_equal(note_update(&notes->ctx, notes->db, &save, &change), ERR_OK);
    assert_int_equal(note_destroy(&notes->ctx, notes->db, &act, &change), ERR_OK);
}

static void a_large_note_is_purged_in_pieces(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    make_large_destroyed(&notes, 230, 20);
    make_destroyed(&notes, "next", NOW - 10);
    struct note_purge done = {.has_more = true};
    int64_t notes_count = 0;
    int pieces_count = 0;
    for (; done.has_more; pieces_count++) {
        int64_t comments = notes_db_number(&notes, &COMMENTS_COUNT);
        int64_t versions = notes_db_number(&notes, &VERSIONS_COUNT);
        done = purge(&notes, NOW, 100);
        notes_count += done.notes_count;
        comments -= notes_db_number(&notes, &COMMENTS_COUNT);
        versions -= notes_db_number(&notes, &VERSIONS_COUNT);
        assert_true(comments <= 100 && versions <= 4 && comments + versions > 0);
        assert_int_equal(notes_count > 0, pieces_count >= 7);
    }
    assert_int_equal(notes_count, 2);
    assert_int_equal(notes_db_number(&notes, &DESTROYED_COUNT), 0);
    assert_int_equal(notes_db_number(&notes, &VERSIONS_COUNT), 0);
    assert_int_equal(notes_db_number(&notes, &COMMENTS_COUNT), 0);
}

/* By one row at a time as well: nothing stands still. */
static void any_limit_comes_to_an_end(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    make_large_destroyed(&notes, 3, 2);
    int calls_count = 0;
    struct note_purge done = {.has_more = true};
    for (; done.has_more && calls_count < 20; calls_count++)
        done = purge(&notes, NOW, 1);
    assert_false(done.has_more);
    assert_int_equal(notes_db_number(&notes, &DESTROYED_COUNT), 0);
}

static void a_note_whose_purge_has_begun_is_not_brought_back(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    make_large_destroyed(&notes, 50, 1);
    assert_true(purge(&notes, NOW, 10).has_more);
    assert_int_equal(notes_db_number(&notes, &COMMENTS_COUNT), 40);
    int64_t before = notes_db_number(&notes, &CHECKSUM);
    struct note_act act = {.key = "large", .user = "me", .now_unix_ms = NOW};
    struct note_change change;
    assert_int_equal(note_restore(&notes.ctx, notes.db, &act, &change), ERR_NOT_FOUND);
    act.key = "";
    assert_int_equal(note_restore(&notes.ctx, notes.db, &act, &change), ERR_NOT_FOUND);
    assert_int_equal(notes_db_number(&notes, &CHECKSUM), before);
    struct note_change again = create(&notes, "large", NOW);
    assert_int_equal(purge(&notes, NOW, 1000).notes_count, 1);
    static const struct db_statement VERSIONS_OF_LIVE = {
        "SELECT count(*) FROM note_versions WHERE note_id = (SELECT id FROM notes)"};
    assert_true(again.id > 1);
    assert_int_equal(notes_db_number(&notes, &VERSIONS_OF_LIVE), 1);
    assert_int_equal(notes_db_number(&notes, &COMMENTS_COUNT), 0);
}

static void purged_id_is_never_given_again(void **state)
{
    (void)state;
    CLEANUP(notes_db_done) struct notes_db notes;
    notes_db_init(&notes);
    make_destroyed(&notes, "k", NOW);
    assert_int_equal(purge(&notes, NOW + 1, 100).notes_count, 1);
    assert_true(create(&notes, "k", NOW).id > 1);
}

/* Only a server that does not know the words is asked in others. */
static void a_failure_of_a_purge_is_not_taken_for_an_old_server(void **state)
{
    CLEANUP(notes_db_done) struct notes_db notes;
    struct note_purge done = {.notes_count = -1};
    (void)state;
    notes_db_init(&notes);
    make_destroyed(&notes, "k", NOW);
    fake_db_fail_as(notes.fake, ERR_INTERNAL);
    fake_db_fail_at(notes.fake, 2); /* the look for a note, after the transaction's begin */
    assert_int_equal(note_purge_destroyed(&notes.ctx, notes.db, NOW + 1, 100, &done), ERR_INTERNAL);
    assert_int_equal(done.notes_count, -1);
}

/* ---- every single call may fail ---- */

struct trial {
    struct notes_db *notes;
    int64_t checksum; /* before */
    struct note_change change;
    struct note note;
    struct note_list list;
    struct note_purge purge;
    int64_t number;
};

static void check_undone(struct db *real, void *argument)
{
    struct trial *trial = argument;
    (void)real;
    fake_db_fail_at(trial->notes->fake, 0);
    assert_int_equal(notes_db_number(trial->notes, &CHECKSUM), trial->checksum);
}

static enum err try_create(struct ctx *ctx, struct db *db, void *argument)
{
    struct trial *trial = argument;
    struct note_save save = save_of("new", NOW);
    return note_create(ctx, db, &save, &trial->change);
}

static enum err try_update(struct ctx *ctx, struct db *db, void *argument)
{
    struct trial *trial = argument;
    struct note_save save = save_of("k", NOW);
    save.version = 1;
    return note_update(ctx, db, &save, &trial->change);
}

static enum err try_destroy(struct ctx *ctx, struct db *db, void *argument)
{
    struct trial *trial = argument;
    struct note_act act = {.key = "k", .user = "me", .now_unix_ms = NOW};
    return note_destroy(ctx, db, &act, &trial->change);
}

static enum err try_restore(struct ctx *ctx, struct db *db, void *argument)
{
    struct trial *trial = argument;
    struct note_act act = {.key = "destroyed", .user = "me", .now_unix_ms = NOW};
    return note_restore(ctx, db, &act, &trial->change);
}

static enum err try_purge(struct ctx *ctx, struct db *db, void *argument)
{
    struct trial *trial = argument;
    return note_purge_destroyed(ctx, db, NOW + 1000, 10, &trial->purge);
}

static enum err try_find(struct ctx *ctx, struct db *db, void *argument)
{
    struct trial *trial = argument;
    return note_find(ctx, db, "k", NOTE_SHOWN, &trial->note);
}

static enum err try_find_revision(struct ctx *ctx, struct db *db, void *argument)
{
    struct trial *trial = argument;
    return note_find_revision(ctx, db, "k", &trial->number);
}

static enum err try_list(struct ctx *ctx, struct db *db, void *argument)
{
    struct trial *trial = argument;
    return note_list(ctx, db, 1, 1, &trial->list);
}

static enum err try_home_revision(struct ctx *ctx, struct db *db, void *argument)
{
    struct trial *trial = argument;
    return note_home_revision(ctx, db, &trial->number);
}

static void failure_of_any_call_leaves_all_as_it_was(void **state)
{
    struct trial trial = {0};
    const struct {
        enum err (*run)(struct ctx *ctx, struct db *db, void *argument);
        void *outputs;
        size_t outputs_size_bytes;
    } rows[] = {
        {try_create, &trial.change, sizeof(trial.change)},
        {try_update, &trial.change, sizeof(trial.change)},
        {try_destroy, &trial.change, sizeof(trial.change)},
        {try_restore, &trial.change, sizeof(trial.change)},
        {try_purge, &trial.purge, sizeof(trial.purge)},
        {try_find, &trial.note, sizeof(trial.note)},
        {try_find_revision, &trial.number, sizeof(trial.number)},
        {try_list, &trial.list, sizeof(trial.list)},
        {try_home_revision, &trial.number, sizeof(trial.number)},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP(notes_db_done) struct notes_db notes;
        notes_db_init(&notes);
        create(&notes, "k", NOW);
        create(&notes, "l", NOW);
        make_destroyed(&notes, "destroyed", NOW);
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
        UNIT(created_note_is_found_in_each_part),
        UNIT(revisions_of_several_are_read_together),
        UNIT(note_without_html_shows_its_body),
        UNIT(key_that_exists_is_a_conflict_and_changes_nothing),
        UNIT(update_keeps_the_earlier_version_and_raises_revisions),
        UNIT(update_without_a_version_is_of_the_latest),
        UNIT(update_of_another_version_is_a_conflict),
        UNIT(destroyed_note_is_gone_and_its_key_starts_above),
        UNIT(destroying_another_version_is_a_conflict),
        UNIT(restored_note_is_as_it_was),
        UNIT(newest_destroyed_is_restored_unless_a_note_has_the_key),
        UNIT(list_is_newest_change_first_also_within_a_millisecond),
        UNIT(limits_out_of_range_are_refused),
        UNIT(purge_removes_what_is_old_with_versions_and_comments),
        UNIT(a_large_note_is_purged_in_pieces),
        UNIT(any_limit_comes_to_an_end),
        UNIT(a_note_whose_purge_has_begun_is_not_brought_back),
        UNIT(purged_id_is_never_given_again),
        UNIT(a_failure_of_a_purge_is_not_taken_for_an_old_server),
        UNIT(failure_of_any_call_leaves_all_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
