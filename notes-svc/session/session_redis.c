/* SPDX-License-Identifier: MIT
 *
 * Sessions in Redis: one record each, under its site's name, so that a session of another site on
 * the same Redis is none here. Redis lets it go by itself when the session is over. A session that
 * was signed out must not come back with what a request at the same time stores, so that only
 * replaces.
 *
 * Besides, a hash for each user (under a keyed digest of the name) says which sessions there may
 * be: the digest of each, with what is known of its sign-in. A session is entered together with its
 * record, in one script. One that ended is found by its missing record and taken out when the list
 * is read; the whole goes when the last one that was entered must be over. The record alone says
 * whether a session is alive. A session of a program that knows no lists is entered at its next
 * use. A list that can't be written stops no sign-in. Depends on: redis.h, session_record.h. */
#include <inttypes.h>
#include <string.h>

#include "app.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/log.h"
#include "config.h"
#include "data/redis.h"
#include "session/session.h"
#include "session/session_driver.h"
#include "session/session_record.h"

#define MS_PER_S  ((int64_t)1000)
#define HEX_CHARS (2 * (size_t)SECRET_DIGEST_BYTES)

/* KEYS: record, list. ARGV: record, its life in ms, digest, sign-in, the list's life in ms. The
 * first to write is the record: a full Redis refuses it, and all with it. What it answers to the
 * rest is let pass (pcall). */
static const char INSERT[] =
    "if not redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX') then return 0 end "
    "redis.pcall('HSET', KEYS[2], ARGV[3], ARGV[4]) "
    "redis.pcall('PEXPIRE', KEYS[2], ARGV[5]) "
    "return 1";

/* The times of a record are written anew, and it is found by them, as session_record_write has made
 * it. What is later there already stays, and with it the record's life. KEYS: as above. ARGV: used,
 * its life in ms, digest, sign-in, the list's life in ms, checked, now. */
static const char TOUCH[] =
    "local record = redis.call('GET', KEYS[1]) or '' "
    "local head, used, checked, rest = record:match('^(2\\n%d+\\n)(%d+)\\n(%d+)(\\n.*)$') "
    "if not head then return 0 end "
    "local is_later = tonumber(used) > tonumber(ARGV[1]) and tonumber(used) <= tonumber(ARGV[7]) "
    "if not is_later then used = ARGV[1] end "
    "if tonumber(checked) < tonumber(ARGV[6]) or tonumber(checked) > tonumber(ARGV[7]) then"
    " checked = ARGV[6] end "
    "record = head .. used .. '\\n' .. checked .. rest "
    "if is_later then redis.call('SET', KEYS[1], record, 'KEEPTTL')"
    " else redis.call('SET', KEYS[1], record, 'PX', ARGV[2]) end "
    "if redis.pcall('HSETNX', KEYS[2], ARGV[3], ARGV[4]) == 1 then"
    " redis.pcall('PEXPIRE', KEYS[2], ARGV[5]) end "
    "return 1";
/* KEYS: list. ARGV: what the keys of records begin with, how many at most. Three values for each:
 * digest, record, sign-in. */
static const char LIST[] = "local found = {} "
                           "local entries = redis.call('HGETALL', KEYS[1]) "
                           "for i = 1, #entries, 2 do"
                           " local record = redis.call('GET', ARGV[1] .. entries[i])"
                           " if not record then redis.call('HDEL', KEYS[1], entries[i])"
                           " elseif #found < 3 * ARGV[2] then"
                           " found[#found + 1] = entries[i]"
                           " found[#found + 1] = record"
                           " found[#found + 1] = entries[i + 1]"
                           " end "
                           "end "
                           "return found";
#define LIST_STEP 3

/* ---- keys ---- */

static const char *key_prefix(struct ctx *ctx, const struct app *app)
{
    return arena_format(&ctx->arena, "notes:%s:session:", app->site.id);
}

static struct bytes key_of(struct ctx *ctx, const struct app *app, const struct session *session)
{
    return redis_text(arena_format(&ctx->arena, "%s%s", key_prefix(ctx, app),
                                   session_hex(ctx, session->digest, SECRET_DIGEST_BYTES)));
}

/* Names of any length and any bytes make keys of one form, which tell nobody's name. */
static struct bytes list_key(struct ctx *ctx, const struct app *app, const char *username)
{
    unsigned char digest[SECRET_DIGEST_BYTES];
    const struct bytes key = {.p = app->site.session_key, .n = sizeof(app->site.session_key)};
    secret_digest(key, username, strlen(username), digest);
    return redis_text(arena_format(&ctx->arena, "notes:%s:user-sessions:%s", app->site.id,
                                   session_hex(ctx, digest, SECRET_DIGEST_BYTES)));
}

static struct bytes number(struct ctx *ctx, int64_t value)
{
    return redis_text(arena_format(&ctx->arena, "%" PRId64, value));
}

/* ---- one session ---- */

