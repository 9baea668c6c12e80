/* SPDX-License-Identifier: MIT
 *
 * Jobs of a kind, which a lane runs together. */
#include "worker_jobs.h"

static void run_all(struct job *first, void *local)
{
    struct lane *lane = ((struct counted_job *)first)->lane;
    int count = 0;
    while (first) {
        struct job *next = first->next;
        run(first, local);
        count++;
        first = next;
    }
    (void)pthread_mutex_lock(&lane->lock);
    lane->lists[lane->lists_count++] = count;
    (void)pthread_mutex_unlock(&lane->lock);
}

static struct counted_job job_of_kind(struct lane *lane, int number, const void *kind)
{
    struct counted_job job = job_of(lane, number);
    job.job.kind = kind;
    job.job.run_all = run_all;
    return job;
}

static void jobs_of_a_kind_that_wait_in_a_row_are_run_together_and_in_order(void **state)
{
    enum { JOBS_COUNT = 16 };
    static const char *const KINDS[] = {"a", "b"};
    /* Eight at most; one that has nobody of its kind beside it is run by itself. */
    static const char *const of_jobs = "aaaaaaaaaabb-bab";
    static const int lists[] = {WORKERS_TOGETHER_MAX_COUNT, 2, 2};
    struct lane *lane = *state;
    struct counted_job holder;
    struct workers *workers = held_lane(lane, &holder, JOBS_COUNT);
    struct counted_job jobs[JOBS_COUNT];
    for (int i = 0; i < JOBS_COUNT; i++) {
        char kind = of_jobs[i];
        jobs[i] = job_of_kind(lane, i, kind == '-' ? NULL : KINDS[kind == 'b']);
        assert_true(workers_submit(workers, &jobs[i].job));
    }
    assert_int_equal(workers_busy_count(workers), JOBS_COUNT + 1);
    (void)sem_post(&lane->gate);
    while (workers_busy_count(workers) > 0)
        clock_sleep_ms(1);
    workers_free(workers);
    assert_int_equal(lane->order_count, JOBS_COUNT + 1);
    for (int i = 0; i < JOBS_COUNT; i++)
        assert_int_equal(lane->order[i + 1], i);
    assert_int_equal(lane->lists_count, ARRAY_COUNT(lists));
    assert_memory_equal(lane->lists, lists, sizeof(lists));
}

static void of_jobs_together_those_that_are_late_expire(void **state)
{
    struct lane *lane = *state;
    struct counted_job holder;
    struct workers *workers = held_lane(lane, &holder, 10);
    struct counted_job jobs[5];
    for (int i = 0; i < 5; i++) {
        jobs[i] = job_of_kind(lane, i, lane);
        if (i % 2 == 0)
            jobs[i].job.deadline_ms = clock_monotonic_ms() - 1;
        assert_true(workers_submit(workers, &jobs[i].job));
    }
    static const int expected[] = {999, 1, 3};
    let_go_and_expect(workers, lane, expected, ARRAY_COUNT(expected));
    assert_int_equal(lane->expired_count, 3);
    assert_int_equal(lane->lists_count, 1);
}

/* A lane whose workers all wait: one that is still starting would take what is queued. */
static struct workers *idle_workers_of(struct lane *lane, int count)
{
    struct workers *workers = workers_of(lane, count, 100);
    struct counted_job jobs[WORKERS_TOGETHER_MAX_COUNT];
    assert_in_range(count, 1, ARRAY_COUNT(jobs));
    for (int i = 0; i < count; i++) {
        jobs[i] = job_of(lane, i);
        jobs[i].gate = &lane->gate;
        assert_true(workers_submit(workers, &jobs[i].job));
    }
    for (int i = 0; i < count; i++)
        (void)sem_wait(&lane->started);
    for (int i = 0; i < count; i++)
        (void)sem_post(&lane->gate);
    while (workers_busy_count(workers) > 0)
        clock_sleep_ms(1);
    lane->order_count = 0;
    return workers;
}

