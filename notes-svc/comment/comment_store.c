/* SPDX-License-Identifier: MIT
 *
 * SQL of comments. The note's revision is read (and its row locked), raised by note_revision_after
 * and written back, in one transaction with the comment's row; the note's text is in another table
 * and is not touched.
 * Depends on: db.h, comment.h, note.h. */
#include "comment/comment_store.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/text.h"
#include "data/db.h"
#include "data/group_commit.h"
#include "note/note.h"

static const struct db_statement LOCK_NOTE = {
    "SELECT id, revision FROM notes WHERE note_key = ?",
    .mysql = "SELECT id, revision FROM notes WHERE note_key = ? FOR UPDATE"};
/* In a group nobody waits for the row of one: it is passed over. */
static const struct db_statement LOCK_FREE_NOTE = {
    "SELECT id, revision FROM notes WHERE note_key = ?",
    .mysql = "SELECT id, revision FROM notes WHERE note_key = ? FOR UPDATE SKIP LOCKED"};
_Static_assert(GROUP_COMMIT_MAX_COUNT == 16, "as many places as the statements of a group have");
#define ALL_KEYS "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
static const struct db_statement LOCK_FREE_NOTES = {
    "SELECT id, revision, note_key, 1 FROM notes WHERE note_key IN " ALL_KEYS,
    .mysql = "SELECT id, revision, note_key, @@auto_increment_increment FROM notes"
             " WHERE note_key IN " ALL_KEYS " FOR UPDATE SKIP LOCKED"};
static const struct db_statement SET_REVISIONS = {
    "UPDATE notes SET revision = CASE id"
    " WHEN ? THEN ? WHEN ? THEN ? WHEN ? THEN ? WHEN ? THEN ?"
    " WHEN ? THEN ? WHEN ? THEN ? WHEN ? THEN ? WHEN ? THEN ?"
    " WHEN ? THEN ? WHEN ? THEN ? WHEN ? THEN ? WHEN ? THEN ?"
    " WHEN ? THEN ? WHEN ? THEN ? WHEN ? THEN ? WHEN ? THEN ?"
    " ELSE revision END WHERE id IN " ALL_KEYS};
static const struct db_statement LOCK_NOTE_BY_ID = {
    "SELECT id, revision FROM notes WHERE id = ?",
    .mysql = "SELECT id, revision FROM notes WHERE id = ? FOR UPDATE"};
static const struct db_statement SET_REVISION = {"UPDATE notes SET revision = ? WHERE id = ?"};
#define ROW_VALUES_COUNT 4
#define INSERT_HEAD      "INSERT INTO comments (note_id, author, message, made_unix_ms) VALUES "
#define ROW              "(?, ?, ?, ?)"
#define TWO_ROWS         ROW ", " ROW
#define FOUR_ROWS        TWO_ROWS ", " TWO_ROWS
static const struct db_statement INSERT = {INSERT_HEAD ROW};
static const struct db_statement INSERT_TWO = {INSERT_HEAD TWO_ROWS};
static const struct db_statement INSERT_FOUR = {INSERT_HEAD FOUR_ROWS};
static const struct db_statement INSERT_EIGHT = {INSERT_HEAD FOUR_ROWS ", " FOUR_ROWS};
/* Without the hint MariaDB reads all comments that are newer than the page, or older: it looks for
 * the note in the index, and not for the comment. */
#define BY_NOTE   " FORCE INDEX (comments_of_note)"
#define LIST_HEAD "SELECT id, author, message, made_unix_ms FROM comments"
#define LIST_REST " WHERE note_id = ? AND id < ? ORDER BY id DESC LIMIT ?"
static const struct db_statement LIST = {LIST_HEAD LIST_REST, .mysql = LIST_HEAD BY_NOTE LIST_REST};
#define NEWER_HEAD "SELECT id FROM comments"
#define NEWER_REST " WHERE note_id = ? AND id >= ? ORDER BY id LIMIT 1 OFFSET ?"
static const struct db_statement NEWER_BEFORE = {NEWER_HEAD NEWER_REST,
                                                 .mysql = NEWER_HEAD BY_NOTE NEWER_REST};
static const struct db_statement FIND = {
    "SELECT c.id, c.note_id, c.author, n.author FROM notes n"
    " JOIN comments c ON c.note_id = n.id WHERE n.note_key = ? AND c.id = ?"};
