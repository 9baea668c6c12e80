/* SPDX-License-Identifier: MIT
 *
 * Commands on a real Redis: answers, limits, errors, signing in. */
#include "redis_bench.h"

#define MANY_COUNT         2000
#define LARGE_BYTES        (100 * 1000)
#define LARGE_COUNT        100
#define NESTED_MAX         "EVAL return{{{{{{1}}}}}} 0"
#define ITEMS(count, made) "EVAL local\tt={}for\ti=1," count "\tdo\tt[i]=i\tend\treturn\t" made " 0"
#define NESTED_OVER        "EVAL return{{{{{{{{1}}}}}}}} 0"
#define BEYOND_BYTES       "33554433"

static void each_kind_of_answer_arrives(void **state)
{
    struct bench *bench = bench_of(state);
    assert_int_equal(answer_to(bench, "GET nothing").kind, REDIS_NIL);
    struct redis_answer stored = answer_to(bench, "SET name value");
    assert_int_equal(stored.kind, REDIS_STATUS);
    assert_text(stored, "OK");
    assert_text(answer_to(bench, "GET name"), "value");
    struct redis_answer number = answer_to(bench, "DECRBY count 9007199254740993");
    assert_int_equal(number.kind, REDIS_INTEGER);
    assert_true(number.integer == -9007199254740993);
    assert_int_equal(answer_to(bench, "RPUSH list a b").integer, 2);
    struct redis_answer list = answer_to(bench, "LRANGE list 0 -1");
    assert_int_equal(list.kind, REDIS_LIST);
    assert_int_equal(list.items_count, 2);
    assert_text(list.items[1], "b");
    assert_int_equal(answer_to(bench, "LRANGE none 0 -1").items_count, 0);
    struct redis_answer nested = answer_to(bench, NESTED_MAX);
    assert_int_equal(nested.items[0].items[0].items[0].items[0].items[0].items[0].integer, 1);
}

static void any_bytes_go_and_come_back(void **state)
{
    struct bench *bench = bench_of(state);
    static const unsigned char ODD[] = "a\0b\r\n*1\r\n$4\r\nPING\xff";
    const struct bytes odd = {ODD, sizeof(ODD)};
    const struct redis_command put = {REDIS_ARGS(redis_text("SET"), odd, odd)};
    const struct redis_command get = {REDIS_ARGS(redis_text("GET"), odd), .can_repeat = true};
    const struct redis_command put_empty = {
        REDIS_ARGS(redis_text("SET"), redis_text("empty"), ((struct bytes){NULL, 0}))};
    struct redis_answer answer;
    assert_int_equal(redis_run(&bench->ctx, bench->redis, &put, &answer), ERR_OK);
    assert_int_equal(redis_run(&bench->ctx, bench->redis, &get, &answer), ERR_OK);
    assert_int_equal(answer.text.n, sizeof(ODD));
    assert_memory_equal(answer.text.p, ODD, sizeof(ODD));
    assert_int_equal(redis_run(&bench->ctx, bench->redis, &put_empty, &answer), ERR_OK);
    assert_text(answer_to(bench, "GET empty"), "");
}

static void a_batch_is_answered_in_order(void **state)
{
    struct bench *bench = bench_of(state);
    static struct redis_command commands[MANY_COUNT];
    static struct redis_answer answers[MANY_COUNT];
    const struct bytes args[] = {redis_text("INCR"), redis_text("count")};
    for (size_t i = 0; i < MANY_COUNT; i++)
        commands[i] = (struct redis_command){args, ARRAY_COUNT(args), false};
    assert_int_equal(redis_run_all(&bench->ctx, bench->redis, commands, MANY_COUNT, answers),
                     ERR_OK);
    for (size_t i = 0; i < MANY_COUNT; i++)
        assert_int_equal(answers[i].integer, (int)i + 1);
    assert_int_equal(redis_run_all(&bench->ctx, bench->redis, commands, 0, answers), ERR_INTERNAL);
}

