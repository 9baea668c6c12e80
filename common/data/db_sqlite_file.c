/* SPDX-License-Identifier: MIT
 *
 * SQLite goes on writing to a file that nobody will find again, so its place is looked at. Nothing
 * is opened anew when it is not there: another file may be of another time, or another program's.
 * Depends on: SQLite's handle of db_sqlite.c. */
#include "data/db_sqlite_file.h"

#include <sqlite3.h>
#include <unistd.h>

#include "base/ctx.h"
#include "base/text.h"

enum err sqlite_file_check_place(struct ctx *ctx, struct sqlite3 *handle)
{
    int has_moved = 0;
    int code = sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
    if (code != SQLITE_OK)
        return ctx_fail(ctx, ERR_INTERNAL, "SQLite can't say whether its file has moved");
    const char *path = sqlite3_db_filename(handle, "main");
    const char *log_path = sqlite3_filename_wal(path);
    if (!has_moved && access(log_path, F_OK) == 0)
        return ERR_OK;
    return ctx_fail(ctx, ERR_UNAVAILABLE,
                    "%s was removed or replaced while in use: nothing is written until it is back, "
                    "or a restart takes what is there",
                    has_moved ? path : log_path);
}

int sqlite_file_ask(struct sqlite3 *handle, const char *sql, const char *word, bool *out_is_word)
{
    sqlite3_stmt *code = NULL;
    int result = sqlite3_prepare_v2(handle, sql, -1, &code, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(code);
    if (result == SQLITE_ROW)
        *out_is_word = text_equals((const char *)sqlite3_column_text(code, 0), word);
    sqlite3_finalize(code);
    return result;
}
