/* SPDX-License-Identifier: MIT
 *
 * The MySQL driver on a real MariaDB: what is kept and compared, what is told of failures, and what
 * happens when the server is killed, paused, read-only or in a deadlock. */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "mysql_bench.h"

#define LONG_SIZE 300000

/* ---- what is kept ---- */

static void keys_differ_in_case_trailing_spaces_and_form(void **state)
{
    struct bench *bench = bench_of(state);
    static const char *const KEYS[] = {"key",
                                       "KEY",
                                       "key ",
                                       " key",
                                       "k\xc3\xa9y",
                                       "ke\xcc\x81y",
                                       "\xf0\x9f\x98\x80",
                                       "\xf0\x9f\x98\x81",
                                       ""};
    for (size_t i = 0; i < ARRAY_COUNT(KEYS); i++) {
        assert_int_equal(add(bench, bench->db, KEYS[i], 0), ERR_OK);
        assert_int_equal(id_of(bench, KEYS[i]), db_last_id(bench->db));
    }
    assert_int_equal(number(bench, bench->db, &count_all), (int64_t)ARRAY_COUNT(KEYS));
    assert_int_equal(add(bench, bench->db, "key ", 0), ERR_CONFLICT);
    assert_told(bench, "ER_DUP_ENTRY");
    assert_int_equal(id_of(bench, "Key"), -1);
}

static void values_come_back_as_they_went(void **state)
{
    struct bench *bench = bench_of(state);
    struct ctx *ctx = &bench->ctx;
    char *words = arena_take(&ctx->arena, LONG_SIZE + 1);
    memset(words, 'x', LONG_SIZE);
    memcpy(words + LONG_SIZE - 4, "\xf0\x9f\x98\x80", 4);
    static const unsigned char DATA[] = {0, 1, 255, 0, '\'', '\\'};
    assert_int_equal(db_run(ctx, bench->db, &insert,
                            DB_VALUES(db_text("a"), db_i64(INT64_MIN), db_blob(DATA, sizeof(DATA)),
                                      db_text(words)),
                            NULL),
                     ERR_OK);
    assert_int_equal(db_run(ctx, bench->db, &insert,
                            DB_VALUES(db_text("b"), db_null(), db_blob(NULL, 0), db_text("")),
                            NULL),
                     ERR_OK);
    for (int round = 0; round < 2;
         round++) { /* with buffers that grow, and that are large enough */
        CLEANUP(db_rows_done) struct db_rows rows = {0};
        bool has_row = false;
        assert_int_equal(db_query(ctx, bench->db, &find, DB_VALUES(db_text("a")), &rows), ERR_OK);
        assert_int_equal(db_next(ctx, &rows, &has_row), ERR_OK);
        assert_true(has_row);
        assert_true(db_rows_i64(&rows, 1) == INT64_MIN);
        assert_int_equal(db_rows_blob(ctx, &rows, 2).n, sizeof(DATA));
        assert_memory_equal(db_rows_blob(ctx, &rows, 2).p, DATA, sizeof(DATA));
        assert_string_equal(db_rows_text(ctx, &rows, 3), words);
        assert_int_equal(db_next(ctx, &rows, &has_row), ERR_OK);
        assert_false(has_row);
    }
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    assert_int_equal(db_query(ctx, bench->db, &find, DB_VALUES(db_text("b")), &rows), ERR_OK);
    assert_int_equal(db_next(ctx, &rows, &has_row), ERR_OK);
    assert_true(db_rows_is_null(&rows, 1));
    assert_int_equal(db_rows_blob(ctx, &rows, 2).n, 0);
    assert_string_equal(db_rows_text(ctx, &rows, 3), "");
}

static void an_update_to_equal_values_counts_its_row(void **state)
{
    struct bench *bench = bench_of(state);
    int64_t changed_count = -1;
    assert_int_equal(add(bench, bench->db, "a", 7), ERR_OK);
    assert_int_equal(db_run(&bench->ctx, bench->db, &set_size, DB_VALUES(db_i64(7), db_text("a")),
                            &changed_count),
                     ERR_OK);
    assert_int_equal(changed_count, 1);
    assert_int_equal(db_run(&bench->ctx, bench->db, &set_size, DB_VALUES(db_i64(7), db_text("b")),
                            &changed_count),
                     ERR_OK);
    assert_int_equal(changed_count, 0);
}

