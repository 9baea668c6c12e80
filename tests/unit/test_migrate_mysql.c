/* SPDX-License-Identifier: MIT
 *
 * Migrations on a real MariaDB: several programs at once, and a start that was cut off. */
#include "unit.h"

#include <pthread.h>

#include "data/migrate.h"
#include "mysql_bench.h"

struct starter {
    struct bench bench;
    int64_t applied_count;
    enum err err;
};

/* clang-format off */
static const struct migration two[] = {
    {.version = 1, .name = "one", .oldest_program = 1,
     .sql = "-- it's; a comment\nCREATE TABLE a (x INTEGER PRIMARY KEY);\nINSERT INTO a VALUES (1);\n"
            "CREATE TABLE b (y TEXT) /* ; */;\n"},
    {.version = 2, .name = "two", .oldest_program = 1,
     .sql = "INSERT INTO b VALUES ('a;b -- c');\nALTER TABLE a ADD COLUMN z INTEGER;\n"
            "INSERT INTO a VALUES (2, 2);\n"},
};
static const struct migration bad[] = {
    {.version = 1, .name = "one", .oldest_program = 1, 
     .sql = "CREATE TABLE a (x INTEGER); CREATE TABLE things (x INTEGER);"},
};
/* clang-format on */
static const struct db_statement sum_of_a = {"SELECT sum(x) FROM a"};
static const struct db_statement count_steps = {"SELECT count(*) FROM schema_migration_steps"};

static void *migrate_beside(void *argument)
{
    struct starter *starter = argument;
    const struct migrations list = {.items = two, .count = ARRAY_COUNT(two)};
    int64_t applied_count = 0;
    starter->err = migrate_run(&starter->bench.ctx, starter->bench.db, &list, &applied_count);
    starter->applied_count = applied_count;
    return NULL;
}

static void several_programs_migrate_at_once_and_one_does_it(void **state)
{
    struct bench *bench = bench_of(state);
    struct starter crowd[5] = {0};
    pthread_t threads[5];
    int64_t applied_count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(crowd); i++) {
        ctx_init(&crowd[i].bench.ctx, NULL, BUDGET_MS);
        crowd[i].bench.db = open_another(bench);
        assert_int_equal(pthread_create(&threads[i], NULL, migrate_beside, &crowd[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_COUNT(crowd); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        if (crowd[i].err)
            fail_msg("%s", crowd[i].bench.ctx.why.text);
        applied_count += crowd[i].applied_count;
        db_close(crowd[i].bench.db);
        ctx_done(&crowd[i].bench.ctx);
    }
    assert_int_equal(applied_count, 2);
    assert_int_equal(number(bench, bench->db, &sum_of_a), 3);
    assert_int_equal(number(bench, bench->db, &count_steps), 0);
}

/* The journal as a program leaves it that is killed: before a statement, and between the statement
 * and the word that it is done. */
static void a_migration_that_was_cut_off_goes_on(void **state)
{
    struct bench *bench = bench_of(state);
    static const char *const JOURNALS[] = {"(1, 1, 0)", "(1, 0, 1)", "(1, 1, 1)", "(1, 2, 1)"};
    static const char *const DONE[] = {"", "", "INSERT INTO a VALUES (1);",
                                       "INSERT INTO a VALUES (1); CREATE TABLE b (y TEXT);"};
    const struct migrations list = {.items = two, .count = ARRAY_COUNT(two)};
    for (size_t i = 0; i < ARRAY_COUNT(JOURNALS); i++) {
        int64_t applied_count = 0;
        mariadb_server_sql(arena_format(
            &bench->ctx.arena,
            "USE notes_unit; DROP TABLE IF EXISTS a, b, schema_migrations, schema_migration_steps;"
            "CREATE TABLE a (x INTEGER PRIMARY KEY); %s"
            "CREATE TABLE schema_migration_steps (version INTEGER NOT NULL PRIMARY KEY,"
            " done_count INTEGER NOT NULL, is_running INTEGER NOT NULL);"
            "INSERT INTO schema_migration_steps VALUES %s",
            DONE[i], JOURNALS[i]));
        if (migrate_run(&bench->ctx, bench->db, &list, &applied_count))
            fail_msg("%zu: %s", i, bench->ctx.why.text);
        assert_int_equal(applied_count, 2);
        assert_int_equal(number(bench, bench->db, &sum_of_a), 3);
        assert_int_equal(number(bench, bench->db, &count_steps), 0);
    }
}

static void a_table_of_somebody_else_is_no_step_that_was_done(void **state)
{
    struct bench *bench = bench_of(state);
    const struct migrations list = {.items = bad, .count = ARRAY_COUNT(bad)};
    int64_t applied_count = 0;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(migrate_run(&bench->ctx, bench->db, &list, &applied_count), ERR_CONFLICT);
        assert_told(bench, "migration 1 (one): ER_TABLE_EXISTS_ERROR");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(several_programs_migrate_at_once_and_one_does_it),
        WITH_BENCH(a_migration_that_was_cut_off_goes_on),
        WITH_BENCH(a_table_of_somebody_else_is_no_step_that_was_done),
    };
    return mysql_bench_main(tests);
}
