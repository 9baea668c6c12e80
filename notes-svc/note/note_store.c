/* SPDX-License-Identifier: MIT
 *
 * SQL of notes. A revision is read, raised by note_revision_after and written back in one write
 * transaction. Where others may write meanwhile (MySQL), what is read for that is locked, always in
 * this order: home list, note, destroyed note. A transaction that did not happen because others
 * were in its way runs again. Depends on: db.h, note.h. */
#include "note/note_store.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/text.h"
#include "data/db.h"

/* One row per enum note_part, the columns are the same. */
#define FIND_HEAD \
    "SELECT n.id, n.title, n.author, n.version, n.revision, n.created_unix_ms, n.changed_unix_ms"
#define FIND_FROM                                                                      \
    " FROM notes n JOIN note_versions v ON v.note_id = n.id AND v.version = n.version" \
    " WHERE n.note_key = ?"
static const struct db_statement FIND[] = {
    [NOTE_HEAD] = {FIND_HEAD ", NULL, NULL, NULL FROM notes n WHERE n.note_key = ?"},
    [NOTE_BODY] = {FIND_HEAD ", v.body, NULL, v.editor" FIND_FROM},
    [NOTE_SHOWN] = {FIND_HEAD
                    ", CASE WHEN v.html IS NULL THEN v.body END, v.html, v.editor" FIND_FROM},
};
static const struct db_statement FIND_REVISION = {
    "SELECT id, version, revision FROM notes WHERE note_key = ?"};
/* Always as many places, so that it is one statement: those left over repeat the last key. */
#define PLACES_8 "?,?,?,?,?,?,?,?"
#define PLACES_64                                                                          \
    PLACES_8 "," PLACES_8 "," PLACES_8 "," PLACES_8 "," PLACES_8 "," PLACES_8 "," PLACES_8 \
             "," PLACES_8
#define FIND_REVISIONS_REST ", revision FROM notes WHERE note_key IN (" PLACES_64 ")"
static const struct db_statement FIND_REVISIONS = {
    "SELECT CAST(note_key AS BLOB)" FIND_REVISIONS_REST,
    .mysql = "SELECT note_key" FIND_REVISIONS_REST};
static const struct db_statement LOCK_STATE = {
    "SELECT id, version, revision FROM notes WHERE note_key = ?",
    .mysql = "SELECT id, version, revision FROM notes WHERE note_key = ? FOR UPDATE"};
/* Which notes are on the page is read from the index alone, and only these are looked up: with
 * title and author in the inner query MySQL reads and sorts all notes for a page far behind. What
 * is left grows with the page's number: entries of the index that are passed over. */
#define LIST_REST                                                       \
    ", n.title, n.author, n.changed_unix_ms FROM (SELECT id FROM notes" \
    " ORDER BY home_revision DESC, id DESC LIMIT ? OFFSET ?) page"      \
    " JOIN notes n ON n.id = page.id ORDER BY n.home_revision DESC, n.id DESC"
static const struct db_statement LIST = {
    "SELECT n.note_key" LIST_REST, .mysql = "SELECT CONVERT(n.note_key USING utf8mb4)" LIST_REST};
static const struct db_statement HOME_REVISION = {"SELECT revision FROM home_list WHERE id = 1"};
static const struct db_statement LOCK_HOME = {
    "SELECT revision FROM home_list WHERE id = 1",
    .mysql = "SELECT revision FROM home_list WHERE id = 1 FOR UPDATE"};
static const struct db_statement SET_HOME_REVISION = {
    "UPDATE home_list SET revision = ? WHERE id = 1"};

#define LAST_DESTROYED_TEXT                             \
    "SELECT id, version, revision FROM destroyed_notes" \
    " WHERE note_key = ? ORDER BY revision DESC LIMIT 1"
static const struct db_statement LAST_DESTROYED = {LAST_DESTROYED_TEXT,
                                                   .mysql = LAST_DESTROYED_TEXT " FOR UPDATE"};
static const struct db_statement COUNT_DESTROYED_TWINS = {
    "SELECT COUNT(*) FROM destroyed_notes WHERE note_key = ? AND created_unix_ms = ?"};
static const struct db_statement INSERT = {
    "INSERT INTO notes (note_key, title, author, version, revision, home_revision,"
    " created_unix_ms, changed_unix_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"};
