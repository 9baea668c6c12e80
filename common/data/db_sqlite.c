/* SPDX-License-Identifier: MIT
 *
 * The SQLite driver: with db_sqlite_*.c it alone knows sqlite3.h. One connection of one thread
 * on a file in WAL mode: readers never wait for writers, writers of this process queue at a gate
 * (write_gate.h), other processes are met by the busy handler.
 *
 * A commit is on the disk when it returns (synchronous=FULL). Each call ends at its ctx's deadline,
 * by interruption if need be. Any failure for want of the system (full, I/O, interrupted) undoes
 * the whole transaction at once, gives the lock back, and lets nothing more happen in it: what
 * SQLite undid by itself and what it left open would be hard to tell apart. Depends on:
 * db_driver.h, db_sqlite_file.h, db_sqlite_sleep.h, write_gate.h, clock.h. */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/text.h"
#include "data/db_driver.h"
#include "data/db_sqlite_codes.h"
#include "data/db_sqlite_file.h"
#include "data/db_sqlite_sleep.h"
#include "data/write_gate.h"

/* Room for the statements of a service: a set holds those whose addresses collide, the one not used
 * for longest leaves. */
#define CACHE_SETS_COUNT   32
#define CACHE_WAYS_COUNT   4
#define SQL_MAX_BYTES      (256 * 1024)
#define ROW_MAX_BYTES      (64 * 1024 * 1024)
#define PROGRESS_OPS_COUNT 1000 /* of SQLite's machine: some 20 microseconds */
#define WAL_RETRY_MS       5
#define BUSY_SLEEP_MAX_MS  10

enum transaction { TRANSACTION_NONE, TRANSACTION_READ, TRANSACTION_WRITE, TRANSACTION_BROKEN };

struct compiled {
    const struct db_statement *statement; /* NULL: free */
    const char *sql;
    sqlite3_stmt *code;
    uint64_t used_at;
    bool is_in_use;
    bool is_at_end; /* stepping again would start it anew */
};

struct connection {
    sqlite3 *handle;
    struct write_gate *gate; /* NULL: nothing is written */
    ino_t log;               /* that it writes to, where there is a gate */
    int64_t lock_wait_ms;
    int64_t deadline_ms;   /* of the call that runs */
    int64_t lock_until_ms; /* how long it may wait for a lock */
    uint64_t uses_count;
    unsigned findings_count; /* about damage that what it keeps of the file is newer than */
    size_t rows_open_count;  /* questions whose rows are not all read yet */
    enum transaction transaction;
    struct compiled cache[CACHE_SETS_COUNT][CACHE_WAYS_COUNT];
    char path[]; /* by which it was opened */
};

static const struct code {
    int number;
    enum err err;
    const char *name;
} codes[] = {
#define CODE_ROW(code, meaning) {code, ERR_##meaning, #code},
    SQLITE_CODE_TABLE(CODE_ROW)
#undef CODE_ROW
};

static const struct code unknown_code = {SQLITE_ERROR, ERR_INTERNAL, "an unknown code of SQLite"};

static const struct db_statement begin_read = {"BEGIN"};
static const struct db_statement begin_write = {"BEGIN IMMEDIATE"};
static const struct db_statement commit = {"COMMIT"};
static const struct db_statement look_at_schema = {"SELECT count(*) FROM sqlite_schema"};

/* WAL is set apart: it is a property of the file and needs its lock. 256 KiB of pages for each
 * connection keep the process small; the system's own cache of files holds the rest. */
static const char settings_sql[] = "PRAGMA synchronous=FULL;"
                                   "PRAGMA foreign_keys=ON;"
                                   "PRAGMA trusted_schema=OFF;"
                                   "PRAGMA cell_size_check=ON;"
                                   "PRAGMA temp_store=MEMORY;"
                                   "PRAGMA mmap_size=0;"
                                   "PRAGMA cache_size=-256;"
                                   "PRAGMA journal_size_limit=8388608;";

/* --- What went wrong --- */

static const struct code *find_code(int number)
{
    for (size_t i = 0; i < ARRAY_COUNT(codes); i++)
        if (codes[i].number == number)
            return &codes[i];
    int kind = number & 0xff;
    return kind == number ? &unknown_code : find_code(kind);
}

static bool is_in_transaction(const struct connection *connection)
{
    return connection->transaction == TRANSACTION_READ ||
           connection->transaction == TRANSACTION_WRITE;
}

