/* SPDX-License-Identifier: MIT
 *
 * A master, its replica and a sentinel: who is connected to, before and after the master is gone;
 * and sentinels that are down, hang, or know nothing. */
#include "redis_bench.h"

#define MASTER_NAME "mymaster"

/* The bench's server is the master. */
struct group {
    struct bench *bench;
    struct redis_server replica;
    struct redis_server sentinel;
};

static void group_start(struct group *group)
{
    struct redis_server *master = &group->bench->server;
    char lines[512];
    (void)snprintf(lines, sizeof(lines), "replicaof 127.0.0.1 %d\n", master->port);
    redis_server_start(&group->replica, lines, false);
    redis_server_wait(&group->replica, "INFO replication", "master_link_status:up");
    (void)snprintf(lines, sizeof(lines),
                   "sentinel monitor " MASTER_NAME " 127.0.0.1 %d 1\n"
                   "sentinel down-after-milliseconds " MASTER_NAME " 300\n"
                   "sentinel failover-timeout " MASTER_NAME " 3000\n",
                   master->port);
    redis_server_start(&group->sentinel, lines, true);
    redis_server_wait(&group->sentinel, "SENTINEL REPLICAS " MASTER_NAME, "127.0.0.1");
    group->bench->options.host = (struct redis_host){.host = NULL};
    group->bench->options.sentinels[0] =
        (struct redis_host){.host = "127.0.0.1", .port = group->sentinel.port};
    group->bench->options.sentinels_count = 1;
}

static void group_done(struct group *group)
{
    redis_server_remove(&group->sentinel);
    redis_server_remove(&group->replica);
}

static void commands_come_back_on_the_promoted_replica(void **state)
{
    CLEANUP(group_done) struct group group = {.bench = bench_of(state)};
    group_start(&group);
    (void)answer_to(group.bench, "SET kept 1");
    assert_int_equal(answer_to(group.bench, "WAIT 1 0").integer, 1);
    redis_server_end(&group.bench->server, SIGKILL);
    (void)wait_answer(group.bench, "SET after 2");
    assert_true(redis_server_says(&group.replica, "ROLE", "master"));
    assert_text(answer_to(group.bench, "GET kept"), "1");
    assert_true(redis_server_says(&group.replica, "GET after", "2"));
}

static void a_master_that_steps_down_is_left(void **state)
{
    CLEANUP(group_done) struct group group = {.bench = bench_of(state)};
    group_start(&group);
    (void)answer_to(group.bench, "SET kept 1");
    redis_server_wait(&group.sentinel, "SENTINEL FAILOVER " MASTER_NAME, "OK");
    redis_server_wait(&group.replica, "ROLE", "master");
    redis_server_wait(&group.bench->server, "ROLE", "slave");
    (void)wait_answer(group.bench, "SET after 2");
    assert_true(redis_server_says(&group.replica, "GET after", "2"));
}

/* The connection lives on; the refusal itself sends us to the new master, within one call. */
static void a_refused_write_is_done_by_the_new_master(void **state)
{
    CLEANUP(group_done) struct group group = {.bench = bench_of(state)};
    CLEANUP(redis_server_remove) struct redis_server informed = {.port = 0};
    char words[128];
    group_start(&group);
    (void)answer_to(group.bench, "SET kept 1");
    redis_server_end(&group.sentinel, SIGKILL);
    redis_server_tell(&group.replica, "REPLICAOF NO ONE");
    (void)snprintf(words, sizeof(words), "REPLICAOF 127.0.0.1 %d", group.replica.port);
    redis_server_tell(&group.bench->server, words);
    (void)snprintf(words, sizeof(words), "sentinel monitor " MASTER_NAME " 127.0.0.1 %d 9\n",
                   group.replica.port);
    redis_server_start(&informed, words, true);
    group.bench->options.sentinels[0].port = informed.port;
    (void)answer_to(group.bench, "SET after 2");
    assert_true(redis_server_says(&group.replica, "GET after", "2"));
    assert_string_equal(group.bench->ctx.why.text, "");
}

