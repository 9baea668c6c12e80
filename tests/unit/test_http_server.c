/* SPDX-License-Identifier: MIT
 *
 * The server over real sockets: what it answers, and to whom. */
#include "base/secret.h"

#include "http_world.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- what it answers ---- */

static void both_lanes_answer_and_keep_the_connection(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    client_expect(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", 200, "hello", true);
    assert_non_null(strstr(answer.text, "X-Request-Id: "));
    assert_non_null(strstr(answer.text, "X-Standing: 1"));
    client_expect(&world, "GET /work HTTP/1.1\r\nHost: a\r\n\r\n", 200, "hello", true);
    client_expect(&world, "GET /user/J%C3%BCrgen%2F1?page=2%20x HTTP/1.1\r\nHost: a\r\n\r\n", 200,
                  "Jürgen/1|/user/Jürgen/1|2 x", true);
    client_expect(&world, "GET http://b:80/user/x HTTP/1.1\r\nHost: a\r\n\r\n", 200, "x|/user/x|-",
                  true);
    client_expect(&world, "GET /loop HTTP/1.0\r\n\r\n", 200, "hello", false);
    client_expect(&world, "GET /work HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200,
                  "hello", false);
    world_stop(&world);
}

static void prepared_answers_are_sent_as_they_are(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    int fd = client_ask(&world, "GET /shared HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "body{}");
    assert_non_null(strstr(answer.text, "Cache-Control: immutable"));
    assert_null(strstr(answer.text, "X-Request-Id"));
    assert_null(strstr(answer.text, "X-Standing"));
    (void)close(fd);
    world_stop(&world);
}

/* What it holds is given back when the answer is gone, in whichever way. */
static void a_cache_is_asked_before_the_lane(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    atomic_store(&world.app.kept.users_count, 1);
    for (int i = 0; i < 3; i++)
        client_expect(&world, "GET /kept HTTP/1.1\r\nHost: a\r\n\r\n", 200, "body{}", true);
    client_expect(&world, "HEAD /kept HTTP/1.1\r\nHost: a\r\n\r\n", 200, "", true);
    client_expect(&world, "GET /kept HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200,
                  "body{}", false);
    client_expect(&world, "GET /kept?fresh HTTP/1.1\r\nHost: a\r\n\r\n", 200, "fresh", true);
    client_expect(&world, "GET /kept HTTP/1.1\r\nHost: a\r\nAuthorization: ?\r\n\r\n", 200, "fresh",
                  true);
    client_expect(&world, "GET /kept?a=%FF HTTP/1.1\r\nHost: a\r\n\r\n", 400, "INVALID []", true);
    int fd = client_open(&world);
    client_say(fd, "GET /kept HTTP/1.1\r\nHost: a\r\n\r\n");
    (void)close(fd);
    world_stop(&world);
    assert_int_equal(atomic_load(&world.app.kept.users_count), 1);
}

static void head_has_the_length_and_no_body(void **state)
{
    static const char *const paths[] = {"/loop", "/work", "/shared"};
    (void)state;
    struct world world;
    world_start(&world);
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        char request[128];
        (void)snprintf(request, sizeof(request), "HEAD %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i]);
        client_expect(&world, request, 200, "", true);
        int fd = client_ask(&world, request, &answer);
        assert_non_null(
            strstr(answer.text, i == 2 ? "Content-Length: 6\r\n" : "Content-Length: 5\r\n"));
        (void)close(fd);
    }
    world_stop(&world);
}

/* The older library can't leave it out; it says 0, and nothing follows either. */
static void not_modified_has_no_body_and_no_length(void **state)
{
    static const char request[] = "GET /same HTTP/1.1\r\nHost: a\r\n\r\n";
    (void)state;
    struct world world;
    world_start(&world);
    int fd = client_open(&world);
    for (int i = 0; i < 3; i++) {
        client_say(fd, request);
        client_answer(fd, false, &answer);
        assert_int_equal(answer.status, 304);
        assert_non_null(strstr(answer.text, "\r\nETag: \"a\"\r\n"));
        const char *length = strstr(answer.text, "Content-Length: ");
        assert_int_equal(length != NULL, library_is_old());
        assert_true(!length || strncmp(length, "Content-Length: 0\r\n", 19) == 0);
        assert_null(strstr(answer.text, "Transfer-Encoding"));
        assert_null(strstr(answer.text, "Connection: close"));
        client_say(fd, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n"); /* right behind it */
        client_answer(fd, true, &answer);
        assert_int_equal(answer.status, 200);
    }
    (void)close(fd);
    world_stop(&world);
}

static void a_request_id_is_taken_over_when_it_is_well_formed(void **state)
{
    static const struct {
        const char *sent;
        bool is_taken;
    } rows[] = {
        {"abc-1.2_3", true},
        {"a", true},
        {"0123456789012345678901234567890123456789012345678901234567890123", true},
        {"01234567890123456789012345678901234567890123456789012345678901234", false},
        {"with blank", false},
        {"quote\"", false},
    };
    (void)state;
    struct world world;
    world_start(&world);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char request[256];
        char wanted[128];
        (void)snprintf(request, sizeof(request),
                       "GET /loop HTTP/1.1\r\nHost: a\r\nX-Request-Id: %s\r\n\r\n", rows[i].sent);
        (void)snprintf(wanted, sizeof(wanted), "X-Request-Id: %s\r\n", rows[i].sent);
        int fd = client_ask(&world, request, &answer);
        assert_int_equal(strstr(answer.text, wanted) != NULL, rows[i].is_taken);
        assert_non_null(strstr(answer.text, "X-Request-Id: "));
        (void)close(fd);
    }
    world_stop(&world);
}

static void errors_come_from_the_service_with_their_fields(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    client_expect(&world, "GET /none HTTP/1.1\r\nHost: a\r\n\r\n", 404, "NOT_FOUND []", true);
    int fd = client_ask(&world, "PUT /closed HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.status, 405);
    assert_non_null(strstr(answer.text, "\r\nAllow: GET, HEAD, POST\r\n"));
    (void)close(fd);
    fd = client_ask(&world, "GET /fail HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.text, "\r\nRetry-After: 2\r\n"));
    assert_null(strstr(answer.text, "X-Half-Done"));
    (void)close(fd);
    client_expect(&world, "GET /loop?a=%FF HTTP/1.1\r\nHost: a\r\n\r\n", 400, "INVALID []", true);
    client_expect(&world, "GET /user/%FF HTTP/1.1\r\nHost: a\r\n\r\n", 400, "INVALID []", false);
    world_stop(&world);
}

static void the_guard_comes_before_the_bodys_faults_and_the_handler(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    client_expect(&world, "GET /closed HTTP/1.1\r\nHost: a\r\n\r\n", 401, "UNAUTHENTICATED []",
                  true);
    client_expect(&world, "GET /closed HTTP/1.1\r\nHost: a\r\nAuthorization: yes\r\n\r\n", 200,
                  "hello", true);
    client_expect(&world, "GET /closed HTTP/1.1\r\nHost: a\r\nAuthorization: me\r\n\r\n", 302, "",
                  true);
    assert_int_equal(atomic_load(&world.app.handled_count),
                     4); /* one, and three that looked whether it stays open */
    client_expect(&world,
                  "POST /closed HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
                  "Content-Length: 2\r\n\r\n{}",
                  401, "UNAUTHENTICATED []", true);
    client_expect(
        &world,
        "POST /closed HTTP/1.1\r\nHost: a\r\nAuthorization: yes\r\nContent-Type: text/plain\r\n"
        "Content-Length: 2\r\n\r\n{}",
        415, "MEDIA_TYPE []", true);
    client_expect(&world,
                  "POST /closed HTTP/1.1\r\nHost: a\r\nAuthorization: yes\r\n"
                  "Content-Type: application/json\r\n"
                  "Content-Length: 2\r\n\r\n{}",
                  200, "1:{}", true);
    client_expect(
        &world,
        "POST /closed HTTP/1.1\r\nHost: a\r\nAuthorization: yes\r\nContent-Type: text/plain\r\n"
        "Content-Length: 0\r\n\r\n",
        200, "0:", true);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(both_lanes_answer_and_keep_the_connection),
        UNIT(prepared_answers_are_sent_as_they_are),
        UNIT(a_cache_is_asked_before_the_lane),
        UNIT(head_has_the_length_and_no_body),
        UNIT(not_modified_has_no_body_and_no_length),
        UNIT(a_request_id_is_taken_over_when_it_is_well_formed),
        UNIT(errors_come_from_the_service_with_their_fields),
        UNIT(the_guard_comes_before_the_bodys_faults_and_the_handler),
    };
    return secret_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
