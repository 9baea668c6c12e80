/* SPDX-License-Identifier: MIT
 *
 * The server over real sockets: its queue, its limits, slow clients. */
#include "base/log.h"
#include "base/secret.h"
#include "base/workers.h"

#include "http_world.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_BYTES    4096
#define SLOW_ANSWER_BYTES ((size_t)128 * 1024) /* 4 s are allowed for it */

/* ---- order, queue, limits ---- */

static void pipelined_requests_are_answered_in_their_order(void **state)
{
    static const char requests[] =
        "GET /work HTTP/1.1\r\nHost: a\r\n\r\nGET /user/1 HTTP/1.1\r\nHost: a\r\n\r\n" FORM_HEAD
        "Content-Length: 3\r\n\r\na=bGET /user/2 HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char *const bodies[] = {"hello", "1|/user/1|-", "1:a=b", "2|/user/2|-"};
    (void)state;
    struct world world;
    world_start(&world);
    int fd = client_open(&world);
    client_say(fd, requests);
    for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
        client_answer(fd, true, &answer);
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.body, bodies[i]);
    }
    (void)close(fd);
    world_stop(&world);
}

static void a_full_queue_is_answered_at_once(void **state)
{
    (void)state;
    struct world world;
    world_prepare(&world, 1, 1);
    struct http_server_options options = world_options(&world);
    world_start_with(&world, &options);
    static const char request[] = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";
    int running_fd = client_open(&world);
    client_say(running_fd, request);
    gate_wait(&world.app, 1);
    int queued_fd = client_open(&world);
    client_say(queued_fd, request);
    while (workers_busy_count(world.workers) < 2)
        (void)sched_yield();
    client_expect(&world, request, 503, "UNAVAILABLE []", true);
    client_expect(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", 200, "hello", true);
    gate_open(&world.app);
    client_answer(running_fd, true, &answer);
    assert_int_equal(answer.status, 200);
    client_answer(queued_fd, true, &answer);
    assert_int_equal(answer.status, 200);
    (void)close(running_fd);
    (void)close(queued_fd);
    world_stop(&world);
}

static void what_waits_too_long_in_the_queue_is_told_so(void **state)
{
    (void)state;
    struct world world;
    world_prepare(&world, 1, 8);
    struct http_server_options options = world_options(&world);
    options.request_deadline_ms = 2000; /* the first one must not wait so long for its worker */
    world_start_with(&world, &options);
    static const char request[] = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";
    int running_fd = client_open(&world);
    client_say(running_fd, request);
    gate_wait(&world.app, 1);
    int queued_fd = client_open(&world);
    client_say(queued_fd, request);
    while (workers_busy_count(world.workers) < 2)
        (void)sched_yield();
    while (workers_busy_count(world.workers) == 2)
        http_server_tick(world.server);
    client_answer(queued_fd, true, &answer);
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.text, "\r\nRetry-After: 2\r\n"));
    assert_int_equal(atomic_load(&world.app.handled_count), 0);
    (void)close(queued_fd);
    (void)close(running_fd);
    world_stop(&world);
}