/* Ends the transaction on SQLite's side and gives the gate back. ROLLBACK has no deadline: it must
 * happen. */
static void undo(struct connection *connection, enum transaction after)
{
    if (!sqlite3_get_autocommit(connection->handle)) {
        connection->deadline_ms = INT64_MAX;
        sqlite3_exec(connection->handle, "ROLLBACK", NULL, NULL, NULL);
        assert(sqlite3_get_autocommit(connection->handle));
    }
    if (connection->transaction == TRANSACTION_WRITE)
        write_gate_leave(connection->gate);
    connection->transaction = after;
}

/* Names the code that a call on the connection has just given. SQLite's messages name tables and
 * columns, never values. */
static enum err fail(struct ctx *ctx, struct connection *connection, int code)
{
    const struct code *known = find_code(code);
    int kind = code & 0xff;
    bool is_of_system = kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN || kind == SQLITE_FULL;
    int system_error = is_of_system ? sqlite3_system_errno(connection->handle) : 0;
    const char *cause = system_error ? strerrordesc_np(system_error) : NULL;
    const char *text = sqlite3_errmsg(connection->handle);
    enum err err = ctx_fail(ctx, known->err, "%s: %s%s%s", known->name, text, cause ? ": " : "",
                            cause ? cause : "");
    if (connection->gate && (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB))
        write_gate_note_damage(connection->gate, true);
    if (is_in_transaction(connection) &&
        (err == ERR_UNAVAILABLE || sqlite3_get_autocommit(connection->handle)))
        undo(connection, TRANSACTION_BROKEN);
    return err;
}

/* --- Deadline and locks --- */

static int on_progress(void *state)
{
    const struct connection *connection = state;
    return clock_monotonic_ms() >= connection->deadline_ms;
}

static int on_busy(void *state, int tries_count)
{
    const struct connection *connection = state;
    int64_t left_ms = connection->lock_until_ms - clock_monotonic_ms();
    if (left_ms <= 0)
        return 0;
    int64_t span_ms = tries_count < BUSY_SLEEP_MAX_MS ? tries_count + 1 : BUSY_SLEEP_MAX_MS;
    clock_sleep_ms(span_ms < left_ms ? span_ms : left_ms);
    return 1;
}

/* Work without a deadline still waits for a lock no longer than the options say. */
static void set_deadline(const struct ctx *ctx, struct connection *connection)
{
    connection->deadline_ms = ctx->deadline_ms;
    connection->lock_until_ms = ctx->deadline_ms;
    if (ctx->deadline_ms == INT64_MAX && connection->lock_wait_ms > 0)
        connection->lock_until_ms = clock_monotonic_ms() + connection->lock_wait_ms;
    sqlite_sleep_until(connection->lock_until_ms);
}

/* After damage was found, by whomever, nothing that was read before is trusted: so a file that is
 * good again is read anew. */
static void forget_pages(struct connection *connection)
{
    unsigned findings_count = write_gate_findings_count(connection->gate);
    if (findings_count != connection->findings_count)
        sqlite3_db_release_memory(connection->handle);
    connection->findings_count = findings_count;
}

static enum err start_call(struct ctx *ctx, struct connection *connection)
{
    if (connection->transaction == TRANSACTION_BROKEN)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "the transaction was undone by an earlier failure");
    set_deadline(ctx, connection);
    if (connection->gate)
        forget_pages(connection);
    return ERR_OK;
}

static enum err check_place(struct ctx *ctx, const struct connection *connection)
{
    return sqlite_file_check_place(ctx, connection->handle, connection->path, connection->log);
}

static void leave_gate(struct write_gate **gate)
{
    if (*gate)
        write_gate_leave(*gate);
}

/* May something be written now? Outside of a transaction the gate is entered: *out_gate must be
 * left. */
static enum err
enter_gate(struct ctx *ctx, struct connection *connection, struct write_gate **out_gate)
{
    if (connection->transaction == TRANSACTION_WRITE)
        return ERR_OK;
    if (connection->transaction == TRANSACTION_READ)
        return ctx_fail(ctx, ERR_INTERNAL, "a write in a transaction that reads");
    if (!connection->gate)
        return ctx_fail(ctx, ERR_INTERNAL, "a write to a database that was opened to be read");
    /* Their snapshot may be older than the file by now, which SQLite refuses at once: sometimes. We
     * refuse it always. */
    if (connection->rows_open_count > 0)
        return ctx_fail(ctx, ERR_INTERNAL,
                        "a write while rows are open, outside of a write transaction");
    if (!write_gate_enter(connection->gate, connection->lock_until_ms))
        return ctx_fail(ctx, ERR_UNAVAILABLE, "other writers held the database for too long");
    *out_gate = connection->gate;
    return ERR_OK;
}

