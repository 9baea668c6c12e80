/* SPDX-License-Identifier: MIT
 *
 * Sessions in the database: the only file that knows their table. The site's device key too.
 * Depends on: db.h, session.h. */
#include "session/session_store.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "data/db.h"
#include "session/session.h"
#include "session/session_driver.h"

#define DEVICE_KEY_BYTES 32

static const struct db_statement INSERT = {
    "INSERT INTO sessions"
    " (digest, username, user_etag, created_unix_ms, used_unix_ms, checked_unix_ms, device, address)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"};
static const struct db_statement FIND = {
    "SELECT username, user_etag, created_unix_ms, used_unix_ms, checked_unix_ms"
    " FROM sessions WHERE digest = ?"};
static const struct db_statement TOUCH = {
    "UPDATE sessions SET used_unix_ms ="
    " CASE WHEN used_unix_ms BETWEEN ? AND ? THEN used_unix_ms ELSE ? END, checked_unix_ms ="
    " CASE WHEN checked_unix_ms BETWEEN ? AND ? THEN checked_unix_ms ELSE ? END WHERE digest = ?"};
static const struct db_statement DELETE = {"DELETE FROM sessions WHERE digest = ?"};
/* The server's collation takes "me" and "me " for equal; of the same length they are. */
static const struct db_statement LIST = {
    "SELECT digest, created_unix_ms, used_unix_ms, checked_unix_ms, user_etag, device, address"
    " FROM sessions WHERE username = ? AND length(username) = length(?)"
    " ORDER BY used_unix_ms DESC LIMIT ?"};
static const struct db_statement PURGE = {
    "DELETE FROM sessions WHERE digest IN"
    " (SELECT digest FROM sessions WHERE created_unix_ms < ? OR used_unix_ms < ? LIMIT ?)",
    .mysql = "DELETE FROM sessions WHERE created_unix_ms < ? OR used_unix_ms < ? LIMIT ?"};
static const struct db_statement PUT_DEVICE_KEY = {
    "INSERT INTO site_values (name, value) VALUES ('device_key', ?) ON CONFLICT (name) DO NOTHING",
    .mysql = "INSERT INTO site_values (name, value) VALUES ('device_key', ?)"
             " ON DUPLICATE KEY UPDATE name = name"};
static const struct db_statement FIND_DEVICE_KEY = {
    "SELECT value FROM site_values WHERE name = 'device_key'"};

static struct db_value digest_of(const struct session *session)
{
    return db_blob(session->digest, sizeof(session->digest));
}

static enum err insert(struct ctx *ctx,
                       const struct app *app,
                       const struct session *session,
                       const struct session_moment *moment)
{
    (void)app;
    (void)moment; /* session_is_over goes by the times */
    return db_run(ctx, ctx->db, &INSERT,
                  DB_VALUES(digest_of(session), db_text(session->username),
                            db_text(session->user_etag), db_i64(session->created_unix_ms),
                            db_i64(session->used_unix_ms), db_i64(session->checked_unix_ms),
                            db_text(session->device), db_text(session->address)),
                  NULL);
}

static enum err fill(struct ctx *ctx, const struct app *app, struct session *session)
{
    (void)app;
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(ctx, ctx->db, &FIND, DB_VALUES(digest_of(session)), &rows);
    if (err || (err = db_next(ctx, &rows, &has_row)))
        return err;
    if (!has_row)
        return ERR_NOT_FOUND;
    session->username = db_rows_text(ctx, &rows, 0);
    session->user_etag = db_rows_text(ctx, &rows, 1);
    session->created_unix_ms = db_rows_i64(&rows, 2);
    session->used_unix_ms = db_rows_i64(&rows, 3);
    session->checked_unix_ms = db_rows_i64(&rows, 4);
    return ERR_OK;
}

static enum err touch(struct ctx *ctx,
                      const struct app *app,
                      const struct session *session,
                      const struct session_moment *moment)
{
    struct db_value used = db_i64(session->used_unix_ms);
    struct db_value checked = db_i64(session->checked_unix_ms);
    struct db_value now = db_i64(moment->now_unix_ms);
    (void)app;
    return db_run(ctx, ctx->db, &TOUCH,
                  DB_VALUES(used, now, used, checked, now, checked, digest_of(session)), NULL);
}