/* Neither side could go on, were answers only read after all was sent. */
static void a_batch_may_be_large_in_both_directions(void **state)
{
    struct bench *bench = bench_of(state);
    unsigned char *large = test_malloc(LARGE_BYTES);
    memset(large, 'x', LARGE_BYTES);
    const struct bytes args[] = {redis_text("ECHO"), {large, LARGE_BYTES}};
    struct redis_command commands[LARGE_COUNT];
    struct redis_answer answers[LARGE_COUNT];
    for (size_t i = 0; i < LARGE_COUNT; i++)
        commands[i] = (struct redis_command){args, ARRAY_COUNT(args), true};
    bench->options.timeout_ms = BUDGET_MS;
    assert_int_equal(redis_run_all(&bench->ctx, bench->redis, commands, LARGE_COUNT, answers),
                     ERR_OK);
    for (size_t i = 0; i < LARGE_COUNT; i++) {
        assert_int_equal(answers[i].text.n, LARGE_BYTES);
        assert_memory_equal(answers[i].text.p, large, LARGE_BYTES);
    }
    test_free(large);
}

static void the_first_error_of_a_batch_wins_and_all_are_run(void **state)
{
    struct bench *bench = bench_of(state);
    (void)answer_to(bench, "SET text abc");
    const struct redis_command commands[] = {
        {REDIS_ARGS(redis_text("SET"), redis_text("a"), redis_text("1"))},
        {REDIS_ARGS(redis_text("LPOP"), redis_text("text"))},
        {REDIS_ARGS(redis_text("INCR"), redis_text("text"))},
        {REDIS_ARGS(redis_text("SET"), redis_text("b"), redis_text("2"))},
    };
    struct redis_answer answers[ARRAY_COUNT(commands)] = {{.integer = 77}};
    enum err err =
        redis_run_all(&bench->ctx, bench->redis, commands, ARRAY_COUNT(commands), answers);
    assert_int_equal(err, ERR_INTERNAL);
    assert_non_null(strstr(bench->ctx.why.text, "WRONGTYPE"));
    assert_int_equal(answers[0].integer, 77);
    assert_text(answer_to(bench, "GET a"), "1");
    assert_text(answer_to(bench, "GET b"), "2");
}

static void a_reason_holds_no_value(void **state)
{
    struct bench *bench = bench_of(state);
    assert_error(bench, "NONSENSE hidden-value", ERR_INTERNAL, "ERR unknown command");
    assert_null(strstr(bench->ctx.why.text, "hidden"));
    assert_error(bench, "INCRBY a hidden-value", ERR_INTERNAL, "not an integer");
    assert_null(strstr(bench->ctx.why.text, "hidden"));
    assert_text(answer_to(bench, "PING"), "PONG");
}

static void an_answer_beyond_the_limits_is_refused(void **state)
{
    struct bench *bench = bench_of(state);
    struct redis_answer answer;
    bench->options.timeout_ms = BUDGET_MS;
    assert_int_equal(run_words(bench, NESTED_OVER, false, &answer), ERR_INTERNAL);
    assert_text(answer_to(bench, "PING"), "PONG");
    (void)answer_to(bench, "SETRANGE large " BEYOND_BYTES " x");
    assert_error(bench, "GET large", ERR_INTERNAL, "more than 33554432 bytes");
    assert_text(answer_to(bench, "PING"), "PONG");
    assert_int_equal(answer_to(bench, "GETRANGE large 0 33000000").text.n, 33000001);
}

static void an_answer_of_too_many_items_is_refused(void **state)
{
    struct bench *bench = bench_of(state);
    for (int i = 0; i < 2; i++)
        assert_int_equal(answer_to(bench, ITEMS("10000", "t")).items_count, REDIS_ITEMS_MAX_COUNT);
    assert_error(bench, ITEMS("10001", "t"), ERR_INTERNAL, "more than 10000 items");
    assert_text(answer_to(bench, "PING"), "PONG");
    assert_int_equal(answer_to(bench, ITEMS("4999", "{t,t}")).items_count, 2);
    assert_error(bench, ITEMS("5000", "{t,t}"), ERR_INTERNAL, "more than 10000 items");
    assert_text(answer_to(bench, "PING"), "PONG");
}

