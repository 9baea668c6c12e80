/* SPDX-License-Identifier: MIT
 *
 * The hub with real sockets and a pretended database: who hears what in which order, also when
 * events are published out of order, from several threads, or amid a read. Waiting is for bytes. */
#include "live/hub.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ctx.h"
#include "base/text.h"
#include "base/workers.h"
#include "http/websocket.h"
#include "live/room.h"

#include "hub_client.h"
#include "hub_world.h"
#include "unit.h"

#define WRITERS_COUNT 4
#define EVENTS_COUNT  50
#define ROOMS_COUNT   150
#define CROWD_COUNT   (HUB_CHECK_COUNT + 44)

/* ---- tests ---- */

static void who_has_the_revision_gets_no_state(void **state)
{
    struct world world;
    (void)state;
    start(&world, PING_NEVER_MS);
    int fd = come(&world, false);
    join_settled(fd, JOIN(10));
    publish(&world, 10, 11);
    assert_string_equal(hear(fd), "event 11");
    close(fd);
    stop(&world);
    assert_int_equal(atomic_load(&world.app.left_count), 1);
}

static void who_has_another_gets_it_and_then_what_follows(void **state)
{
    struct world world;
    (void)state;
    start(&world, PING_NEVER_MS);
    int fd = come(&world, false);
    join(fd, JOIN(9));
    assert_string_equal(hear(fd), "state 10");
    publish(&world, 10, 12);
    assert_string_equal(hear(fd), "event 12");
    publish(&world, 10, 12); /* a second time: old */
    publish(&world, 12, 13);
    assert_string_equal(hear(fd), "event 13");
    close(fd);
    stop(&world);
}

static void events_out_of_order_are_put_in_order(void **state)
{
    struct world world;
    (void)state;
    start(&world, PING_NEVER_MS);
    int fd = come(&world, false);
    join(fd, JOIN(9));
    assert_string_equal(hear(fd), "state 10");
    publish(&world, 12, 13);
    publish(&world, 11, 12);
    publish(&world, 10, 11);
    assert_string_equal(hear(fd), "event 11");
    assert_string_equal(hear(fd), "event 12");
    assert_string_equal(hear(fd), "event 13");
    close(fd);
    stop(&world);
}

static void an_event_that_never_comes_is_made_good_by_the_state(void **state)
{
    struct world world;
    (void)state;
    start(&world, PING_NEVER_MS);
    int fd = come(&world, false);
    join(fd, JOIN(9));
    assert_string_equal(hear(fd), "state 10");
    publish(&world, 11, 12);
    assert_string_equal(hear(fd), "state 12");
    publish(&world, 10, 11); /* too late: older than what was shown */
    publish(&world, 12, 14);
    assert_string_equal(hear(fd), "event 14");
    close(fd);
    stop(&world);
}

static void a_note_that_is_gone_is_told(void **state)
{
    struct world world;
    (void)state;
    start(&world, PING_NEVER_MS);
    (void)pthread_mutex_lock(&world.app.lock);
    world.app.revision = 0;
    (void)pthread_mutex_unlock(&world.app.lock);
    int fd = come(&world, false);
    join(fd, JOIN(9));
    assert_string_equal(hear(fd), "gone");
    (void)pthread_mutex_lock(&world.app.lock);
    world.app.revision = 20;
    (void)pthread_mutex_unlock(&world.app.lock);
    hub_refresh(world.hub, "k");
    assert_string_equal(hear(fd), "state 20");
    close(fd);
    stop(&world);
}

static void a_room_is_there_as_long_as_somebody_is_in_it(void **state)
{
    struct world world;
    (void)state;
    start(&world, PING_NEVER_MS);
    assert_false(hub_has_room(world.hub, "k"));
    int fd = come(&world, false);
    join(fd, JOIN(9));
    assert_string_equal(hear(fd), "state 10");
    assert_true(hub_has_room(world.hub, "k"));
    say(fd, "41/notes,");
    say(fd, "40");
    assert_true(text_starts_with(hear(fd), "40{"));
    assert_false(hub_has_room(world.hub, "k"));
    close(fd);
    stop(&world);
}