static enum err delete_row(struct ctx *ctx, const struct app *app, const struct session *session)
{
    (void)app;
    return db_run(ctx, ctx->db, &DELETE, DB_VALUES(digest_of(session)), NULL);
}

static enum err read_item(struct ctx *ctx, const struct db_rows *rows, struct session *session)
{
    const struct bytes digest = db_rows_blob(ctx, rows, 0);
    if (digest.n != sizeof(session->digest))
        return ctx_fail(ctx, ERR_INTERNAL, "a session's digest has %zu bytes", digest.n);
    memcpy(session->digest, digest.p, sizeof(session->digest));
    session->created_unix_ms = db_rows_i64(rows, 1);
    session->used_unix_ms = db_rows_i64(rows, 2);
    session->checked_unix_ms = db_rows_i64(rows, 3);
    session->user_etag = db_rows_text(ctx, rows, 4);
    session->device = db_rows_text(ctx, rows, 5);
    session->address = db_rows_text(ctx, rows, 6);
    return ERR_OK;
}

static enum err list(struct ctx *ctx,
                     const struct app *app,
                     const char *username,
                     int64_t limit_count,
                     struct session_list *out_list)
{
    (void)app;
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    struct session_list list = {
        .items = arena_take_array(&ctx->arena, (size_t)limit_count, sizeof(*list.items))};
    bool has_row = true;
    enum err err =
        db_query(ctx, ctx->db, &LIST,
                 DB_VALUES(db_text(username), db_text(username), db_i64(limit_count)), &rows);
    while (!err && has_row) {
        err = db_next(ctx, &rows, &has_row);
        if (err || !has_row)
            break;
        list.items[list.count].username = username;
        err = read_item(ctx, &rows, &list.items[list.count++]);
    }
    if (!err)
        *out_list = list;
    return err;
}

static enum err delete_rows(struct ctx *ctx, const struct session_list *list)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    enum err err = db_begin(ctx, ctx->db, &tx);
    for (size_t i = 0; !err && i < list->count; i++)
        err = db_run(ctx, ctx->db, &DELETE, DB_VALUES(digest_of(&list->items[i])), NULL);
    return err ? err : db_commit(ctx, &tx);
}

static enum err delete_all(struct ctx *ctx, const struct app *app, const struct session_list *list)
{
    (void)app;
    int tries_count = 0;
    enum err err = ERR_OK;
    do
        err = delete_rows(ctx, list);
    while (db_repeats(ctx, ctx->db, err, &tries_count));
    return err;
}

const struct session_driver session_db = {
    .insert = insert,
    .fill = fill,
    .touch = touch,
    .delete = delete_row,
    .list = list,
    .delete_all = delete_all,
};

enum err session_purge(struct ctx *ctx,
                       struct db *db,
                       int64_t created_before_unix_ms,
                       int64_t used_before_unix_ms,
                       int64_t limit_count,
                       int64_t *out_count)
{
    return db_run(
        ctx, db, &PURGE,
        DB_VALUES(db_i64(created_before_unix_ms), db_i64(used_before_unix_ms), db_i64(limit_count)),
        out_count);
}

enum err session_device_key(struct ctx *ctx, struct db *db, struct secret *out_key)
{
    const char *fresh = secret_token(&ctx->arena, DEVICE_KEY_BYTES);
    enum err err = db_run(ctx, db, &PUT_DEVICE_KEY, DB_VALUES(db_text(fresh)), NULL);
    if (err)
        return err;
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    if ((err = db_query(ctx, db, &FIND_DEVICE_KEY, DB_NO_VALUES, &rows)) ||
        (err = db_next(ctx, &rows, &has_row)))
        return err;
    if (!has_row)
        return ctx_fail(ctx, ERR_INTERNAL, "the device key is gone from site_values");
    const char *text = db_rows_text(ctx, &rows, 0);
    *out_key = secret_new(text, strlen(text));
    return ERR_OK;
}
