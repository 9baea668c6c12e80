/* SPDX-License-Identifier: MIT
 *
 * Group commit over a real SQLite file: who is in one transaction with whom, and that nobody loses
 * by it. The first writer holds its group open until so many wait behind it, so that what is in the
 * next group is certain. */
#include "data/group_commit.h"

#include "db_fixture.h"

#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "data/db_driver.h"

#define WRITERS_MAX_COUNT 20
#define JOIN_MAX_S        15
#define HELD              "held"    /* waits in its group for the others */
#define ABSENT            "absent"  /* is made by no group, and not alone either */
#define SPOILER           "spoiler" /* undoes its group */

struct stage {
    struct db_fixture *fixture;
    struct group_commit *commits;
    size_t wanted_count;       /* so many wait before the first group ends */
    _Atomic bool is_released;  /* or this */
    int64_t group_deadline_ms; /* of the last group of several */
    _Atomic size_t in_group_count;
    _Atomic size_t alone_count;
    _Atomic size_t groups_count; /* of two or more */
    size_t sizes[WRITERS_MAX_COUNT];
};

struct writer {
    struct stage *stage;
    const char *name;
    struct ctx ctx;
    struct db *db;
    int64_t budget_ms; /* 0: DB_FIXTURE_BUDGET_MS */
    enum err err;
    bool is_unsure;
    int64_t deadline_ms; /* in its last call, in the group or alone */
    pthread_t thread;
};

static enum err add(struct writer *writer, struct ctx *ctx, struct db *db)
{
    if (strcmp(writer->name, ABSENT) == 0)
        return ctx_fail(ctx, ERR_NOT_FOUND, "absent");
    return db_run(ctx, db, &insert, DB_VALUES(db_text(writer->name), db_null(), db_null()), NULL);
}

static enum err write_one(struct ctx *ctx, struct db *db, bool is_alone, void *what)
{
    struct writer *writer = what;
    struct stage *stage = writer->stage;
    writer->deadline_ms = ctx->deadline_ms;
    (*(is_alone ? &stage->alone_count : &stage->in_group_count))++;
    while (strcmp(writer->name, HELD) == 0 && !stage->is_released &&
           group_commit_waiting_count(stage->commits) < stage->wanted_count)
        clock_sleep_ms(1);
    return add(writer, ctx, db);
}

static enum err
write_several(struct ctx *ctx, struct db *db, struct group_item *items, size_t count)
{
    struct stage *stage = ((struct writer *)items[0].what)->stage;
    stage->sizes[stage->groups_count++] = count;
    stage->group_deadline_ms = ctx->deadline_ms;
    for (size_t i = 0; i < count; i++) {
        struct writer *writer = items[i].what;
        enum err err = add(writer, ctx, db);
        if (err == ERR_NOT_FOUND)
            ctx_forgive(ctx);
        else if (err)
            return err;
        else if (strcmp(writer->name, SPOILER) == 0)
            return ctx_fail(ctx, ERR_CONFLICT, "spoilt");
        items[i].is_made = !err;
    }
    return ERR_OK;
}

static const struct group_kind KIND = {.write = write_one, .write_all = write_several};

static void *run_writer(void *argument)
{
    struct writer *writer = argument;
    writer->err =
        group_commit_write(writer->stage->commits, &writer->ctx, writer->db, &KIND, writer);
    writer->is_unsure = db_is_unsure(writer->db);
    return NULL;
}

/* `writer` has its name, and a budget and a connection where they are not the usual ones. */
static void start(struct writer *writer, struct stage *stage)
{
    writer->stage = stage;
    ctx_init(&writer->ctx, NULL, writer->budget_ms ? writer->budget_ms : DB_FIXTURE_BUDGET_MS);
    if (!writer->db)
        writer->db = db_fixture_open(stage->fixture);
    assert_int_equal(pthread_create(&writer->thread, NULL, run_writer, writer), 0);
}

static void start_writer(struct writer *writer, struct stage *stage, const char *name)
{
    *writer = (struct writer){.name = name};
    start(writer, stage);
}

/* The first leads; all others are its next group, in their order. */
static void run_writers(struct stage *stage, struct writer *writers, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        start(&writers[i], stage);
        while (i < count - 1 && group_commit_waiting_count(stage->commits) < i)
            clock_sleep_ms(1);
    }
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
}

static void run_behind_a_held_one(struct stage *stage, struct writer *writers, size_t count)
{
    stage->wanted_count = count - 1;
    start_writer(&writers[0], stage, HELD);
    while (stage->in_group_count == 0)
        clock_sleep_ms(1);
    run_writers(stage, writers, count);
}