static void a_session_is_strict_utc_and_utf8mb4(void **state)
{
    struct bench *bench = bench_of(state);
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    assert_int_equal(db_query(&bench->ctx, bench->db, &mode, DB_NO_VALUES, &rows), ERR_OK);
    assert_int_equal(db_next(&bench->ctx, &rows, &has_row), ERR_OK);
    const char *text = db_rows_text(&bench->ctx, &rows, 0);
    assert_non_null(strstr(text, "STRICT_ALL_TABLES"));
    assert_non_null(strstr(text, " +00:00 utf8mb4"));
    char *too_long = arena_take(&bench->ctx.arena, 1022);
    memset(too_long, 'x', 1021);
    db_rows_done(&rows);
    assert_int_equal(add(bench, bench->db, too_long, 1), ERR_INTERNAL);
    assert_null(strstr(bench->ctx.why.text, "xxx"));
}

static void rows_may_be_open_while_others_are_asked(void **state)
{
    struct bench *bench = bench_of(state);
    struct ctx *ctx = &bench->ctx;
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    for (int i = 0; i < 3; i++)
        assert_int_equal(add(bench, bench->db, arena_format(&ctx->arena, "n%d", i), i), ERR_OK);
    assert_int_equal(db_query(ctx, bench->db, &names, DB_NO_VALUES, &rows), ERR_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(db_next(ctx, &rows, &has_row), ERR_OK);
        assert_string_equal(db_rows_text(ctx, &rows, 0), arena_format(&ctx->arena, "n%d", i));
        assert_int_equal(number(bench, bench->db, &count_all), 3);
        assert_int_equal(add(bench, bench->db, "no", 0), ERR_INTERNAL);
        assert_told(bench, "while rows are open");
    }
}

/* ---- transactions ---- */

static void a_conflict_undoes_its_statement_only(void **state)
{
    struct bench *bench = bench_of(state);
    assert_int_equal(add(bench, bench->db, "taken", 0), ERR_OK);
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    assert_int_equal(db_begin(&bench->ctx, bench->db, &tx), ERR_OK);
    assert_int_equal(add(bench, bench->db, "first", 0), ERR_OK);
    assert_int_equal(add(bench, bench->db, "taken", 0), ERR_CONFLICT);
    assert_int_equal(db_commit(&bench->ctx, &tx), ERR_OK);
    assert_int_equal(number(bench, bench->db, &count_all), 2);
}

static void a_transaction_without_commit_leaves_nothing(void **state)
{
    struct bench *bench = bench_of(state);
    struct db *other = open_another(bench);
    struct db_transaction tx = {0};
    assert_int_equal(db_begin(&bench->ctx, bench->db, &tx), ERR_OK);
    assert_int_equal(add(bench, bench->db, "gone", 0), ERR_OK);
    assert_int_equal(number(bench, other, &count_all), 0);
    db_transaction_done(&tx);
    assert_int_equal(number(bench, bench->db, &count_all), 0);
    db_close(other);
}

static void reads_that_belong_together_see_one_moment(void **state)
{
    struct bench *bench = bench_of(state);
    struct db *other = open_another(bench);
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    assert_int_equal(db_begin_read(&bench->ctx, bench->db, &tx), ERR_OK);
    assert_int_equal(add(bench, other, "later", 0), ERR_OK);
    assert_int_equal(number(bench, bench->db, &count_all), 0);
    assert_int_equal(add(bench, bench->db, "no", 0), ERR_INTERNAL);
    assert_told(bench, "transaction that reads");
    assert_int_equal(db_commit(&bench->ctx, &tx), ERR_OK);
    assert_int_equal(number(bench, bench->db, &count_all), 1);
    db_close(other);
}

struct crosser {
    struct bench bench;
    pthread_barrier_t *met;
    const char *first;
    const char *second;
    int tries_count;
    enum err err;
};

