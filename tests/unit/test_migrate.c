/* SPDX-License-Identifier: MIT
 *
 * Migrations on real files: what is applied, what is refused, what is left after a failure, and
 * several processes and threads that start on one database at once. */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "data/db.h"
#include "data/db_driver.h"
#include "data/migrate.h"
#include "fake_db.h"
#include "temp_folder.h"

#define BUDGET_MS       60000
#define SCRIPT_MS       20
#define STARTERS_COUNT  6
#define UNTOUCHED_COUNT (-7)

/* clang-format off */
static const struct migration three[] = {
    {.version = 1, .name = "notes", .oldest_program = 1, .sql = "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);"},
    {.version = 2, .name = "more", .oldest_program = 1, .sql = "-- only a comment\nALTER TABLE a ADD COLUMN y TEXT;"},
    {.version = 3, .name = "break", .oldest_program = 3, .sql = "UPDATE a SET x = x + 1, y = 'three';"},
};
static const struct migration with_fault[] = {
    {.version = 1, .name = "notes", .oldest_program = 1, .sql = "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);"},
    {.version = 2, .name = "bad", .oldest_program = 1, .sql = "CREATE TABLE b (x INTEGER); INSERT INTO nowhere VALUES (1);"},
};
static const struct migration with_commit[] = {
    {.version = 1, .name = "bad", .oldest_program = 1, .sql = "CREATE TABLE a (x INTEGER); COMMIT;"},
};
static const struct migration of_users[] = {
    {.version = 1, .name = "users", .oldest_program = 1, .sql = "CREATE TABLE users (x INTEGER)"},
};
/* clang-format on */

static const struct db_statement count_tables = {
    "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"};
static const struct db_statement sum_of_a = {"SELECT sum(x) FROM a"};
static const struct db_statement count_rows = {"SELECT count(*) FROM schema_migrations"};
static const struct db_statement times = {
    "SELECT count(*) FROM schema_migrations WHERE applied_unix_ms > 1700000000000"};

static struct migrations first(const struct migration *items, size_t count)
{
    return (struct migrations){.items = items, .count = count};
}

static struct db *open_db(struct ctx *ctx, const struct temp_folder *folder)
{
    char url[128];
    (void)snprintf(url, sizeof(url), "sqlite:%s/test.sqlite", folder->path);
    struct db *db = NULL;
    assert_int_equal(db_open(ctx, &(struct db_options){.url = url}, &db), ERR_OK);
    return db;
}

static int64_t number(struct db *db, const struct db_statement *statement)
{
    struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    struct db_rows rows = {0};
    bool has_row = false;
    assert_int_equal(db_query(&ctx, db, statement, DB_NO_VALUES, &rows), ERR_OK);
    assert_int_equal(db_next(&ctx, &rows, &has_row), ERR_OK);
    assert_true(has_row);
    int64_t value = db_rows_i64(&rows, 0);
    db_rows_done(&rows);
    ctx_done(&ctx);
    return value;
}

/* Runs the migrations and closes; gives the error, and the reason in ctx. */
static enum err migrate(struct ctx *ctx,
                        const struct temp_folder *folder,
                        struct migrations migrations,
                        int64_t *out_count)
{
    struct db *db = open_db(ctx, folder);
    enum err err = migrate_run(ctx, db, &migrations, out_count);
    db_close(db);
    return err;
}

static void a_fresh_database_gets_all_and_then_none(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    int64_t applied_count = UNTOUCHED_COUNT;
    assert_int_equal(migrate(&ctx, &folder, first(three, 3), &applied_count), ERR_OK);
    assert_int_equal(applied_count, 3);
    assert_int_equal(migrate(&ctx, &folder, first(three, 3), &applied_count), ERR_OK);
    assert_int_equal(applied_count, 0);
    struct db *db = open_db(&ctx, &folder);
    assert_int_equal(number(db, &sum_of_a), 2);
    assert_int_equal(number(db, &count_rows), 3);
    assert_int_equal(number(db, &times), 3);
    db_close(db);
}

static void an_older_database_gets_what_it_lacks(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    int64_t applied_count = UNTOUCHED_COUNT;
    assert_int_equal(migrate(&ctx, &folder, first(three, 1), &applied_count), ERR_OK);
    assert_int_equal(applied_count, 1);
    assert_int_equal(migrate(&ctx, &folder, first(three, 3), &applied_count), ERR_OK);
    assert_int_equal(applied_count, 2);
}

static void a_program_one_release_back_runs_when_the_newer_migration_allows_it(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    int64_t applied_count = UNTOUCHED_COUNT;
    assert_int_equal(migrate(&ctx, &folder, first(three, 2), &applied_count), ERR_OK);
    assert_int_equal(migrate(&ctx, &folder, first(three, 1), &applied_count), ERR_OK);
    assert_int_equal(applied_count, 0);
}

