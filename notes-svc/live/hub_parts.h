/* SPDX-License-Identifier: MIT
 *
 * The hub's inside, shared by hub.c (thread, mail, timers), client.c (sockets), protocol.c (what
 * they say), room.c (who hears what) and session_sweep.c. Everything is the hub thread's alone but
 * for mail and, for looking, the rooms' table. */
#ifndef NOTES_HUB_PARTS_H
#define NOTES_HUB_PARTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/workers.h"
#include "http/websocket.h"
#include "live/frame.h"
#include "live/hub.h"
#include "live/timers.h"

#define ROOM_BUCKETS_COUNT    1024 /* powers of two */
#define SESSION_BUCKETS_COUNT 1024
#define ROOM_RECENT_MAX_COUNT 64
#define ROOM_LATE_MAX_COUNT   64

/* ---- mail: from any thread to the hub's ---- */

struct mail {
    struct mail *next;
    void (*deliver)(struct hub *hub, struct mail *mail); /* owns it */
};

void hub_post(struct hub *hub, struct mail *mail);
bool hub_is_stopping(struct hub *hub);

/* ---- rooms ---- */

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
};

struct room_event {
    int64_t revision;
    int64_t previous;
    struct frame *frame;
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
    struct frame *frame; /* NULL: all askers have this revision */
};

struct room {
    struct room *next; /* in its bucket */
    char *key;
    struct member *members;
    size_t waiting_count;
    int pins_count; /* in use by a function that goes on */
    int64_t last;   /* revision of the last event; 0: unknown */
    int64_t reads_count;
    bool is_reading;
    struct room_read read;
    struct room_event recent[ROOM_RECENT_MAX_COUNT]; /* for those that wait */
    size_t recent_count;
    struct room_event late[ROOM_LATE_MAX_COUNT]; /* whose predecessor has not come yet */
    size_t late_count;
    struct timer gap;
    struct timer retry;
};

struct rooms {
    pthread_mutex_t lock; /* of the table; the hub thread alone changes it */
    struct room *buckets[ROOM_BUCKETS_COUNT];
};

/* Puts a socket into a room, made when it is new, and has the room read. */
void room_join(struct hub *hub, struct member *member, const char *key, int64_t revision);
void room_leave(struct hub *hub, struct member *member);
/* It gets the state, whatever it has. */
void room_ask(struct hub *hub, struct member *member);
void room_on_gap(struct hub *hub, struct timer *timer);
void room_on_retry(struct hub *hub, struct timer *timer);

/* ---- clients ---- */

struct outgoing {
    struct outgoing *next;
    struct frame *frame;
};

struct client {
    struct client *next; /* of all; when it is gone, of the graveyard */
    struct client *previous;
    struct client *next_of_session;
    struct client *previous_of_session;
    struct client *next_to_resume;
    int fd; /* -1: gone */
    bool is_signed_in;
    bool is_closing; /* goodbye is said; what still comes is dropped */
    bool has_call;   /* a worker has an event of it */
    bool is_to_resume;
    bool is_in_root;
    bool is_in_notes; /* the namespace; the room may be none */
    bool is_in_home;
    uint32_t events; /* that epoll watches for */
    struct timer beat;
    struct timer gate; /* for the first namespace; then for the end */
    struct outgoing *first_out;
    struct outgoing *last_out;
    size_t out_bytes;
    size_t out_offset_bytes; /* of the first, gone already */
    unsigned char *held;     /* bytes that came and are not read yet */
    size_t held_bytes;
    unsigned char *message; /* the fragments so far */
    size_t message_bytes;
    bool is_in_message;
    struct member home;
    struct member notes;
    void *place;
    char *query_key; /* NULL: none */
    unsigned char digest[SECRET_DIGEST_BYTES];
    char peer[ADDRESS_TEXT_BYTES];
};

void client_admit(struct hub *hub, int fd, struct bytes extra, const struct hub_newcomer *newcomer);
void client_on_ready(struct hub *hub, struct client *client, uint32_t events);

/* Sends or queues; the client is cut when its queue is over. It stays valid until the loop's turn
 * ends. */
void client_send(struct hub *hub, struct client *client, struct frame *frame);
void client_send_text(struct hub *hub, struct client *client, const char *text);

/* With a close frame of this reason. */
void client_end(struct hub *hub, struct client *client, int reason);
/* At once. */
void client_drop(struct hub *hub, struct client *client);

/* What it waited for is there: it is heard again at the end of the loop's turn. */
void client_resume_later(struct hub *hub, struct client *client);
void clients_resume(struct hub *hub);
void clients_bury(struct hub *hub);

void client_on_beat(struct hub *hub, struct timer *timer);
void client_on_silence(struct hub *hub, struct timer *timer);
void client_on_gate(struct hub *hub, struct timer *timer);
void client_on_pong(struct hub *hub, struct client *client);

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
    size_t bucket; /* where the next batch begins */
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

    int64_t now_ms;
    struct client *clients;
    struct client *graveyard;
    struct client *to_resume;
    struct client *sessions[SESSION_BUCKETS_COUNT];
    struct timer_queue timers[TIMER_COUNT];
    struct session_sweep sweep;
    unsigned char *input;   /* of the client that is being read */
    unsigned char *payload; /* of its frame */
};

#define HUB_READ_BYTES    ((size_t)ENGINEIO_PAYLOAD_MAX_BYTES)
#define HUB_HELD_BYTES    ((size_t)2 * ENGINEIO_PAYLOAD_MAX_BYTES + WEBSOCKET_CLIENT_HEAD_MAX_BYTES)
#define HUB_INPUT_BYTES   (HUB_HELD_BYTES + HUB_READ_BYTES)
#define HUB_PAYLOAD_BYTES ((size_t)ENGINEIO_PAYLOAD_MAX_BYTES)

/* The struct that a timer or mail is part of. */
#define OWNER_OF(part, type, name) ((type *)(void *)((char *)(part)-offsetof(type, name)))

#endif
