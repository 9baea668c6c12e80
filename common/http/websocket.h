/* SPDX-License-Identifier: MIT
 *
 * The WebSocket protocol (RFC 6455) as far as a server needs it, on bytes in memory: the answer to
 * a handshake's key, one frame of a client read, the head of a server's frame. Sockets are the
 * caller's. Pure. */
#ifndef NOTES_WEBSOCKET_H
#define NOTES_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/cleanup.h"

struct arena;

#define WEBSOCKET_ACCEPT_BYTES          29 /* with the NUL */
#define WEBSOCKET_HEAD_MAX_BYTES        10 /* of a server's frame */
#define WEBSOCKET_CLIENT_HEAD_MAX_BYTES 14

enum websocket_opcode {
    WEBSOCKET_CONTINUATION = 0,
    WEBSOCKET_TEXT = 1,
    WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8,
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10,
};

/* Codes of a close frame (RFC 6455 7.4.1). */
enum websocket_reason {
    WEBSOCKET_NORMAL = 1000,
    WEBSOCKET_GOING_AWAY = 1001,
    WEBSOCKET_PROTOCOL_ERROR = 1002,
    WEBSOCKET_UNACCEPTABLE = 1003,
    WEBSOCKET_NO_TEXT = 1007,
    WEBSOCKET_POLICY = 1008,
    WEBSOCKET_TOO_LARGE_MESSAGE = 1009,
};

struct websocket_frame {
    int opcode; /* an enum websocket_opcode, or another number that the client sent */
    bool is_final;
    size_t payload_bytes; /* unmasked, in the caller's buffer */
    size_t used_bytes;    /* of the input */
};

enum websocket_verdict {
    WEBSOCKET_FRAME,
    WEBSOCKET_PARTIAL,   /* more bytes are needed */
    WEBSOCKET_BROKEN,    /* against the protocol: not masked, reserved bits, a bad length */
    WEBSOCKET_TOO_LARGE, /* the payload is over the buffer */
};

/* Sec-WebSocket-Accept for a Sec-WebSocket-Key. False when the key is not 16 bytes in base64. */
MUST_CHECK bool
websocket_accept(struct arena *arena, const char *key, char out_accept[WEBSOCKET_ACCEPT_BYTES]);

/* Reads the frame at the beginning of `in`; on WEBSOCKET_FRAME its payload is in `payload`. */
enum websocket_verdict websocket_read(struct bytes in,
                                      unsigned char *payload,
                                      size_t payload_max_bytes,
                                      struct websocket_frame *out_frame);

/* The head of an unfragmented, unmasked frame. Returns its size. */
size_t websocket_head(enum websocket_opcode opcode,
                      size_t payload_bytes,
                      unsigned char out_head[WEBSOCKET_HEAD_MAX_BYTES]);

#endif