/* 0: it has ended while whoever is held is held still. */
static int timed_join(struct writer *writer)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += JOIN_MAX_S;
    return pthread_timedjoin_np(writer->thread, NULL, &until);
}

static void end_writers(struct writer *writers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        db_close(writers[i].db);
        ctx_done(&writers[i].ctx);
    }
}

static int64_t things_count(struct db_fixture *fixture)
{
    return number(&fixture->ctx, fixture->db, &count_things);
}

static struct stage stage_on(void **state, int64_t wait_ms)
{
    struct stage stage = {.fixture = *state, .commits = group_commit_new(wait_ms)};
    assert_non_null(stage.commits);
    return stage;
}

static void writes_that_wait_are_one_transaction(void **state)
{
    struct stage stage = stage_on(state, DB_FIXTURE_BUDGET_MS);
    struct writer writers[6] = {[1] = {.name = "b"},
                                [2] = {.name = "c"},
                                [3] = {.name = "d"},
                                [4] = {.name = "e"},
                                [5] = {.name = "f"}};
    run_behind_a_held_one(&stage, writers, ARRAY_COUNT(writers));
    for (size_t i = 0; i < ARRAY_COUNT(writers); i++)
        assert_int_equal(writers[i].err, ERR_OK);
    assert_int_equal(stage.groups_count, 1);
    assert_int_equal(stage.sizes[0], 5);
    assert_int_equal(stage.alone_count, 0);
    assert_int_equal(things_count(stage.fixture), 6);
    end_writers(writers, ARRAY_COUNT(writers));
    group_commit_free(stage.commits);
}

static void a_group_has_a_limit_and_the_rest_is_the_next(void **state)
{
    struct stage stage = stage_on(state, DB_FIXTURE_BUDGET_MS);
    struct writer writers[1 + GROUP_COMMIT_MAX_COUNT + 3] = {0};
    char names_of[ARRAY_COUNT(writers)][8];
    for (size_t i = 0; i < ARRAY_COUNT(writers); i++) {
        (void)snprintf(names_of[i], sizeof(names_of[i]), "n%zu", i);
        writers[i].name = names_of[i];
    }
    run_behind_a_held_one(&stage, writers, ARRAY_COUNT(writers));
    assert_int_equal(stage.groups_count, 2);
    assert_int_equal(stage.sizes[0], GROUP_COMMIT_MAX_COUNT);
    assert_int_equal(stage.sizes[1], 3);
    assert_int_equal(things_count(stage.fixture), ARRAY_COUNT(writers));
    end_writers(writers, ARRAY_COUNT(writers));
    group_commit_free(stage.commits);
}

static void who_is_not_made_in_the_group_is_made_alone(void **state)
{
    struct stage stage = stage_on(state, DB_FIXTURE_BUDGET_MS);
    struct writer writers[] = {{0}, {.name = "b"}, {.name = ABSENT}, {.name = "c"}};
    run_behind_a_held_one(&stage, writers, ARRAY_COUNT(writers));
    assert_int_equal(writers[1].err, ERR_OK);
    assert_int_equal(writers[2].err, ERR_NOT_FOUND);
    assert_string_equal(writers[2].ctx.why.text, "absent");
    assert_int_equal(writers[3].err, ERR_OK);
    assert_int_equal(stage.alone_count, 1);
    assert_int_equal(things_count(stage.fixture), 3);
    end_writers(writers, ARRAY_COUNT(writers));
    group_commit_free(stage.commits);
}

static void a_group_that_fails_is_undone_and_each_is_made_alone(void **state)
{
    struct stage stage = stage_on(state, DB_FIXTURE_BUDGET_MS);
    struct writer writers[] = {{0}, {.name = "b"}, {.name = SPOILER}, {.name = "c"}};
    run_behind_a_held_one(&stage, writers, ARRAY_COUNT(writers));
    for (size_t i = 0; i < ARRAY_COUNT(writers); i++) {
        assert_int_equal(writers[i].err, ERR_OK);
        assert_string_equal(writers[i].ctx.why.text, "");
    }
    assert_int_equal(stage.alone_count, 3);
    assert_int_equal(things_count(stage.fixture), 4);
    end_writers(writers, ARRAY_COUNT(writers));
    group_commit_free(stage.commits);
}