/* --- Statements --- */

static struct compiled *find_compiled(struct connection *connection,
                                      const struct db_statement *statement)
{
    uint64_t hash = ((uint64_t)(uintptr_t)statement >> 3) * UINT64_C(0x9e3779b97f4a7c15);
    struct compiled *set = connection->cache[(hash >> 32) % CACHE_SETS_COUNT];
    struct compiled *oldest = NULL;
    for (size_t i = 0; i < CACHE_WAYS_COUNT; i++) {
        if (set[i].statement == statement && set[i].sql == statement->sql && !set[i].is_in_use)
            return &set[i];
        if (!set[i].is_in_use && (!oldest || set[i].used_at < oldest->used_at))
            oldest = &set[i];
    }
    return oldest;
}

static enum err compile(struct ctx *ctx,
                        struct connection *connection,
                        const struct db_statement *statement,
                        struct compiled *place)
{
    sqlite3_finalize(place->code);
    *place = (struct compiled){0};
    int code = sqlite_file_prepare(connection->handle, statement->sql, &place->code);
    if (code != SQLITE_OK)
        return fail(ctx, connection, code);
    if (!place->code)
        return ctx_fail(ctx, ERR_INTERNAL, "an empty statement");
    place->statement = statement;
    place->sql = statement->sql;
    return ERR_OK;
}

static enum err take_statement(struct ctx *ctx,
                               struct connection *connection,
                               const struct db_statement *statement,
                               struct compiled **out_compiled)
{
    struct compiled *compiled = find_compiled(connection, statement);
    if (!compiled)
        return ctx_fail(ctx, ERR_INTERNAL, "too many statements are open at once");
    if (compiled->statement != statement || compiled->sql != statement->sql) {
        enum err err = compile(ctx, connection, statement, compiled);
        if (err)
            return err;
    }
    assert(!compiled->is_in_use);
    compiled->is_in_use = true;
    compiled->is_at_end = false;
    compiled->used_at = ++connection->uses_count;
    *out_compiled = compiled;
    return ERR_OK;
}

/* The code of sqlite3_reset repeats what the last step said: it has been looked at. */
static void give_back(struct compiled *compiled)
{
    sqlite3_reset(compiled->code);
    sqlite3_clear_bindings(compiled->code);
    compiled->is_in_use = false;
}

DEFINE_CLEANUP(struct compiled *, give_back)

static int bind_value(sqlite3_stmt *code,
                      int place,
                      const struct db_value *value,
                      sqlite3_destructor_type keeping)
{
    /* SQLite takes a NULL pointer for NULL, also when the size is 0. */
    const void *bytes = value->bytes ? value->bytes : "";
    switch (value->kind) {
    case DB_NULL:
        return sqlite3_bind_null(code, place);
    case DB_I64:
        return sqlite3_bind_int64(code, place, value->number);
    case DB_TEXT:
        return sqlite3_bind_text64(code, place, bytes, value->size_bytes, keeping, SQLITE_UTF8);
    case DB_BLOB:
        return sqlite3_bind_blob64(code, place, bytes, value->size_bytes, keeping);
    }
    return SQLITE_MISUSE;
}

static enum err bind_values(struct ctx *ctx,
                            struct connection *connection,
                            struct compiled *compiled,
                            struct db_values values,
                            sqlite3_destructor_type keeping)
{
    assert(compiled);
    int places_count = sqlite3_bind_parameter_count(compiled->code);
    if ((size_t)places_count != values.count)
        return ctx_fail(ctx, ERR_INTERNAL, "%zu values for the %d places of: %s", values.count,
                        places_count, compiled->sql);
    for (int i = 0; i < places_count; i++) {
        int code = bind_value(compiled->code, i + 1, &values.items[i], keeping);
        if (code != SQLITE_OK)
            return fail(ctx, connection, code);
    }
    return ERR_OK;
}

/* One of our own statements, which has no values and for which nothing is asked. */
static enum err
run_plain(struct ctx *ctx, struct connection *connection, const struct db_statement *statement)
{
    CLEANUP(give_back_ptr) struct compiled *compiled = NULL;
    enum err err = take_statement(ctx, connection, statement, &compiled);
    if (err)
        return err;
    assert(compiled);
    int code = sqlite3_step(compiled->code);
    return code == SQLITE_DONE || code == SQLITE_ROW ? ERR_OK : fail(ctx, connection, code);
}

