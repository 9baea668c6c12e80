/* SPDX-License-Identifier: MIT
 *
 * The worker lane. Nothing here depends on how fast a thread is. */
#include "worker_jobs.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

static void all_jobs_run_before_the_lane_ends(void **state)
{
    enum { JOBS_COUNT = 500 };
    struct lane *lane = *state;
    struct workers *workers = workers_of(lane, 4, JOBS_COUNT);
    struct counted_job jobs[JOBS_COUNT];
    for (int i = 0; i < JOBS_COUNT; i++) {
        jobs[i] = job_of(lane, i);
        assert_true(workers_submit(workers, &jobs[i].job));
    }
    workers_free(workers);
    assert_int_equal(lane->order_count, JOBS_COUNT);
    bool was_run[JOBS_COUNT] = {false};
    for (int i = 0; i < JOBS_COUNT; i++)
        was_run[lane->order[i]] = true;
    for (int i = 0; i < JOBS_COUNT; i++)
        assert_true(was_run[i]);
    assert_int_equal(lane->expired_count, 0);
}

static void one_worker_keeps_the_order(void **state)
{
    enum { JOBS_COUNT = 100 };
    struct lane *lane = *state;
    struct workers *workers = workers_of(lane, 1, JOBS_COUNT);
    struct counted_job jobs[JOBS_COUNT];
    for (int i = 0; i < JOBS_COUNT; i++) {
        jobs[i] = job_of(lane, i);
        assert_true(workers_submit(workers, &jobs[i].job));
    }
    workers_free(workers);
    for (int i = 0; i < JOBS_COUNT; i++)
        assert_int_equal(lane->order[i], i);
}

static void each_thread_makes_and_frees_what_it_owns(void **state)
{
    struct lane *lane = *state;
    struct workers *workers = workers_of(lane, 3, 100);
    struct counted_job jobs[50];
    for (int i = 0; i < 50; i++) {
        jobs[i] = job_of(lane, i);
        assert_true(workers_submit(workers, &jobs[i].job));
    }
    workers_free(workers);
    assert_int_equal(lane->local_new_count, 3);
    assert_int_equal(lane->local_free_count, 3);
    assert_int_equal(lane->wrong_local_count, 0);
}

/* Again and again, so that a worker that was idle is woken for the next round. */
static void as_many_jobs_run_at_once_as_there_are_workers(void **state)
{
    enum { WORKERS_COUNT = 3, ROUNDS_COUNT = 20 };
    struct lane *lane = *state;
    struct workers *workers = workers_of(lane, WORKERS_COUNT, 100);
    for (int round = 0; round < ROUNDS_COUNT; round++) {
        struct counted_job jobs[WORKERS_COUNT];
        for (int i = 0; i < WORKERS_COUNT; i++) {
            jobs[i] = job_of(lane, i);
            jobs[i].gate = &lane->gate;
            assert_true(workers_submit(workers, &jobs[i].job));
        }
        for (int i = 0; i < WORKERS_COUNT; i++)
            (void)sem_wait(&lane->started); /* none has ended: the gate is closed */
        for (int i = 0; i < WORKERS_COUNT; i++)
            (void)sem_post(&lane->gate);
        while (workers_busy_count(workers) > 0)
            clock_sleep_ms(1);
    }
    workers_free(workers);
    assert_int_equal(lane->order_count, WORKERS_COUNT * ROUNDS_COUNT);
}

/* Those of others go by. */
static void an_owner_has_so_many_workers_and_his_others_wait(void **state)
{
    enum { MINE = 1, YOURS = 2, WAIT_MS = 20000 };
    struct lane *lane = *state;
    struct workers *workers = workers_new(&(struct workers_options){
        .name = "unit", .count = 2, .queue_max_count = 100, .per_owner_max_count = 1});
    struct counted_job jobs[7];
    assert_non_null(workers);
    for (int i = 0; i < (int)ARRAY_COUNT(jobs); i++) {
        jobs[i] = job_of(lane, i);
        jobs[i].job.owner = i < 4 ? MINE : i < 6 ? YOURS : 0;
        jobs[i].gate = i < 4 ? &lane->gate : NULL;
        assert_true(workers_submit(workers, &jobs[i].job));
    }
    for (int i = 0; i < WAIT_MS && workers_busy_count(workers) > 4; i++)
        clock_sleep_ms(1);
    assert_int_equal(workers_busy_count(workers), 4); /* all of mine, and one of them runs */
    for (int i = 0; i < 4; i++)
        (void)sem_wait(&lane->started); /* the three others, and one of mine */
    assert_int_equal(sem_trywait(&lane->started), -1);
    workers_expire(workers, clock_monotonic_ms());
    assert_int_equal(sem_trywait(&lane->started), -1);

    jobs[3].job.deadline_ms = 1;
    workers_expire(workers, clock_monotonic_ms());
    assert_int_equal(lane->expired_count, 1);
    for (int i = 0; i < 2; i++)
        (void)sem_post(&lane->gate);
    static const int order[] = {4, 5, 6, 0, 1, 2};
    let_go_and_expect(workers, lane, order, ARRAY_COUNT(order));
}

