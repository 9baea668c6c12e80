/* SPDX-License-Identifier: MIT
 *
 * The channel's name is the site's, so that sites that share a Redis don't hear each other (its
 * database numbers don't part channels). What others put there is refused by its digest. Depends
 * on: redis.h, hub.h, site.h. */
#include "live/bus.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "app.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/test_hook.h"
#include "base/text.h"
#include "base/thread.h"
#include "data/redis.h"
#include "live/hub.h"
#include "live/outbox.h"
#include "page/shared_page.h"
#include "session/session_cache.h"
#include "site.h"

#define CHANNEL_MAX_CHARS 63
#define STEP_BUDGET_MS    60000 /* of one wait and its message; Redis' own time-out is shorter */
#define WAIT_MS           1000

struct bus {
    struct bus_options options;
    char channel[CHANNEL_MAX_CHARS + 1];
    char sender[BUS_SENDER_CHARS + 1];
    pthread_t thread;
    bool has_thread;
    int wake_fd;
    _Atomic bool is_stopping;
    _Atomic bool is_muted; /* the last publication failed */
    struct outbox outbox;

    /* The thread's own. */
    bool is_lost; /* and it was said */
    int64_t refused_count;
    int64_t retry_ms;
};

static struct bytes key_of(const struct bus *bus)
{
    const struct site *site = bus->options.site;
    return (struct bytes){.p = site->bus_key, .n = sizeof(site->bus_key)};
}

/* ---- publishing ---- */

#define PUBLISH_ARGS_COUNT 3

/* Twice does no harm: an event that is known is dropped, the rest says "look". */
static void send(struct ctx *ctx, struct bus *bus, const struct bytes *texts, size_t count)
{
    struct redis_command *commands = arena_take_array(&ctx->arena, count, sizeof(*commands));
    struct redis_answer *answers = arena_take_array(&ctx->arena, count, sizeof(*answers));
    for (size_t i = 0; i < count; i++) {
        struct bytes *args = arena_take_array(&ctx->arena, PUBLISH_ARGS_COUNT, sizeof(*args));
        args[0] = redis_text("PUBLISH");
        args[1] = redis_text(bus->channel);
        args[2] = texts[i];
        commands[i] = (struct redis_command){
            .args = args, .args_count = PUBLISH_ARGS_COUNT, .can_repeat = true};
    }
    enum err err = redis_run_all(ctx, ctx->redis, commands, count, answers);
    if (!err)
        atomic_store(&bus->is_muted, false);
    else if (!atomic_exchange(&bus->is_muted, true))
        log_warn(ctx, "live.publish_failed", log_str("why", ctx->why.text));
    if (err)
        ctx_forgive(ctx);
}

static void send_gathered(struct ctx *ctx, struct bus *bus)
{
    UNCLEARED struct outbox_load load;
    outbox_begin(&bus->outbox, &load);
    send(ctx, bus, load.texts, load.count);
    outbox_end(&bus->outbox, &load);
}

void bus_publish(struct ctx *ctx, struct bus *bus, const struct bus_message *message)
{
    if (!bus)
        return;
    struct bus_message own = *message;
    own.sender = bus->sender;
    const struct bytes text = bus_message_write(&ctx->arena, key_of(bus), &own);
    /* The end of a session waits for nobody. */
    enum outbox_turn turn =
        own.kind == BUS_SESSION_END ? OUTBOX_FULL : outbox_put(&bus->outbox, text);
    if (turn == OUTBOX_FULL)
        send(ctx, bus, &text, 1);
    else if (turn == OUTBOX_SEND)
        send_gathered(ctx, bus);
}

/* ---- what others say ---- */

static void drop_kept(struct app *app, const struct bus_message *message)
{
    if (message->kind == BUS_SESSION_END)
        session_cache_drop(app, message->digest);
    else
        shared_page_drop(app, message->key);
    if (message->is_home_too)
        shared_page_drop(app, SHARED_PAGE_HOME);
}

static void take_event(struct bus *bus, const struct bus_message *message)
{
    const struct live_step step = {.key = message->key,
                                   .previous = message->previous,
                                   .revision = message->revision,
                                   .is_gone = message->kind == BUS_GONE};
    struct hub *hub = bus->options.hub;
    if (hub_has_room(hub, message->key) && hub_backlog_bytes(hub) < BUS_BACKLOG_MAX_BYTES)
        hub_publish(hub, &step, message->packet);
}

static void take_message(struct bus *bus, const struct bus_message *message)
{
    struct hub *hub = bus->options.hub;
    if (text_equals(message->sender, bus->sender))
        return;
    TEST_HOOK("bus.heard");
    drop_kept(bus->options.app, message);
    switch (message->kind) {
    case BUS_EVENT:
    case BUS_GONE:
        take_event(bus, message);
        break;
    case BUS_REFRESH:
        if (hub_has_room(hub, message->key))
            hub_refresh(hub, message->key);
        break;
    case BUS_SESSION_END:
        hub_end_session(hub, message->digest);
        break;
    case BUS_KINDS_COUNT:
        break;
    }
    if (message->is_home_too && hub_has_room(hub, HUB_HOME))
        hub_refresh(hub, HUB_HOME);
}

