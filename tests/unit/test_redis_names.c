/* SPDX-License-Identifier: MIT
 *
 * A Redis that is named: several addresses of which one is dead, name servers that are silent, with
 * a resolver that is the test's. */
#include "redis_bench.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#define THREADS_COUNT   8
#define ASKS_COUNT      12
#define LOOK_UP_MS      (2L * BRIEF_MS) /* longer than Redis gets */
#define NS_PER_MS       1000000L
#define ADDRESSES_COUNT 2
#define CLIENTS_COUNT   3

/* What the resolver knows of any name. */
static int ports[ADDRESSES_COUNT]; /* 0: nothing more */
static bool is_silent;
static _Atomic int looking_count;
static _Atomic int looking_most_count;

/* As the C library's own freeaddrinfo() expects it: one block each. */
static struct addrinfo *address_of(int port)
{
    struct addrinfo *address = calloc(1, sizeof(*address) + sizeof(struct sockaddr_in));
    assert_non_null(address);
    const struct sockaddr_in place = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                      .sin_port = htons((uint16_t)port)};
    address->ai_family = AF_INET;
    address->ai_socktype = SOCK_STREAM;
    address->ai_addrlen = sizeof(place);
    address->ai_addr = memcpy(address + 1, &place, sizeof(place));
    return address;
}

int getaddrinfo(const char *restrict name,
                const char *restrict service,
                const struct addrinfo *restrict hints,
                struct addrinfo **restrict out_addresses)
{
    (void)name;
    (void)service;
    (void)hints;
    if (is_silent) {
        int count = ++looking_count;
        int most_count = looking_most_count;
        while (count > most_count &&
               !atomic_compare_exchange_weak(&looking_most_count, &most_count, count))
            continue;
        nanosleep(&(struct timespec){.tv_nsec = LOOK_UP_MS * NS_PER_MS}, NULL);
        looking_count--;
        return EAI_AGAIN;
    }
    struct addrinfo **end = out_addresses;
    for (size_t i = 0; i < ADDRESSES_COUNT && ports[i]; i++) {
        *end = address_of(ports[i]);
        end = &(*end)->ai_next;
    }
    return 0;
}

/* A port that drops whoever comes, as a host that is gone does: its queue is full. */
static int dead_port(int out_sockets[1 + CLIENTS_COUNT])
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(place);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&place, size), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&place, &size), 0);
    assert_int_equal(listen(listener, 0), 0);
    out_sockets[0] = listener;
    for (int i = 1; i <= CLIENTS_COUNT; i++) {
        out_sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)!connect(out_sockets[i], (struct sockaddr *)&place, size);
    }
    return ntohs(place.sin_port);
}

static void a_dead_address_leaves_time_for_the_next(void **state)
{
    struct bench *bench = bench_of(state);
    int sockets[1 + CLIENTS_COUNT];
    ports[0] = dead_port(sockets);
    ports[1] = bench->server.port;
    bench->options.timeout_ms = 10L * BRIEF_MS;
    bench->options.host.host = "redis.example";
    assert_text(answer_to(bench, "PING"), "PONG");
    for (size_t i = 0; i < ARRAY_COUNT(sockets); i++)
        assert_int_equal(close(sockets[i]), 0);
}

static void *ask_often(void *argument)
{
    struct bench *bench = argument;
    struct redis_answer answer;
    for (int i = 0; i < ASKS_COUNT; i++) {
        (void)!run_words(bench, "PING", true, &answer);
        pause_a_moment();
    }
    return NULL;
}

/* A look-up takes longer than Redis gets; it is one worker that waits for it all the same. */
static void silent_name_servers_hold_up_one_worker(void **state)
{
    struct bench *bench = bench_of(state);
    struct bench *askers = test_calloc(THREADS_COUNT, sizeof(*askers));
    pthread_t threads[THREADS_COUNT];
    bench->options.host.host = "redis.example";
    bench->options.timeout_ms = BRIEF_MS;
    redis_place_missed(&bench->place, "away");
    is_silent = true;
    for (size_t i = 0; i < THREADS_COUNT; i++) {
        ctx_init(&askers[i].ctx, NULL, BUDGET_MS);
        askers[i].redis = redis_new(&bench->options);
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &askers[i]), 0);
    }
    for (size_t i = 0; i < THREADS_COUNT; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        redis_free(askers[i].redis);
        ctx_done(&askers[i].ctx);
    }
    is_silent = false;
    test_free(askers);
    assert_int_equal(looking_most_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_REDIS(a_dead_address_leaves_time_for_the_next),
        UNIT_REDIS(silent_name_servers_hold_up_one_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
