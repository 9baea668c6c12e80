/* SPDX-License-Identifier: MIT
 *
 * The driver for MySQL and MariaDB servers, on MariaDB's Connector/C. Statements are prepared once
 * per connection and again after a reconnect; rows are read whole: several can be open at once.
 *
 * A dead connection is found by its use, or, before what can't be sent twice, by a look at its
 * socket; it is made again when no transaction is open. Sent twice are reads, what was never sent,
 * single writes that the server undid for a deadlock. A COMMIT without an answer is
 * ERR_UNAVAILABLE; who knows its rows finds out what became of it (db_find_out).
 * Deadlines: the socket is cut at the deadline itself (deadline_watch.h), which costs the
 * connection. The server is told a limit in whole seconds that is not below that, so that it soon
 * gives up what nobody waits for; it is not told again while that is up to half above what is left.
 * Depends on: db_driver.h, db_mysql_connect.h, db_mysql_statement.h (values and rows). */
#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/text.h"
#include "data/db_driver.h"
#include "data/db_mysql_connect.h"
#include "data/db_mysql_hosts.h"
#include "data/db_mysql_statement.h"
#include "data/deadline_watch.h"

/* Statements of a service: a set holds those whose addresses collide, the longest unused leaves. */
#define CACHE_SETS_COUNT   32
#define CACHE_WAYS_COUNT   4
#define CLEAN_UP_MS        1000
#define LIMIT_MAX_S        100000
#define SINGLE_TRIES_COUNT 5
#define MS_PER_S           1000
#define RETRY_MS           50

enum transaction { TRANSACTION_NONE, TRANSACTION_READ, TRANSACTION_WRITE, TRANSACTION_BROKEN };

struct connection {
    MYSQL *handle; /* NULL: there is none */
    struct db_mysql_hosts *hosts;
    struct watched watched;
    bool is_watched;
    int64_t lock_wait_ms;
    int64_t deadline_ms; /* of the call that runs */
    int64_t limit_s;     /* what the server was told, 0: nothing yet */
    int64_t last_id;
    uint64_t uses_count;
    size_t rows_open_count;
    enum transaction transaction;
    bool is_pinned;     /* holds a lock that would be lost with the connection */
    bool is_sent;       /* the server may have got what runs */
    bool is_repeatable; /* the last transaction did not happen and may run again */
    bool is_unsure;     /* its commit had no answer */
    bool is_misread;    /* the last failure was one of words that the server does not know */
    struct prepared cache[CACHE_SETS_COUNT][CACHE_WAYS_COUNT];
};

static const char snapshot_sql[] = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";

static const struct db_statement take_lock = {
    .sql = "SELECT GET_LOCK(CONCAT('notes.', SHA2(DATABASE(), 224)), ?)"};

/* --- What went wrong --- */

/* A handle is closed when it is no longer the connection's and no rows of it are read any more. */
static void close_unused(const struct connection *connection, MYSQL *handle)
{
    if (handle == connection->handle)
        return;
    for (size_t i = 0; i < CACHE_SETS_COUNT; i++)
        for (size_t k = 0; k < CACHE_WAYS_COUNT; k++)
            if (connection->cache[i][k].code && connection->cache[i][k].handle == handle)
                return;
    mysql_close(handle);
}

/* Gives the connection up: nothing of what follows waits for the server. The rows that are still
 * read are in memory. */
static void drop(struct connection *connection)
{
    if (!connection->handle)
        return;
    MYSQL *handle = TAKE(connection->handle);
    watch_hang_up(&connection->watched);
    for (size_t i = 0; i < CACHE_SETS_COUNT; i++)
        for (size_t k = 0; k < CACHE_WAYS_COUNT; k++)
            if (!connection->cache[i][k].is_in_use)
                prepared_free(&connection->cache[i][k]);
    connection->limit_s = 0;
    close_unused(connection, handle);
}

static bool is_in_transaction(const struct connection *connection)
{
    return connection->transaction == TRANSACTION_READ ||
           connection->transaction == TRANSACTION_WRITE;
}

/* ROLLBACK gets a moment of its own: it must happen. When it does not, the server does it as the
 * connection goes. */
static void undo(struct connection *connection, enum transaction after)
{
    if (connection->handle && is_in_transaction(connection)) {
        int64_t until_ms = clock_monotonic_ms() + CLEAN_UP_MS;
        if (!db_mysql_plain(connection->handle, &connection->watched, until_ms, "ROLLBACK"))
            drop(connection);
    }
    connection->transaction = after;
}