/* Half of the queue for one, a third each for two; who has none there finds room. */
static void an_owner_leaves_room_in_the_queue(void **state)
{
    enum { MINE = 1, YOURS = 2, HERS = 3, QUEUE_COUNT = 8 };
    static const uint64_t owners[] = {MINE, YOURS, HERS, 0};
    static const int taken_counts[] = {4, 2, 1, 1};
    struct lane *lane = *state;
    struct counted_job held;
    struct counted_job jobs[ARRAY_COUNT(owners)][QUEUE_COUNT];
    const struct workers_options options = {
        .name = "unit", .count = 1, .queue_max_count = QUEUE_COUNT, .per_owner_max_count = 1};
    struct workers *workers = hold(lane, workers_new(&options), &held);
    for (size_t i = 0; i < ARRAY_COUNT(owners); i++) {
        int count = 0;
        for (; count < QUEUE_COUNT; count++) {
            jobs[i][count] = job_of(lane, count);
            jobs[i][count].job.owner = owners[i];
            if (!workers_submit(workers, &jobs[i][count].job))
                break;
        }
        assert_int_equal(count, taken_counts[i]);
    }
    (void)sem_post(&lane->gate);
    workers_free(workers);
    assert_int_equal(lane->order_count, 1 + QUEUE_COUNT);
}

static struct workers *
held_lane_of_turns(struct lane *lane, struct counted_job *holder, int64_t queue_max_count)
{
    const struct workers_options options = {
        .name = "unit", .count = 1, .queue_max_count = queue_max_count, .takes_turns = true};
    return hold(lane, workers_new(&options), holder);
}

static void submit_owned(struct workers *workers,
                         struct lane *lane,
                         struct counted_job *jobs,
                         const uint64_t *owners,
                         int count)
{
    for (int i = 0; i < count; i++) {
        jobs[i] = job_of(lane, i + 1);
        jobs[i].job.owner = owners[i];
        assert_true(workers_submit(workers, &jobs[i].job));
    }
}

/* Mine came first, all of them; each of yours waits for one of mine only. Nobody's had its turn
 * with the one that is held. These owners share no place in the table, whatever its factor. */
static void owners_take_turns_however_many_of_theirs_wait(void **state)
{
    enum { JOBS_COUNT = 8 };
    static const uint64_t mine = UINT64_C(1) << 63;
    static const uint64_t yours = UINT64_C(1) << 62;
    const uint64_t owners[JOBS_COUNT] = {mine, mine, mine, mine, mine, yours, yours, 0};
    static const int order[] = {999, 1, 6, 2, 7, 8, 3, 4, 5};
    struct lane *lane = *state;
    struct counted_job held;
    struct counted_job jobs[JOBS_COUNT];
    struct workers *workers = held_lane_of_turns(lane, &held, 100);
    submit_owned(workers, lane, jobs, owners, JOBS_COUNT);
    let_go_and_expect(workers, lane, order, ARRAY_COUNT(order));
}

/* Eight of mine expired while the worker was stuck: my next one is no later for them. */
static void an_owner_is_not_charged_for_jobs_that_expired(void **state)
{
    enum { EXPIRED_COUNT = 8 };
    static const uint64_t mine = UINT64_C(1) << 63;
    static const uint64_t yours = UINT64_C(1) << 62;
    const uint64_t owners[] = {yours, yours, yours, mine, mine};
    static const int order[] = {999, 1, 2, 4, 3, 5};
    struct lane *lane = *state;
    struct counted_job held;
    struct counted_job expired[EXPIRED_COUNT];
    struct counted_job jobs[ARRAY_COUNT(owners)];
    struct workers *workers = held_lane_of_turns(lane, &held, 100);
    for (int i = 0; i < EXPIRED_COUNT; i++) {
        expired[i] = job_of(lane, 100 + i);
        expired[i].job.owner = mine;
        expired[i].job.deadline_ms = 1;
        assert_true(workers_submit(workers, &expired[i].job));
    }
    workers_expire(workers, clock_monotonic_ms());
    assert_int_equal(lane->expired_count, EXPIRED_COUNT);
    submit_owned(workers, lane, jobs, owners, ARRAY_COUNT(jobs));
    let_go_and_expect(workers, lane, order, ARRAY_COUNT(order));
}