/* Raises two rows by one in the order given. */
static enum err raise_both(struct crosser *crosser, bool is_first_time)
{
    struct bench *bench = &crosser->bench;
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    enum err err = db_begin(&bench->ctx, bench->db, &tx);
    const char *const keys[] = {crosser->first, crosser->second};
    for (size_t i = 0; !err && i < ARRAY_COUNT(keys); i++) {
        int64_t size = 0;
        err = number_of(bench, bench->db, &lock_one, DB_VALUES(db_text(keys[i])), &size);
        if (i == 0 && is_first_time)
            pthread_barrier_wait(crosser->met); /* each holds its first row now */
        if (!err)
            err = db_run(&bench->ctx, bench->db, &set_size,
                         DB_VALUES(db_i64(size + 1), db_text(keys[i])), NULL);
    }
    return err ? err : db_commit(&bench->ctx, &tx);
}

static void *cross(void *argument)
{
    struct crosser *crosser = argument;
    do
        crosser->err = raise_both(crosser, crosser->tries_count == 0);
    while (db_repeats(&crosser->bench.ctx, crosser->bench.db, crosser->err, &crosser->tries_count));
    return NULL;
}

static void a_deadlock_is_repeated_and_both_change(void **state)
{
    struct bench *bench = bench_of(state);
    pthread_barrier_t met;
    struct crosser crossers[2] = {{.first = "a", .second = "b"}, {.first = "b", .second = "a"}};
    pthread_t threads[2];
    assert_int_equal(add(bench, bench->db, "a", 0), ERR_OK);
    assert_int_equal(add(bench, bench->db, "b", 0), ERR_OK);
    assert_int_equal(pthread_barrier_init(&met, NULL, 2), 0);
    for (size_t i = 0; i < 2; i++) {
        crossers[i].met = &met;
        ctx_init(&crossers[i].bench.ctx, NULL, BUDGET_MS);
        crossers[i].bench.db = open_another(bench);
        assert_int_equal(pthread_create(&threads[i], NULL, cross, &crossers[i]), 0);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(crossers[i].err, ERR_OK);
        db_close(crossers[i].bench.db);
        ctx_done(&crossers[i].bench.ctx);
    }
    assert_int_equal(number(bench, bench->db, &sum_all), 4);
    assert_true(crossers[0].tries_count + crossers[1].tries_count >= 1);
    pthread_barrier_destroy(&met);
}

/* ---- deadlines ---- */

static void a_lock_is_waited_for_until_the_deadline(void **state)
{
    struct bench *bench = bench_of(state);
    struct db *holder = open_another(bench);
    struct db_transaction tx = {0};
    int64_t size = 0;
    assert_int_equal(add(bench, bench->db, "a", 0), ERR_OK);
    assert_int_equal(db_begin(&bench->ctx, holder, &tx), ERR_OK);
    assert_int_equal(number_of(bench, holder, &lock_one, DB_VALUES(db_text("a")), &size), ERR_OK);
    int64_t began_ms = clock_monotonic_ms();
    budget(bench, 300);
    assert_int_equal(
        db_run(&bench->ctx, bench->db, &set_size, DB_VALUES(db_i64(1), db_text("a")), NULL),
        ERR_UNAVAILABLE);
    assert_true(clock_monotonic_ms() - began_ms >= 300);
    assert_told(bench, "deadline passed");
    budget(bench, BUDGET_MS);
    db_transaction_done(&tx);
    assert_int_equal(
        db_run(&bench->ctx, bench->db, &set_size, DB_VALUES(db_i64(2), db_text("a")), NULL),
        ERR_OK);
    db_close(holder);
}

static void a_question_that_takes_too_long_is_cut(void **state)
{
    struct bench *bench = bench_of(state);
    int64_t value = 0;
    budget(bench, 300);
    assert_int_equal(number_of(bench, bench->db, &sleep_long, DB_NO_VALUES, &value),
                     ERR_UNAVAILABLE);
    ctx_forgive(&bench->ctx);
    budget(bench, BUDGET_MS);
    assert_int_equal(number(bench, bench->db, &count_all), 0);
}