static const struct db_statement INSERT_VERSION = {
    "INSERT INTO note_versions (note_id, version, title, editor, saved_unix_ms, body, html)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"};
static const struct db_statement UPDATE = {
    "UPDATE notes SET title = ?, version = ?, revision = ?, home_revision = ?,"
    " changed_unix_ms = ? WHERE id = ?"};
static const struct db_statement DROP_OLD_HTML = {
    "UPDATE note_versions SET html = NULL WHERE note_id = ? AND version = ?"};

static const struct db_statement COPY_TO_DESTROYED = {
    "INSERT INTO destroyed_notes (id, note_key, title, author, version, revision,"
    " created_unix_ms, changed_unix_ms, destroyed_by, destroyed_unix_ms)"
    " SELECT id, note_key, title, author, version, ?, created_unix_ms, changed_unix_ms, ?, ?"
    " FROM notes WHERE id = ?"};
static const struct db_statement DELETE = {"DELETE FROM notes WHERE id = ?"};
static const struct db_statement COPY_FROM_DESTROYED = {
    "INSERT INTO notes (id, note_key, title, author, version, revision, home_revision,"
    " created_unix_ms, changed_unix_ms)"
    " SELECT id, note_key, title, author, version, ?, ?, created_unix_ms, changed_unix_ms"
    " FROM destroyed_notes WHERE id = ?"};
static const struct db_statement DELETE_DESTROYED = {"DELETE FROM destroyed_notes WHERE id = ?"};
/* What only the transaction in question can have written. */
static const struct db_statement TRACE_SAVE = {
    "SELECT 1 FROM note_versions WHERE note_id = ? AND version = ? AND saved_unix_ms = ?"
    " AND editor IS ?",
    .mysql = "SELECT 1 FROM note_versions WHERE note_id = ? AND version = ? AND saved_unix_ms = ?"
             " AND editor <=> ? FOR UPDATE"};
static const struct db_statement TRACE_DESTROY = {
    "SELECT 1 FROM destroyed_notes WHERE id = ? AND revision = ?",
    .mysql = "SELECT 1 FROM destroyed_notes WHERE id = ? AND revision = ? FOR UPDATE"};
static const struct db_statement TRACE_RESTORE = {
    "SELECT 1 FROM notes WHERE id = ? AND revision >= ?",
    .mysql = "SELECT 1 FROM notes WHERE id = ? AND revision >= ? FOR UPDATE"};

/* ---- reading ---- */

enum err note_find(
    struct ctx *ctx, struct db *db, const char *key, enum note_part part, struct note *out_note)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(ctx, db, &FIND[part], DB_VALUES(db_text(key)), &rows);
    if (err || (err = db_next(ctx, &rows, &has_row)))
        return err;
    if (!has_row)
        return ctx_fail(ctx, ERR_NOT_FOUND, "no note of this key");
    const char *html = db_rows_text(ctx, &rows, 8);
    *out_note = (struct note){
        .id = db_rows_i64(&rows, 0),
        .key = arena_text(&ctx->arena, key),
        .title = db_rows_text(ctx, &rows, 1),
        .author = db_rows_text(ctx, &rows, 2),
        .version = db_rows_i64(&rows, 3),
        .revision = db_rows_i64(&rows, 4),
        .created_unix_ms = db_rows_i64(&rows, 5),
        .changed_unix_ms = db_rows_i64(&rows, 6),
        .body = db_rows_text(ctx, &rows, 7),
        .html = {.text = html, .size_bytes = html ? strlen(html) : 0},
        .editor = db_rows_text(ctx, &rows, 9),
    };
    return ERR_OK;
}

/* Id, version and revision (as `previous`) of a note by its key. */
static enum err find_state(struct ctx *ctx,
                           struct db *db,
                           const struct db_statement *statement,
                           const char *key,
                           struct note_change *out_state)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(ctx, db, statement, DB_VALUES(db_text(key)), &rows);
    if (err || (err = db_next(ctx, &rows, &has_row)))
        return err;
    if (!has_row)
        return ERR_NOT_FOUND;
    *out_state = (struct note_change){
        .id = db_rows_i64(&rows, 0),
        .version = db_rows_i64(&rows, 1),
        .previous = db_rows_i64(&rows, 2),
    };
    return ERR_OK;
}