static const struct db_statement LAST_ID = {"SELECT COALESCE(MAX(id), 0) FROM comments"};
/* Byte by byte on every engine: no collation of MySQL's counts. */
static const struct db_statement COUNT_EQUAL = {
    "SELECT COUNT(*) FROM comments WHERE note_id = ? AND id <= ? AND made_unix_ms = ?"
    " AND author = ? AND message = ?",
    .mysql = "SELECT COUNT(*) FROM comments WHERE note_id = ? AND id <= ? AND made_unix_ms = ?"
             " AND CAST(author AS BINARY) = CAST(? AS BINARY)"
             " AND CAST(message AS BINARY) = CAST(? AS BINARY)"};
static const struct db_statement DELETE = {"DELETE FROM comments WHERE id = ? AND note_id = ?"};

/* What only the transaction in question can have written or removed. */
static const struct db_statement TRACE_INSERT = {
    "SELECT 1 FROM comments WHERE id = ? AND note_id = ? AND made_unix_ms = ?"
    " AND author = ? AND message = ?",
    .mysql = "SELECT 1 FROM comments WHERE id = ? AND note_id = ? AND made_unix_ms = ?"
             " AND CAST(author AS BINARY) = CAST(? AS BINARY)"
             " AND CAST(message AS BINARY) = CAST(? AS BINARY) FOR UPDATE"};
static const struct db_statement TRACE_DELETE = {
    "SELECT 1 FROM comments WHERE id = ?",
    .mysql = "SELECT 1 FROM comments WHERE id = ? FOR UPDATE"};

struct note_state {
    int64_t id;
    int64_t revision;
    const char *key; /* where several are locked at once; MySQL keeps it as bytes */
};

static enum err lock_note(struct ctx *ctx,
                          struct db *db,
                          const struct db_statement *statement,
                          struct db_value value,
                          struct note_state *out_note)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(ctx, db, statement, DB_VALUES(value), &rows);
    if (err || (err = db_next(ctx, &rows, &has_row)))
        return err;
    if (!has_row)
        return ctx_fail(ctx, ERR_NOT_FOUND, "no such note");
    *out_note = (struct note_state){.id = db_rows_i64(&rows, 0), .revision = db_rows_i64(&rows, 1)};
    return ERR_OK;
}

/* One comment on its way into the database. */
struct insertion {
    const struct comment_draft *draft;
    struct note_state *note; /* in a group */
    int64_t note_id;
    struct comment_change change;
};

static void place(struct insertion *insertion, struct note_state *note)
{
    insertion->note_id = note->id;
    insertion->change.previous = note->revision;
    note->revision = note_revision_after(note->revision, insertion->draft->now_unix_ms);
    insertion->change.revision = note->revision;
}

static enum err insert_one(struct ctx *ctx, struct db *db, bool is_alone, void *what)
{
    struct insertion *insertion = what;
    const struct comment_draft *draft = insertion->draft;
    struct note_state note = {0};
    enum err err = lock_note(ctx, db, is_alone ? &LOCK_NOTE : &LOCK_FREE_NOTE,
                             db_text(draft->note_key), &note);
    if (err)
        return err;
    place(insertion, &note);
    err = db_run(ctx, db, &SET_REVISION, DB_VALUES(db_i64(note.revision), db_i64(note.id)), NULL);
    if (err)
        return err;
    err = db_run(ctx, db, &INSERT,
                 DB_VALUES(db_i64(note.id), db_text(draft->author), db_text(draft->message),
                           db_i64(draft->now_unix_ms)),
                 NULL);
    insertion->change.id = err ? 0 : db_last_id(db);
    return err;
}

/* ---- several comments in one transaction ---- */

/* The notes that they are on, as far as these are free. */
struct free_notes {
    struct note_state items[GROUP_COMMIT_MAX_COUNT];
    size_t count;
    int64_t id_step; /* between comments that one statement inserts */
};

static enum err lock_free_notes(struct ctx *ctx,
                                struct db *db,
                                const struct group_item *items,
                                size_t count,
                                struct free_notes *notes)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    struct db_value keys[GROUP_COMMIT_MAX_COUNT]; /* filled up with the last one */
    bool has_row = false;
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        const struct insertion *insertion = items[i < count ? i : count - 1].what;
        keys[i] = db_text(insertion->draft->note_key);
    }
    enum err err = db_query(ctx, db, &LOCK_FREE_NOTES,
                            (struct db_values){.items = keys, .count = ARRAY_COUNT(keys)}, &rows);
    while (!err && !(err = db_next(ctx, &rows, &has_row)) && has_row && notes->count < count) {
        notes->items[notes->count++] =
            (struct note_state){.id = db_rows_i64(&rows, 0),
                                .revision = db_rows_i64(&rows, 1),
                                .key = (const char *)db_rows_bytes(ctx, &rows, 2).p};
        notes->id_step = db_rows_i64(&rows, 3);
    }
    return err;
}