static void a_program_that_is_too_old_is_refused_with_the_numbers(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    int64_t applied_count = UNTOUCHED_COUNT;
    assert_int_equal(migrate(&ctx, &folder, first(three, 3), &applied_count), ERR_OK);
    applied_count = UNTOUCHED_COUNT;
    assert_int_equal(migrate(&ctx, &folder, first(three, 2), &applied_count), ERR_CONFLICT);
    assert_int_equal(applied_count, UNTOUCHED_COUNT);
    assert_string_equal(ctx.why.text,
                        "the database was made by a newer program: it is at migration 3 and needs"
                        " one that knows migration 3, this one knows 2. Install the newer program,"
                        " or restore a backup");
}

static void a_database_of_another_program_is_refused_untouched(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    int64_t applied_count = UNTOUCHED_COUNT;
    assert_int_equal(migrate(&ctx, &folder, first(of_users, 1), &applied_count), ERR_OK);
    applied_count = UNTOUCHED_COUNT;
    assert_int_equal(migrate(&ctx, &folder, first(three, 3), &applied_count), ERR_CONFLICT);
    assert_int_equal(applied_count, UNTOUCHED_COUNT);
    assert_string_equal(
        ctx.why.text,
        "this database belongs to userauth-svc; DATABASE_URL must name notes-svc's own");
    struct db *db = open_db(&ctx, &folder);
    assert_int_equal(number(db, &count_rows), 1);
    assert_int_equal(number(db, &count_tables), 2);
    db_close(db);
}

static void a_tool_checks_whose_database_it_is_and_changes_nothing(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    struct db *db = open_db(&ctx, &folder);
    struct migrations ours = first(three, 3);
    assert_int_equal(migrate_check(&ctx, db, &ours), ERR_CONFLICT);
    assert_string_equal(ctx.why.text,
                        "this database has no tables of ours; does DATABASE_URL name another one?"
                        " SQLITE_ERROR: no such table: schema_migrations");
    assert_int_equal(number(db, &count_tables), 0);
    ctx_forgive(&ctx);
    int64_t applied_count = UNTOUCHED_COUNT;
    assert_int_equal(migrate(&ctx, &folder, ours, &applied_count), ERR_OK);
    assert_int_equal(migrate_check(&ctx, db, &ours), ERR_OK);
    struct migrations older = first(three, 2);
    assert_int_equal(migrate_check(&ctx, db, &older), ERR_CONFLICT);
    ctx_forgive(&ctx);
    struct migrations unknown = first(with_commit, 1);
    assert_int_equal(migrate_check(&ctx, db, &unknown), ERR_CONFLICT);
    assert_string_equal(
        ctx.why.text,
        "the database is another program's: its migration 1 is \"notes\", here it is \"bad\"");
    db_close(db);
}

static void a_faulty_script_leaves_the_database_as_it_was_and_is_named(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    int64_t applied_count = UNTOUCHED_COUNT;
    assert_int_equal(migrate(&ctx, &folder, first(with_fault, 2), &applied_count), ERR_INTERNAL);
    assert_int_equal(applied_count, UNTOUCHED_COUNT);
    assert_string_equal(ctx.why.text, "migration 2 (bad): SQLITE_ERROR: no such table: nowhere");
    struct db *db = open_db(&ctx, &folder);
    assert_int_equal(number(db, &count_tables), 0);
    db_close(db);
    assert_int_equal(migrate(&ctx, &folder, first(with_fault, 1), &applied_count), ERR_OK);
    assert_int_equal(applied_count, 1);
}

static void a_script_that_ends_the_transaction_is_an_error(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    int64_t applied_count = UNTOUCHED_COUNT;
    assert_int_equal(migrate(&ctx, &folder, first(with_commit, 1), &applied_count), ERR_INTERNAL);
    assert_non_null(strstr(ctx.why.text, "the script ended the transaction"));
    assert_int_equal(applied_count, UNTOUCHED_COUNT);
}

static enum err migrate_three(struct ctx *ctx, struct db *db, void *argument)
{
    struct migrations migrations = first(three, 3);
    return migrate_run(ctx, db, &migrations, argument);
}

/* A database on which each script, and the commit, takes longer than whoever runs it has left. */
static struct db_driver slow_driver;
static const struct db_driver *quick_driver;

static void pass(struct ctx *ctx)
{
    clock_sleep_ms(SCRIPT_MS);
    if (ctx->deadline_ms != INT64_MAX)
        ctx->deadline_ms = clock_monotonic_ms() - 1;
}

static enum err slow_script(struct ctx *ctx, void *state, const char *sql)
{
    enum err err = quick_driver->script(ctx, state, sql);
    pass(ctx);
    return err;
}

static enum err slow_commit(struct ctx *ctx, void *state)
{
    pass(ctx);
    return quick_driver->commit(ctx, state);
}

