/* SPDX-License-Identifier: MIT
 *
 * Memory that clients share: who gets room, and who is cut for it. */
#include "http/shares.h"

#include "base/log.h"
#include "http/connections.h"

#include "unit.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_BYTES    ((size_t)1000)
#define MEMBERS_COUNT  8
#define CLIENTS_COUNT  100
#define TEXT_MAX_BYTES 1024

struct member {
    struct share share;
    struct connection connection;
    int other_fd;
};

struct world {
    struct shares shares;
    struct member members[MEMBERS_COUNT];
};

static struct address address_of(const char *text)
{
    struct address address;
    assert_true(address_parse(text, &address));
    return address;
}

static void begin(struct world *world)
{
    memset(world, 0, sizeof(*world));
    shares_init(&world->shares, "things", LIMIT_BYTES);
}

/* A member whose answer is on its way to this address. */
static struct share *come(struct world *world, int number, const char *client)
{
    struct member *member = &world->members[number];
    struct address address = address_of(client);
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    member->connection.fd = fds[0];
    member->other_fd = fds[1];
    atomic_store(&member->connection.state, CONNECTION_SENDING);
    share_init(&member->share, &world->shares, &address, &member->connection);
    return &member->share;
}

static void set_state(struct world *world, int number, enum connection_state state)
{
    atomic_store(&world->members[number].connection.state, (int)state);
}

static bool is_cut(struct world *world, int number)
{
    char byte;
    struct member *member = &world->members[number];
    bool is_shut = recv(member->other_fd, &byte, 1, MSG_DONTWAIT) == 0;
    assert_int_equal(is_shut, share_is_cut(&member->share));
    return is_shut;
}

static void end(struct world *world)
{
    for (int i = 0; i < MEMBERS_COUNT; i++) {
        struct member *member = &world->members[i];
        share_done(&member->share);
        share_done(&member->share);
        if (member->connection.fd > 0) {
            (void)close(member->connection.fd);
            (void)close(member->other_fd);
        }
    }
    assert_int_equal(shares_used_bytes(&world->shares), 0);
    shares_done(&world->shares);
}

static void one_address_alone_may_have_all(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct share *first = come(&world, 0, "192.0.2.1");
    struct share *second = come(&world, 1, "192.0.2.1");
    assert_true(share_take(first, 400));
    assert_true(share_take(second, 500));
    assert_false(share_take(second, 101));
    assert_true(share_take(second, 100));
    assert_false(share_take(first, 1));
    share_give_back(second, 100);
    assert_true(share_take(first, 100));
    assert_int_equal(shares_used_bytes(&world.shares), LIMIT_BYTES);
    share_done(second);
    assert_int_equal(shares_used_bytes(&world.shares), 500);
    assert_false(is_cut(&world, 0));
    assert_false(is_cut(&world, 1));
    end(&world);
}

/* And of it, what began first. */
static void room_is_made_by_the_address_that_holds_most(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    assert_true(share_take(come(&world, 0, "192.0.2.1"), 300)); /* the oldest, and largest */
    assert_true(share_take(come(&world, 1, "192.0.2.2"), 200));
    assert_true(share_take(come(&world, 2, "192.0.2.2"), 200));
    assert_true(share_take(come(&world, 3, "192.0.2.2"), 200));
    assert_true(share_take(come(&world, 4, "192.0.2.3"), 100));
    assert_true(share_take(come(&world, 5, "192.0.2.4"), 10));
    assert_false(is_cut(&world, 0));
    assert_true(is_cut(&world, 1));
    assert_int_equal(shares_used_bytes(&world.shares), 810);
    assert_false(share_take(&world.members[1].share, 1)); /* nor does it come back so */
    assert_true(share_take(come(&world, 6, "192.0.2.5"), 250));
    assert_true(is_cut(&world, 2));
    assert_false(is_cut(&world, 0));
    assert_false(is_cut(&world, 3));
    assert_false(is_cut(&world, 4));
    assert_false(is_cut(&world, 5));
    end(&world);
}

