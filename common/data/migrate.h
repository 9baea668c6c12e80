/* SPDX-License-Identifier: MIT
 *
 * Migrations: numbered SQL scripts of sql/SERVICE/ENGINE/NNNN_name.sql, compiled in by
 * tools/compile_sql.py, run at start so that several processes may start at once: in SQLite in one
 * write transaction, in MySQL under GET_LOCK, statement by statement, and a start that was cut off
 * goes on where it ended (migrate_steps.h says what its scripts may hold). Each script's first line
 * states the oldest program (by its newest migration number) that can still run on the result:
 * `-- oldest program: N`. Only older programs refuse the database, so going back one release works.
 *
 * Names must agree too, so that a database of another program is refused before it is changed.
 * The table: schema_migrations(version, name, oldest_program, applied_unix_ms). */
#ifndef NOTES_MIGRATE_H
#define NOTES_MIGRATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct db;

struct migration {
    int64_t version; /* 1, 2, 3 … without gaps */
    const char *name;
    int64_t oldest_program;
    const char *sql;
};

struct migrations {
    const struct migration *items;
    size_t count;
};

/* Brings the database up to date. Others' locks are waited for until the deadline, within a
 * migration as long as the connection's lock_wait_ms; applying has no deadline, and the time that
 * it takes is added to ctx's.
 * Errors: ERR_CONFLICT the database is a newer program's, on which this one can't run, or another
 *         program's; a line for people is in ctx->why.text ("the database is at migration 9 and
 *         needs a program that knows migration 7; this one knows 3"). */
MUST_CHECK enum err migrate_run(struct ctx *ctx,
                                struct db *db,
                                const struct migrations *migrations,
                                int64_t *out_applied_count);

/* Is the database this program's, for a tool that changes data only? Changes nothing.
 * Errors: ERR_CONFLICT also when no migration ever ran on it. */
MUST_CHECK enum err
migrate_check(struct ctx *ctx, struct db *db, const struct migrations *migrations);

#endif
