/* SPDX-License-Identifier: MIT
 *
 * The HTTP client against a peer that answers from a script: one list of answers per connection,
 * after which it closes. */
#include "http/http_client.h"

#include "http_fixture.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX_COUNT 4
#define ANSWERS_MAX_COUNT     4
#define REQUEST_MAX_BYTES     4096
#define URL_BYTES             64

struct script {
    /* For each connection the answers to its requests; "" closes without one, NULL ends the
     * connection. */
    const char *answers[CONNECTIONS_MAX_COUNT][ANSWERS_MAX_COUNT];
    size_t connections_count;
};

struct peer {
    struct script script;
    int listen_fd;
    pthread_t thread;
    pthread_mutex_t lock; /* of the requests */
    char url[URL_BYTES];
    char requests[CONNECTIONS_MAX_COUNT * ANSWERS_MAX_COUNT][REQUEST_MAX_BYTES];
    size_t requests_count;
};

/* Reads a head, and the body that it announces. False when the client has closed. */
static bool read_request(int fd, char request[REQUEST_MAX_BYTES])
{
    size_t size_bytes = 0;
    const char *end = NULL;
    request[0] = '\0';
    while (!end || size_bytes < (size_t)(end + 4 - request)) {
        ssize_t got_bytes = recv(fd, request + size_bytes, REQUEST_MAX_BYTES - 1 - size_bytes, 0);
        if (got_bytes <= 0)
            return false;
        size_bytes += (size_t)got_bytes;
        request[size_bytes] = '\0';
        end = strstr(request, "\r\n\r\n");
    }
    const char *length = strstr(request, "Content-Length: ");
    size_t body_bytes = 0;
    if (length && sscanf(length, "Content-Length: %zu", &body_bytes) != 1)
        return false;
    size_t all_bytes = (size_t)(end + 4 - request) + body_bytes;
    while (size_bytes < all_bytes) {
        ssize_t got_bytes = recv(fd, request + size_bytes, all_bytes - size_bytes, 0);
        if (got_bytes <= 0)
            return false;
        size_bytes += (size_t)got_bytes;
    }
    request[size_bytes] = '\0';
    return true;
}

struct visit {
    struct peer *peer;
    int fd;
    const char *const *answers;
    pthread_t thread;
};

static void *visit_main(void *argument)
{
    struct visit *visit = argument;
    struct peer *peer = visit->peer;
    char request[REQUEST_MAX_BYTES];
    for (size_t i = 0; i < ANSWERS_MAX_COUNT && visit->answers[i]; i++) {
        if (!read_request(visit->fd, request))
            break;
        (void)pthread_mutex_lock(&peer->lock);
        memcpy(peer->requests[peer->requests_count++], request, sizeof(request));
        (void)pthread_mutex_unlock(&peer->lock);
        if (visit->answers[i][0] == '\0')
            break;
        (void)send(visit->fd, visit->answers[i], strlen(visit->answers[i]), MSG_NOSIGNAL);
    }
    (void)close(visit->fd);
    return NULL;
}

static void *peer_main(void *argument)
{
    struct peer *peer = argument;
    struct visit visits[CONNECTIONS_MAX_COUNT];
    size_t count = 0;
    while (count < peer->script.connections_count) {
        int fd = accept(peer->listen_fd, NULL, NULL);
        if (fd < 0)
            break;
        struct visit *visit = &visits[count];
        *visit = (struct visit){.peer = peer, .fd = fd, .answers = peer->script.answers[count]};
        if (pthread_create(&visit->thread, NULL, visit_main, visit) != 0)
            abort();
        count++;
    }
    for (size_t i = 0; i < count; i++)
        (void)pthread_join(visits[i].thread, NULL);
    return NULL;
}

