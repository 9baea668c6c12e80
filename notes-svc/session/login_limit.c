/* SPDX-License-Identifier: MIT
 *
 * The shared bucket is one number under notes:SITE:login:ADDRESS: the time (of Redis, in
 * microseconds) at which it will be full again. A try moves it on by a minute's part, and may be
 * made while it is less than a minute ahead; the key goes when the bucket is full. Each change is
 * one script, so that two processes can't both take the last one, nor leave a key that never goes.
 * Depends on: redis.h, rate.h. */
#include "session/login_limit.h"

#include <inttypes.h>

#include "app.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/rate.h"
#include "config.h"
#include "data/redis.h"

#define MINUTE_US  INT64_C(60000000)
#define US_PER_S   INT64_C(1000000)
#define WAIT_MAX_S 60

/* ARGV: microseconds that one costs, and that the bucket holds. */
static const char TAKE[] =
    "local t = redis.call('TIME') "
    "local now = t[1] * 1000000 + t[2] "
    "local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + ARGV[1] "
    "if full - now > tonumber(ARGV[2]) then return full - now - ARGV[2] end "
    "redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX',"
    " string.format('%.0f', math.ceil((full - now) / 1000))) "
    "return 0";
static const char GIVE_BACK[] = "local t = redis.call('TIME') "
                                "local now = t[1] * 1000000 + t[2] "
                                "local full = tonumber(redis.call('GET', KEYS[1]) or 0) - ARGV[1] "
                                "if full <= now then return redis.call('DEL', KEYS[1]) end "
                                "redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX',"
                                " string.format('%.0f', math.ceil((full - now) / 1000))) "
                                "return 0";

static const char *number(struct ctx *ctx, int64_t value)
{
    return arena_format(&ctx->arena, "%" PRId64, value);
}

/* Returns 0 also when Redis can't tell: the process's own bucket has been asked. */
static int64_t run(struct app *app, struct ctx *ctx, const char *script, const char *address)
{
    int64_t per_minute = app->config->login_failures_per_min;
    struct redis_answer answer;
    if (per_minute <= 0 || !ctx->redis)
        return 0;
    int64_t cost_us = MINUTE_US / per_minute;
    const char *key = arena_format(&ctx->arena, "notes:%s:login:%s", app->site.id, address);
    const struct redis_command command = {REDIS_ARGS(
        redis_text("EVAL"), redis_text(script), redis_text("1"), redis_text(key),
        redis_text(number(ctx, cost_us)), redis_text(number(ctx, cost_us * per_minute)))};
    if (redis_run(ctx, ctx->redis, &command, &answer)) {
        log_debug(ctx, "auth.limit_not_shared", log_str("why", ctx->why.text));
        ctx_forgive(ctx);
        return 0;
    }
    return answer.kind == REDIS_INTEGER ? answer.integer : 0;
}

int64_t login_limit_take(struct app *app, struct ctx *ctx, const char *address)
{
    int64_t wait_s = rate_take(app->login_failures, address, clock_monotonic_ms());
    if (wait_s)
        return wait_s;
    int64_t wait_us = run(app, ctx, TAKE, address);
    if (wait_us <= 0)
        return 0;
    rate_give_back(app->login_failures, address);
    wait_s = (wait_us + US_PER_S - 1) / US_PER_S;
    return wait_s < WAIT_MAX_S ? wait_s : WAIT_MAX_S;
}

void login_limit_give_back(struct app *app, struct ctx *ctx, const char *address)
{
    rate_give_back(app->login_failures, address);
    (void)run(app, ctx, GIVE_BACK, address);
}
