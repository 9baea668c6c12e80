/* SPDX-License-Identifier: MIT
 *
 * One WebSocket frame, made once and shared by all sockets that it goes to. It is made by any
 * thread and handed to the hub, whose thread alone counts references. */
#ifndef NOTES_FRAME_H
#define NOTES_FRAME_H

#include <stddef.h>

#include "base/cleanup.h"

struct frame {
    int references;
    int queues_count;        /* of clients, in which it waits */
    struct frame **known_by; /* NULL: nobody; see frame_know */
    size_t size_bytes;
    unsigned char bytes[]; /* head and payload */
};

/* A text frame with one reference. Out of memory ends the process, as in arena.h. */
struct frame *frame_text(const char *text);

/* A close frame (RFC 6455 5.5.1). */
struct frame *frame_close(int reason);

/* The answer to a ping with this payload. */
struct frame *frame_pong(const unsigned char *payload, size_t payload_bytes);

struct frame *frame_share(struct frame *frame);
/* NULL is fine. */
void frame_release(struct frame *frame);

/* Whoever knows a frame does not hold it: `place` becomes NULL when the last reference goes. A
 * frame is known by one place, and a place knows one frame; what was known before is forgotten. */
void frame_know(struct frame **place, struct frame *frame);
void frame_forget(struct frame **place);
DEFINE_CLEANUP(struct frame *, frame_release)

#endif
