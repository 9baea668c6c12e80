/* SPDX-License-Identifier: MIT
 *
 * One prepared statement of a MySQL connection: the places for its values, the buffers of its
 * columns. Knows the library's calls, but nothing of connections, deadlines and retries. Private to
 * db_mysql.c. Functions give false when the library failed: mysql_stmt_errno tells why, 0 being out
 * of memory. */
#ifndef NOTES_DB_MYSQL_STATEMENT_H
#define NOTES_DB_MYSQL_STATEMENT_H

#include <mysql.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/db.h"

/* The library's `my_bool`; others have `bool`. */
typedef __typeof__(*((MYSQL_BIND *)NULL)->is_null) db_mysql_flag;

#define DB_MYSQL_START_BYTES 256

struct db_mysql_column {
    enum db_kind kind;
    int64_t number;
    char start[DB_MYSQL_START_BYTES]; /* for texts and blobs, until one is longer */
    char *grown;                      /* NULL: none was */
    size_t grown_bytes;
    unsigned long size_bytes;
    db_mysql_flag is_null;
    db_mysql_flag is_cut;
};

struct prepared {
    const struct db_statement *statement; /* NULL: free */
    const char *sql;
    MYSQL *handle;
    MYSQL_STMT *code;
    struct db_mysql_column *columns;
    MYSQL_BIND *binds; /* of the columns */
    unsigned columns_count;
    uint64_t used_at;
    bool is_in_use;
    bool is_at_end;
};

/* A zeroed one. */
MUST_CHECK bool
prepared_make(struct prepared *prepared, MYSQL *handle, const struct db_statement *statement);
void prepared_free(struct prepared *prepared);

/* Errors: ERR_INTERNAL another number of values than places. */
MUST_CHECK enum err
prepared_bind(struct ctx *ctx, struct prepared *prepared, struct db_values values);
/* Sends it, and reads all rows that come. */
MUST_CHECK bool prepared_execute(struct prepared *prepared);
/* The next of these rows. */
MUST_CHECK bool prepared_fetch(struct prepared *prepared, bool *out_has_row);
struct db_value prepared_column(const struct prepared *prepared, int column);

#endif
