/* SPDX-License-Identifier: MIT
 *
 * What the tests of the Redis client share: a private server for each test, options that name it,
 * a connection. Without redis-server each test is skipped and says so. */
#ifndef NOTES_REDIS_BENCH_H
#define NOTES_REDIS_BENCH_H

#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "base/ctx.h"
#include "base/secret.h"
#include "data/redis.h"
#include "data/redis_place.h"
#include "redis_server.h"

#define BUDGET_MS   60000
#define TIMEOUT_MS  5000
#define BRIEF_MS    200 /* for servers that hang on purpose */
#define TRIES_COUNT 400
#define TRY_NS      (25 * 1000000L)
#define PASSWORD    "p w:/@1%"

struct bench {
    struct ctx ctx;
    struct redis_server server;
    struct redis_place place;
    struct secret password;
    struct redis_options options;
    struct redis *redis;
};

static inline int bench_new(void **state)
{
    assert_true(secret_start());
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    *state = bench;
    ctx_init(&bench->ctx, NULL, BUDGET_MS);
    if (!redis_server_is_there())
        return 0;
    redis_server_start(&bench->server, "", false);
    redis_place_init(&bench->place);
    bench->password = secret_new(PASSWORD, strlen(PASSWORD));
    bench->options = (struct redis_options){
        .host = {.host = "127.0.0.1", .port = bench->server.port},
        .master = "mymaster",
        .timeout_ms = TIMEOUT_MS,
        .place = &bench->place,
        .is_set = true,
    };
    bench->redis = redis_new(&bench->options);
    return 0;
}

static inline int bench_free(void **state)
{
    struct bench *bench = *state;
    redis_free(bench->redis);
    redis_server_remove(&bench->server);
    secret_done(&bench->password);
    ctx_done(&bench->ctx);
    free(bench);
    return 0;
}

static inline struct bench *bench_of(void **state)
{
    struct bench *bench = *state;
    if (!bench->redis) {
        print_message("# skipped: no redis-server on this machine\n");
        skip();
    }
    return bench;
}

/* A command of words, none of them with a space. */
static inline enum err
run_words(struct bench *bench, const char *words, bool can_repeat, struct redis_answer *answer)
{
    struct bytes args[16];
    size_t count = 0;
    ctx_forgive(&bench->ctx);
    for (const char *at = words; *at; count++) {
        size_t size = strcspn(at, " ");
        assert_true(count < ARRAY_COUNT(args));
        args[count] = (struct bytes){(const unsigned char *)at, size};
        at += size + (at[size] == ' ');
    }
    const struct redis_command command = {args, count, can_repeat};
    return redis_run(&bench->ctx, bench->redis, &command, answer);
}

static inline struct redis_answer answer_to(struct bench *bench, const char *words)
{
    struct redis_answer answer = {.kind = REDIS_NIL};
    if (run_words(bench, words, false, &answer))
        fail_msg("%s: %s", words, bench->ctx.why.text);
    return answer;
}

static inline void assert_text(struct redis_answer answer, const char *text)
{
    assert_true(answer.kind == REDIS_TEXT || answer.kind == REDIS_STATUS);
    assert_int_equal(answer.text.n, strlen(text));
    assert_string_equal((const char *)answer.text.p, text);
}

/* The error, and a part of its reason. */
static inline void
assert_error(struct bench *bench, const char *words, enum err wanted, const char *part)
{
    struct redis_answer answer;
    assert_int_equal(run_words(bench, words, false, &answer), wanted);
    if (!strstr(bench->ctx.why.text, part))
        fail_msg("%s: not \"%s\" but \"%s\"", words, part, bench->ctx.why.text);
}

static inline void pause_a_moment(void)
{
    nanosleep(&(struct timespec){.tv_nsec = TRY_NS}, NULL);
}

/* Asks until it is answered. */
static inline struct redis_answer wait_answer(struct bench *bench, const char *words)
{
    struct redis_answer answer = {.kind = REDIS_NIL};
    for (int i = 0; run_words(bench, words, false, &answer); i++) {
        if (i == TRIES_COUNT)
            fail_msg("%s: %s", words, bench->ctx.why.text);
        bench->ctx.deadline_ms += TIMEOUT_MS;
        pause_a_moment();
    }
    return answer;
}

/* Asks until it fails without having asked. */
static inline void wait_refusal(struct bench *bench)
{
    struct redis_answer answer;
    for (int i = 0; i < TRIES_COUNT; i++) {
        assert_int_equal(run_words(bench, "PING", true, &answer), ERR_UNAVAILABLE);
        if (strstr(bench->ctx.why.text, "not asked just now"))
            return;
    }
    fail_msg("asked each time: %s", bench->ctx.why.text);
}

#define UNIT_REDIS(test) cmocka_unit_test_setup_teardown(test, bench_new, bench_free)

#endif