static void peer_start(struct peer *peer, const struct script *script)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t address_bytes = sizeof(address);
    memset(peer, 0, sizeof(*peer));
    peer->script = *script;
    (void)pthread_mutex_init(&peer->lock, NULL);
    peer->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(peer->listen_fd >= 0);
    assert_int_equal(bind(peer->listen_fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(peer->listen_fd, 8), 0);
    assert_int_equal(getsockname(peer->listen_fd, (struct sockaddr *)&address, &address_bytes), 0);
    (void)snprintf(peer->url, sizeof(peer->url), "http://127.0.0.1:%d/find/me",
                   ntohs(address.sin_port));
    assert_int_equal(pthread_create(&peer->thread, NULL, peer_main, peer), 0);
}

/* No further connection comes: a peer that still waits for one is woken. */
static void peer_stop(struct peer *peer)
{
    (void)shutdown(peer->listen_fd, SHUT_RDWR);
    assert_int_equal(pthread_join(peer->thread, NULL), 0);
    (void)close(peer->listen_fd);
}

static struct peer peer; /* large; tests run one after the other */

static void an_answer_is_taken_with_its_fields(void **state)
{
    static const struct script script = {
        .answers = {{"HTTP/1.1 100 Continue\r\nETag: \"no\"\r\n\r\n"
                     "HTTP/1.1 429 Slow\r\nContent-Type: application/json; charset=utf-8\r\n"
                     "ETag: \"a-1\"\r\n"
                     "Link: </list?after=x>; rel=\"next\"\r\nRetry-After: 12\r\n"
                     "Content-Length: 7\r\n\r\n{\"a\":1}"}},
        .connections_count = 1,
    };
    struct ctx *ctx = *state;
    struct http_answer answer = {0};
    struct secret password = secret_new("opensesame", 10);
    peer_start(&peer, &script);
    struct http_client *client = http_client_new();
    const struct http_call call = {.method = "GET",
                                   .url = peer.url,
                                   .basic_user = "them",
                                   .basic_password = &password,
                                   .timeout_ms = 5000};
    assert_int_equal(http_call(ctx, client, &call, &answer), ERR_OK);
    assert_int_equal(answer.status, 429);
    assert_true(answer.is_json);
    assert_string_equal(answer.etag, "\"a-1\"");
    assert_string_equal(answer.link, "</list?after=x>; rel=\"next\"");
    assert_int_equal(answer.retry_after_s, 12);
    assert_int_equal(answer.body.n, 7);
    assert_string_equal((const char *)answer.body.p, "{\"a\":1}");
    http_client_free(client);
    peer_stop(&peer);
    assert_non_null(strstr(peer.requests[0], "GET /find/me HTTP/1.1\r\n"));
    assert_non_null(strstr(peer.requests[0], "Authorization: Basic dGhlbTpvcGVuc2VzYW1l\r\n"));
    assert_non_null(strstr(peer.requests[0], ctx->request_id));
    secret_done(&password);
}

