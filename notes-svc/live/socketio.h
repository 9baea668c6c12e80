/* SPDX-License-Identifier: MIT
 *
 * Socket.IO v5 packets of a client, up to their JSON: type, namespace, acknowledgement. Pure; the
 * JSON is live_wire.c's. Source: docs/ of socketio/socket.io, Socket.IO protocol. */
#ifndef NOTES_SOCKETIO_H
#define NOTES_SOCKETIO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct arena;

#define SOCKETIO_NAMESPACE_MAX_BYTES 255
#define SOCKETIO_ID_MAX_CHARS        15 /* what JavaScript counts exactly */

enum socketio_type {
    SOCKETIO_CONNECT = 0,
    SOCKETIO_DISCONNECT = 1,
    SOCKETIO_EVENT = 2,
    SOCKETIO_ACK = 3,
};

struct socketio_packet {
    enum socketio_type type;
    const char *name_space; /* "/" when none is named */
    bool has_id;            /* an acknowledgement is wanted */
    int64_t id;
    const char *json; /* "" when there is none */
};

/* False: malformed, binary, or of a type that a client may not send. */
MUST_CHECK bool
socketio_read(struct arena *arena, const char *text, struct socketio_packet *out_packet);

/* May an event not be named so? */
bool socketio_is_reserved(const char *event_name);

#endif