static void who_wants_more_than_the_others_hold_gets_none(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    assert_true(share_take(come(&world, 0, "192.0.2.1"), 500));
    assert_true(share_take(come(&world, 1, "192.0.2.2"), 490));
    assert_false(share_take(come(&world, 2, "192.0.2.3"), 500));
    assert_false(share_take(&world.members[2].share, 400)); /* the two hold 190 above that */
    assert_false(share_take(&world.members[2].share, 2000));
    assert_false(share_take(&world.members[2].share, SIZE_MAX));
    assert_false(share_take(&world.members[1].share, 11)); /* it would hold most itself */
    assert_false(is_cut(&world, 0));
    assert_false(is_cut(&world, 1));
    assert_true(share_take(&world.members[2].share, 300));
    end(&world);
}

static void an_ipv6_network_is_one_address(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    assert_true(share_take(come(&world, 0, "2001:db8::1"), 400));
    assert_true(share_take(come(&world, 1, "2001:db8::2"), 400));
    assert_true(share_take(come(&world, 2, "192.0.2.1"), 200));
    assert_false(share_take(come(&world, 3, "2001:db8::3"), 10));
    assert_true(share_take(come(&world, 4, "2001:db8:0:1::1"), 10));
    assert_true(is_cut(&world, 0));
    end(&world);
}

/* What is worked on, or is on no connection, stays. */
static void only_who_reads_or_sends_is_cut(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    assert_true(share_take(come(&world, 0, "192.0.2.1"), 300));
    assert_true(share_take(come(&world, 1, "192.0.2.1"), 300));
    assert_true(share_take(come(&world, 2, "192.0.2.1"), 300));
    world.members[0].share.connection = NULL;
    set_state(&world, 1, CONNECTION_BUSY);
    set_state(&world, 2, CONNECTION_BUSY);
    assert_false(share_take(come(&world, 3, "192.0.2.2"), 200));
    set_state(&world, 2, CONNECTION_READING);
    assert_true(share_take(&world.members[3].share, 200));
    char text[TEXT_MAX_BYTES] = "";
    assert_true(recv(world.members[2].other_fd, text, sizeof(text) - 1, MSG_DONTWAIT) > 0);
    assert_non_null(strstr(text, "HTTP/1.1 503 Service Unavailable\r\n"));
    assert_non_null(strstr(text, "\r\nRetry-After: 2\r\n"));
    assert_false(is_cut(&world, 0));
    assert_false(is_cut(&world, 1));
    assert_true(is_cut(&world, 2));
    end(&world);
}

/* Who has most, but only such, keeps nobody from what the next one has too much. */
static void who_cannot_be_cut_is_passed_over(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    assert_true(share_take(come(&world, 0, "192.0.2.1"), 50));
    assert_true(share_take(come(&world, 1, "192.0.2.1"), 450));
    assert_true(share_take(come(&world, 2, "192.0.2.2"), 250));
    assert_true(share_take(come(&world, 3, "192.0.2.2"), 150));
    assert_true(share_take(come(&world, 4, "192.0.2.3"), 100));
    set_state(&world, 1, CONNECTION_BUSY);
    assert_true(share_take(come(&world, 5, "192.0.2.4"), 100));
    assert_true(is_cut(&world, 0));
    assert_true(is_cut(&world, 2));
    assert_false(share_take(come(&world, 6, "192.0.2.5"), 310)); /* only the first has it */
    set_state(&world, 1, CONNECTION_SENDING);
    assert_true(share_take(&world.members[6].share, 310));
    assert_true(is_cut(&world, 1));
    assert_false(is_cut(&world, 3));
    assert_false(is_cut(&world, 4));
    assert_false(is_cut(&world, 5));
    end(&world);
}

