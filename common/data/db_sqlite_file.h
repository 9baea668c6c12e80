/* SPDX-License-Identifier: MIT
 *
 * What the SQLite driver asks about the file under an open connection: is it still the one of that
 * name, what does a PRAGMA say of it, and what does a statement mean there? Private to db_sqlite.c.
 * Threads: the connection's. */
#ifndef NOTES_DB_SQLITE_FILE_H
#define NOTES_DB_SQLITE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct sqlite3;
struct sqlite3_stmt;

/* Which file is in the place of the log of a connection in WAL mode; 0: none. After the
 * connection's first read that is its own, and it keeps it until it is closed. */
MUST_CHECK ino_t sqlite_file_log(struct sqlite3 *handle);

/* Of such a connection: the path that it was opened by, and what sqlite_file_log said of it then.
 * Errors: ERR_UNAVAILABLE the file or its log is not in its place, or another one is, or a link in
 * the path leads elsewhere. */
MUST_CHECK enum err
sqlite_file_check_place(struct ctx *ctx, struct sqlite3 *handle, const char *path, ino_t log);

/* Runs a PRAGMA. SQLITE_ROW: it had an answer, and *out_is_word says whether that is `word`; else
 * the code of the failure. */
MUST_CHECK int
sqlite_file_ask(struct sqlite3 *handle, const char *sql, const char *word, bool *out_is_word);

/* Compiles a statement. SQLITE_ERROR: it is wrong by the file's newest schema, not only by the one
 * that the connection has read, which may be of before a table was made. */
MUST_CHECK int
sqlite_file_prepare(struct sqlite3 *handle, const char *sql, struct sqlite3_stmt **out_code);

#endif