static void a_subscriber_finds_the_master_too(void **state)
{
    CLEANUP(group_done) struct group group = {.bench = bench_of(state)};
    group_start(&group);
    struct redis_subscriber *subscriber = NULL;
    assert_int_equal(
        redis_subscriber_open(&group.bench->ctx, &group.bench->options, "notes", &subscriber),
        ERR_OK);
    assert_true(redis_server_says(&group.bench->server, "PUBSUB NUMSUB notes", "1"));
    redis_subscriber_free(subscriber);
}

static void a_sentinel_that_is_down_or_hangs_is_passed_over(void **state)
{
    CLEANUP(group_done) struct group group = {.bench = bench_of(state)};
    CLEANUP(redis_server_remove) struct redis_server other = {.port = 0};
    group_start(&group);
    struct redis_options *options = &group.bench->options;
    options->sentinels[2] = options->sentinels[0];
    options->sentinels[0] = (struct redis_host){.host = "127.0.0.1", .port = 1};
    redis_server_start(&other, "", false); /* knows nothing of masters, then hangs */
    options->sentinels[1] = (struct redis_host){.host = "127.0.0.1", .port = other.port};
    options->sentinels_count = 3;
    assert_text(answer_to(group.bench, "PING"), "PONG");
    assert_int_equal(redis_place_sentinel(&group.bench->place), 2);
    redis_server_pause(&other);
    redis_place_set_sentinel(&group.bench->place, 0);
    redis_free(group.bench->redis);
    group.bench->redis = redis_new(options);
    assert_text(answer_to(group.bench, "PING"), "PONG");
    assert_string_equal(group.bench->ctx.why.text, "");
}

static void without_a_sentinel_or_with_another_name_nobody_is_found(void **state)
{
    CLEANUP(group_done) struct group group = {.bench = bench_of(state)};
    group_start(&group);
    group.bench->options.master = "other";
    assert_error(group.bench, "PING", ERR_UNAVAILABLE, "knows no master of that name");
    group.bench->options.place = NULL;
    group.bench->options.sentinels[0].port = 1;
    redis_free(group.bench->redis);
    group.bench->redis = redis_new(&group.bench->options);
    assert_error(group.bench, "PING", ERR_UNAVAILABLE, "connection refused");
}

static void what_the_sentinels_call_master_must_be_one(void **state)
{
    CLEANUP(group_done) struct group group = {.bench = bench_of(state)};
    CLEANUP(redis_server_remove) struct redis_server liar = {.port = 0};
    char lines[512];
    group_start(&group);
    (void)snprintf(lines, sizeof(lines), "sentinel monitor " MASTER_NAME " 127.0.0.1 %d 9\n",
                   group.replica.port);
    redis_server_start(&liar, lines, true);
    group.bench->options.sentinels[0].port = liar.port;
    assert_error(group.bench, "PING", ERR_UNAVAILABLE, "master is none");
}

static void sentinels_may_have_a_password(void **state)
{
    CLEANUP(group_done) struct group group = {.bench = bench_of(state)};
    CLEANUP(redis_server_remove) struct redis_server guarded = {.password = PASSWORD};
    char lines[512];
    group_start(&group);
    (void)snprintf(lines, sizeof(lines),
                   "requirepass \"%s\"\n"
                   "sentinel monitor " MASTER_NAME " 127.0.0.1 %d 9\n",
                   PASSWORD, group.bench->server.port);
    redis_server_start(&guarded, lines, true);
    group.bench->options.sentinels[0].port = guarded.port;
    assert_error(group.bench, "PING", ERR_UNAVAILABLE, "wants a password");
    group.bench->options.sentinel_password = &group.bench->password;
    assert_text(wait_answer(group.bench, "PING"), "PONG");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_REDIS(commands_come_back_on_the_promoted_replica),
        UNIT_REDIS(a_master_that_steps_down_is_left),
        UNIT_REDIS(a_refused_write_is_done_by_the_new_master),
        UNIT_REDIS(a_subscriber_finds_the_master_too),
        UNIT_REDIS(a_sentinel_that_is_down_or_hangs_is_passed_over),
        UNIT_REDIS(without_a_sentinel_or_with_another_name_nobody_is_found),
        UNIT_REDIS(what_the_sentinels_call_master_must_be_one),
        UNIT_REDIS(sentinels_may_have_a_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
