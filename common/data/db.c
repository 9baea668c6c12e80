/* SPDX-License-Identifier: MIT
 *
 * The part of a database connection that is the same for all engines: values, the check of the
 * deadline before something new is begun, which undoes the transaction that it was to be in,
 * outputs written on success only, and which driver a URL means. Depends on: db_driver.h, the arena
 * for what is read. */
#include "data/db.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "data/db_driver.h"
#include "data/db_url.h"

#define REPEAT_WAIT_MAX_MS 20 /* of the first time; more each time */
#define FIND_OUT_PAUSE_MS  50

struct db_value db_null(void)
{
    return (struct db_value){.kind = DB_NULL};
}

struct db_value db_i64(int64_t number)
{
    return (struct db_value){.kind = DB_I64, .number = number};
}

struct db_value db_text(const char *text)
{
    if (!text)
        return db_null();
    return (struct db_value){.kind = DB_TEXT, .bytes = text, .size_bytes = strlen(text)};
}

struct db_value db_blob(const void *bytes, size_t size_bytes)
{
    return (struct db_value){.kind = DB_BLOB, .bytes = bytes, .size_bytes = size_bytes};
}

const char *db_url_fault(const char *url)
{
    const char *path = db_url_path(url);
    if (path)
        return *path ? NULL : "names no file: use sqlite:PATH";
    CLEANUP(arena_done) struct arena arena;
    arena_init(&arena);
    struct db_url parts;
    return db_url_parse(&arena, url, &parts);
}

enum err db_open(struct ctx *ctx, const struct db_options *options, struct db **out_db)
{
    const char *fault = db_url_fault(options->url);
    if (fault)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "the database's URL %s", fault);
    const char *path = db_url_path(options->url);
    return path ? db_sqlite_open(ctx, path, options, out_db) : db_mysql_open(ctx, options, out_db);
}

struct db *db_new(const struct db_driver *driver, void *state)
{
    struct db *db = calloc(1, sizeof(*db));
    if (!db)
        abort();
    db->driver = driver;
    db->state = state;
    return db;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    db->driver->close(db->state);
    free(db);
}

static enum err check_whole(struct ctx *ctx, const struct db *db)
{
    if (!db->is_broken)
        return ERR_OK;
    return ctx_fail(ctx, ERR_UNAVAILABLE, "the transaction was undone by an earlier failure");
}

/* May something be asked? A transaction whose deadline has passed is undone here, as drivers undo
 * one in which a call fails. */
static enum err start_call(struct ctx *ctx, struct db *db)
{
    enum err err = check_whole(ctx, db);
    if (err || ctx_left_ms(ctx) > 0)
        return err;
    if (db->is_in_transaction) {
        db->driver->roll_back(db->state);
        db->is_broken = true;
    }
    return ctx_fail(ctx, ERR_UNAVAILABLE, "the deadline passed before the database was asked");
}

enum err db_run(struct ctx *ctx,
                struct db *db,
                const struct db_statement *statement,
                struct db_values values,
                int64_t *out_changed_count)
{
    enum err err = start_call(ctx, db);
    if (err)
        return err;
    int64_t changed_count = 0;
    err = db->driver->run(ctx, db->state, statement, values, &changed_count);
    if (!err && out_changed_count)
        *out_changed_count = changed_count;
    return err;
}

int64_t db_last_id(struct db *db)
{
    return db->driver->last_id(db->state);
}

/* MySQL's answer names the first row, SQLite's the last. */
int64_t db_first_id(struct db *db, size_t rows_count)
{
    int64_t id = db_last_id(db);
    return db->driver->engine == DB_SQLITE ? id - (int64_t)rows_count + 1 : id;
}

enum err db_query(struct ctx *ctx,
                  struct db *db,
                  const struct db_statement *statement,
                  struct db_values values,
                  struct db_rows *out_rows)
{
    assert(!out_rows->db);
    enum err err = start_call(ctx, db);
    if (err)
        return err;
    void *cursor = NULL;
    err = db->driver->query(ctx, db->state, statement, values, &cursor);
    if (!err)
        *out_rows = (struct db_rows){.db = db, .cursor = cursor};
    return err;
}