/* Tells what a call has just said, and leaves the connection as that needs. */
static enum err
fail(struct ctx *ctx, struct connection *connection, unsigned number, const char *message)
{
    struct db_mysql_code code = db_mysql_code(number);
    bool is_late = ctx_left_ms(ctx) == 0;
    enum err err =
        ctx_fail(ctx, code.err, "%s%s (%u)%s%s", is_late ? "deadline passed: " : "", code.name,
                 number, code.is_quiet ? "" : ": ", code.is_quiet ? "" : message);
    bool was_open = is_in_transaction(connection);
    connection->is_misread = number == DB_MYSQL_PARSE_NUMBER;
    if (code.effect == EFFECT_LOST || code.effect == EFFECT_MOVE) {
        bool is_refused = code.effect == EFFECT_MOVE;
        connection->is_repeatable = !is_refused || connection->hosts->url.hosts_count > 1;
        connection->is_sent = connection->is_sent && !is_refused;
        drop(connection);
    }
    if (code.effect == EFFECT_UNDONE)
        connection->is_repeatable = true;
    if (was_open && err == ERR_UNAVAILABLE)
        undo(connection, TRANSACTION_BROKEN);
    return err;
}

/* No number: the answer came just when the watch cut the socket, so the connection is lost. */
static enum err fail_query(struct ctx *ctx, struct connection *connection)
{
    unsigned number = mysql_errno(connection->handle);
    return fail(ctx, connection, number ? number : DB_MYSQL_LOST_NUMBER,
                mysql_error(connection->handle));
}

static enum err
fail_statement(struct ctx *ctx, struct connection *connection, const struct prepared *prepared)
{
    return fail(ctx, connection, mysql_stmt_errno(prepared->code),
                mysql_stmt_error(prepared->code));
}

/* --- Deadline --- */

static void watch(struct connection *connection)
{
    watch_begin(&connection->watched, connection->deadline_ms);
}

static bool plain_query(struct connection *connection, const char *sql)
{
    return db_mysql_plain(connection->handle, &connection->watched, connection->deadline_ms, sql);
}

/* --- Is there a connection? --- */

static enum err connect_any(struct ctx *ctx, struct connection *connection)
{
    connection->handle = db_mysql_connect(ctx, connection->hosts, &connection->watched);
    return connection->handle ? ERR_OK : ERR_UNAVAILABLE;
}

/* The peer has ended the connection: said so while nobody asked anything. */
static bool is_dead(const struct connection *connection)
{
    struct pollfd look = {.fd = connection->watched.socket, .events = POLLRDHUP};
    return poll(&look, 1, 0) != 0;
}

/* Tells the server how long anything may take. Only when what it knows is too long or too short by
 * half, so that a request costs no statement more. */
static enum err set_limits(struct ctx *ctx, struct connection *connection)
{
    int64_t left_ms = ctx_left_ms(ctx);
    bool is_endless = ctx->deadline_ms == INT64_MAX;
    int64_t wanted_s = (left_ms + MS_PER_S - 1) / MS_PER_S;
    if (is_endless || wanted_s > LIMIT_MAX_S)
        wanted_s = LIMIT_MAX_S;
    if (wanted_s < 1)
        wanted_s = 1;
    if (connection->limit_s >= wanted_s && connection->limit_s <= wanted_s + wanted_s / 2 + 1)
        return ERR_OK;
    int64_t wait_s = is_endless && connection->lock_wait_ms > 0
                         ? (connection->lock_wait_ms + MS_PER_S - 1) / MS_PER_S
                         : wanted_s;
    bool is_maria = connection->hosts->is_maria;
    const char *sql =
        arena_format(&ctx->arena,
                     "SET SESSION %s = %" PRId64 ", innodb_lock_wait_timeout = %" PRId64
                     ", lock_wait_timeout = %" PRId64,
                     is_maria ? "max_statement_time" : "max_execution_time",
                     is_endless ? 0 : wanted_s * (is_maria ? 1 : MS_PER_S), wait_s, wait_s);
    if (!plain_query(connection, sql))
        return fail_query(ctx, connection);
    connection->limit_s = wanted_s;
    return ERR_OK;
}

