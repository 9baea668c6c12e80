/* SPDX-License-Identifier: MIT
 *
 * The hub's inside, shared by hub.c (thread, mail, timers), client.c (sockets), protocol.c (what
 * they say), room.c (who hears what), room_confirm.c (what nobody told) and session_sweep.c.
 * Everything is the hub thread's alone but for mail and, for looking, the rooms' table. */
#ifndef NOTES_HUB_PARTS_H
#define NOTES_HUB_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/workers.h"
#include "http/websocket.h"
#include "live/client.h"
#include "live/hub.h"
#include "live/mail.h"
#include "live/room.h"
#include "live/timers.h"

#define SESSION_BUCKETS_COUNT 1024 /* a power of two */

/* ---- what clients say ---- */

void protocol_open(struct hub *hub, struct client *client);
/* A whole text message, which ends in NUL. */
void protocol_receive(struct hub *hub, struct client *client, const char *text);

/* ---- sessions ---- */

struct session_sweep {
    struct job job;
    struct mail mail;
    struct hub *hub;
    bool is_running;
    int64_t at_ms;
    size_t bucket;       /* where the next batch begins */
    size_t passed_count; /* of that bucket's sockets, by the batches before */
    size_t count;
    bool is_over[HUB_CHECK_COUNT];
    unsigned char digests[HUB_CHECK_COUNT][SECRET_DIGEST_BYTES];
};

struct client **session_bucket(struct hub *hub, const unsigned char *digest);
void sessions_add(struct hub *hub, struct client *client);
void sessions_remove(struct hub *hub, struct client *client);
void sessions_end(struct hub *hub, const unsigned char *digest);
void sessions_sweep(struct hub *hub);

/* ---- the hub ---- */

enum timer_kind {
    TIMER_PING,
    TIMER_PONG,
    TIMER_CONNECT,
    TIMER_CLOSE,
    TIMER_GAP,
    TIMER_RETRY,
    TIMER_CONFIRM, /* of rooms: taken in batches */
    TIMER_DOUBT,
    TIMER_REST,
    TIMER_COUNT
};

struct hub {
    struct hub_options options;
    pthread_t thread;
    bool has_thread;
    int epoll_fd;
    int wake_fd;
    pthread_mutex_t lock; /* of the next three */
    struct mail *first_mail;
    struct mail *last_mail;
    bool is_stopping;
    struct rooms rooms;
    _Atomic size_t backlog_bytes; /* of frames that were published and are not delivered */
    _Atomic size_t waiting_bytes; /* of all clients' queues; the hub thread's, others may look */
    _Atomic size_t unread_bytes;  /* what all clients hold of what came; the same */

    int64_t now_ms;
    struct client *clients;
    struct client *graveyard;
    struct client *to_resume;
    struct client *sessions[SESSION_BUCKETS_COUNT];
    struct timer_queue timers[TIMER_COUNT];
    struct timer_queue standing; /* clients for whom something waits; first who took none longest */
    struct timer_queue unread;   /* clients that hold what came; first who does for longest */
    struct session_sweep sweep;
    struct room_confirm confirm;
    unsigned char *input;   /* of the client that is being read */
    unsigned char *payload; /* of its frame */
};

#define HUB_READ_BYTES    ((size_t)ENGINEIO_PAYLOAD_MAX_BYTES)
#define HUB_HELD_BYTES    ((size_t)2 * ENGINEIO_PAYLOAD_MAX_BYTES + WEBSOCKET_CLIENT_HEAD_MAX_BYTES)
#define HUB_INPUT_BYTES   (HUB_HELD_BYTES + HUB_READ_BYTES)
#define HUB_PAYLOAD_BYTES ((size_t)ENGINEIO_PAYLOAD_MAX_BYTES)

#endif
