/* SPDX-License-Identifier: MIT
 *
 * Runs the migrations that a database lacks. SQLite: all in one write transaction; a second process
 * that starts meanwhile waits at the database's lock and then finds nothing to do, and a failure
 * leaves the database as it was. MySQL: under a named lock, statement by statement with a journal
 * (migrate_steps.h). What is begun comes to its end: the deadline holds for the lock that is taken
 * first, else a migration that is longer would never be done. Names are compared as well: a
 * database that holds another program's migrations is refused before anything is changed. Depends
 * on: db.h, db_driver.h (which way). */
#include "data/migrate.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/text.h"
#include "data/db.h"
#include "data/db_driver.h"
#include "data/migrate_steps.h"

/* Types that all engines know. */
static const char make_table_sql[] = "CREATE TABLE IF NOT EXISTS schema_migrations ("
                                     " version INTEGER PRIMARY KEY,"
                                     " name VARCHAR(255) NOT NULL,"
                                     " oldest_program INTEGER NOT NULL,"
                                     " applied_unix_ms BIGINT NOT NULL)";

static const struct db_statement list = {
    "SELECT version, name, oldest_program FROM schema_migrations ORDER BY version"};
static const struct db_statement insert = {
    "INSERT INTO schema_migrations (version, name, oldest_program, applied_unix_ms)"
    " VALUES (?, ?, ?, ?)"};

/* Whose a database is, by the name of its first migration. */
static const struct owner {
    const char *first_name;
    const char *program;
} OWNERS[] = {
    {"notes", "notes-svc"},
    {"users", "userauth-svc"},
};

/* What the database says of itself. */
struct state {
    int64_t version;
    int64_t oldest_program;
};

static const char *owner_of(const char *first_name)
{
    for (size_t i = 0; i < ARRAY_COUNT(OWNERS); i++)
        if (text_equals(OWNERS[i].first_name, first_name))
            return OWNERS[i].program;
    return NULL;
}

static enum err refuse_foreign(struct ctx *ctx, int64_t version, const char *name, const char *ours)
{
    const char *owner = version == 1 ? owner_of(name) : NULL;
    const char *we = version == 1 ? owner_of(ours) : NULL;
    if (owner && we)
        return ctx_fail(ctx, ERR_CONFLICT,
                        "this database belongs to %s; DATABASE_URL must name %s's own", owner, we);
    return ctx_fail(ctx, ERR_CONFLICT,
                    "the database is another program's: its migration %" PRId64
                    " is \"%s\", here it is \"%s\"",
                    version, name, ours);
}

static enum err read_row(struct ctx *ctx,
                         const struct migrations *migrations,
                         const struct db_rows *rows,
                         struct state *state)
{
    int64_t version = db_rows_i64(rows, 0);
    const char *name = db_rows_text(ctx, rows, 1);
    int64_t oldest_program = db_rows_i64(rows, 2);
    bool is_known = version >= 1 && version <= (int64_t)migrations->count;
    const char *our_name = is_known ? migrations->items[version - 1].name : NULL;
    if (our_name && !text_equals(name, our_name))
        return refuse_foreign(ctx, version, name, our_name);
    state->version = version;
    if (oldest_program > state->oldest_program)
        state->oldest_program = oldest_program;
    return ERR_OK;
}

static enum err read_state(struct ctx *ctx,
                           struct db *db,
                           const struct migrations *migrations,
                           struct state *out_state)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    enum err err = db_query(ctx, db, &list, DB_NO_VALUES, &rows);
    struct state state = {0};
    bool has_row = true;
    while (!err && has_row) {
        err = db_next(ctx, &rows, &has_row);
        if (!err && has_row)
            err = read_row(ctx, migrations, &rows, &state);
    }
    if (!err)
        *out_state = state;
    return err;
}

static bool has_steps(const struct db *db)
{
    return db->driver->lock != NULL;
}

static enum err note_applied(struct ctx *ctx, struct db *db, const struct migration *migration)
{
    return db_run(ctx, db, &insert,
                  DB_VALUES(db_i64(migration->version), db_text(migration->name),
                            db_i64(migration->oldest_program), db_i64(clock_unix_ms())),
                  NULL);
}

static enum err apply_steps(struct ctx *ctx, struct db *db, const struct migration *migration)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    enum err err = migrate_steps_apply(ctx, db, migration);
    if (!err)
        err = db_begin(ctx, db, &tx);
    if (!err)
        err = note_applied(ctx, db, migration);
    if (!err)
        err = migrate_steps_forget(ctx, db, migration);
    return err ? err : db_commit(ctx, &tx);
}