/* Of so many owners several share a place of the table with the one who has many jobs. */
static void who_shares_a_place_with_an_owner_of_many_jobs_is_not_behind_them(void **state)
{
    enum { MANY_COUNT = 40, OTHERS_COUNT = 6000, ALL_COUNT = MANY_COUNT + OTHERS_COUNT };
    struct lane *lane = *state;
    struct counted_job held;
    struct counted_job jobs[ALL_COUNT];
    uint64_t number = 1;
    struct workers *workers = held_lane_of_turns(lane, &held, INT64_C(2) * ALL_COUNT);
    for (int i = 0; i < ALL_COUNT; i++) {
        jobs[i] = job_of(lane, i);
        number = number * UINT64_C(6364136223846793005) + 1;
        jobs[i].job.owner = i < MANY_COUNT ? 1 : number ^ number >> 32;
        assert_true(workers_submit(workers, &jobs[i].job));
    }
    (void)sem_post(&lane->gate);
    workers_free(workers);
    assert_int_equal(lane->order_count, 1 + ALL_COUNT);
    for (int i = 1 + 2 + OTHERS_COUNT; i <= ALL_COUNT; i++)
        assert_in_range(lane->order[i], 2, MANY_COUNT - 1);
}

static void a_full_queue_refuses(void **state)
{
    struct lane *lane = *state;
    struct counted_job holder;
    struct workers *workers = held_lane(lane, &holder, 2);
    struct counted_job jobs[3] = {job_of(lane, 0), job_of(lane, 1), job_of(lane, 2)};
    assert_int_equal(workers_busy_count(workers), 1);
    assert_true(workers_submit(workers, &jobs[0].job));
    assert_true(workers_submit(workers, &jobs[1].job));
    assert_false(workers_submit(workers, &jobs[2].job));
    assert_int_equal(workers_busy_count(workers), 3);
    (void)sem_post(&lane->gate);
    workers_free(workers);
    assert_int_equal(lane->order_count, 3);
}

static void a_worker_that_meets_a_late_job_expires_it(void **state)
{
    struct lane *lane = *state;
    struct counted_job holder;
    struct workers *workers = held_lane(lane, &holder, 10);
    struct counted_job late = job_of(lane, 1);
    struct counted_job good = job_of(lane, 2);
    late.job.deadline_ms = clock_monotonic_ms() - 1;
    assert_true(workers_submit(workers, &late.job));
    assert_true(workers_submit(workers, &good.job));
    static const int expected[] = {999, 2};
    let_go_and_expect(workers, lane, expected, ARRAY_COUNT(expected));
    assert_int_equal(lane->expired_count, 1);
}

static void expiring_takes_late_jobs_out_of_the_queue_and_keeps_the_others(void **state)
{
    struct lane *lane = *state;
    struct counted_job holder;
    struct workers *workers = held_lane(lane, &holder, 6);
    struct counted_job jobs[6];
    int64_t now_ms = clock_monotonic_ms();
    for (int i = 0; i < 6; i++) {
        jobs[i] = job_of(lane, i);
        jobs[i].job.deadline_ms = now_ms + (i % 2 == 0 ? FAR_MS : 2 * FAR_MS);
        assert_true(workers_submit(workers, &jobs[i].job));
    }
    workers_expire(workers, now_ms);
    assert_int_equal(lane->expired_count, 0);
    workers_expire(workers, now_ms + FAR_MS);
    assert_int_equal(lane->expired_count, 3);
    assert_int_equal(workers_busy_count(workers), 4);
    struct counted_job more = job_of(lane, 7);
    assert_true(workers_submit(workers, &more.job));
    static const int expected[] = {999, 1, 3, 5, 7};
    let_go_and_expect(workers, lane, expected, ARRAY_COUNT(expected));
}

static void a_queue_of_expired_jobs_is_usable_again(void **state)
{
    struct lane *lane = *state;
    struct counted_job holder;
    struct workers *workers = held_lane(lane, &holder, 1);
    struct counted_job first = job_of(lane, 1);
    struct counted_job second = job_of(lane, 2);
    assert_true(workers_submit(workers, &first.job));
    workers_expire(workers, first.job.deadline_ms);
    assert_true(workers_submit(workers, &second.job));
    static const int expected[] = {999, 2};
    let_go_and_expect(workers, lane, expected, ARRAY_COUNT(expected));
    assert_int_equal(lane->expired_count, 1);
}