static enum err
set_revisions(struct ctx *ctx, struct db *db, struct insertion *const *insertions, size_t count)
{
    struct db_value values[3 * GROUP_COMMIT_MAX_COUNT]; /* filled up with the last one */
    for (size_t i = 0; i < GROUP_COMMIT_MAX_COUNT; i++) {
        const struct note_state *note = insertions[i < count ? i : count - 1]->note;
        values[2 * i] = db_i64(note->id);
        values[2 * i + 1] = db_i64(note->revision);
        values[2 * GROUP_COMMIT_MAX_COUNT + i] = db_i64(note->id);
    }
    return db_run(ctx, db, &SET_REVISIONS,
                  (struct db_values){.items = values, .count = ARRAY_COUNT(values)}, NULL);
}

static struct note_state *find_note(struct free_notes *notes, const char *key)
{
    for (size_t i = 0; i < notes->count; i++)
        if (text_equals(notes->items[i].key, key))
            return &notes->items[i];
    return NULL;
}

/* How many of `count` rows the next statement inserts. */
static size_t next_rows(size_t count, const struct db_statement **out_statement)
{
    static const struct {
        size_t rows_count;
        const struct db_statement *statement;
    } choices[] = {{8, &INSERT_EIGHT}, {4, &INSERT_FOUR}, {2, &INSERT_TWO}, {1, &INSERT}};
    size_t i = 0;
    while (choices[i].rows_count > count)
        i++;
    *out_statement = choices[i].statement;
    return choices[i].rows_count;
}

static enum err insert_rows(struct ctx *ctx,
                            struct db *db,
                            int64_t id_step,
                            struct insertion *const *insertions,
                            size_t count)
{
    struct db_value values[ROW_VALUES_COUNT * GROUP_COMMIT_MAX_COUNT];
    const struct db_statement *statement = NULL;
    while (count > 0) {
        size_t rows_count = next_rows(count, &statement);
        struct db_value *value = values;
        for (size_t i = 0; i < rows_count; i++) {
            *value++ = db_i64(insertions[i]->note_id);
            *value++ = db_text(insertions[i]->draft->author);
            *value++ = db_text(insertions[i]->draft->message);
            *value++ = db_i64(insertions[i]->draft->now_unix_ms);
        }
        enum err err = db_run(
            ctx, db, statement,
            (struct db_values){.items = values, .count = ROW_VALUES_COUNT * rows_count}, NULL);
        if (err)
            return err;
        for (size_t i = 0; i < rows_count; i++)
            insertions[i]->change.id = db_first_id(db, rows_count) + (int64_t)i * id_step;
        insertions += rows_count;
        count -= rows_count;
    }
    return ERR_OK;
}

static bool
has_its_note(struct insertion *const *insertions, size_t count, const struct note_state *note)
{
    for (size_t i = 0; i < count; i++)
        if (insertions[i]->note == note)
            return true;
    return false;
}

/* The first comment on each note; those that are left are moved to the front. So each revision has
 * been the note's, with just the comments that belong to it, also when only the last one is ever
 * seen by others. */
static enum err insert_round(
    struct ctx *ctx, struct db *db, int64_t id_step, struct insertion **insertions, size_t *count)
{
    struct insertion *now[GROUP_COMMIT_MAX_COUNT] = {insertions[0]}; /* there is one */
    size_t now_count = 0;
    size_t left_count = 0;
    for (size_t i = 0; i < *count; i++) {
        if (has_its_note(now, now_count, insertions[i]->note)) {
            insertions[left_count++] = insertions[i];
            continue;
        }
        place(insertions[i], insertions[i]->note);
        now[now_count++] = insertions[i];
    }
    *count = left_count;
    enum err err = set_revisions(ctx, db, now, now_count);
    return err ? err : insert_rows(ctx, db, id_step, now, now_count);
}