static void a_body_is_sent_as_json(void **state)
{
    static const struct script script = {
        .answers = {{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"}}, .connections_count = 1};
    struct http_answer answer = {0};
    peer_start(&peer, &script);
    struct http_client *client = http_client_new();
    const struct http_call call = {.method = "POST",
                                   .url = peer.url,
                                   .json_body = "{\"username\":\"me\"}",
                                   .timeout_ms = 5000};
    assert_int_equal(http_call(*state, client, &call, &answer), ERR_OK);
    assert_int_equal(answer.status, 200);
    assert_false(answer.is_json);
    assert_null(answer.etag);
    http_client_free(client);
    peer_stop(&peer);
    assert_non_null(strstr(peer.requests[0], "POST /find/me HTTP/1.1\r\n"));
    assert_non_null(strstr(peer.requests[0], "Content-Type: application/json\r\n"));
    assert_null(strstr(peer.requests[0], "Expect"));
    assert_null(strstr(peer.requests[0], "Authorization"));
    assert_non_null(strstr(peer.requests[0], "\r\n\r\n{\"username\":\"me\"}"));
}

static void other_methods_go_out_as_named(void **state)
{
    static const struct script script = {
        .answers = {{"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"},
                    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"}},
        .connections_count = 2};
    static const char *const methods[] = {"DELETE", "HEAD"};
    static const int statuses[] = {404, 200};
    peer_start(&peer, &script);
    struct http_client *client = http_client_new();
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
        struct http_answer answer = {0};
        const struct http_call call = {.method = methods[i], .url = peer.url, .timeout_ms = 5000};
        assert_int_equal(http_call(*state, client, &call, &answer), ERR_OK);
        assert_int_equal(answer.status, statuses[i]);
    }
    http_client_free(client);
    peer_stop(&peer);
    assert_int_equal(strncmp(peer.requests[0], "DELETE ", 7), 0);
    assert_int_equal(strncmp(peer.requests[1], "HEAD ", 5), 0);
}

/* A user may be called "..", which newer curl takes for a step up, encoded or not. */
static void dots_in_a_path_stay(void **state)
{
    static const struct script script = {
        .answers = {{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"}}, .connections_count = 1};
    struct http_answer answer = {0};
    char url[2 * URL_BYTES];
    peer_start(&peer, &script);
    (void)snprintf(url, sizeof(url), "%s/%%2E%%2E/%%2E", peer.url);
    struct http_client *client = http_client_new();
    const struct http_call call = {.method = "GET", .url = url, .timeout_ms = 5000};
    assert_int_equal(http_call(*state, client, &call, &answer), ERR_OK);
    http_client_free(client);
    peer_stop(&peer);
    assert_non_null(strstr(peer.requests[0], "GET /find/me/%2E%2E/%2E HTTP/1.1\r\n"));
}

static void redirects_are_not_followed(void **state)
{
    static const struct script script = {
        .answers =
            {{"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"}},
        .connections_count = 1};
    struct http_answer answer = {0};
    peer_start(&peer, &script);
    struct http_client *client = http_client_new();
    const struct http_call call = {.method = "GET", .url = peer.url, .timeout_ms = 5000};
    assert_int_equal(http_call(*state, client, &call, &answer), ERR_OK);
    assert_int_equal(answer.status, 302);
    http_client_free(client);
    peer_stop(&peer);
}

static void no_answer_is_unavailable_and_writes_no_secret(void **state)
{
    struct ctx *ctx = *state;
    struct http_answer answer = {.status = 77};
    struct secret password = secret_new("opensesame", 10);
    struct http_client *client = http_client_new();
    static const char *const urls[] = {"http://127.0.0.1:1/find/me", "file:///etc/passwd",
                                       "nonsense://x"};
    for (size_t i = 0; i < ARRAY_COUNT(urls); i++) {
        const struct http_call call = {.method = "POST",
                                       .url = urls[i],
                                       .json_body = "{\"password\":\"opensesame\"}",
                                       .basic_user = "them",
                                       .basic_password = &password,
                                       .timeout_ms = 5000};
        assert_int_equal(http_call(ctx, client, &call, &answer), ERR_UNAVAILABLE);
        assert_int_equal(answer.status, 77);
        if (i == 0)
            assert_int_equal(http_client_fault(client), HTTP_CLIENT_UNREACHED);
        assert_int_not_equal(ctx->why.text[0], '\0');
        assert_null(strstr(ctx->why.text, "opensesame"));
        ctx_forgive(ctx);
    }
    ctx->deadline_ms = 0;
    const struct http_call late = {.method = "GET", .url = urls[0], .timeout_ms = 5000};
    assert_int_equal(http_call(ctx, client, &late, &answer), ERR_UNAVAILABLE);
    http_client_free(client);
    secret_done(&password);
}

static void a_silent_or_babbling_peer_is_unavailable(void **state)
{
    static const struct script script = {
        .answers = {{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "never asked for"},
                    {"220 smtp.example ESMTP\r\n", "never asked for"},
                    {"HTTP/1.1 200 OK\r\nContent-Length: 4194305\r\n\r\n", "never asked for"},
                    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"}},
        .connections_count = 4};
    struct ctx *ctx = *state;
    struct http_answer answer = {.status = 77};
    peer_start(&peer, &script);
    struct http_client *client = http_client_new();
    struct http_call call = {.method = "GET", .url = peer.url};
    for (size_t i = 0; i < script.connections_count; i++) {
        call.timeout_ms = i == 0 ? 300 : 5000; /* only the first one is silent */
        assert_int_equal(http_call(ctx, client, &call, &answer), ERR_UNAVAILABLE);
        if (text_starts_with(script.answers[i][0], "220"))
            assert_int_equal(http_client_fault(client), HTTP_CLIENT_NO_HTTP);
        assert_int_equal(answer.status, 77);
        ctx_forgive(ctx);
    }
    http_client_free(client);
    peer_stop(&peer);
}

static void an_endless_answer_is_cut(void **state)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
    size_t size_bytes = sizeof(head) - 1 + HTTP_CLIENT_ANSWER_MAX_BYTES + 1;
    char *text = malloc(size_bytes + 1);
    assert_non_null(text);
    memcpy(text, head, sizeof(head) - 1);
    memset(text + sizeof(head) - 1, 'x', size_bytes - sizeof(head) + 1);
    text[size_bytes] = '\0';
    const struct script script = {.answers = {{text}}, .connections_count = 1};
    struct http_answer answer = {.status = 77};
    peer_start(&peer, &script);
    struct http_client *client = http_client_new();
    const struct http_call call = {.method = "GET", .url = peer.url, .timeout_ms = 8000};
    assert_int_equal(http_call(*state, client, &call, &answer), ERR_UNAVAILABLE);
    assert_int_equal(answer.status, 77);
    http_client_free(client);
    peer_stop(&peer);
    free(text);
}

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

static void a_get_survives_a_kept_connection_that_was_closed(void **state)
{
    static const struct script script = {.answers = {{OK_EMPTY, ""}, {OK_EMPTY}},
                                         .connections_count = 2};
    struct http_answer answer = {0};
    peer_start(&peer, &script);
    struct http_client *client = http_client_new();
    const struct http_call call = {.method = "GET", .url = peer.url, .timeout_ms = 5000};
    assert_int_equal(http_call(*state, client, &call, &answer), ERR_OK);
    assert_int_equal(http_call(*state, client, &call, &answer), ERR_OK);
    assert_int_equal(answer.status, 200);
    http_client_free(client);
    peer_stop(&peer);
    assert_int_equal(peer.requests_count, 3);
}

static void a_get_uses_the_kept_connection(void **state)
{
    static const struct script script = {.answers = {{OK_EMPTY, OK_EMPTY, OK_EMPTY}},
                                         .connections_count = 1};
    struct http_answer answer = {0};
    peer_start(&peer, &script);
    struct http_client *client = http_client_new();
    const struct http_call call = {.method = "GET", .url = peer.url, .timeout_ms = 5000};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(http_call(*state, client, &call, &answer), ERR_OK);
    http_client_free(client);
    peer_stop(&peer);
    assert_int_equal(peer.requests_count, 3);
}

static void a_write_is_never_sent_twice(void **state)
{
    static const struct script script = {.answers = {{OK_EMPTY, ""}, {""}, {OK_EMPTY}},
                                         .connections_count = 3};
    struct http_answer answer = {0};
    peer_start(&peer, &script);
    struct http_client *client = http_client_new();
    struct http_call call = {.method = "GET", .url = peer.url, .timeout_ms = 5000};
    assert_int_equal(http_call(*state, client, &call, &answer), ERR_OK);
    call.method = "POST";
    call.json_body = "{}";
    enum err err = http_call(*state, client, &call, &answer);
    http_client_free(client);
    peer_stop(&peer);
    size_t posts_count = 0;
    for (size_t i = 0; i < peer.requests_count; i++)
        posts_count += strncmp(peer.requests[i], "POST", 4) == 0;
    assert_int_equal(err, ERR_UNAVAILABLE);
    assert_int_equal(posts_count, 1);
}

/* ---- to somebody else's ---- */

static void a_foreign_service_gets_a_form_and_learns_no_request_id(void **state)
{
    static const struct script script = {
        .answers = {{"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                     "Content-Length: 2\r\n\r\n{}"},
                    {OK_EMPTY}},
        .connections_count = 2};
    struct ctx *ctx = *state;
    struct http_answer answer = {0};
    peer_start(&peer, &script);
    struct http_client *client = http_client_new();
    struct http_call call = {.method = "POST",
                             .url = peer.url,
                             .form_body = "grant_type=a&code=b",
                             .authorization = "Bearer x",
                             .timeout_ms = 5000,
                             .connect_ms = 4000,
                             .is_foreign = true};
    assert_int_equal(http_call(ctx, client, &call, &answer), ERR_OK);
    assert_int_equal(answer.date_unix_s, 784111777);
    call.authorization = NULL;
    assert_int_equal(http_call(ctx, client, &call, &answer), ERR_OK);
    assert_int_equal(answer.date_unix_s, 0);
    http_client_free(client);
    peer_stop(&peer);
    const char *request = peer.requests[0];
    assert_non_null(strstr(request, "Content-Type: application/x-www-form-urlencoded\r\n"));
    assert_non_null(strstr(request, "Authorization: Bearer x\r\n"));
    assert_non_null(strstr(request, "User-Agent: notes/"));
    assert_non_null(strstr(request, "\r\n\r\ngrant_type=a&code=b"));
    assert_null(strstr(request, "X-Request-Id"));
    assert_null(strstr(request, ctx->request_id));
    assert_null(strstr(peer.requests[1], "Authorization"));
}

static void a_call_may_have_limits_of_its_own(void **state)
{
    static const struct script script = {
        .answers = {{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789"},
                    {"HTTP/1.1 200 OK\r\n\r\n123456789"},
                    {"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n12345678"},
                    {"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n1234", "never asked for"}},
        .connections_count = 4};
    static const enum http_client_fault faults[] = {HTTP_CLIENT_TOO_LARGE, HTTP_CLIENT_TOO_LARGE};
    struct ctx *ctx = *state;
    struct http_answer answer = {0};
    peer_start(&peer, &script);
    struct http_client *client = http_client_new();
    struct http_call call = {
        .method = "POST", .url = peer.url, .timeout_ms = 5000, .answer_max_bytes = 8};
    for (size_t i = 0; i < ARRAY_COUNT(faults); i++) {
        assert_int_equal(http_call(ctx, client, &call, &answer), ERR_UNAVAILABLE);
        assert_int_equal(http_client_fault(client), faults[i]);
        assert_non_null(strstr(ctx->why.text, "larger than 8 bytes"));
        ctx_forgive(ctx);
    }
    assert_int_equal(http_call(ctx, client, &call, &answer), ERR_OK);
    assert_int_equal(answer.body.n, 8);
    call.timeout_ms = 100;
    assert_int_equal(http_call(ctx, client, &call, &answer), ERR_UNAVAILABLE);
    assert_int_equal(http_client_fault(client), HTTP_CLIENT_LATE);
    call.url = "http://127.0.0.1:1/";
    call.timeout_ms = 5000;
    assert_int_equal(http_call(ctx, client, &call, &answer), ERR_UNAVAILABLE);
    assert_int_equal(http_client_fault(client), HTTP_CLIENT_UNREACHED);
    http_client_free(client);
    peer_stop(&peer);
}

static void https_only_speaks_no_http(void **state)
{
    static const struct script script = {.answers = {{OK_EMPTY}}, .connections_count = 1};
    struct http_answer answer = {0};
    peer_start(&peer, &script);
    struct http_client *client = http_client_new();
    const struct http_call call = {
        .method = "GET", .url = peer.url, .timeout_ms = 5000, .is_https_only = true};
    assert_int_equal(http_call(*state, client, &call, &answer), ERR_UNAVAILABLE);
    http_client_free(client);
    peer_stop(&peer);
    assert_int_equal(peer.requests_count, 0);
}

static void authorities_are_the_systems_and_those_of_the_file(void **state)
{
    static const char certificate[] =
        "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    struct ctx *ctx = *state;
    char path[] = "/tmp/notes_authorities_XXXXXX";
    char *pem = NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(http_client_authorities(ctx, path, &pem), ERR_INVALID);
    assert_non_null(strstr(ctx->why.text, path));
    ctx_forgive(ctx);
    assert_int_equal(write(fd, certificate, strlen(certificate)), strlen(certificate));
    assert_int_equal(http_client_authorities(ctx, path, &pem), ERR_OK);
    assert_true(strlen(pem) >= strlen(certificate));
    assert_string_equal(pem + strlen(pem) - strlen(certificate), certificate);
    free(pem);
    pem = NULL;
    assert_int_equal(ftruncate(fd, (off_t)HTTP_CLIENT_AUTHORITIES_MAX_BYTES), 0);
    assert_int_equal(http_client_authorities(ctx, path, &pem), ERR_INVALID);
    ctx_forgive(ctx);
    assert_int_equal(unlink(path), 0);
    (void)close(fd);
    assert_int_equal(http_client_authorities(ctx, path, &pem), ERR_UNAVAILABLE);
    assert_null(pem);
}

/* ---- a name server that hangs ---- */

#define SLOW_NAME "slow.example"

static pthread_mutex_t look_up_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t look_up_may_end = PTHREAD_COND_INITIALIZER;
static bool is_look_up_over;

/* Libcurl finds this one before the C library's; of the other tests none looks up a name. */
int getaddrinfo(const char *name,
                const char *service,
                const struct addrinfo *wanted,
                struct addrinfo **out_found)
{
    (void)service;
    (void)wanted;
    (void)out_found;
    if (!name || strcmp(name, SLOW_NAME) != 0)
        return EAI_NONAME;
    (void)pthread_mutex_lock(&look_up_lock);
    while (!is_look_up_over)
        (void)pthread_cond_wait(&look_up_may_end, &look_up_lock);
    (void)pthread_mutex_unlock(&look_up_lock);
    return EAI_AGAIN;
}

/* Were it waited for, this test would not end. */
static void a_name_that_is_looked_up_for_long_is_not_waited_for(void **state)
{
    struct ctx *ctx = *state;
    struct http_client *client = http_client_new();
    struct http_answer answer;
    const struct http_call call = {
        .method = "GET", .url = "http://" SLOW_NAME "/", .timeout_ms = 50};
    assert_int_equal(http_call(ctx, client, &call, &answer), ERR_UNAVAILABLE);
    assert_int_equal(http_client_fault(client), HTTP_CLIENT_LATE);
    http_client_free(client);
    (void)pthread_mutex_lock(&look_up_lock);
    is_look_up_over = true;
    (void)pthread_cond_broadcast(&look_up_may_end);
    (void)pthread_mutex_unlock(&look_up_lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_CTX(an_answer_is_taken_with_its_fields),
        UNIT_WITH_CTX(a_body_is_sent_as_json),
        UNIT_WITH_CTX(other_methods_go_out_as_named),
        UNIT_WITH_CTX(dots_in_a_path_stay),
        UNIT_WITH_CTX(redirects_are_not_followed),
        UNIT_WITH_CTX(no_answer_is_unavailable_and_writes_no_secret),
        UNIT_WITH_CTX(a_silent_or_babbling_peer_is_unavailable),
        UNIT_WITH_CTX(an_endless_answer_is_cut),
        UNIT_WITH_CTX(a_get_survives_a_kept_connection_that_was_closed),
        UNIT_WITH_CTX(a_get_uses_the_kept_connection),
        UNIT_WITH_CTX(a_write_is_never_sent_twice),
        UNIT_WITH_CTX(a_foreign_service_gets_a_form_and_learns_no_request_id),
        UNIT_WITH_CTX(a_call_may_have_limits_of_its_own),
        UNIT_WITH_CTX(https_only_speaks_no_http),
        UNIT_WITH_CTX(authorities_are_the_systems_and_those_of_the_file),
        UNIT_WITH_CTX(a_name_that_is_looked_up_for_long_is_not_waited_for),
    };
    return http_client_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
