/* SPDX-License-Identifier: MIT
 *
 * Messages on their way to Redis, gathered: while one round trip is under way, what others have to
 * say is collected, and the next one takes it all. Who puts the first message into an empty outbox
 * sends what is in it by then; the others go on at once. So under load a worker seldom waits for
 * Redis, and alone it waits as ever.
 *
 * outbox_put from any thread; when it says OUTBOX_SEND: outbox_begin → send → outbox_end. */
#ifndef NOTES_OUTBOX_H
#define NOTES_OUTBOX_H

#include <pthread.h>
#include <stddef.h>

#include "base/bytes.h"

#define OUTBOX_MAX_COUNT 256
#define OUTBOX_MAX_BYTES ((size_t)4 * 1024 * 1024)

struct outbox {
    pthread_mutex_t sending; /* held from begin to end; one more waits for it at most */
    pthread_mutex_t lock;    /* of all below */
    struct bytes texts[OUTBOX_MAX_COUNT];
    size_t count;
    size_t size_bytes;
};

/* What was taken out, one sender's. */
struct outbox_load {
    struct bytes texts[OUTBOX_MAX_COUNT];
    size_t count;
};

enum outbox_turn {
    OUTBOX_LEFT, /* somebody else sends it with his */
    OUTBOX_SEND, /* the caller sends what is there */
    OUTBOX_FULL, /* not taken: the caller sends it by itself */
};

void outbox_init(struct outbox *outbox);

/* Frees what nobody has sent. */
void outbox_done(struct outbox *outbox);

/* Copies the text. */
enum outbox_turn outbox_put(struct outbox *outbox, struct bytes text);

/* Waits until the round trip before is over, then takes everything out. */
void outbox_begin(struct outbox *outbox, struct outbox_load *out_load);

/* Frees the load, and lets the next one begin. */
void outbox_end(struct outbox *outbox, struct outbox_load *load);

#endif
