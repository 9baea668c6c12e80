/* SPDX-License-Identifier: MIT
 *
 * The statements on `login_throttle`. Both rows of a try come by their primary key in one
 * statement: a name may have very many clients, so nothing here may walk over all of them but
 * throttle_drop. Depends on: db.h, throttle.h. */
#include "auth/throttle_store.h"

#include "auth/throttle.h"
#include "base/ctx.h"
#include "data/db.h"

#define THROTTLE_COLUMNS "is_total, failures, wait_until_unix_ms, has_succeeded, used_unix_ms"

static const struct db_statement LOAD = {
    "SELECT " THROTTLE_COLUMNS
    " FROM login_throttle WHERE name_key = ? AND is_total = 0 AND client = ?"
    " UNION ALL SELECT " THROTTLE_COLUMNS
    " FROM login_throttle WHERE name_key = ? AND is_total = 1 AND client = ''"};
static const struct db_statement LOCK_TOTAL = {
    "INSERT INTO login_throttle (name_key, client, " THROTTLE_COLUMNS
    ") VALUES (?, '', 1, 0, 0, 0, 0) ON CONFLICT (name_key, is_total, client) DO NOTHING",
    .mysql = "INSERT INTO login_throttle (name_key, client, " THROTTLE_COLUMNS
             ") VALUES (?, '', 1, 0, 0, 0, 0) ON DUPLICATE KEY UPDATE failures = failures"};
#define INSERT_ROW                                                    \
    "INSERT INTO login_throttle (name_key, client, " THROTTLE_COLUMNS \
    ") VALUES (?, ?, ?, ?, ?, ?, ?)"
static const struct db_statement SAVE = {
    INSERT_ROW
    " ON CONFLICT (name_key, is_total, client) DO UPDATE SET failures = excluded.failures,"
    " wait_until_unix_ms = excluded.wait_until_unix_ms, has_succeeded = excluded.has_succeeded,"
    " used_unix_ms = excluded.used_unix_ms",
    .mysql = INSERT_ROW
    " ON DUPLICATE KEY UPDATE failures = VALUES(failures),"
    " wait_until_unix_ms = VALUES(wait_until_unix_ms), has_succeeded = VALUES(has_succeeded),"
    " used_unix_ms = VALUES(used_unix_ms)"};
static const struct db_statement DROP_TOTAL = {
    "DELETE FROM login_throttle WHERE name_key = ? AND is_total = 1 AND client = ''"};
static const struct db_statement DROP = {"DELETE FROM login_throttle WHERE name_key = ?"};
static const struct db_statement COUNT = {"SELECT COUNT(*) FROM login_throttle"};
static const struct db_statement EVICT = {
    "DELETE FROM login_throttle WHERE (name_key, is_total, client) IN"
    " (SELECT name_key, is_total, client FROM login_throttle"
    " ORDER BY has_succeeded, used_unix_ms LIMIT ?)",
    .mysql = "DELETE FROM login_throttle ORDER BY has_succeeded, used_unix_ms LIMIT ?"};

enum err throttle_load(struct ctx *ctx,
                       struct db *db,
                       const struct throttle_key *key,
                       struct throttle *out_throttle)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    struct throttle throttle = {0};
    bool has_row = false;
    enum err err = db_query(
        ctx, db, &LOAD,
        DB_VALUES(db_text(key->name_key), db_text(key->client), db_text(key->name_key)), &rows);
    while (!err && (err = db_next(ctx, &rows, &has_row)) == ERR_OK && has_row) {
        struct throttle_row *row = db_rows_i64(&rows, 0) ? &throttle.total : &throttle.client;
        row->failures = db_rows_i64(&rows, 1);
        row->wait_until_unix_ms = db_rows_i64(&rows, 2);
        row->has_succeeded = db_rows_i64(&rows, 3) != 0;
        row->used_unix_ms = db_rows_i64(&rows, 4);
    }
    if (throttle_is_device(key->client))
        throttle.client.has_succeeded = true;
    if (!err)
        *out_throttle = throttle;
    return err;
}

enum err throttle_lock(struct ctx *ctx, struct db *db, const struct throttle_key *key)
{
    return db_run(ctx, db, &LOCK_TOTAL, DB_VALUES(db_text(key->name_key)), NULL);
}

static enum err save_row(struct ctx *ctx,
                         struct db *db,
                         const struct throttle_key *key,
                         bool is_total,
                         const struct throttle_row *row)
{
    return db_run(ctx, db, &SAVE,
                  DB_VALUES(db_text(key->name_key), db_text(is_total ? "" : key->client),
                            db_i64(is_total), db_i64(row->failures),
                            db_i64(row->wait_until_unix_ms), db_i64(row->has_succeeded),
                            db_i64(row->used_unix_ms)),
                  NULL);
}

enum err throttle_save(struct ctx *ctx,
                       struct db *db,
                       const struct throttle_key *key,
                       const struct throttle *throttle)
{
    enum err err = save_row(ctx, db, key, false, &throttle->client);
    if (err)
        return err;
    if (throttle->total.failures > 0)
        return save_row(ctx, db, key, true, &throttle->total);
    return db_run(ctx, db, &DROP_TOTAL, DB_VALUES(db_text(key->name_key)), NULL);
}

enum err throttle_drop(struct ctx *ctx, struct db *db, const char *name_key)
{
    return db_run(ctx, db, &DROP, DB_VALUES(db_text(name_key)), NULL);
}

static enum err count_rows(struct ctx *ctx, struct db *db, int64_t *out_count)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(ctx, db, &COUNT, DB_NO_VALUES, &rows);
    if (!err)
        err = db_next(ctx, &rows, &has_row);
    if (!err && !has_row)
        err = ctx_fail(ctx, ERR_INTERNAL, "a count without a row");
    if (!err)
        *out_count = db_rows_i64(&rows, 0);
    return err;
}

enum err
throttle_evict(struct ctx *ctx, struct db *db, int64_t rows_max_count, int64_t *out_removed_count)
{
    int64_t count = 0;
    enum err err = count_rows(ctx, db, &count);
    if (err)
        return err;
    int64_t over_count = count > rows_max_count ? count - rows_max_count : 0;
    if (over_count > THROTTLE_EVICT_MAX_COUNT)
        over_count = THROTTLE_EVICT_MAX_COUNT;
    if (over_count > 0)
        err = db_run(ctx, db, &EVICT, DB_VALUES(db_i64(over_count)), &over_count);
    if (!err)
        *out_removed_count = over_count;
    return err;
}