static void clients_that_leave_while_their_job_runs_harm_nobody(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    static const char request[] = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";
    for (size_t i = 0; i < 4; i++) {
        int fd = client_open(&world);
        client_say(fd, request);
        gate_wait(&world.app, i + 1);
        struct linger at_once = {.l_onoff = 1};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        (void)close(fd);
    }
    client_expect(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", 200, "hello", true);
    gate_open(&world.app);
    client_expect(&world, "GET /work HTTP/1.1\r\nHost: a\r\n\r\n", 200, "hello", true);
    world_stop(&world);
}

static void an_address_may_hold_so_many_connections_only(void **state)
{
    (void)state;
    struct world world;
    world_prepare(&world, 1, 8);
    struct http_server_options options = world_options(&world);
    options.connections_per_address_count = 3;
    world_start_with(&world, &options);
    int fds[3];
    for (size_t i = 0; i < 3; i++)
        fds[i] = client_ask(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    int fd = client_open(&world);
    assert_true(client_is_closed(fd));
    (void)close(fd);
    (void)close(fds[0]);
    do { /* until the server has seen the close */
        fd = client_ask(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
        (void)close(fd);
    } while (answer.status == 0);
    assert_int_equal(answer.status, 200);
    http_server_tick(world.server);
    (void)close(fds[1]);
    (void)close(fds[2]);
    world_stop(&world);
}

static void a_trusted_proxy_is_exempt_and_speaks_for_its_client(void **state)
{
    (void)state;
    struct world world;
    struct networks trusted;
    assert_true(networks_parse("127.0.0.0/8", &trusted));
    world_prepare(&world, 1, 8);
    struct http_server_options options = world_options(&world);
    options.connections_per_address_count = 1;
    options.trusted = &trusted;
    world_start_with(&world, &options);
    int fds[3];
    for (size_t i = 0; i < 3; i++) {
        fds[i] = client_ask(
            &world, "GET /loop HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.1.1.1\r\n\r\n", &answer);
        assert_int_equal(answer.status, 200);
    }
    for (size_t i = 0; i < 3; i++)
        (void)close(fds[i]);
    world_stop(&world);
}

static void beyond_the_limit_clients_wait_and_are_served_later(void **state)
{
    (void)state;
    struct world world;
    world_prepare(&world, 1, 8);
    struct http_server_options options = world_options(&world);
    options.connections_max_count = 2;
    world_start_with(&world, &options);
    int first_fd = client_ask(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    int second_fd = client_ask(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    static const char request[] = "GET /user/later HTTP/1.1\r\nHost: a\r\n\r\n";
    int later_fd = client_open(&world);
    client_say(later_fd, request);
    char byte;
    assert_int_equal(recv(later_fd, &byte, 1, MSG_DONTWAIT), -1);
    (void)close(first_fd);
    client_answer(later_fd, true, &answer);
    assert_string_equal(answer.body, "later|/user/later|-");
    (void)close(second_fd);
    (void)close(later_fd);
    world_stop(&world);
}

/* ---- slow clients ---- */

/* Ticks until the server has said something or closed. */
static void tick_until_heard(struct world *world, int fd)
{
    char byte;
    while (recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0)
        http_server_tick(world->server);
}

static void requests_that_do_not_arrive_in_time_get_408(void **state)
{
    static const char *const beginnings[] = {
        "GET /lo",
        "GET /loop HTTP/1.1\r\nHost: a\r\nX-",
        FORM_HEAD "Content-Length: 10\r\n\r\na=b",
        FORM_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n",
    };
    (void)state;
    struct world world;
    world_prepare(&world, 1, 8);
    struct http_server_options options = world_options(&world);
    options.read_timeout_s = 1;
    world_start_with(&world, &options);
    for (size_t i = 0; i < ARRAY_COUNT(beginnings); i++) {
        int fd = client_open(&world);
        client_say(fd, beginnings[i]);
        tick_until_heard(&world, fd);
        client_answer(fd, true, &answer);
        assert_int_equal(answer.status, 408);
        assert_true(client_is_closed(fd));
        (void)close(fd);
    }
    int silent_fd = client_open(&world);
    tick_until_heard(&world, silent_fd);
    assert_true(client_is_closed(silent_fd));
    (void)close(silent_fd);
    world_stop(&world);
}

static void a_kept_connection_may_idle_but_not_trickle(void **state)
{
    (void)state;
    struct world world;
    world_prepare(&world, 1, 8);
    struct http_server_options options = world_options(&world);
    options.read_timeout_s = 1;
    world_start_with(&world, &options);
    int idle_fd = client_ask(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    int trickling_fd = client_ask(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    const struct timespec pause = {
        .tv_nsec = 200000000L}; /* more than the kernel's clock tick, so that it counts as later */
    (void)nanosleep(&pause, NULL);
    client_say(trickling_fd, "GET /lo");
    tick_until_heard(&world, trickling_fd);
    client_answer(trickling_fd, true, &answer);
    assert_int_equal(answer.status, 408);
    static const char request[] = "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n";
    client_say(idle_fd, request);
    client_answer(idle_fd, true, &answer);
    assert_int_equal(answer.status, 200);
    (void)close(idle_fd);
    (void)close(trickling_fd);
    world_stop(&world);
}

static void a_job_that_runs_is_no_slow_request(void **state)
{
    (void)state;
    struct world world;
    world_prepare(&world, 1, 8);
    struct http_server_options options = world_options(&world);
    options.read_timeout_s = 1;
    world_start_with(&world, &options);
    static const char request[] = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";
    int fd = client_open(&world);
    client_say(fd, request);
    gate_wait(&world.app, 1);
    int slow_fd = client_open(
        &world); /* began later, so the other one is surely over its time when this is cut */
    client_say(slow_fd, "GET /lo");
    tick_until_heard(&world, slow_fd);
    gate_open(&world.app);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 200);
    (void)close(fd);
    (void)close(slow_fd);
    world_stop(&world);
}

/* A client whose small window and segments keep the kernel from taking a large answer whole. */
static int reluctant_client_open(const struct world *world)
{
    const int window_bytes = 2304;
    const int segment_bytes = 536;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)world->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window_bytes, sizeof(int)), 0);
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment_bytes, sizeof(int)), 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* Nothing else would end it: the library's own limit, on silence, is an hour here. */
static void an_answer_that_nobody_reads_is_given_up(void **state)
{
    static const unsigned char body[SLOW_ANSWER_BYTES] = {0};
    (void)state;
    struct world world;
    world_prepare(&world, 1, 8);
    http_prepared_free(world.app.prepared);
    world.app.prepared = http_prepared_new(200, NULL, 0, (struct bytes){body, sizeof(body)});
    assert_non_null(world.app.prepared);
    atomic_store(&world.app.kept.users_count, 1);
    struct http_server_options options = world_options(&world);
    options.read_timeout_s = 1;
    options.idle_timeout_s = 3600;
    world_start_with(&world, &options);
    int fd = reluctant_client_open(&world);
    client_say(fd, "GET /kept HTTP/1.1\r\nHost: a\r\n\r\n");
    while (atomic_load(&world.app.kept.users_count) == 1)
        (void)sched_yield();
    while (atomic_load(&world.app.kept.users_count) > 1)
        http_server_tick(world.server);
    size_t got_bytes = 0;
    for (ssize_t more_bytes = 0; (more_bytes = recv(fd, answer.text, sizeof(answer.text), 0)) > 0;)
        got_bytes += (size_t)more_bytes;
    assert_true(got_bytes < SLOW_ANSWER_BYTES); /* it did not end because all was taken */
    (void)close(fd);
    world_stop(&world);
}

static void large_answers_share_a_budget(void **state)
{
    static const char request[] = "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
    (void)state;
    struct world world;
    world_prepare(&world, 1, 8);
    struct http_server_options options = world_options(&world);
    options.answers_max_bytes = LARGE_ANSWER_BYTES + LARGE_ANSWER_BYTES / 2; /* room for one */
    world_start_with(&world, &options);
    int fd = client_open(&world);
    for (int i = 0; i < 4; i++) { /* each gives back what it took */
        client_say(fd, request);
        client_answer(fd, true, &answer);
        assert_int_equal(answer.status, 200);
        assert_int_equal(strlen(answer.body), LARGE_ANSWER_BYTES);
    }
    (void)close(fd);
    world_stop(&world);

    world_prepare(&world, 1, 8);
    options = world_options(&world);
    options.answers_max_bytes = LARGE_ANSWER_BYTES / 2;
    world_start_with(&world, &options);
    fd = client_ask(&world, request, &answer);
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.text, "\r\nRetry-After: 2\r\n"));
    assert_non_null(strstr(answer.text, "\r\nX-Standing: 1\r\n"));
    (void)close(fd);
    client_expect(&world, "GET /work HTTP/1.1\r\nHost: a\r\n\r\n", 200, "hello", true);
    world_stop(&world);
}

/* A world whose log is this file. */
static void world_prepare_with_log(struct world *world, FILE *lines)
{
    assert_non_null(lines);
    world_prepare(world, 1, 8);
    log_free(world->log);
    world->log = log_new(fileno(lines), "test", LOG_INFO, LOG_JSON);
}

/* The line of the first request, and how many digits the memory has that it tells. Closes the log.
 */
static size_t digits_of_request(FILE *lines, char line[LINE_MAX_BYTES])
{
    static const char field[] = "\"arena_bytes\":";
    line[0] = '\0';
    rewind(lines);
    while (!strstr(line, "http.request_done"))
        assert_non_null(fgets(line, LINE_MAX_BYTES, lines));
    (void)fclose(lines);
    const char *number = strstr(line, field);
    assert_non_null(number);
    return strspn(number + strlen(field), "0123456789");
}

/* Else all that are refused for want of memory would keep theirs until they are sent. The log tells
 * how much a request has at its end, and who asked all the same. */
static void a_large_answer_without_room_is_let_go_at_once(void **state)
{
    (void)state;
    struct world world;
    char line[LINE_MAX_BYTES];
    FILE *lines = tmpfile();
    world_prepare_with_log(&world, lines);
    struct http_server_options options = world_options(&world);
    options.answers_max_bytes = LARGE_ANSWER_BYTES / 2;
    world_start_with(&world, &options);
    int fd = client_ask(&world, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.status, 503);
    (void)close(fd);
    world_stop(&world);

    assert_in_range(digits_of_request(lines, line), 1, 4);
    assert_non_null(strstr(line, "\"route\":\"/large\",\"status\":503,"));
    assert_non_null(strstr(line, "\"user\":\"reader\",\"peer\":\"127.0.0.1\","));
}

/* A client may take minutes to read it: what it was made of is not kept for so long. `has` is in
 * the answer. */
static void ask_what_costs_much(const char *target, const char *has)
{
    struct world world;
    char request[128];
    char line[LINE_MAX_BYTES];
    FILE *lines = tmpfile();
    world_prepare_with_log(&world, lines);
    struct http_server_options options = world_options(&world);
    options.answers_max_bytes = 2 * LARGE_ANSWER_BYTES; /* a fiftieth of what it is made of */
    world_start_with(&world, &options);
    (void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
    int fd = client_ask(&world, request, &answer);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.text, has));
    (void)close(fd);
    world_stop(&world);

    assert_in_range(digits_of_request(lines, line), 1, 5); /* of seven */
    assert_non_null(strstr(line, "\"route\":\"/costly\",\"status\":200,"));
    assert_non_null(strstr(line, "\"user\":\"reader\",\"peer\":\"127.0.0.1\","));
}