static void an_ended_session_takes_its_sockets_along(void **state)
{
    struct world world;
    unsigned char digest[SECRET_DIGEST_BYTES];
    (void)state;
    memset(digest, SESSION_FILL, sizeof(digest));
    start(&world, PING_NEVER_MS);
    int mine = come(&world, true);
    int anonymous = come(&world, false);
    hub_end_session(world.hub, digest);
    assert_string_equal(hear(mine), CLOSE_FRAME);
    join(anonymous, JOIN(10));
    close(mine);
    close(anonymous);
    stop(&world);
    assert_int_equal(atomic_load(&world.app.left_count), 2);
}

static void a_session_that_is_over_is_found_out(void **state)
{
    struct world world;
    (void)state;
    start(&world, 10);
    int fd = come(&world, true);
    join_settled(fd, JOIN(10));
    atomic_store(&world.app.is_session_alive, false);
    assert_string_equal(hear(fd), CLOSE_FRAME);
    close(fd);
    stop(&world);
}

/* In one look there is room for HUB_CHECK_COUNT of them: the others are looked at next, also where
 * they are all found in one place. */
static void sessions_beyond_one_look_are_found_out(uint32_t step)
{
    struct world world;
    int fds[CROWD_COUNT];
    start(&world, 10);
    for (uint32_t i = 0; i < CROWD_COUNT; i++)
        fds[i] = come_as(&world, i * step);
    atomic_store(&world.app.is_session_alive, false);
    for (size_t i = 0; i < CROWD_COUNT; i++) {
        assert_string_equal(hear(fds[i]), CLOSE_FRAME);
        close(fds[i]);
    }
    stop(&world);
}

static void more_sessions_than_one_look_has_room_for_are_found_out(void **state)
{
    (void)state;
    sessions_beyond_one_look_are_found_out(1);
}

static void more_sessions_of_one_place_than_one_look_has_room_for_are_found_out(void **state)
{
    (void)state;
    sessions_beyond_one_look_are_found_out(1 << 16);
}

/* The first that came is the last in its place. */
static void one_session_behind_many_that_live_is_found_out(void **state)
{
    struct world world;
    int fds[CROWD_COUNT];
    (void)state;
    start(&world, 10);
    for (uint32_t i = 0; i < CROWD_COUNT; i++)
        fds[i] = come_as(&world, (i + 1) << 16);
    atomic_store(&world.app.over_session, 1 << 16);
    assert_string_equal(hear(fds[0]), CLOSE_FRAME);
    for (size_t i = 0; i < CROWD_COUNT; i++)
        close(fds[i]);
    stop(&world);
}

static void calls_are_answered_in_order(void **state)
{
    struct world world;
    char text[64];
    (void)state;
    start(&world, PING_NEVER_MS);
    int fd = come(&world, true);
    join_settled(fd, JOIN(10));
    for (int i = 0; i < EVENTS_COUNT; i++) {
        (void)snprintf(text, sizeof(text), "42/notes,%d[\"create-message\",{}]", i);
        say(fd, text);
    }
    for (int i = 0; i < EVENTS_COUNT; i++) {
        (void)snprintf(text, sizeof(text), "43/notes,%d[\"ok\"]", i);
        assert_string_equal(hear(fd), text);
    }
    assert_int_equal(atomic_load(&world.app.served_count), EVENTS_COUNT);
    close(fd);
    stop(&world);
}

/* Two bytes of a pong are many more in memory: what waits is counted with what it takes. */
static void pongs_that_nobody_reads_end_the_client_soon(void **state)
{
    static const unsigned char PING[6] = {0x80 | WEBSOCKET_PING, 0x80};
    struct world world;
    int sent_count = 0;
    (void)state;
    start(&world, PING_NEVER_MS);
    int fd = come(&world, false);
    while (sent_count < 100000 && send(fd, PING, sizeof(PING), MSG_NOSIGNAL) > 0)
        sent_count++;
    assert_true(sent_count < 100000);
    close(fd);
    stop(&world);
}