enum err db_next(struct ctx *ctx, struct db_rows *rows, bool *out_has_row)
{
    assert(rows->db);
    bool has_row = false;
    enum err err = check_whole(ctx, rows->db);
    if (!err)
        err = rows->db->driver->next(ctx, rows->db->state, rows->cursor, &has_row);
    if (!err)
        *out_has_row = has_row;
    return err;
}

void db_rows_done(struct db_rows *rows)
{
    if (!rows->db)
        return;
    rows->db->driver->rows_done(rows->db->state, rows->cursor);
    *rows = (struct db_rows){0};
}

static struct db_value read_column(const struct db_rows *rows, int column)
{
    assert(rows->db);
    return rows->db->driver->column(rows->db->state, rows->cursor, column);
}

bool db_rows_is_null(const struct db_rows *rows, int column)
{
    return read_column(rows, column).kind == DB_NULL;
}

int64_t db_rows_i64(const struct db_rows *rows, int column)
{
    struct db_value value = read_column(rows, column);
    assert(value.kind == DB_I64);
    return value.number;
}

const char *db_rows_text(struct ctx *ctx, const struct db_rows *rows, int column)
{
    struct db_value value = read_column(rows, column);
    if (value.kind == DB_NULL)
        return NULL;
    assert(value.kind == DB_TEXT);
    return arena_text_copy(&ctx->arena, value.bytes, value.size_bytes);
}

struct bytes db_rows_blob(struct ctx *ctx, const struct db_rows *rows, int column)
{
    struct db_value value = read_column(rows, column);
    if (value.kind == DB_NULL)
        return (struct bytes){0};
    assert(value.kind == DB_BLOB);
    char *copy = arena_text_copy(&ctx->arena, value.bytes, value.size_bytes);
    return (struct bytes){.p = (const unsigned char *)copy, .n = value.size_bytes};
}

struct db_value db_rows_value(struct ctx *ctx, const struct db_rows *rows, int column)
{
    struct db_value value = read_column(rows, column);
    if (value.kind == DB_TEXT || value.kind == DB_BLOB)
        value.bytes = arena_text_copy(&ctx->arena, value.bytes, value.size_bytes);
    return value;
}

struct bytes db_rows_bytes(struct ctx *ctx, const struct db_rows *rows, int column)
{
    struct db_value value = db_rows_value(ctx, rows, column);
    assert(value.kind != DB_I64);
    return (struct bytes){.p = value.bytes, .n = value.size_bytes};
}

static enum err begin(struct ctx *ctx, struct db *db, bool is_write, struct db_transaction *out_tx)
{
    assert(!out_tx->db && !db->is_in_transaction);
    db->is_unsure = false;
    enum err err = start_call(ctx, db);
    db->has_begun = !err;
    if (!err)
        err = db->driver->begin(ctx, db->state, is_write);
    db->is_in_transaction = !err;
    if (!err)
        out_tx->db = db;
    return err;
}

enum err db_begin(struct ctx *ctx, struct db *db, struct db_transaction *out_tx)
{
    return begin(ctx, db, true, out_tx);
}

enum err db_begin_read(struct ctx *ctx, struct db *db, struct db_transaction *out_tx)
{
    return begin(ctx, db, false, out_tx);
}

/* True: there is nothing to end on the driver's side. */
static bool end_transaction(struct db *db)
{
    db->is_in_transaction = false;
    return TAKE(db->is_broken);
}

/* No look at the deadline: all the work is done, and ending it well takes no longer than undoing
 * it. */
enum err db_commit(struct ctx *ctx, struct db_transaction *tx)
{
    assert(tx->db);
    struct db *db = TAKE(tx->db);
    enum err err = check_whole(ctx, db);
    return end_transaction(db) ? err : db->driver->commit(ctx, db->state);
}

void db_transaction_done(struct db_transaction *tx)
{
    if (!tx->db)
        return;
    struct db *db = TAKE(tx->db);
    if (!end_transaction(db))
        db->driver->roll_back(db->state);
}

