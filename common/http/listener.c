/* SPDX-License-Identifier: MIT
 *
 * Depends on: listener.h, ctx.h. The thread sleeps in poll(2) on the socket and on an eventfd that
 * ends it. */
#include "http/listener.h"

#include "base/clock.h"
#include "base/ctx.h"
#include "base/thread.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define BACKLOG_COUNT     4096 /* the kernel cuts it to net.core.somaxconn */
#define SERIES_MAX_COUNT  64   /* accepted before it is looked whether to end */
#define FULL_WAIT_MS      20
#define EXHAUSTED_WAIT_MS 100

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

enum err listener_make_room(struct ctx *ctx, int64_t connections_max_count, int64_t own_files_count)
{
    struct rlimit limit;
    rlim_t needed_count = (rlim_t)(connections_max_count + own_files_count);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "can't ask for the limit of open files: %s",
                        strerror(errno));
    if (limit.rlim_cur >= needed_count)
        return ERR_OK;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < needed_count)
        return ctx_fail(
            ctx, ERR_UNAVAILABLE,
            "can't hold %lld connections and %lld files: the system's limit of open files is %llu "
            "(ulimit -Hn)",
            (long long)connections_max_count, (long long)own_files_count,
            (unsigned long long)limit.rlim_max);
    limit.rlim_cur = needed_count;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "can't raise the limit of open files to %llu: %s",
                        (unsigned long long)needed_count, strerror(errno));
    return ERR_OK;
}

static bool
make_address(const char *listen, int64_t port, struct sockaddr_storage *out, socklen_t *out_bytes)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET6, listen, &v6.sin6_addr) == 1) {
        memcpy(out, &v6, sizeof(v6));
        *out_bytes = sizeof(v6);
        return true;
    }
    if (inet_pton(AF_INET, listen, &v4.sin_addr) != 1)
        return false;
    memcpy(out, &v4, sizeof(v4));
    *out_bytes = sizeof(v4);
    return true;
}

static const char *reason_of(int error)
{
    return error == EADDRINUSE      ? "something else listens there already"
           : error == EACCES        ? "this user may not use that port"
           : error == EADDRNOTAVAIL ? "this machine does not have that address"
                                    : strerror(error);
}

/* "::" serves IPv4 clients too. */
static bool bind_and_listen(int fd, const struct sockaddr_storage *address, socklen_t address_bytes)
{
    const int on = 1;
    const int off = 0;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
        return false;
    if (address->ss_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0)
        return false;
    return bind(fd, (const struct sockaddr *)address, address_bytes) == 0 &&
           listen(fd, BACKLOG_COUNT) == 0;
}

static int64_t bound_port(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t address_bytes = sizeof(address);
    struct sockaddr_in v4;
    if (getsockname(fd, (struct sockaddr *)&address, &address_bytes) != 0)
        return 0;
    memcpy(&v4, &address, sizeof(v4)); /* the port lies at the same place in both families */
    return ntohs(v4.sin_port);
}

static enum err
open_socket(struct ctx *ctx, const char *listen, int64_t port, struct listener *listener)
{
    struct sockaddr_storage address = {0};
    socklen_t address_bytes = 0;
    if (!make_address(listen, port, &address, &address_bytes))
        return ctx_fail(ctx, ERR_UNAVAILABLE,
                        "can't listen on \"%s\": that is no IPv4 or IPv6 address", listen);
    listener->fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0 || !bind_and_listen(listener->fd, &address, address_bytes))
        return ctx_fail(ctx, ERR_UNAVAILABLE, "can't listen on %s port %lld: %s", listen,
                        (long long)port, reason_of(errno));
    listener->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (listener->wake_fd < 0)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "can't make an eventfd: %s", strerror(errno));
    listener->port = bound_port(listener->fd);
    return ERR_OK;
}

enum err listener_open(struct ctx *ctx,
                       const char *listen,
                       int64_t port,
                       int64_t connections_max_count,
                       struct listener *out_listener)
{
    struct listener listener = {.fd = -1, .wake_fd = -1};
    enum err err = listener_make_room(ctx, connections_max_count, LISTENER_OWN_FILES_COUNT);
    if (!err)
        err = open_socket(ctx, listen, port, &listener);
    if (err)
        listener_stop(&listener);
    else
        *out_listener = listener;
    return err;
}

/* ---- the thread ---- */

/* True: go on at once; false: wait for the next one. */
static bool accept_one(struct listener *listener)
{
    struct sockaddr_storage peer = {0};
    socklen_t peer_bytes = sizeof(peer);
    int fd =
        accept4(listener->fd, (struct sockaddr *)&peer, &peer_bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        listener->accepted(listener->owner, fd, (const struct sockaddr *)&peer, peer_bytes);
        return !listener->is_full(listener->owner);
    }
    int error = errno;
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
        listener->exhausted(listener->owner, error);
        struct pollfd wake = {.fd = listener->wake_fd, .events = POLLIN};
        (void)poll(&wake, 1, EXHAUSTED_WAIT_MS);
        return false;
    }
    return error == ECONNABORTED || error == EINTR || error == EPROTO;
}

/* Until somebody comes, or until it is looked again whether there is room. */
static int wait_for_clients(struct listener *listener, struct pollfd watched[2], bool is_full)
{
    if (!is_full)
        return poll(watched, 2, -1);
    if (poll(&watched[1], 1, 0) > 0)
        listener->crowded(listener->owner);
    return poll(watched, 1, FULL_WAIT_MS);
}

static void *listener_main(void *argument)
{
    struct listener *listener = argument;
    (void)pthread_setname_np(pthread_self(), "acceptor");
    struct pollfd watched[] = {{.fd = listener->wake_fd, .events = POLLIN},
                               {.fd = listener->fd, .events = POLLIN}};
    for (;;) {
        bool is_full = listener->is_full(listener->owner);
        int ready_count = wait_for_clients(listener, watched, is_full);
        if (ready_count < 0 && errno != EINTR) {
            listener->exhausted(listener->owner, errno); /* no memory in the kernel */
            clock_sleep_ms(EXHAUSTED_WAIT_MS);
        }
        if (ready_count > 0 && watched[0].revents != 0)
            return NULL;
        bool can_go_on = ready_count > 0 && !is_full && watched[1].revents != 0;
        for (int i = 0; i < SERIES_MAX_COUNT && can_go_on; i++)
            can_go_on = accept_one(listener);
    }
}

enum err listener_start(struct ctx *ctx, struct listener *listener)
{
    if (!thread_start(&listener->thread, listener_main, listener))
        return ctx_fail(ctx, ERR_UNAVAILABLE, "can't start the acceptor's thread");
    listener->is_running = true;
    return ERR_OK;
}

void listener_stop(struct listener *listener)
{
    const uint64_t one = 1;
    if (listener->is_running && write(listener->wake_fd, &one, sizeof(one)) == (ssize_t)sizeof(one))
        (void)pthread_join(listener->thread, NULL);
    listener->is_running = false;
    close_fd(listener->fd);
    close_fd(listener->wake_fd);
    listener->fd = -1;
    listener->wake_fd = -1;
}