static void a_stop_says_goodbye_to_all(void **state)
{
    struct world world;
    (void)state;
    start(&world, PING_NEVER_MS);
    int first = come(&world, true);
    int second = come(&world, false);
    hub_stop(world.hub);
    assert_string_equal(hear(first), CLOSE_FRAME);
    assert_string_equal(hear(second), CLOSE_FRAME);
    close(first);
    close(second);
    stop(&world);
    assert_int_equal(atomic_load(&world.app.left_count), 2);
}

/* ---- what nobody published ---- */

static void write_unseen(struct world *world, int64_t revision)
{
    (void)pthread_mutex_lock(&world->app.lock);
    world->app.revision = revision;
    (void)pthread_mutex_unlock(&world->app.lock);
}

/* Until the rooms were compared some more times. */
static void wait_confirmed(struct world *world)
{
    int until = atomic_load(&world->app.confirms_count) + 5;
    for (int waited_ms = 0; atomic_load(&world->app.confirms_count) < until; waited_ms++) {
        assert_true(waited_ms < WAIT_MS);
        (void)poll(NULL, 0, 1);
    }
}

static void a_change_that_nobody_published_is_found(void **state)
{
    struct world world;
    (void)state;
    start_confirming(&world);
    int fd = come(&world, false);
    join_settled(fd, JOIN(10));
    write_unseen(&world, 15);
    assert_string_equal(hear(fd), "state 15");
    wait_confirmed(&world);
    publish(&world, 15, 16);
    assert_string_equal(hear(fd), "event 16");
    close(fd);
    stop(&world);
}

static void an_event_that_comes_meanwhile_is_enough(void **state)
{
    struct world world;
    (void)state;
    start_confirming(&world);
    int fd = come(&world, false);
    join_settled(fd, JOIN(10));
    for (int64_t revision = 11; revision < 30; revision++) {
        int reads_count = atomic_load(&world.app.reads_count);
        atomic_store(&world.app.overtakes, revision);
        char text[32];
        (void)snprintf(text, sizeof(text), "event %lld", (long long)revision);
        assert_string_equal(hear(fd), text);
        wait_confirmed(&world);
        assert_int_equal(atomic_load(&world.app.reads_count), reads_count);
    }
    close(fd);
    stop(&world);
}

static void what_could_not_be_read_is_read_later(void **state)
{
    struct world world;
    (void)state;
    start(&world, PING_NEVER_MS);
    atomic_store(&world.app.is_unread, true);
    int gone = come(&world, false);
    join(gone, JOIN(9));
    int fd = come(&world, false);
    join(fd, JOIN(9));
    while (atomic_load(&world.app.reads_count) < 3)
        sched_yield();
    close(gone);
    atomic_store(&world.app.is_unread, false);
    assert_string_equal(hear(fd), "state 10");
    close(fd);
    stop(&world);
}

static const char *hear_but_pings(int fd)
{
    const char *heard = hear(fd);
    while (strcmp(heard, "2") == 0)
        heard = hear(fd);
    return heard;
}

/* What one says that waits for a state is not read, its pongs neither. */
static void one_that_waits_is_pinged_on_and_not_cut(void **state)
{
    struct world world;
    (void)state;
    start_as(&world, &(struct world_wish){.check_every_ms = PING_NEVER_MS,
                                          .confirm_every_ms = PING_NEVER_MS,
                                          .queue_max_bytes = 1 << 20,
                                          .ping_ms = 100});
    atomic_store(&world.app.is_unread, true);
    int fd = come(&world, false);
    say(fd, JOIN(9));
    assert_true(text_starts_with(hear_but_pings(fd), CONNECTED_START));
    assert_string_equal(hear(fd), "2");
    assert_string_equal(hear(fd), "2");
    atomic_store(&world.app.is_unread, false);
    assert_string_equal(hear_but_pings(fd), "state 10");
    close(fd);
    stop(&world);
}

static void a_database_that_went_back_is_the_truth(void **state)
{
    struct world world;
    (void)state;
    start_confirming(&world);
    int fd = come(&world, false);
    join_settled(fd, JOIN(10));
    publish(&world, 10, 20);
    assert_string_equal(hear(fd), "event 20");
    write_unseen(&world, 12);
    assert_string_equal(hear(fd), "state 12");
    publish(&world, 12, 13);
    assert_string_equal(hear(fd), "event 13");
    close(fd);
    stop(&world);
}

