/* SPDX-License-Identifier: MIT
 *
 * The failing driver and the loop over its failures. It keeps count of what is open, as a leak of
 * rows or of a transaction would otherwise show only when the pool of statements or the writers'
 * gate runs dry. Depends on: db_driver.h, cmocka. */
#include "fake_db.h"

#include "unit.h"

#include "base/ctx.h"
#include "data/db_driver.h"

#define CALLS_MAX_COUNT 1000
#define BUDGET_MS       30000
#define PATTERN         0xa5

enum fake_transaction { FAKE_NONE, FAKE_OPEN, FAKE_UNDONE };

struct fake_db {
    struct db *real;
    size_t fail_at; /* 0: never */
    enum err fail_as;
    size_t calls_count;
    size_t rows_open_count;
    enum fake_transaction transaction;
};

/* Counts the call; an error when it is the one to fail. */
static enum err count_call(struct ctx *ctx, struct fake_db *fake)
{
    if (fake->transaction == FAKE_UNDONE)
        fail_msg("call %zu goes on in a transaction that a failure has undone",
                 fake->calls_count + 1);
    fake->calls_count++;
    if (fake->calls_count != fake->fail_at)
        return ERR_OK;
    if (fake->transaction == FAKE_OPEN && fake->fail_as == ERR_UNAVAILABLE) {
        fake->real->driver->roll_back(fake->real->state);
        fake->transaction = FAKE_UNDONE;
    }
    return ctx_fail(ctx, fake->fail_as, "the fake lets call %zu fail", fake->calls_count);
}

static void fake_close(void *state)
{
    struct fake_db *fake = state;
    db_close(fake->real);
    free(fake);
}

static enum err fake_run(struct ctx *ctx,
                         void *state,
                         const struct db_statement *statement,
                         struct db_values values,
                         int64_t *out_changed_count)
{
    struct fake_db *fake = state;
    enum err err = count_call(ctx, fake);
    return err ? err
               : fake->real->driver->run(ctx, fake->real->state, statement, values,
                                         out_changed_count);
}

static int64_t fake_last_id(void *state)
{
    const struct fake_db *fake = state;
    return fake->real->driver->last_id(fake->real->state);
}

static enum err fake_query(struct ctx *ctx,
                           void *state,
                           const struct db_statement *statement,
                           struct db_values values,
                           void **out_cursor)
{
    struct fake_db *fake = state;
    enum err err = count_call(ctx, fake);
    if (!err)
        err = fake->real->driver->query(ctx, fake->real->state, statement, values, out_cursor);
    if (!err)
        fake->rows_open_count++;
    return err;
}

static enum err fake_next(struct ctx *ctx, void *state, void *cursor, bool *out_has_row)
{
    struct fake_db *fake = state;
    enum err err = count_call(ctx, fake);
    return err ? err : fake->real->driver->next(ctx, fake->real->state, cursor, out_has_row);
}

static void fake_rows_done(void *state, void *cursor)
{
    struct fake_db *fake = state;
    fake->real->driver->rows_done(fake->real->state, cursor);
    fake->rows_open_count--;
}

static struct db_value fake_column(void *state, void *cursor, int column)
{
    const struct fake_db *fake = state;
    return fake->real->driver->column(fake->real->state, cursor, column);
}

static enum err fake_begin(struct ctx *ctx, void *state, bool is_write)
{
    struct fake_db *fake = state;
    enum err err = count_call(ctx, fake);
    if (!err)
        err = fake->real->driver->begin(ctx, fake->real->state, is_write);
    if (!err)
        fake->transaction = FAKE_OPEN;
    return err;
}

/* A commit ends the transaction either way, also after an earlier failure that the operation
 * overlooked. */
static enum err fake_commit(struct ctx *ctx, void *state)
{
    struct fake_db *fake = state;
    enum err err = count_call(ctx, fake);
    if (!err)
        err = fake->real->driver->commit(ctx, fake->real->state);
    fake->transaction = FAKE_NONE;
    return err;
}

static void fake_roll_back(void *state)
{
    struct fake_db *fake = state;
    if (fake->transaction == FAKE_OPEN)
        fake->real->driver->roll_back(fake->real->state);
    fake->transaction = FAKE_NONE;
}

static enum err fake_script(struct ctx *ctx, void *state, const char *sql)
{
    struct fake_db *fake = state;
    enum err err = count_call(ctx, fake);
    return err ? err : fake->real->driver->script(ctx, fake->real->state, sql);
}

static enum err fake_ping(struct ctx *ctx, void *state)
{
    struct fake_db *fake = state;
    enum err err = count_call(ctx, fake);
    return err ? err : fake->real->driver->ping(ctx, fake->real->state);
}

static const struct db_driver fake_driver = {
    .close = fake_close,
    .run = fake_run,
    .last_id = fake_last_id,
    .query = fake_query,
    .next = fake_next,
    .rows_done = fake_rows_done,
    .column = fake_column,
    .begin = fake_begin,
    .commit = fake_commit,
    .roll_back = fake_roll_back,
    .script = fake_script,
    .ping = fake_ping,
};

struct db *fake_db_new(struct db *real, struct fake_db **out_fake)
{
    struct fake_db *fake = calloc(1, sizeof(*fake));
    assert_non_null(fake);
    fake->real = real;
    fake->fail_as = ERR_UNAVAILABLE;
    *out_fake = fake;
    return db_new(&fake_driver, fake);
}

void fake_db_fail_at(struct fake_db *fake, size_t call_number)
{
    fake->fail_at = call_number;
    fake->calls_count = 0;
}

void fake_db_fail_as(struct fake_db *fake, enum err err)
{
    fake->fail_as = err;
}

size_t fake_db_calls_count(const struct fake_db *fake)
{
    return fake->calls_count;
}

static enum err run_once(struct db *db, const struct fake_db_operation *operation)
{
    struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    ctx.db = db;
    enum err err = operation->run(&ctx, db, operation->argument);
    if (err && ctx.why.text[0] == '\0')
        fail_msg("an error without a reason: %s", err_name(err));
    ctx_done(&ctx);
    return err;
}

static void check_failure(struct fake_db *fake,
                          const struct fake_db_operation *operation,
                          const unsigned char *before)
{
    if (operation->outputs)
        assert_memory_equal(operation->outputs, before, operation->outputs_size_bytes);
    assert_int_equal(fake->rows_open_count, 0);
    assert_int_equal(fake->transaction, FAKE_NONE);
    if (operation->check_undone)
        operation->check_undone(fake->real, operation->argument);
}

size_t
fake_db_torture(struct db *db, struct fake_db *fake, const struct fake_db_operation *operation)
{
    size_t size_bytes = operation->outputs ? operation->outputs_size_bytes : 0;
    unsigned char *before = malloc(size_bytes + 1);
    assert_non_null(before);
    memset(before, PATTERN, size_bytes + 1);
    for (size_t n = 1; n <= CALLS_MAX_COUNT; n++) {
        if (size_bytes > 0)
            memset(operation->outputs, PATTERN, size_bytes);
        fake_db_fail_at(fake, n);
        enum err err = run_once(db, operation);
        if (fake->calls_count < n) {
            assert_int_equal(err, ERR_OK);
            assert_true(n > 1);
            assert_int_equal(fake->rows_open_count, 0);
            assert_int_equal(fake->transaction, FAKE_NONE);
            fake_db_fail_at(fake, 0);
            free(before);
            return n - 1;
        }
        assert_int_equal(err, ERR_UNAVAILABLE);
        check_failure(fake, operation, before);
    }
    fail_msg("still failing after %d calls", CALLS_MAX_COUNT);
    return 0;
}