/* What Redis refuses for another reason than being away is our mistake or its set-up, and no
 * statement about the session. */
static enum err ask(struct ctx *ctx, const struct redis_command *command, struct redis_answer *out)
{
    enum err err = redis_run(ctx, ctx->redis, command, out);
    return err ? ERR_UNAVAILABLE : ERR_OK;
}

/* Repeated it does the same, but for INSERT, which then only says "exists". */
static enum err put(struct ctx *ctx,
                    const struct app *app,
                    const struct session *session,
                    const char *script,
                    struct bytes first,
                    const struct session_moment *moment)
{
    struct redis_answer answer;
    const struct redis_command command = {
        REDIS_ARGS(redis_text("EVAL"), redis_text(script), redis_text("2"),
                   key_of(ctx, app, session), list_key(ctx, app, session->username), first,
                   number(ctx, moment->left_ms),
                   redis_text(session_hex(ctx, session->digest, SECRET_DIGEST_BYTES)),
                   session_sign_in_write(ctx, session),
                   number(ctx, app->config->session_absolute_s * MS_PER_S),
                   number(ctx, session->checked_unix_ms), number(ctx, moment->now_unix_ms)),
        .can_repeat = true,
    };
    return ask(ctx, &command, &answer);
}

static enum err insert(struct ctx *ctx,
                       const struct app *app,
                       const struct session *session,
                       const struct session_moment *moment)
{
    struct bytes record;
    enum err err = session_record_write(ctx, &app->site, session, &record);
    return err ? err : put(ctx, app, session, INSERT, record, moment);
}

static enum err touch(struct ctx *ctx,
                      const struct app *app,
                      const struct session *session,
                      const struct session_moment *moment)
{
    return put(ctx, app, session, TOUCH, number(ctx, session->used_unix_ms), moment);
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
    if (!session_record_read(ctx, &app->site, answer.text, session))
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

/* ---- all of a user ---- */

static bool read_digit(char digit, unsigned char *out_value)
{
    const char *at = digit ? strchr("0123456789abcdef", digit) : NULL;
    if (at)
        *out_value = (unsigned char)(at - "0123456789abcdef");
    return at;
}

/* False: somebody else has written into the list. */
static bool read_hex(struct bytes hex, unsigned char out_digest[SECRET_DIGEST_BYTES])
{
    if (hex.n != HEX_CHARS)
        return false;
    for (size_t i = 0; i < SECRET_DIGEST_BYTES; i++) {
        unsigned char high = 0;
        unsigned char low = 0;
        if (!read_digit((char)hex.p[2 * i], &high) || !read_digit((char)hex.p[2 * i + 1], &low))
            return false;
        out_digest[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

/* False: it is no session, or another user's. */
static bool read_item(struct ctx *ctx,
                      const struct app *app,
                      const struct redis_answer *items,
                      const char *username,
                      struct session *session)
{
    if (!read_hex(items[0].text, session->digest))
        return false;
    if (session_record_read(ctx, &app->site, items[1].text, session)) {
        ctx_forgive(ctx);
        return false;
    }
    session_sign_in_read(ctx, items[2].text, session);
    return strcmp(session->username, username) == 0;
}

static enum err list(struct ctx *ctx,
                     const struct app *app,
                     const char *username,
                     int64_t limit_count,
                     struct session_list *out_list)
{
    struct redis_answer answer;
    const struct redis_command command = {
        REDIS_ARGS(redis_text("EVAL"), redis_text(LIST), redis_text("1"),
                   list_key(ctx, app, username), redis_text(key_prefix(ctx, app)),
                   number(ctx, limit_count)),
        .can_repeat = true,
    };
    enum err err = ask(ctx, &command, &answer);
    if (err)
        return err;
    if (answer.kind != REDIS_LIST)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "Redis: a list of sessions is none");
    struct session_list list = {
        .items =
            arena_take_array(&ctx->arena, answer.items_count / LIST_STEP + 1, sizeof(*list.items))};
    for (size_t i = 0; i + LIST_STEP <= answer.items_count; i += LIST_STEP)
        list.count += read_item(ctx, app, &answer.items[i], username, &list.items[list.count]);
    *out_list = list;
    return ERR_OK;
}

static enum err delete_all(struct ctx *ctx, const struct app *app, const struct session_list *list)
{
    struct redis_answer answer;
    struct bytes *args = arena_take_array(&ctx->arena, list->count + 1, sizeof(*args));
    args[0] = redis_text("DEL");
    for (size_t i = 0; i < list->count; i++)
        args[i + 1] = key_of(ctx, app, &list->items[i]);
    const struct redis_command del = {
        .args = args, .args_count = list->count + 1, .can_repeat = true};
    return ask(ctx, &del, &answer);
}

const struct session_driver session_redis = {
    .insert = insert,
    .fill = fill,
    .touch = touch,
    .delete = delete_key,
    .list = list,
    .delete_all = delete_all,
};
