/* SPDX-License-Identifier: MIT
 *
 * Of the library the writer and the reader of the protocol are used, not its sockets: their time
 * limits hold for each read, so that a server that trickles could hold a caller for good. The
 * reader makes room for as many items as an answer announces: that is looked at before.
 * Depends on: hiredis, redis_socket.h, arena.h, secret.h. */
#include "data/redis_link.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "data/redis_socket.h"

#define READ_BYTES     (16 * 1024)
#define NAME_MAX_BYTES 300

#if HIREDIS_MAJOR >= 1
typedef size_t items_count;
#else
typedef int items_count;
#endif

struct redis_link {
    int socket;
    redisReader *reader;
    redisReplyObjectFunctions functions; /* of the reader: the library's but for lists */
    const redisReplyObjectFunctions *library;
    redisReply *held; /* what the last message stands in */
    char *out;
    size_t out_bytes;
    size_t room_bytes;
    size_t sent_bytes;
    long answer_bytes;   /* came for the answer that is not whole yet */
    size_t answer_items; /* announced by it */
    bool has_many_items; /* more than are taken */
    char name[NAME_MAX_BYTES];
};

/* NULL fails the reader. */
static void *make_list(const redisReadTask *task, items_count count)
{
    struct redis_link *link = task->privdata;
    size_t left = REDIS_ITEMS_MAX_COUNT - link->answer_items;
    link->has_many_items = count > 0 && (size_t)count > left;
    if (link->has_many_items)
        return NULL;
    link->answer_items += count > 0 ? (size_t)count : 0;
    return link->library->createArray(task, count);
}

static void watch_lists(struct redis_link *link)
{
    redisReader *reader = link->reader;
    link->library = reader->fn;
    link->functions = *reader->fn;
    link->functions.createArray = make_list;
    reader->fn = &link->functions;
    reader->privdata = link;
}

enum err redis_link_open(struct ctx *ctx,
                         const struct redis_host *host,
                         int64_t until_ms,
                         struct redis_link **out_link)
{
    int socket = -1;
    enum err err = redis_socket_connect(ctx, host, until_ms, &socket);
    if (err)
        return err;
    struct redis_link *link = calloc(1, sizeof(*link));
    redisReader *reader = redisReaderCreate();
    if (!link || !reader)
        abort();
    link->socket = socket;
    link->reader = reader;
    watch_lists(link);
    (void)snprintf(link->name, sizeof(link->name), "%s:%" PRId64, host->host, host->port);
    *out_link = link;
    return ERR_OK;
}

static void drop_output(struct redis_link *link)
{
    if (link->out)
        secret_wipe(link->out, link->out_bytes);
    free(link->out);
    link->out = NULL;
    link->out_bytes = 0;
    link->room_bytes = 0;
    link->sent_bytes = 0;
}

static void drop_held(struct redis_link *link)
{
    if (link->held)
        freeReplyObject(link->held);
    link->held = NULL;
}

void redis_link_close(struct redis_link *link)
{
    if (!link)
        return;
    drop_output(link);
    drop_held(link);
    redisReaderFree(link->reader);
    (void)close(link->socket);
    free(link);
}

const char *redis_link_name(const struct redis_link *link)
{
    return link->name;
}

bool redis_link_is_usable(const struct redis_link *link)
{
    char byte;
    ssize_t size = recv(link->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return size < 0 && errno == EAGAIN;
}

/* --- out --- */

/* Not realloc: what it leaves behind would not be wiped. */
static void append(struct redis_link *link, const char *bytes, size_t size_bytes)
{
    size_t needed_bytes = link->out_bytes + size_bytes;
    if (needed_bytes > link->room_bytes) {
        size_t room_bytes = needed_bytes * 2;
        char *larger = malloc(room_bytes);
        if (!larger)
            abort();
        if (link->out) {
            memcpy(larger, link->out, link->out_bytes);
            secret_wipe(link->out, link->out_bytes);
            free(link->out);
        }
        link->out = larger;
        link->room_bytes = room_bytes;
    }
    memcpy(link->out + link->out_bytes, bytes, size_bytes);
    link->out_bytes = needed_bytes;
}

enum err
redis_link_add(struct ctx *ctx, struct redis_link *link, const struct redis_command *command)
{
    size_t count = command->args_count;
    const char **texts = calloc(count + 1, sizeof(*texts));
    size_t *sizes = calloc(count + 1, sizeof(*sizes));
    if (!texts || !sizes)
        abort();
    for (size_t i = 0; i < count; i++) {
        sizes[i] = command->args[i].n;
        texts[i] = sizes[i] ? (const char *)command->args[i].p : "";
    }
    if (link->out_bytes && link->sent_bytes == link->out_bytes)
        drop_output(link);
    char *bytes = NULL;
    long long size_bytes = redisFormatCommandArgv(&bytes, (int)count, texts, sizes);
    free(texts);
    free(sizes);
    if (size_bytes <= 0)
        return ctx_fail(ctx, ERR_INTERNAL, "a command for Redis can't be written");
    append(link, bytes, (size_t)size_bytes);
    secret_wipe(bytes, (size_t)size_bytes);
    redisFreeCommand(bytes);
    return ERR_OK;
}

bool redis_link_has_sent(const struct redis_link *link)
{
    return link->sent_bytes > 0;
}

static bool has_unsent(const struct redis_link *link)
{
    return link->sent_bytes < link->out_bytes;
}

static enum err fail_lost(struct ctx *ctx, const struct redis_link *link, int number)
{
    if (number == 0)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "Redis %s: closed the connection", link->name);
    return ctx_fail(ctx, ERR_UNAVAILABLE, "Redis %s: connection lost (error %d)", link->name,
                    number);
}

