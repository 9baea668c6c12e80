/* SPDX-License-Identifier: MIT
 *
 * A subscriber on a real Redis: messages, waking, and finding out that nobody is there any more. */
#include "redis_bench.h"

#include <sys/eventfd.h>

#define CHANNEL     "notes"
#define LONG_MS     30000
#define LARGE_BYTES (4 * 1000 * 1000)

static struct redis_subscriber *subscribe(struct bench *bench)
{
    struct redis_subscriber *subscriber = NULL;
    ctx_forgive(&bench->ctx);
    if (redis_subscriber_open(&bench->ctx, &bench->options, CHANNEL, &subscriber))
        fail_msg("%s", bench->ctx.why.text);
    return subscriber;
}

static void
assert_message(struct bench *bench, struct redis_subscriber *subscriber, const char *text)
{
    struct bytes message = {NULL, 0};
    bool has_message = false;
    while (!has_message)
        if (redis_subscriber_wait(&bench->ctx, subscriber, -1, LONG_MS, &message, &has_message))
            fail_msg("%s", bench->ctx.why.text);
    assert_int_equal(message.n, strlen(text));
    assert_string_equal((const char *)message.p, text);
}

/* Waits for the failure that is due. */
static void
assert_broken(struct bench *bench, struct redis_subscriber *subscriber, const char *part)
{
    struct bytes message;
    bool has_message = false;
    enum err err = ERR_OK;
    ctx_forgive(&bench->ctx);
    for (int i = 0; !err && i < TRIES_COUNT; i++)
        err = redis_subscriber_wait(&bench->ctx, subscriber, -1, LONG_MS, &message, &has_message);
    assert_int_equal(err, ERR_UNAVAILABLE);
    assert_false(has_message);
    if (!strstr(bench->ctx.why.text, part))
        fail_msg("not \"%s\" but \"%s\"", part, bench->ctx.why.text);
}

static void messages_arrive_in_order_and_only_those_of_the_channel(void **state)
{
    struct bench *bench = bench_of(state);
    CLEANUP(redis_subscriber_free_ptr) struct redis_subscriber *subscriber = subscribe(bench);
    assert_int_equal(answer_to(bench, "PUBLISH other no").integer, 0);
    assert_int_equal(answer_to(bench, "PUBLISH " CHANNEL " one").integer, 1);
    assert_int_equal(answer_to(bench, "PUBLISH " CHANNEL " two").integer, 1);
    assert_message(bench, subscriber, "one");
    assert_message(bench, subscriber, "two");
}

static void without_a_message_the_wait_ends(void **state)
{
    struct bench *bench = bench_of(state);
    CLEANUP(redis_subscriber_free_ptr) struct redis_subscriber *subscriber = subscribe(bench);
    struct bytes message;
    bool has_message = true;
    assert_int_equal(redis_subscriber_wait(&bench->ctx, subscriber, -1, 1, &message, &has_message),
                     ERR_OK);
    assert_false(has_message);
    has_message = true;
    assert_int_equal(redis_subscriber_wait(&bench->ctx, subscriber, -1, 0, &message, &has_message),
                     ERR_OK);
    assert_false(has_message);
}

static void a_wake_ends_the_wait_and_hides_no_message(void **state)
{
    struct bench *bench = bench_of(state);
    CLEANUP(redis_subscriber_free_ptr) struct redis_subscriber *subscriber = subscribe(bench);
    int wake_fd = eventfd(1, EFD_CLOEXEC);
    assert_true(wake_fd >= 0);
    struct bytes message;
    bool has_message = true;
    assert_int_equal(
        redis_subscriber_wait(&bench->ctx, subscriber, wake_fd, INT32_MAX, &message, &has_message),
        ERR_OK);
    assert_false(has_message);
    (void)answer_to(bench, "PUBLISH " CHANNEL " one");
    for (int i = 0; i < TRIES_COUNT && !has_message; i++) {
        assert_int_equal(redis_subscriber_wait(&bench->ctx, subscriber, wake_fd, LONG_MS, &message,
                                               &has_message),
                         ERR_OK);
        pause_a_moment();
    }
    assert_true(has_message);
    assert_int_equal(close(wake_fd), 0);
}

