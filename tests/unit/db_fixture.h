/* SPDX-License-Identifier: MIT
 *
 * What the tests of the SQLite driver share: a database file of its own for each test, with a few
 * tables, an open connection and a context. */
#ifndef NOTES_DB_FIXTURE_H
#define NOTES_DB_FIXTURE_H

#include "unit.h"

#include <stdio.h>

#include "base/ctx.h"
#include "data/db.h"
#include "temp_folder.h"

#define DB_FIXTURE_BUDGET_MS 60000

static const char db_fixture_schema[] =
    "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE, size INTEGER, data BLOB,"
    " CHECK (size <> 13)) STRICT;"
    "CREATE TABLE parts (thing INTEGER NOT NULL"
    " REFERENCES things DEFERRABLE INITIALLY DEFERRED) STRICT;"
    "CREATE TABLE pair (a INTEGER, b INTEGER) STRICT;"
    "INSERT INTO pair VALUES (1000, 0);";

static const struct db_statement insert = {
    "INSERT INTO things (name, size, data) VALUES (?, ?, ?)"};
static const struct db_statement count_things = {"SELECT count(*) FROM things"};
static const struct db_statement insert_returning = {
    "INSERT INTO things (name) VALUES (?) RETURNING id"};
static const struct db_statement insert_part = {"INSERT INTO parts (thing) VALUES (?)"};
static const struct db_statement names = {"SELECT name FROM things ORDER BY id"};
static const struct db_statement delete_all = {"DELETE FROM things"};

struct db_fixture {
    struct temp_folder folder;
    char url[144];
    char path[128];
    struct ctx ctx;
    struct db *db;
};

static inline struct db *db_fixture_open(struct db_fixture *fixture)
{
    struct db *db = NULL;
    assert_int_equal(db_open(&fixture->ctx, &(struct db_options){.url = fixture->url}, &db),
                     ERR_OK);
    return db;
}

static inline int db_fixture_new(void **state)
{
    struct db_fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    fixture->folder = temp_folder_new();
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/test.sqlite", fixture->folder.path);
    (void)snprintf(fixture->url, sizeof(fixture->url), "sqlite:%s", fixture->path);
    ctx_init(&fixture->ctx, NULL, DB_FIXTURE_BUDGET_MS);
    fixture->db = db_fixture_open(fixture);
    assert_int_equal(db_script(&fixture->ctx, fixture->db, db_fixture_schema), ERR_OK);
    *state = fixture;
    return 0;
}

static inline int db_fixture_free(void **state)
{
    struct db_fixture *fixture = *state;
    db_close(fixture->db);
    ctx_done(&fixture->ctx);
    temp_folder_done(&fixture->folder);
    free(fixture);
    return 0;
}

/* The first column of the only row. */
static inline int64_t number(struct ctx *ctx, struct db *db, const struct db_statement *statement)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    assert_int_equal(db_query(ctx, db, statement, DB_NO_VALUES, &rows), ERR_OK);
    assert_int_equal(db_next(ctx, &rows, &has_row), ERR_OK);
    assert_true(has_row);
    int64_t value = db_rows_i64(&rows, 0);
    assert_int_equal(db_next(ctx, &rows, &has_row), ERR_OK);
    assert_false(has_row);
    return value;
}

static inline void add_thing(struct db_fixture *fixture, struct db *db, const char *name)
{
    struct db_values values = DB_VALUES(db_text(name), db_i64(1), db_null());
    assert_int_equal(db_run(&fixture->ctx, db, &insert, values, NULL), ERR_OK);
}

/* The error, when its reason holds `why` as well. */
static inline enum err because(struct ctx *ctx, enum err err, const char *why)
{
    if (!strstr(ctx->why.text, why))
        fail_msg("\"%s\" is not in the reason \"%s\"", why, ctx->why.text);
    assert_non_null(ctx->why.file);
    ctx_forgive(ctx);
    return err;
}

/* A row of the list that main() runs. */
#define WITH_DB(test) cmocka_unit_test_setup_teardown(test, db_fixture_new, db_fixture_free)

#endif