static void a_server_that_stands_still_costs_no_more_than_the_deadline(void **state)
{
    struct bench *bench = bench_of(state);
    mariadb_server_pause();
    budget(bench, 300);
    int64_t value = 0;
    enum err err = number_of(bench, bench->db, &count_all, DB_NO_VALUES, &value);
    mariadb_server_resume();
    assert_int_equal(err, ERR_UNAVAILABLE);
    ctx_forgive(&bench->ctx);
    budget(bench, BUDGET_MS);
    assert_int_equal(number(bench, bench->db, &count_all), 0);
}

/* The process stood still while the answer came: the watch had cut the socket meanwhile. */
static void an_answer_that_comes_with_the_deadline_is_a_lost_connection(void **state)
{
#ifdef NOTES_TEST_HOOKS
    struct bench *bench = bench_of(state);
    struct db_transaction tx = {0};
    assert_int_equal(number(bench, bench->db, &count_all), 0);
    budget(bench, 300);
    setenv("NOTES_TEST_HOOK", "database.answered:sleep:600", 1);
    enum err err = db_begin(&bench->ctx, bench->db, &tx);
    unsetenv("NOTES_TEST_HOOK");
    assert_int_equal(err, ERR_UNAVAILABLE);
    assert_told(bench, "deadline passed");
    ctx_forgive(&bench->ctx);
    budget(bench, BUDGET_MS);
    assert_int_equal(add(bench, bench->db, "a", 0), ERR_OK);
#else
    (void)state;
    skip();
#endif
}

/* ---- what breaks ---- */

/* Until it is told that the question was answered. */
static void *kill_sleepers(void *argument)
{
    const _Atomic bool *is_answered = argument;
    while (!*is_answered) {
        mariadb_server_sql("SET @id = (SELECT id FROM information_schema.processlist"
                           " WHERE info LIKE 'SELECT SLEEP%' LIMIT 1);"
                           "SET @sql = IF(@id IS NULL, 'SELECT 1', CONCAT('KILL QUERY ', @id));"
                           "PREPARE it FROM @sql; EXECUTE it");
    }
    return NULL;
}

static void a_killed_question_is_unavailable_and_the_next_one_works(void **state)
{
    struct bench *bench = bench_of(state);
    pthread_t killer;
    int64_t value = -1;
    _Atomic bool is_answered = false;
    assert_int_equal(pthread_create(&killer, NULL, kill_sleepers, &is_answered), 0);
    enum err err = number_of(bench, bench->db, &sleep_long, DB_NO_VALUES, &value);
    is_answered = true;
    assert_int_equal(pthread_join(killer, NULL), 0);
    if (err) {
        assert_int_equal(err, ERR_UNAVAILABLE);
        assert_told(bench, "ER_QUERY_INTERRUPTED");
    } else {
        assert_int_equal(value, 1); /* SLEEP says by itself that it was interrupted */
    }
    assert_int_equal(number(bench, bench->db, &count_all), 0);
}

static void a_killed_connection_is_made_again_for_the_next_use(void **state)
{
    struct bench *bench = bench_of(state);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(add(bench, bench->db, arena_format(&bench->ctx.arena, "n%d", i), 1),
                         ERR_OK);
        int64_t id = number(bench, bench->db, &own_id);
        mariadb_server_kill_connection((long long)id);
    }
    assert_int_equal(number(bench, bench->db, &sum_all), 3);
    assert_int_equal(db_ping(&bench->ctx, bench->db), ERR_OK);
}

static void a_connection_killed_in_a_transaction_undoes_it_and_may_be_repeated(void **state)
{
    struct bench *bench = bench_of(state);
    int tries_count = 0;
    struct db_transaction tx = {0};
    assert_int_equal(db_begin(&bench->ctx, bench->db, &tx), ERR_OK);
    assert_int_equal(add(bench, bench->db, "lost", 1), ERR_OK);
    mariadb_server_kill_connection((long long)number(bench, bench->db, &own_id));
    assert_int_equal(add(bench, bench->db, "never", 1), ERR_UNAVAILABLE);
    ctx_forgive(&bench->ctx);
    assert_int_equal(add(bench, bench->db, "neither", 1), ERR_UNAVAILABLE);
    assert_told(bench, "undone by an earlier failure");
    db_transaction_done(&tx);
    assert_true(db_repeats(&bench->ctx, bench->db, ERR_UNAVAILABLE, &tries_count));
    assert_int_equal(tries_count, 1);
    assert_int_equal(number(bench, bench->db, &count_all), 0);
}

