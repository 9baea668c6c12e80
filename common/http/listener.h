/* SPDX-License-Identifier: MIT
 *
 * The listening socket and the thread that accepts. Accepting is apart from the event loops so that
 * it can be stopped at a moment of our choosing, and so that limits hold exactly. listener_open →
 * listener_start → listener_stop. */
#ifndef NOTES_LISTENER_H
#define NOTES_LISTENER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;

#define LISTENER_OWN_FILES_COUNT 64 /* descriptors that are no client's: logs, loops, assets */
#define LISTENER_FILES_PER_WORKER \
    5 /* a database connection's three (file, log, shared memory; to a server it is two), Redis, a \
         call to a service */

struct listener {
    int fd;      /* -1: closed */
    int wake_fd; /* tells the thread to end */
    int64_t port;
    pthread_t thread;
    bool is_running;
    void *owner;
    /* Owns: takes the socket over. */
    void (*accepted)(void *owner, int fd, const struct sockaddr *peer, socklen_t peer_bytes);
    /* While true nothing is accepted: clients wait in the backlog. */
    bool (*is_full)(void *owner);
    /* Some do; called every now and then. */
    void (*crowded)(void *owner);
    /* The system has no descriptor or memory left; called at each failed try. */
    void (*exhausted)(void *owner, int error);
};

/* Raises the limit of open files, if need be, to so many sockets and own_files_count of what else
 * the process opens. Never lowers it. To be called before those are opened.
 * Errors: ERR_UNAVAILABLE with a line for people in ctx->why.text. */
MUST_CHECK enum err
listener_make_room(struct ctx *ctx, int64_t connections_max_count, int64_t own_files_count);

/* Makes room for so many sockets, binds and listens.
 * Errors: ERR_UNAVAILABLE with a line for people in ctx->why.text. */
MUST_CHECK enum err listener_open(struct ctx *ctx,
                                  const char *listen,
                                  int64_t port,
                                  int64_t connections_max_count,
                                  struct listener *out_listener);

/* Errors: ERR_UNAVAILABLE no thread. */
MUST_CHECK enum err listener_start(struct ctx *ctx, struct listener *listener);

/* Ends the thread and closes the socket: from now on clients are refused. May be called twice. */
void listener_stop(struct listener *listener);

#endif
