/* SPDX-License-Identifier: MIT
 *
 * Depends on: hub_world.h, hub.h, workers.h. */
#include "hub_world.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/ctx.h"
#include "base/text.h"
#include "live/room.h"

#include "hub_client.h"
#include "unit.h"

static const char *state_of(struct ctx *ctx, int64_t revision, size_t size_bytes)
{
    char *text = arena_take(&ctx->arena, size_bytes + 32);
    int bytes = snprintf(text, 32, "state %lld", (long long)revision);
    if ((size_t)bytes < size_bytes)
        memset(text + bytes, '.', size_bytes - (size_t)bytes);
    return text;
}

static enum err
read_state(struct app *app, struct ctx *ctx, const char *key, int64_t known, struct hub_state *out)
{
    (void)key;
    (void)pthread_mutex_lock(&app->lock);
    *out = (struct hub_state){.exists = app->revision > 0, .revision = app->revision};
    (void)pthread_mutex_unlock(&app->lock);
    if (!out->exists)
        out->packet = "gone";
    else if (out->revision != known)
        out->packet = state_of(ctx, out->revision, app->state_bytes);
    atomic_fetch_add(&app->states_count, out->exists && out->packet);
    atomic_fetch_add(&app->reads_count, 1);
    return atomic_load(&app->is_unread) ? ERR_UNAVAILABLE : ERR_OK;
}

static enum err confirm(
    struct app *app, struct ctx *ctx, const char *const *keys, size_t count, int64_t *out_revisions)
{
    (void)keys;
    assert_true(count >= 1 && count <= ROOM_CONFIRM_COUNT);
    int64_t overtakes = atomic_exchange(&app->overtakes, 0);
    (void)pthread_mutex_lock(&app->lock);
    int64_t previous = app->revision;
    app->revision = overtakes ? overtakes : app->revision;
    for (size_t i = 0; i < count; i++)
        out_revisions[i] = app->revision;
    (void)pthread_mutex_unlock(&app->lock);
    if (overtakes)
        hub_publish(app->hub,
                    &(struct live_step){.key = "k", .previous = previous, .revision = overtakes},
                    arena_format(&ctx->arena, "event %lld", (long long)overtakes));
    atomic_fetch_add(&app->confirms_count, 1);
    return atomic_load(&app->is_away) ? ERR_UNAVAILABLE : ERR_OK;
}

static enum err serve(struct app *app, struct ctx *ctx, const struct hub_call *call)
{
    (void)ctx;
    int at = atomic_fetch_add(&app->served_count, 1);
    (void)pthread_mutex_lock(&app->lock); /* a test may hold it */
    if (at < (int)ARRAY_COUNT(app->served_ids))
        app->served_ids[at] = call->id;
    (void)pthread_mutex_unlock(&app->lock);
    return ERR_OK;
}

static enum err check(struct app *app,
                      struct ctx *ctx,
                      const unsigned char digest[SECRET_DIGEST_BYTES],
                      bool *out_is_alive)
{
    uint32_t session = 0;
    (void)ctx;
    memcpy(&session, digest + SECRET_DIGEST_BYTES - sizeof(session), sizeof(session));
    *out_is_alive =
        atomic_load(&app->is_session_alive) && session != atomic_load(&app->over_session);
    return ERR_OK;
}

static void leave(struct app *app, void *place)
{
    (void)place;
    atomic_fetch_add(&app->left_count, 1);
}

void start_as(struct world *world, const struct world_wish *wish)
{
    int64_t ping_ms = wish->ping_ms ? wish->ping_ms : PING_NEVER_MS;
    memset(world, 0, sizeof(*world));
    assert_int_equal(pthread_mutex_init(&world->app.lock, NULL), 0);
    atomic_store(&world->app.is_session_alive, true);
    world->app.revision = 10;
    world->workers = workers_new(&(struct workers_options){.name = "worker",
                                                           .count = wish->takes_turns ? 1 : 2,
                                                           .queue_max_count = 100,
                                                           .takes_turns = wish->takes_turns});
    assert_non_null(world->workers);
    world->hub = hub_new(&(struct hub_options){
        .app = &world->app,
        .workers = world->workers,
        .writers = world->workers,
        .times = {.ping_interval_ms = ping_ms, .ping_timeout_ms = 10 * ping_ms},
        .connect_timeout_ms = PING_NEVER_MS,
        .queue_max_bytes = wish->queue_max_bytes,
        .waiting_max_bytes = wish->waiting_max_bytes,
        .unread_max_bytes = wish->unread_max_bytes,
        .check_every_ms = wish->check_every_ms,
        .confirm_every_ms = wish->confirm_every_ms,
        .read = read_state,
        .confirm = confirm,
        .serve = serve,
        .check = check,
        .leave = leave,
    });
    assert_non_null(world->hub);
    world->app.hub = world->hub;
}

void start(struct world *world, int64_t check_every_ms)
{
    start_as(world, &(struct world_wish){.check_every_ms = check_every_ms,
                                         .confirm_every_ms = PING_NEVER_MS,
                                         .queue_max_bytes = 1 << 20});
}

void start_confirming(struct world *world)
{
    start_as(world, &(struct world_wish){.check_every_ms = PING_NEVER_MS,
                                         .confirm_every_ms = CONFIRM_EVERY_MS,
                                         .queue_max_bytes = 1 << 20});
}

void stop(struct world *world)
{
    hub_stop(world->hub);
    workers_free(world->workers);
    hub_free(world->hub);
    (void)pthread_mutex_destroy(&world->app.lock);
}

/* ---- a client by hand ---- */

static int admit(struct world *world, const struct hub_newcomer *newcomer)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    hub_admit(world->hub, pair[1], (struct bytes){.p = NULL, .n = 0}, newcomer);
    assert_int_equal(hear(pair[0])[0], '0');
    return pair[0];
}

int come(struct world *world, bool is_signed_in)
{
    struct hub_newcomer newcomer = {.is_signed_in = is_signed_in, .peer = "192.0.2.1"};
    memset(newcomer.digest, SESSION_FILL, sizeof(newcomer.digest));
    return admit(world, &newcomer);
}

int come_as(struct world *world, uint32_t session)
{
    struct hub_newcomer newcomer = {.is_signed_in = true, .peer = "192.0.2.1"};
    memcpy(newcomer.digest + sizeof(newcomer.digest) - sizeof(session), &session, sizeof(session));
    memcpy(newcomer.digest, &session, 2); /* by its first bytes it is found */
    return admit(world, &newcomer);
}

int come_from(struct world *world, uint64_t owner)
{
    struct hub_newcomer newcomer = {.is_signed_in = true, .owner = owner};
    memset(newcomer.digest, SESSION_FILL, sizeof(newcomer.digest));
    return admit(world, &newcomer);
}

void join(int fd, const char *packet)
{
    say(fd, packet);
    assert_true(text_starts_with(hear(fd), CONNECTED_START));
}

/* An answered event comes after what the join brings. */
void join_settled(int fd, const char *packet)
{
    join(fd, packet);
    say(fd, "42/notes,9[\"settled\"]");
    assert_true(text_starts_with(hear(fd), "43/notes,9["));
}

void publish(struct world *world, int64_t previous, int64_t revision)
{
    char packet[32];
    const struct live_step step = {.key = "k", .previous = previous, .revision = revision};
    (void)snprintf(packet, sizeof(packet), "event %lld", (long long)revision);
    (void)pthread_mutex_lock(&world->app.lock);
    if (revision > world->app.revision)
        world->app.revision = revision;
    (void)pthread_mutex_unlock(&world->app.lock);
    hub_publish(world->hub, &step, packet);
}