static void a_note_that_is_gone_is_told_once(void **state)
{
    struct world world;
    (void)state;
    start_confirming(&world);
    int fd = come(&world, false);
    join_settled(fd, JOIN(10));
    write_unseen(&world, 0);
    assert_string_equal(hear(fd), "gone");
    wait_confirmed(&world);
    write_unseen(&world, 20);
    assert_string_equal(hear(fd), "state 20");
    write_unseen(&world, 0);
    hub_publish(world.hub,
                &(struct live_step){.key = "k", .previous = 20, .revision = 21, .is_gone = true},
                "gone by event");
    const char *text = hear(fd);
    assert_true(text_equals(text, "gone by event") || text_equals(text, "gone"));
    wait_confirmed(&world);
    write_unseen(&world, 30);
    assert_string_equal(hear(fd), "state 30");
    close(fd);
    stop(&world);
}

/* What only a newcomer was told, the others hear too. */
static void a_newcomer_to_a_lost_change_is_not_the_only_one_to_know(void **state)
{
    struct world world;
    (void)state;
    start(&world, PING_NEVER_MS);
    write_unseen(&world, 0);
    int first = come(&world, false);
    join(first, JOIN(9));
    assert_string_equal(hear(first), "gone");
    write_unseen(&world, 20);
    int second = come(&world, false);
    join(second, JOIN(9));
    assert_string_equal(hear(second), "state 20");
    hub_confirm_all(world.hub);
    assert_string_equal(hear(first), "state 20");
    publish(&world, 20, 21);
    assert_string_equal(hear(second), "event 21");
    close(first);
    close(second);
    stop(&world);
}

static void a_database_that_is_away_is_asked_again(void **state)
{
    struct world world;
    (void)state;
    start_confirming(&world);
    int fd = come(&world, false);
    join_settled(fd, JOIN(10));
    atomic_store(&world.app.is_away, true);
    write_unseen(&world, 15);
    wait_confirmed(&world);
    atomic_store(&world.app.is_away, false);
    assert_string_equal(hear(fd), "state 15");
    close(fd);
    stop(&world);
}

static void rooms_beyond_one_batch_are_confirmed_at_once(void **state)
{
    struct world world;
    int fds[ROOMS_COUNT];
    char packet[64];
    (void)state;
    start(&world, PING_NEVER_MS);
    for (int i = 0; i < ROOMS_COUNT; i++) {
        (void)snprintf(packet, sizeof(packet), "40/notes,{\"key\":\"k%d\",\"revision\":10}", i);
        fds[i] = come(&world, false);
        join_settled(fds[i], packet);
    }
    assert_int_equal(atomic_load(&world.app.confirms_count), 0);
    write_unseen(&world, 15);
    hub_confirm_all(world.hub);
    for (int i = 0; i < ROOMS_COUNT; i++)
        assert_string_equal(hear(fds[i]), "state 15");
    assert_int_equal(atomic_load(&world.app.confirms_count), 3);
    for (int i = 0; i < ROOMS_COUNT; i++)
        close(fds[i]);
    stop(&world);
}

/* Whoever waits by it, here the hub's thread alone, is counted. */
static _Atomic int waits_count;

int epoll_wait(int fd, struct epoll_event *events, int max_count, int timeout_ms)
{
    atomic_fetch_add(&waits_count, 1);
    return epoll_pwait(fd, events, max_count, timeout_ms, NULL);
}

/* A room that is being read stays, and is due to be confirmed, which it is not any more: that must
 * not keep the hub awake while it waits for a client that does not answer its goodbye. */
static void a_stop_that_waits_for_a_client_sleeps(void **state)
{
    struct world world;
    (void)state;
    start_confirming(&world);
    int fd = come(&world, true);
    (void)pthread_mutex_lock(&world.app.lock); /* the read of another revision's state waits */
    join(fd, JOIN(9));
    atomic_store(&waits_count, 0);
    hub_stop(world.hub);
    (void)pthread_mutex_unlock(&world.app.lock);
    int count = atomic_load(&waits_count);
    assert_true(count >= 1 && count < HUB_STOP_WAIT_MS / CONFIRM_EVERY_MS);
    (void)close(fd);
    stop(&world);
}