static enum err insert_all(struct ctx *ctx, struct db *db, struct group_item *items, size_t count)
{
    struct free_notes notes = {.count = 0};
    struct insertion *insertions[GROUP_COMMIT_MAX_COUNT];
    size_t insertions_count = 0;
    enum err err = lock_free_notes(ctx, db, items, count, &notes);
    for (size_t i = 0; i < count && !err; i++) {
        struct insertion *insertion = items[i].what;
        insertion->note = find_note(&notes, insertion->draft->note_key);
        items[i].is_made = insertion->note;
        if (insertion->note)
            insertions[insertions_count++] = insertion;
    }
    while (insertions_count > 0 && !err)
        err = insert_round(ctx, db, notes.id_step, insertions, &insertions_count);
    return err;
}

static const struct group_kind INSERTION = {.write = insert_one, .write_all = insert_all};

enum err comment_insert(struct ctx *ctx,
                        struct db *db,
                        struct group_commit *commits,
                        const struct comment_draft *draft,
                        struct comment_change *out_change)
{
    struct insertion insertion = {.draft = draft};
    enum err err = ERR_OK;
    int tries_count = 0;
    do {
        err = group_commit_write(commits, ctx, db, &INSERTION, &insertion);
        if (err && db_is_unsure(db))
            err = db_find_out(ctx, db, &TRACE_INSERT,
                              DB_VALUES(db_i64(insertion.change.id), db_i64(insertion.note_id),
                                        db_i64(draft->now_unix_ms), db_text(draft->author),
                                        db_text(draft->message)),
                              true);
    } while (db_repeats(ctx, db, err, &tries_count));
    if (!err)
        *out_change = insertion.change;
    return err;
}

enum err comment_list(struct ctx *ctx,
                      struct db *db,
                      const struct comment_range *range,
                      struct comment_list *out_list)
{
    if (range->limit_count < 1 || range->limit_count > COMMENT_LIST_MAX_COUNT)
        return ctx_fail(ctx, ERR_INVALID, "list of %lld comments", (long long)range->limit_count);
    size_t limit_count = (size_t)range->limit_count;
    struct comment *items = arena_take_array(&ctx->arena, limit_count, sizeof(*items));
    struct comment_list list = {.items = items};
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    int64_t before_id = range->before_id ? range->before_id : INT64_MAX;
    enum err err = db_query(
        ctx, db, &LIST,
        DB_VALUES(db_i64(range->note_id), db_i64(before_id), db_i64(range->limit_count + 1)),
        &rows);
    while (!err && (err = db_next(ctx, &rows, &has_row)) == ERR_OK && has_row) {
        if (list.count == limit_count) {
            list.has_more = true;
            break;
        }
        items[list.count++] = (struct comment){
            .id = db_rows_i64(&rows, 0),
            .author = db_rows_text(ctx, &rows, 1),
            .message = db_rows_text(ctx, &rows, 2),
            .made_unix_ms = db_rows_i64(&rows, 3),
        };
    }
    if (!err)
        *out_list = list;
    return err;
}

enum err comment_newer_before(struct ctx *ctx,
                              struct db *db,
                              const struct comment_range *range,
                              int64_t *out_before_id)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(
        ctx, db, &NEWER_BEFORE,
        DB_VALUES(db_i64(range->note_id), db_i64(range->before_id), db_i64(range->limit_count)),
        &rows);
    if (err || (err = db_next(ctx, &rows, &has_row)))
        return err;
    *out_before_id = has_row ? db_rows_i64(&rows, 0) : 0;
    return ERR_OK;
}

enum err comment_find(struct ctx *ctx,
                      struct db *db,
                      const char *note_key,
                      int64_t id,
                      struct comment_place *out_place)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(ctx, db, &FIND, DB_VALUES(db_text(note_key), db_i64(id)), &rows);
    if (err || (err = db_next(ctx, &rows, &has_row)))
        return err;
    if (!has_row)
        return ctx_fail(ctx, ERR_NOT_FOUND,
                        "the note has no such comment, or there is no such note");
    *out_place = (struct comment_place){
        .id = db_rows_i64(&rows, 0),
        .note_id = db_rows_i64(&rows, 1),
        .author = db_rows_text(ctx, &rows, 2),
        .note_author = db_rows_text(ctx, &rows, 3),
    };
    return ERR_OK;
}

/* ---- moving from another program ---- */

static enum err read_number(struct ctx *ctx,
                            struct db *db,
                            const struct db_statement *statement,
                            struct db_values values,
                            int64_t *out_number)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(ctx, db, statement, values, &rows);
    if (err || (err = db_next(ctx, &rows, &has_row)))
        return err;
    *out_number = has_row ? db_rows_i64(&rows, 0) : 0;
    return ERR_OK;
}

