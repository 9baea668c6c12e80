/* SPDX-License-Identifier: MIT
 *
 * The writers' queue: one at a time, first come first served, and nobody longer than the deadline.
 */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "data/write_gate.h"
#include "temp_folder.h"

#define LONG_MS       60000
#define SHORT_MS      20
#define GIVE_UP_MS    200
#define THREADS_COUNT 5
#define ROUNDS_COUNT  2000

struct queue {
    struct write_gate *gate;
    int order[THREADS_COUNT];
    int order_count; /* only who is in the gate writes this and `order` */
    int64_t total;
};

struct one {
    struct queue *queue;
    pthread_t thread;
    int id;
    int64_t wait_ms;
    bool was_in;
};

static struct write_gate *open_gate(const struct temp_folder *folder, const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", folder->path, name);
    struct write_gate *gate = write_gate_open(path);
    assert_non_null(gate);
    return gate;
}

static bool enter(struct write_gate *gate, int64_t wait_ms)
{
    return write_gate_enter(gate, clock_monotonic_ms() + wait_ms);
}

static void wait_until_waiting(struct write_gate *gate, size_t count)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    while (write_gate_waiting_count(gate) != count)
        (void)nanosleep(&pause, NULL);
}

static void *enter_once(void *argument)
{
    struct one *one = argument;
    struct queue *queue = one->queue;
    one->was_in = enter(queue->gate, one->wait_ms);
    if (!one->was_in)
        return NULL;
    queue->order[queue->order_count++] = one->id;
    write_gate_leave(queue->gate);
    return NULL;
}

static void who_comes_first_is_served_first(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    struct queue queue = {.gate = open_gate(&folder, "a")};
    struct one ones[THREADS_COUNT] = {0};
    assert_true(enter(queue.gate, LONG_MS));
    for (int i = 0; i < THREADS_COUNT; i++) {
        ones[i] = (struct one){.queue = &queue, .id = i, .wait_ms = LONG_MS};
        assert_int_equal(pthread_create(&ones[i].thread, NULL, enter_once, &ones[i]), 0);
        wait_until_waiting(queue.gate, (size_t)i + 1);
    }
    write_gate_leave(queue.gate);
    for (int i = 0; i < THREADS_COUNT; i++)
        assert_int_equal(pthread_join(ones[i].thread, NULL), 0);
    for (int i = 0; i < THREADS_COUNT; i++)
        assert_int_equal(queue.order[i], i);
    write_gate_close(queue.gate);
}

static void who_gives_up_leaves_the_queue_whole(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    for (int impatient = 0; impatient < 3; impatient++) {
        struct queue queue = {.gate = open_gate(&folder, "a")};
        struct one ones[3] = {0};
        assert_true(enter(queue.gate, LONG_MS));
        /* The one that gives up comes first, in the middle, or last. */
        for (int i = 0; i < 3; i++) {
            int64_t wait_ms = i == impatient ? GIVE_UP_MS : LONG_MS;
            ones[i] = (struct one){.queue = &queue, .id = i, .wait_ms = wait_ms};
            assert_int_equal(pthread_create(&ones[i].thread, NULL, enter_once, &ones[i]), 0);
        }
        assert_int_equal(pthread_join(ones[impatient].thread, NULL), 0);
        assert_false(ones[impatient].was_in);
        wait_until_waiting(queue.gate, 2);
        write_gate_leave(queue.gate);
        for (int i = 0; i < 3; i++)
            if (i != impatient)
                assert_int_equal(pthread_join(ones[i].thread, NULL), 0);
        assert_int_equal(queue.order_count, 2);
        assert_int_equal(write_gate_waiting_count(queue.gate), 0);
        assert_true(enter(queue.gate, 0));
        write_gate_leave(queue.gate);
        write_gate_close(queue.gate);
    }
}

static void a_free_gate_opens_also_after_the_deadline_a_taken_one_does_not(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    struct write_gate *gate = open_gate(&folder, "a");
    assert_true(write_gate_enter(gate, -1));
    assert_false(write_gate_enter(gate, -1));
    assert_false(write_gate_enter(gate, 0));
    assert_false(enter(gate, SHORT_MS));
    write_gate_leave(gate);
    assert_true(enter(gate, SHORT_MS));
    write_gate_leave(gate);
    write_gate_close(gate);
}

static void one_file_has_one_gate_under_all_its_names(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    struct write_gate *gate = open_gate(&folder, "a");
    struct write_gate *again = open_gate(&folder, "./a");
    struct write_gate *other = open_gate(&folder, "b");
    char from[128];
    char to[128];
    (void)snprintf(from, sizeof(from), "%s/a", folder.path);
    (void)snprintf(to, sizeof(to), "%s/link", folder.path);
    assert_int_equal(symlink(from, to), 0);
    struct write_gate *linked = open_gate(&folder, "link");
    assert_ptr_equal(gate, again);
    assert_ptr_equal(gate, linked);
    assert_ptr_not_equal(gate, other);
    write_gate_close(gate);
    write_gate_close(again);
    write_gate_close(linked);
    write_gate_close(other);
    write_gate_close(NULL);
}

static void a_file_that_cannot_be_made_has_no_gate(void **state)
{
    (void)state;
    errno = 0;
    assert_null(write_gate_open("/nowhere/at/all"));
    assert_int_equal(errno, ENOENT);
}

static void *count_up(void *argument)
{
    struct one *one = argument;
    for (int i = 0; i < ROUNDS_COUNT; i++) {
        if (!enter(one->queue->gate, LONG_MS))
            return NULL;
        one->queue->total++;
        write_gate_leave(one->queue->gate);
    }
    one->was_in = true;
    return NULL;
}

static void only_one_is_in_at_a_time(void **state)
{
    (void)state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    struct queue queue = {.gate = open_gate(&folder, "a")};
    struct one ones[THREADS_COUNT] = {0};
    for (int i = 0; i < THREADS_COUNT; i++) {
        ones[i] = (struct one){.queue = &queue, .id = i};
        assert_int_equal(pthread_create(&ones[i].thread, NULL, count_up, &ones[i]), 0);
    }
    for (int i = 0; i < THREADS_COUNT; i++) {
        assert_int_equal(pthread_join(ones[i].thread, NULL), 0);
        assert_true(ones[i].was_in);
    }
    assert_int_equal(queue.total, THREADS_COUNT * ROUNDS_COUNT);
    write_gate_close(queue.gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(who_comes_first_is_served_first),
        UNIT(who_gives_up_leaves_the_queue_whole),
        UNIT(a_free_gate_opens_also_after_the_deadline_a_taken_one_does_not),
        UNIT(one_file_has_one_gate_under_all_its_names),
        UNIT(a_file_that_cannot_be_made_has_no_gate),
        UNIT(only_one_is_in_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
