/* SPDX-License-Identifier: MIT
 *
 * The SQLite driver on real files: transactions, deadlines, locks within the process and against
 * another one, a file that may not grow, and many threads on one file. */
#include "db_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "data/db_driver.h"
#include "fake_db.h"

#define SHORT_MS      500 /* but enough to begin */
#define WRITERS_COUNT 4
#define READERS_COUNT 3
#define ROUNDS_COUNT  40

static const struct db_statement endless = {
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"};
static const struct db_statement endless_write = {
    "INSERT INTO things (size) WITH RECURSIVE n (i) AS"
    " (SELECT 14 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"};
static const struct db_statement move_pair = {"UPDATE pair SET a = a - 1, b = b + 1"};
static const struct db_statement sum_pair = {"SELECT a + b, b FROM pair"};
static const struct db_statement read_a = {"SELECT a FROM pair"};
static const struct db_statement read_b = {"SELECT b FROM pair"};

/* --- Transactions --- */

static void a_transaction_without_commit_leaves_nothing(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    {
        CLEANUP(db_transaction_done) struct db_transaction tx = {0};
        assert_int_equal(db_begin(ctx, fixture->db, &tx), ERR_OK);
        add_thing(fixture, fixture->db, "gone");
    }
    assert_int_equal(number(ctx, fixture->db, &count_things), 0);
    struct db_transaction tx = {0};
    assert_int_equal(db_begin(ctx, fixture->db, &tx), ERR_OK);
    add_thing(fixture, fixture->db, "kept");
    struct db *other = db_fixture_open(fixture);
    assert_int_equal(number(ctx, other, &count_things), 0);
    assert_int_equal(db_commit(ctx, &tx), ERR_OK);
    assert_null(tx.db);
    db_transaction_done(&tx);
    assert_int_equal(number(ctx, other, &count_things), 1);
    db_close(other);
}

static void a_conflict_leaves_the_transaction_usable(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    assert_int_equal(db_begin(ctx, fixture->db, &tx), ERR_OK);
    add_thing(fixture, fixture->db, "one");
    struct db_values again = DB_VALUES(db_text("one"), db_i64(1), db_null());
    assert_int_equal(db_run(ctx, fixture->db, &insert, again, NULL), ERR_CONFLICT);
    add_thing(fixture, fixture->db, "two");
    assert_int_equal(db_commit(ctx, &tx), ERR_OK);
    assert_int_equal(number(ctx, fixture->db, &count_things), 2);
}

static void a_refused_commit_undoes_all_and_frees_the_lock(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    struct db_transaction tx = {0};
    assert_int_equal(db_begin(ctx, fixture->db, &tx), ERR_OK);
    assert_int_equal(db_run(ctx, fixture->db, &insert_part, DB_VALUES(db_i64(99)), NULL), ERR_OK);
    enum err err = db_commit(ctx, &tx);
    assert_int_equal(because(ctx, err, "FOREIGN KEY constraint failed"), ERR_INTERNAL);
    assert_null(tx.db);
    struct db *other = db_fixture_open(fixture);
    add_thing(fixture, other, "free");
    db_close(other);
    static const struct db_statement count_parts = {"SELECT count(*) FROM parts"};
    assert_int_equal(number(ctx, fixture->db, &count_parts), 0);
}

static void a_read_transaction_is_one_snapshot_and_never_writes(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    struct db *other = db_fixture_open(fixture);
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    assert_int_equal(db_begin_read(ctx, fixture->db, &tx), ERR_OK);
    assert_int_equal(number(ctx, fixture->db, &count_things), 0);
    add_thing(fixture, other, "later");
    assert_int_equal(number(ctx, fixture->db, &count_things), 0);
    enum err err = db_run(ctx, fixture->db, &delete_all, DB_NO_VALUES, NULL);
    assert_int_equal(because(ctx, err, "a write in a transaction that reads"), ERR_INTERNAL);
    assert_int_equal(db_commit(ctx, &tx), ERR_OK);
    assert_int_equal(number(ctx, fixture->db, &count_things), 1);
    db_close(other);
}

static void rows_of_a_write_need_a_transaction(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    struct db_rows rows = {0};
    enum err err = db_query(ctx, fixture->db, &insert_returning, DB_VALUES(db_text("x")), &rows);
    assert_int_equal(because(ctx, err, "needs a transaction"), ERR_INTERNAL);
    struct db_transaction tx = {0};
    assert_int_equal(db_begin(ctx, fixture->db, &tx), ERR_OK);
    assert_int_equal(db_query(ctx, fixture->db, &insert_returning, DB_VALUES(db_text("x")), &rows),
                     ERR_OK);
    bool has_row = false;
    assert_int_equal(db_next(ctx, &rows, &has_row), ERR_OK);
    assert_int_equal(db_rows_i64(&rows, 0), db_last_id(fixture->db));
    db_rows_done(&rows);
    assert_int_equal(db_commit(ctx, &tx), ERR_OK);
    assert_int_equal(number(ctx, fixture->db, &count_things), 1);
}

static void a_write_while_rows_are_open_is_refused_each_time(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    add_thing(fixture, fixture->db, "one");
    struct db_rows rows = {0};
    bool has_row = false;
    assert_int_equal(db_query(ctx, fixture->db, &names, DB_NO_VALUES, &rows), ERR_OK);
    assert_int_equal(db_next(ctx, &rows, &has_row), ERR_OK);
    enum err err = db_run(ctx, fixture->db, &delete_all, DB_NO_VALUES, NULL);
    assert_int_equal(because(ctx, err, "while rows are open"), ERR_INTERNAL);
    struct db_transaction tx = {0};
    err = db_begin(ctx, fixture->db, &tx);
    assert_int_equal(because(ctx, err, "while rows are open"), ERR_INTERNAL);
    assert_null(tx.db);
    assert_int_equal(db_next(ctx, &rows, &has_row), ERR_OK);
    assert_false(has_row);
    assert_int_equal(db_run(ctx, fixture->db, &delete_all, DB_NO_VALUES, NULL), ERR_OK);
    db_rows_done(&rows);
    assert_int_equal(db_run(ctx, fixture->db, &delete_all, DB_NO_VALUES, NULL), ERR_OK);
}

static void a_connection_that_closes_in_a_transaction_undoes_it(void **state)
{
    struct db_fixture *fixture = *state;
    struct db *other = db_fixture_open(fixture);
    struct db_transaction tx = {0};
    assert_int_equal(db_begin(&fixture->ctx, other, &tx), ERR_OK);
    add_thing(fixture, other, "gone");
    db_close(other);
    add_thing(fixture, fixture->db, "kept");
    assert_int_equal(number(&fixture->ctx, fixture->db, &count_things), 1);
}

/* --- Deadlines and locks --- */

static void nothing_is_begun_after_the_deadline_but_a_commit_is_ended(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    struct db_transaction tx = {0};
    assert_int_equal(db_begin(ctx, fixture->db, &tx), ERR_OK);
    add_thing(fixture, fixture->db, "kept");
    ctx->deadline_ms = clock_monotonic_ms() - 1;
    assert_int_equal(db_commit(ctx, &tx), ERR_OK);
    struct db_rows rows = {0};
    static const char why[] = "the deadline passed";
    assert_int_equal(because(ctx, db_run(ctx, fixture->db, &delete_all, DB_NO_VALUES, NULL), why),
                     ERR_UNAVAILABLE);
    assert_int_equal(because(ctx, db_query(ctx, fixture->db, &names, DB_NO_VALUES, &rows), why),
                     ERR_UNAVAILABLE);
    assert_int_equal(because(ctx, db_ping(ctx, fixture->db), why), ERR_UNAVAILABLE);
    assert_int_equal(because(ctx, db_script(ctx, fixture->db, "DELETE FROM things"), why),
                     ERR_UNAVAILABLE);
    assert_int_equal(because(ctx, db_begin(ctx, fixture->db, &tx), why), ERR_UNAVAILABLE);
    assert_int_equal(because(ctx, db_begin_read(ctx, fixture->db, &tx), why), ERR_UNAVAILABLE);
    ctx->deadline_ms = clock_monotonic_ms() + DB_FIXTURE_BUDGET_MS;
    assert_int_equal(number(ctx, fixture->db, &count_things), 1);
}

/* Whatever it does next, with whatever deadline. */
static void a_call_after_the_deadline_undoes_its_transaction(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    static const char passed[] = "the deadline passed";
    static const char undone[] = "undone by an earlier failure";
    for (int round = 0; round < 2; round++) {
        bool is_committed = round == 0;
        struct db_transaction tx = {0};
        CLEANUP(db_rows_done) struct db_rows rows = {0};
        bool has_row = false;
        assert_int_equal(db_begin(ctx, fixture->db, &tx), ERR_OK);
        add_thing(fixture, fixture->db, "lost");
        assert_int_equal(db_query(ctx, fixture->db, &names, DB_NO_VALUES, &rows), ERR_OK);
        ctx->deadline_ms = clock_monotonic_ms() - 1;
        assert_int_equal(
            because(ctx, db_run(ctx, fixture->db, &delete_all, DB_NO_VALUES, NULL), passed),
            ERR_UNAVAILABLE);
        ctx->deadline_ms = clock_monotonic_ms() + DB_FIXTURE_BUDGET_MS;
        assert_int_equal(because(ctx, db_next(ctx, &rows, &has_row), undone), ERR_UNAVAILABLE);
        assert_int_equal(
            because(ctx, db_run(ctx, fixture->db, &delete_all, DB_NO_VALUES, NULL), undone),
            ERR_UNAVAILABLE);
        db_rows_done(&rows);
        struct db *other = db_fixture_open(fixture); /* the lock is free already */
        add_thing(fixture, other, is_committed ? "a" : "b");
        db_close(other);
        if (is_committed)
            assert_int_equal(because(ctx, db_commit(ctx, &tx), undone), ERR_UNAVAILABLE);
        db_transaction_done(&tx);
        assert_int_equal(number(ctx, fixture->db, &count_things), round + 1);
    }
}

/* ---- a commit that was cut at the deadline ---- */

struct cut {
    int asked_count;
    int64_t left_ms; /* when asked last */
};

static enum err cut_begin(struct ctx *ctx, void *state, bool is_write)
{
    (void)ctx;
    (void)state;
    (void)is_write;
    return ERR_OK;
}

static enum err cut_commit(struct ctx *ctx, void *state)
{
    (void)state;
    ctx->deadline_ms = clock_monotonic_ms() - 1;
    return ctx_fail(ctx, ERR_UNAVAILABLE, "no answer");
}

static enum err cut_query(struct ctx *ctx,
                          void *state,
                          const struct db_statement *statement,
                          struct db_values values,
                          void **out_cursor)
{
    struct cut *cut = state;
    (void)statement;
    (void)values;
    (void)out_cursor;
    cut->asked_count++;
    cut->left_ms = ctx_left_ms(ctx);
    return ctx_fail(ctx, ERR_UNAVAILABLE, "away");
}

static bool cut_is_unsure(const void *state)
{
    (void)state;
    return true;
}

static void cut_close(void *state)
{
    (void)state;
}

static const struct db_driver cut_driver = {
    .close = cut_close,
    .begin = cut_begin,
    .commit = cut_commit,
    .query = cut_query,
    .is_unsure = cut_is_unsure,
};

static void what_became_of_a_commit_is_asked_after_the_deadline_too(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    struct cut cut = {0};
    struct db *db = db_new(&cut_driver, &cut);
    struct db_transaction tx = {0};
    int tries_count = 0;
    assert_int_equal(db_begin(ctx, db, &tx), ERR_OK);
    assert_int_equal(db_commit(ctx, &tx), ERR_UNAVAILABLE);
    assert_true(db_is_unsure(db));
    int64_t deadline_ms = ctx->deadline_ms;
    assert_int_equal(db_find_out(ctx, db, &names, DB_NO_VALUES, true), ERR_UNAVAILABLE);
    assert_true(cut.asked_count > 0);
    assert_true(cut.left_ms <= DB_FIND_OUT_LATE_MS);
    assert_true(ctx->deadline_ms == deadline_ms);
    assert_non_null(ctx->why.hint);
    assert_false(db_repeats(ctx, db, ERR_UNAVAILABLE, &tries_count));
    db_close(db);
}

static void a_question_without_end_is_interrupted_at_the_deadline(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    struct db_rows rows = {0};
    bool has_row = false;
    ctx->deadline_ms = clock_monotonic_ms() + SHORT_MS;
    assert_int_equal(db_query(ctx, fixture->db, &endless, DB_NO_VALUES, &rows), ERR_OK);
    assert_int_equal(because(ctx, db_next(ctx, &rows, &has_row), "SQLITE_INTERRUPT"),
                     ERR_UNAVAILABLE);
    db_rows_done(&rows);
    ctx->deadline_ms = clock_monotonic_ms() + DB_FIXTURE_BUDGET_MS;
    assert_int_equal(number(ctx, fixture->db, &count_things), 0);
}

static void an_interrupted_write_undoes_its_transaction_and_lets_others_in(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    struct db *other = db_fixture_open(fixture);
    struct db_transaction tx = {0};
    assert_int_equal(db_begin(ctx, fixture->db, &tx), ERR_OK);
    add_thing(fixture, fixture->db, "gone");
    ctx->deadline_ms = clock_monotonic_ms() + SHORT_MS;
    enum err err = db_run(ctx, fixture->db, &endless_write, DB_NO_VALUES, NULL);
    assert_int_equal(because(ctx, err, "SQLITE_INTERRUPT"), ERR_UNAVAILABLE);
    ctx->deadline_ms = clock_monotonic_ms() + DB_FIXTURE_BUDGET_MS;
    add_thing(fixture, other, "others");
    static const char why[] = "undone by an earlier failure";
    struct db_rows rows = {0};
    assert_int_equal(because(ctx, db_run(ctx, fixture->db, &delete_all, DB_NO_VALUES, NULL), why),
                     ERR_UNAVAILABLE);
    assert_int_equal(because(ctx, db_query(ctx, fixture->db, &names, DB_NO_VALUES, &rows), why),
                     ERR_UNAVAILABLE);
    assert_int_equal(because(ctx, db_commit(ctx, &tx), why), ERR_UNAVAILABLE);
    assert_null(tx.db);
    assert_int_equal(number(ctx, fixture->db, &count_things), 1);
    add_thing(fixture, fixture->db, "again");
    db_close(other);
}

static void a_writer_that_waits_too_long_gives_up_and_can_try_again(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    struct db *other = db_fixture_open(fixture);
    struct db_transaction tx = {0};
    struct db_transaction second = {0};
    assert_int_equal(db_begin(ctx, other, &tx), ERR_OK);
    static const char why[] = "other writers held the database for too long";
    ctx->deadline_ms = clock_monotonic_ms() + SHORT_MS;
    assert_int_equal(because(ctx, db_begin(ctx, fixture->db, &second), why), ERR_UNAVAILABLE);
    ctx->deadline_ms = clock_monotonic_ms() + SHORT_MS;
    assert_int_equal(because(ctx, db_run(ctx, fixture->db, &delete_all, DB_NO_VALUES, NULL), why),
                     ERR_UNAVAILABLE);
    ctx->deadline_ms = clock_monotonic_ms() + DB_FIXTURE_BUDGET_MS;
    assert_int_equal(number(ctx, fixture->db, &count_things), 0);
    assert_int_equal(db_commit(ctx, &tx), ERR_OK);
    assert_int_equal(db_begin(ctx, fixture->db, &second), ERR_OK);
    assert_int_equal(db_commit(ctx, &second), ERR_OK);
    db_close(other);
}

static void without_a_deadline_the_options_say_how_long_a_lock_is_waited_for(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    struct db *patient = NULL;
    struct db_options options = {.url = fixture->url, .lock_wait_ms = SHORT_MS};
    assert_int_equal(db_open(ctx, &options, &patient), ERR_OK);
    struct db_transaction tx = {0};
    struct db_transaction second = {0};
    assert_int_equal(db_begin(ctx, fixture->db, &tx), ERR_OK);
    ctx->deadline_ms = INT64_MAX;
    assert_int_equal(because(ctx, db_begin(ctx, patient, &second), "too long"), ERR_UNAVAILABLE);
    assert_int_equal(db_commit(ctx, &tx), ERR_OK);
    assert_int_equal(db_begin(ctx, patient, &second), ERR_OK);
    assert_int_equal(db_commit(ctx, &second), ERR_OK);
    db_close(patient);
}

/* A process that holds the write lock until it can read from `go`. */
static pid_t fork_writer(const struct db_fixture *fixture, int ready_fd, int go_fd)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    struct ctx ctx;
    ctx_init(&ctx, NULL, DB_FIXTURE_BUDGET_MS);
    struct db *db = NULL;
    struct db_transaction tx = {0};
    char byte = 'x';
    if (db_open(&ctx, &(struct db_options){.url = fixture->url}, &db) || db_begin(&ctx, db, &tx) ||
        write(ready_fd, &byte, 1) != 1 || read(go_fd, &byte, 1) < 0)
        _exit(1);
    _exit(db_run(&ctx, db, &insert, DB_VALUES(db_text("other process"), db_null(), db_null()),
                 NULL) ||
          db_commit(&ctx, &tx));
}

