/* SPDX-License-Identifier: MIT
 *
 * The service's own server needs lanes, which need what the start still waits for; this one needs
 * nothing. A thread sees to it, for the main one is amid the start. Depends on: http_server.h,
 * json_body.h. */
#include "service/start_health.h"

#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/address.h"
#include "base/ctx.h"
#include "base/thread.h"
#include "http/http_message.h"
#include "http/json_body.h"

#define TICK_MS  1000
#define DRAIN_MS 500

static const struct networks no_proxies;

static bool has_ended(const struct start_health *health, int wait_ms)
{
    struct pollfd end = {.fd = health->end_fd, .events = POLLIN};
    return poll(&end, 1, wait_ms) > 0;
}

/* What the service will know by and by is no unknown path. */
static void render_error(struct app *app,
                         struct ctx *ctx,
                         const struct http_request *rq,
                         enum err err,
                         struct http_response *rs)
{
    (void)app;
    (void)rq;
    bool is_unknown = err == ERR_NOT_FOUND || err == ERR_METHOD;
    if (is_unknown) {
        ctx->why.hint = "The service is starting.";
        ctx->retry_after_s = HTTP_RETRY_AFTER_S;
    }
    json_body_error(ctx, is_unknown ? ERR_UNAVAILABLE : err, rs);
}

static void *answer_meanwhile(void *argument)
{
    const struct start_health *health = argument;
    struct http_server *server = NULL;
    struct ctx ctx;
    (void)pthread_setname_np(pthread_self(), "start health");
    if (has_ended(health, START_QUIET_MS))
        return NULL;
    ctx_init(&ctx, health->options.log, TICK_MS);
    if (http_server_new(&ctx, &health->options, &server) == ERR_OK) {
        http_server_send_away(server);
        while (!has_ended(health, TICK_MS))
            http_server_tick(server);
        (void)http_server_drain(server, DRAIN_MS);
        http_server_free(server);
    }
    ctx_done(&ctx);
    return NULL;
}

void start_health_begin(struct start_health *health, const struct http_server_options *options)
{
    health->options = *options;
    health->options.loops = 1;
    health->options.trusted = &no_proxies;
    health->options.connections_per_address_count = 0;
    health->options.render_error = render_error;
    health->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    health->has_thread =
        health->end_fd >= 0 && thread_start(&health->thread, answer_meanwhile, health);
}

void start_health_end(struct start_health *health)
{
    const uint64_t one = 1;
    if (health->has_thread && write(health->end_fd, &one, sizeof(one)) == (ssize_t)sizeof(one))
        (void)pthread_join(health->thread, NULL);
    health->has_thread = false;
    if (health->end_fd >= 0)
        (void)close(health->end_fd);
}
