/* SPDX-License-Identifier: MIT
 *
 * The journal is written before and after each statement; a write of its own costs nothing that
 * counts in a migration. Depends on: db.h. */
#include "data/migrate_steps.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "data/db.h"
#include "data/migrate.h"

static const char make_table_sql[] = "CREATE TABLE IF NOT EXISTS schema_migration_steps ("
                                     " version INTEGER NOT NULL PRIMARY KEY,"
                                     " done_count INTEGER NOT NULL,"
                                     " is_running INTEGER NOT NULL)";
static const struct db_statement find = {
    "SELECT done_count, is_running FROM schema_migration_steps WHERE version = ?"};
static const struct db_statement insert = {
    "INSERT INTO schema_migration_steps (version, done_count, is_running) VALUES (?, 0, 0)"};
static const struct db_statement update = {
    "UPDATE schema_migration_steps SET done_count = ?, is_running = ? WHERE version = ?"};
static const struct db_statement forget = {"DELETE FROM schema_migration_steps WHERE version = ?"};

struct journal {
    int64_t version;
    int64_t done_count;
    bool is_running; /* the statement after these may be done or not */
};

enum err migrate_steps_prepare(struct ctx *ctx, struct db *db)
{
    return db_script(ctx, db, make_table_sql);
}

static enum err read_journal(struct ctx *ctx, struct db *db, struct journal *journal)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(ctx, db, &find, DB_VALUES(db_i64(journal->version)), &rows);
    if (!err)
        err = db_next(ctx, &rows, &has_row);
    if (!err && has_row) {
        journal->done_count = db_rows_i64(&rows, 0);
        journal->is_running = db_rows_i64(&rows, 1) != 0;
        return ERR_OK;
    }
    db_rows_done(&rows);
    return err ? err : db_run(ctx, db, &insert, DB_VALUES(db_i64(journal->version)), NULL);
}

static enum err write_journal(struct ctx *ctx, struct db *db, const struct journal *journal)
{
    return db_run(ctx, db, &update,
                  DB_VALUES(db_i64(journal->done_count), db_i64(journal->is_running),
                            db_i64(journal->version)),
                  NULL);
}

/* After a quoted text or name, or a comment, that begins here; NULL when none does. */
static const char *skip_quoted(const char *at)
{
    const char *end = NULL;
    if (at[0] == '-' && at[1] == '-')
        end = strchr(at, '\n');
    else if (at[0] == '/' && at[1] == '*')
        end = strstr(at + 2, "*/");
    else if (*at == '\'' || *at == '"' || *at == '`')
        end = strchr(at + 1, *at);
    else
        return NULL;
    return end ? end + 1 : at + strlen(at);
}

/* The end of the statement that begins here: its ";" or the end of the text. */
static const char *find_end(const char *sql, bool *out_has_code)
{
    bool has_code = false;
    while (*sql && *sql != ';') {
        const char *after = skip_quoted(sql);
        bool is_comment = after && (*sql == '-' || *sql == '/');
        has_code |= !is_comment && !strchr(" \t\n", *sql);
        sql = after ? after : sql + 1;
    }
    *out_has_code = has_code;
    return sql;
}

static enum err
run_step(struct ctx *ctx, struct db *db, struct journal *journal, const char *statement)
{
    bool may_be_done = journal->is_running;
    journal->is_running = true;
    enum err err = write_journal(ctx, db, journal);
    if (err)
        return err;
    err = db_script(ctx, db, statement);
    if (err == ERR_CONFLICT && may_be_done) {
        ctx_forgive(ctx);
        err = ERR_OK;
    }
    if (!err)
        journal->done_count++;
    journal->is_running = err == ERR_UNAVAILABLE; /* otherwise the server said what happened */
    if (err == ERR_UNAVAILABLE)
        return err;
    enum err journal_err = write_journal(ctx, db, journal);
    return err ? err : journal_err;
}

enum err migrate_steps_apply(struct ctx *ctx, struct db *db, const struct migration *migration)
{
    struct journal journal = {.version = migration->version};
    enum err err = read_journal(ctx, db, &journal);
    int64_t place = 0;
    for (const char *sql = migration->sql; !err && *sql;) {
        bool has_code = false;
        const char *end = find_end(sql, &has_code);
        if (has_code && place++ >= journal.done_count)
            err =
                run_step(ctx, db, &journal, arena_text_copy(&ctx->arena, sql, (size_t)(end - sql)));
        sql = *end ? end + 1 : end;
    }
    return err;
}

enum err migrate_steps_forget(struct ctx *ctx, struct db *db, const struct migration *migration)
{
    return db_run(ctx, db, &forget, DB_VALUES(db_i64(migration->version)), NULL);
}