static void another_process_is_waited_for_until_the_deadline(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    int ready[2];
    int go[2];
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    db_close(fixture->db); /* a connection must not cross a fork */
    pid_t pid = fork_writer(fixture, ready[1], go[0]);
    char byte = 'x';
    assert_int_equal(read(ready[0], &byte, 1), 1);
    fixture->db = db_fixture_open(fixture);
    struct db_transaction tx = {0};
    ctx->deadline_ms = clock_monotonic_ms() + SHORT_MS;
    enum err err = db_begin(ctx, fixture->db, &tx);
    assert_int_equal(because(ctx, err, "SQLITE_BUSY: database is locked"), ERR_UNAVAILABLE);
    ctx->deadline_ms = clock_monotonic_ms() + DB_FIXTURE_BUDGET_MS;
    assert_int_equal(write(go[1], &byte, 1), 1);
    assert_int_equal(db_begin(ctx, fixture->db, &tx), ERR_OK);
    assert_int_equal(number(ctx, fixture->db, &count_things), 1);
    assert_int_equal(db_commit(ctx, &tx), ERR_OK);
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    for (size_t i = 0; i < 2; i++) {
        close(ready[i]);
        close(go[i]);
    }
}

/* --- A file that may not grow --- */

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_undoes_the_write_and_room_brings_writing_back(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    (void)signal(SIGXFSZ, SIG_IGN);
    add_thing(fixture, fixture->db, "before");
    static unsigned char large[300000];
    memset(large, 7, sizeof(large));
    struct db_values values = DB_VALUES(db_text("large"), db_null(), db_blob(large, sizeof(large)));
    set_file_limit(100000);
    enum err alone = db_run(ctx, fixture->db, &insert, values, NULL);
    set_file_limit(RLIM_INFINITY);
    assert_int_equal(because(ctx, alone, "SQLITE_IOERR_WRITE: disk I/O error: File too large"),
                     ERR_UNAVAILABLE);

    struct db_transaction tx = {0};
    assert_int_equal(db_begin(ctx, fixture->db, &tx), ERR_OK);
    add_thing(fixture, fixture->db, "gone");
    set_file_limit(100000);
    enum err err = db_run(ctx, fixture->db, &insert, values, NULL);
    if (!err)
        err = db_commit(ctx, &tx);
    set_file_limit(RLIM_INFINITY);
    db_transaction_done(&tx);
    assert_int_equal(because(ctx, err, "SQLITE_IOERR_WRITE"), ERR_UNAVAILABLE);

    assert_int_equal(number(ctx, fixture->db, &count_things), 1);
    assert_int_equal(db_run(ctx, fixture->db, &insert, values, NULL), ERR_OK);
    struct db *other = db_fixture_open(fixture);
    assert_int_equal(number(ctx, other, &count_things), 2);
    db_close(other);
}

