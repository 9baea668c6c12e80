/* SPDX-License-Identifier: MIT
 *
 * A client of Redis: commands and their answers over one connection, and a subscriber to a channel.
 * Both connect by themselves to the host of the options or to the master that its sentinels name.
 *
 * redis_new → any number of redis_run → redis_free; redis_new never connects.
 * redis_subscriber_open → any number of redis_subscriber_wait → redis_subscriber_free.
 *
 * Every call ends within the options' timeout_ms, but for looking up a name, which the resolver
 * limits. Once it is known that Redis does not answer, calls fail at once and one of them tries
 * again now and then, never two at a time (redis_place.h).
 * Threads: each connection is one thread's at a time. */
#ifndef NOTES_REDIS_H
#define NOTES_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "data/redis_settings.h"

struct ctx;
struct redis;
struct redis_subscriber;

#define REDIS_ANSWER_MAX_BYTES (32L * 1024 * 1024)
#define REDIS_ITEMS_MAX_COUNT  10000 /* of all lists of one answer */
#define REDIS_NESTING_MAX      6     /* lists in lists */
#define REDIS_BATCH_MAX_COUNT  10000
#define REDIS_PING_EVERY_MS    5000
#define REDIS_CLIENT_NAME      "notes-svc"

/* The options must outlive it. */
struct redis *redis_new(const struct redis_options *options);
void redis_free(struct redis *redis);
DEFINE_CLEANUP(struct redis *, redis_free)

enum redis_kind { REDIS_NIL, REDIS_INTEGER, REDIS_TEXT, REDIS_STATUS, REDIS_LIST };

/* In ctx's arena. */
struct redis_answer {
    enum redis_kind kind;
    int64_t integer;
    struct bytes text; /* of TEXT and STATUS, any bytes, and a NUL after them */
    struct redis_answer *items;
    size_t items_count;
};

/* One command of binary-safe arguments. can_repeat: running it twice does no harm. */
struct redis_command {
    const struct bytes *args;
    size_t args_count;
    bool can_repeat;
};

/* struct redis_command get = {REDIS_ARGS(redis_text("GET"), key), .can_repeat = true}; */
#define REDIS_ARGS(...)                          \
    .args = (const struct bytes[]){__VA_ARGS__}, \
    .args_count = ARRAY_COUNT(((const struct bytes[]){__VA_ARGS__}))

static inline struct bytes redis_text(const char *text)
{
    return (struct bytes){(const unsigned char *)text, strlen(text)};
}

/* A connection that is found dead before anything was sent is made anew at once. A command that was
 * sent and not answered has an unknown outcome: it is repeated only if it can be.
 * Errors:  ERR_UNAVAILABLE not reachable, not in time, full, or not a server that may be written to
 *          now; ERR_INTERNAL any other error that Redis answers, or an answer beyond the limits.
 *          The reason names neither values nor passwords. */
MUST_CHECK enum err redis_run(struct ctx *ctx,
                              struct redis *redis,
                              const struct redis_command *command,
                              struct redis_answer *out_answer);

/* Several in one round trip: all are sent and run, whatever becomes of each; the first error wins.
 * Units: count 1..REDIS_BATCH_MAX_COUNT. */
MUST_CHECK enum err redis_run_all(struct ctx *ctx,
                                  struct redis *redis,
                                  const struct redis_command *commands,
                                  size_t count,
                                  struct redis_answer *out_answers);

/* Connects and subscribes, within timeout_ms whatever ctx's deadline (as above). It tries also
 * while others fail at once; the caller waits between tries. That nobody answers is known to all
 * then; a refusal to subscribe is nobody else's. Owns: the caller, redis_subscriber_free. */
MUST_CHECK enum err redis_subscriber_open(struct ctx *ctx,
                                          const struct redis_options *options,
                                          const char *channel,
                                          struct redis_subscriber **out_subscriber);

/* Waits for a message, at most wait_ms or until wake_fd (-1: none) can be read. The message is
 * valid until the next call. The server is pinged when it was silent for REDIS_PING_EVERY_MS; no
 * answer within timeout_ms is ERR_UNAVAILABLE, after which the subscriber is of no more use. */
MUST_CHECK enum err redis_subscriber_wait(struct ctx *ctx,
                                          struct redis_subscriber *subscriber,
                                          int wake_fd,
                                          int64_t wait_ms,
                                          struct bytes *out_message,
                                          bool *out_has_message);
void redis_subscriber_free(struct redis_subscriber *subscriber);
DEFINE_CLEANUP(struct redis_subscriber *, redis_subscriber_free)

#endif
