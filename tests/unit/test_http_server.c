/* SPDX-License-Identifier: MIT
 *
 * The server over real sockets on the loopback address, with a tiny program behind it and a client
 * that says each byte by hand. Waiting is always for an event (an answer, an end, a counter), never
 * for a time. */
#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/workers.h"
#include "http/http_server.h"
#include "http/json_body.h"
#include "http/router.h"

#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX_BYTES ((size_t)256 * 1024)
#define CLIENT_WAIT_S    20
#define SMALL_BODY_BYTES 100

struct app {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_gate_open; /* /gate waits for it */
    size_t at_gate_count;
    _Atomic int handled_count;
    struct http_prepared *prepared;
};

struct world {
    struct app app;
    struct log *log;
    struct workers *workers;
    struct http_server *server;
    int64_t port;
};

/* ---- the program behind the server ---- */

static enum err say(struct http_response *rs, const char *text)
{
    http_response_text(rs, 200, "text/plain", text);
    return ERR_OK;
}

static enum err
hello(struct app *app, struct ctx *ctx, const struct http_request *rq, struct http_response *rs)
{
    (void)ctx;
    (void)rq;
    atomic_fetch_add(&app->handled_count, 1);
    return say(rs, "hello");
}

static enum err
user(struct app *app, struct ctx *ctx, const struct http_request *rq, struct http_response *rs)
{
    (void)app;
    const char *page = form_first(&rq->query, "page");
    return say(rs,
               arena_format(&ctx->arena, "%s|%s|%s", rq->params[0], rq->path, page ? page : "-"));
}

static enum err
gate(struct app *app, struct ctx *ctx, const struct http_request *rq, struct http_response *rs)
{
    (void)ctx;
    (void)rq;
    (void)pthread_mutex_lock(&app->lock);
    app->at_gate_count++;
    (void)pthread_cond_broadcast(&app->changed);
    while (!app->is_gate_open)
        (void)pthread_cond_wait(&app->changed, &app->lock);
    app->at_gate_count--;
    (void)pthread_mutex_unlock(&app->lock);
    atomic_fetch_add(&app->handled_count, 1);
    return say(rs, "through");
}

static enum err
echo(struct app *app, struct ctx *ctx, const struct http_request *rq, struct http_response *rs)
{
    atomic_fetch_add(&app->handled_count, 1);
    return say(rs, arena_format(&ctx->arena, "%d:%.*s", rq->has_body, (int)rq->body.n,
                                rq->body.n ? (const char *)rq->body.p : ""));
}

static enum err
shared(struct app *app, struct ctx *ctx, const struct http_request *rq, struct http_response *rs)
{
    (void)ctx;
    (void)rq;
    rs->prepared = app->prepared;
    return ERR_OK;
}

static enum err break_down(struct app *app,
                           struct ctx *ctx,
                           const struct http_request *rq,
                           struct http_response *rs)
{
    (void)app;
    (void)rq;
    http_response_field(rs, "X-Half-Done", "1");
    return ctx_fail(ctx, ERR_UNAVAILABLE, "the database is away");
}

/* "yes" in Authorization is let in, "me" is answered here. */
static enum err
guard(struct app *app, struct ctx *ctx, struct http_request *rq, struct http_response *rs)
{
    (void)app;
    const char *authorization = rq->fields[HTTP_FIELD_AUTHORIZATION];
    if (rq->route->protection != PROTECTION_API_KEY)
        return ERR_OK;
    if (authorization && strcmp(authorization, "me") == 0) {
        http_response_redirect(rs, 302, "/elsewhere");
        return ERR_OK;
    }
    if (authorization && strcmp(authorization, "yes") == 0)
        return ERR_OK;
    return ctx_fail(ctx, ERR_UNAUTHENTICATED, "no key");
}

static void render(struct app *app,
                   struct ctx *ctx,
                   const struct http_request *rq,
                   enum err err,
                   struct http_response *rs)
{
    (void)app;
    const char *kept = rq->body.n ? (const char *)rq->body.p : "";
    http_response_text(
        rs, err_status(err), "text/plain",
        arena_format(&ctx->arena, "%s [%.*s]", err_name(err), (int)rq->body.n, kept));
}

static void
decorate(struct app *app, struct ctx *ctx, const struct http_request *rq, struct http_response *rs)
{
    (void)app;
    (void)ctx;
    (void)rq;
    http_response_field(rs, "X-Standing", "1");
}

