/* SPDX-License-Identifier: MIT
 *
 * Messages are gathered while a round trip is under way; each is sent by somebody, once, in order.
 */
#include "live/outbox.h"

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define SENDERS_COUNT  4
#define MESSAGES_COUNT 2000 /* of each sender */

static struct bytes text_of(const char *text)
{
    return (struct bytes){.p = (const unsigned char *)text, .n = strlen(text)};
}

static void assert_text(struct bytes text, const char *expected)
{
    assert_int_equal(text.n, strlen(expected));
    assert_memory_equal(text.p, expected, text.n);
}

static void who_comes_first_sends_what_came_since(void **state)
{
    struct outbox outbox;
    struct outbox_load load;
    (void)state;
    outbox_init(&outbox);
    assert_int_equal(outbox_put(&outbox, text_of("one")), OUTBOX_SEND);
    assert_int_equal(outbox_put(&outbox, text_of("two")), OUTBOX_LEFT);
    assert_int_equal(outbox_put(&outbox, text_of("")), OUTBOX_LEFT);
    outbox_begin(&outbox, &load);
    assert_int_equal(load.count, 3);
    assert_text(load.texts[0], "one");
    assert_text(load.texts[1], "two");
    assert_text(load.texts[2], "");
    /* What comes meanwhile is the next one's. */
    assert_int_equal(outbox_put(&outbox, text_of("three")), OUTBOX_SEND);
    outbox_end(&outbox, &load);
    outbox_begin(&outbox, &load);
    assert_int_equal(load.count, 1);
    assert_text(load.texts[0], "three");
    outbox_end(&outbox, &load);
    outbox_done(&outbox);
}

static void a_full_one_takes_no_more(void **state)
{
    struct outbox outbox;
    struct outbox_load load;
    (void)state;
    outbox_init(&outbox);
    assert_int_equal(outbox_put(&outbox, text_of("first")), OUTBOX_SEND);
    for (size_t i = 1; i < OUTBOX_MAX_COUNT; i++)
        assert_int_equal(outbox_put(&outbox, text_of("more")), OUTBOX_LEFT);
    assert_int_equal(outbox_put(&outbox, text_of("too many")), OUTBOX_FULL);
    outbox_begin(&outbox, &load);
    assert_int_equal(load.count, OUTBOX_MAX_COUNT);
    outbox_end(&outbox, &load);
    assert_int_equal(outbox_put(&outbox, text_of("again")), OUTBOX_SEND);
    outbox_done(&outbox);
}

static void its_bytes_are_limited(void **state)
{
    struct outbox outbox;
    unsigned char *large = calloc(1, OUTBOX_MAX_BYTES);
    (void)state;
    assert_non_null(large);
    outbox_init(&outbox);
    const struct bytes most = {.p = large, .n = OUTBOX_MAX_BYTES - 1};
    assert_int_equal(outbox_put(&outbox, most), OUTBOX_SEND);
    assert_int_equal(outbox_put(&outbox, text_of("ab")), OUTBOX_FULL);
    assert_int_equal(outbox_put(&outbox, text_of("a")), OUTBOX_LEFT);
    outbox_done(&outbox);
    free(large);
}

struct world {
    struct outbox outbox;
    atomic_int under_way;
    atomic_int most_under_way;
    atomic_int sent_count;
    atomic_int full_count;
    atomic_int wrong_count;
    int64_t last_of[SENDERS_COUNT]; /* changed between begin and end only */
};

struct sender {
    struct world *world;
    pthread_t thread;
    int64_t id;
};

struct message {
    int64_t sender;
    int64_t number;
};

static void send_load(struct world *world)
{
    struct outbox_load load;
    outbox_begin(&world->outbox, &load);
    int under_way = atomic_fetch_add(&world->under_way, 1) + 1;
    if (under_way > atomic_load(&world->most_under_way))
        atomic_store(&world->most_under_way, under_way);
    for (size_t i = 0; i < load.count; i++) {
        struct message message;
        memcpy(&message, load.texts[i].p, sizeof(message));
        if (message.number <= world->last_of[message.sender])
            atomic_fetch_add(&world->wrong_count, 1);
        world->last_of[message.sender] = message.number;
    }
    atomic_fetch_add(&world->sent_count, (int)load.count);
    atomic_fetch_sub(&world->under_way, 1);
    outbox_end(&world->outbox, &load);
}

static void *put_many(void *argument)
{
    struct sender *sender = argument;
    for (int64_t number = 1; number <= MESSAGES_COUNT; number++) {
        const struct message message = {.sender = sender->id, .number = number};
        enum outbox_turn turn =
            outbox_put(&sender->world->outbox,
                       (struct bytes){.p = (const unsigned char *)&message, .n = sizeof(message)});
        if (turn == OUTBOX_SEND)
            send_load(sender->world);
        else if (turn == OUTBOX_FULL)
            atomic_fetch_add(&sender->world->full_count, 1);
    }
    return NULL;
}

static void each_message_is_sent_once_and_in_its_senders_order(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct sender senders[SENDERS_COUNT];
    (void)state;
    assert_non_null(world);
    outbox_init(&world->outbox);
    for (int i = 0; i < SENDERS_COUNT; i++) {
        senders[i] = (struct sender){.world = world, .id = i};
        assert_int_equal(pthread_create(&senders[i].thread, NULL, put_many, &senders[i]), 0);
    }
    for (int i = 0; i < SENDERS_COUNT; i++)
        assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
    assert_int_equal(world->outbox.count, 0);
    assert_int_equal(world->sent_count + world->full_count, SENDERS_COUNT * MESSAGES_COUNT);
    assert_int_equal(world->wrong_count, 0);
    assert_int_equal(world->most_under_way, 1);
    outbox_done(&world->outbox);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(who_comes_first_sends_what_came_since),
        UNIT(a_full_one_takes_no_more),
        UNIT(its_bytes_are_limited),
        UNIT(each_message_is_sent_once_and_in_its_senders_order),
    };
    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