/* --- Many threads --- */

struct worker {
    struct db_fixture *fixture;
    pthread_t thread;
    int id;
    int failures_count;
    int64_t last_b;
};

static enum err write_round(struct ctx *ctx, struct db *db, const struct worker *worker, int round)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "%d-%d", worker->id, round);
    if (round % 3 == 0)
        return db_run(ctx, db, &insert, DB_VALUES(db_text(name), db_i64(round + 100), db_null()),
                      NULL);
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    enum err err = db_begin(ctx, db, &tx);
    if (!err)
        err = db_run(ctx, db, &move_pair, DB_NO_VALUES, NULL);
    if (!err && round % 3 == 2)
        return ERR_OK; /* undone by the end of the scope */
    if (!err)
        err = db_run(ctx, db, &insert, DB_VALUES(db_text(name), db_i64(round + 100), db_null()),
                     NULL);
    return err ? err : db_commit(ctx, &tx);
}

static void *write_much(void *argument)
{
    struct worker *worker = argument;
    struct ctx ctx;
    ctx_init(&ctx, NULL, DB_FIXTURE_BUDGET_MS);
    struct db *db = NULL;
    enum err err = db_open(&ctx, &(struct db_options){.url = worker->fixture->url}, &db);
    for (int round = 0; !err && round < ROUNDS_COUNT * 3; round++) {
        ctx.deadline_ms =
            clock_monotonic_ms() + DB_FIXTURE_BUDGET_MS; /* of each: a disk may be slow */
        err = write_round(&ctx, db, worker, round);
    }
    if (err)
        (void)fprintf(stderr, "writer: %s\n", ctx.why.text);
    worker->failures_count += err != ERR_OK;
    db_close(db);
    ctx_done(&ctx);
    return NULL;
}