/* A backup was put back, or an index made, after the snapshot: it can't be read any more. */
static void a_table_that_changed_under_a_snapshot_is_unavailable(void **state)
{
    struct bench *bench = bench_of(state);
    int tries_count = 0;
    struct db_transaction tx = {0};
    int64_t size = 0;
    assert_int_equal(add(bench, bench->db, "a", 1), ERR_OK);
    assert_int_equal(db_begin_read(&bench->ctx, bench->db, &tx), ERR_OK);
    mariadb_server_sql("CREATE TABLE notes_unit.restored LIKE notes_unit.things;"
                       "INSERT INTO notes_unit.restored SELECT * FROM notes_unit.things;"
                       "RENAME TABLE notes_unit.things TO notes_unit.old,"
                       " notes_unit.restored TO notes_unit.things");
    assert_int_equal(number_of(bench, bench->db, &sum_all, DB_NO_VALUES, &size), ERR_UNAVAILABLE);
    assert_told(bench, "ER_TABLE_DEF_CHANGED");
    db_transaction_done(&tx);
    assert_true(db_repeats(&bench->ctx, bench->db, ERR_UNAVAILABLE, &tries_count));
    assert_int_equal(number(bench, bench->db, &sum_all), 1);
}

/* Calls of shutdown() for a number that is no descriptor any more. In a service another thread may
 * have opened one of that number meanwhile. */
static _Atomic int stale_shutdowns_count;

int shutdown(int socket, int how)
{
    if (fcntl(socket, F_GETFD) < 0)
        stale_shutdowns_count++;
    return (int)syscall(SYS_shutdown, socket, how);
}

static int files_count(void)
{
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    int count = 0;
    while (readdir(folder))
        count++;
    (void)closedir(folder);
    return count;
}

/* The library closes its socket within the call that finds it dead, and keeps its number. */
static void a_lost_connection_ends_no_socket_but_its_own(void **state)
{
    struct bench *bench = bench_of(state);
    int before_count = files_count();
    stale_shutdowns_count = 0;
    for (int i = 0; i < 3; i++) {
        CLEANUP(db_transaction_done) struct db_transaction tx = {0};
        int64_t count = 0;
        assert_int_equal(db_begin(&bench->ctx, bench->db, &tx), ERR_OK);
        mariadb_server_kill_connection((long long)number(bench, bench->db, &own_id));
        assert_int_equal(number_of(bench, bench->db, &count_all, DB_NO_VALUES, &count),
                         ERR_UNAVAILABLE);
        assert_int_equal(stale_shutdowns_count, 0);
        ctx_forgive(&bench->ctx);
        assert_int_equal(files_count(), before_count - 2); /* the library's and the duplicate */
        db_transaction_done(&tx);
        assert_int_equal(number(bench, bench->db, &count_all), 0);
        assert_int_equal(files_count(), before_count);
    }
}

static void a_commit_without_an_answer_is_never_repeated(void **state)
{
    struct bench *bench = bench_of(state);
    int tries_count = 0;
    struct db_transaction tx = {0};
    assert_int_equal(db_begin(&bench->ctx, bench->db, &tx), ERR_OK);
    assert_int_equal(add(bench, bench->db, "perhaps", 1), ERR_OK);
    mariadb_server_kill_connection((long long)number(bench, bench->db, &own_id));
    assert_int_equal(db_commit(&bench->ctx, &tx), ERR_UNAVAILABLE);
    assert_told(bench, "the outcome of the commit is unknown");
    assert_false(db_repeats(&bench->ctx, bench->db, ERR_UNAVAILABLE, &tries_count));
    assert_int_equal(number(bench, bench->db, &count_all), 0);
}

