/* SPDX-License-Identifier: MIT
 *
 * The yardstick of whatever asks the database: the same prepared statements, over and over, on as
 * many connections, each with a thread, and nothing around them.
 *
 * usage: sql_loop PORT USER DATABASE CONNECTIONS DURATION_MS FIRST SCRIPT, the password in
 * SQL_PASSWORD. SCRIPT is one round: a statement a line, its values behind it, divided by tabs:
 *   k:PREFIX:COUNT  PREFIX and seven digits: another number below COUNT in each round
 *   i:NUMBER        a number                 t:TEXT  a text
 *   c:N             column N of the first row that a statement of this round gave; r:N one more
 * What has no values (the begin and the end of a transaction) is sent as it is, not prepared.
 * Prints {"count": rounds, "seconds": ..., "statements": ...}.
 * Depends on: bench.h, clock.h, the MySQL client library. */
#include "bench.h"

#include "base/clock.h"
#include "base/parse.h"

#include <mysql.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATEMENTS_MAX_COUNT 16
#define VALUES_MAX_COUNT     8
#define COLUMNS_MAX_COUNT    16
#define COLUMN_BYTES         65536
#define KEY_STRIDE           7919 /* prime: neighbours in time are no neighbours in the table */
#define KEY_DIGITS           7

struct value {
    char kind;
    const char *text;
    int64_t number;
};

struct line {
    char *sql;
    struct value values[VALUES_MAX_COUNT];
    unsigned values_count;
};

struct script {
    struct line lines[STATEMENTS_MAX_COUNT];
    unsigned count;
};

struct loop {
    const struct script *script;
    MYSQL *handle;
    MYSQL_STMT *statements[STATEMENTS_MAX_COUNT];
    MYSQL_BIND results[STATEMENTS_MAX_COUNT][COLUMNS_MAX_COUNT];
    unsigned columns_counts[STATEMENTS_MAX_COUNT];
    char *texts[COLUMNS_MAX_COUNT]; /* where texts are read to */
    int64_t numbers[COLUMNS_MAX_COUNT];
    int64_t first_row[COLUMNS_MAX_COUNT];
    bool has_first_row;
    int64_t rounds_count;
    pthread_t thread;
};

static _Atomic int64_t next_number;
static int64_t until_us;

/* ---- the script ---- */

static struct value read_value(char *text)
{
    struct value value = {.kind = text[0], .text = text + 2};
    char *rest = text + 2;
    if (text[0] == '\0' || text[1] != ':')
        bench_die("a value begins with k:, i:, t:, c: or r:, not with \"%s\"", text);
    if (value.kind == 'k') {
        value.text = strsep(&rest, ":");
        value.number = bench_number(rest, 1, INT64_MAX);
    } else if (value.kind != 't') {
        value.number = bench_number(rest, 0, INT64_MAX);
    }
    return value;
}

static void read_script(char *text, struct script *script)
{
    for (char *line = strsep(&text, "\n"); line; line = strsep(&text, "\n")) {
        if (line[0] == '\0')
            continue;
        if (script->count == STATEMENTS_MAX_COUNT)
            bench_die("more than %d statements", STATEMENTS_MAX_COUNT);
        struct line *out = &script->lines[script->count++];
        out->sql = strsep(&line, "\t");
        for (char *value = strsep(&line, "\t"); value; value = strsep(&line, "\t")) {
            if (out->values_count == VALUES_MAX_COUNT)
                bench_die("more than %d values", VALUES_MAX_COUNT);
            out->values[out->values_count++] = read_value(value);
        }
    }
}

/* ---- a connection ---- */

static void die_of(const struct loop *loop, const char *what)
{
    bench_die("%s: %s", what, mysql_error(loop->handle));
}

static void bind_results(struct loop *loop, unsigned place, MYSQL_RES *columns)
{
    MYSQL_BIND *binds = loop->results[place];
    unsigned count = mysql_num_fields(columns);
    if (count > COLUMNS_MAX_COUNT)
        bench_die("more than %d columns", COLUMNS_MAX_COUNT);
    loop->columns_counts[place] = count;
    for (unsigned i = 0; i < count; i++) {
        bool is_number = mysql_fetch_field_direct(columns, i)->type == MYSQL_TYPE_LONGLONG;
        binds[i].buffer_type = is_number ? MYSQL_TYPE_LONGLONG : MYSQL_TYPE_STRING;
        binds[i].buffer = is_number ? (void *)&loop->numbers[i] : (void *)loop->texts[i];
        binds[i].buffer_length = is_number ? sizeof(loop->numbers[i]) : COLUMN_BYTES;
    }
}

static void prepare(struct loop *loop, unsigned place)
{
    const char *sql = loop->script->lines[place].sql;
    if (loop->script->lines[place].values_count == 0)
        return;
    MYSQL_STMT *statement = mysql_stmt_init(loop->handle);
    if (!statement || mysql_stmt_prepare(statement, sql, strlen(sql)) != 0)
        die_of(loop, sql);
    if (mysql_stmt_param_count(statement) != loop->script->lines[place].values_count)
        bench_die("%lu values are wanted: %s", mysql_stmt_param_count(statement), sql);
    loop->statements[place] = statement;
    MYSQL_RES *columns = mysql_stmt_result_metadata(statement);
    if (!columns)
        return;
    bind_results(loop, place, columns);
    mysql_free_result(columns);
    if (mysql_stmt_bind_result(statement, loop->results[place]))
        die_of(loop, sql);
}