/* Before anything is sent: is there a connection, and is it alive? What can be sent again finds
 * that out by being sent. */
static enum err start_call(struct ctx *ctx, struct connection *connection, bool can_repeat)
{
    if (connection->transaction == TRANSACTION_BROKEN)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "the transaction was undone by an earlier failure");
    connection->deadline_ms = ctx->deadline_ms;
    connection->is_sent = false;
    bool is_bound = connection->is_pinned || is_in_transaction(connection);
    if (!is_bound && watch_is_stuck())
        return ctx_fail(ctx, ERR_UNAVAILABLE, "the database stands still: not asked just now");
    if (!is_bound && connection->handle &&
        ((!can_repeat && is_dead(connection)) || db_mysql_hosts_look_again(connection->hosts)))
        drop(connection);
    if (!is_bound && !connection->handle) {
        enum err err = connect_any(ctx, connection);
        if (err)
            return err;
    }
    if (!connection->handle)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "the connection to the database was lost");
    return set_limits(ctx, connection);
}

/* --- Statements --- */

static struct prepared *find_prepared(struct connection *connection,
                                      const struct db_statement *statement)
{
    uint64_t hash = ((uint64_t)(uintptr_t)statement >> 3) * UINT64_C(0x9e3779b97f4a7c15);
    struct prepared *set = connection->cache[(hash >> 32) % CACHE_SETS_COUNT];
    struct prepared *oldest = NULL;
    for (size_t i = 0; i < CACHE_WAYS_COUNT; i++) {
        if (set[i].statement == statement && set[i].sql == statement->sql && !set[i].is_in_use)
            return &set[i];
        if (!set[i].is_in_use && (!oldest || set[i].used_at < oldest->used_at))
            oldest = &set[i];
    }
    return oldest;
}

static void forget(const struct connection *connection, struct prepared *prepared)
{
    MYSQL *handle = prepared->handle;
    prepared_free(prepared);
    close_unused(connection, handle);
}

/* Gives rows and statement back to the cache; of a connection that is gone nothing is kept. */
static void give_back(struct connection *connection, struct prepared *prepared)
{
    prepared->is_in_use = false;
    if (prepared->handle == connection->handle)
        mysql_stmt_free_result(prepared->code);
    else
        forget(connection, prepared);
}

/* An error amid rows leaves the statement such that its next use waits for the rest of them. */
static void give_back_failed(struct connection *connection, struct prepared *prepared)
{
    if (prepared->columns_count > 0)
        forget(connection, prepared);
    else
        give_back(connection, prepared);
}

static enum err prepare(struct ctx *ctx,
                        struct connection *connection,
                        const struct db_statement *statement,
                        struct prepared *place)
{
    prepared_free(place);
    place->handle = connection->handle;
    watch(connection);
    bool is_made = prepared_make(place, connection->handle, statement);
    watch_end(&connection->watched);
    if (is_made)
        return ERR_OK;
    place->is_in_use = true; /* its words are needed until the failure is told */
    enum err err = place->code && mysql_stmt_errno(place->code)
                       ? fail_statement(ctx, connection, place)
                       : ctx_fail(ctx, ERR_UNAVAILABLE, "out of memory");
    forget(connection, place);
    return err;
}

static enum err take_statement(struct ctx *ctx,
                               struct connection *connection,
                               const struct db_statement *statement,
                               struct prepared **out_prepared)
{
    struct prepared *prepared = find_prepared(connection, statement);
    if (!prepared)
        return ctx_fail(ctx, ERR_INTERNAL, "too many statements are open at once");
    if (prepared->statement != statement || prepared->sql != statement->sql) {
        enum err err = prepare(ctx, connection, statement, prepared);
        if (err)
            return err;
    }
    prepared->is_in_use = true;
    prepared->is_at_end = false;
    prepared->used_at = ++connection->uses_count;
    *out_prepared = prepared;
    return ERR_OK;
}

static enum err execute(struct ctx *ctx, struct connection *connection, struct prepared *prepared)
{
    connection->is_sent = true;
    watch(connection);
    bool is_done = prepared_execute(prepared);
    watch_end(&connection->watched);
    return is_done ? ERR_OK : fail_statement(ctx, connection, prepared);
}

static bool is_read(const struct db_statement *statement)
{
    return text_starts_with(statement->sql, "SELECT");
}