static const struct route routes[] = {
    {.method = HTTP_GET,
     .pattern = "/loop",
     .protection = PROTECTION_NONE,
     .lane = LANE_LOOP,
     .handler = hello},
    {.method = HTTP_GET,
     .pattern = "/work",
     .protection = PROTECTION_NONE,
     .lane = LANE_WORKER,
     .handler = hello},
    {.method = HTTP_GET,
     .pattern = "/gate",
     .protection = PROTECTION_NONE,
     .lane = LANE_WORKER,
     .handler = gate},
    {.method = HTTP_GET,
     .pattern = "/user/:name",
     .protection = PROTECTION_NONE,
     .lane = LANE_LOOP,
     .handler = user},
    {.method = HTTP_GET,
     .pattern = "/shared",
     .protection = PROTECTION_NONE,
     .lane = LANE_LOOP,
     .handler = shared},
    {.method = HTTP_GET,
     .pattern = "/fail",
     .protection = PROTECTION_NONE,
     .lane = LANE_WORKER,
     .handler = break_down},
    {.method = HTTP_GET,
     .pattern = "/closed",
     .protection = PROTECTION_API_KEY,
     .lane = LANE_LOOP,
     .handler = hello},
    {.method = HTTP_POST,
     .pattern = "/closed",
     .protection = PROTECTION_API_KEY,
     .lane = LANE_WORKER,
     .body_type = BODY_JSON,
     .body_max_bytes = SMALL_BODY_BYTES,
     .handler = echo},
    {.method = HTTP_POST,
     .pattern = "/form",
     .protection = PROTECTION_NONE,
     .lane = LANE_WORKER,
     .body_type = BODY_FORM,
     .body_max_bytes = SMALL_BODY_BYTES,
     .handler = echo},
    {.method = HTTP_POST,
     .pattern = "/form-on-loop",
     .protection = PROTECTION_NONE,
     .lane = LANE_LOOP,
     .body_type = BODY_FORM,
     .body_max_bytes = 100000,
     .handler = echo},
    {.method = HTTP_POST,
     .pattern = "/nothing",
     .protection = PROTECTION_NONE,
     .lane = LANE_LOOP,
     .handler = echo},
};

/* ---- start and end ---- */

static void open_gate(struct app *app)
{
    (void)pthread_mutex_lock(&app->lock);
    app->is_gate_open = true;
    (void)pthread_cond_broadcast(&app->changed);
    (void)pthread_mutex_unlock(&app->lock);
}

static void wait_at_gate(struct app *app, size_t count)
{
    (void)pthread_mutex_lock(&app->lock);
    while (app->at_gate_count < count)
        (void)pthread_cond_wait(&app->changed, &app->lock);
    (void)pthread_mutex_unlock(&app->lock);
}

static struct http_server_options default_options(struct world *world)
{
    return (struct http_server_options){
        .app = &world->app,
        .log = world->log,
        .listen = "127.0.0.1",
        .loops = 2,
        .connections_max_count = 1000,
        .idle_timeout_s = 60,
        .read_timeout_s = 60,
        .request_deadline_ms = 60000,
        .router = {.routes = routes, .count = ARRAY_COUNT(routes)},
        .worker_lane = world->workers,
        .guard = guard,
        .render_error = render,
        .decorate = decorate,
    };
}

static void start_with(struct world *world, const struct http_server_options *options)
{
    struct ctx ctx;
    ctx_init(&ctx, world->log, 1000);
    enum err err = http_server_new(&ctx, options, &world->server);
    if (err)
        print_error("%s\n", ctx.why.text);
    assert_int_equal(err, ERR_OK);
    ctx_done(&ctx);
    world->port = http_server_port(world->server);
}

static void prepare(struct world *world, int64_t workers_count, int64_t queue_max_count)
{
    static const struct http_field fields[] = {{"Content-Type", "text/css"},
                                               {"Cache-Control", "immutable"}};
    static const char css[] = "body{}";
    int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    memset(world, 0, sizeof(*world));
    (void)pthread_mutex_init(&world->app.lock, NULL);
    (void)pthread_cond_init(&world->app.changed, NULL);
    world->app.prepared =
        http_prepared_new(200, fields, ARRAY_COUNT(fields),
                          (struct bytes){(const unsigned char *)css, sizeof(css) - 1});
    world->log = log_new(null_fd, "test", LOG_DEBUG, LOG_JSON);
    world->workers = workers_new(&(struct workers_options){
        .name = "worker", .count = workers_count, .queue_max_count = queue_max_count});
    assert_non_null(world->app.prepared);
    assert_non_null(world->log);
    assert_non_null(world->workers);
}