static void open_loop(struct loop *loop, char **argv)
{
    loop->handle = mysql_init(NULL);
    if (!mysql_real_connect(loop->handle, "127.0.0.1", argv[2], getenv("SQL_PASSWORD"), argv[3],
                            (unsigned)bench_number(argv[1], 1, 65535), NULL, 0) ||
        mysql_set_character_set(loop->handle, "utf8mb4") != 0 ||
        mysql_query(loop->handle, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED") != 0)
        die_of(loop, "connect");
    for (unsigned i = 0; i < COLUMNS_MAX_COUNT; i++) {
        loop->texts[i] = malloc(COLUMN_BYTES);
        if (!loop->texts[i])
            bench_die("no memory");
    }
    for (unsigned i = 0; i < loop->script->count; i++)
        prepare(loop, i);
}

/* ---- a round ---- */

static void
set_value(const struct loop *loop, const struct value *value, int64_t number, MYSQL_BIND *bind)
{
    static _Thread_local char keys[VALUES_MAX_COUNT][64];
    static _Thread_local int64_t numbers[VALUES_MAX_COUNT];
    static _Thread_local unsigned place;
    place = (place + 1) % VALUES_MAX_COUNT;
    if (value->kind == 'k' || value->kind == 't') {
        const char *text = value->text;
        if (value->kind == 'k') {
            (void)snprintf(keys[place], sizeof(keys[place]), "%s%0*lld", value->text, KEY_DIGITS,
                           (long long)(number * KEY_STRIDE % value->number));
            text = keys[place];
        }
        bind->buffer_type = MYSQL_TYPE_STRING;
        bind->buffer = (void *)(uintptr_t)text;
        bind->buffer_length = strlen(text);
        return;
    }
    numbers[place] = value->number;
    if (value->kind != 'i')
        numbers[place] = loop->first_row[value->number] + (value->kind == 'r');
    bind->buffer_type = MYSQL_TYPE_LONGLONG;
    bind->buffer = &numbers[place];
}

static void read_rows(struct loop *loop, unsigned place)
{
    MYSQL_STMT *statement = loop->statements[place];
    if (mysql_stmt_store_result(statement) != 0)
        die_of(loop, "rows");
    for (int code = mysql_stmt_fetch(statement); code == 0; code = mysql_stmt_fetch(statement)) {
        if (!loop->has_first_row)
            memcpy(loop->first_row, loop->numbers, sizeof(loop->first_row));
        loop->has_first_row = true;
    }
    (void)mysql_stmt_free_result(statement);
}

/* False: the server undid the transaction for another's sake, so that the round counts nothing. */
static bool run_statement(struct loop *loop, unsigned place, int64_t number)
{
    MYSQL_BIND binds[VALUES_MAX_COUNT] = {0};
    const struct line *line = &loop->script->lines[place];
    MYSQL_STMT *statement = loop->statements[place];
    if (!statement && mysql_query(loop->handle, line->sql) != 0)
        die_of(loop, line->sql);
    if (!statement)
        return true;
    for (unsigned i = 0; i < line->values_count; i++)
        set_value(loop, &line->values[i], number, &binds[i]);
    if (mysql_stmt_bind_param(statement, binds) || mysql_stmt_execute(statement) != 0) {
        if (mysql_stmt_errno(statement) != 1213) /* deadlock */
            bench_die("%s: %s", line->sql, mysql_stmt_error(statement));
        return false;
    }
    if (loop->columns_counts[place] > 0)
        read_rows(loop, place);
    return true;
}

static void *run(void *argument)
{
    struct loop *loop = argument;
    while (clock_monotonic_us() < until_us) {
        int64_t number = atomic_fetch_add(&next_number, 1);
        bool is_done = true;
        loop->has_first_row = false;
        for (unsigned i = 0; is_done && i < loop->script->count; i++)
            is_done = run_statement(loop, i, number);
        loop->rounds_count += is_done;
    }
    mysql_thread_end();
    return NULL;
}

int main(int argc, char **argv)
{
    static struct script script;
    size_t size_bytes = 0;
    int64_t rounds_count = 0;
    if (argc != 8 || mysql_library_init(0, NULL, NULL) != 0)
        bench_die("usage: sql_loop PORT USER DATABASE CONNECTIONS DURATION_MS FIRST SCRIPT");
    size_t loops_count = (size_t)bench_number(argv[4], 1, 1000);
    int64_t duration_us = bench_number(argv[5], 1, 600000) * 1000;
    atomic_store(&next_number, bench_number(argv[6], 0, INT64_MAX / KEY_STRIDE / 2));
    read_script(bench_file(argv[7], &size_bytes), &script);
    struct loop *loops = calloc(loops_count, sizeof(*loops));
    if (!loops)
        bench_die("no memory");
    for (size_t i = 0; i < loops_count; i++) {
        loops[i].script = &script;
        open_loop(&loops[i], argv);
    }
    int64_t begun_us = clock_monotonic_us();
    until_us = begun_us + duration_us;
    for (size_t i = 0; i < loops_count; i++) {
        if (pthread_create(&loops[i].thread, NULL, run, &loops[i]) != 0)
            bench_die("no thread");
    }
    for (size_t i = 0; i < loops_count; i++) {
        (void)pthread_join(loops[i].thread, NULL);
        rounds_count += loops[i].rounds_count;
    }
    (void)printf("{\"count\": %lld, \"seconds\": %.6f, \"statements\": %u}\n",
                 (long long)rounds_count, (double)(clock_monotonic_us() - begun_us) / 1e6,
                 script.count);
    return 0;
}