/* A quarter, or one of any size. What has gone no longer counts. */
static void an_address_may_have_a_part_only_that_stays(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    assert_true(share_take(come(&world, 0, "192.0.2.1"), 300));
    assert_true(share_stay(&world.members[0].share));
    assert_true(share_stay(&world.members[0].share));
    assert_true(share_take(come(&world, 1, "192.0.2.1"), 100));
    assert_false(share_stay(&world.members[1].share));
    assert_true(share_take(come(&world, 2, "192.0.2.2"), 150));
    assert_true(share_take(come(&world, 3, "192.0.2.2"), 150));
    assert_true(share_take(come(&world, 4, "192.0.2.2"), 100));
    assert_true(share_stay(&world.members[2].share));
    assert_false(share_stay(&world.members[3].share));
    assert_true(share_stay(&world.members[4].share));
    share_give_back(&world.members[0].share, 299);
    assert_true(share_stay(&world.members[1].share));
    share_give_back(&world.members[2].share, 150);
    share_done(&world.members[2].share);
    assert_true(share_stay(&world.members[3].share));
    assert_true(share_stay(come(&world, 5, "192.0.2.2"))); /* it has nothing */
    end(&world);
}

/* However much two addresses take, a hundred others get an equal part each. */
static void many_get_theirs_from_few(void **state)
{
    (void)state;
    static struct share few[CLIENTS_COUNT];
    static struct share many[CLIENTS_COUNT];
    struct world world;
    begin(&world);
    struct share *sending = come(&world, 0, "192.0.2.1");
    for (int i = 0; i < CLIENTS_COUNT; i++) {
        const struct address client = address_of(i % 2 ? "192.0.2.1" : "192.0.2.2");
        share_init(&few[i], &world.shares, &client, sending->connection);
        assert_true(share_take(&few[i], LIMIT_BYTES / CLIENTS_COUNT));
    }
    for (int i = 0; i < CLIENTS_COUNT - 2; i++) {
        struct address client = address_of("198.51.100.0");
        client.bytes[15] = (unsigned char)i;
        set_state(&world, 0, CONNECTION_SENDING);
        share_init(&many[i], &world.shares, &client, NULL);
        assert_true(share_take(&many[i], LIMIT_BYTES / CLIENTS_COUNT));
    }
    assert_int_equal(shares_used_bytes(&world.shares), LIMIT_BYTES);
    for (int i = 0; i < CLIENTS_COUNT; i++) {
        assert_int_equal(share_is_cut(&few[i]), i < CLIENTS_COUNT - 2);
        share_done(&few[i]);
        share_done(&many[i]);
    }
    end(&world);
}

static void the_log_says_who_was_cut(void **state)
{
    (void)state;
    struct world world;
    char text[TEXT_MAX_BYTES] = "";
    FILE *lines = tmpfile();
    assert_non_null(lines);
    struct log *log = log_new(fileno(lines), "test", LOG_INFO, LOG_JSON);
    begin(&world);
    shares_log(&world.shares, log);
    assert_true(share_take(come(&world, 0, "2001:db8::1"), LIMIT_BYTES / 2));
    assert_true(share_take(come(&world, 1, "2001:db8::2"), LIMIT_BYTES / 2));
    assert_true(share_take(come(&world, 2, "192.0.2.1"), LIMIT_BYTES / 4));
    shares_log(&world.shares, log);
    shares_log(&world.shares, log);
    end(&world);
    log_free(log);
    rewind(lines);
    assert_non_null(fgets(text, sizeof(text), lines));
    assert_non_null(strstr(text, "\"level\":\"warn\""));
    assert_non_null(strstr(text, "\"event\":\"http.shares_cut\",\"of\":\"things\","
                                 "\"count\":1,\"peer\":\"2001:db8::/64\"}"));
    assert_null(fgets(text, sizeof(text), lines));
    (void)fclose(lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(one_address_alone_may_have_all),
        UNIT(room_is_made_by_the_address_that_holds_most),
        UNIT(who_wants_more_than_the_others_hold_gets_none),
        UNIT(an_ipv6_network_is_one_address),
        UNIT(only_who_reads_or_sends_is_cut),
        UNIT(who_cannot_be_cut_is_passed_over),
        UNIT(an_address_may_have_a_part_only_that_stays),
        UNIT(many_get_theirs_from_few),
        UNIT(the_log_says_who_was_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