static void start(struct world *world)
{
    prepare(world, 4, 64);
    struct http_server_options options = default_options(world);
    start_with(world, &options);
}

static void stop(struct world *world)
{
    open_gate(&world->app);
    assert_int_equal(http_server_drain(world->server, 10000), 0);
    http_server_free(world->server);
    workers_free(world->workers);
    log_free(world->log);
    http_prepared_free(world->app.prepared);
}

/* ---- a client ---- */

static int client_open(const struct world *world)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)world->port)};
    struct timeval wait = {.tv_sec = CLIENT_WAIT_S};
    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &address.sin_addr), 1);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void client_send(int fd, const char *text, size_t size_bytes)
{
    while (size_bytes > 0) {
        ssize_t sent_bytes = send(fd, text, size_bytes, MSG_NOSIGNAL);
        if (sent_bytes <= 0)
            return; /* closed: the answer tells */
        text += sent_bytes;
        size_bytes -= (size_t)sent_bytes;
    }
}

static void client_say(int fd, const char *text)
{
    client_send(fd, text, strlen(text));
}

struct answer {
    char text[ANSWER_MAX_BYTES]; /* head and body */
    size_t size_bytes;
    int status; /* 0: closed without one */
    const char *body;
};

/* One answer; bytes of a following one stay in the socket, because the head is read byte by byte.
 */
static void client_answer(int fd, bool has_body, struct answer *answer)
{
    memset(answer, 0, offsetof(struct answer, text) + 1);
    answer->size_bytes = 0;
    answer->status = 0;
    answer->body = "";
    while (!strstr(answer->text, "\r\n\r\n")) {
        if (recv(fd, answer->text + answer->size_bytes, 1, 0) != 1)
            return;
        answer->text[++answer->size_bytes] = '\0';
    }
    answer->body = answer->text + answer->size_bytes;
    assert_int_equal(sscanf(answer->text, "HTTP/1.1 %d", &answer->status), 1);
    const char *length = strstr(answer->text, "Content-Length: ");
    unsigned long body_bytes = has_body && length ? strtoul(length + 16, NULL, 10) : 0;
    size_t all_bytes = answer->size_bytes + body_bytes;
    while (answer->size_bytes < all_bytes) {
        ssize_t got_bytes =
            recv(fd, answer->text + answer->size_bytes, all_bytes - answer->size_bytes, 0);
        assert_true(got_bytes > 0);
        answer->size_bytes += (size_t)got_bytes;
    }
    answer->text[answer->size_bytes] = '\0';
}

static bool is_closed(int fd)
{
    char byte;
    return recv(fd, &byte, 1, 0) <= 0;
}

/* Sends bytes on a connection of their own, reads one answer. Returns the socket. */
static int ask(const struct world *world, const char *request, struct answer *answer)
{
    int fd = client_open(world);
    client_say(fd, request);
    client_answer(fd, strncmp(request, "HEAD", 4) != 0, answer);
    return fd;
}

static struct answer answer; /* large; tests run one after the other */

/* The request gets this status and body, and the connection stays open or not. */
static void expect(
    const struct world *world, const char *request, int status, const char *body, bool stays_open)
{
    int fd = ask(world, request, &answer);
    if (answer.status != status)
        print_error("%.200s\ngot %.400s\n", request, answer.text);
    assert_int_equal(answer.status, status);
    if (body)
        assert_string_equal(answer.body, body);
    if (stays_open) {
        static const char again[] = "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n";
        client_say(fd, again);
        client_answer(fd, true, &answer);
        assert_int_equal(answer.status, 200);
    } else {
        if (!is_closed(fd))
            print_error("stays open or says more after: %.200s\n", request);
        assert_true(is_closed(fd));
    }
    (void)close(fd);
}

/* ---- what it answers ---- */

