/* SPDX-License-Identifier: MIT
 *
 * The statements on `identities`. Issuer and subject are compared bytewise: what differs in case or
 * in a blank at the end is somebody else there. Depends on: clock.h, db.h, identity.h. */
#include "identity/identity_store.h"

#include "base/clock.h"
#include "base/ctx.h"
#include "data/db.h"
#include "identity/identity.h"

static const struct db_statement FIND_USER = {
    "SELECT user_id FROM identities WHERE issuer = ? AND subject = ?"};
#define LIST_REST                                                   \
    ", provider, created_unix_ms FROM identities WHERE user_id = ?" \
    " ORDER BY created_unix_ms, issuer, subject LIMIT ?"
static const struct db_statement LIST = {
    "SELECT issuer, subject" LIST_REST,
    .mysql = "SELECT CONVERT(issuer USING utf8mb4), CONVERT(subject USING utf8mb4)" LIST_REST};
static const struct db_statement INSERT = {
    "INSERT INTO identities (issuer, subject, user_id, provider, created_unix_ms)"
    " VALUES (?, ?, ?, ?, ?)"};
static const struct db_statement DELETE = {
    "DELETE FROM identities WHERE issuer = ? AND subject = ? AND user_id = ?"};

/* Is it linked, as the transaction in question would have it? */
static const struct db_statement TRACE = {
    "SELECT 1 FROM identities WHERE issuer = ? AND subject = ? AND user_id = ?",
    .mysql =
        "SELECT 1 FROM identities WHERE issuer = ? AND subject = ? AND user_id = ? FOR UPDATE"};

enum err identity_find_user(struct ctx *ctx,
                            struct db *db,
                            const struct identity *identity,
                            int64_t *out_user_id)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err =
        db_query(ctx, db, &FIND_USER,
                 DB_VALUES(db_text(identity->issuer), db_text(identity->subject)), &rows);
    if (!err)
        err = db_next(ctx, &rows, &has_row);
    if (!err && !has_row)
        err = ctx_fail(ctx, ERR_NOT_FOUND, "nobody has this identity");
    if (!err)
        *out_user_id = db_rows_i64(&rows, 0);
    return err;
}

enum err
identity_list_of(struct ctx *ctx, struct db *db, int64_t user_id, struct identity_list *out_list)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    struct identity *items = arena_take_array(&ctx->arena, IDENTITIES_PER_USER_MAX, sizeof(*items));
    size_t count = 0;
    bool has_row = false;
    enum err err = db_query(ctx, db, &LIST,
                            DB_VALUES(db_i64(user_id), db_i64(IDENTITIES_PER_USER_MAX)), &rows);
    while (!err && (err = db_next(ctx, &rows, &has_row)) == ERR_OK && has_row)
        items[count++] = (struct identity){
            .issuer = db_rows_text(ctx, &rows, 0),
            .subject = db_rows_text(ctx, &rows, 1),
            .provider = db_rows_text(ctx, &rows, 2),
            .created_unix_ms = db_rows_i64(&rows, 3),
        };
    if (!err)
        *out_list = (struct identity_list){.items = items, .count = count};
    return err;
}

enum err
identity_insert(struct ctx *ctx, struct db *db, int64_t user_id, const struct identity *identity)
{
    return db_run(ctx, db, &INSERT,
                  DB_VALUES(db_text(identity->issuer), db_text(identity->subject), db_i64(user_id),
                            db_text(identity->provider), db_i64(clock_unix_ms())),
                  NULL);
}

enum err
identity_delete(struct ctx *ctx, struct db *db, int64_t user_id, const struct identity *identity)
{
    int64_t changed_count = 0;
    enum err err =
        db_run(ctx, db, &DELETE,
               DB_VALUES(db_text(identity->issuer), db_text(identity->subject), db_i64(user_id)),
               &changed_count);
    if (!err && changed_count == 0)
        err = ctx_fail(ctx, ERR_NOT_FOUND, "the user does not have this identity");
    return err;
}

enum err identity_find_out(struct ctx *ctx,
                           struct db *db,
                           int64_t user_id,
                           const struct identity *identity,
                           bool is_linked)
{
    return db_find_out(
        ctx, db, &TRACE,
        DB_VALUES(db_text(identity->issuer), db_text(identity->subject), db_i64(user_id)),
        is_linked);
}
