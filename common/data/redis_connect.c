/* SPDX-License-Identifier: MIT
 *
 * Each sentinel gets a part of the time, so that one that hangs leaves some for the next. The one
 * that answered last is asked first.
 * Source: Redis documentation, "Guidelines for Redis clients with support for Redis Sentinel".
 * Depends on: redis_link.h, redis_place.h, redis_error.h. */
#include "data/redis_connect.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/parse.h"
#include "base/text.h"
#include "data/redis_error.h"
#include "data/redis_place.h"

#define PORT_MAX        65535
#define STEPS_MAX_COUNT 4

enum err redis_fail_error(struct ctx *ctx, const struct redis_link *link, const char *error)
{
    struct redis_error meant = redis_error_of(error);
    return ctx_fail(ctx, meant.err, "Redis %s: %s%s%s", redis_link_name(link),
                    meant.meaning ? meant.meaning : "", meant.meaning ? ": " : "",
                    redis_error_shown(&ctx->arena, error));
}

/* What a connection begins with: all sent at once. */
struct steps {
    struct redis_command commands[STEPS_MAX_COUNT];
    struct redis_reply replies[STEPS_MAX_COUNT];
    size_t count;
    size_t optional; /* the one that may be forbidden to us */
};

static struct redis_reply *add_step(struct steps *steps, const struct bytes *args, size_t count)
{
    steps->commands[steps->count] = (struct redis_command){.args = args, .args_count = count};
    return &steps->replies[steps->count++];
}

static enum err
run_steps(struct ctx *ctx, struct redis_link *link, int64_t until_ms, struct steps *steps)
{
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < steps->count; i++)
        err = redis_link_add(ctx, link, &steps->commands[i]);
    return err ? err : redis_link_exchange(ctx, link, steps->count, until_ms, steps->replies);
}

static struct bytes secret_bytes(const struct secret *secret)
{
    return (struct bytes){(const unsigned char *)secret->text, secret->size_bytes};
}

static bool is_text(const struct redis_answer *answer)
{
    return answer->kind == REDIS_TEXT;
}

static bool is_master(const struct redis_answer *role)
{
    return role->kind == REDIS_LIST && role->items_count > 0 && is_text(&role->items[0]) &&
           text_equals((const char *)role->items[0].text.p, "master");
}

/* A user that may not name its connections goes without. */
static enum err
judge_steps(struct ctx *ctx, const struct redis_link *link, const struct steps *steps)
{
    for (size_t i = 0; i < steps->count; i++) {
        const char *error = steps->replies[i].error;
        if (!error || (i == steps->optional && redis_error_is(error, "NOPERM")))
            continue;
        (void)!redis_fail_error(ctx, link, error);
        return ERR_UNAVAILABLE; /* whatever it means for a command */
    }
    return ERR_OK;
}

static enum err sign_in(struct ctx *ctx,
                        const struct redis_options *options,
                        struct redis_link *link,
                        int64_t until_ms)
{
    const struct bytes auth[] = {
        redis_text("AUTH"),
        redis_text(options->username ? options->username : "default"),
        options->password ? secret_bytes(options->password) : redis_text(""),
    };
    const struct bytes old_auth[] = {auth[0], auth[2]};
    const struct bytes select[] = {
        redis_text("SELECT"),
        redis_text(arena_format(&ctx->arena, "%d", (int)options->database)),
    };
    const struct bytes name[] = {redis_text("CLIENT"), redis_text("SETNAME"),
                                 redis_text(REDIS_CLIENT_NAME)};
    const struct bytes role[] = {redis_text("ROLE")};
    struct steps steps = {.optional = STEPS_MAX_COUNT};
    const struct redis_reply *role_reply = NULL;
    if (options->password && options->username)
        (void)add_step(&steps, auth, ARRAY_COUNT(auth));
    else if (options->password)
        (void)add_step(&steps, old_auth, ARRAY_COUNT(old_auth));
    if (options->database)
        (void)add_step(&steps, select, ARRAY_COUNT(select));
    steps.optional = steps.count;
    (void)add_step(&steps, name, ARRAY_COUNT(name));
    if (options->sentinels_count)
        role_reply = add_step(&steps, role, ARRAY_COUNT(role));
    enum err err = run_steps(ctx, link, until_ms, &steps);
    err = err ? ERR_UNAVAILABLE : judge_steps(ctx, link, &steps);
    if (!err && role_reply && !is_master(&role_reply->answer))
        return ctx_fail(ctx, ERR_UNAVAILABLE, "Redis %s: the sentinels' master is none",
                        redis_link_name(link));
    return err;
}