static void both_lanes_answer_and_keep_the_connection(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    expect(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", 200, "hello", true);
    assert_non_null(strstr(answer.text, "X-Request-Id: "));
    assert_non_null(strstr(answer.text, "X-Standing: 1"));
    expect(&world, "GET /work HTTP/1.1\r\nHost: a\r\n\r\n", 200, "hello", true);
    expect(&world, "GET /user/J%C3%BCrgen%2F1?page=2%20x HTTP/1.1\r\nHost: a\r\n\r\n", 200,
           "Jürgen/1|/user/Jürgen/1|2 x", true);
    expect(&world, "GET http://b:80/user/x HTTP/1.1\r\nHost: a\r\n\r\n", 200, "x|/user/x|-", true);
    expect(&world, "GET /loop HTTP/1.0\r\n\r\n", 200, "hello", false);
    expect(&world, "GET /work HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200, "hello",
           false);
    stop(&world);
}

static void prepared_answers_are_sent_as_they_are(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    int fd = ask(&world, "GET /shared HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "body{}");
    assert_non_null(strstr(answer.text, "Cache-Control: immutable"));
    assert_null(strstr(answer.text, "X-Request-Id"));
    assert_null(strstr(answer.text, "X-Standing"));
    (void)close(fd);
    stop(&world);
}

static void head_has_the_length_and_no_body(void **state)
{
    static const char *const paths[] = {"/loop", "/work", "/shared"};
    (void)state;
    struct world world;
    start(&world);
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        char request[128];
        (void)snprintf(request, sizeof(request), "HEAD %s HTTP/1.1\r\nHost: a\r\n\r\n", paths[i]);
        expect(&world, request, 200, "", true);
        int fd = ask(&world, request, &answer);
        assert_non_null(
            strstr(answer.text, i == 2 ? "Content-Length: 6\r\n" : "Content-Length: 5\r\n"));
        (void)close(fd);
    }
    stop(&world);
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
    start(&world);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char request[256];
        char wanted[128];
        (void)snprintf(request, sizeof(request),
                       "GET /loop HTTP/1.1\r\nHost: a\r\nX-Request-Id: %s\r\n\r\n", rows[i].sent);
        (void)snprintf(wanted, sizeof(wanted), "X-Request-Id: %s\r\n", rows[i].sent);
        int fd = ask(&world, request, &answer);
        assert_int_equal(strstr(answer.text, wanted) != NULL, rows[i].is_taken);
        assert_non_null(strstr(answer.text, "X-Request-Id: "));
        (void)close(fd);
    }
    stop(&world);
}

