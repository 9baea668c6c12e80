/* SPDX-License-Identifier: MIT
 *
 * A hub with a pretended database of one note, "k", and clients by hand: what tests of the hub
 * share. Whatever its key is, a room has that note's revision. */
#ifndef NOTES_HUB_WORLD_H
#define NOTES_HUB_WORLD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/workers.h"
#include "live/hub.h"

#define SESSION_FILL     7
#define PING_NEVER_MS    600000
#define CONFIRM_EVERY_MS 5
#define JOIN(revision)   "40/notes,{\"key\":\"k\",\"revision\":" #revision "}"
#define CONNECTED_START  "40/notes,{\"sid\":"

/* The pretended database and what the hub tells. */
struct app {
    pthread_mutex_t lock;
    int64_t revision; /* of the room "k"; 0: there is no such note */
    _Atomic int reads_count;
    _Atomic int left_count;
    _Atomic bool is_session_alive;
    _Atomic uint32_t over_session; /* of come_as; this one is over, though others live */
    _Atomic int served_count;
    int64_t served_ids[8]; /* of the first calls, under the lock */
    _Atomic int confirms_count;
    _Atomic bool is_away;      /* the database: for confirm */
    _Atomic bool is_unread;    /* and for read */
    _Atomic int states_count;  /* reads that brought the whole state */
    size_t state_bytes;        /* at least; 0: as it comes */
    _Atomic int64_t overtakes; /* confirm sees this revision, whose event comes just then */
    struct hub *hub;
};

struct world {
    struct app app;
    struct workers *workers;
    struct hub *hub;
};

/* What differs between worlds. */
struct world_wish {
    int64_t check_every_ms;
    int64_t confirm_every_ms;
    int64_t queue_max_bytes;
    size_t waiting_max_bytes;
    size_t unread_max_bytes;
    bool takes_turns; /* one worker, and addresses do */
    int64_t ping_ms;  /* until the first ping; ten times as long for its answer; 0: never */
};

/* Starts its workers and its hub. */
void start_as(struct world *world, const struct world_wish *wish);
void start(struct world *world, int64_t check_every_ms);
void start_confirming(struct world *world);
void stop(struct world *world);

/* A client by hand, at the other end of a pair of sockets; it has heard the hub's first word. */
int come(struct world *world, bool is_signed_in);
/* The same, signed in with a session of its own. */
int come_as(struct world *world, uint32_t session);
/* The same, from an address of its own. */
int come_from(struct world *world, uint64_t owner);
/* Says this packet and hears that it is connected. */
void join(int fd, const char *packet);
/* What the join brings comes before an answered event: it has brought nothing. */
void join_settled(int fd, const char *packet);

/* The note has this revision from now on, and the hub is told "event REVISION". */
void publish(struct world *world, int64_t previous, int64_t revision);

#endif