/* One sentinel's word. */
static enum err ask_sentinel(struct ctx *ctx,
                             const struct redis_options *options,
                             const struct redis_host *sentinel,
                             int64_t until_ms,
                             struct redis_host *out_master)
{
    CLEANUP(redis_link_close_ptr) struct redis_link *link = NULL;
    enum err err = redis_link_open(ctx, sentinel, until_ms, &link);
    if (err)
        return err;
    const struct secret *password = options->sentinel_password;
    const struct bytes auth[] = {redis_text("AUTH"),
                                 password ? secret_bytes(password) : redis_text("")};
    const struct bytes ask[] = {redis_text("SENTINEL"), redis_text("get-master-addr-by-name"),
                                redis_text(options->master)};
    struct steps steps = {.optional = STEPS_MAX_COUNT};
    if (password)
        (void)add_step(&steps, auth, ARRAY_COUNT(auth));
    const struct redis_reply *asked = add_step(&steps, ask, ARRAY_COUNT(ask));
    err = run_steps(ctx, link, until_ms, &steps);
    err = err ? ERR_UNAVAILABLE : judge_steps(ctx, link, &steps);
    if (err)
        return err;
    const struct redis_answer *answer = &asked->answer;
    struct redis_host master = {.port = 0};
    bool is_fine = answer->kind == REDIS_LIST && answer->items_count == 2 &&
                   is_text(&answer->items[0]) && is_text(&answer->items[1]) &&
                   parse_i64((const char *)answer->items[1].text.p, 1, PORT_MAX, &master.port);
    if (!is_fine)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "sentinel %s: knows no master of that name",
                        redis_link_name(link));
    master.host = (const char *)answer->items[0].text.p;
    *out_master = master;
    return ERR_OK;
}

static enum err find_master(struct ctx *ctx,
                            const struct redis_options *options,
                            struct redis_place *place,
                            int64_t until_ms,
                            struct redis_host *out_master)
{
    size_t first = place ? redis_place_sentinel(place) : 0;
    for (size_t i = 0; i < options->sentinels_count; i++) {
        size_t at = (first + i) % options->sentinels_count;
        int64_t now_ms = clock_monotonic_ms();
        int64_t parts = (int64_t)(options->sentinels_count - i) + 1;
        int64_t part_until_ms = now_ms + (until_ms - now_ms) / parts;
        ctx_forgive(ctx); /* the last one's reason is told */
        if (ask_sentinel(ctx, options, &options->sentinels[at], part_until_ms, out_master))
            continue;
        if (place)
            redis_place_set_sentinel(place, at);
        return ERR_OK;
    }
    return ctx_fail(ctx, ERR_UNAVAILABLE, "no sentinel answers");
}

enum err redis_connect(struct ctx *ctx,
                       const struct redis_options *options,
                       struct redis_place *place,
                       int64_t until_ms,
                       struct redis_link **out_link)
{
    struct redis_host host = options->host;
    enum err err = ERR_OK;
    if (options->sentinels_count)
        err = find_master(ctx, options, place, until_ms, &host);
    if (err)
        return err;
    ctx_forgive(ctx); /* sentinels that did not answer before the one that did */
    CLEANUP(redis_link_close_ptr) struct redis_link *link = NULL;
    err = redis_link_open(ctx, &host, until_ms, &link);
    if (!err)
        err = sign_in(ctx, options, link, until_ms);
    if (!err)
        *out_link = TAKE(link);
    return err;
}