static void a_server_that_is_killed_is_found_again(void **state)
{
    struct bench *bench = bench_of(state);
    struct db *later = NULL;
    assert_int_equal(add(bench, bench->db, "kept", 5), ERR_OK);
    mariadb_server_sql("SET GLOBAL innodb_flush_log_at_trx_commit = 1; FLUSH ENGINE LOGS;"
                       "INSERT INTO notes_unit.things (size) VALUES (1)");
    mariadb_server_end(SIGKILL);
    int64_t value = 0;
    assert_int_equal(number_of(bench, bench->db, &count_all, DB_NO_VALUES, &value),
                     ERR_UNAVAILABLE);
    assert_told(bench, "can't be reached");
    assert_int_equal(add(bench, bench->db, "no", 5), ERR_UNAVAILABLE);
    assert_told(bench, "can't be reached");
    const struct db_options options = {.url = bench->url, .can_connect_later = true};
    assert_int_equal(db_open(&bench->ctx, &options, &later), ERR_OK);
    mariadb_server_run();
    enum err err = ERR_UNAVAILABLE;
    while (err && ctx_left_ms(&bench->ctx) > 0) {
        ctx_forgive(&bench->ctx);
        err = number_of(bench, bench->db, &sum_all, DB_NO_VALUES, &value);
    }
    assert_int_equal(err, ERR_OK);
    assert_int_equal(value, 6);
    assert_int_equal(number(bench, later, &sum_all), 6);
    db_close(later);
}

static void a_server_that_takes_no_writes_is_still_read(void **state)
{
    struct bench *bench = bench_of(state);
    mariadb_server_sql("SET GLOBAL read_only = 1");
    enum err err = add(bench, bench->db, "no", 1);
    char why[CTX_WHY_MAX_BYTES];
    (void)snprintf(why, sizeof(why), "%s", bench->ctx.why.text);
    ctx_forgive(&bench->ctx);
    int64_t count = number(bench, bench->db, &count_all);
    mariadb_server_sql("SET GLOBAL read_only = 0");
    assert_int_equal(err, ERR_UNAVAILABLE);
    assert_non_null(strstr(why, "ER_OPTION_PREVENTS_STATEMENT"));
    assert_int_equal(count, 0);
    assert_int_equal(add(bench, bench->db, "yes", 1), ERR_OK);
}

static void a_host_that_does_not_answer_is_passed_over(void **state)
{
    struct bench *bench = bench_of(state);
    char hosts[80];
    (void)snprintf(hosts, sizeof(hosts), "127.0.0.1:1,[::1]:1,127.0.0.1:%d", mariadb_server_port());
    fill_url(bench, hosts);
    struct db *db = open_another(bench);
    assert_int_equal(number(bench, db, &count_all), 0);
    db_close(db);
}

static void what_cannot_be_opened_says_why(void **state)
{
    struct bench *bench = bench_of(state);
    const struct {
        const char *user;
        const char *password;
        const char *database;
        enum db_tls tls;
        const char *why;
    } rows[] = {
        {"notes", "wrong", "notes_unit", DB_TLS_PREFER, "ER_ACCESS_DENIED_ERROR"},
        {"nobody", "wrong", "notes_unit", DB_TLS_PREFER, "ER_ACCESS_DENIED_ERROR"},
        {"notes", NULL, "notes_unit", DB_TLS_PREFER, "ER_ACCESS_DENIED_ERROR"},
        {"notes", MARIADB_PASSWORD, "notes_missing", DB_TLS_PREFER, "ER_BAD_DB_ERROR"},
        {"notes", MARIADB_PASSWORD, "mysql", DB_TLS_PREFER, "ER_DBACCESS_DENIED_ERROR"},
        {"notes", MARIADB_PASSWORD, "notes_unit", DB_TLS_REQUIRE, "the server has no TLS"},
        {"notes", MARIADB_PASSWORD, "notes_unit", DB_TLS_VERIFY, ""},
    };
    int before_count = files_count();
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char url[128];
        struct db *db = NULL;
        (void)snprintf(url, sizeof(url), "mysql://%s@127.0.0.1:%d/%s", rows[i].user,
                       mariadb_server_port(), rows[i].database);
        const struct db_options options = {
            .url = url, .password = rows[i].password, .tls = rows[i].tls};
        if (db_open(&bench->ctx, &options, &db) != ERR_UNAVAILABLE)
            fail_msg("row %zu is opened", i);
        assert_null(db);
        assert_null(strstr(bench->ctx.why.text, MARIADB_PASSWORD));
        assert_told(bench, rows[i].why);
        assert_int_equal(files_count(), before_count);
    }
}