static void a_single_write_is_tried_without_waiting_and_then_alone(void **state)
{
    struct stage stage = stage_on(state, DB_FIXTURE_BUDGET_MS);
    struct writer writers[2];
    start_writer(&writers[0], &stage, "a");
    assert_int_equal(pthread_join(writers[0].thread, NULL), 0);
    assert_int_equal(stage.alone_count, 0);
    start_writer(&writers[1], &stage, ABSENT);
    assert_int_equal(pthread_join(writers[1].thread, NULL), 0);
    assert_int_equal(writers[0].err, ERR_OK);
    assert_int_equal(writers[1].err, ERR_NOT_FOUND);
    assert_int_equal(stage.in_group_count, 2);
    assert_int_equal(stage.alone_count, 1);
    end_writers(writers, ARRAY_COUNT(writers));
    group_commit_free(stage.commits);
}

static void without_groups_a_write_is_alone(void **state)
{
    struct stage stage = {.fixture = *state};
    struct writer writer;
    start_writer(&writer, &stage, "a");
    assert_int_equal(pthread_join(writer.thread, NULL), 0);
    assert_int_equal(writer.err, ERR_OK);
    assert_int_equal(stage.in_group_count, 0);
    assert_int_equal(stage.alone_count, 1);
    end_writers(&writer, 1);
}

static void a_group_leaves_time_to_be_alone(void **state)
{
    struct stage stage = stage_on(state, DB_FIXTURE_BUDGET_MS);
    struct writer writers[2];
    start_writer(&writers[0], &stage, "a");
    assert_int_equal(pthread_join(writers[0].thread, NULL), 0);
    assert_true(writers[0].deadline_ms < writers[0].ctx.deadline_ms);
    start_writer(&writers[1], &stage, ABSENT);
    assert_int_equal(pthread_join(writers[1].thread, NULL), 0);
    assert_true(writers[1].deadline_ms == writers[1].ctx.deadline_ms);
    end_writers(writers, ARRAY_COUNT(writers));
    group_commit_free(stage.commits);
}

static void a_group_ends_by_the_earliest_deadline_of_its_members(void **state)
{
    struct stage stage = stage_on(state, DB_FIXTURE_BUDGET_MS);
    struct writer writers[] = {{0}, {.name = "b"}, {.name = "c", .budget_ms = 20000}};
    run_behind_a_held_one(&stage, writers, ARRAY_COUNT(writers));
    assert_int_equal(stage.groups_count, 1);
    assert_true(stage.group_deadline_ms < writers[2].ctx.deadline_ms);
    assert_true(writers[1].ctx.deadline_ms > writers[2].ctx.deadline_ms); /* the leader's, again */
    end_writers(writers, ARRAY_COUNT(writers));
    group_commit_free(stage.commits);
}

/* It would end the group at once. */
static void one_that_is_late_spoils_no_group(void **state)
{
    struct stage stage = stage_on(state, DB_FIXTURE_BUDGET_MS);
    struct writer late = {.name = "late", .budget_ms = 1};
    struct writer writers[] = {{0}, {.name = "b"}, {.name = "c"}, {.name = "d"}};
    stage.wanted_count = ARRAY_COUNT(writers) - 1;
    start_writer(&writers[0], &stage, HELD);
    while (stage.in_group_count == 0)
        clock_sleep_ms(1);
    start(&late, &stage);
    assert_int_equal(timed_join(&late), 0); /* while the first group is made */
    run_writers(&stage, writers, ARRAY_COUNT(writers));
    for (size_t i = 0; i < ARRAY_COUNT(writers); i++)
        assert_int_equal(writers[i].err, ERR_OK);
    assert_int_equal(late.err, ERR_UNAVAILABLE);
    assert_int_equal(stage.groups_count, 1);
    assert_int_equal(stage.sizes[0], 3);
    assert_int_equal(stage.alone_count, 0);
    end_writers(writers, ARRAY_COUNT(writers));
    end_writers(&late, 1);
    group_commit_free(stage.commits);
}

/* However long the group before takes. */
static void nobody_waits_for_a_group_past_its_deadline(void **state)
{
    struct stage stage = stage_on(state, INT32_MAX);
    struct writer writers[2] = {[1] = {.name = "b", .budget_ms = 1000}};
    stage.wanted_count = SIZE_MAX;
    start_writer(&writers[0], &stage, HELD);
    while (stage.in_group_count == 0)
        clock_sleep_ms(1);
    start(&writers[1], &stage);
    int failure = timed_join(&writers[1]);
    stage.is_released = true;
    assert_int_equal(pthread_join(writers[0].thread, NULL), 0);
    assert_int_equal(failure, 0);
    assert_int_equal(group_commit_waiting_count(stage.commits), 0);
    end_writers(writers, ARRAY_COUNT(writers));
    group_commit_free(stage.commits);
}

/* ---- a commit without an answer ---- */

static enum err stub_begin(struct ctx *ctx, void *state, bool is_write)
{
    (void)ctx;
    (void)state;
    (void)is_write;
    return ERR_OK;
}