enum err note_find_revision(struct ctx *ctx, struct db *db, const char *key, int64_t *out_revision)
{
    struct note_change state;
    enum err err = find_state(ctx, db, &FIND_REVISION, key, &state);
    if (err)
        return ctx_fail(ctx, err, "no note of this key");
    *out_revision = state.previous;
    return ERR_OK;
}

static void set_revision(const char *const *keys,
                         size_t count,
                         const struct db_rows *rows,
                         struct bytes key,
                         int64_t *revisions)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(keys[i]) == key.n && memcmp(keys[i], key.p, key.n) == 0)
            revisions[i] = db_rows_i64(rows, 1);
}

enum err note_revisions(
    struct ctx *ctx, struct db *db, const char *const *keys, size_t count, int64_t *out_revisions)
{
    if (count < 1 || count > NOTE_REVISIONS_MAX_COUNT)
        return ctx_fail(ctx, ERR_INVALID, "revisions of %zu notes", count);
    struct db_value places[NOTE_REVISIONS_MAX_COUNT];
    int64_t revisions[NOTE_REVISIONS_MAX_COUNT] = {0};
    for (size_t i = 0; i < NOTE_REVISIONS_MAX_COUNT; i++)
        places[i] = db_text(keys[i < count ? i : count - 1]);
    const struct db_values values = {.items = places, .count = NOTE_REVISIONS_MAX_COUNT};
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(ctx, db, &FIND_REVISIONS, values, &rows);
    while (!err && (err = db_next(ctx, &rows, &has_row)) == ERR_OK && has_row)
        set_revision(keys, count, &rows, db_rows_blob(ctx, &rows, 0), revisions);
    if (!err)
        memcpy(out_revisions, revisions, count * sizeof(*revisions));
    return err;
}

enum err note_list(struct ctx *ctx,
                   struct db *db,
                   int64_t page_number,
                   int64_t limit_count,
                   struct note_list *out_list)
{
    if (page_number < 1 || page_number > NOTE_PAGE_MAX_NUMBER || limit_count < 1 ||
        limit_count > NOTE_LIST_MAX_COUNT)
        return ctx_fail(ctx, ERR_INVALID, "page %lld of %lld rows", (long long)page_number,
                        (long long)limit_count);
    struct note_title *items = arena_take_array(&ctx->arena, (size_t)limit_count, sizeof(*items));
    struct note_list list = {.items = items};
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(
        ctx, db, &LIST, DB_VALUES(db_i64(limit_count + 1), db_i64((page_number - 1) * limit_count)),
        &rows);
    while (!err && (err = db_next(ctx, &rows, &has_row)) == ERR_OK && has_row) {
        if (list.count == (size_t)limit_count) {
            list.has_more = true;
            break;
        }
        items[list.count++] = (struct note_title){
            .key = db_rows_text(ctx, &rows, 0),
            .title = db_rows_text(ctx, &rows, 1),
            .author = db_rows_text(ctx, &rows, 2),
            .changed_unix_ms = db_rows_i64(&rows, 3),
        };
    }
    if (!err)
        *out_list = list;
    return err;
}

static enum err read_home(struct ctx *ctx,
                          struct db *db,
                          const struct db_statement *statement,
                          int64_t *out_revision)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(ctx, db, statement, DB_NO_VALUES, &rows);
    if (err || (err = db_next(ctx, &rows, &has_row)))
        return err;
    if (!has_row)
        return ctx_fail(ctx, ERR_INTERNAL, "home_list has no row");
    *out_revision = db_rows_i64(&rows, 0);
    return ERR_OK;
}

enum err note_home_revision(struct ctx *ctx, struct db *db, int64_t *out_revision)
{
    return read_home(ctx, db, &HOME_REVISION, out_revision);
}

/* ---- writing ---- */

/* A write transaction that changes the list of notes: the first thing that it locks is the list,
 * so that none waits for another in a circle. Gives the list's new revision, which is written by
 * write_home. */
