/* SPDX-License-Identifier: MIT
 *
 * SQL of purging: pieces of notes, so that no transaction is large. Depends on: db.h. */
#include "note/note_purge_store.h"

#include "base/ctx.h"
#include "data/db.h"

#define FIND_PURGEABLE_TEXT                                      \
    "SELECT id FROM destroyed_notes WHERE destroyed_unix_ms < ?" \
    " ORDER BY destroyed_unix_ms, id LIMIT 1"
/* What another process purges or restores at the moment is none of ours. */
static const struct db_statement FIND_PURGEABLE = {FIND_PURGEABLE_TEXT, .mysql = FIND_PURGEABLE_TEXT
                                                                        " FOR UPDATE SKIP LOCKED"};
/* Before MySQL 8.0 and MariaDB 10.6 that is a syntax error. */
static const struct db_statement FIND_WITHOUT_SKIP = {FIND_PURGEABLE_TEXT,
                                                      .mysql = FIND_PURGEABLE_TEXT " FOR UPDATE"};
/* No note has the empty key: it is found by its time only, to be purged, also by a program of
 * before. */
static const struct db_statement MARK_PURGED = {
    "UPDATE destroyed_notes SET note_key = '' WHERE id = ?"};
/* A version may be a megabyte, a comment is some kilobytes at most. */
#define PURGE_ROWS_PER_VERSION 25
static const struct db_statement DELETE_COMMENTS = {
    "DELETE FROM comments WHERE id IN (SELECT id FROM comments WHERE note_id = ? LIMIT ?)",
    .mysql = "DELETE FROM comments WHERE note_id = ? LIMIT ?"};
static const struct db_statement DELETE_VERSIONS = {
    "DELETE FROM note_versions WHERE rowid IN"
    " (SELECT rowid FROM note_versions WHERE note_id = ? LIMIT ?)",
    .mysql = "DELETE FROM note_versions WHERE note_id = ? LIMIT ?"};
static const struct db_statement DELETE_DESTROYED = {"DELETE FROM destroyed_notes WHERE id = ?"};

static enum err find(struct ctx *ctx,
                     struct db *db,
                     const struct db_statement *statement,
                     int64_t before_unix_ms,
                     int64_t *out_id)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(ctx, db, statement, DB_VALUES(db_i64(before_unix_ms)), &rows);
    if (!err)
        err = db_next(ctx, &rows, &has_row);
    if (!err)
        *out_id = has_row ? db_rows_i64(&rows, 0) : 0;
    return err;
}

/* The oldest one; 0: none is left. */
static enum err find_purgeable(struct ctx *ctx,
                               struct db *db,
                               int64_t before_unix_ms,
                               struct note_purge *purge,
                               int64_t *out_id)
{
    enum err err = find(ctx, db, &FIND_PURGEABLE, before_unix_ms, out_id);
    if (err != ERR_INTERNAL || !db_is_misread(db))
        return err;
    ctx_forgive(ctx);
    purge->has_no_skip = true;
    return find(ctx, db, &FIND_WITHOUT_SKIP, before_unix_ms, out_id);
}

/* As much of a note as is left of the transaction's rows: comments, then versions, the note itself
 * last. A note of which something stays is marked, so that nobody brings back a part of it. */
static enum err
purge_piece(struct ctx *ctx, struct db *db, int64_t id, int64_t *left_count, bool *out_is_gone)
{
    int64_t comments_count = 0;
    int64_t versions_count = 0;
    enum err err = db_run(ctx, db, &DELETE_COMMENTS, DB_VALUES(db_i64(id), db_i64(*left_count)),
                          &comments_count);
    if (err)
        return err;
    int64_t left = *left_count - comments_count;
    int64_t versions_max_count = (left + PURGE_ROWS_PER_VERSION - 1) / PURGE_ROWS_PER_VERSION;
    if (versions_max_count)
        err = db_run(ctx, db, &DELETE_VERSIONS, DB_VALUES(db_i64(id), db_i64(versions_max_count)),
                     &versions_count);
    if (err)
        return err;
    bool is_gone = versions_count < versions_max_count; /* all versions; so all comments before */
    err = db_run(ctx, db, is_gone ? &DELETE_DESTROYED : &MARK_PURGED, DB_VALUES(db_i64(id)), NULL);
    if (err)
        return err;
    *left_count = is_gone ? left - versions_count * PURGE_ROWS_PER_VERSION - 1 : 0;
    *out_is_gone = is_gone;
    return ERR_OK;
}

static enum err purge_once(struct ctx *ctx,
                           struct db *db,
                           int64_t before_unix_ms,
                           int64_t limit_count,
                           struct note_purge *out_purge)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    struct note_purge purge = {.has_more = true};
    int64_t left_count = limit_count;
    enum err err = db_begin(ctx, db, &tx);
    while (!err && left_count > 0) {
        int64_t id = 0;
        bool is_gone = false;
        err = find_purgeable(ctx, db, before_unix_ms, &purge, &id);
        if (!err && !id) {
            purge.has_more = false;
            break;
        }
        if (!err)
            err = purge_piece(ctx, db, id, &left_count, &is_gone);
        purge.notes_count += is_gone;
    }
    if (err || (err = db_commit(ctx, &tx)))
        return err;
    *out_purge = purge;
    return ERR_OK;
}

enum err note_purge_destroyed(struct ctx *ctx,
                              struct db *db,
                              int64_t before_unix_ms,
                              int64_t limit_count,
                              struct note_purge *out_purge)
{
    if (limit_count < 1 || limit_count > NOTE_PURGE_MAX_COUNT)
        return ctx_fail(ctx, ERR_INVALID, "purge of %lld rows", (long long)limit_count);
    enum err err = ERR_OK;
    int tries_count = 0;
    do
        err = purge_once(ctx, db, before_unix_ms, limit_count, out_purge);
    while (db_repeats(ctx, db, err, &tries_count));
    return err;
}