static enum err sqlite_run(struct ctx *ctx,
                           void *state,
                           const struct db_statement *statement,
                           struct db_values values,
                           int64_t *out_changed_count)
{
    struct connection *connection = state;
    CLEANUP(leave_gate) struct write_gate *gate = NULL; /* first, so that it is left last */
    CLEANUP(give_back_ptr) struct compiled *compiled = NULL;
    enum err err = start_call(ctx, connection);
    if (!err)
        err = take_statement(ctx, connection, statement, &compiled);
    if (!err)
        err = bind_values(ctx, connection, compiled, values, SQLITE_STATIC);
    if (!err && !sqlite3_stmt_readonly(compiled->code))
        err = enter_gate(ctx, connection, &gate);
    if (!err && gate)
        err = check_place(ctx, connection);
    if (err)
        return err;
    int64_t total_before = sqlite3_total_changes64(connection->handle);
    int code = sqlite3_step(compiled->code);
    if (code == SQLITE_ROW)
        return ctx_fail(ctx, ERR_INTERNAL, "rows came where none are read: %s", statement->sql);
    if (code != SQLITE_DONE)
        return fail(ctx, connection, code);
    /* sqlite3_changes64 still tells of an earlier statement when this one was of a kind that can't
     * change rows. */
    bool has_changed = sqlite3_total_changes64(connection->handle) != total_before;
    *out_changed_count = has_changed ? sqlite3_changes64(connection->handle) : 0;
    return ERR_OK;
}

static int64_t sqlite_last_id(void *state)
{
    const struct connection *connection = state;
    return sqlite3_last_insert_rowid(connection->handle);
}

/* Values are copied: the rows may be read when the caller's are gone.
 * A statement that writes and gives rows commits when it is reset, where no error could be told: so
 * only in a transaction, whose commit tells. */
static enum err sqlite_query(struct ctx *ctx,
                             void *state,
                             const struct db_statement *statement,
                             struct db_values values,
                             void **out_cursor)
{
    struct connection *connection = state;
    CLEANUP(give_back_ptr) struct compiled *compiled = NULL;
    enum err err = start_call(ctx, connection);
    if (!err)
        err = take_statement(ctx, connection, statement, &compiled);
    if (!err)
        err = bind_values(ctx, connection, compiled, values, SQLITE_TRANSIENT);
    if (err)
        return err;
    if (connection->transaction != TRANSACTION_WRITE && !sqlite3_stmt_readonly(compiled->code))
        return ctx_fail(ctx, ERR_INTERNAL, "writing and reading rows needs a transaction: %s",
                        statement->sql);
    connection->rows_open_count++;
    *out_cursor = TAKE(compiled);
    return ERR_OK;
}

static void end_rows(struct connection *connection, struct compiled *compiled)
{
    if (compiled->is_at_end)
        return;
    compiled->is_at_end = true;
    connection->rows_open_count--;
}

static enum err sqlite_next(struct ctx *ctx, void *state, void *cursor, bool *out_has_row)
{
    struct connection *connection = state;
    struct compiled *compiled = cursor;
    enum err err = start_call(ctx, connection);
    if (err)
        return err;
    int code = compiled->is_at_end ? SQLITE_DONE : sqlite3_step(compiled->code);
    if (code != SQLITE_ROW)
        end_rows(connection, compiled);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return fail(ctx, connection, code);
    *out_has_row = code == SQLITE_ROW;
    return ERR_OK;
}

static void sqlite_rows_done(void *state, void *cursor)
{
    end_rows(state, cursor);
    give_back(cursor);
}

/* As a blob also for text: that needs no conversion, which could fail. */
static struct db_value column_bytes(sqlite3_stmt *code, int column, enum db_kind kind)
{
    const void *bytes = sqlite3_column_blob(code, column);
    return (struct db_value){
        .kind = kind,
        .bytes = bytes ? bytes : "",
        .size_bytes = bytes ? (size_t)sqlite3_column_bytes(code, column) : 0,
    };
}

static struct db_value sqlite_column(void *state, void *cursor, int column)
{
    (void)state;
    const struct compiled *compiled = cursor;
    assert(column >= 0 && column < sqlite3_data_count(compiled->code));
    switch (sqlite3_column_type(compiled->code, column)) {
    case SQLITE_NULL:
        return db_null();
    case SQLITE_TEXT:
        return column_bytes(compiled->code, column, DB_TEXT);
    case SQLITE_BLOB:
        return column_bytes(compiled->code, column, DB_BLOB);
    default:
        return db_i64(sqlite3_column_int64(compiled->code, column));
    }
}

