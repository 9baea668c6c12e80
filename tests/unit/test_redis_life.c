/* SPDX-License-Identifier: MIT
 *
 * A Redis that ends, comes back, hangs, or loses a connection: between commands and amid them. */
#include "redis_bench.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define DEADLINE_MS 1000 /* of a request, before Redis' own time limit */

static void a_connection_lost_between_commands_is_not_noticed(void **state)
{
    struct bench *bench = bench_of(state);
    (void)answer_to(bench, "INCR count");
    redis_server_tell(&bench->server, "CLIENT KILL TYPE normal");
    assert_int_equal(answer_to(bench, "INCR count").integer, 2);
    redis_server_end(&bench->server, SIGKILL);
    redis_server_run(&bench->server);
    assert_int_equal(answer_to(bench, "INCR count").integer, 1);
}

static void a_redis_that_is_down_is_asked_now_and_then(void **state)
{
    struct bench *bench = bench_of(state);
    (void)answer_to(bench, "PING");
    redis_server_end(&bench->server, SIGTERM);
    assert_error(bench, "PING", ERR_UNAVAILABLE, "connection refused");
    wait_refusal(bench);
    assert_non_null(strstr(bench->ctx.why.text, "connection refused"));
    redis_server_run(&bench->server);
    assert_text(wait_answer(bench, "PING"), "PONG");
    assert_text(answer_to(bench, "PING"), "PONG");
}

static void what_one_connection_found_out_holds_for_all(void **state)
{
    struct bench *bench = bench_of(state);
    struct redis *first = bench->redis;
    CLEANUP(redis_free_ptr) struct redis *second = redis_new(&bench->options);
    (void)answer_to(bench, "PING");
    bench->redis = second;
    (void)answer_to(bench, "PING");
    redis_server_pause(&bench->server);
    bench->options.timeout_ms = BRIEF_MS;
    assert_error(bench, "PING", ERR_UNAVAILABLE, "no answer in time");
    bench->redis = first;
    wait_refusal(bench);
    redis_server_resume(&bench->server);
    bench->options.timeout_ms = TIMEOUT_MS;
    assert_text(wait_answer(bench, "PING"), "PONG");
    bench->redis = second;
    assert_text(answer_to(bench, "PING"), "PONG");
    bench->redis = first;
}

static void a_deadline_of_the_request_says_nothing_about_redis(void **state)
{
    struct bench *bench = bench_of(state);
    (void)answer_to(bench, "PING");
    redis_server_pause(&bench->server);
    int64_t deadline_ms = bench->ctx.deadline_ms;
    bench->ctx.deadline_ms = clock_monotonic_ms() + DEADLINE_MS;
    assert_error(bench, "PING", ERR_UNAVAILABLE, "in time");
    assert_error(bench, "PING", ERR_UNAVAILABLE, "no time is left");
    bench->ctx.deadline_ms = deadline_ms;
    redis_server_resume(&bench->server);
    assert_text(answer_to(bench, "PING"), "PONG");
}

/* An answer that came too late is not taken for the next command's. */
static void a_late_answer_is_nobodys(void **state)
{
    struct bench *bench = bench_of(state);
    (void)answer_to(bench, "SET name value");
    redis_server_pause(&bench->server);
    bench->options.timeout_ms = BRIEF_MS;
    assert_error(bench, "GET name", ERR_UNAVAILABLE, "no answer in time");
    redis_server_resume(&bench->server);
    bench->options.timeout_ms = TIMEOUT_MS;
    assert_int_equal(wait_answer(bench, "INCR count").kind, REDIS_INTEGER);
}

/* Answers whatever it is asked with the same, until the other end closes. */
static void *say_many(void *argument)
{
    static const char MANY[] = "*1000000000\r\n";
    char bytes[512];
    int made = accept(*(int *)argument, NULL, NULL);
    while (recv(made, bytes, sizeof(bytes), 0) > 0)
        (void)send(made, MANY, sizeof(MANY) - 1, MSG_NOSIGNAL);
    (void)close(made);
    return NULL;
}

static void what_announces_a_thousand_million_items_is_left(void **state)
{
    struct bench *bench = bench_of(state);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    pthread_t thread;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    assert_int_equal(pthread_create(&thread, NULL, say_many, &listener), 0);
    bench->options.host.port = ntohs(at.sin_port);
    assert_error(bench, "PING", ERR_UNAVAILABLE, "more than 10000 items");
    assert_int_equal(pthread_join(thread, NULL), 0); /* it was closed */
    (void)close(listener);
    bench->options.host.port = bench->server.port;
    assert_text(wait_answer(bench, "PING"), "PONG");
}

/* Does something to the server once a command waits there. */
struct helper {
    struct redis_server *server;
    const char *then; /* NULL: SIGKILL */
    const char *last; /* NULL, or what is told once the command waits again */
    pthread_t thread;
};

static void *help(void *argument)
{
    struct helper *helper = argument;
    redis_server_wait(helper->server, "INFO clients", "blocked_clients:1");
    if (helper->then)
        redis_server_tell(helper->server, helper->then);
    else
        redis_server_end(helper->server, SIGKILL);
    if (helper->last) {
        redis_server_wait(helper->server, "INFO clients", "blocked_clients:1");
        redis_server_tell(helper->server, helper->last);
    }
    return NULL;
}

