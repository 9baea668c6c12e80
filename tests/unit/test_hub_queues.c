/* SPDX-License-Identifier: MIT
 *
 * What waits for sockets that don't read: one state is one frame however many it waits for, and all
 * that waits has a limit, over which who stands still longest is cut, of those that hold no less
 * than others do. So has what came of messages that are not whole. Counted by the hub itself. What
 * waits for a worker takes turns by address. */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "live/client.h"
#include "live/hub_parts.h"

#include "hub_client.h"
#include "hub_world.h"
#include "unit.h"

#define STATE_BYTES   ((size_t)1024 * 1024) /* more than the kernel holds of a pair of sockets */
#define HALF_BYTES    (STATE_BYTES / 2)
#define LIMIT_BYTES   (4 * STATE_BYTES)
#define SLOW_COUNT    30
#define SMALL_BYTES   ((size_t)4096)
#define PIECE_BYTES   ((size_t)60000) /* of a message, within what one may have */
#define ROOM_COUNT    9
#define UNREAD_BYTES  ((ROOM_COUNT + 1) * PIECE_BYTES - 1)
#define LOOK_EVERY_NS 1000000

static void begin(struct world *world)
{
    start_as(world, &(struct world_wish){.check_every_ms = PING_NEVER_MS,
                                         .confirm_every_ms = PING_NEVER_MS,
                                         .queue_max_bytes = 1 << 24,
                                         .waiting_max_bytes = LIMIT_BYTES});
    world->app.state_bytes = STATE_BYTES;
}

static size_t waiting_bytes(const struct world *world)
{
    return atomic_load(&world->hub->waiting_bytes);
}

static void wait_for_bytes(const struct world *world, size_t wanted_bytes)
{
    const struct timespec look = {.tv_nsec = LOOK_EVERY_NS};
    for (int64_t i = 0; waiting_bytes(world) != wanted_bytes; i++) {
        assert_true(i < (int64_t)WAIT_MS * 1000000 / LOOK_EVERY_NS);
        (void)nanosleep(&look, NULL);
    }
}

static void wait_until_more_than(const struct world *world, size_t bytes)
{
    const struct timespec look = {.tv_nsec = LOOK_EVERY_NS};
    for (int64_t i = 0; waiting_bytes(world) <= bytes; i++) {
        assert_true(i < (int64_t)WAIT_MS * 1000000 / LOOK_EVERY_NS);
        (void)nanosleep(&look, NULL);
    }
}

/* Until the state begins to come, which is not read. */
static void join_room(int fd, int number)
{
    char packet[64];
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    (void)snprintf(packet, sizeof(packet), "40/notes,{\"key\":\"k%d\"}", number);
    join(fd, packet);
    assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
}

/* Reads a frame of that many bytes to its end; its text begins so. */
static void hear_bytes(int fd, size_t wanted_bytes, const char *start)
{
    unsigned char head[10];
    unsigned char text[SMALL_BYTES];
    size_t size_bytes = 0;
    read_bytes(fd, head, sizeof(head));
    assert_int_equal(head[1], 127);
    for (int i = 2; i < 10; i++)
        size_bytes = size_bytes << 8 | head[i];
    assert_int_equal(size_bytes, wanted_bytes);
    for (size_t at = 0; at < size_bytes; at += sizeof(text)) {
        read_bytes(fd, text, sizeof(text));
        assert_true(at > 0 || memcmp(text, start, strlen(start)) == 0);
    }
}

static void hear_large(int fd, const char *start)
{
    hear_bytes(fd, STATE_BYTES, start);
}

static void set_state_bytes(struct world *world, size_t bytes)
{
    (void)pthread_mutex_lock(&world->app.lock);
    world->app.state_bytes = bytes;
    (void)pthread_mutex_unlock(&world->app.lock);
}

/* Nothing is written to a descriptor that is closed there. */
static bool is_cut(int fd)
{
    struct pollfd ready = {.fd = fd};
    return poll(&ready, 1, 0) == 1 && (ready.revents & POLLHUP);
}