static enum err run_statement(struct ctx *ctx,
                              struct connection *connection,
                              const struct db_statement *statement,
                              struct db_values values,
                              struct prepared **out_prepared)
{
    struct prepared *prepared = NULL;
    enum err err = start_call(ctx, connection, is_read(statement));
    if (!err)
        err = take_statement(ctx, connection, statement, &prepared);
    if (err)
        return err;
    assert(prepared);
    err = prepared_bind(ctx, prepared, values);
    if (!err)
        err = execute(ctx, connection, prepared);
    if (err)
        give_back_failed(connection, prepared);
    else
        *out_prepared = prepared;
    return err;
}

/* May a single statement that failed be sent again? */
static bool is_worth_another(struct ctx *ctx,
                             const struct connection *connection,
                             bool is_select,
                             int tries_count)
{
    bool is_lost = !connection->handle;
    if (connection->transaction != TRANSACTION_NONE || connection->is_pinned ||
        ctx_left_ms(ctx) == 0)
        return false;
    if (is_lost)
        return tries_count == 1 && (is_select || !connection->is_sent) &&
               !db_mysql_hosts_are_away(connection->hosts);
    return connection->is_repeatable && tries_count < SINGLE_TRIES_COUNT;
}

/* Forgets the reason of a failure only when there is another try, whose own reason counts. */
static enum err run_again(struct ctx *ctx,
                          struct connection *connection,
                          const struct db_statement *statement,
                          struct db_values values,
                          struct prepared **out_prepared)
{
    for (int tries_count = 1;; tries_count++) {
        if (connection->transaction == TRANSACTION_NONE)
            connection->is_repeatable = false;
        enum err err = run_statement(ctx, connection, statement, values, out_prepared);
        if (err != ERR_UNAVAILABLE ||
            !is_worth_another(ctx, connection, is_read(statement), tries_count))
            return err;
        ctx_forgive(ctx);
    }
}

static enum err server_run(struct ctx *ctx,
                           void *state,
                           const struct db_statement *statement,
                           struct db_values values,
                           int64_t *out_changed_count)
{
    struct connection *connection = state;
    struct prepared *prepared = NULL;
    if (connection->transaction == TRANSACTION_READ)
        return ctx_fail(ctx, ERR_INTERNAL, "a write in a transaction that reads");
    if (connection->transaction == TRANSACTION_NONE && connection->rows_open_count > 0)
        return ctx_fail(ctx, ERR_INTERNAL,
                        "a write while rows are open, outside of a write transaction");
    enum err err = run_again(ctx, connection, statement, values, &prepared);
    if (err)
        return err;
    assert(prepared);
    bool has_rows = prepared->columns_count > 0;
    int64_t changed_count = has_rows ? 0 : (int64_t)mysql_stmt_affected_rows(prepared->code);
    if (mysql_stmt_insert_id(prepared->code))
        connection->last_id = (int64_t)mysql_stmt_insert_id(prepared->code);
    give_back(connection, prepared);
    if (has_rows)
        return ctx_fail(ctx, ERR_INTERNAL, "rows came where none are read: %s", statement->sql);
    *out_changed_count = changed_count;
    return ERR_OK;
}

static int64_t server_last_id(void *state)
{
    return ((const struct connection *)state)->last_id;
}

static enum err server_query(struct ctx *ctx,
                             void *state,
                             const struct db_statement *statement,
                             struct db_values values,
                             void **out_cursor)
{
    struct connection *connection = state;
    struct prepared *prepared = NULL;
    if (connection->transaction != TRANSACTION_WRITE && !is_read(statement))
        return ctx_fail(ctx, ERR_INTERNAL, "writing and reading rows needs a transaction: %s",
                        statement->sql);
    enum err err = run_again(ctx, connection, statement, values, &prepared);
    if (err)
        return err;
    assert(prepared);
    connection->rows_open_count++;
    *out_cursor = prepared;
    return ERR_OK;
}

static void end_rows(struct connection *connection, struct prepared *prepared)
{
    assert(prepared);
    if (prepared->is_at_end)
        return;
    prepared->is_at_end = true;
    connection->rows_open_count--;
}