/* --- Transactions --- */

static enum err sqlite_begin(struct ctx *ctx, void *state, bool is_write)
{
    struct connection *connection = state;
    assert(connection->transaction == TRANSACTION_NONE);
    CLEANUP(leave_gate) struct write_gate *gate = NULL;
    enum err err = start_call(ctx, connection);
    if (!err && is_write)
        err = enter_gate(ctx, connection, &gate);
    if (!err)
        err = run_plain(ctx, connection, is_write ? &begin_write : &begin_read);
    if (err)
        return err;
    gate = NULL; /* kept until the transaction ends */
    connection->transaction = is_write ? TRANSACTION_WRITE : TRANSACTION_READ;
    return ERR_OK;
}

static enum err sqlite_commit(struct ctx *ctx, void *state)
{
    struct connection *connection = state;
    assert(connection->transaction != TRANSACTION_NONE);
    enum err err = start_call(ctx, connection);
    if (!err && connection->transaction == TRANSACTION_WRITE)
        err = check_place(ctx, connection);
    if (!err)
        err = run_plain(ctx, connection, &commit);
    undo(connection,
         TRANSACTION_NONE); /* what a failure left open; after success only the gate is left */
    return err;
}

static void sqlite_roll_back(void *state)
{
    undo(state, TRANSACTION_NONE);
}

static enum err sqlite_script(struct ctx *ctx, void *state, const char *sql)
{
    struct connection *connection = state;
    CLEANUP(leave_gate) struct write_gate *gate = NULL;
    enum err err = start_call(ctx, connection);
    if (!err)
        err = enter_gate(ctx, connection, &gate);
    if (err)
        return err;
    int code = sqlite3_exec(connection->handle, sql, NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return fail(ctx, connection, code);
    if (!is_in_transaction(connection) || !sqlite3_get_autocommit(connection->handle))
        return ERR_OK;
    undo(connection, TRANSACTION_BROKEN);
    return ctx_fail(ctx, ERR_INTERNAL, "the script ended the transaction that it ran in");
}

/* Reads all pages, if the deadline lets it. */
static enum err look_for_damage(struct ctx *ctx, struct connection *connection)
{
    bool is_whole = false;
    unsigned findings_count = write_gate_findings_count(connection->gate);
    int code = sqlite_file_ask(connection->handle, "PRAGMA quick_check(1)", "ok", &is_whole);
    if (code != SQLITE_ROW)
        return fail(ctx, connection, code);
    if (!is_whole)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "the database is damaged: see PRAGMA quick_check");
    if (write_gate_findings_count(connection->gate) == findings_count) /* else: found meanwhile */
        write_gate_note_damage(connection->gate, false);
    return ERR_OK;
}

/* Reads the file's first page, from the file itself and under its lock; after damage was found, all
 * pages, until there is none. */
static enum err sqlite_ping(struct ctx *ctx, void *state)
{
    struct connection *connection = state;
    enum err err = start_call(ctx, connection);
    if (!err && connection->gate)
        err = check_place(ctx, connection);
    sqlite3_db_release_memory(connection->handle);
    if (!err)
        err = run_plain(ctx, connection, &look_at_schema);
    if (!err && connection->gate && write_gate_is_damaged(connection->gate))
        err = look_for_damage(ctx, connection);
    return err;
}

/* --- Open and close --- */

static void sqlite_close(void *state)
{
    struct connection *connection = state;
    if (connection->transaction != TRANSACTION_NONE)
        undo(connection, TRANSACTION_NONE);
    for (size_t i = 0; i < CACHE_SETS_COUNT; i++) {
        for (size_t k = 0; k < CACHE_WAYS_COUNT; k++) {
            assert(!connection->cache[i][k].is_in_use);
            sqlite3_finalize(connection->cache[i][k].code);
        }
    }
    connection->deadline_ms = INT64_MAX;
    int code = sqlite3_close(connection->handle);
    assert(code == SQLITE_OK);
    (void)code;
    write_gate_close(connection->gate);
    free(connection);
}

