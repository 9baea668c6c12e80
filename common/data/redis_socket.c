/* SPDX-License-Identifier: MIT
 *
 * Depends on: clock.h, ctx.h, redis_url.h. */
#include "data/redis_socket.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "data/keep_alive.h"
#include "data/redis_url.h"

#define KEEP_IDLE_S      15
#define KEEP_EVERY_S     5
#define KEEP_TRIES_COUNT 3
#define PORT_BYTES       8

DEFINE_CLEANUP(struct addrinfo *, freeaddrinfo)

bool redis_socket_wait(struct pollfd *wanted, size_t count, int64_t until_ms)
{
    while (true) {
        int64_t left_ms = until_ms - clock_monotonic_ms();
        int wait_ms = left_ms < 0 ? 0 : left_ms > INT_MAX ? INT_MAX : (int)left_ms;
        int ready = poll(wanted, count, wait_ms);
        if (ready >= 0 || errno != EINTR)
            return ready > 0;
    }
}

static void set_options(int socket)
{
    const int one = 1;
    (void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    keep_alive(socket, KEEP_IDLE_S, KEEP_EVERY_S, KEEP_TRIES_COUNT);
}

/* 0, or the number of what went wrong. */
static int connect_until(int socket, const struct addrinfo *address, int64_t until_ms)
{
    if (connect(socket, address->ai_addr, address->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    struct pollfd wanted = {.fd = socket, .events = POLLOUT};
    if (!redis_socket_wait(&wanted, 1, until_ms))
        return ETIMEDOUT;
    int number = 0;
    socklen_t size = sizeof(number);
    return getsockopt(socket, SOL_SOCKET, SO_ERROR, &number, &size) == 0 ? number : errno;
}

/* A socket, or the negative number of what went wrong. */
static int try_address(const struct addrinfo *address, int64_t until_ms)
{
    int made = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0)
        return -errno;
    set_options(made);
    int number = connect_until(made, address, until_ms);
    if (!number)
        return made;
    (void)close(made);
    return -number;
}

/* Each gets a part of the time, so that one that is dead leaves some for the next. */
static int try_addresses(const struct addrinfo *addresses, int64_t until_ms)
{
    int64_t left_count = 0;
    for (const struct addrinfo *at = addresses; at; at = at->ai_next)
        left_count++;
    int made = -EADDRNOTAVAIL;
    for (const struct addrinfo *at = addresses; at && made < 0; at = at->ai_next) {
        int64_t now_ms = clock_monotonic_ms();
        made = try_address(at, now_ms + (until_ms - now_ms) / left_count--);
    }
    return made;
}

static const char *number_text(int number)
{
    switch (number) {
    case ECONNREFUSED:
        return "connection refused";
    case ETIMEDOUT:
        return "no connection in time";
    default:
        return "no connection";
    }
}

enum err redis_socket_connect(struct ctx *ctx,
                              const struct redis_host *host,
                              int64_t until_ms,
                              int *out_socket)
{
    char port[PORT_BYTES];
    (void)snprintf(port, sizeof(port), "%" PRId64, host->port);
    CLEANUP(freeaddrinfo_ptr) struct addrinfo *addresses = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    int fault = getaddrinfo(host->host, port, &hints, &addresses);
    if (fault)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "Redis %s: the name can't be looked up: %s",
                        host->host, gai_strerror(fault));
    int made = try_addresses(addresses, until_ms);
    if (made < 0)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "Redis %s:%s: %s (error %d)", host->host, port,
                        number_text(-made), -made);
    *out_socket = made;
    return ERR_OK;
}