struct stub {
    bool has_answer;
    bool is_unsure;
};

static enum err stub_commit(struct ctx *ctx, void *state)
{
    struct stub *stub = state;
    stub->is_unsure = !stub->has_answer;
    return stub->is_unsure ? ctx_fail(ctx, ERR_UNAVAILABLE, "no answer") : ERR_OK;
}

static bool stub_is_unsure(const void *state)
{
    return ((const struct stub *)state)->is_unsure;
}

static enum err stub_run(struct ctx *ctx,
                         void *state,
                         const struct db_statement *statement,
                         struct db_values values,
                         int64_t *out_changed_count)
{
    (void)ctx;
    (void)state;
    (void)statement;
    (void)values;
    *out_changed_count = 1;
    return ERR_OK;
}

static void stub_nothing(void *state)
{
    (void)state;
}

static const struct db_driver stub_driver = {
    .close = stub_nothing,
    .run = stub_run,
    .begin = stub_begin,
    .commit = stub_commit,
    .roll_back = stub_nothing,
    .is_unsure = stub_is_unsure,
};

/* The leader's connection is the one that has no answer; each of its group is told, and knows it of
 * its own connection, which it asks what became of the write. */
static void all_of_a_group_are_unsure_when_its_commit_had_no_answer(void **state)
{
    struct stage stage = stage_on(state, DB_FIXTURE_BUDGET_MS);
    struct stub stub = {.has_answer = false};
    struct writer writers[] = {
        {0}, {.name = "b", .db = db_new(&stub_driver, &stub)}, {.name = "c"}, {.name = ABSENT}};
    run_behind_a_held_one(&stage, writers, ARRAY_COUNT(writers));
    assert_int_equal(writers[0].err, ERR_OK);
    assert_int_equal(writers[1].err, ERR_UNAVAILABLE);
    assert_int_equal(writers[2].err, ERR_UNAVAILABLE);
    assert_true(writers[1].is_unsure && writers[2].is_unsure);
    assert_string_equal(writers[2].ctx.why.text, "no answer");
    assert_int_equal(writers[3].err, ERR_NOT_FOUND); /* it was not in that commit */
    assert_false(writers[0].is_unsure || writers[3].is_unsure);
    writers[2].name = "again";
    run_writer(&writers[2]);
    assert_int_equal(writers[2].err, ERR_OK);
    assert_false(writers[2].is_unsure);
    end_writers(writers, ARRAY_COUNT(writers));
    group_commit_free(stage.commits);
}

/* The leader's connection stands still. Who came is made alone after a while, and who comes then at
 * once. */
static void a_group_that_takes_long_is_not_waited_for(void **state)
{
    struct stage stage = stage_on(state, 20);
    struct stub stub = {.has_answer = true};
    struct writer writers[] = {
        {.name = HELD, .db = db_new(&stub_driver, &stub)}, {.name = "b"}, {.name = "c"}};
    stage.wanted_count = SIZE_MAX;
    start(&writers[0], &stage);
    while (stage.in_group_count == 0)
        clock_sleep_ms(1);
    for (size_t i = 1; i < ARRAY_COUNT(writers); i++) {
        start(&writers[i], &stage);
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
        assert_int_equal(writers[i].err, ERR_OK);
        assert_int_equal(stage.alone_count, i);
        assert_int_equal(group_commit_waiting_count(stage.commits), 0);
    }
    stage.is_released = true;
    assert_int_equal(pthread_join(writers[0].thread, NULL), 0);
    assert_int_equal(writers[0].err, ERR_OK);
    assert_int_equal(things_count(stage.fixture), 2); /* the leader's server kept nothing */
    end_writers(writers, ARRAY_COUNT(writers));
    group_commit_free(stage.commits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DB(writes_that_wait_are_one_transaction),
        WITH_DB(a_group_has_a_limit_and_the_rest_is_the_next),
        WITH_DB(who_is_not_made_in_the_group_is_made_alone),
        WITH_DB(a_group_that_fails_is_undone_and_each_is_made_alone),
        WITH_DB(a_single_write_is_tried_without_waiting_and_then_alone),
        WITH_DB(without_groups_a_write_is_alone),
        WITH_DB(a_group_leaves_time_to_be_alone),
        WITH_DB(a_group_ends_by_the_earliest_deadline_of_its_members),
        WITH_DB(one_that_is_late_spoils_no_group),
        WITH_DB(nobody_waits_for_a_group_past_its_deadline),
        WITH_DB(a_group_that_takes_long_is_not_waited_for),
        WITH_DB(all_of_a_group_are_unsure_when_its_commit_had_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