/* The sanitizers say whether the client, for whom the answer comes too late, is freed. */
static void a_stop_amid_a_call_frees_its_client(void **state)
{
    struct world world;
    (void)state;
    start(&world, PING_NEVER_MS);
    int fd = come(&world, true);
    join_settled(fd, JOIN(10));
    (void)pthread_mutex_lock(&world.app.lock);
    say(fd, "42/notes,1[\"create-message\",{\"message\":\"m\"}]");
    while (atomic_load(&world.app.served_count) == 0)
        (void)sched_yield();
    hub_stop(world.hub);
    (void)pthread_mutex_unlock(&world.app.lock);
    stop(&world);
    assert_int_equal(atomic_load(&world.app.left_count), 1);
    close(fd);
}

/* ---- several threads ---- */

struct writer {
    struct world *world;
    int64_t first;
};

static void *write_events(void *argument)
{
    struct writer *writer = argument;
    for (int64_t i = 0; i < EVENTS_COUNT; i++) {
        int64_t revision = writer->first + i * WRITERS_COUNT;
        publish(writer->world, revision - 1, revision);
    }
    return NULL;
}

/* Each writer publishes every fourth event of one chain: the listener sees the whole chain, or the
 * state where a link was too late, and never anything older after anything newer. */
static void many_writers_give_one_chain(void **state)
{
    struct world world;
    pthread_t threads[WRITERS_COUNT];
    struct writer writers[WRITERS_COUNT];
    int64_t last = 10 + WRITERS_COUNT * EVENTS_COUNT;
    (void)state;
    start(&world, PING_NEVER_MS);
    int fd = come(&world, false);
    join_settled(fd, JOIN(10));
    for (int i = 0; i < WRITERS_COUNT; i++) {
        writers[i] = (struct writer){.world = &world, .first = 11 + i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_events, &writers[i]), 0);
    }
    for (long long at = 10; at < last;) {
        long long revision = 0;
        const char *text = hear(fd);
        bool is_state = sscanf(text, "state %lld", &revision) == 1;
        assert_true(is_state || sscanf(text, "event %lld", &revision) == 1);
        assert_true(is_state ? revision >= at : revision == at + 1);
        at = revision;
    }
    for (int i = 0; i < WRITERS_COUNT; i++)
        (void)pthread_join(threads[i], NULL);
    close(fd);
    stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(who_has_the_revision_gets_no_state),
        UNIT(who_has_another_gets_it_and_then_what_follows),
        UNIT(events_out_of_order_are_put_in_order),
        UNIT(an_event_that_never_comes_is_made_good_by_the_state),
        UNIT(a_note_that_is_gone_is_told),
        UNIT(a_room_is_there_as_long_as_somebody_is_in_it),
        UNIT(an_ended_session_takes_its_sockets_along),
        UNIT(a_session_that_is_over_is_found_out),
        UNIT(more_sessions_than_one_look_has_room_for_are_found_out),
        UNIT(more_sessions_of_one_place_than_one_look_has_room_for_are_found_out),
        UNIT(one_session_behind_many_that_live_is_found_out),
        UNIT(calls_are_answered_in_order),
        UNIT(pongs_that_nobody_reads_end_the_client_soon),
        UNIT(a_stop_says_goodbye_to_all),
        UNIT(a_change_that_nobody_published_is_found),
        UNIT(an_event_that_comes_meanwhile_is_enough),
        UNIT(a_database_that_went_back_is_the_truth),
        UNIT(what_could_not_be_read_is_read_later),
        UNIT(one_that_waits_is_pinged_on_and_not_cut),
        UNIT(a_note_that_is_gone_is_told_once),
        UNIT(a_newcomer_to_a_lost_change_is_not_the_only_one_to_know),
        UNIT(a_database_that_is_away_is_asked_again),
        UNIT(rooms_beyond_one_batch_are_confirmed_at_once),
        UNIT(a_stop_that_waits_for_a_client_sleeps),
        UNIT(a_stop_amid_a_call_frees_its_client),
        UNIT(many_writers_give_one_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