static enum err apply(struct ctx *ctx, struct db *db, const struct migration *migration)
{
    enum err err =
        has_steps(db) ? apply_steps(ctx, db, migration) : db_script(ctx, db, migration->sql);
    if (!err && !has_steps(db))
        err = note_applied(ctx, db, migration);
    if (!err)
        return ERR_OK;
    /* The first cause does not say which script it was. */
    const char *cause = arena_text(&ctx->arena, ctx->why.text);
    ctx_forgive(ctx);
    return ctx_fail(ctx, err, "migration %" PRId64 " (%s): %s", migration->version, migration->name,
                    cause);
}

static enum err apply_missing(struct ctx *ctx,
                              struct db *db,
                              const struct migrations *migrations,
                              const struct state *state,
                              int64_t *out_applied_count)
{
    int64_t applied_count = 0;
    for (size_t i = 0; i < migrations->count; i++) {
        const struct migration *migration = &migrations->items[i];
        assert(migration->version == (int64_t)i + 1);
        if (migration->version <= state->version)
            continue;
        enum err err = apply(ctx, db, migration);
        if (err)
            return err;
        applied_count++;
    }
    *out_applied_count = applied_count;
    return ERR_OK;
}

static enum err
refuse_newer(struct ctx *ctx, const struct migrations *migrations, const struct state *state)
{
    int64_t known = (int64_t)migrations->count;
    if (state->oldest_program <= known)
        return ERR_OK;
    return ctx_fail(ctx, ERR_CONFLICT,
                    "the database was made by a newer program: it is at migration %" PRId64
                    " and needs one that knows migration %" PRId64 ", this one knows %" PRId64
                    ". Install the newer program, or restore a backup",
                    state->version, state->oldest_program, known);
}

/* What a call that must come to its end has taken is nobody's time: whoever comes after it has as
 * much left as before. */
struct pause {
    int64_t deadline_ms;
    int64_t began_ms;
};

static struct pause stop_clock(struct ctx *ctx)
{
    struct pause pause = {.deadline_ms = ctx->deadline_ms, .began_ms = clock_monotonic_ms()};
    ctx->deadline_ms = INT64_MAX;
    return pause;
}

static void run_clock(struct ctx *ctx, const struct pause *pause)
{
    int64_t taken_ms = clock_monotonic_ms() - pause->began_ms;
    bool is_endless = pause->deadline_ms == INT64_MAX;
    ctx->deadline_ms = is_endless ? INT64_MAX : pause->deadline_ms + taken_ms;
}

/* In the caller's transaction, or under its lock. */
static enum err run_all(struct ctx *ctx,
                        struct db *db,
                        const struct migrations *migrations,
                        int64_t *out_applied_count)
{
    enum err err = db_script(ctx, db, make_table_sql);
    if (!err && has_steps(db))
        err = migrate_steps_prepare(ctx, db);
    struct state state = {0};
    if (!err)
        err = read_state(ctx, db, migrations, &state);
    if (!err)
        err = refuse_newer(ctx, migrations, &state);
    return err ? err : apply_missing(ctx, db, migrations, &state, out_applied_count);
}

static enum err run_locked(struct ctx *ctx,
                           struct db *db,
                           const struct migrations *migrations,
                           int64_t *out_applied_count)
{
    enum err err = db->driver->lock(ctx, db->state);
    if (err)
        return err;
    struct pause pause = stop_clock(ctx);
    err = run_all(ctx, db, migrations, out_applied_count);
    run_clock(ctx, &pause);
    db->driver->unlock(db->state);
    return err;
}

static enum err run_in_transaction(struct ctx *ctx,
                                   struct db *db,
                                   const struct migrations *migrations,
                                   int64_t *out_applied_count)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    int64_t applied_count = 0;
    enum err err = db_begin(ctx, db, &tx);
    if (err)
        return err;
    struct pause pause = stop_clock(ctx);
    err = run_all(ctx, db, migrations, &applied_count);
    if (!err)
        err = db_commit(ctx, &tx);
    run_clock(ctx, &pause);
    if (!err)
        *out_applied_count = applied_count;
    return err;
}

enum err migrate_run(struct ctx *ctx,
                     struct db *db,
                     const struct migrations *migrations,
                     int64_t *out_applied_count)
{
    return has_steps(db) ? run_locked(ctx, db, migrations, out_applied_count)
                         : run_in_transaction(ctx, db, migrations, out_applied_count);
}

enum err migrate_check(struct ctx *ctx, struct db *db, const struct migrations *migrations)
{
    struct state state = {0};
    enum err err = read_state(ctx, db, migrations, &state);
    if (!err && state.version > 0)
        return refuse_newer(ctx, migrations, &state);
    if (err && err != ERR_INTERNAL) /* which says that there is no such table */
        return err;
    const char *cause = arena_text(&ctx->arena, ctx->why.text);
    ctx_forgive(ctx);
    return ctx_fail(ctx, ERR_CONFLICT,
                    "this database has no tables of ours; does DATABASE_URL name another one?%s%s",
                    err ? " " : "", err ? cause : "");
}