static const struct db_driver sqlite_driver = {
    .close = sqlite_close,
    .run = sqlite_run,
    .last_id = sqlite_last_id,
    .query = sqlite_query,
    .next = sqlite_next,
    .rows_done = sqlite_rows_done,
    .column = sqlite_column,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .roll_back = sqlite_roll_back,
    .script = sqlite_script,
    .ping = sqlite_ping,
};

DEFINE_CLEANUP(struct connection *, sqlite_close)

/* Its count of memory is one lock for all connections, and nobody reads it. */
static void start_library(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite_sleep_start();
}

static int use_wal(sqlite3 *handle, bool *out_is_wal)
{
    return sqlite_file_ask(handle, "PRAGMA journal_mode=WAL", "wal", out_is_wal);
}

/* The busy handler is not asked when two processes change a new file to WAL at once, so we wait
 * here. */
static enum err start_wal(struct ctx *ctx, struct connection *connection)
{
    bool is_wal = false;
    int code = use_wal(connection->handle, &is_wal);
    while ((code & 0xff) == SQLITE_BUSY && clock_monotonic_ms() < connection->lock_until_ms) {
        clock_sleep_ms(WAL_RETRY_MS);
        code = use_wal(connection->handle, &is_wal);
    }
    if (code != SQLITE_ROW)
        return fail(ctx, connection, code);
    if (!is_wal)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "its file system can't do write-ahead logging");
    enum err err = run_plain(ctx, connection, &look_at_schema); /* the first to open the log */
    connection->log = sqlite_file_log(connection->handle);
    return err;
}

static void set_options(struct connection *connection)
{
    sqlite3 *handle = connection->handle;
    sqlite3_busy_handler(handle, on_busy, connection);
    sqlite3_progress_handler(handle, PROGRESS_OPS_COUNT, on_progress, connection);
    sqlite3_limit(handle, SQLITE_LIMIT_SQL_LENGTH, SQL_MAX_BYTES);
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, ROW_MAX_BYTES);
    sqlite3_limit(handle, SQLITE_LIMIT_WORKER_THREADS, 0);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0,
                      NULL); /* "x" is a column, not a misspelt text */
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
}

static enum err open_file(struct ctx *ctx, struct connection *connection, const char *path)
{
    /* Without CREATE: the gate has made the file, or its name is a dangling link, which is not
     * followed. */
    bool is_read_only = !connection->gate;
    int flags = (is_read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
                SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(path, &connection->handle, flags, SQLITE_SLEEP_VFS);
    if (code != SQLITE_OK)
        return fail(ctx, connection, code);
    set_options(connection);
    if (is_read_only) /* finds out whether it is a database at all */
        return run_plain(ctx, connection, &look_at_schema);
    if (sqlite3_db_readonly(connection->handle, "main") == 1)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "the file can only be read, not written");
    enum err err = start_wal(ctx, connection);
    if (err)
        return err;
    code = sqlite3_exec(connection->handle, settings_sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? ERR_OK : fail(ctx, connection, code);
}

/* The first cause says what, but not which file: people need both. */
static enum err name_file(struct ctx *ctx, enum err err, const char *path)
{
    const char *cause = arena_text(&ctx->arena, ctx->why.text);
    ctx_forgive(ctx);
    return ctx_fail(ctx, err, "can't open the database %s: %s", path, cause);
}

enum err db_sqlite_open(struct ctx *ctx,
                        const char *path,
                        const struct db_options *options,
                        struct db **out_db)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_library);
    /* A leading "./" keeps ":memory:" and "file:..." plain names of files. */
    const char *file = path[0] == '/' ? path : arena_format(&ctx->arena, "./%s", path);
    size_t path_bytes = strlen(file) + 1;
    CLEANUP(sqlite_close_ptr)
    struct connection *connection = calloc(1, sizeof(*connection) + path_bytes);
    if (!connection)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "out of memory");
    memcpy(connection->path, file, path_bytes);
    connection->lock_wait_ms = options->lock_wait_ms;
    set_deadline(ctx, connection);
    if (!options->is_read_only)
        connection->gate = write_gate_open(file);
    if (!connection->gate && !options->is_read_only)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "can't open the database %s: %s", path,
                        strerrordesc_np(errno));
    enum err err = open_file(ctx, connection, file);
    if (err)
        return name_file(ctx, err == ERR_INTERNAL ? ERR_UNAVAILABLE : err, path);
    *out_db = db_new(&sqlite_driver, connection);
    connection = NULL; /* the db's */
    return ERR_OK;
}

const char *db_sqlite_library(void)
{
    return "SQLite " SQLITE_VERSION;
}
