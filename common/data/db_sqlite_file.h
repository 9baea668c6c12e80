/* SPDX-License-Identifier: MIT
 *
 * What the SQLite driver asks about the file under an open connection: is it still the one of that
 * name, and what does a PRAGMA say of it? Private to db_sqlite.c. Threads: the connection's. */
#ifndef NOTES_DB_SQLITE_FILE_H
#define NOTES_DB_SQLITE_FILE_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct sqlite3;

/* Of a connection in WAL mode. Errors: ERR_UNAVAILABLE the file is not in its place, another one
 * is, or its log is not. */
MUST_CHECK enum err sqlite_file_check_place(struct ctx *ctx, struct sqlite3 *handle);

/* Runs a PRAGMA. SQLITE_ROW: it had an answer, and *out_is_word says whether that is `word`; else
 * the code of the failure. */
MUST_CHECK int
sqlite_file_ask(struct sqlite3 *handle, const char *sql, const char *word, bool *out_is_word);

#endif
