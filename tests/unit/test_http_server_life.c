/* SPDX-License-Identifier: MIT
 *
 * The server over real sockets: start, end, and many clients between. */
#include "base/ctx.h"
#include "base/secret.h"
#include "base/workers.h"

#include "http_world.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- the end ---- */

struct drain {
    struct world *world;
    size_t left_count;
};

static void *drain_main(void *argument)
{
    struct drain *drain = argument;
    drain->left_count = http_server_drain(drain->world->server, 10000);
    return NULL;
}

static void draining_finishes_what_runs_and_refuses_what_comes(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    static const char request[] = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";
    int kept_fd = client_ask(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    int fd = client_open(&world);
    client_say(fd, request);
    gate_wait(&world.app, 1);
    struct drain drain = {.world = &world, .left_count = 99};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, drain_main, &drain), 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)world.port)};
    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &address.sin_addr), 1);
    bool is_refused = false;
    while (!is_refused) {
        int new_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        is_refused = connect(new_fd, (const struct sockaddr *)&address, sizeof(address)) != 0;
        (void)close(new_fd);
    }
    static const char prepared[] = "GET /shared HTTP/1.1\r\nHost: a\r\n\r\n";
    client_say(kept_fd, prepared);
    client_answer(kept_fd, true, &answer);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.text, "Connection: close"));
    assert_true(client_is_closed(kept_fd));
    gate_open(&world.app);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.text, "Connection: close"));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(drain.left_count, 0);
    (void)close(kept_fd);
    (void)close(fd);
    world_stop(&world);
}

static void *open_later(void *argument)
{
    gate_open(argument);
    return NULL;
}

static void it_may_be_freed_while_jobs_run(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    static const char request[] = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";
    int fds[4];
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
        fds[i] = client_open(&world);
        client_send(fds[i], request, sizeof(request) - 1);
        gate_wait(&world.app, i + 1);
    }
    assert_int_equal(http_server_drain(world.server, 1), 4);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, open_later, &world.app), 0);
    http_server_free(world.server);
    assert_int_equal(pthread_join(thread, NULL), 0);
    world_free_rest(&world);
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++)
        (void)close(fds[i]);
}

static void *free_main(void *argument)
{
    http_server_free(argument);
    return NULL;
}

/* Asks on one connection after the other until one is closed without an answer. */
static bool is_any_turned_away(const int *fds, size_t count)
{
    const struct timespec pause = {.tv_nsec = 50000000L};
    for (size_t i = 0; i < count; i++) {
        client_say(fds[i], "GET /work HTTP/1.1\r\nHost: a\r\n\r\n");
        client_answer(fds[i], true, &answer);
        if (answer.status == 0)
            return true;
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

static void once_it_is_freed_kept_connections_reach_no_lane(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    int kept_fds[100];
    for (size_t i = 0; i < ARRAY_COUNT(kept_fds); i++)
        kept_fds[i] = client_ask(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    int fd = client_open(&world);
    client_say(fd, "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n");
    gate_wait(&world.app, 1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, free_main, world.server), 0);
    bool is_turned_away = is_any_turned_away(kept_fds, ARRAY_COUNT(kept_fds));
    gate_open(&world.app);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(is_turned_away);
    world_free_rest(&world);
    for (size_t i = 0; i < ARRAY_COUNT(kept_fds); i++)
        (void)close(kept_fds[i]);
    (void)close(fd);
}

static void a_start_that_fails_says_why_in_one_line(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    struct {
        const char *listen;
        int64_t port;
        int64_t connections_max_count;
        const char *text;
    } rows[] = {
        {"127.0.0.1", world.port, 100, "something else listens there"},
        {"localhost", 0, 100, "no IPv4 or IPv6 address"},
        {"192.0.2.1", 0, 100, "does not have that address"},
        {"127.0.0.1", 0, 2000000000, "limit of open files"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct http_server_options options = world_options(&world);
        struct http_server *server = NULL;
        struct ctx ctx;
        options.listen = rows[i].listen;
        options.port = rows[i].port;
        options.connections_max_count = rows[i].connections_max_count;
        ctx_init(&ctx, world.log, 1000);
        assert_int_equal(http_server_new(&ctx, &options, &server), ERR_UNAVAILABLE);
        assert_null(server);
        assert_non_null(strstr(ctx.why.text, rows[i].text));
        assert_null(strchr(ctx.why.text, '\n'));
        ctx_done(&ctx);
    }
    world_stop(&world);
}

static void it_listens_on_ipv6_for_both_families(void **state)
{
    (void)state;
    struct world world;
    world_prepare(&world, 1, 8);
    struct http_server_options options = world_options(&world);
    options.listen = "::";
    options.loops = 1;
    world_start_with(&world, &options);
    client_expect(&world, "GET /work HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200, "hello", true);
    world_stop(&world);
}

#define BUSY_CLIENTS_COUNT  8
#define BUSY_REQUESTS_COUNT 200

static void *busy_main(void *argument)
{
    const struct world *world = argument;
    static const char *const requests[] = {
        "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /work HTTP/1.1\r\nHost: a\r\n\r\n",
        FORM_HEAD "Content-Length: 3\r\n\r\na=b",
        "GET /none HTTP/1.1\r\nHost: a\r\n\r\n",
    };
    struct answer *mine = malloc(sizeof(*mine));
    if (!mine)
        return NULL;
    int fd = client_open(world);
    for (size_t i = 0; i < BUSY_REQUESTS_COUNT; i++) {
        const char *request = requests[i % ARRAY_COUNT(requests)];
        if (i % 16 == 15) {
            (void)close(fd);
            fd = client_open(world);
        }
        client_say(fd, request);
        client_answer(fd, true, mine);
        if (mine->status != (i % 4 == 3 ? 404 : 200)) {
            free(mine);
            (void)close(fd);
            return argument;
        }
    }
    (void)close(fd);
    free(mine);
    return NULL;
}

static void many_clients_at_once_get_their_own_answers(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    pthread_t threads[BUSY_CLIENTS_COUNT];
    for (size_t i = 0; i < BUSY_CLIENTS_COUNT; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, busy_main, &world), 0);
    for (size_t i = 0; i < BUSY_CLIENTS_COUNT; i++) {
        void *failed = NULL;
        http_server_tick(world.server);
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(draining_finishes_what_runs_and_refuses_what_comes),
        UNIT(it_may_be_freed_while_jobs_run),
        UNIT(once_it_is_freed_kept_connections_reach_no_lane),
        UNIT(a_start_that_fails_says_why_in_one_line),
        UNIT(it_listens_on_ipv6_for_both_families),
        UNIT(many_clients_at_once_get_their_own_answers),
    };
    return secret_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
