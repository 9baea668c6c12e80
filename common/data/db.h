/* SPDX-License-Identifier: MIT
 *
 * One database connection, owned by one thread. Statements are constants of the *_store.c files,
 * prepared once per connection; values are always bound, never put into the text. Callers see this
 * file only, drivers implement db_driver.h.
 *
 * Use:  CLEANUP(db_rows_done) struct db_rows rows = {0};
 *       enum err err = db_query(ctx, db, &FIND, DB_VALUES(db_text(name)), &rows);
 *       while (!err && (err = db_next(ctx, &rows, &has_row)) == ERR_OK && has_row)
 *           ... db_rows_text(ctx, &rows, 0)
 *
 * Errors of all calls: ERR_CONFLICT a unique key exists; ERR_UNAVAILABLE locked until the deadline,
 * full, read-only, lost, removed, damaged, or the deadline passed (of a write that was sent to
 * MySQL then, nobody knows whether it happened); ERR_TOO_LARGE a row or value is over the driver's
 * limit (SQLite: 64 MiB); ERR_INTERNAL the statement is wrong. */
#ifndef NOTES_DB_H
#define NOTES_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"

struct arena;
struct ctx;
struct db;
struct db_driver;

/* Static: the address is the statement's name in a connection's cache. */
struct db_statement {
    const char *sql;   /* "?" for each value */
    const char *mysql; /* where MySQL needs other words or a lock; NULL: the same */
};

enum db_kind { DB_NULL, DB_I64, DB_TEXT, DB_BLOB };

struct db_value {
    enum db_kind kind;
    int64_t number;
    const void *bytes;
    size_t size_bytes;
};

struct db_values {
    const struct db_value *items;
    size_t count;
};

struct db_value db_null(void);
struct db_value db_i64(int64_t number);
struct db_value db_text(const char *text); /* NULL binds NULL */
struct db_value db_blob(const void *bytes, size_t size_bytes);

/* At least one value; DB_NO_VALUES for none. */
#define DB_VALUES(...)                                                                    \
    (struct db_values)                                                                    \
    {                                                                                     \
        .items = (const struct db_value[]){__VA_ARGS__},                                  \
        .count = sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value) \
    }
#define DB_NO_VALUES ((struct db_values){.items = NULL, .count = 0})

struct db_rows {
    struct db *db; /* NULL: nothing open */
    void *cursor;  /* the driver's */
};

enum db_tls {
    DB_TLS_PREFER,  /* when the server can */
    DB_TLS_REQUIRE, /* or not at all; the certificate may be anybody's */
    DB_TLS_VERIFY,  /* and the certificate is the host's */
};

/* Where the data is: from DATABASE_URL. */
struct db_options {
    const char *url;      /* "sqlite:PATH" or "mysql://USER[:PASSWORD]@HOST[:PORT][,HOST2...]/DB" */
    const char *password; /* of MySQL, when it is not in the URL; NULL: none */
    enum db_tls tls;
    const char *tls_ca;     /* file with the authorities for DB_TLS_VERIFY; NULL: the system's */
    bool can_connect_later; /* a server that is away is no failure: the next use connects */
    bool is_read_only;      /* a file of SQLite is neither made nor written; MySQL: db_begin_read */
    /* How long work without a deadline (INT64_MAX) waits for a lock; 0: for ever. */
    int64_t lock_wait_ms;
};

/* Is the URL of a kind that this build can open? Otherwise a reason for people, static text. */
const char *db_url_fault(const char *url);

/* Opens; of SQLite the database file and nothing else is made (0600), of MySQL nothing is. A server
 * that can't be reached is tried for lock_wait_ms.
 *
 * A connection to MySQL that is lost is made again by the next use: the hosts are tried in order,
 * one that takes writes is preferred, and after a vain round the next ones fail at once for a while
 * (3 s at most).
 * Errors: ERR_UNAVAILABLE with a line for people in ctx->why.text. Owns: the caller. */
MUST_CHECK enum err db_open(struct ctx *ctx, const struct db_options *options, struct db **out_db);

/* A connection from a driver, for tests. */
struct db *db_new(const struct db_driver *driver, void *state);

/* NULL is fine. Threads: the owner's, or any when the owner is gone. */
void db_close(struct db *db);
DEFINE_CLEANUP(struct db *, db_close)

/* Runs a statement that gives no rows. out_changed_count may be NULL: rows matched by it (an UPDATE
 * to equal values counts). Outside of a write transaction a statement that writes is refused
 * (ERR_INTERNAL) while rows of this connection are not read to their end or done. */
MUST_CHECK enum err db_run(struct ctx *ctx,
                           struct db *db,
                           const struct db_statement *statement,
                           struct db_values values,
                           int64_t *out_changed_count);