static enum err server_next(struct ctx *ctx, void *state, void *cursor, bool *out_has_row)
{
    struct connection *connection = state;
    struct prepared *prepared = cursor;
    if (connection->transaction == TRANSACTION_BROKEN)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "the transaction was undone by an earlier failure");
    bool has_row = false;
    assert(prepared);
    if (!prepared->is_at_end && !prepared_fetch(prepared, &has_row))
        return fail_statement(ctx, connection, prepared);
    if (!has_row)
        end_rows(connection, prepared);
    *out_has_row = has_row;
    return ERR_OK;
}

static void server_rows_done(void *state, void *cursor)
{
    end_rows(state, cursor);
    give_back(state, cursor);
}

static struct db_value server_column(void *state, void *cursor, int column)
{
    (void)state;
    return prepared_column(cursor, column);
}

/* --- Transactions --- */

/* Nothing has happened yet, so that it is begun once more on a fresh connection. */
static enum err server_begin(struct ctx *ctx, void *state, bool is_write)
{
    struct connection *connection = state;
    assert(connection->transaction == TRANSACTION_NONE);
    const char *sql =
        is_write ? "START TRANSACTION" : "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
    connection->is_unsure = false;
    for (int tries_count = 1;; tries_count++) {
        connection->is_repeatable = false;
        enum err err = start_call(ctx, connection, true);
        if (!err && ((!is_write && !plain_query(connection, snapshot_sql)) ||
                     !plain_query(connection, sql)))
            err = fail_query(ctx, connection);
        if (!err) {
            connection->transaction = is_write ? TRANSACTION_WRITE : TRANSACTION_READ;
            return ERR_OK;
        }
        if (err != ERR_UNAVAILABLE || !is_worth_another(ctx, connection, true, tries_count))
            return err;
        ctx_forgive(ctx);
    }
}

static enum err server_commit(struct ctx *ctx, void *state)
{
    struct connection *connection = state;
    assert(connection->transaction != TRANSACTION_NONE);
    if (!is_in_transaction(connection)) {
        connection->transaction = TRANSACTION_NONE;
        return ctx_fail(ctx, ERR_UNAVAILABLE, "the transaction was undone by an earlier failure");
    }
    /* The work is done: its end gets a moment even when the deadline is there. */
    int64_t soon_ms = clock_monotonic_ms() + CLEAN_UP_MS;
    bool was_write = connection->transaction == TRANSACTION_WRITE;
    connection->deadline_ms = ctx->deadline_ms < soon_ms ? soon_ms : ctx->deadline_ms;
    enum err err = ERR_OK;
    if (plain_query(connection, "COMMIT")) {
        connection->transaction = TRANSACTION_NONE;
    } else {
        err = fail_query(ctx, connection);
        if (!connection->handle && was_write) { /* nobody knows, so nobody may repeat it */
            connection->is_repeatable = false;
            connection->is_unsure = true;
            const char *cause = arena_text(&ctx->arena, ctx->why.text);
            ctx_forgive(ctx);
            err = ctx_fail(ctx, ERR_UNAVAILABLE, "the outcome of the commit is unknown: %s", cause);
        }
    }
    undo(connection, TRANSACTION_NONE); /* what a failure left open */
    return err;
}

static void server_roll_back(void *state)
{
    undo(state, TRANSACTION_NONE);
}

static enum err server_script(struct ctx *ctx, void *state, const char *sql)
{
    struct connection *connection = state;
    enum err err = start_call(ctx, connection, false);
    if (err)
        return err;
    connection->is_sent = true;
    watch(connection);
    bool failed = mysql_set_server_option(connection->handle, MYSQL_OPTION_MULTI_STATEMENTS_ON) ||
                  !db_mysql_script(connection->handle, sql);
    watch_end(&connection->watched);
    if (failed)
        return fail_query(ctx, connection);
    watch(connection);
    failed = mysql_set_server_option(connection->handle, MYSQL_OPTION_MULTI_STATEMENTS_OFF);
    watch_end(&connection->watched);
    if (failed)
        return fail_query(ctx, connection);
    if (!is_in_transaction(connection) ||
        (connection->handle->server_status & SERVER_STATUS_IN_TRANS))
        return ERR_OK;
    undo(connection, TRANSACTION_BROKEN);
    return ctx_fail(ctx, ERR_INTERNAL, "the script ended the transaction that it ran in");
}

/* Asks even a connection that looks alive. */
static enum err server_ping(struct ctx *ctx, void *state)
{
    static const struct db_statement look = {.sql = "SELECT 1"};
    void *cursor = NULL;
    enum err err = server_query(ctx, state, &look, DB_NO_VALUES, &cursor);
    if (!err)
        server_rows_done(state, cursor);
    return err;
}

