/* SPDX-License-Identifier: MIT
 *
 * The yardstick of live events: one thread with epoll. A byte from one socket makes it write the
 * same bytes to all others, then one byte as the answer.
 *
 * usage: bare_frames FRAME_BYTES SOCKETS_MAX. Ends when it is killed. Depends on: bench.h. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_COUNT 256

struct server {
    int epoll_fd;
    int listen_fd;
    int *fds; /* -1: closed */
    int64_t count;
    int64_t max_count;
    char *frame;
    size_t frame_bytes;
};

static void take_all(struct server *server)
{
    for (;;) {
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        if (server->count == server->max_count)
            bench_die("more than %lld sockets", (long long)server->max_count);
        int *place = &server->fds[server->count++];
        *place = fd;
        bench_watch(server->epoll_fd, fd, EPOLLIN, place);
    }
}

static void write_to_all(const struct server *server, const int *asker)
{
    for (int64_t i = 0; i < server->count; i++) {
        const int *place = &server->fds[i];
        if (place == asker || *place < 0)
            continue;
        if (send(*place, server->frame, server->frame_bytes, MSG_NOSIGNAL) !=
            (ssize_t)server->frame_bytes)
            bench_die("a socket did not take the whole frame");
    }
    (void)send(*asker, "k", 1, MSG_NOSIGNAL);
}

static void on_readable(struct server *server, int *place)
{
    char bytes[16];
    if (recv(*place, bytes, sizeof(bytes), 0) > 0) {
        write_to_all(server, place);
        return;
    }
    (void)close(*place);
    *place = -1;
    while (server->count > 0 && server->fds[server->count - 1] < 0)
        server->count--; /* who asks comes and goes, and is the last one */
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS_COUNT];
    if (argc != 3)
        bench_die("usage: bare_frames FRAME_BYTES SOCKETS_MAX");
    struct server server = {
        .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
        .frame_bytes = (size_t)bench_number(argv[1], 1, 1 << 20),
        .max_count = bench_number(argv[2], 1, 1 << 20),
    };
    bench_need_files(server.max_count + 16);
    server.fds = calloc((size_t)server.max_count, sizeof(*server.fds));
    server.frame = malloc(server.frame_bytes);
    if (!server.fds || !server.frame)
        bench_die("no memory");
    memset(server.frame, 'x', server.frame_bytes);
    server.listen_fd = bench_listen();
    bench_watch(server.epoll_fd, server.listen_fd, EPOLLIN, NULL);
    for (;;) {
        int count = epoll_wait(server.epoll_fd, events, EVENTS_COUNT, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr)
                on_readable(&server, events[i].data.ptr);
            else
                take_all(&server);
        }
    }
}