/* The id that the last INSERT of this connection made. Of several VALUES: the first one's; those of
 * the others follow in steps of 1, on MySQL of @@auto_increment_increment (its manual on
 * AUTO_INCREMENT: "simple inserts"). */
int64_t db_last_id(struct db *db);
int64_t db_first_id(struct db *db, size_t rows_count);

/* A statement that writes and gives rows (RETURNING) needs a write transaction: ERR_INTERNAL. */
MUST_CHECK enum err db_query(struct ctx *ctx,
                             struct db *db,
                             const struct db_statement *statement,
                             struct db_values values,
                             struct db_rows *out_rows);
MUST_CHECK enum err db_next(struct ctx *ctx, struct db_rows *rows, bool *out_has_row);
void db_rows_done(struct db_rows *rows);

/* Columns from 0 of the current row. Texts and blobs are copied into the arena of ctx. */
bool db_rows_is_null(const struct db_rows *rows, int column);
int64_t db_rows_i64(const struct db_rows *rows, int column);
/* NULL for NULL. */
const char *db_rows_text(struct ctx *ctx, const struct db_rows *rows, int column);
struct bytes db_rows_blob(struct ctx *ctx, const struct db_rows *rows, int column);
/* A text or a blob of another program, any bytes at all; p is NULL for NULL. */
struct bytes db_rows_bytes(struct ctx *ctx, const struct db_rows *rows, int column);
/* Any value as it is, to be bound again. */
struct db_value db_rows_value(struct ctx *ctx, const struct db_rows *rows, int column);

/* A write transaction. SQLite: the write lock is taken at the start (BEGIN IMMEDIATE, behind an
 * in-process queue that is fair and obeys the deadline), nobody else writes in it. MySQL: READ
 * COMMITTED; what is read to be written back must be read by a statement that locks it (FOR UPDATE
 * in `mysql`). Without db_commit the end of the scope rolls back:
 *       CLEANUP(db_transaction_done) struct db_transaction tx = {0};
 *       err = db_begin(ctx, db, &tx); ... err = db_commit(ctx, &tx);
 * ERR_UNAVAILABLE from a call in it has undone it already, and no further call in it succeeds.
 * ERR_CONFLICT undoes its statement only. db_commit ends it also when it fails. */
struct db_transaction {
    struct db *db; /* NULL: none open */
};
MUST_CHECK enum err db_begin(struct ctx *ctx, struct db *db, struct db_transaction *out_tx);
/* A snapshot for several reads that belong together. */
MUST_CHECK enum err db_begin_read(struct ctx *ctx, struct db *db, struct db_transaction *out_tx);
MUST_CHECK enum err db_commit(struct ctx *ctx, struct db_transaction *tx);
void db_transaction_done(struct db_transaction *tx);

/* After db_commit failed: does nobody know whether it happened? */
bool db_is_unsure(const struct db *db);

/* Finds out what became of such a commit. `trace` asks for a row that this transaction alone has
 * written (is_made), or removed; on MySQL it locks (FOR UPDATE), so that it waits for the server to
 * be done with the lost transaction. Asks until the server is back, for DB_FIND_OUT_MS at most and
 * not past the deadline, but for DB_FIND_OUT_LATE_MS also when that is nearer.
 * Errors: ERR_OK it happened. ERR_UNAVAILABLE it did not, which db_repeats knows; or it could not
 * be found out, which ctx->why.hint says to people. */
#define DB_FIND_OUT_MS      5000
#define DB_FIND_OUT_LATE_MS 1000
MUST_CHECK enum err db_find_out(struct ctx *ctx,
                                struct db *db,
                                const struct db_statement *trace,
                                struct db_values values,
                                bool is_made);

/* Shall a whole write transaction that failed with `err` run again? True when it is known that it
 * did not happen, for a reason that passes: a deadlock, a connection lost before the commit was
 * sent, a lost commit that db_find_out found undone. Waits a moment and forgives the failure then.
 * At most DB_REPEATS_MAX_COUNT times: *tries_count starts at 0.
 *       int tries_count = 0;
 *       do err = change_it(...); while (db_repeats(ctx, db, err, &tries_count)); */
#define DB_REPEATS_MAX_COUNT 5
MUST_CHECK bool db_repeats(struct ctx *ctx, struct db *db, enum err err, int *tries_count);

/* Was the last connection refused by a server that is there: password, database, certificate? */
bool db_is_refused(const struct db *db);
/* Did the last statement that failed do so by its words, which an older server does not know? */
bool db_is_misread(const struct db *db);

/* Does it answer? SQLite: is its file in its place, and, after damage was found, whole again? */
MUST_CHECK enum err db_ping(struct ctx *ctx, struct db *db);

/* Runs a script of several statements, for migrations only. */
MUST_CHECK enum err db_script(struct ctx *ctx, struct db *db, const char *sql);

/* "SQLite 3.40.1, MySQL client 3.3.20": for --version. */
const char *db_library(void);

#endif