static enum err
read_one(struct ctx *ctx, struct db *db, const struct db_statement *statement, int64_t *out_value)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(ctx, db, statement, DB_NO_VALUES, &rows);
    if (!err)
        err = db_next(ctx, &rows, &has_row);
    if (!err && has_row)
        *out_value = db_rows_i64(&rows, 0);
    return err;
}

/* Two statements of one snapshot always add up; what was seen once never goes back. */
static enum err read_round(struct ctx *ctx, struct db *db, struct worker *worker)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    int64_t a = 0;
    int64_t b = 0;
    enum err err = db_begin_read(ctx, db, &tx);
    if (!err)
        err = read_one(ctx, db, &read_a, &a);
    if (!err)
        err = read_one(ctx, db, &read_b, &b);
    worker->failures_count += !err && (a + b != 1000 || b < worker->last_b);
    worker->last_b = b;
    return err ? err : db_commit(ctx, &tx);
}

static void *read_much(void *argument)
{
    struct worker *worker = argument;
    struct ctx ctx;
    ctx_init(&ctx, NULL, DB_FIXTURE_BUDGET_MS);
    struct db *db = NULL;
    enum err err = db_open(&ctx, &(struct db_options){.url = worker->fixture->url}, &db);
    for (int round = 0; !err && round < ROUNDS_COUNT * 3; round++) {
        ctx.deadline_ms = clock_monotonic_ms() + DB_FIXTURE_BUDGET_MS;
        err = read_round(&ctx, db, worker);
    }
    if (err)
        (void)fprintf(stderr, "reader: %s\n", ctx.why.text);
    worker->failures_count += err != ERR_OK;
    db_close(db);
    ctx_done(&ctx);
    return NULL;
}

