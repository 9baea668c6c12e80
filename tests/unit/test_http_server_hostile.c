/* SPDX-License-Identifier: MIT
 *
 * The server over real sockets: requests that no decent client sends. */
#include "base/secret.h"

#include "http_world.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- malformed requests ---- */

static void doubtful_requests_get_one_refusal_and_an_end(void **state)
{
    static const char *const requests[] = {
        "GET /loop HTTP/1.1\r\n\r\n",
        "GET /loop HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /loop HTTP/1.1\r\nHost: \r\n\r\n",
        "GET /loop HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET /loop HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET /loop HTTP/1.1\r\nHost: a:123456\r\n\r\n",
        "GET /loop HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET /loop HTTP/1.1\r\nHost: a\r\nX Y: 1\r\n\r\n",
        "GET /loop HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n",
        "GET /loop HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n",
        "GET /loop HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
        "GET /loop HTTP/1.1\nHost: a\r\n\r\n",
        "GET /loop HTTP/1.1\r\nHost: a\n\r\n",
        "GET /loop HTTP/1.1\r\nHost: a\r\n\n",
        "GET /loop HTTP/1.1\nHost: a\n\n",
        "GET /loop HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n",
        "GET /loop HTTP/1.1\r\nHost: a \nX: 1\r\n\r\n",
        "GET /loop HTTP/1.1\r\nHost: a\r\nX: 1 \n\r\n",
        "GET /loop HTTP/1.1\r\nHost: a\r\nX:\n\r\n",
        "GET /loop HTTP/1.1\r\nHost: a\rX: 1\r\n\r\n",
        "GET /lo op HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET  /loop  HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /loop  HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET  /loop HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /loop HTTP/1.1 \r\nHost: a\r\n\r\n",
        "GET //evil.example/a b HTTP/1.1\r\nHost: a\r\n\r\n",
        "G(T /loop HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET loop HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /loop#x HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a@b/loop HTTP/1.1\r\nHost: a\r\n\r\n",
        FORM_HEAD "Content-Length: 3\r\nContent-Length: 3\r\n\r\na=b",
        FORM_HEAD "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        FORM_HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        FORM_HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        FORM_HEAD "Transfer-Encoding: identity\r\n\r\n",
        FORM_HEAD "Content-Length: abc\r\n\r\n",
        FORM_HEAD "Content-Length: \r\n\r\n",
        FORM_HEAD "Content-Length: -1\r\n\r\n",
        FORM_HEAD "Content-Length: 3, 3\r\n\r\na=b",
        FORM_HEAD "Content-Length: 99999999999999999999999\r\n\r\n",
        FORM_HEAD "Content-Length: 9999999999999999999\r\n\r\n",
        FORM_HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /form HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    };
    (void)state;
    struct world world;
    world_start(&world);
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++)
        client_expect(&world, requests[i], 400, NULL, false);
    assert_int_equal(atomic_load(&world.app.handled_count), 0);
    world_stop(&world);
}

static void a_nul_anywhere_in_the_head_is_refused(void **state)
{
    static const char whole[] =
        "GET /loop HTTP/1.1\r\nHost: a\r\nX-Some: value\r\nX-Last: z\r\n\r\n";
    (void)state;
    struct world world;
    world_start(&world);
    for (size_t at = 0; at < sizeof(whole) - 2; at++) {
        char request[sizeof(whole)];
        memcpy(request, whole, at);
        request[at] = '\0';
        memcpy(request + at + 1, whole + at, sizeof(whole) - 1 - at);
        int fd = client_open(&world);
        client_send(fd, request, sizeof(whole));
        (void)shutdown(fd, SHUT_WR);
        client_answer(fd, true, &answer);
        if (answer.status == 200)
            print_error("accepted with a NUL before byte %zu\n", at);
        assert_int_not_equal(answer.status, 200);
        (void)close(fd);
    }
    assert_int_equal(atomic_load(&world.app.handled_count), 0);
    world_stop(&world);
}

