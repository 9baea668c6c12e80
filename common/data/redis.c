/* SPDX-License-Identifier: MIT
 *
 * Commands: when to connect, when to try again, and when not to.
 * Depends on: redis_connect.h, redis_link.h, redis_place.h, redis_error.h. */
#include "data/redis.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "data/redis_connect.h"
#include "data/redis_error.h"
#include "data/redis_link.h"
#include "data/redis_place.h"

#define TRIES_MAX_COUNT 2

struct redis {
    const struct redis_options *options;
    struct redis_place own_place; /* when the options have none */
    struct redis_place *place;
    struct redis_link *link; /* NULL: not connected */
};

/* What one call runs. */
struct batch {
    const struct redis_command *commands;
    size_t count;
    struct redis_reply *replies;
    int64_t until_ms;
    bool is_short;   /* the request's deadline is before Redis' own time limit */
    bool can_repeat; /* all of them */
};

struct redis *redis_new(const struct redis_options *options)
{
    struct redis *redis = calloc(1, sizeof(*redis));
    if (!redis)
        abort();
    redis->options = options;
    redis_place_init(&redis->own_place);
    redis->place = options->place ? options->place : &redis->own_place;
    return redis;
}

static void drop_link(struct redis *redis)
{
    redis_link_close(redis->link);
    redis->link = NULL;
}

void redis_free(struct redis *redis)
{
    if (!redis)
        return;
    drop_link(redis);
    pthread_mutex_destroy(&redis->own_place.lock);
    free(redis);
}

/* A request that was late itself says nothing about Redis. */
static void note_missed(struct ctx *ctx, struct redis *redis, const struct batch *batch)
{
    if (!batch->is_short || clock_monotonic_ms() < batch->until_ms)
        redis_place_missed(redis->place, ctx->why.text);
}

static enum err ready_link(struct ctx *ctx, struct redis *redis, const struct batch *batch)
{
    if (redis->link && !redis_link_is_usable(redis->link))
        drop_link(redis);
    if (redis->link)
        return ERR_OK;
    ctx_forgive(ctx);
    enum err err = redis_connect(ctx, redis->options, redis->place, batch->until_ms, &redis->link);
    if (err)
        note_missed(ctx, redis, batch);
    return err;
}

static enum err
exchange(struct ctx *ctx, struct redis *redis, const struct batch *batch, bool *out_may_repeat)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < batch->count; i++)
        err = redis_link_add(ctx, redis->link, &batch->commands[i]);
    if (!err)
        err = redis_link_exchange(ctx, redis->link, batch->count, batch->until_ms, batch->replies);
    if (!err)
        return ERR_OK;
    bool is_late = clock_monotonic_ms() >= batch->until_ms;
    bool is_sent = redis_link_has_sent(redis->link);
    *out_may_repeat = err == ERR_UNAVAILABLE && !is_late && (batch->can_repeat || !is_sent);
    if (is_late)
        note_missed(ctx, redis, batch);
    drop_link(redis);
    return err;
}

/* The first answer that is an error. */
static enum err
judge(struct ctx *ctx, struct redis *redis, const struct batch *batch, bool *out_may_repeat)
{
    enum err err = ERR_OK;
    bool is_useless = false;
    for (size_t i = 0; i < batch->count; i++) {
        const char *error = batch->replies[i].error;
        if (!error)
            continue;
        enum redis_effect effect = redis_error_of(error).effect;
        is_useless |= effect != REDIS_EFFECT_STAYS;
        *out_may_repeat |= effect == REDIS_EFFECT_MOVE && redis->options->sentinels_count &&
                           (batch->count == 1 || batch->can_repeat);
        enum err of_this = redis_fail_error(ctx, redis->link, error);
        err = err ? err : of_this;
    }
    if (is_useless)
        drop_link(redis);
    return err;
}

static enum err
run_once(struct ctx *ctx, struct redis *redis, const struct batch *batch, bool *out_may_repeat)
{
    *out_may_repeat = false;
    enum err err = ready_link(ctx, redis, batch);
    if (!err)
        err = exchange(ctx, redis, batch, out_may_repeat);
    if (err)
        return err;
    redis_place_found(redis->place);
    return judge(ctx, redis, batch, out_may_repeat);
}

static struct batch batch_of(struct ctx *ctx,
                             const struct redis *redis,
                             const struct redis_command *commands,
                             size_t count)
{
    int64_t until_ms = clock_monotonic_ms() + redis->options->timeout_ms;
    bool is_short = ctx->deadline_ms < until_ms;
    struct batch batch = {
        .commands = commands,
        .count = count,
        .replies = arena_take_array(&ctx->arena, count, sizeof(struct redis_reply)),
        .until_ms = is_short ? ctx->deadline_ms : until_ms,
        .is_short = is_short,
        .can_repeat = true,
    };
    for (size_t i = 0; i < count; i++)
        batch.can_repeat &= commands[i].can_repeat;
    return batch;
}

static enum err run_batch(struct ctx *ctx, struct redis *redis, const struct batch *batch)
{
    bool may_repeat = true;
    enum err err = ERR_OK;
    for (int i = 0; may_repeat && i < TRIES_MAX_COUNT; i++) {
        if (i > 0)
            ctx_forgive(ctx);
        err = run_once(ctx, redis, batch, &may_repeat);
    }
    return err;
}

enum err redis_run_all(struct ctx *ctx,
                       struct redis *redis,
                       const struct redis_command *commands,
                       size_t count,
                       struct redis_answer *out_answers)
{
    char cause[REDIS_CAUSE_MAX_BYTES];
    bool is_alone = false;
    if (count == 0 || count > REDIS_BATCH_MAX_COUNT)
        return ctx_fail(ctx, ERR_INTERNAL, "%zu commands for Redis at once", count);
    if (ctx_left_ms(ctx) == 0)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "no time is left to ask Redis");
    if (!redis_place_may_try(redis->place, &is_alone, cause))
        return ctx_fail(ctx, ERR_UNAVAILABLE, "not asked just now: %s", cause);
    struct batch batch = batch_of(ctx, redis, commands, count);
    enum err err = run_batch(ctx, redis, &batch);
    redis_place_end_try(redis->place, is_alone);
    for (size_t i = 0; !err && i < count; i++)
        out_answers[i] = batch.replies[i].answer;
    return err;
}

enum err redis_run(struct ctx *ctx,
                   struct redis *redis,
                   const struct redis_command *command,
                   struct redis_answer *out_answer)
{
    return redis_run_all(ctx, redis, command, 1, out_answer);
}
