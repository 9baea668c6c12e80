/* SPDX-License-Identifier: MIT
 *
 * Depends on: http_world.h, sockets. */
#include "http_world.h"

#include "base/ctx.h"
#include "base/log.h"
#include "base/workers.h"
#include "http/router.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENT_WAIT_S 20

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

/* Its answer is the body itself, not a copy. */
static enum err
mirror(struct app *app, struct ctx *ctx, const struct http_request *rq, struct http_response *rs)
{
    (void)app;
    (void)ctx;
    rs->body = rq->body;
    return ERR_OK;
}

static enum err
large(struct app *app, struct ctx *ctx, const struct http_request *rq, struct http_response *rs)
{
    (void)app;
    (void)rq;
    ctx->user = arena_text(&ctx->arena, "reader");
    char *text = arena_take(&ctx->arena, LARGE_ANSWER_BYTES + 1);
    memset(text, 'l', LARGE_ANSWER_BYTES);
    return say(rs, text);
}

/* Made out of much more than it is; its user and fields are the request's as well. With "?little" a
 * small one, with "?shared" one that was made before. */
static enum err
costly(struct app *app, struct ctx *ctx, const struct http_request *rq, struct http_response *rs)
{
    for (int i = 0; i < 100; i++)
        (void)arena_take(&ctx->arena, LARGE_ANSWER_BYTES / 10);
    enum err err = large(app, ctx, rq, rs);
    if (form_first(&rq->query, "little"))
        err = say(rs, arena_text(&ctx->arena, "little"));
    if (form_first(&rq->query, "shared"))
        rs->prepared = app->prepared;
    for (int i = 0; i < 100; i++)
        (void)arena_take(&ctx->arena, LARGE_ANSWER_BYTES);
    http_response_field(rs, "X-Made", arena_format(&ctx->arena, "of %s", rq->target));
    for (int i = 0; i < 10; i++)
        (void)arena_take(&ctx->arena, LARGE_ANSWER_BYTES / 10);
    return err;
}

static enum err
shared(struct app *app, struct ctx *ctx, const struct http_request *rq, struct http_response *rs)
{
    (void)ctx;
    (void)rq;
    rs->prepared = app->prepared;
    return ERR_OK;
}

static enum err
same(struct app *app, struct ctx *ctx, const struct http_request *rq, struct http_response *rs)
{
    (void)app;
    (void)ctx;
    (void)rq;
    rs->status = 304;
    http_response_field(rs, "ETag", "\"a\"");
    return ERR_OK;
}

/* On the event loop; with "?fresh" not. */
static bool
kept(struct app *app, struct ctx *ctx, const struct http_request *rq, struct http_response *rs)
{
    (void)ctx;
    if (rq->query.count > 0)
        return false;
    atomic_fetch_add(&app->kept.users_count, 1);
    rs->prepared = app->prepared;
    rs->holds = &app->kept;
    return true;
}

/* The worker's answer in its stead. */
static enum err
fresh(struct app *app, struct ctx *ctx, const struct http_request *rq, struct http_response *rs)
{
    (void)app;
    return say(rs, rq->session || ctx->user ? "who asks was not asked anew" : "fresh");
}

/* "?" in Authorization: it is not known without I/O. */
static bool recall(struct app *app, struct ctx *ctx, struct http_request *rq)
{
    const char *authorization = rq->fields[HTTP_FIELD_AUTHORIZATION];
    rq->session = (const struct session *)(const void *)app;
    ctx->user = "somebody";
    return !(authorization && strcmp(authorization, "?") == 0);
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
     .pattern = "/same",
     .protection = PROTECTION_NONE,
     .lane = LANE_LOOP,
     .handler = same},
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
    {.method = HTTP_POST,
     .pattern = "/gate",
     .protection = PROTECTION_NONE,
     .lane = LANE_WORKER,
     .body_type = BODY_FORM,
     .body_max_bytes = HTTP_BODY_LARGE_BYTES + 1,
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
     .pattern = "/kept",
     .protection = PROTECTION_VIEWER,
     .lane = LANE_WORKER,
     .cached = kept,
     .handler = fresh},
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
     .pattern = "/mirror",
     .protection = PROTECTION_NONE,
     .lane = LANE_WORKER,
     .body_type = BODY_FORM,
     .body_max_bytes = SMALL_BODY_BYTES,
     .handler = mirror},
    {.method = HTTP_GET,
     .pattern = "/large",
     .protection = PROTECTION_NONE,
     .lane = LANE_WORKER,
     .handler = large},
    {.method = HTTP_GET,
     .pattern = "/costly",
     .protection = PROTECTION_NONE,
     .lane = LANE_WORKER,
     .handler = costly},
    {.method = HTTP_POST,
     .pattern = "/nothing",
     .protection = PROTECTION_NONE,
     .lane = LANE_LOOP,
     .handler = echo},
};