static void a_wrong_statement_is_our_mistake(void **state)
{
    struct bench *bench = bench_of(state);
    int64_t value = 0;
    assert_int_equal(number_of(bench, bench->db, &wrong, DB_NO_VALUES, &value), ERR_INTERNAL);
    assert_told(bench, "nowhere");
    assert_int_equal(number_of(bench, bench->db, &find, DB_NO_VALUES, &value), ERR_INTERNAL);
    assert_told(bench, "0 values for the 1 places");
    assert_int_equal(number(bench, bench->db, &count_all), 0);
}

static void rows_outlive_their_connection(void **state)
{
    struct bench *bench = bench_of(state);
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    assert_int_equal(add(bench, bench->db, "a", 1), ERR_OK);
    assert_int_equal(add(bench, bench->db, "b", 1), ERR_OK);
    int64_t id = number(bench, bench->db, &own_id);
    assert_int_equal(db_query(&bench->ctx, bench->db, &names, DB_NO_VALUES, &rows), ERR_OK);
    mariadb_server_kill_connection((long long)id);
    assert_int_equal(number(bench, bench->db, &count_all), 2);
    assert_int_equal(db_next(&bench->ctx, &rows, &has_row), ERR_OK);
    assert_string_equal(db_rows_text(&bench->ctx, &rows, 0), "a");
    assert_int_equal(db_next(&bench->ctx, &rows, &has_row), ERR_OK);
    assert_string_equal(db_rows_text(&bench->ctx, &rows, 0), "b");
    assert_int_equal(db_next(&bench->ctx, &rows, &has_row), ERR_OK);
    assert_false(has_row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(keys_differ_in_case_trailing_spaces_and_form),
        WITH_BENCH(values_come_back_as_they_went),
        WITH_BENCH(an_update_to_equal_values_counts_its_row),
        WITH_BENCH(a_session_is_strict_utc_and_utf8mb4),
        WITH_BENCH(rows_may_be_open_while_others_are_asked),
        WITH_BENCH(a_conflict_undoes_its_statement_only),
        WITH_BENCH(a_transaction_without_commit_leaves_nothing),
        WITH_BENCH(reads_that_belong_together_see_one_moment),
        WITH_BENCH(a_deadlock_is_repeated_and_both_change),
        WITH_BENCH(a_lock_is_waited_for_until_the_deadline),
        WITH_BENCH(a_question_that_takes_too_long_is_cut),
        WITH_BENCH(a_server_that_stands_still_costs_no_more_than_the_deadline),
        WITH_BENCH(an_answer_that_comes_with_the_deadline_is_a_lost_connection),
        WITH_BENCH(a_killed_question_is_unavailable_and_the_next_one_works),
        WITH_BENCH(a_killed_connection_is_made_again_for_the_next_use),
        WITH_BENCH(a_connection_killed_in_a_transaction_undoes_it_and_may_be_repeated),
        WITH_BENCH(a_table_that_changed_under_a_snapshot_is_unavailable),
        WITH_BENCH(a_lost_connection_ends_no_socket_but_its_own),
        WITH_BENCH(a_commit_without_an_answer_is_never_repeated),
        WITH_BENCH(a_server_that_is_killed_is_found_again),
        WITH_BENCH(a_server_that_takes_no_writes_is_still_read),
        WITH_BENCH(a_host_that_does_not_answer_is_passed_over),
        WITH_BENCH(what_cannot_be_opened_says_why),
        WITH_BENCH(a_wrong_statement_is_our_mistake),
        WITH_BENCH(rows_outlive_their_connection),
    };
    return mysql_bench_main(tests);
}
