/* SPDX-License-Identifier: MIT
 *
 * SQLite goes on writing to a file that nobody will find again, so its place is looked at. Nothing
 * is opened anew when it is not there: another file may be of another time, or another program's.
 * Depends on: SQLite's handle of db_sqlite.c. */
#include "data/db_sqlite_file.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "base/ctx.h"
#include "base/text.h"

static const char *log_path(struct sqlite3 *handle)
{
    return sqlite3_filename_wal(sqlite3_db_filename(handle, "main"));
}

ino_t sqlite_file_log(struct sqlite3 *handle)
{
    struct stat log;
    return stat(log_path(handle), &log) == 0 ? log.st_ino : 0;
}

/* SQLite looks at the path that links led to when it opened the file; a link may be turned. */
static bool is_led_to(struct sqlite3 *handle, const char *path)
{
    struct stat found;
    struct stat ours;
    return stat(path, &found) == 0 && stat(sqlite3_db_filename(handle, "main"), &ours) == 0 &&
           found.st_dev == ours.st_dev && found.st_ino == ours.st_ino;
}

enum err
sqlite_file_check_place(struct ctx *ctx, struct sqlite3 *handle, const char *path, ino_t log)
{
    int has_moved = 0;
    int code = sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
    if (code != SQLITE_OK)
        return ctx_fail(ctx, ERR_INTERNAL, "SQLite can't say whether its file has moved");
    bool is_in_place = !has_moved && is_led_to(handle, path);
    if (is_in_place && log != 0 && sqlite_file_log(handle) == log)
        return ERR_OK;
    return ctx_fail(ctx, ERR_UNAVAILABLE,
                    "%s was removed or replaced while in use: nothing is written until it is back, "
                    "or a restart takes what is there",
                    is_in_place ? log_path(handle) : path);
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

static int prepare(sqlite3 *handle, const char *sql, sqlite3_stmt **out_code)
{
    return sqlite3_prepare_v3(handle, sql, -1, SQLITE_PREPARE_PERSISTENT, out_code, NULL);
}

/* SQLite looks itself whether there is a newer schema; when it can't, it says that the statement is
 * wrong. */
int sqlite_file_prepare(sqlite3 *handle, const char *sql, sqlite3_stmt **out_code)
{
    bool is_word = false;
    int code = prepare(handle, sql, out_code);
    if (code != SQLITE_ERROR)
        return code;
    code = sqlite_file_ask(handle, "PRAGMA schema_version", "", &is_word);
    return code == SQLITE_ROW ? prepare(handle, sql, out_code) : code;
}
