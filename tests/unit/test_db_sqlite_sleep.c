/* SPDX-License-Identifier: MIT
 *
 * How long SQLite waits where it asks no busy handler. */
#include "db_fixture.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define SHORT_MS 500 /* but enough to begin */
#define HELD_MS  6000

/* A process that, when it can read from `go`, locks for HELD_MS what who reads must lock: the five
 * read marks of the log, whose places SQLite's file format says (section "The WAL-Index File
 * Format"). */
static pid_t fork_holder_of_read_marks(const struct db_fixture *fixture, int ready_fd, int go_fd)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    char path[160];
    char byte = 'x';
    struct flock marks = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 123, .l_len = 5};
    (void)snprintf(path, sizeof(path), "%s-shm", fixture->path);
    if (read(go_fd, &byte, 1) != 1)
        _exit(1);
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0 || fcntl(file, F_SETLK, &marks) != 0 || write(ready_fd, &byte, 1) != 1)
        _exit(1);
    clock_sleep_ms(HELD_MS);
    _exit(0);
}

/* SQLite would wait for ten seconds, so with success here; and of a table that was made after a
 * connection had read the schema it would say that there is none. */
static void read_marks_that_another_process_holds_are_waited_for_until_the_deadline(void **state)
{
    struct db_fixture *fixture = *state;
    struct ctx *ctx = &fixture->ctx;
    int ready[2];
    int go[2];
    char byte = 'x';
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    db_close(fixture->db); /* a connection must not cross a fork */
    pid_t pid = fork_holder_of_read_marks(fixture, ready[1], go[0]);
    fixture->db = db_fixture_open(fixture);
    struct db *early = db_fixture_open(fixture);
    static const struct db_statement count_late = {"SELECT count(*) FROM late"};
    static const char why[] = "SQLITE_PROTOCOL: locking protocol";
    assert_int_equal(number(ctx, early, &count_things), 0);
    assert_int_equal(db_script(ctx, fixture->db, "CREATE TABLE late (a INTEGER) STRICT"), ERR_OK);
    assert_int_equal(write(go[1], &byte, 1), 1);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    ctx->deadline_ms = clock_monotonic_ms() + SHORT_MS;
    struct db_rows rows = {0};
    bool has_row = false;
    assert_int_equal(db_query(ctx, early, &count_things, DB_NO_VALUES, &rows), ERR_OK);
    assert_int_equal(because(ctx, db_next(ctx, &rows, &has_row), why), ERR_UNAVAILABLE);
    db_rows_done(&rows);
    ctx->deadline_ms = clock_monotonic_ms() + SHORT_MS;
    assert_int_equal(because(ctx, db_query(ctx, early, &count_late, DB_NO_VALUES, &rows), why),
                     ERR_UNAVAILABLE);
    struct db_transaction tx = {0};
    ctx->deadline_ms = clock_monotonic_ms() + SHORT_MS;
    assert_int_equal(because(ctx, db_begin(ctx, fixture->db, &tx), why), ERR_UNAVAILABLE);
    ctx->deadline_ms = clock_monotonic_ms() + DB_FIXTURE_BUDGET_MS;
    assert_int_equal(number(ctx, early, &count_late), 0);
    add_thing(fixture, fixture->db, "written");
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    db_close(early);
    for (size_t i = 0; i < 2; i++) {
        close(ready[i]);
        close(go[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(read_marks_that_another_process_holds_are_waited_for_until_the_deadline),
    };
    return cmocka_run_group_tests_name("db_sqlite_sleep", tests, NULL, NULL);
}