static void what_takes_longer_than_the_deadline_is_applied(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    struct db *db = open_db(&ctx, &folder);
    quick_driver = db->driver;
    slow_driver = *quick_driver;
    slow_driver.script = slow_script;
    slow_driver.commit = slow_commit;
    db->driver = &slow_driver;
    int64_t before_ms = ctx.deadline_ms;
    int64_t applied_count = UNTOUCHED_COUNT;
    assert_int_equal(migrate_three(&ctx, db, &applied_count), ERR_OK);
    assert_int_equal(applied_count, 3);
    assert_true(ctx.deadline_ms >= before_ms + 5L * SCRIPT_MS); /* the list, three, the commit */
    assert_true(ctx.deadline_ms < INT64_MAX);
    assert_int_equal(number(db, &count_rows), 3);
    ctx.deadline_ms = INT64_MAX;
    assert_int_equal(migrate_three(&ctx, db, &applied_count), ERR_OK);
    assert_true(ctx.deadline_ms == INT64_MAX);
    db_close(db);
}

static void has_no_table(struct db *real, void *argument)
{
    (void)argument;
    assert_int_equal(number(real, &count_tables), 0);
}

static void every_failing_call_leaves_nothing_behind(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    struct fake_db *fake = NULL;
    struct db *db = fake_db_new(open_db(&ctx, &folder), &fake);
    int64_t applied_count = 0;
    struct fake_db_operation operation = {
        .run = migrate_three,
        .argument = &applied_count,
        .outputs = &applied_count,
        .outputs_size_bytes = sizeof(applied_count),
        .check_undone = has_no_table,
    };
    /* begin, the table, the list and its end, three times script and row, commit */
    assert_int_equal(fake_db_torture(db, fake, &operation), 11);
    assert_int_equal(applied_count, 3);
    assert_int_equal(number(db, &count_rows), 3);
    db_close(db);
}

struct starter {
    const struct temp_folder *folder;
    pthread_t thread;
    enum err err;
    int64_t applied_count;
};

static void *start(void *argument)
{
    struct starter *starter = argument;
    struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    char url[128];
    (void)snprintf(url, sizeof(url), "sqlite:%s/test.sqlite", starter->folder->path);
    struct db *db = NULL;
    struct migrations migrations = first(three, 3);
    starter->err = db_open(&ctx, &(struct db_options){.url = url}, &db);
    if (!starter->err)
        starter->err = migrate_run(&ctx, db, &migrations, &starter->applied_count);
    if (starter->err)
        (void)fprintf(stderr, "%s\n", ctx.why.text);
    db_close(db);
    ctx_done(&ctx);
    return NULL;
}

static void threads_that_start_at_once_migrate_once(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    struct starter starters[STARTERS_COUNT] = {0};
    for (size_t i = 0; i < STARTERS_COUNT; i++) {
        starters[i].folder = &folder;
        assert_int_equal(pthread_create(&starters[i].thread, NULL, start, &starters[i]), 0);
    }
    int64_t total_count = 0;
    for (size_t i = 0; i < STARTERS_COUNT; i++) {
        assert_int_equal(pthread_join(starters[i].thread, NULL), 0);
        assert_int_equal(starters[i].err, ERR_OK);
        total_count += starters[i].applied_count;
    }
    assert_int_equal(total_count, 3);
}

/* Exit code: how many it applied, or 100. */
static pid_t fork_starter(const struct temp_folder *folder)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    struct starter starter = {.folder = folder};
    start(&starter);
    _exit(starter.err ? 100 : (int)starter.applied_count);
}

static void processes_that_start_at_once_migrate_once(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    pid_t pids[STARTERS_COUNT];
    for (size_t i = 0; i < STARTERS_COUNT; i++)
        pids[i] = fork_starter(&folder);
    int total_count = 0;
    for (size_t i = 0; i < STARTERS_COUNT; i++) {
        int status = -1;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status));
        total_count += WEXITSTATUS(status);
    }
    assert_int_equal(total_count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(what_takes_longer_than_the_deadline_is_applied),
        UNIT(a_fresh_database_gets_all_and_then_none),
        UNIT(an_older_database_gets_what_it_lacks),
        UNIT(a_program_one_release_back_runs_when_the_newer_migration_allows_it),
        UNIT(a_program_that_is_too_old_is_refused_with_the_numbers),
        UNIT(a_database_of_another_program_is_refused_untouched),
        UNIT(a_tool_checks_whose_database_it_is_and_changes_nothing),
        UNIT(a_faulty_script_leaves_the_database_as_it_was_and_is_named),
        UNIT(a_script_that_ends_the_transaction_is_an_error),
        UNIT(every_failing_call_leaves_nothing_behind),
        UNIT(threads_that_start_at_once_migrate_once),
        UNIT(processes_that_start_at_once_migrate_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
