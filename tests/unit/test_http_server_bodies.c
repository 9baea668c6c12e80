/* SPDX-License-Identifier: MIT
 *
 * The server over real sockets: bodies that fit, and those that do not. */
#include "base/secret.h"

#include "http_world.h"

#include "base/workers.h"

#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- bodies ---- */

static void bodies_arrive_whole_in_any_pieces(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    client_expect(&world, FORM_HEAD "Content-Length: 7\r\n\r\na=b&c=d", 200, "1:a=b&c=d", true);
    client_expect(
        &world,
        FORM_HEAD
        "Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n4\r\n&c=d\r\n0\r\nTrailer: 1\r\n\r\n",
        200, "1:a=b&c=d", true);
    client_expect(&world, FORM_HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, "0:", true);

    static const char request[] =
        FORM_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n4\r\n&c=d\r\n0\r\n\r\n";
    int fd = client_open(&world);
    for (size_t i = 0; i < sizeof(request) - 1; i++)
        client_send(fd, request + i, 1);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "1:a=b&c=d");
    (void)close(fd);
    world_stop(&world);
}

/* 1.0.1 takes the line feed behind an extension for data, and no option mends that: then all of it
 * must be refused, so that nothing of it is taken for a further request. */
static void chunk_extensions_are_skipped_or_refused(void **state)
{
    static const char *const requests[] = {
        FORM_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n4;x=y\r\n&c=d\r\n0\r\n\r\n",
        FORM_HEAD "Transfer-Encoding: chunked\r\n\r\n7;x\r\na=b&c=d\r\n0;x=y\r\n\r\n",
        FORM_HEAD "Transfer-Encoding: chunked\r\n\r\n7\r\na=b&c=d\r\n0;x=y\r\nTrailer: 1\r\n\r\n",
    };
    (void)state;
    struct world world;
    world_start(&world);
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        int fd = client_ask(&world, requests[i], &answer);
        bool is_skipped = library_is_old() || answer.status == 200;
        (void)close(fd);
        client_expect(&world, requests[i], is_skipped ? 200 : 400, is_skipped ? "1:a=b&c=d" : NULL,
                      is_skipped);
    }
    world_stop(&world);
}

static void what_is_over_is_drained_and_shown_as_far_as_it_fits(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    int fd = client_post(&world, FORM_HEAD "Content-Length: 101\r\n\r\n", 101);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 413);
    assert_int_equal(strspn(strchr(answer.body, '[') + 1, "x"), SMALL_BODY_BYTES);
    client_say(fd, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n");
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 200);
    (void)close(fd);

    fd = client_post(&world, FORM_HEAD "Content-Length: 8388608\r\n\r\n", HTTP_DRAIN_MAX_BYTES);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 413);
    (void)close(fd);

    fd = client_post(&world, "POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n",
                     1000000);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 404);
    (void)close(fd);
    assert_int_equal(atomic_load(&world.app.handled_count), 1);
    world_stop(&world);
}

static void large_bodies_are_few_at_a_time_and_hold_up_no_small_one(void **state)
{
    char small[128];
    char large[128];
    static const char head[] = "POST /gate HTTP/1.1\r\nHost: a\r\nContent-Type: "
                               "application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n";
    (void)snprintf(small, sizeof(small), head, HTTP_BODY_LARGE_BYTES);
    (void)snprintf(large, sizeof(large), head, HTTP_BODY_LARGE_BYTES + 1);
    (void)state;
    struct world world;
    world_prepare(&world, 4, 8);
    struct workers *few =
        workers_new(&(struct workers_options){.name = "large", .count = 1, .queue_max_count = 8});
    assert_non_null(few);
    struct http_server_options options = world_options(&world);
    options.lanes[LANE_LARGE] = few;
    world_start_with(&world, &options);
    const int fds[] = {client_post(&world, large, HTTP_BODY_LARGE_BYTES + 1),
                       client_post(&world, large, HTTP_BODY_LARGE_BYTES + 1),
                       client_post(&world, small, HTTP_BODY_LARGE_BYTES)};
    while (workers_busy_count(few) + workers_busy_count(world.workers) < ARRAY_COUNT(fds))
        (void)sched_yield();
    assert_int_equal(workers_busy_count(few), 2);
    gate_wait(&world.app, 2); /* a large one and the small one */
    gate_open(&world.app);
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
        client_answer(fds[i], true, &answer);
        assert_int_equal(answer.status, 200);
        (void)close(fds[i]);
    }
    (void)http_server_drain(world.server, 0);
    http_server_free(world.server);
    workers_free(few);
    world_free_rest(&world);
}

