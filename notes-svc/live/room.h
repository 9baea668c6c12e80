/* SPDX-License-Identifier: MIT
 *
 * Rooms: who is in them, what they know, what they wait for. All of it is the hub thread's alone
 * but for the table, in which any thread may look. */
#ifndef NOTES_ROOM_H
#define NOTES_ROOM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/workers.h"
#include "live/frame.h"
#include "live/mail.h"
#include "live/timers.h"

struct client;

#define ROOM_BUCKETS_COUNT    1024 /* a power of two */
#define ROOM_RECENT_MAX_COUNT 64
#define ROOM_LATE_MAX_COUNT   64
#define ROOM_CONFIRM_COUNT    64 /* rooms in one look at the database */

/* A socket in a room. */
struct member {
    struct client *client;
    struct room *room; /* NULL: in none */
    struct member *next;
    struct member *previous;
    int64_t last;   /* revision that it has; 0: unknown */
    int64_t needs;  /* number of the read that it waits for; 0: none */
    bool wants;     /* the state is sent also when it has that revision */
    bool is_asking; /* it has asked itself, and is not heard meanwhile */
    bool is_gone;   /* it knows that there is no such note */
};

struct room_event {
    int64_t revision;
    int64_t previous;
    struct frame *frame;
    bool is_gone; /* the note is destroyed by it */
};

/* Reading a room's state on a worker; one at a time. */
struct room_read {
    struct job job;
    struct mail mail;
    struct hub *hub;
    int64_t number;
    int64_t known;
    enum err err;
    bool exists;
    int64_t revision;
    struct frame *frame; /* NULL: it is the known revision */
    struct frame *kept;  /* of the known revision; NULL: none is there, but all askers have it */
};

struct room {
    struct room *next; /* in its bucket */
    char *key;
    struct member *members;
    size_t waiting_count;
    int pins_count; /* in use by a function that goes on */
    int64_t last;   /* revision of the last event; 0: unknown */
    bool is_gone;   /* there is no such note any more */
    int64_t reads_count;
    bool is_reading;
    struct room_read read;
    struct frame *state; /* the last that was read, while it waits for somebody; NULL: none does */
    int64_t state_revision;
    struct room_event recent[ROOM_RECENT_MAX_COUNT]; /* for those that wait */
    size_t recent_count;
    struct room_event late[ROOM_LATE_MAX_COUNT]; /* whose predecessor has not come yet */
    size_t late_count;
    struct timer gap;
    struct timer retry;
    int64_t retry_at_ms;
    int64_t retry_ms;     /* how long after the last read, which failed; 0: it did not */
    struct timer confirm; /* in TIMER_CONFIRM, or amid doubt in TIMER_DOUBT */
    int64_t doubted;      /* what it took for the revision when the database had another */
};

struct rooms {
    pthread_mutex_t lock; /* of the table; the hub thread alone changes it */
    struct room *buckets[ROOM_BUCKETS_COUNT];
    size_t failing_count;        /* rooms whose last read failed */
    _Atomic bool has_complained; /* of the first of them */
};

/* A batch of rooms whose revisions are read on a worker; one at a time. */
struct room_confirm {
    struct job job;
    struct mail mail;
    struct hub *hub;
    bool is_running;
    size_t hurry_count; /* rooms that do not wait for their time */
    enum err err;
    bool has_failed; /* and it was said; the worker's */
    size_t count;
    struct room *rooms[ROOM_CONFIRM_COUNT]; /* pinned */
    const char *keys[ROOM_CONFIRM_COUNT];
    int64_t taken[ROOM_CONFIRM_COUNT]; /* what each took for its revision when it was asked */
    int64_t revisions[ROOM_CONFIRM_COUNT];
};

/* Puts a socket into a room, made when it is new, and has the room read. */
void room_join(struct hub *hub, struct member *member, const char *key, int64_t revision);
void room_leave(struct hub *hub, struct member *member);
/* It gets the state, whatever it has. */
void room_ask(struct hub *hub, struct member *member);
void room_on_gap(struct hub *hub, struct timer *timer);
void room_on_retry(struct hub *hub, struct timer *timer);

/* The revision that the room takes for the present one; 0: there is no such note. */
int64_t room_revision(const struct room *room);
/* Nobody waits for anything: it takes itself for up to date. */
bool room_is_settled(const struct room *room);
/* All get the state, but for those that turn out to have it. */
void room_refresh(struct hub *hub, struct room *room);
/* A pinned room is not freed. */
void room_pin(struct room *room);
void room_unpin(struct hub *hub, struct room *room);

void room_on_doubt(struct hub *hub, struct timer *timer);
/* Begins the next batch when it is time. */
void rooms_confirm(struct hub *hub);

#endif
