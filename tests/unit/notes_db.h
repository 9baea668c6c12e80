/* SPDX-License-Identifier: MIT
 *
 * A fresh database of notes-svc in a temporary folder, behind the failing driver:
 *     CLEANUP(notes_db_done) struct notes_db notes; notes_db_init(&notes); */
#ifndef NOTES_NOTES_DB_H
#define NOTES_NOTES_DB_H

#include "temp_folder.h"
#include "unit.h"

#include <stdio.h>

#include "base/ctx.h"
#include "data/db.h"
#include "data/migrate.h"
#include "fake_db.h"

#define NOTES_DB_BUDGET_MS 60000

extern const struct migrations notes_migrations;

struct notes_db {
    struct temp_folder folder;
    struct ctx ctx;
    struct db *db;
    struct fake_db *fake;
};

/* The storage must not move afterwards. */
static inline void notes_db_init(struct notes_db *notes)
{
    char url[128];
    struct db *real = NULL;
    int64_t applied_count = 0;
    notes->folder = temp_folder_new();
    ctx_init(&notes->ctx, NULL, NOTES_DB_BUDGET_MS);
    (void)snprintf(url, sizeof(url), "sqlite:%s/notes.sqlite", notes->folder.path);
    assert_int_equal(db_open(&notes->ctx, &(struct db_options){.url = url}, &real), ERR_OK);
    assert_int_equal(migrate_run(&notes->ctx, real, &notes_migrations, &applied_count), ERR_OK);
    assert_int_equal(applied_count, (int64_t)notes_migrations.count);
    notes->db = fake_db_new(real, &notes->fake);
}

static inline void notes_db_done(struct notes_db *notes)
{
    db_close(notes->db);
    ctx_done(&notes->ctx);
    temp_folder_done(&notes->folder);
}

/* The number that a query without values gives in its first row. */
static inline int64_t notes_db_number(struct notes_db *notes, const struct db_statement *statement)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    assert_int_equal(db_query(&notes->ctx, notes->db, statement, DB_NO_VALUES, &rows), ERR_OK);
    assert_int_equal(db_next(&notes->ctx, &rows, &has_row), ERR_OK);
    assert_true(has_row);
    return db_rows_i64(&rows, 0);
}

#endif