static void wait_until_cut(int fd)
{
    struct pollfd ready = {.fd = fd};
    assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
}

static void a_state_that_nobody_reads_is_read_and_kept_once(void **state)
{
    struct world world;
    int fds[SLOW_COUNT];
    (void)state;
    begin(&world);
    size_t last_bytes = 0;
    for (int i = 0; i < SLOW_COUNT; i++) {
        fds[i] = come(&world, false);
        join(fds[i], i % 2 ? JOIN(9) : JOIN(8));
        wait_until_more_than(&world, last_bytes);
        assert_true(i == 0 || waiting_bytes(&world) == last_bytes + sizeof(struct outgoing));
        last_bytes = waiting_bytes(&world);
    }
    assert_int_equal(atomic_load(&world.app.states_count), 1);
    assert_true(last_bytes < 2 * STATE_BYTES);
    for (int i = 0; i < SLOW_COUNT; i++) {
        hear_large(fds[i], "state 10");
        close(fds[i]);
    }
    wait_for_bytes(&world, 0);
    stop(&world);
}

static void a_state_that_waits_is_not_given_for_a_newer_one(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    int slow = come(&world, false);
    join(slow, JOIN(9));
    wait_until_more_than(&world, 0);
    publish(&world, 10, 11);
    int newcomer = come(&world, false);
    join(newcomer, JOIN(9));
    wait_until_more_than(&world, 2 * STATE_BYTES);
    (void)pthread_mutex_lock(&world.app.lock);
    world.app.revision = 12; /* of which nobody told */
    (void)pthread_mutex_unlock(&world.app.lock);
    int another = come(&world, false);
    join(another, JOIN(9));
    hear_large(another, "state 12");
    hear_large(newcomer, "state 11");
    hear_large(slow, "state 10");
    assert_string_equal(hear(slow), "event 11");
    close(slow);
    close(newcomer);
    close(another);
    stop(&world);
}

static void who_has_what_waits_for_others_gets_nothing(void **state)
{
    struct world world;
    (void)state;
    begin(&world);
    int slow = come(&world, false);
    join(slow, JOIN(9));
    wait_until_more_than(&world, 0);
    int current = come(&world, false);
    join_settled(current, JOIN(10));
    hear_large(slow, "state 10");
    wait_for_bytes(&world, 0);
    close(slow);
    close(current);
    stop(&world);
}

/* Each in a room of its own, so that nothing is shared. The healthy one reads, and stays. */
static void all_that_waits_has_a_limit_and_who_reads_is_not_cut(void **state)
{
    struct world world;
    int fds[SLOW_COUNT];
    int cut_count = 0;
    (void)state;
    begin(&world);
    int healthy = come(&world, false);
    join(healthy, JOIN(9));
    hear_large(healthy, "state 10");
    for (int i = 0; i < SLOW_COUNT; i++) {
        fds[i] = come(&world, false);
        join_room(fds[i], i);
        say(healthy, "42/notes,[\"snapshot\"]");
        hear_large(healthy, "state 10");
        assert_true(waiting_bytes(&world) <= LIMIT_BYTES + 2 * STATE_BYTES);
    }
    publish(&world, 10, 11);
    assert_string_equal(hear(healthy), "event 11");
    say(healthy, "42/notes,9[\"settled\"]");
    assert_true(text_starts_with(hear(healthy), "43/notes,9["));
    for (int i = 0; i < SLOW_COUNT; i++)
        cut_count += is_cut(fds[i]);
    assert_true(cut_count >= SLOW_COUNT - 6 && cut_count < SLOW_COUNT);
    assert_true(is_cut(fds[0]));
    assert_false(is_cut(fds[SLOW_COUNT - 1]));
    assert_true(waiting_bytes(&world) <= LIMIT_BYTES);
    for (int i = 0; i < SLOW_COUNT; i++)
        close(fds[i]);
    close(healthy);
    wait_for_bytes(&world, 0);
    stop(&world);
}