static void errors_come_from_the_service_with_their_fields(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    expect(&world, "GET /none HTTP/1.1\r\nHost: a\r\n\r\n", 404, "NOT_FOUND []", true);
    int fd = ask(&world, "PUT /closed HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.status, 405);
    assert_non_null(strstr(answer.text, "\r\nAllow: GET, HEAD, POST\r\n"));
    (void)close(fd);
    fd = ask(&world, "GET /fail HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.text, "\r\nRetry-After: 2\r\n"));
    assert_null(strstr(answer.text, "X-Half-Done"));
    (void)close(fd);
    expect(&world, "GET /loop?a=%FF HTTP/1.1\r\nHost: a\r\n\r\n", 400, "INVALID []", true);
    expect(&world, "GET /user/%FF HTTP/1.1\r\nHost: a\r\n\r\n", 400, "INVALID []", false);
    stop(&world);
}

static void the_guard_comes_before_the_bodys_faults_and_the_handler(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    expect(&world, "GET /closed HTTP/1.1\r\nHost: a\r\n\r\n", 401, "UNAUTHENTICATED []", true);
    expect(&world, "GET /closed HTTP/1.1\r\nHost: a\r\nAuthorization: yes\r\n\r\n", 200, "hello",
           true);
    expect(&world, "GET /closed HTTP/1.1\r\nHost: a\r\nAuthorization: me\r\n\r\n", 302, "", true);
    assert_int_equal(atomic_load(&world.app.handled_count),
                     4); /* one, and three that looked whether it stays open */
    expect(
        &world,
        "POST /closed HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
        401, "UNAUTHENTICATED []", true);
    expect(&world,
           "POST /closed HTTP/1.1\r\nHost: a\r\nAuthorization: yes\r\nContent-Type: text/plain\r\n"
           "Content-Length: 2\r\n\r\n{}",
           415, "MEDIA_TYPE []", true);
    expect(
        &world,
        "POST /closed HTTP/1.1\r\nHost: a\r\nAuthorization: yes\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\n\r\n{}",
        200, "1:{}", true);
    expect(&world,
           "POST /closed HTTP/1.1\r\nHost: a\r\nAuthorization: yes\r\nContent-Type: text/plain\r\n"
           "Content-Length: 0\r\n\r\n",
           200, "0:", true);
    stop(&world);
}

/* ---- bodies ---- */

#define FORM_HEAD \
    "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"

static void bodies_arrive_whole_in_any_pieces(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    expect(&world, FORM_HEAD "Content-Length: 7\r\n\r\na=b&c=d", 200, "1:a=b&c=d", true);
    expect(&world,
           FORM_HEAD
           "Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n4;x=y\r\n&c=d\r\n0\r\nTrailer: 1\r\n\r\n",
           200, "1:a=b&c=d", true);
    expect(&world, FORM_HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, "0:", true);

    static const char request[] =
        FORM_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n4\r\n&c=d\r\n0\r\n\r\n";
    int fd = client_open(&world);
    for (size_t i = 0; i < sizeof(request) - 1; i++)
        client_send(fd, request + i, 1);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "1:a=b&c=d");
    (void)close(fd);
    stop(&world);
}

/* So many bytes of body behind this head. */
static int post(const struct world *world, const char *head, size_t body_bytes)
{
    static const char filler[8192] = {'x'};
    int fd = client_open(world);
    client_say(fd, head);
    while (body_bytes > 0) {
        size_t piece_bytes = body_bytes < sizeof(filler) ? body_bytes : sizeof(filler);
        char piece[sizeof(filler)];
        memset(piece, 'x', piece_bytes);
        client_send(fd, piece, piece_bytes);
        body_bytes -= piece_bytes;
    }
    return fd;
}

static void what_is_over_is_drained_and_shown_as_far_as_it_fits(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    int fd = post(&world, FORM_HEAD "Content-Length: 101\r\n\r\n", 101);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 413);
    assert_int_equal(strspn(strchr(answer.body, '[') + 1, "x"), SMALL_BODY_BYTES);
    client_say(fd, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n");
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 200);
    (void)close(fd);

    fd = post(&world, FORM_HEAD "Content-Length: 8388608\r\n\r\n", HTTP_DRAIN_MAX_BYTES);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 413);
    (void)close(fd);

    fd = post(&world, "POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n", 1000000);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 404);
    (void)close(fd);
    assert_int_equal(atomic_load(&world.app.handled_count), 1);
    stop(&world);
}

static void a_character_that_the_limit_cuts_is_left_out(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    char request[512] = FORM_HEAD "Content-Length: 104\r\n\r\nm=";
    size_t size_bytes = strlen(request);
    memset(request + size_bytes, 'x', 95); /* 97 of 100 bytes are used, a four-byte escape comes */
    (void)snprintf(request + size_bytes + 95, 16, "%%C3%%BC!");
    expect(&world, request, 413, NULL, true);
    int fd = ask(&world, request, &answer);
    assert_non_null(strstr(answer.body, "[m=xxx"));
    assert_null(strstr(answer.body, "%"));
    (void)close(fd);
    stop(&world);
}

static void a_body_announced_too_large_to_drain_is_refused_at_once(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    expect(&world, FORM_HEAD "Content-Length: 8388609\r\n\r\n", 413, "TOO_LARGE []", false);
    expect(&world, FORM_HEAD "Content-Length: 999999999999\r\n\r\n", 413, "TOO_LARGE []", false);
    stop(&world);
}

static void a_chunked_body_without_end_is_cut(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    int fd = post(&world, FORM_HEAD "Transfer-Encoding: chunked\r\n\r\nffffffff\r\n",
                  HTTP_DRAIN_MAX_BYTES + 65536);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 0);
    (void)close(fd);
    assert_int_equal(atomic_load(&world.app.handled_count), 0);
    stop(&world);
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
        {"POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nExpect: 100-Continue\r\nContent-Length: 10\r\n\r\n",
         415},
        {"POST /closed HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n",
         401},
    };
    (void)state;
    struct world world;
    start(&world);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        expect(&world, rows[i].head, rows[i].status, NULL, false);

    int fd = ask(&world, FORM_HEAD "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", &answer);
    assert_int_equal(answer.status, 100);
    client_say(fd, "a=b");
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "1:a=b");
    (void)close(fd);
    stop(&world);
}