static void user_password_and_database_are_used(void **state)
{
    struct bench *bench = bench_of(state);
    redis_server_tell(&bench->server, "ACL SETUSER anna on '>" PASSWORD "' '~*' +@all");
    redis_server_tell(&bench->server, "CONFIG SET requirepass 'other p'");
    (void)snprintf(bench->server.password, sizeof(bench->server.password), "other p");
    bench->options.username = "anna";
    bench->options.password = &bench->password;
    bench->options.database = 3;
    assert_text(answer_to(bench, "ACL WHOAMI"), "anna");
    assert_text(answer_to(bench, "CLIENT GETNAME"), "notes-svc");
    (void)answer_to(bench, "SET here 1");
    assert_true(redis_server_says(&bench->server, "-n 3 EXISTS here", "1"));
    assert_true(redis_server_says(&bench->server, "-n 0 EXISTS here", "0"));
}

static void a_user_that_may_not_name_its_connection_gets_in(void **state)
{
    struct bench *bench = bench_of(state);
    redis_server_tell(&bench->server, "ACL SETUSER anna on '>" PASSWORD "' '~*' +get +set");
    bench->options.username = "anna";
    bench->options.password = &bench->password;
    assert_text(answer_to(bench, "SET a b"), "OK");
    assert_error(bench, "DEL a", ERR_UNAVAILABLE, "does not allow it");
}

static void a_wrong_password_or_database_is_unavailable(void **state)
{
    struct bench *bench = bench_of(state);
    redis_server_tell(&bench->server, "CONFIG SET requirepass another");
    (void)snprintf(bench->server.password, sizeof(bench->server.password), "another");
    assert_error(bench, "PING", ERR_UNAVAILABLE, "wants a password");
    bench->options.place = NULL;
    bench->options.password = &bench->password;
    redis_free(bench->redis);
    bench->redis = redis_new(&bench->options);
    assert_error(bench, "PING", ERR_UNAVAILABLE, "does not take user or password");
    assert_null(strstr(bench->ctx.why.text, PASSWORD));
    redis_server_tell(&bench->server, "CONFIG SET requirepass '" PASSWORD "'");
    bench->options.database = 16;
    redis_free(bench->redis);
    bench->redis = redis_new(&bench->options);
    assert_error(bench, "PING", ERR_UNAVAILABLE, "DB index is out of range");
}

static void a_full_redis_is_unavailable_and_still_read(void **state)
{
    struct bench *bench = bench_of(state);
    (void)answer_to(bench, "SET a b");
    redis_server_tell(&bench->server, "CONFIG SET maxmemory 1");
    assert_error(bench, "SET c d", ERR_UNAVAILABLE, "is full");
    assert_text(answer_to(bench, "GET a"), "b");
    redis_server_tell(&bench->server, "CONFIG SET maxmemory 0");
    assert_text(answer_to(bench, "SET c d"), "OK");
}

static void a_replica_takes_no_writes_until_it_is_a_master(void **state)
{
    struct bench *bench = bench_of(state);
    redis_server_tell(&bench->server, "REPLICAOF 127.0.0.1 1");
    assert_error(bench, "SET a b", ERR_UNAVAILABLE, "is a replica");
    redis_server_tell(&bench->server, "REPLICAOF NO ONE");
    assert_text(answer_to(bench, "SET a b"), "OK");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_REDIS(each_kind_of_answer_arrives),
        UNIT_REDIS(any_bytes_go_and_come_back),
        UNIT_REDIS(a_batch_is_answered_in_order),
        UNIT_REDIS(a_batch_may_be_large_in_both_directions),
        UNIT_REDIS(the_first_error_of_a_batch_wins_and_all_are_run),
        UNIT_REDIS(a_reason_holds_no_value),
        UNIT_REDIS(an_answer_beyond_the_limits_is_refused),
        UNIT_REDIS(an_answer_of_too_many_items_is_refused),
        UNIT_REDIS(user_password_and_database_are_used),
        UNIT_REDIS(a_user_that_may_not_name_its_connection_gets_in),
        UNIT_REDIS(a_wrong_password_or_database_is_unavailable),
        UNIT_REDIS(a_full_redis_is_unavailable_and_still_read),
        UNIT_REDIS(a_replica_takes_no_writes_until_it_is_a_master),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