/* A phone in a tunnel stands still before the others come, and is not who takes the room. */
static void who_holds_little_is_not_cut_for_those_who_hold_much(void **state)
{
    struct world world;
    int fds[SLOW_COUNT];
    (void)state;
    begin(&world);
    set_state_bytes(&world, HALF_BYTES);
    int phone = come(&world, false);
    join(phone, JOIN(9));
    wait_until_more_than(&world, 0);
    set_state_bytes(&world, STATE_BYTES);
    for (int i = 0; i < SLOW_COUNT; i++) {
        fds[i] = come(&world, false);
        join_room(fds[i], i);
    }
    assert_true(is_cut(fds[0]));
    hear_bytes(phone, HALF_BYTES, "state 10");
    for (int i = 0; i < SLOW_COUNT; i++)
        close(fds[i]);
    close(phone);
    wait_for_bytes(&world, 0);
    stop(&world);
}

static void who_reads_alone_may_have_any_frame(void **state)
{
    struct world world;
    (void)state;
    start_as(&world, &(struct world_wish){.check_every_ms = PING_NEVER_MS,
                                          .confirm_every_ms = PING_NEVER_MS,
                                          .queue_max_bytes = 1,
                                          .waiting_max_bytes = 1});
    world.app.state_bytes = STATE_BYTES;
    int fd = come(&world, false);
    join(fd, JOIN(9));
    wait_until_more_than(&world, STATE_BYTES);
    hear_large(fd, "state 10");
    wait_for_bytes(&world, 0);
    close(fd);
    stop(&world);
}

/* ---- what came and is not whole ---- */

static void begin_unread(struct world *world)
{
    start_as(world, &(struct world_wish){.check_every_ms = PING_NEVER_MS,
                                         .confirm_every_ms = PING_NEVER_MS,
                                         .queue_max_bytes = 1 << 24,
                                         .unread_max_bytes = UNREAD_BYTES});
}

/* The first frame of a message, with a head of 8 bytes: whole, or all but its end. Either way
 * PIECE_BYTES of it are kept. */
static void say_begun(int fd, bool is_whole)
{
    static unsigned char frame[8 + PIECE_BYTES];
    size_t sent_bytes = is_whole ? sizeof(frame) : PIECE_BYTES;
    frame[0] = WEBSOCKET_TEXT;
    frame[1] = 0x80 | 126;
    frame[2] = (unsigned char)(PIECE_BYTES >> 8);
    frame[3] = (unsigned char)PIECE_BYTES;
    assert_int_equal(write(fd, frame, sent_bytes), (ssize_t)sent_bytes);
}

static void wait_for_unread(const struct world *world, size_t wanted_bytes)
{
    const struct timespec look = {.tv_nsec = LOOK_EVERY_NS};
    for (int64_t i = 0; atomic_load(&world->hub->unread_bytes) != wanted_bytes; i++) {
        assert_true(i < (int64_t)WAIT_MS * 1000000 / LOOK_EVERY_NS);
        (void)nanosleep(&look, NULL);
    }
}

/* The phone began before all others, and has sent little. */
static void what_is_not_whole_has_a_limit_and_who_holds_little_is_not_cut(void **state)
{
    struct world world;
    int fds[SLOW_COUNT];
    const unsigned char half_pong[] = {0x81, 0x81, 0, 0};
    const unsigned char rest[] = {0, 0, '3'};
    (void)state;
    begin_unread(&world);
    int phone = come(&world, false);
    join_settled(phone, JOIN(10));
    assert_int_equal(write(phone, half_pong, sizeof(half_pong)), sizeof(half_pong));
    wait_for_unread(&world, sizeof(half_pong));
    for (size_t i = 0; i < SLOW_COUNT; i++) {
        fds[i] = come(&world, false);
        say_begun(fds[i], i % 2 == 0);
        if (i >= ROOM_COUNT)
            wait_until_cut(fds[i - ROOM_COUNT]);
        size_t kept_count = i < ROOM_COUNT ? i + 1 : ROOM_COUNT;
        wait_for_unread(&world, sizeof(half_pong) + kept_count * PIECE_BYTES);
    }
    assert_false(is_cut(fds[SLOW_COUNT - ROOM_COUNT]));
    assert_int_equal(write(phone, rest, sizeof(rest)), sizeof(rest));
    say(phone, "42/notes,9[\"settled\"]");
    assert_true(text_starts_with(hear(phone), "43/notes,9["));
    for (size_t i = 0; i < SLOW_COUNT; i++)
        close(fds[i]);
    wait_for_unread(&world, 0);
    close(phone);
    stop(&world);
}