static void a_body_that_no_route_wants_is_read_and_ignored(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    expect(&world, "POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 200,
           "1:", true);
    expect(&world, "GET /loop HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 200, "hello",
           true);
    int fd = post(&world, "GET /loop HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 65537);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 413);
    (void)close(fd);
    stop(&world);
}

static void a_large_body_grows_over_several_reads(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    int fd = post(
        &world,
        "POST /form-on-loop HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: 100000\r\n\r\n",
        100000);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(strlen(answer.body), 100002);
    (void)close(fd);
    stop(&world);
}

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
        "GET /lo op HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET  /loop  HTTP/1.1\r\nHost: a\r\n\r\n",
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
    start(&world);
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++)
        expect(&world, requests[i], 400, NULL, false);
    assert_int_equal(atomic_load(&world.app.handled_count), 0);
    stop(&world);
}

static void a_nul_anywhere_in_the_head_is_refused(void **state)
{
    static const char whole[] =
        "GET /loop HTTP/1.1\r\nHost: a\r\nX-Some: value\r\nX-Last: z\r\n\r\n";
    (void)state;
    struct world world;
    start(&world);
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
    stop(&world);
}

static void crowded_heads_get_one_refusal(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    char *request = calloc(1, 70000);
    assert_non_null(request);
    (void)snprintf(request, 64, "GET /loop?");
    memset(request + 10, '&', 8000);
    (void)snprintf(request + 8010, 64, " HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(&world, request, 400, NULL, false);

    (void)snprintf(request, 64, "GET /");
    memset(request + 5, 'a', HTTP_TARGET_MAX_BYTES);
    (void)snprintf(request + 5 + HTTP_TARGET_MAX_BYTES, 64, " HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(&world, request, 400, NULL, false);

    size_t at = (size_t)snprintf(request, 64, "GET /loop HTTP/1.1\r\nHost: a\r\nCookie: ");
    for (int i = 0; i < 600; i++)
        at += (size_t)snprintf(request + at, 16, "c%d=1; ", i);
    (void)snprintf(request + at, 16, "d=1\r\n\r\n");
    expect(&world, request, 431, NULL, false);

    at = (size_t)snprintf(request, 64, "GET /loop HTTP/1.1\r\nHost: a\r\nX: ");
    memset(request + at, 'x', 60000);
    (void)snprintf(request + at + 60000, 16, "\r\n\r\n");
    expect(&world, request, 431, NULL, false);
    free(request);
    stop(&world);
}

static void a_large_head_in_small_pieces_is_fine(void **state)
{
    (void)state;
    struct world world;
    start(&world);
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
    stop(&world);
}

/* ---- order, queue, limits ---- */

static void pipelined_requests_are_answered_in_their_order(void **state)
{
    static const char requests[] =
        "GET /work HTTP/1.1\r\nHost: a\r\n\r\nGET /user/1 HTTP/1.1\r\nHost: a\r\n\r\n" FORM_HEAD
        "Content-Length: 3\r\n\r\na=bGET /user/2 HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char *const bodies[] = {"hello", "1|/user/1|-", "1:a=b", "2|/user/2|-"};
    (void)state;
    struct world world;
    start(&world);
    int fd = client_open(&world);
    client_say(fd, requests);
    for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
        client_answer(fd, true, &answer);
        assert_int_equal(answer.status, 200);
        assert_string_equal(answer.body, bodies[i]);
    }
    (void)close(fd);
    stop(&world);
}

static void a_full_queue_is_answered_at_once(void **state)
{
    (void)state;
    struct world world;
    prepare(&world, 1, 1);
    struct http_server_options options = default_options(&world);
    start_with(&world, &options);
    static const char request[] = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";
    int running_fd = client_open(&world);
    client_say(running_fd, request);
    wait_at_gate(&world.app, 1);
    int queued_fd = client_open(&world);
    client_say(queued_fd, request);
    while (workers_busy_count(world.workers) < 2)
        (void)sched_yield();
    expect(&world, request, 503, "UNAVAILABLE []", true);
    expect(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", 200, "hello", true);
    open_gate(&world.app);
    client_answer(running_fd, true, &answer);
    assert_int_equal(answer.status, 200);
    client_answer(queued_fd, true, &answer);
    assert_int_equal(answer.status, 200);
    (void)close(running_fd);
    (void)close(queued_fd);
    stop(&world);
}

static void what_waits_too_long_in_the_queue_is_told_so(void **state)
{
    (void)state;
    struct world world;
    prepare(&world, 1, 8);
    struct http_server_options options = default_options(&world);
    options.request_deadline_ms = 50;
    start_with(&world, &options);
    static const char request[] = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";
    int running_fd = client_open(&world);
    client_say(running_fd, request);
    wait_at_gate(&world.app, 1);
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
    stop(&world);
}

static void clients_that_leave_while_their_job_runs_harm_nobody(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    static const char request[] = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";
    for (size_t i = 0; i < 4; i++) {
        int fd = client_open(&world);
        client_say(fd, request);
        wait_at_gate(&world.app, i + 1);
        struct linger at_once = {.l_onoff = 1};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        (void)close(fd);
    }
    expect(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", 200, "hello", true);
    open_gate(&world.app);
    expect(&world, "GET /work HTTP/1.1\r\nHost: a\r\n\r\n", 200, "hello", true);
    stop(&world);
}

static void an_address_may_hold_so_many_connections_only(void **state)
{
    (void)state;
    struct world world;
    prepare(&world, 1, 8);
    struct http_server_options options = default_options(&world);
    options.connections_per_address_count = 3;
    start_with(&world, &options);
    int fds[3];
    for (size_t i = 0; i < 3; i++)
        fds[i] = ask(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    int fd = client_open(&world);
    assert_true(is_closed(fd));
    (void)close(fd);
    (void)close(fds[0]);
    do { /* until the server has seen the close */
        fd = ask(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
        (void)close(fd);
    } while (answer.status == 0);
    assert_int_equal(answer.status, 200);
    http_server_tick(world.server);
    (void)close(fds[1]);
    (void)close(fds[2]);
    stop(&world);
}

static void a_trusted_proxy_is_exempt_and_speaks_for_its_client(void **state)
{
    (void)state;
    struct world world;
    struct networks trusted;
    assert_true(networks_parse("127.0.0.0/8", &trusted));
    prepare(&world, 1, 8);
    struct http_server_options options = default_options(&world);
    options.connections_per_address_count = 1;
    options.trusted = &trusted;
    start_with(&world, &options);
    int fds[3];
    for (size_t i = 0; i < 3; i++) {
        fds[i] = ask(&world, "GET /loop HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.1.1.1\r\n\r\n",
                     &answer);
        assert_int_equal(answer.status, 200);
    }
    for (size_t i = 0; i < 3; i++)
        (void)close(fds[i]);
    stop(&world);
}

static void beyond_the_limit_clients_wait_and_are_served_later(void **state)
{
    (void)state;
    struct world world;
    prepare(&world, 1, 8);
    struct http_server_options options = default_options(&world);
    options.connections_max_count = 2;
    start_with(&world, &options);
    int first_fd = ask(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    int second_fd = ask(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
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
    stop(&world);
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
    prepare(&world, 1, 8);
    struct http_server_options options = default_options(&world);
    options.read_timeout_s = 1;
    start_with(&world, &options);
    for (size_t i = 0; i < ARRAY_COUNT(beginnings); i++) {
        int fd = client_open(&world);
        client_say(fd, beginnings[i]);
        tick_until_heard(&world, fd);
        client_answer(fd, true, &answer);
        assert_int_equal(answer.status, 408);
        assert_true(is_closed(fd));
        (void)close(fd);
    }
    int silent_fd = client_open(&world);
    tick_until_heard(&world, silent_fd);
    assert_true(is_closed(silent_fd));
    (void)close(silent_fd);
    stop(&world);
}

static void a_kept_connection_may_idle_but_not_trickle(void **state)
{
    (void)state;
    struct world world;
    prepare(&world, 1, 8);
    struct http_server_options options = default_options(&world);
    options.read_timeout_s = 1;
    start_with(&world, &options);
    int idle_fd = ask(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    int trickling_fd = ask(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
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
    stop(&world);
}

static void a_job_that_runs_is_no_slow_request(void **state)
{
    (void)state;
    struct world world;
    prepare(&world, 1, 8);
    struct http_server_options options = default_options(&world);
    options.read_timeout_s = 1;
    start_with(&world, &options);
    static const char request[] = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";
    int fd = client_open(&world);
    client_say(fd, request);
    wait_at_gate(&world.app, 1);
    int slow_fd = client_open(
        &world); /* began later, so the other one is surely over its time when this is cut */
    client_say(slow_fd, "GET /lo");
    tick_until_heard(&world, slow_fd);
    open_gate(&world.app);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 200);
    (void)close(fd);
    (void)close(slow_fd);
    stop(&world);
}

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
    start(&world);
    static const char request[] = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";
    int kept_fd = ask(&world, "GET /loop HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
    int fd = client_open(&world);
    client_say(fd, request);
    wait_at_gate(&world.app, 1);
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
    assert_true(is_closed(kept_fd));
    open_gate(&world.app);
    client_answer(fd, true, &answer);
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.text, "Connection: close"));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(drain.left_count, 0);
    (void)close(kept_fd);
    (void)close(fd);
    stop(&world);
}

static void *open_later(void *argument)
{
    open_gate(argument);
    return NULL;
}

static void it_may_be_freed_while_jobs_run(void **state)
{
    (void)state;
    struct world world;
    start(&world);
    static const char request[] = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";
    int fds[4];
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
        fds[i] = client_open(&world);
        client_send(fds[i], request, sizeof(request) - 1);
        wait_at_gate(&world.app, i + 1);
    }
    assert_int_equal(http_server_drain(world.server, 1), 4);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, open_later, &world.app), 0);
    http_server_free(world.server);
    assert_int_equal(pthread_join(thread, NULL), 0);
    workers_free(world.workers);
    log_free(world.log);
    http_prepared_free(world.app.prepared);
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++)
        (void)close(fds[i]);
}

static void a_start_that_fails_says_why_in_one_line(void **state)
{
    (void)state;
    struct world world;
    start(&world);
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
        struct http_server_options options = default_options(&world);
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
    stop(&world);
}

static void it_listens_on_ipv6_for_both_families(void **state)
{
    (void)state;
    struct world world;
    prepare(&world, 1, 8);
    struct http_server_options options = default_options(&world);
    options.listen = "::";
    options.loops = 1;
    start_with(&world, &options);
    expect(&world, "GET /work HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200, "hello", true);
    stop(&world);
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
    start(&world);
    pthread_t threads[BUSY_CLIENTS_COUNT];
    for (size_t i = 0; i < BUSY_CLIENTS_COUNT; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, busy_main, &world), 0);
    for (size_t i = 0; i < BUSY_CLIENTS_COUNT; i++) {
        void *failed = NULL;
        http_server_tick(world.server);
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(both_lanes_answer_and_keep_the_connection),
        UNIT(prepared_answers_are_sent_as_they_are),
        UNIT(head_has_the_length_and_no_body),
        UNIT(a_request_id_is_taken_over_when_it_is_well_formed),
        UNIT(errors_come_from_the_service_with_their_fields),
        UNIT(the_guard_comes_before_the_bodys_faults_and_the_handler),
        UNIT(bodies_arrive_whole_in_any_pieces),
        UNIT(what_is_over_is_drained_and_shown_as_far_as_it_fits),
        UNIT(a_character_that_the_limit_cuts_is_left_out),
        UNIT(a_body_announced_too_large_to_drain_is_refused_at_once),
        UNIT(a_chunked_body_without_end_is_cut),
        UNIT(a_client_that_waits_for_leave_gets_it_or_the_final_answer),
        UNIT(a_body_that_no_route_wants_is_read_and_ignored),
        UNIT(a_large_body_grows_over_several_reads),
        UNIT(doubtful_requests_get_one_refusal_and_an_end),
        UNIT(a_nul_anywhere_in_the_head_is_refused),
        UNIT(crowded_heads_get_one_refusal),
        UNIT(a_large_head_in_small_pieces_is_fine),
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
        UNIT(draining_finishes_what_runs_and_refuses_what_comes),
        UNIT(it_may_be_freed_while_jobs_run),
        UNIT(a_start_that_fails_says_why_in_one_line),
        UNIT(it_listens_on_ipv6_for_both_families),
        UNIT(many_clients_at_once_get_their_own_answers),
    };
    return secret_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