static void crowded_heads_get_one_refusal(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    char *request = calloc(1, 70000);
    assert_non_null(request);
    (void)snprintf(request, 64, "GET /loop?");
    memset(request + 10, '&', 8000);
    (void)snprintf(request + 8010, 64, " HTTP/1.1\r\nHost: a\r\n\r\n");
    client_expect(&world, request, 400, NULL, false);

    (void)snprintf(request, 64, "GET /");
    memset(request + 5, 'a', HTTP_TARGET_MAX_BYTES);
    (void)snprintf(request + 5 + HTTP_TARGET_MAX_BYTES, 64, " HTTP/1.1\r\nHost: a\r\n\r\n");
    client_expect(&world, request, 414, NULL, false);

    size_t at = (size_t)snprintf(request, 64, "GET /loop HTTP/1.1\r\nHost: a\r\nCookie: ");
    for (int i = 0; i < 600; i++)
        at += (size_t)snprintf(request + at, 16, "c%d=1; ", i);
    (void)snprintf(request + at, 16, "d=1\r\n\r\n");
    client_expect(&world, request, 431, NULL, false);

    at = (size_t)snprintf(request, 64, "GET /loop HTTP/1.1\r\nHost: a\r\nX: ");
    memset(request + at, 'x', 60000);
    (void)snprintf(request + at + 60000, 16, "\r\n\r\n");
    client_expect(&world, request, 431, NULL, false);
    free(request);
    world_stop(&world);
}

/* A lone quote as the last value confuses the old library, and we refuse it there. */
static void odd_cookies_get_one_whole_answer(void **state)
{
    int lone_quote = library_is_old() ? 400 : 200;
    const struct {
        const char *cookie;
        int status;
    } rows[] = {
        {"", 200},
        {"a", 200},
        {"=", 200},
        {"a=\"\"", 200},
        {"a=\"b\"", 200},
        {"a=\"b", 200},
        {"a=\"; b=c", 200},
        {";;,;", 200},
        {"b=c; a=\"", lone_quote},
        {"a=\"", lone_quote},
    };
    (void)state;
    struct world world;
    world_start(&world);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char request[128];
        (void)snprintf(request, sizeof(request),
                       "GET /loop HTTP/1.1\r\nHost: a\r\nCookie: %s\r\n\r\n", rows[i].cookie);
        client_expect(&world, request, rows[i].status, NULL, rows[i].status == 200);
    }
    world_stop(&world);
}

/* What the library forgets to give back is found by the leak check at the end. */
static void a_head_with_two_faults_gets_one_refusal_and_leaves_nothing(void **state)
{
    static const char *const faults[] = {
        "Cookie: a=\"\r\nContent-Length: x\r\n",
        "Content-Length: x\r\nCookie: a=\"\r\n",
    };
    (void)state;
    struct world world;
    world_start(&world);
    for (size_t i = 0; i < ARRAY_COUNT(faults); i++) {
        char request[128];
        (void)snprintf(request, sizeof(request), "GET /loop HTTP/1.1\r\nHost: a\r\n%s\r\n",
                       faults[i]);
        client_expect(&world, request, 400, NULL, false);
    }
    world_stop(&world);
}

/* The library is amid its own answer when ours has been heard already. */
static void a_stop_amid_a_refusal_is_no_crash(void **state)
{
    static const char request[] = "GET /loop HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n";
    (void)state;
    for (int i = 0; i < 50; i++) {
        struct world world;
        world_start(&world);
        client_expect(&world, request, 400, NULL, false);
        world_stop(&world);
    }
}

static void a_large_head_in_small_pieces_is_fine(void **state)
{
    (void)state;
    struct world world;
    world_start(&world);
    char request[16384];
    size_t size_bytes =
        (size_t)snprintf(request, sizeof(request), "GET /user/me HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 60; i++)
        size_bytes += (size_t)snprintf(request + size_bytes, 256, "X-Field-%d: %0180d\r\n", i, i);
    size_bytes += (size_t)snprintf(request + size_bytes, 8, "\r\n");
    int fd = client_open(&world);
    for (size_t i = 0; i < size_bytes; i += 97)
        client_send(fd, request + i, size_bytes - i < 97 ? size_bytes - i : 97);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "me|/user/me|-");
    (void)close(fd);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(doubtful_requests_get_one_refusal_and_an_end),
        UNIT(a_nul_anywhere_in_the_head_is_refused),
        UNIT(crowded_heads_get_one_refusal),
        UNIT(odd_cookies_get_one_whole_answer),
        UNIT(a_head_with_two_faults_gets_one_refusal_and_leaves_nothing),
        UNIT(a_stop_amid_a_refusal_is_no_crash),
        UNIT(a_large_head_in_small_pieces_is_fine),
    };
    return secret_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