static void what_became_whole_is_not_counted(void **state)
{
    struct world world;
    const unsigned char begun[] = {0x01, 0x81, 0, 0, 0, 0, '3'};
    const unsigned char end[] = {0x80, 0x80, 0, 0, 0, 0};
    (void)state;
    begin_unread(&world);
    int fd = come(&world, false);
    join_settled(fd, JOIN(10));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(write(fd, begun, sizeof(begun)), sizeof(begun));
        wait_for_unread(&world, 1);
        assert_int_equal(write(fd, end, 3), 3);
        wait_for_unread(&world, 4);
        assert_int_equal(write(fd, end + 3, 3), 3);
        wait_for_unread(&world, 0);
    }
    close(fd);
    stop(&world);
}

static void wait_until_busy(struct world *world, size_t count)
{
    const struct timespec look = {.tv_nsec = LOOK_EVERY_NS};
    for (int64_t i = 0; workers_busy_count(world->workers) != count; i++) {
        assert_true(i < (int64_t)WAIT_MS * 1000000 / LOOK_EVERY_NS);
        (void)nanosleep(&look, NULL);
    }
}

/* The events of one address's sockets came first, and one of them is worked on: so the other's is
 * next. */
static void addresses_of_live_sockets_take_turns(void **state)
{
    enum { MINE = 1, YOURS = 2, MINE_COUNT = 4, ALL_COUNT = MINE_COUNT + 1 };
    static const int64_t order[ALL_COUNT] = {1, 5, 2, 3, 4};
    struct world world;
    int fds[ALL_COUNT];
    (void)state;
    start_as(&world, &(struct world_wish){.check_every_ms = PING_NEVER_MS,
                                          .confirm_every_ms = PING_NEVER_MS,
                                          .queue_max_bytes = 1 << 20,
                                          .takes_turns = true});
    for (int i = 0; i < ALL_COUNT; i++) {
        fds[i] = come_from(&world, i < MINE_COUNT ? MINE : YOURS);
        join_settled(fds[i], JOIN(10));
    }
    (void)pthread_mutex_lock(&world.app.lock);
    for (int i = 0; i < ALL_COUNT; i++) {
        char event[64];
        (void)snprintf(event, sizeof(event), "42/notes,1[\"delete-message\",{\"id\":%d}]", i + 1);
        say(fds[i], event);
        wait_until_busy(&world, (size_t)i + 1);
    }
    (void)pthread_mutex_unlock(&world.app.lock);
    wait_until_busy(&world, 0);
    assert_memory_equal(world.app.served_ids, order, sizeof(order));
    for (int i = 0; i < ALL_COUNT; i++)
        close(fds[i]);
    stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_state_that_nobody_reads_is_read_and_kept_once),
        UNIT(a_state_that_waits_is_not_given_for_a_newer_one),
        UNIT(who_has_what_waits_for_others_gets_nothing),
        UNIT(all_that_waits_has_a_limit_and_who_reads_is_not_cut),
        UNIT(who_holds_little_is_not_cut_for_those_who_hold_much),
        UNIT(who_reads_alone_may_have_any_frame),
        UNIT(what_is_not_whole_has_a_limit_and_who_holds_little_is_not_cut),
        UNIT(what_became_whole_is_not_counted),
        UNIT(addresses_of_live_sockets_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