static enum err begin_change(struct ctx *ctx,
                             struct db *db,
                             int64_t now_unix_ms,
                             struct db_transaction *tx,
                             int64_t *out_home_revision)
{
    int64_t previous = 0;
    enum err err = db_begin(ctx, db, tx);
    if (err || (err = read_home(ctx, db, &LOCK_HOME, &previous)))
        return err;
    *out_home_revision = note_revision_after(previous, now_unix_ms);
    return ERR_OK;
}

static enum err write_home(struct ctx *ctx, struct db *db, int64_t revision)
{
    return db_run(ctx, db, &SET_HOME_REVISION, DB_VALUES(db_i64(revision)), NULL);
}

static enum err insert_version(struct ctx *ctx,
                               struct db *db,
                               const struct note_save *save,
                               struct note_change change)
{
    return db_run(ctx, db, &INSERT_VERSION,
                  DB_VALUES(db_i64(change.id), db_i64(change.version), db_text(save->title),
                            db_text(save->user), db_i64(save->now_unix_ms), db_text(save->body),
                            db_text(save->html.text)),
                  NULL);
}

static enum err find_out_save(struct ctx *ctx,
                              struct db *db,
                              const struct note_save *save,
                              const struct note_change *change)
{
    return db_find_out(ctx, db, &TRACE_SAVE,
                       DB_VALUES(db_i64(change->id), db_i64(change->version),
                                 db_i64(save->now_unix_ms), db_text(save->user)),
                       true);
}

static enum err create_once(struct ctx *ctx,
                            struct db *db,
                            const struct note_save *save,
                            struct note_change *out_change)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    struct note_change destroyed = {0};
    struct note_change change = {0};
    int64_t home_revision = 0;
    enum err err = begin_change(ctx, db, save->now_unix_ms, &tx, &home_revision);
    if (err)
        return err;
    err = find_state(ctx, db, &LAST_DESTROYED, save->key, &destroyed);
    if (err && err != ERR_NOT_FOUND)
        return err;
    change.version = destroyed.version + 1;
    change.revision = note_revision_after(destroyed.previous, save->now_unix_ms);
    err = write_home(ctx, db, home_revision);
    if (err)
        return err;
    err = db_run(ctx, db, &INSERT,
                 DB_VALUES(db_text(save->key), db_text(save->title), db_text(save->user),
                           db_i64(change.version), db_i64(change.revision), db_i64(home_revision),
                           db_i64(save->now_unix_ms), db_i64(save->now_unix_ms)),
                 NULL);
    if (err)
        return err;
    change.id = db_last_id(db);
    err = insert_version(ctx, db, save, change);
    if (err)
        return err;
    change.home_revision = home_revision;
    *out_change = change; /* also when the commit's outcome is to be found out */
    return db_commit(ctx, &tx);
}

enum err note_create(struct ctx *ctx,
                     struct db *db,
                     const struct note_save *save,
                     struct note_change *out_change)
{
    struct note_change change = {0};
    enum err err = ERR_OK;
    int tries_count = 0;
    do {
        err = create_once(ctx, db, save, &change);
        if (err && db_is_unsure(db))
            err = find_out_save(ctx, db, save, &change);
    } while (db_repeats(ctx, db, err, &tries_count));
    if (!err)
        *out_change = change;
    return err;
}

/* In the caller's transaction. */
static enum err write_update(struct ctx *ctx,
                             struct db *db,
                             const struct note_save *save,
                             struct note_change change,
                             int64_t home_revision)
{
    enum err err = write_home(ctx, db, home_revision);
    if (err)
        return err;
    err = db_run(ctx, db, &DROP_OLD_HTML, DB_VALUES(db_i64(change.id), db_i64(change.version - 1)),
                 NULL);
    if (err || (err = insert_version(ctx, db, save, change)))
        return err;
    return db_run(ctx, db, &UPDATE,
                  DB_VALUES(db_text(save->title), db_i64(change.version), db_i64(change.revision),
                            db_i64(home_revision), db_i64(save->now_unix_ms), db_i64(change.id)),
                  NULL);
}

