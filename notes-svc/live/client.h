/* SPDX-License-Identifier: MIT
 *
 * A live socket and what is done with it, all on the hub's thread. */
#ifndef NOTES_CLIENT_H
#define NOTES_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/secret.h"
#include "live/room.h"

struct hub_newcomer;

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
    bool is_in_notes;       /* the namespace; the room may be none */
    bool is_refusal_logged; /* live.event_refused, once */
    bool is_slowing_logged; /* live.client_slowed, once */
    bool is_in_home;
    uint32_t events; /* that epoll watches for */
    struct timer beat;
    struct timer gate;      /* for the first namespace; then for the end */
    struct timer rest;      /* runs: it said too much, and is not read until then */
    int64_t frames_from_ms; /* they are counted for HUB_REST_MS from here on */
    int64_t frames_count;
    struct outgoing *first_out;
    struct outgoing *last_out;
    size_t out_bytes;
    size_t out_offset_bytes; /* of the first, gone already */
    struct timer standstill; /* in hub->standing while something waits */
    unsigned char *held;     /* bytes that came and are not read yet */
    size_t held_bytes;
    unsigned char *message; /* the fragments so far */
    size_t message_bytes;
    size_t unread_bytes; /* of both, as counted in hub->unread_bytes */
    struct timer unread; /* in hub->unread while there are any */
    bool is_in_message;
    struct member home;
    struct member notes;
    void *place;
    char *query_key; /* NULL: none */
    uint64_t owner;  /* of its jobs */
    unsigned char digest[SECRET_DIGEST_BYTES];
    char peer[ADDRESS_TEXT_BYTES];
};

void client_admit(struct hub *hub, int fd, struct bytes extra, const struct hub_newcomer *newcomer);
void client_on_ready(struct hub *hub, struct client *client, uint32_t events);

/* Sends or queues; the client is cut when its queue is over. It stays valid until the loop's turn
 * ends. */
void client_send(struct hub *hub, struct client *client, struct frame *frame);
void client_send_text(struct hub *hub, struct client *client, const char *text);
/* Cuts those that stand still longest until what waits in all queues is within its limit; and those
 * whose messages are not whole for longest, until what all hold of such is. */
void clients_make_room(struct hub *hub);

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
void client_on_rest(struct hub *hub, struct timer *timer);
void client_on_pong(struct hub *hub, struct client *client);

#endif