/* ---- again, or not ---- */

bool db_is_unsure(const struct db *db)
{
    bool has_driver_word = db->has_begun && db->driver->is_unsure;
    return db->is_unsure || (has_driver_word && db->driver->is_unsure(db->state));
}

static enum err look_for(struct ctx *ctx,
                         struct db *db,
                         const struct db_statement *trace,
                         struct db_values values,
                         bool *out_is_there)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    enum err err = db_query(ctx, db, trace, values, &rows);
    return err ? err : db_next(ctx, &rows, out_is_there);
}

static enum err look_until_told(struct ctx *ctx,
                                struct db *db,
                                const struct db_statement *trace,
                                struct db_values values,
                                bool *out_is_there)
{
    int64_t until_ms = clock_monotonic_ms() + DB_FIND_OUT_MS;
    enum err err = look_for(ctx, db, trace, values, out_is_there);
    while (err == ERR_UNAVAILABLE && clock_monotonic_ms() < until_ms && ctx_left_ms(ctx) > 0) {
        clock_sleep_ms(FIND_OUT_PAUSE_MS);
        err = look_for(ctx, db, trace, values, out_is_there);
    }
    return err;
}

/* A commit is often cut by the deadline itself: that leaves a moment to ask. */
enum err db_find_out(struct ctx *ctx,
                     struct db *db,
                     const struct db_statement *trace,
                     struct db_values values,
                     bool is_made)
{
    int64_t deadline_ms = ctx->deadline_ms;
    int64_t soon_ms = clock_monotonic_ms() + DB_FIND_OUT_LATE_MS;
    bool is_there = false;
    if (deadline_ms < soon_ms)
        ctx->deadline_ms = soon_ms;
    enum err err = look_until_told(ctx, db, trace, values, &is_there);
    ctx->deadline_ms = deadline_ms;
    if (err) {
        db->is_outcome_unknown = true;
        ctx->why.hint = "The database went away in the moment of saving. Look whether it is there "
                        "before you send it again.";
        return ERR_UNAVAILABLE;
    }
    ctx_forgive(ctx);
    if (is_there == is_made)
        return ERR_OK;
    db->is_undone = true;
    return ctx_fail(ctx, ERR_UNAVAILABLE, "the connection was lost, and with it the transaction");
}

/* Those that met in a deadlock must not meet again in step. */
static void wait_a_moment(int tries_count)
{
    uint16_t random = 0;
    secret_random(&random, sizeof(random));
    clock_sleep_ms(1 + random % (long)(REPEAT_WAIT_MAX_MS * tries_count));
}

bool db_repeats(struct ctx *ctx, struct db *db, enum err err, int *tries_count)
{
    const struct db_driver *driver = db->driver;
    bool is_unknown = TAKE(db->is_outcome_unknown);
    bool is_undone =
        TAKE(db->is_undone) || (driver->is_repeatable && driver->is_repeatable(db->state));
    if (err != ERR_UNAVAILABLE || !is_undone || is_unknown)
        return false;
    if (*tries_count == DB_REPEATS_MAX_COUNT || ctx_left_ms(ctx) == 0)
        return false;
    wait_a_moment(++*tries_count);
    ctx_forgive(ctx);
    return true;
}

bool db_is_refused(const struct db *db)
{
    return db->driver->is_refused && db->driver->is_refused(db->state);
}

bool db_is_misread(const struct db *db)
{
    return db->driver->is_misread && db->driver->is_misread(db->state);
}

enum err db_ping(struct ctx *ctx, struct db *db)
{
    enum err err = start_call(ctx, db);
    return err ? err : db->driver->ping(ctx, db->state);
}

enum err db_script(struct ctx *ctx, struct db *db, const char *sql)
{
    enum err err = start_call(ctx, db);
    return err ? err : db->driver->script(ctx, db->state, sql);
}

const char *db_library(void)
{
    static char text[96];
    if (!text[0])
        (void)snprintf(text, sizeof(text), "%s, MySQL client %s", db_sqlite_library(),
                       db_mysql_library());
    return text;
}