static enum err update_once(struct ctx *ctx,
                            struct db *db,
                            const struct note_save *save,
                            struct note_change *out_change)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    struct note_change change;
    int64_t home_revision = 0;
    enum err err = begin_change(ctx, db, save->now_unix_ms, &tx, &home_revision);
    if (err)
        return err;
    err = find_state(ctx, db, &LOCK_STATE, save->key, &change);
    if (err)
        return ctx_fail(ctx, err, "no note of this key");
    if (save->version && change.version != save->version)
        return ctx_fail(ctx, ERR_CONFLICT, "version %lld was edited, the note is at %lld",
                        (long long)save->version, (long long)change.version);
    change.version++;
    change.revision = note_revision_after(change.previous, save->now_unix_ms);
    err = write_update(ctx, db, save, change, home_revision);
    if (err)
        return err;
    change.home_revision = home_revision;
    *out_change = change;
    return db_commit(ctx, &tx);
}

enum err note_update(struct ctx *ctx,
                     struct db *db,
                     const struct note_save *save,
                     struct note_change *out_change)
{
    struct note_change change = {0};
    enum err err = ERR_OK;
    int tries_count = 0;
    do {
        err = update_once(ctx, db, save, &change);
        if (err && db_is_unsure(db))
            err = find_out_save(ctx, db, save, &change);
    } while (db_repeats(ctx, db, err, &tries_count));
    if (!err)
        *out_change = change;
    return err;
}

static enum err destroy_once(struct ctx *ctx,
                             struct db *db,
                             const struct note_act *act,
                             struct note_change *out_change)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    struct note_change change;
    int64_t home_revision = 0;
    enum err err = begin_change(ctx, db, act->now_unix_ms, &tx, &home_revision);
    if (err)
        return err;
    err = find_state(ctx, db, &LOCK_STATE, act->key, &change);
    if (err)
        return ctx_fail(ctx, err, "no note of this key");
    if (act->version && change.version != act->version)
        return ctx_fail(ctx, ERR_CONFLICT, "version %lld was looked at, the note is at %lld",
                        (long long)act->version, (long long)change.version);
    change.revision = note_revision_after(change.previous, act->now_unix_ms);
    err = write_home(ctx, db, home_revision);
    if (err)
        return err;
    err = db_run(ctx, db, &COPY_TO_DESTROYED,
                 DB_VALUES(db_i64(change.revision), db_text(act->user), db_i64(act->now_unix_ms),
                           db_i64(change.id)),
                 NULL);
    if (err || (err = db_run(ctx, db, &DELETE, DB_VALUES(db_i64(change.id)), NULL)))
        return err;
    change.home_revision = home_revision;
    *out_change = change;
    return db_commit(ctx, &tx);
}

enum err note_destroy(struct ctx *ctx,
                      struct db *db,
                      const struct note_act *act,
                      struct note_change *out_change)
{
    struct note_change change = {0};
    enum err err = ERR_OK;
    int tries_count = 0;
    do {
        err = destroy_once(ctx, db, act, &change);
        if (err && db_is_unsure(db))
            err = db_find_out(ctx, db, &TRACE_DESTROY,
                              DB_VALUES(db_i64(change.id), db_i64(change.revision)), true);
    } while (db_repeats(ctx, db, err, &tries_count));
    if (!err)
        *out_change = change;
    return err;
}

static enum err restore_once(struct ctx *ctx,
                             struct db *db,
                             const struct note_act *act,
                             struct note_change *out_change)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    struct note_change change;
    int64_t home_revision = 0;
    enum err err = begin_change(ctx, db, act->now_unix_ms, &tx, &home_revision);
    if (err)
        return err;
    err = find_state(ctx, db, &LAST_DESTROYED, act->key, &change);
    if (err)
        return ctx_fail(ctx, err, "no note of this key was destroyed");
    change.revision = note_revision_after(change.previous, act->now_unix_ms);
    err = write_home(ctx, db, home_revision);
    if (err)
        return err;
    err =
        db_run(ctx, db, &COPY_FROM_DESTROYED,
               DB_VALUES(db_i64(change.revision), db_i64(home_revision), db_i64(change.id)), NULL);
    if (err || (err = db_run(ctx, db, &DELETE_DESTROYED, DB_VALUES(db_i64(change.id)), NULL)))
        return err;
    change.home_revision = home_revision;
    *out_change = change;
    return db_commit(ctx, &tx);
}

