/* SPDX-License-Identifier: MIT
 *
 * What the tests of the MySQL driver share: one private server for the program, a fresh database
 * `notes_unit` with a table for each test, a connection to it. Without MariaDB each test is skipped
 * and says so. */
#ifndef NOTES_MYSQL_BENCH_H
#define NOTES_MYSQL_BENCH_H

#include "unit.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "data/db.h"
#include "mariadb_server.h"

#define BUDGET_MS 60000

static const struct db_statement insert = {
    "INSERT INTO things (name, size, data, words) VALUES (?, ?, ?, ?)"};
static const struct db_statement find = {"SELECT id, size, data, words FROM things WHERE name = ?"};
static const struct db_statement set_size = {"UPDATE things SET size = ? WHERE name = ?"};
static const struct db_statement lock_one = {
    "SELECT size FROM things WHERE name = ?",
    .mysql = "SELECT size FROM things WHERE name = ? FOR UPDATE"};
static const struct db_statement count_all = {"SELECT count(*) FROM things"};
static const struct db_statement sum_all = {"SELECT sum(size) FROM things"};
static const struct db_statement names = {"SELECT words FROM things ORDER BY id"};
static const struct db_statement sleep_long = {"SELECT SLEEP(20)"};
static const struct db_statement wrong = {"SELECT nothing FROM nowhere"};
static const struct db_statement own_id = {"SELECT CONNECTION_ID()"};
static const struct db_statement mode = {
    "SELECT CONCAT(@@sql_mode, ' ', @@time_zone, ' ', @@character_set_client)"};

struct bench {
    struct ctx ctx;
    struct db *db;
    char url[160];
};

static bool has_server;

static inline struct db *open_another(struct bench *bench)
{
    struct db *db = NULL;
    enum err err =
        db_open(&bench->ctx, &(struct db_options){.url = bench->url, .lock_wait_ms = 5000}, &db);
    if (err)
        fail_msg("%s", bench->ctx.why.text);
    return db;
}

static inline void fill_url(struct bench *bench, const char *hosts)
{
    (void)snprintf(bench->url, sizeof(bench->url), "mysql://%s:%s@%s/notes_unit", MARIADB_USER,
                   MARIADB_URL_PASSWORD, hosts);
}

static inline int bench_new(void **state)
{
    if (!has_server)
        return 0;
    struct bench *bench = calloc(1, sizeof(*bench));
    char hosts[40];
    assert_non_null(bench);
    mariadb_server_sql("DROP DATABASE IF EXISTS notes_unit; CREATE DATABASE notes_unit;"
                       "CREATE TABLE notes_unit.things (id BIGINT AUTO_INCREMENT PRIMARY KEY,"
                       " name VARBINARY(1020) UNIQUE, size BIGINT, data BLOB,"
                       " words MEDIUMTEXT CHARACTER SET utf8mb4)");
    (void)snprintf(hosts, sizeof(hosts), "127.0.0.1:%d", mariadb_server_port());
    fill_url(bench, hosts);
    ctx_init(&bench->ctx, NULL, BUDGET_MS);
    bench->db = open_another(bench);
    *state = bench;
    return 0;
}

static inline int bench_free(void **state)
{
    struct bench *bench = *state;
    if (!bench)
        return 0;
    db_close(bench->db);
    ctx_done(&bench->ctx);
    free(bench);
    return 0;
}

/* The bench, or the end of the test where there is no server. */
static inline struct bench *bench_of(void **state)
{
    if (!*state) {
        print_message("no MariaDB on this machine: install mariadb-server\n");
        skip();
    }
    return *state;
}

static inline enum err add(struct bench *bench, struct db *db, const char *name, int64_t size)
{
    return db_run(&bench->ctx, db, &insert,
                  DB_VALUES(db_text(name), db_i64(size), db_null(), db_text(name)), NULL);
}

static inline enum err number_of(struct bench *bench,
                                 struct db *db,
                                 const struct db_statement *statement,
                                 struct db_values values,
                                 int64_t *out_number)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(&bench->ctx, db, statement, values, &rows);
    if (!err)
        err = db_next(&bench->ctx, &rows, &has_row);
    if (!err)
        *out_number = has_row ? db_rows_i64(&rows, 0) : -1;
    return err;
}

static inline int64_t
number(struct bench *bench, struct db *db, const struct db_statement *statement)
{
    int64_t result = -2;
    if (number_of(bench, db, statement, DB_NO_VALUES, &result))
        fail_msg("%s", bench->ctx.why.text);
    return result;
}

static inline int64_t id_of(struct bench *bench, const char *name)
{
    int64_t id = -2;
    assert_int_equal(number_of(bench, bench->db, &find, DB_VALUES(db_text(name)), &id), ERR_OK);
    return id;
}

static inline void assert_told(struct bench *bench, const char *what)
{
    if (!strstr(bench->ctx.why.text, what))
        fail_msg("\"%s\" is not in \"%s\"", what, bench->ctx.why.text);
    ctx_forgive(&bench->ctx);
}

static inline void budget(struct bench *bench, int64_t budget_ms)
{
    bench->ctx.deadline_ms = clock_monotonic_ms() + budget_ms;
}

/* A row of the list that main() runs. */
#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_new, bench_free)

/* What main() returns. */
#define mysql_bench_main(tests) \
    (mysql_bench_start() ? mysql_bench_end(cmocka_run_group_tests(tests, NULL, NULL)) : 1)

static inline bool mysql_bench_start(void)
{
    has_server = mariadb_server_install();
    return secret_start();
}

static inline int mysql_bench_end(int failed_count)
{
    mariadb_server_remove();
    return failed_count;
}

#endif