static void a_large_message_arrives_whole(void **state)
{
    struct bench *bench = bench_of(state);
    CLEANUP(redis_subscriber_free_ptr) struct redis_subscriber *subscriber = subscribe(bench);
    char *large = test_malloc(LARGE_BYTES + 1);
    memset(large, 'x', LARGE_BYTES);
    large[LARGE_BYTES] = '\0';
    const struct redis_command publish = {
        REDIS_ARGS(redis_text("PUBLISH"), redis_text(CHANNEL), redis_text(large))};
    struct redis_answer answer;
    bench->options.timeout_ms = LONG_MS;
    assert_int_equal(redis_run(&bench->ctx, bench->redis, &publish, &answer), ERR_OK);
    assert_message(bench, subscriber, large);
    test_free(large);
}

static void a_silent_server_is_pinged_and_kept(void **state)
{
    struct bench *bench = bench_of(state);
    CLEANUP(redis_subscriber_free_ptr) struct redis_subscriber *subscriber = subscribe(bench);
    struct bytes message;
    bool has_message = true;
    assert_int_equal(redis_subscriber_wait(&bench->ctx, subscriber, -1, REDIS_PING_EVERY_MS * 3 / 2,
                                           &message, &has_message),
                     ERR_OK);
    assert_false(has_message);
    assert_true(redis_server_says(&bench->server, "INFO commandstats", "cmdstat_ping"));
    assert_int_equal(answer_to(bench, "PUBLISH " CHANNEL " one").integer, 1);
    assert_message(bench, subscriber, "one");
}

static void a_killed_server_is_found_out_and_subscribed_to_again(void **state)
{
    struct bench *bench = bench_of(state);
    struct redis_subscriber *subscriber = subscribe(bench);
    redis_server_end(&bench->server, SIGKILL);
    assert_broken(bench, subscriber, "Redis 127.0.0.1:");
    redis_subscriber_free(subscriber);
    subscriber = NULL;
    ctx_forgive(&bench->ctx);
    assert_int_equal(redis_subscriber_open(&bench->ctx, &bench->options, CHANNEL, &subscriber),
                     ERR_UNAVAILABLE);
    assert_null(subscriber);
    assert_non_null(strstr(bench->ctx.why.text, "connection refused"));
    redis_server_run(&bench->server);
    subscriber = subscribe(bench);
    assert_int_equal(answer_to(bench, "PUBLISH " CHANNEL " one").integer, 1);
    assert_message(bench, subscriber, "one");
    redis_subscriber_free(subscriber);
}

static void a_server_that_hangs_is_found_out(void **state)
{
    struct bench *bench = bench_of(state);
    bench->options.timeout_ms = BRIEF_MS;
    CLEANUP(redis_subscriber_free_ptr) struct redis_subscriber *subscriber = NULL;
    for (int i = 0; !subscriber && i < TRIES_COUNT; i++)
        (void)!redis_subscriber_open(&bench->ctx, &bench->options, CHANNEL, &subscriber);
    assert_non_null(subscriber);
    redis_server_pause(&bench->server);
    assert_broken(bench, subscriber, "has fallen silent");
    struct redis_subscriber *none = NULL;
    ctx_forgive(&bench->ctx);
    assert_int_equal(redis_subscriber_open(&bench->ctx, &bench->options, CHANNEL, &none),
                     ERR_UNAVAILABLE);
    assert_null(none);
    redis_server_resume(&bench->server);
}

static void a_refusal_to_subscribe_is_nobody_elses(void **state)
{
    struct bench *bench = bench_of(state);
    redis_server_tell(&bench->server, "ACL SETUSER app on nopass ~* +@all resetchannels");
    bench->options.username = "app";
    bench->options.password = &bench->password;
    redis_place_missed(&bench->place, "away"); /* it answers: that is over */
    struct redis_subscriber *subscriber = NULL;
    assert_int_not_equal(redis_subscriber_open(&bench->ctx, &bench->options, CHANNEL, &subscriber),
                         ERR_OK);
    assert_null(subscriber);
    assert_non_null(strstr(bench->ctx.why.text, "NOPERM"));
    assert_int_equal(bench->place.wait_ms, 0);
    assert_text(answer_to(bench, "PING"), "PONG");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_REDIS(messages_arrive_in_order_and_only_those_of_the_channel),
        UNIT_REDIS(without_a_message_the_wait_ends),
        UNIT_REDIS(a_wake_ends_the_wait_and_hides_no_message),
        UNIT_REDIS(a_large_message_arrives_whole),
        UNIT_REDIS(a_silent_server_is_pinged_and_kept),
        UNIT_REDIS(a_killed_server_is_found_out_and_subscribed_to_again),
        UNIT_REDIS(a_server_that_hangs_is_found_out),
        UNIT_REDIS(a_refusal_to_subscribe_is_nobody_elses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