static void many_threads_write_and_read_one_file(void **state)
{
    struct db_fixture *fixture = *state;
    struct worker workers[WRITERS_COUNT + READERS_COUNT] = {0};
    for (int i = 0; i < WRITERS_COUNT + READERS_COUNT; i++) {
        workers[i].fixture = fixture;
        workers[i].id = i;
        void *(*work)(void *) = i < WRITERS_COUNT ? write_much : read_much;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < WRITERS_COUNT + READERS_COUNT; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_int_equal(workers[i].failures_count, 0);
    }
    struct ctx *ctx = &fixture->ctx;
    assert_int_equal(number(ctx, fixture->db, &count_things), WRITERS_COUNT * ROUNDS_COUNT * 2);
    assert_int_equal(number(ctx, fixture->db, &sum_pair), 1000);
    assert_int_equal(number(ctx, fixture->db, &read_b), WRITERS_COUNT * ROUNDS_COUNT);
    static const struct db_statement check = {
        "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"};
    assert_int_equal(number(ctx, fixture->db, &check), 1);
}

/* --- The failing driver itself --- */

static enum err add_two(struct ctx *ctx, struct db *db, void *argument)
{
    int64_t *out_count = argument;
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_begin(ctx, db, &tx);
    if (!err)
        err = db_run(ctx, db, &insert, DB_VALUES(db_text("a"), db_null(), db_null()), NULL);
    if (!err)
        err = db_query(ctx, db, &count_things, DB_NO_VALUES, &rows);
    if (!err)
        err = db_next(ctx, &rows, &has_row);
    int64_t count = !err && has_row ? db_rows_i64(&rows, 0) : 0;
    db_rows_done(&rows);
    if (!err)
        err = db_commit(ctx, &tx);
    if (!err)
        err = db_ping(ctx, db);
    if (!err)
        *out_count = count;
    return err;
}