static enum err send_some(struct ctx *ctx, struct redis_link *link)
{
    if (!has_unsent(link))
        return ERR_OK;
    ssize_t size = send(link->socket, link->out + link->sent_bytes,
                        link->out_bytes - link->sent_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size >= 0)
        link->sent_bytes += (size_t)size;
    else if (errno != EAGAIN && errno != EINTR)
        return fail_lost(ctx, link, errno);
    return ERR_OK;
}

static enum err fail_late(struct ctx *ctx, const struct redis_link *link)
{
    return ctx_fail(ctx, ERR_UNAVAILABLE, "Redis %s: no answer in time", link->name);
}

enum err redis_link_send(struct ctx *ctx, struct redis_link *link, int64_t until_ms)
{
    enum err err = send_some(ctx, link);
    while (!err && has_unsent(link)) {
        struct pollfd wanted = {.fd = link->socket, .events = POLLOUT};
        if (!redis_socket_wait(&wanted, 1, until_ms))
            return fail_late(ctx, link);
        err = send_some(ctx, link);
    }
    return err;
}

/* --- in --- */

static enum err read_some(struct ctx *ctx, struct redis_link *link)
{
    UNCLEARED char bytes[READ_BYTES];
    ssize_t size = recv(link->socket, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (size == 0)
        return fail_lost(ctx, link, 0);
    if (size < 0) {
        bool is_early = errno == EAGAIN || errno == EINTR;
        return is_early ? ERR_OK : fail_lost(ctx, link, errno);
    }
    link->answer_bytes += size;
    if (link->answer_bytes > REDIS_ANSWER_MAX_BYTES)
        return ctx_fail(ctx, ERR_INTERNAL, "Redis %s: an answer of more than %ld bytes", link->name,
                        REDIS_ANSWER_MAX_BYTES);
    if (redisReaderFeed(link->reader, bytes, (size_t)size) != REDIS_OK)
        return ctx_fail(ctx, ERR_INTERNAL, "Redis %s: out of memory", link->name);
    return ERR_OK;
}

/* The next whole answer of what was read, into `held`; NULL when there is none yet. */
static enum err take_reply(struct ctx *ctx, struct redis_link *link)
{
    void *reply = NULL;
    drop_held(link);
    bool is_fine = redisReaderGetReply(link->reader, &reply) == REDIS_OK;
    if (!is_fine && link->has_many_items)
        return ctx_fail(ctx, ERR_INTERNAL, "Redis %s: an answer of more than %d items", link->name,
                        REDIS_ITEMS_MAX_COUNT);
    if (!is_fine)
        return ctx_fail(ctx, ERR_INTERNAL, "Redis %s: does not speak the protocol", link->name);
    if (reply) {
        link->answer_bytes = 0;
        link->answer_items = 0;
    }
    link->held = reply;
    return ERR_OK;
}

static struct bytes copy_text(struct arena *arena, const redisReply *reply)
{
    char *copy = arena_text_copy(arena, reply->str, reply->len);
    return (struct bytes){(const unsigned char *)copy, reply->len};
}

/* False: nested too deep, or of an unknown kind. An error anywhere is the error of the whole. */
static bool copy_reply(struct arena *arena,
                       const redisReply *reply,
                       int lists_left,
                       struct redis_answer *answer,
                       const char **error)
{
    switch (reply->type) {
    case REDIS_REPLY_NIL:
        answer->kind = REDIS_NIL;
        return true;
    case REDIS_REPLY_INTEGER:
        answer->kind = REDIS_INTEGER;
        answer->integer = reply->integer;
        return true;
    case REDIS_REPLY_ERROR:
        *error = *error ? *error : arena_text_copy(arena, reply->str, reply->len);
        return true;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
        answer->kind = reply->type == REDIS_REPLY_STRING ? REDIS_TEXT : REDIS_STATUS;
        answer->text = copy_text(arena, reply);
        return true;
    case REDIS_REPLY_ARRAY:
        break;
    default:
        return false;
    }
    if (lists_left == 0)
        return false;
    answer->kind = REDIS_LIST;
    answer->items_count = reply->elements;
    answer->items = arena_take_array(arena, reply->elements, sizeof(*answer->items));
    bool is_fine = true;
    for (size_t i = 0; is_fine && i < reply->elements; i++)
        is_fine = copy_reply(arena, reply->element[i], lists_left - 1, &answer->items[i], error);
    return is_fine;
}

static enum err
hand_out(struct ctx *ctx, const struct redis_link *link, struct redis_reply *out_reply)
{
    *out_reply = (struct redis_reply){.error = NULL};
    if (!copy_reply(&ctx->arena, link->held, REDIS_NESTING_MAX, &out_reply->answer,
                    &out_reply->error))
        return ctx_fail(ctx, ERR_INTERNAL, "Redis %s: an answer of a kind not known", link->name);
    return ERR_OK;
}

/* All answers that are there already. */
static enum err hand_out_all(struct ctx *ctx,
                             struct redis_link *link,
                             size_t count,
                             struct redis_reply *out_replies,
                             size_t *got_count)
{
    while (*got_count < count) {
        enum err err = take_reply(ctx, link);
        if (err || !link->held)
            return err;
        err = hand_out(ctx, link, &out_replies[*got_count]);
        if (err)
            return err;
        ++*got_count;
    }
    drop_held(link);
    return ERR_OK;
}

enum err redis_link_exchange(struct ctx *ctx,
                             struct redis_link *link,
                             size_t count,
                             int64_t until_ms,
                             struct redis_reply *out_replies)
{
    size_t got_count = 0;
    enum err err = send_some(ctx, link);
    while (!err && got_count < count) {
        struct pollfd wanted = {.fd = link->socket, .events = POLLIN};
        if (has_unsent(link))
            wanted.events |= POLLOUT;
        if (!redis_socket_wait(&wanted, 1, until_ms))
            return fail_late(ctx, link);
        if (wanted.revents & ~POLLOUT)
            err = read_some(ctx, link);
        if (!err && wanted.revents & POLLOUT)
            err = send_some(ctx, link);
        if (!err)
            err = hand_out_all(ctx, link, count, out_replies, &got_count);
    }
    if (!err)
        drop_output(link);
    return err;
}

/* ["message", channel, text]; others are answers to SUBSCRIBE and PING. */
static enum err judge_news(struct ctx *ctx,
                           const struct redis_link *link,
                           struct bytes *out_message,
                           enum redis_news *out_news)
{
    const redisReply *reply = link->held;
    if (reply->type == REDIS_REPLY_ERROR)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "Redis %s: ended the subscription", link->name);
    bool is_message = reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
                      reply->element[0]->type == REDIS_REPLY_STRING &&
                      strcmp(reply->element[0]->str, "message") == 0 &&
                      reply->element[2]->type == REDIS_REPLY_STRING;
    *out_news = is_message ? REDIS_NEWS_MESSAGE : REDIS_NEWS_OTHER;
    if (is_message)
        *out_message =
            (struct bytes){(const unsigned char *)reply->element[2]->str, reply->element[2]->len};
    return ERR_OK;
}

enum err redis_link_listen(struct ctx *ctx,
                           struct redis_link *link,
                           int wake_fd,
                           int64_t until_ms,
                           struct bytes *out_message,
                           enum redis_news *out_news)
{
    enum err err = take_reply(ctx, link);
    if (!err && !link->held) {
        struct pollfd wanted[] = {{.fd = link->socket, .events = POLLIN},
                                  {.fd = wake_fd, .events = POLLIN}};
        *out_news = REDIS_NEWS_NONE;
        if (!redis_socket_wait(wanted, ARRAY_COUNT(wanted), until_ms) || !wanted[0].revents)
            return ERR_OK;
        err = read_some(ctx, link);
        if (!err)
            err = take_reply(ctx, link);
    }
    *out_news = REDIS_NEWS_OTHER;
    return err || !link->held ? err : judge_news(ctx, link, out_message, out_news);
}