enum err comment_last_id(struct ctx *ctx, struct db *db, int64_t *out_id)
{
    return read_number(ctx, db, &LAST_ID, DB_NO_VALUES, out_id);
}

enum err comment_count_equal(struct ctx *ctx,
                             struct db *db,
                             const struct comment_move *move,
                             int64_t up_to_id,
                             int64_t *out_count)
{
    const struct comment_draft *draft = &move->draft;
    return read_number(ctx, db, &COUNT_EQUAL,
                       DB_VALUES(db_i64(move->note_id), db_i64(up_to_id),
                                 db_i64(draft->now_unix_ms), db_text(draft->author),
                                 db_text(draft->message)),
                       out_count);
}

static enum err insert_move(struct ctx *ctx, struct db *db, struct comment_move *move)
{
    const struct comment_draft *draft = &move->draft;
    struct note_state note = {0};
    enum err err = lock_note(ctx, db, &LOCK_NOTE_BY_ID, db_i64(move->note_id), &note);
    move->is_gone = err == ERR_NOT_FOUND;
    if (move->is_gone) {
        ctx_forgive(ctx);
        return ERR_OK;
    }
    if (err)
        return err;
    int64_t revision = note_revision_after(note.revision, clock_unix_ms());
    err = db_run(ctx, db, &SET_REVISION, DB_VALUES(db_i64(revision), db_i64(note.id)), NULL);
    if (err)
        return err;
    return db_run(ctx, db, &INSERT,
                  DB_VALUES(db_i64(note.id), db_text(draft->author), db_text(draft->message),
                            db_i64(draft->now_unix_ms)),
                  NULL);
}

static enum err
move_once(struct ctx *ctx, struct db *db, struct comment_move *const *items, size_t count)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    enum err err = db_begin(ctx, db, &tx);
    for (size_t i = 0; !err && i < count; i++)
        err = insert_move(ctx, db, items[i]);
    return err ? err : db_commit(ctx, &tx);
}

enum err
comment_move_all(struct ctx *ctx, struct db *db, struct comment_move *const *items, size_t count)
{
    enum err err = ERR_OK;
    int tries_count = 0;
    if (count > COMMENT_MOVE_MAX_COUNT)
        return ctx_fail(ctx, ERR_INVALID, "a move of %zu comments", count);
    if (count == 0)
        return ERR_OK;
    do
        err = move_once(ctx, db, items, count);
    while (db_repeats(ctx, db, err, &tries_count));
    return err;
}

/* ---- destroying ---- */

static enum err destroy_once(struct ctx *ctx,
                             struct db *db,
                             const struct comment_place *place,
                             int64_t now_unix_ms,
                             struct comment_change *out_change)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    struct note_state note = {0};
    int64_t deleted_count = 0;
    enum err err = db_begin(ctx, db, &tx);
    if (err || (err = lock_note(ctx, db, &LOCK_NOTE_BY_ID, db_i64(place->note_id), &note)))
        return err;
    err = db_run(ctx, db, &DELETE, DB_VALUES(db_i64(place->id), db_i64(place->note_id)),
                 &deleted_count);
    if (err)
        return err;
    if (deleted_count == 0)
        return ctx_fail(ctx, ERR_NOT_FOUND, "the comment is gone");
    int64_t revision = note_revision_after(note.revision, now_unix_ms);
    err = db_run(ctx, db, &SET_REVISION, DB_VALUES(db_i64(revision), db_i64(note.id)), NULL);
    if (err)
        return err;
    *out_change =
        (struct comment_change){.id = place->id, .revision = revision, .previous = note.revision};
    return db_commit(ctx, &tx);
}

enum err comment_destroy(struct ctx *ctx,
                         struct db *db,
                         const struct comment_place *place,
                         int64_t now_unix_ms,
                         struct comment_change *out_change)
{
    struct comment_change change = {0};
    enum err err = ERR_OK;
    int tries_count = 0;
    do {
        err = destroy_once(ctx, db, place, now_unix_ms, &change);
        if (err && db_is_unsure(db))
            err = db_find_out(ctx, db, &TRACE_DELETE, DB_VALUES(db_i64(place->id)), false);
    } while (db_repeats(ctx, db, err, &tries_count));
    if (!err)
        *out_change = change;
    return err;
}