struct looking_job {
    struct job job;
    int niceness;
    bool has_no_local;
    bool blocks_signals;
};

static void look_around(struct job *job, void *local)
{
    struct looking_job *looking = (struct looking_job *)job;
    sigset_t mask;
    (void)pthread_sigmask(SIG_BLOCK, NULL, &mask);
    looking->niceness = getpriority(PRIO_PROCESS, (id_t)gettid());
    looking->has_no_local = local == NULL;
    looking->blocks_signals = sigismember(&mask, SIGTERM) == 1;
}

static void threads_are_nice_and_take_no_signals(void **state)
{
    (void)state;
    int before = getpriority(PRIO_PROCESS, 0);
    int wanted = before < 15 ? before + 3 : 19;
    struct workers_options options = {
        .name = "nice", .count = 1, .queue_max_count = 1, .niceness = wanted};
    struct looking_job looking = {
        .job = {.deadline_ms = clock_monotonic_ms() + FAR_MS, .run = look_around}};
    struct workers *workers = workers_new(&options);
    assert_non_null(workers);
    assert_true(workers_submit(workers, &looking.job));
    workers_free(workers);
    assert_int_equal(looking.niceness, wanted);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
    assert_true(looking.has_no_local);
    assert_true(looking.blocks_signals);
}

static void freeing_no_lane_does_nothing(void **state)
{
    (void)state;
    workers_free(NULL);
}

struct submitter {
    struct workers *workers;
    struct lane *lane;
    struct counted_job jobs[100];
    int refused_count;
};

static void *submit_many(void *argument)
{
    struct submitter *submitter = argument;
    for (int i = 0; i < 100; i++) {
        submitter->jobs[i] = job_of(submitter->lane, i);
        submitter->refused_count += !workers_submit(submitter->workers, &submitter->jobs[i].job);
        workers_expire(submitter->workers, 0);
    }
    return NULL;
}

static void many_threads_may_submit_at_once(void **state)
{
    enum { SUBMITTERS_COUNT = 4 };
    struct lane *lane = *state;
    struct workers *workers = workers_of(lane, 2, 1000);
    struct submitter *submitters = calloc(SUBMITTERS_COUNT, sizeof(*submitters));
    pthread_t threads[SUBMITTERS_COUNT];
    assert_non_null(submitters);
    for (int i = 0; i < SUBMITTERS_COUNT; i++) {
        submitters[i].workers = workers;
        submitters[i].lane = lane;
        assert_int_equal(pthread_create(&threads[i], NULL, submit_many, &submitters[i]), 0);
    }
    for (int i = 0; i < SUBMITTERS_COUNT; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(submitters[i].refused_count, 0);
    }
    workers_free(workers);
    assert_int_equal(lane->order_count, 100 * SUBMITTERS_COUNT);
    free(submitters);
}

/* ---- jobs of a kind ---- */

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_LANE(all_jobs_run_before_the_lane_ends),
        UNIT_WITH_LANE(one_worker_keeps_the_order),
        UNIT_WITH_LANE(each_thread_makes_and_frees_what_it_owns),
        UNIT_WITH_LANE(as_many_jobs_run_at_once_as_there_are_workers),
        UNIT_WITH_LANE(an_owner_has_so_many_workers_and_his_others_wait),
        UNIT_WITH_LANE(an_owner_leaves_room_in_the_queue),
        UNIT_WITH_LANE(owners_take_turns_however_many_of_theirs_wait),
        UNIT_WITH_LANE(an_owner_is_not_charged_for_jobs_that_expired),
        UNIT_WITH_LANE(who_shares_a_place_with_an_owner_of_many_jobs_is_not_behind_them),
        UNIT_WITH_LANE(a_full_queue_refuses),
        UNIT_WITH_LANE(a_worker_that_meets_a_late_job_expires_it),
        UNIT_WITH_LANE(expiring_takes_late_jobs_out_of_the_queue_and_keeps_the_others),
        UNIT_WITH_LANE(a_queue_of_expired_jobs_is_usable_again),
        UNIT(threads_are_nice_and_take_no_signals),
        UNIT(freeing_no_lane_does_nothing),
        UNIT_WITH_LANE(many_threads_may_submit_at_once),
    };
    return cmocka_run_group_tests_name("workers", tests, NULL, NULL);
}
