/* SPDX-License-Identifier: MIT
 *
 * The sweep over connections, with the time as told. */
#include "http/connections.h"

#include "unit.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_TIMEOUT_MS 1000

struct pair {
    struct connections *connections;
    struct connection *connection;
    int ours;
    int theirs;
};

static const struct networks NOBODY = {.count = 0};

/* A connection whose request has arrived. */
static void pair_open(struct pair *pair)
{
    int fds[2];
    struct sockaddr_in peer = {.sin_family = AF_INET};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    pair->ours = fds[0];
    pair->theirs = fds[1];
    pair->connections = connections_new(&(struct connections_options){
        .max_count = 10, .trusted = &NOBODY, .read_timeout_ms = READ_TIMEOUT_MS});
    assert_non_null(pair->connections);
    assert_int_equal(
        connections_admit(pair->connections, pair->ours, (const struct sockaddr *)&peer),
        CONNECTIONS_ADMITTED);
    pair->connection = connections_find(pair->connections, pair->ours);
    assert_non_null(pair->connection);
    connection_start(pair->connection, pair);
    connection_begin(pair->connection, 1000);
    assert_true(connection_arrived(pair->connection));
}

static void pair_close(struct pair *pair)
{
    connections_remove(pair->connections, pair->connection);
    connections_free(pair->connections);
    (void)close(pair->ours);
    (void)close(pair->theirs);
}

static bool is_shut(const struct pair *pair)
{
    char byte;
    return recv(pair->theirs, &byte, 1, MSG_DONTWAIT) == 0;
}

static void sweep(struct pair *pair, int64_t now_ms)
{
    char peer[ADDRESS_TEXT_BYTES];
    assert_int_equal(connections_sweep(pair->connections, now_ms, peer), 0);
}

static void an_answer_that_is_not_taken_in_time_is_cut(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    sweep(&pair, 1000000); /* the handler may take as long as its own deadline says */
    connection_send(pair.connection, 1009000);
    sweep(&pair, 1008999);
    assert_false(is_shut(&pair));
    sweep(&pair, 1009000);
    assert_true(is_shut(&pair));
    connection_answered(pair.connection, 1009001);
    assert_int_equal(atomic_load(&pair.connection->state), CONNECTION_CUT);
    pair_close(&pair);
}

static void an_answer_that_was_taken_is_forgotten(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    connection_send(pair.connection, 2000);
    connection_answered(pair.connection, 1999);
    sweep(&pair, 2001);
    assert_false(is_shut(&pair));
    connection_begin(pair.connection, 2100);
    assert_true(connection_arrived(pair.connection));
    sweep(&pair, 1000000);
    assert_false(is_shut(&pair));
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(an_answer_that_is_not_taken_in_time_is_cut),
        UNIT(an_answer_that_was_taken_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
