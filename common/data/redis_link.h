/* SPDX-License-Identifier: MIT
 *
 * One TCP connection to a Redis: bytes of commands out, answers in, each wait until a given time.
 * Knows nothing of who is asked and what for. Private to redis*.c.
 *
 * redis_link_open → any number of (redis_link_add → redis_link_exchange), or one exchange and then
 * redis_link_listen → redis_link_close. After an error it can only be closed.
 * Units: until_ms is a clock_monotonic_ms(). */
#ifndef NOTES_REDIS_LINK_H
#define NOTES_REDIS_LINK_H

#include "data/redis.h"

struct redis_link;

/* An answer or an error, "WRONGTYPE Operation against ...". */
struct redis_reply {
    struct redis_answer answer;
    const char *error; /* NULL: none */
};

/* What came on a subscribed connection. */
enum redis_news {
    REDIS_NEWS_NONE,
    REDIS_NEWS_MESSAGE,
    REDIS_NEWS_OTHER, /* another answer, or a part of one */
};

/* The name is looked up by the system's resolver, whose own time limits hold for that. */
MUST_CHECK enum err redis_link_open(struct ctx *ctx,
                                    const struct redis_host *host,
                                    int64_t until_ms,
                                    struct redis_link **out_link);
void redis_link_close(struct redis_link *link);
DEFINE_CLEANUP(struct redis_link *, redis_link_close)

/* "host:port", for messages. */
const char *redis_link_name(const struct redis_link *link);

/* False: the server closed it, or sent what nobody asked for. */
bool redis_link_is_usable(const struct redis_link *link);

/* Puts a command after those that wait to be sent. Its bytes are copied, and wiped when sent. */
MUST_CHECK enum err
redis_link_add(struct ctx *ctx, struct redis_link *link, const struct redis_command *command);

/* Sends what waits; has anything of it left? */
MUST_CHECK enum err redis_link_send(struct ctx *ctx, struct redis_link *link, int64_t until_ms);
bool redis_link_has_sent(const struct redis_link *link);

/* Sends what waits and reads so many answers; reading goes on while a large batch is sent.
 * Errors: ERR_UNAVAILABLE closed or too late; ERR_INTERNAL not Redis, or beyond a limit. */
MUST_CHECK enum err redis_link_exchange(struct ctx *ctx,
                                        struct redis_link *link,
                                        size_t count,
                                        int64_t until_ms,
                                        struct redis_reply *out_replies);

/* Waits for something pushed, or until wake_fd (-1: none) can be read. The message is valid until
 * the next call. */
MUST_CHECK enum err redis_link_listen(struct ctx *ctx,
                                      struct redis_link *link,
                                      int wake_fd,
                                      int64_t until_ms,
                                      struct bytes *out_message,
                                      enum redis_news *out_news);

#endif
