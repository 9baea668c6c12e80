/* SPDX-License-Identifier: MIT
 *
 * Sessions in Redis: one record each, under its site's name, so that a session of another site on
 * the same Redis is none here. Redis lets it go by itself when the session is over. A session that
 * was signed out must not come back with what a request at the same time stores, so that only
 * replaces. Depends on: redis.h, session_record.h. */
#include <inttypes.h>

#include "app.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/log.h"
#include "data/redis.h"
#include "session/session.h"
#include "session/session_driver.h"
#include "session/session_record.h"

/* In hexadecimal, for people who look at the keys. */
static struct bytes key_of(struct ctx *ctx, const struct app *app, const struct session *session)
{
    static const char DIGITS[] = "0123456789abcdef";
    char digest[2 * SECRET_DIGEST_BYTES + 1];
    char *at = digest;
    for (size_t i = 0; i < SECRET_DIGEST_BYTES; i++) {
        *at++ = DIGITS[session->digest[i] >> 4];
        *at++ = DIGITS[session->digest[i] & 0xf];
    }
    *at = '\0';
    return redis_text(arena_format(&ctx->arena, "notes:%s:session:%s", app->site.id, digest));
}

/* What Redis refuses for another reason than being away is our mistake or its set-up, and no
 * statement about the session. */
static enum err ask(struct ctx *ctx, const struct redis_command *command, struct redis_answer *out)
{
    enum err err = redis_run(ctx, ctx->redis, command, out);
    return err ? ERR_UNAVAILABLE : ERR_OK;
}

/* `condition`: NX or XX. Repeated it does the same, but for NX, which then only says "exists". */
static enum err put(struct ctx *ctx,
                    const struct app *app,
                    const struct session *session,
                    const char *condition,
                    int64_t left_ms)
{
    struct bytes record;
    struct redis_answer answer;
    enum err err = session_record_write(ctx, session, &record);
    if (err)
        return err;
    const char *left = arena_format(&ctx->arena, "%" PRId64, left_ms);
    const struct redis_command set = {
        REDIS_ARGS(redis_text("SET"), key_of(ctx, app, session), record, redis_text("PX"),
                   redis_text(left), redis_text(condition)),
        .can_repeat = true,
    };
    return ask(ctx, &set, &answer);
}

static enum err
insert(struct ctx *ctx, const struct app *app, const struct session *session, int64_t left_ms)
{
    return put(ctx, app, session, "NX", left_ms);
}

static enum err
touch(struct ctx *ctx, const struct app *app, const struct session *session, int64_t left_ms)
{
    return put(ctx, app, session, "XX", left_ms);
}

static enum err fill(struct ctx *ctx, const struct app *app, struct session *session)
{
    struct redis_answer answer;
    const struct redis_command get = {REDIS_ARGS(redis_text("GET"), key_of(ctx, app, session)),
                                      .can_repeat = true};
    enum err err = ask(ctx, &get, &answer);
    if (err)
        return err;
    if (answer.kind != REDIS_TEXT)
        return ERR_NOT_FOUND;
    if (!session_record_read(ctx, answer.text, session))
        return ERR_OK;
    log_warn(ctx, "session.record_refused", log_str("why", ctx->why.text));
    ctx_forgive(ctx);
    return ERR_NOT_FOUND;
}

static enum err delete_key(struct ctx *ctx, const struct app *app, const struct session *session)
{
    struct redis_answer answer;
    const struct redis_command del = {REDIS_ARGS(redis_text("DEL"), key_of(ctx, app, session)),
                                      .can_repeat = true};
    return ask(ctx, &del, &answer);
}

const struct session_driver session_redis = {
    .insert = insert,
    .fill = fill,
    .touch = touch,
    .delete = delete_key,
};