static void forget_the_row(struct db *real, void *argument)
{
    (void)argument;
    struct ctx ctx;
    ctx_init(&ctx, NULL, DB_FIXTURE_BUDGET_MS);
    assert_int_equal(db_run(&ctx, real, &delete_all, DB_NO_VALUES, NULL), ERR_OK);
    ctx_done(&ctx);
}

static void the_failing_driver_visits_each_call_once(void **state)
{
    struct db_fixture *fixture = *state;
    struct fake_db *fake = NULL;
    struct db *db = fake_db_new(TAKE(fixture->db), &fake);
    int64_t count = 0;
    struct fake_db_operation operation = {
        .run = add_two,
        .argument = &count,
        .outputs = &count,
        .outputs_size_bytes = sizeof(count),
        .check_undone = forget_the_row,
    };
    assert_int_equal(fake_db_torture(db, fake, &operation), 6);
    assert_int_equal(count, 1);
    assert_int_equal(number(&fixture->ctx, db, &count_things), 1);
    assert_int_equal(fake_db_calls_count(fake), 3);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(a_transaction_without_commit_leaves_nothing),
        WITH_DB(a_conflict_leaves_the_transaction_usable),
        WITH_DB(a_refused_commit_undoes_all_and_frees_the_lock),
        WITH_DB(a_read_transaction_is_one_snapshot_and_never_writes),
        WITH_DB(rows_of_a_write_need_a_transaction),
        WITH_DB(a_write_while_rows_are_open_is_refused_each_time),
        WITH_DB(a_connection_that_closes_in_a_transaction_undoes_it),
        WITH_DB(nothing_is_begun_after_the_deadline_but_a_commit_is_ended),
        WITH_DB(a_call_after_the_deadline_undoes_its_transaction),
        WITH_DB(what_became_of_a_commit_is_asked_after_the_deadline_too),
        WITH_DB(a_question_without_end_is_interrupted_at_the_deadline),
        WITH_DB(an_interrupted_write_undoes_its_transaction_and_lets_others_in),
        WITH_DB(a_writer_that_waits_too_long_gives_up_and_can_try_again),
        WITH_DB(without_a_deadline_the_options_say_how_long_a_lock_is_waited_for),
        WITH_DB(another_process_is_waited_for_until_the_deadline),
        WITH_DB(a_full_disk_undoes_the_write_and_room_brings_writing_back),
        WITH_DB(many_threads_write_and_read_one_file),
        WITH_DB(the_failing_driver_visits_each_call_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