static enum err pop_while(struct bench *bench,
                          const char *then,
                          const char *last,
                          bool can_repeat,
                          struct redis_answer *answer)
{
    struct helper helper = {.server = &bench->server, .then = then, .last = last};
    bench->options.timeout_ms = BUDGET_MS / 2;
    assert_int_equal(pthread_create(&helper.thread, NULL, help, &helper), 0);
    enum err err = run_words(bench, "BLPOP list 0", can_repeat, answer);
    assert_int_equal(pthread_join(helper.thread, NULL), 0);
    return err;
}

static void a_command_whose_outcome_is_unknown_is_not_repeated(void **state)
{
    struct bench *bench = bench_of(state);
    struct redis_answer answer;
    enum err err = pop_while(bench, "CLIENT KILL TYPE normal", NULL, false, &answer);
    assert_int_equal(err, ERR_UNAVAILABLE);
    assert_non_null(strstr(bench->ctx.why.text, "closed the connection"));
    assert_true(redis_server_says(&bench->server, "INFO clients", "blocked_clients:0"));
    assert_text(answer_to(bench, "PING"), "PONG");
}

static void a_command_that_can_be_repeated_is(void **state)
{
    struct bench *bench = bench_of(state);
    struct redis_answer answer;
    assert_int_equal(pop_while(bench, "CLIENT KILL TYPE normal", "RPUSH list found", true, &answer),
                     ERR_OK);
    assert_text(answer.items[1], "found");
    assert_string_equal(bench->ctx.why.text, "");
}

static void a_redis_killed_amid_a_command_is_unavailable(void **state)
{
    struct bench *bench = bench_of(state);
    struct redis_answer answer;
    assert_int_equal(pop_while(bench, NULL, NULL, true, &answer), ERR_UNAVAILABLE);
    redis_server_run(&bench->server);
    assert_text(wait_answer(bench, "PING"), "PONG");
}

/* Many threads, one Redis that hangs and comes back. */
#define THREADS_COUNT 16

struct asker {
    struct bench bench; /* of which ctx and redis are used */
    pthread_t thread;
    bool is_refusal_wanted; /* else an answer */
    bool is_done;
};

static void *ask_often(void *argument)
{
    struct asker *asker = argument;
    struct bench *bench = &asker->bench;
    struct redis_answer answer;
    for (int i = 0; i < TRIES_COUNT && !asker->is_done; i++) {
        bench->ctx.deadline_ms += TIMEOUT_MS;
        bool is_answered = run_words(bench, "PING", true, &answer) == ERR_OK;
        bool is_refused = !is_answered && strstr(bench->ctx.why.text, "not asked just now");
        asker->is_done = asker->is_refusal_wanted ? is_refused : is_answered;
        if (!asker->is_done)
            pause_a_moment();
    }
    return NULL;
}

static void ask_with_all(struct asker *askers, bool is_refusal_wanted)
{
    for (size_t i = 0; i < THREADS_COUNT; i++) {
        askers[i].is_refusal_wanted = is_refusal_wanted;
        askers[i].is_done = false;
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_often, &askers[i]), 0);
    }
    for (size_t i = 0; i < THREADS_COUNT; i++)
        assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
    for (size_t i = 0; i < THREADS_COUNT; i++)
        assert_true(askers[i].is_done);
}

static void many_threads_fail_at_once_and_all_come_back(void **state)
{
    struct bench *bench = bench_of(state);
    struct asker *askers = test_calloc(THREADS_COUNT, sizeof(*askers));
    for (size_t i = 0; i < THREADS_COUNT; i++) {
        ctx_init(&askers[i].bench.ctx, NULL, BUDGET_MS);
        askers[i].bench.redis = redis_new(&bench->options);
    }
    ask_with_all(askers, false);
    bench->options.timeout_ms = BRIEF_MS;
    redis_server_pause(&bench->server);
    ask_with_all(askers, true);
    redis_server_resume(&bench->server);
    ask_with_all(askers, false);
    for (size_t i = 0; i < THREADS_COUNT; i++) {
        redis_free(askers[i].bench.redis);
        ctx_done(&askers[i].bench.ctx);
    }
    test_free(askers);
}

static void a_host_without_a_name_is_unavailable(void **state)
{
    struct bench *bench = bench_of(state);
    bench->options.host.host = "no-such-host.invalid";
    assert_error(bench, "PING", ERR_UNAVAILABLE, "can't be looked up");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_REDIS(a_connection_lost_between_commands_is_not_noticed),
        UNIT_REDIS(a_redis_that_is_down_is_asked_now_and_then),
        UNIT_REDIS(what_one_connection_found_out_holds_for_all),
        UNIT_REDIS(a_deadline_of_the_request_says_nothing_about_redis),
        UNIT_REDIS(a_late_answer_is_nobodys),
        UNIT_REDIS(what_announces_a_thousand_million_items_is_left),
        UNIT_REDIS(a_command_whose_outcome_is_unknown_is_not_repeated),
        UNIT_REDIS(a_command_that_can_be_repeated_is),
        UNIT_REDIS(a_redis_killed_amid_a_command_is_unavailable),
        UNIT_REDIS(many_threads_fail_at_once_and_all_come_back),
        UNIT_REDIS(a_host_without_a_name_is_unavailable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