enum err note_restore(struct ctx *ctx,
                      struct db *db,
                      const struct note_act *act,
                      struct note_change *out_change)
{
    struct note_change change = {0};
    enum err err = ERR_OK;
    int tries_count = 0;
    if (!act->key[0]) /* which those have that are purged */
        return ctx_fail(ctx, ERR_NOT_FOUND, "no note has an empty key");
    do {
        err = restore_once(ctx, db, act, &change);
        if (err && db_is_unsure(db))
            err = db_find_out(ctx, db, &TRACE_RESTORE,
                              DB_VALUES(db_i64(change.id), db_i64(change.revision)), true);
    } while (db_repeats(ctx, db, err, &tries_count));
    if (!err)
        *out_change = change;
    return err;
}

/* ---- moving from another program ---- */

static enum err
was_destroyed(struct ctx *ctx, struct db *db, const struct note_move *item, bool *out_was_destroyed)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err =
        db_query(ctx, db, &COUNT_DESTROYED_TWINS,
                 DB_VALUES(db_text(item->save.key), db_i64(item->created_unix_ms)), &rows);
    if (!err)
        err = db_next(ctx, &rows, &has_row);
    if (!err)
        *out_was_destroyed = has_row && db_rows_i64(&rows, 0) > 0;
    return err;
}

static enum err look_at_move(struct ctx *ctx, struct db *db, struct note_move *item)
{
    struct note here = {0};
    bool is_gone = false;
    enum err err = note_find(ctx, db, item->save.key, NOTE_BODY, &here);
    if (!err) {
        bool is_same =
            text_equals(here.title, item->save.title) && text_equals(here.body, item->save.body);
        item->outcome = is_same ? NOTE_MOVED_BEFORE : NOTE_MOVED_OTHER;
        return ERR_OK;
    }
    if (err != ERR_NOT_FOUND)
        return err;
    ctx_forgive(ctx);
    err = was_destroyed(ctx, db, item, &is_gone);
    if (!err)
        item->outcome = is_gone ? NOTE_MOVED_DESTROYED : NOTE_MOVED;
    return err;
}

static enum err
insert_move(struct ctx *ctx, struct db *db, const struct note_move *item, int64_t now_unix_ms)
{
    const struct note_save *save = &item->save;
    struct note_change destroyed = {0};
    enum err err = find_state(ctx, db, &LAST_DESTROYED, save->key, &destroyed);
    if (err && err != ERR_NOT_FOUND)
        return err;
    struct note_change change = {
        .version = destroyed.version + 1,
        .revision = note_revision_after(destroyed.previous, now_unix_ms),
    };
    err =
        db_run(ctx, db, &INSERT,
               DB_VALUES(db_text(save->key), db_text(save->title), db_text(save->user),
                         db_i64(change.version), db_i64(change.revision), db_i64(save->now_unix_ms),
                         db_i64(item->created_unix_ms), db_i64(save->now_unix_ms)),
               NULL);
    if (err)
        return err;
    change.id = db_last_id(db);
    return insert_version(ctx, db, save, change);
}

static enum err
move_once(struct ctx *ctx, struct db *db, struct note_move *const *items, size_t count)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    int64_t now_unix_ms = clock_unix_ms();
    int64_t home_revision = 0;
    bool is_changed = false;
    enum err err = begin_change(ctx, db, now_unix_ms, &tx, &home_revision);
    for (size_t i = 0; !err && i < count; i++) {
        err = look_at_move(ctx, db, items[i]);
        if (err || items[i]->outcome != NOTE_MOVED)
            continue;
        is_changed = true;
        err = insert_move(ctx, db, items[i], now_unix_ms);
    }
    if (!err && is_changed)
        err = write_home(ctx, db, home_revision);
    return err ? err : db_commit(ctx, &tx);
}

enum err note_move_all(
    struct ctx *ctx, struct db *db, struct note_move *const *items, size_t count, bool is_dry)
{
    enum err err = ERR_OK;
    int tries_count = 0;
    if (count > NOTE_MOVE_MAX_COUNT)
        return ctx_fail(ctx, ERR_INVALID, "a move of %zu notes", count);
    for (size_t i = 0; !err && is_dry && i < count; i++)
        err = look_at_move(ctx, db, items[i]);
    if (is_dry || count == 0)
        return err;
    do
        err = move_once(ctx, db, items, count);
    while (db_repeats(ctx, db, err, &tries_count));
    return err;
}