/* Two are at work and take the others along; when they don't come back, an idle one does. */
static void few_workers_are_woken_for_jobs_of_a_kind_and_others_when_those_are_stuck(void **state)
{
    enum { STUCK_COUNT = 2, WAITING_COUNT = 3 };
    struct lane *lane = *state;
    struct workers *workers = idle_workers_of(lane, STUCK_COUNT + 1);
    struct counted_job jobs[STUCK_COUNT + WAITING_COUNT];
    for (int i = 0; i < STUCK_COUNT + WAITING_COUNT; i++) {
        jobs[i] = job_of_kind(lane, i, lane);
        jobs[i].gate = i < STUCK_COUNT ? &lane->gate : NULL;
        assert_true(workers_submit(workers, &jobs[i].job));
        if (i < STUCK_COUNT)
            (void)sem_wait(&lane->started);
    }
    assert_int_equal(workers_busy_count(workers), STUCK_COUNT + WAITING_COUNT);
    workers_expire(workers, 0);
    while (workers_busy_count(workers) > STUCK_COUNT)
        clock_sleep_ms(1);
    assert_int_equal(lane->lists_count, 1);
    /* Nobody had taken one before. */
    assert_int_equal(lane->lists[0], WAITING_COUNT);
    for (int i = 0; i < STUCK_COUNT; i++)
        (void)sem_post(&lane->gate);
    workers_free(workers);
    assert_int_equal(lane->order_count, WAITING_COUNT + STUCK_COUNT);
}

static void a_full_list_of_a_kind_is_worth_another_worker(void **state)
{
    enum { STUCK_COUNT = 2, ALL_COUNT = STUCK_COUNT + WORKERS_TOGETHER_MAX_COUNT };
    struct lane *lane = *state;
    struct workers *workers = idle_workers_of(lane, STUCK_COUNT + 1);
    struct counted_job jobs[ALL_COUNT];
    for (int i = 0; i < ALL_COUNT; i++) {
        jobs[i] = job_of_kind(lane, i, lane);
        jobs[i].gate = i < STUCK_COUNT ? &lane->gate : NULL;
        assert_true(workers_submit(workers, &jobs[i].job));
        if (i < STUCK_COUNT)
            (void)sem_wait(&lane->started);
    }
    while (workers_busy_count(workers) > STUCK_COUNT)
        clock_sleep_ms(1);
    assert_int_equal(lane->lists[0], WORKERS_TOGETHER_MAX_COUNT);
    for (int i = 0; i < STUCK_COUNT; i++)
        (void)sem_post(&lane->gate);
    workers_free(workers);
    assert_int_equal(lane->order_count, ALL_COUNT);
}

/* Else she, whose job is of a kind, would wait beside an idle worker for one of the two who run
 * such jobs, and the first of them goes on with another job. */
static void where_owners_have_their_share_each_job_runs_by_itself(void **state)
{
    enum { MINE = 1, YOURS = 2, HERS = 3, WAIT_MS = 20000 };
    static const uint64_t owners[] = {MINE, YOURS, MINE, HERS};
    struct lane *lane = *state;
    struct workers *workers = workers_new(&(struct workers_options){
        .name = "unit", .count = 3, .queue_max_count = 100, .per_owner_max_count = 1});
    struct counted_job jobs[ARRAY_COUNT(owners)];
    assert_non_null(workers);
    for (int i = 0; i < (int)ARRAY_COUNT(jobs); i++) {
        jobs[i] = job_of_kind(lane, i, i == 2 ? NULL : lane);
        jobs[i].job.owner = owners[i];
        jobs[i].gate = owners[i] == HERS ? NULL : &lane->gate;
        assert_true(workers_submit(workers, &jobs[i].job));
        if (i < 2)
            (void)sem_wait(&lane->started);
    }
    for (int i = 0; i < WAIT_MS && workers_busy_count(workers) > 3; i++)
        clock_sleep_ms(1);
    assert_int_equal(workers_busy_count(workers), 3);
    for (int i = 0; i < 3; i++)
        (void)sem_post(&lane->gate);
    workers_free(workers);
    assert_int_equal(lane->order_count, ARRAY_COUNT(jobs));
    assert_int_equal(lane->order[0], 3);
    assert_int_equal(lane->lists_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_LANE(jobs_of_a_kind_that_wait_in_a_row_are_run_together_and_in_order),
        UNIT_WITH_LANE(of_jobs_together_those_that_are_late_expire),
        UNIT_WITH_LANE(few_workers_are_woken_for_jobs_of_a_kind_and_others_when_those_are_stuck),
        UNIT_WITH_LANE(a_full_list_of_a_kind_is_worth_another_worker),
        UNIT_WITH_LANE(where_owners_have_their_share_each_job_runs_by_itself),
    };
    return cmocka_run_group_tests_name("workers_together", tests, NULL, NULL);
}