static void a_character_that_the_limit_cuts_is_left_out(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    char request[512] = FORM_HEAD "Content-Length: 104\r\n\r\nm=";
    size_t size_bytes = strlen(request);
    memset(request + size_bytes, 'x', 95); /* 97 of 100 bytes are used, a four-byte escape comes */
    (void)snprintf(request + size_bytes + 95, 16, "%%C3%%BC!");
    client_expect(&world, request, 413, NULL, true);
    int fd = client_ask(&world, request, &answer);
    assert_non_null(strstr(answer.body, "[m=xxx"));
    assert_null(strstr(answer.body, "%"));
    (void)close(fd);
    world_stop(&world);
}

static void a_body_announced_too_large_to_drain_is_refused_at_once(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    client_expect(&world, FORM_HEAD "Content-Length: 8388609\r\n\r\n", 413, "TOO_LARGE []", false);
    client_expect(&world, FORM_HEAD "Content-Length: 999999999999\r\n\r\n", 413, "TOO_LARGE []",
                  false);
    world_stop(&world);
}

static void a_chunked_body_without_end_is_cut(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    int fd = client_post(&world, FORM_HEAD "Transfer-Encoding: chunked\r\n\r\nffffffff\r\n",
                         HTTP_DRAIN_MAX_BYTES + 65536);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 0);
    (void)close(fd);
    assert_int_equal(atomic_load(&world.app.handled_count), 0);
    world_stop(&world);
}

static void a_client_that_waits_for_leave_gets_it_or_the_final_answer(void **state)
{
    static const struct {
        const char *head;
        int status; /* without a byte of body */
    } rows[] = {
        {"POST /none HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n",
         404},
        {"PUT /form HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n",
         405},
        {FORM_HEAD "Expect: 100-continue\r\nContent-Length: 101\r\n\r\n", 413},
        {"POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\n"
         "Expect: 100-Continue\r\nContent-Length: 10\r\n\r\n",
         415},
        {"POST /closed HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n",
         401},
    };
    (void)state;
    struct world world;
    world_start(&world);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        client_expect(&world, rows[i].head, rows[i].status, NULL, false);

    int fd =
        client_ask(&world, FORM_HEAD "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", &answer);
    assert_int_equal(answer.status, 100);
    client_say(fd, "a=b");
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "1:a=b");
    (void)close(fd);
    world_stop(&world);
}

static void a_body_that_no_route_wants_is_read_and_ignored(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    client_expect(&world, "POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 200,
                  "1:", true);
    client_expect(&world, "GET /loop HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 200,
                  "hello", true);
    int fd = client_post(&world, "GET /loop HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n",
                         65537);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 413);
    (void)close(fd);
    world_stop(&world);
}

static void a_large_body_grows_over_several_reads(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    int fd = client_post(&world,
                         "POST /form-on-loop HTTP/1.1\r\nHost: a\r\n"
                         "Content-Type: application/x-www-form-urlencoded\r\n"
                         "Content-Length: 100000\r\n\r\n",
                         100000);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(strlen(answer.body), 100002);
    (void)close(fd);
    world_stop(&world);
}

static void an_answer_may_be_the_body_itself(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    client_expect(&world,
                  "POST /mirror HTTP/1.1\r\nHost: a\r\n"
                  "Content-Type: application/x-www-form-urlencoded\r\n"
                  "Content-Length: 7\r\n\r\na=b&c=d",
                  200, "a=b&c=d", true);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(bodies_arrive_whole_in_any_pieces),
        UNIT(chunk_extensions_are_skipped_or_refused),
        UNIT(large_bodies_are_few_at_a_time_and_hold_up_no_small_one),
        UNIT(what_is_over_is_drained_and_shown_as_far_as_it_fits),
        UNIT(a_character_that_the_limit_cuts_is_left_out),
        UNIT(a_body_announced_too_large_to_drain_is_refused_at_once),
        UNIT(a_chunked_body_without_end_is_cut),
        UNIT(a_client_that_waits_for_leave_gets_it_or_the_final_answer),
        UNIT(a_body_that_no_route_wants_is_read_and_ignored),
        UNIT(a_large_body_grows_over_several_reads),
        UNIT(an_answer_may_be_the_body_itself),
    };
    return secret_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
