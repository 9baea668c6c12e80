/* SPDX-License-Identifier: MIT
 *
 * A TCP socket to a Redis: non-blocking, closed on exec, without delay, kept alive. Private to
 * redis_link.c. Units: until_ms is a clock_monotonic_ms(). */
#ifndef NOTES_REDIS_SOCKET_H
#define NOTES_REDIS_SOCKET_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct redis_host;

/* Each address of the name in turn, until one takes it; the time that is left is shared by those
 * that are left. Looking the name up is not held to until_ms: the resolver has its own limits. */
MUST_CHECK enum err redis_socket_connect(struct ctx *ctx,
                                         const struct redis_host *host,
                                         int64_t until_ms,
                                         int *out_socket);

/* poll() until then; at least once. False: nothing happened. */
bool redis_socket_wait(struct pollfd *wanted, size_t count, int64_t until_ms);

#endif
