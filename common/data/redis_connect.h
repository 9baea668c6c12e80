/* SPDX-License-Identifier: MIT
 *
 * How a connection to Redis comes about: the sentinels are asked who the master is, then sign-in,
 * database and name. Private to redis*.c. */
#ifndef NOTES_REDIS_CONNECT_H
#define NOTES_REDIS_CONNECT_H

#include "data/redis_link.h"

/* With sentinels, what is connected to said itself that it is a master. Tells `place` (may be NULL)
 * nothing but which sentinel answered.
 * Errors: ERR_UNAVAILABLE only. Owns: the caller, redis_link_close. Units: clock_monotonic_ms(). */
MUST_CHECK enum err redis_connect(struct ctx *ctx,
                                  const struct redis_options *options,
                                  struct redis_place *place,
                                  int64_t until_ms,
                                  struct redis_link **out_link);

/* The reason of an answer that is an error. */
MUST_CHECK enum err
redis_fail_error(struct ctx *ctx, const struct redis_link *link, const char *error);

#endif
