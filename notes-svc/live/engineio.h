/* SPDX-License-Identifier: MIT
 *
 * Engine.IO v4 over WebSocket: what a client's message is, what the server says first, and what is
 * wrong with a handshake that is none. Pure. Source: docs/ of socketio/socket.io, Engine.IO
 * protocol. */
#ifndef NOTES_ENGINEIO_H
#define NOTES_ENGINEIO_H

#include <stddef.h>
#include <stdint.h>

struct arena;

#define ENGINEIO_PAYLOAD_MAX_BYTES 65536
#define ENGINEIO_PING              "2"

enum engineio_packet {
    ENGINEIO_BAD, /* malformed, or one that a client may not send: the connection ends */
    ENGINEIO_CLOSE,
    ENGINEIO_PONG,
    ENGINEIO_MESSAGE, /* Socket.IO's text follows */
    ENGINEIO_NOOP,
};

/* `text` is what one WebSocket message held. */
enum engineio_packet engineio_read(const char *text, const char **out_rest);

struct engineio_times {
    int64_t ping_interval_ms;
    int64_t ping_timeout_ms;
};

/* The first packet: 0{"sid":…,"upgrades":[],…}. */
const char *engineio_open(struct arena *arena, const char *sid, const struct engineio_times *times);

/* A handshake's query; members are NULL when absent. */
struct engineio_query {
    const char *transport;
    const char *version; /* EIO */
    const char *sid;
    int is_get;
    int is_upgrade; /* it asks for a WebSocket, properly */
};

enum engineio_fault {
    ENGINEIO_FINE = -1,
    ENGINEIO_UNKNOWN_TRANSPORT = 0,
    ENGINEIO_UNKNOWN_SESSION = 1,
    ENGINEIO_BAD_METHOD = 2,
    ENGINEIO_BAD_REQUEST = 3,
    ENGINEIO_FORBIDDEN = 4,
    ENGINEIO_BAD_VERSION = 5,
};

enum engineio_fault engineio_check(const struct engineio_query *query);

/* {"code":0,"message":"Transport unknown"}: static text. */
const char *engineio_fault_json(enum engineio_fault fault);

#endif
