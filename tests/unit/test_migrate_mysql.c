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
static const struct migration slow[] = {
    {.version = 1, .name = "one", .oldest_program = 1, .sql = "CREATE TABLE a (x INTEGER); DO SLEEP(4);"},
};
static const struct migration altering[] = {
    {.version = 1, .name = "one", .oldest_program = 1, .sql = "ALTER TABLE things ADD COLUMN later INTEGER"},
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

static void what_takes_longer_than_the_deadline_is_applied(void **state)
{
    struct bench *bench = bench_of(state);
    const struct migrations list = {.items = slow, .count = ARRAY_COUNT(slow)};
    int64_t applied_count = 0;
    budget(bench, 2000);
    if (migrate_run(&bench->ctx, bench->db, &list, &applied_count))
        fail_msg("%s", bench->ctx.why.text);
    assert_int_equal(applied_count, 1);
    assert_true(bench->ctx.deadline_ms < INT64_MAX);
    budget(bench, BUDGET_MS);
    assert_int_equal(number(bench, bench->db, &count_steps), 0);
}

/* Of a table that an open transaction has read, too. */
static void a_lock_is_not_waited_for_without_end(void **state)
{
    struct bench *bench = bench_of(state);
    const struct migrations list = {.items = altering, .count = ARRAY_COUNT(altering)};
    struct db *holder = open_another(bench);
    struct db *db = NULL;
    int64_t applied_count = 0;
    assert_int_equal(
        db_open(&bench->ctx, &(struct db_options){.url = bench->url, .lock_wait_ms = 1000}, &db),
        ERR_OK);
    struct db_transaction tx = {0};
    assert_int_equal(db_begin(&bench->ctx, holder, &tx), ERR_OK);
    assert_int_equal(number(bench, holder, &count_all), 0);
    assert_int_equal(migrate_run(&bench->ctx, db, &list, &applied_count), ERR_UNAVAILABLE);
    assert_told(bench, "ER_LOCK_WAIT_TIMEOUT");
    db_transaction_done(&tx);
    assert_int_equal(migrate_run(&bench->ctx, db, &list, &applied_count), ERR_OK);
    assert_int_equal(applied_count, 1);
    db_close(db);
    db_close(holder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(several_programs_migrate_at_once_and_one_does_it),
        WITH_BENCH(a_migration_that_was_cut_off_goes_on),
        WITH_BENCH(a_table_of_somebody_else_is_no_step_that_was_done),
        WITH_BENCH(what_takes_longer_than_the_deadline_is_applied),
        WITH_BENCH(a_lock_is_not_waited_for_without_end),
    };
    return mysql_bench_main(tests);
}