static void an_answer_keeps_only_itself(void **state)
{
    (void)state;
    ask_what_costs_much("/costly?a=b", "\r\nX-Made: of /costly?a=b\r\n");
    assert_int_equal(strspn(answer.body, "l"), LARGE_ANSWER_BYTES);
    assert_non_null(strstr(answer.text, "\r\nX-Standing: 1\r\n"));
    assert_non_null(strstr(answer.text, "\r\nX-Request-Id: "));
    ask_what_costs_much("/costly?little=1", "\r\nX-Made: of /costly?little=1\r\n");
    assert_string_equal(answer.body, "little");
    ask_what_costs_much("/costly?shared=1", "\r\nContent-Type: text/css\r\n");
    assert_string_equal(answer.body, "body{}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(pipelined_requests_are_answered_in_their_order),
        UNIT(a_full_queue_is_answered_at_once),
        UNIT(what_waits_too_long_in_the_queue_is_told_so),
        UNIT(clients_that_leave_while_their_job_runs_harm_nobody),
        UNIT(an_address_may_hold_so_many_connections_only),
        UNIT(a_trusted_proxy_is_exempt_and_speaks_for_its_client),
        UNIT(beyond_the_limit_clients_wait_and_are_served_later),
        UNIT(requests_that_do_not_arrive_in_time_get_408),
        UNIT(a_kept_connection_may_idle_but_not_trickle),
        UNIT(a_job_that_runs_is_no_slow_request),
        UNIT(an_answer_that_nobody_reads_is_given_up),
        UNIT(large_answers_share_a_budget),
        UNIT(a_large_answer_without_room_is_let_go_at_once),
        UNIT(an_answer_keeps_only_itself),
    };
    return secret_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