/* ---- the thread ---- */

static enum err listen_once(struct bus *bus, struct redis_subscriber *subscriber)
{
    struct bytes text;
    bool has_message = false;
    struct bus_message message;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, bus->options.log, STEP_BUDGET_MS);
    enum err err =
        redis_subscriber_wait(&ctx, subscriber, bus->wake_fd, WAIT_MS, &text, &has_message);
    if (err) {
        trust_lose(&bus->options.app->trust); /* before it is told */
        log_warn(&ctx, "live.bus_lost", log_str("why", ctx.why.text));
        bus->is_lost = true;
        return err;
    }
    if (!has_message)
        return ERR_OK;
    if (bus_message_read(&ctx.arena, key_of(bus), text, &message)) {
        take_message(bus, &message);
    } else if (bus->refused_count++ == 0) {
        log_warn(&ctx, "live.message_refused", log_i64("bytes", (int64_t)text.n));
    }
    return ERR_OK;
}

/* What was said while nobody listened is found by comparing. */
static void listen(struct bus *bus, struct redis_subscriber *subscriber)
{
    bus->retry_ms = BUS_RETRY_FIRST_MS;
    trust_gain(&bus->options.app->trust);
    hub_confirm_all(bus->options.hub);
    while (!atomic_load(&bus->is_stopping) && !listen_once(bus, subscriber))
        continue;
    trust_lose(&bus->options.app->trust);
}

static void rest(struct bus *bus)
{
    uint32_t random = 0;
    secret_random(&random, sizeof(random));
    int64_t half_ms = bus->retry_ms / 2;
    struct pollfd wake = {.fd = bus->wake_fd, .events = POLLIN};
    (void)poll(&wake, 1, (int)(half_ms + (int64_t)random % (half_ms + 1)));
    bus->retry_ms = bus->retry_ms * 2 < BUS_RETRY_MAX_MS ? bus->retry_ms * 2 : BUS_RETRY_MAX_MS;
}

static void join(struct bus *bus)
{
    CLEANUP(redis_subscriber_free_ptr) struct redis_subscriber *subscriber = NULL;
    struct ctx ctx;
    ctx_init(&ctx, bus->options.log, STEP_BUDGET_MS);
    enum err err = redis_subscriber_open(&ctx, bus->options.redis, bus->channel, &subscriber);
    if (err && !bus->is_lost)
        log_warn(&ctx, "live.bus_lost", log_str("why", ctx.why.text));
    else if (!err)
        log_info(&ctx, "live.bus_joined", log_str("channel", bus->channel));
    bus->is_lost = err;
    ctx_done(&ctx);
    if (!err)
        listen(bus, subscriber);
}

/* The first one was told when it came. */
static void log_refused_count(struct bus *bus)
{
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, bus->options.log, STEP_BUDGET_MS);
    log_warn(&ctx, "live.messages_refused", log_i64("count", bus->refused_count));
}

static void *run(void *argument)
{
    struct bus *bus = argument;
    (void)pthread_setname_np(pthread_self(), "live-bus");
    while (!atomic_load(&bus->is_stopping)) {
        join(bus);
        if (!atomic_load(&bus->is_stopping))
            rest(bus);
    }
    if (bus->refused_count > 1)
        log_refused_count(bus);
    return NULL;
}

/* ---- life ---- */

static void set_names(struct bus *bus)
{
    unsigned char sender[BUS_SENDER_BYTES];
    struct arena arena;
    arena_init(&arena);
    (void)snprintf(bus->channel, sizeof(bus->channel), "notes:%s:events", bus->options.site->id);
    secret_random(sender, sizeof(sender));
    (void)memcpy(bus->sender, secret_base64url(&arena, sender, sizeof(sender)),
                 sizeof(bus->sender));
    arena_done(&arena);
}

struct bus *bus_new(const struct bus_options *options)
{
    struct bus *bus = calloc(1, sizeof(*bus));
    if (!bus)
        abort();
    bus->options = *options;
    bus->retry_ms = BUS_RETRY_FIRST_MS;
    outbox_init(&bus->outbox);
    set_names(bus);
    bus->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bus->has_thread = bus->wake_fd >= 0 && thread_start(&bus->thread, run, bus);
    if (bus->has_thread)
        return bus;
    bus_free(bus);
    return NULL;
}

void bus_stop(struct bus *bus)
{
    if (!bus || !bus->has_thread)
        return;
    uint64_t one = 1;
    atomic_store(&bus->is_stopping, true);
    (void)!write(bus->wake_fd, &one, sizeof(one));
    (void)pthread_join(bus->thread, NULL);
    bus->has_thread = false;
}

void bus_free(struct bus *bus)
{
    if (!bus)
        return;
    bus_stop(bus);
    if (bus->wake_fd >= 0)
        (void)close(bus->wake_fd);
    outbox_done(&bus->outbox);
    free(bus);
}