/* ---- start and end ---- */

void gate_open(struct app *app)
{
    (void)pthread_mutex_lock(&app->lock);
    app->is_gate_open = true;
    (void)pthread_cond_broadcast(&app->changed);
    (void)pthread_mutex_unlock(&app->lock);
}

void gate_wait(struct app *app, size_t count)
{
    (void)pthread_mutex_lock(&app->lock);
    while (app->at_gate_count < count)
        (void)pthread_cond_wait(&app->changed, &app->lock);
    (void)pthread_mutex_unlock(&app->lock);
}

struct http_server_options world_options(struct world *world)
{
    return (struct http_server_options){
        .app = &world->app,
        .log = world->log,
        .listen = "127.0.0.1",
        .loops = 2,
        .connections_max_count = 1000,
        .head_max_bytes = HEAD_BYTES,
        .idle_timeout_s = 60,
        .read_timeout_s = 60,
        .request_deadline_ms = 60000,
        .router = {.routes = routes, .count = ARRAY_COUNT(routes)},
        .lanes = {[LANE_WORKER] = world->workers},
        .guard = guard,
        .recall = recall,
        .render_error = render,
        .decorate = decorate,
    };
}

void world_start_with(struct world *world, const struct http_server_options *options)
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

void world_prepare(struct world *world, int64_t workers_count, int64_t queue_max_count)
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

void world_start(struct world *world)
{
    world_prepare(world, 4, 64);
    struct http_server_options options = world_options(world);
    world_start_with(world, &options);
}

void world_stop(struct world *world)
{
    gate_open(&world->app);
    assert_int_equal(http_server_drain(world->server, 10000), 0);
    http_server_free(world->server);
    world_free_rest(world);
}

void world_free_rest(struct world *world)
{
    workers_free(world->workers);
    log_free(world->log);
    http_prepared_free(world->app.prepared);
}

/* ---- a client ---- */

int client_open(const struct world *world)
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

void client_send(int fd, const char *text, size_t size_bytes)
{
    while (size_bytes > 0) {
        ssize_t sent_bytes = send(fd, text, size_bytes, MSG_NOSIGNAL);
        if (sent_bytes <= 0)
            return; /* closed: the answer tells */
        text += sent_bytes;
        size_bytes -= (size_t)sent_bytes;
    }
}

void client_say(int fd, const char *text)
{
    client_send(fd, text, strlen(text));
}

void client_answer(int fd, bool has_body, struct answer *out_answer)
{
    memset(out_answer, 0, offsetof(struct answer, text) + 1);
    out_answer->size_bytes = 0;
    out_answer->status = 0;
    out_answer->body = "";
    while (!strstr(out_answer->text, "\r\n\r\n")) {
        if (recv(fd, out_answer->text + out_answer->size_bytes, 1, 0) != 1)
            return;
        out_answer->text[++out_answer->size_bytes] = '\0';
    }
    out_answer->body = out_answer->text + out_answer->size_bytes;
    assert_int_equal(sscanf(out_answer->text, "HTTP/1.1 %d", &out_answer->status), 1);
    const char *length = strstr(out_answer->text, "Content-Length: ");
    size_t body_bytes = 0;
    if (has_body && length)
        assert_int_equal(sscanf(length, "Content-Length: %zu", &body_bytes), 1);
    size_t all_bytes = out_answer->size_bytes + body_bytes;
    while (out_answer->size_bytes < all_bytes) {
        ssize_t got_bytes = recv(fd, out_answer->text + out_answer->size_bytes,
                                 all_bytes - out_answer->size_bytes, 0);
        assert_true(got_bytes > 0);
        out_answer->size_bytes += (size_t)got_bytes;
    }
    out_answer->text[out_answer->size_bytes] = '\0';
}

bool client_is_closed(int fd)
{
    char byte;
    return recv(fd, &byte, 1, 0) <= 0;
}

int client_ask(const struct world *world, const char *request, struct answer *out_answer)
{
    int fd = client_open(world);
    client_say(fd, request);
    client_answer(fd, strncmp(request, "HEAD", 4) != 0, out_answer);
    return fd;
}

struct answer answer;

void client_expect(
    const struct world *world, const char *request, int status, const char *body, bool stays_open)
{
    int fd = client_ask(world, request, &answer);
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
        if (!client_is_closed(fd))
            print_error("stays open or says more after: %.200s\n", request);
        assert_true(client_is_closed(fd));
    }
    (void)close(fd);
}

bool library_is_old(void)
{
    static const char old[] = "GNU libmicrohttpd 0.";
    return strncmp(http_server_library(), old, sizeof(old) - 1) == 0;
}

int client_post(const struct world *world, const char *head, size_t body_bytes)
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
