/* SPDX-License-Identifier: MIT
 *
 * A connection that listens to one channel, and finds out by itself when nobody is there any more.
 * Depends on: redis_connect.h, redis_link.h, redis_place.h. */
#include "data/redis.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "data/redis_connect.h"
#include "data/redis_link.h"
#include "data/redis_place.h"

struct redis_subscriber {
    const struct redis_options *options;
    struct redis_link *link;
    int64_t heard_ms;  /* when anything came last */
    int64_t pinged_ms; /* 0: no answer is awaited */
};

static enum err subscribe(struct ctx *ctx,
                          struct redis_link *link,
                          const char *channel,
                          int64_t until_ms,
                          struct redis_reply *out_reply)
{
    const struct redis_command command = {REDIS_ARGS(redis_text("SUBSCRIBE"), redis_text(channel))};
    enum err err = redis_link_add(ctx, link, &command);
    return err ? err : redis_link_exchange(ctx, link, 1, until_ms, out_reply);
}

/* A refusal is an answer: a user who may not subscribe makes Redis away for nobody. */
static void
note_answer(struct redis_place *place, const struct ctx *ctx, enum err err /* ERR_OK: it came */)
{
    if (place && err)
        redis_place_missed(place, ctx->why.text);
    else if (place)
        redis_place_found(place);
}

static enum err open_link(struct ctx *ctx,
                          const struct redis_options *options,
                          const char *channel,
                          struct redis_link **out_link)
{
    int64_t until_ms = clock_monotonic_ms() + options->timeout_ms;
    CLEANUP(redis_link_close_ptr) struct redis_link *link = NULL;
    struct redis_reply reply = {.error = NULL};
    enum err err = redis_connect(ctx, options, options->place, until_ms, &link);
    if (!err)
        err = subscribe(ctx, link, channel, until_ms, &reply);
    note_answer(options->place, ctx, err);
    if (!err && reply.error)
        err = redis_fail_error(ctx, link, reply.error);
    if (!err)
        *out_link = TAKE(link);
    return err;
}

/* In a context of its own: the caller's may live as long as its thread. */
enum err redis_subscriber_open(struct ctx *ctx,
                               const struct redis_options *options,
                               const char *channel,
                               struct redis_subscriber **out_subscriber)
{
    struct redis_link *link = NULL;
    struct ctx own;
    ctx_init(&own, ctx->log, options->timeout_ms);
    enum err err = open_link(&own, options, channel, &link);
    if (err)
        (void)ctx_fail(ctx, err, "%s", own.why.text);
    ctx_done(&own);
    if (err)
        return err;
    struct redis_subscriber *subscriber = calloc(1, sizeof(*subscriber));
    if (!subscriber)
        abort();
    subscriber->options = options;
    subscriber->link = link;
    subscriber->heard_ms = clock_monotonic_ms();
    *out_subscriber = subscriber;
    return ERR_OK;
}

void redis_subscriber_free(struct redis_subscriber *subscriber)
{
    if (!subscriber)
        return;
    redis_link_close(subscriber->link);
    free(subscriber);
}

/* When the ping is due, or its answer. */
static int64_t next_ms(const struct redis_subscriber *subscriber)
{
    if (subscriber->pinged_ms)
        return subscriber->pinged_ms + subscriber->options->timeout_ms;
    return subscriber->heard_ms + REDIS_PING_EVERY_MS;
}

/* Nothing came until next_ms. */
static enum err ask_whether_there(struct ctx *ctx, struct redis_subscriber *subscriber)
{
    if (subscriber->pinged_ms) {
        enum err err = ctx_fail(ctx, ERR_UNAVAILABLE, "Redis %s: has fallen silent",
                                redis_link_name(subscriber->link));
        if (subscriber->options->place)
            redis_place_missed(subscriber->options->place, ctx->why.text);
        return err;
    }
    const struct redis_command ping = {REDIS_ARGS(redis_text("PING"))};
    enum err err = redis_link_add(ctx, subscriber->link, &ping);
    subscriber->pinged_ms = clock_monotonic_ms();
    return err ? err : redis_link_send(ctx, subscriber->link, next_ms(subscriber));
}

enum err redis_subscriber_wait(struct ctx *ctx,
                               struct redis_subscriber *subscriber,
                               int wake_fd,
                               int64_t wait_ms,
                               struct bytes *out_message,
                               bool *out_has_message)
{
    int64_t end_ms = clock_monotonic_ms() + wait_ms;
    while (true) {
        int64_t next = next_ms(subscriber);
        enum redis_news news = REDIS_NEWS_NONE;
        enum err err = redis_link_listen(ctx, subscriber->link, wake_fd,
                                         next < end_ms ? next : end_ms, out_message, &news);
        if (err)
            return err;
        int64_t now_ms = clock_monotonic_ms();
        if (news != REDIS_NEWS_NONE) {
            subscriber->heard_ms = now_ms;
            subscriber->pinged_ms = 0;
        } else if (now_ms >= next) {
            err = ask_whether_there(ctx, subscriber);
            if (err)
                return err;
        }
        bool is_woken = news == REDIS_NEWS_NONE && now_ms < next;
        *out_has_message = news == REDIS_NEWS_MESSAGE;
        if (*out_has_message || is_woken || now_ms >= end_ms)
            return ERR_OK;
    }
}
