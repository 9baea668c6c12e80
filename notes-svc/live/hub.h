/* SPDX-License-Identifier: MIT
 *
 * The live sockets of this process: one thread, which owns them, their rooms and their timers, and
 * never waits for anything but epoll. What needs the database goes to the worker lane and comes
 * back by mail.
 *
 * A change is published after its commit: hub_publish with a ready packet, or hub_refresh, after
 * which the hub reads the room's state itself. A socket is put into its room first; then the room's
 * state is read, and events that come meanwhile are held back for it. So nothing is missed, and
 * nothing older follows something newer.
 *
 * A change that nobody published (its process died, it came from elsewhere) is found too: every
 * room's revision is compared with the database's all confirm_every_ms, in batches.
 *
 * Order of calls: hub_new → the others from any thread → hub_stop → workers_free → hub_free. */
#ifndef NOTES_HUB_H
#define NOTES_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/secret.h"
#include "live/engineio.h"
#include "live/live_wire.h"

struct app;
struct ctx;
struct hub;
struct log;
struct workers;

#define HUB_HOME            "" /* the room of the list of all notes; no note's key is empty */
#define HUB_CLOSE_WAIT_MS   2000
#define HUB_STOP_WAIT_MS    1500
#define HUB_GAP_WAIT_MS     50   /* for an event that another worker publishes a moment later */
#define HUB_RETRY_FIRST_MS  1000 /* doubled by each vain read, and never quite as long */
#define HUB_RETRY_MAX_MS    5000
#define HUB_RETRY_LOOK_MS   200 /* how often it is looked whose time has come */
#define HUB_JOB_DEADLINE_MS 10000
#define HUB_CHECK_COUNT     256 /* sessions in one job */
#define HUB_CONFIRM_MS      2000
#define HUB_REST_MS         1000 /* messages are counted, and who sent many waits, so long */
/* Of all sockets' queues; beyond, who stands still longest is cut. A note's state takes 31 MiB at
 * most: text of 1 MiB and HTML of 4 MiB, of which JSON may make six times as much. */
#define HUB_WAITING_MAX_BYTES ((size_t)64 * 1024 * 1024)
/* Of what came from all sockets and can't be read yet: frames and messages that are not whole, and
 * what is behind an event that is worked on. One may have 192 KiB of it. */
#define HUB_UNREAD_MAX_BYTES ((size_t)32 * 1024 * 1024)

/* A socket that comes. Texts are copied. */
struct hub_newcomer {
    bool is_signed_in;
    unsigned char digest[SECRET_DIGEST_BYTES]; /* of its session */
    const char *peer;                          /* address, for the log */
    uint64_t owner;                            /* the same as a number, of its jobs (workers.h) */
    const char *key;                           /* of the handshake's query, NULL: none */
    void *place;                               /* given back to options.leave */
};

/* What a room is like now. */
struct hub_state {
    bool exists;
    int64_t revision;
    const char *packet; /* the whole state, or that the note is gone; NULL: as `known` says */
};

/* An event of a signed-in client. */
struct hub_call {
    enum live_event_kind kind;
    unsigned char digest[SECRET_DIGEST_BYTES];
    const char *key; /* of its room, NULL: none */
    const char *peer;
    const char *message; /* NULL: none */
    int64_t id;          /* 0: none */
};

struct hub_options {
    struct app *app;
    struct log *log;
    struct workers *workers; /* read rooms and look at sessions */
    struct workers *writers; /* do what clients ask for */
    struct engineio_times times;
    int64_t connect_timeout_ms;
    int64_t queue_max_bytes;
    size_t waiting_max_bytes; /* of all queues; 0: HUB_WAITING_MAX_BYTES */
    size_t unread_max_bytes;  /* of all that came; 0: HUB_UNREAD_MAX_BYTES */
    int64_t messages_per_s;   /* of one socket; 0: no limit */
    int64_t check_every_ms;   /* sessions are read again */
    int64_t confirm_every_ms; /* rooms are compared with the database */

    /* On a worker, with ctx->db. `known` is the revision that all askers have, 0: none in common.
     */
    enum err (*read)(struct app *app,
                     struct ctx *ctx,
                     const char *key,
                     int64_t known,
                     struct hub_state *out_state);
    /* On a worker, with ctx->db: the present revisions of these rooms, at most ROOM_CONFIRM_COUNT;
     * 0: there is no such note. */
    enum err (*confirm)(struct app *app,
                        struct ctx *ctx,
                        const char *const *keys,
                        size_t count,
                        int64_t *out_revisions);
    /* On a worker. ERR_OK is acknowledged with "ok", an error with its code. */
    enum err (*serve)(struct app *app, struct ctx *ctx, const struct hub_call *call);
    /* On a worker: is there still such a session? Errors: it can't be said now. */
    enum err (*check)(struct app *app,
                      struct ctx *ctx,
                      const unsigned char digest[SECRET_DIGEST_BYTES],
                      bool *out_is_alive);
    /* A socket has gone: its place is free. On the hub's thread. */
    void (*leave)(struct app *app, void *place);
};

/* NULL when there is no thread or descriptor left. */
struct hub *hub_new(const struct hub_options *options);

/* Says goodbye to all sockets, as going away, so that they come back elsewhere; ends the thread. */
void hub_stop(struct hub *hub);

/* After the workers have ended. */
void hub_free(struct hub *hub);

/* Owns: the hub, the descriptor. `extra` came behind the handshake. */
void hub_admit(struct hub *hub, int fd, struct bytes extra, const struct hub_newcomer *newcomer);

/* Is anybody in this room? A publisher need not make a packet for nobody. */
bool hub_has_room(struct hub *hub, const char *key);

/* After the commit, before the request is answered. */
void hub_publish(struct hub *hub, const struct live_step *step, const char *packet);

/* How much was published that the hub has not come to yet. */
size_t hub_backlog_bytes(struct hub *hub);

/* The room's state is another now. */
void hub_refresh(struct hub *hub, const char *key);

/* All rooms are compared with the database now: events may have been missed. */
void hub_confirm_all(struct hub *hub);

/* Closes all sockets of a session that has ended. */
void hub_end_session(struct hub *hub, const unsigned char digest[SECRET_DIGEST_BYTES]);

#endif