static bool server_is_repeatable(const void *state)
{
    return ((const struct connection *)state)->is_repeatable;
}

static bool server_is_unsure(const void *state)
{
    return ((const struct connection *)state)->is_unsure;
}

static bool server_is_refused(const void *state)
{
    const struct connection *connection = state;
    return !connection->handle && db_mysql_is_refused(connection->hosts);
}

static bool server_is_misread(const void *state)
{
    return ((const struct connection *)state)->is_misread;
}

/* --- The lock of migrations --- */

static enum err server_lock(struct ctx *ctx, void *state)
{
    struct connection *connection = state;
    int64_t wait_s = ctx_left_ms(ctx) / MS_PER_S;
    void *cursor = NULL;
    bool has_row = false;
    enum err err =
        server_query(ctx, state, &take_lock,
                     DB_VALUES(db_i64(wait_s < LIMIT_MAX_S ? wait_s : LIMIT_MAX_S)), &cursor);
    if (err)
        return err;
    err = server_next(ctx, state, cursor, &has_row);
    bool is_taken = !err && has_row && server_column(state, cursor, 0).number == 1;
    server_rows_done(state, cursor);
    if (!err && !is_taken)
        err = ctx_fail(ctx, ERR_UNAVAILABLE, "another program migrates the database for too long");
    connection->is_pinned = !err;
    return err;
}

static void server_unlock(void *state)
{
    static const char sql[] = "DO RELEASE_LOCK(CONCAT('notes.', SHA2(DATABASE(), 224)))";
    struct connection *connection = state;
    connection->is_pinned = false;
    connection->deadline_ms = clock_monotonic_ms() + CLEAN_UP_MS;
    if (connection->handle && !plain_query(connection, sql))
        drop(connection);
}

/* --- Open and close --- */

static void server_close(void *state)
{
    struct connection *connection = state;
    undo(connection, TRANSACTION_NONE);
    drop(connection);
    if (connection->is_watched)
        watch_remove(&connection->watched);
    db_mysql_hosts_free(connection->hosts);
    free(connection);
}

static const struct db_driver server_driver = {
    .engine = DB_MYSQL,
    .close = server_close,
    .run = server_run,
    .last_id = server_last_id,
    .query = server_query,
    .next = server_next,
    .rows_done = server_rows_done,
    .column = server_column,
    .begin = server_begin,
    .commit = server_commit,
    .roll_back = server_roll_back,
    .script = server_script,
    .ping = server_ping,
    .is_repeatable = server_is_repeatable,
    .is_unsure = server_is_unsure,
    .is_refused = server_is_refused,
    .is_misread = server_is_misread,
    .lock = server_lock,
    .unlock = server_unlock,
};

DEFINE_CLEANUP(struct connection *, server_close)

static enum err connect_patiently(struct ctx *ctx, struct connection *connection)
{
    int64_t until_ms = clock_monotonic_ms() + connection->lock_wait_ms;
    enum err err = connect_any(ctx, connection);
    while (err && clock_monotonic_ms() < until_ms && ctx_left_ms(ctx) > 0 &&
           !db_mysql_is_settled(connection->hosts)) {
        clock_sleep_ms(RETRY_MS);
        ctx_forgive(ctx);
        err = connect_any(ctx, connection);
    }
    return err;
}

enum err db_mysql_open(struct ctx *ctx, const struct db_options *options, struct db **out_db)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, db_mysql_start);
    CLEANUP(server_close_ptr) struct connection *connection = calloc(1, sizeof(*connection));
    if (!connection)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "out of memory");
    connection->lock_wait_ms = options->lock_wait_ms;
    connection->hosts = db_mysql_hosts_new(ctx, options);
    if (!connection->hosts)
        return ERR_UNAVAILABLE; // cppcheck-suppress memleak ; CLEANUP closes it
    connection->is_watched = watch_add(&connection->watched);
    if (!connection->is_watched)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "can't start the thread that watches deadlines");
    connection->deadline_ms = ctx->deadline_ms;
    enum err err = options->can_connect_later ? ERR_OK : connect_patiently(ctx, connection);
    if (err)
        return err;
    *out_db = db_new(&server_driver, connection);
    connection = NULL; /* the db's */
    return ERR_OK;
}
