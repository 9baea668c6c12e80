/* SPDX-License-Identifier: MIT
 *
 * Frames are read by wslay, each from memory with a context of its own: a context kept for each
 * socket would cost four kilobytes. SHA-1, which the handshake asks for, is nettle's: libsodium has
 * none, and nettle is in the process already, below libmicrohttpd. Depends on: websocket.h,
 * parse.h, wslay and nettle (included here only). */
#include "http/websocket.h"

#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <wslay/wslay.h>

#include "base/parse.h"

#define KEY_BYTES          16
#define KEY_GUID           "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define SHORT_MAX_BYTES    125
#define MEDIUM_MAX_BYTES   65535
#define MASK_BYTES         4
#define FINAL_BIT          0x80
#define MEDIUM_LENGTH_MARK 126
#define LARGE_LENGTH_MARK  127

bool websocket_accept(struct arena *arena, const char *key, char out_accept[WEBSOCKET_ACCEPT_BYTES])
{
    struct bytes decoded;
    if (!parse_base64(arena, key, &decoded) || decoded.n != KEY_BYTES)
        return false;
    struct sha1_ctx sha1;
    uint8_t digest[SHA1_DIGEST_SIZE];
    sha1_init(&sha1);
    sha1_update(&sha1, strlen(key), (const uint8_t *)key);
    sha1_update(&sha1, sizeof(KEY_GUID) - 1, (const uint8_t *)KEY_GUID);
    sha1_digest(&sha1, sizeof(digest), digest);
    base64_encode_raw(out_accept, sizeof(digest), digest);
    out_accept[WEBSOCKET_ACCEPT_BYTES - 1] = '\0';
    return true;
}

/* ---- reading ---- */

struct source {
    struct bytes rest;
};

static ssize_t give(uint8_t *buffer, size_t size_bytes, int flags, void *owner)
{
    struct source *source = owner;
    size_t given_bytes = size_bytes < source->rest.n ? size_bytes : source->rest.n;
    (void)flags;
    if (given_bytes == 0)
        return -1;
    memcpy(buffer, source->rest.p, given_bytes);
    source->rest.p += given_bytes;
    source->rest.n -= given_bytes;
    return (ssize_t)given_bytes;
}

static size_t client_head_bytes(size_t payload_bytes)
{
    size_t length_bytes = payload_bytes <= SHORT_MAX_BYTES    ? 0
                          : payload_bytes <= MEDIUM_MAX_BYTES ? 2
                                                              : 8;
    return 2 + length_bytes + MASK_BYTES;
}

static bool is_wellformed(const struct wslay_frame_iocb *frame)
{
    return frame->mask && frame->rsv == 0;
}

static enum websocket_verdict read_pieces(wslay_frame_context_ptr context,
                                          unsigned char *payload,
                                          size_t payload_max_bytes,
                                          struct websocket_frame *out_frame)
{
    struct wslay_frame_iocb piece;
    size_t got_bytes = 0;
    do {
        memset(&piece, 0, sizeof(piece));
        ssize_t size_bytes = wslay_frame_recv(context, &piece);
        if (size_bytes == WSLAY_ERR_WANT_READ)
            return WEBSOCKET_PARTIAL;
        if (size_bytes < 0 || !is_wellformed(&piece))
            return WEBSOCKET_BROKEN;
        if (piece.payload_length > payload_max_bytes)
            return WEBSOCKET_TOO_LARGE;
        if (piece.data_length > 0)
            memcpy(payload + got_bytes, piece.data, piece.data_length);
        got_bytes += piece.data_length;
    } while (got_bytes < piece.payload_length);
    *out_frame = (struct websocket_frame){
        .opcode = piece.opcode,
        .is_final = piece.fin != 0,
        .payload_bytes = got_bytes,
        .used_bytes = client_head_bytes(got_bytes) + got_bytes,
    };
    return WEBSOCKET_FRAME;
}

enum websocket_verdict websocket_read(struct bytes in,
                                      unsigned char *payload,
                                      size_t payload_max_bytes,
                                      struct websocket_frame *out_frame)
{
    const struct wslay_frame_callbacks callbacks = {.recv_callback = give};
    struct source source = {.rest = in};
    wslay_frame_context_ptr context = NULL;
    if (in.n < 2)
        return WEBSOCKET_PARTIAL;
    if (wslay_frame_context_init(&context, &callbacks, &source) != 0)
        return WEBSOCKET_BROKEN; /* out of memory: the socket is given up */
    enum websocket_verdict verdict = read_pieces(context, payload, payload_max_bytes, out_frame);
    wslay_frame_context_free(context);
    return verdict;
}

/* ---- writing ---- */

size_t websocket_head(enum websocket_opcode opcode,
                      size_t payload_bytes,
                      unsigned char out_head[WEBSOCKET_HEAD_MAX_BYTES])
{
    out_head[0] = (unsigned char)(FINAL_BIT | (unsigned)opcode);
    if (payload_bytes <= SHORT_MAX_BYTES) {
        out_head[1] = (unsigned char)payload_bytes;
        return 2;
    }
    size_t length_bytes = payload_bytes <= MEDIUM_MAX_BYTES ? 2 : 8;
    out_head[1] = length_bytes == 2 ? MEDIUM_LENGTH_MARK : LARGE_LENGTH_MARK;
    for (size_t i = 0; i < length_bytes; i++)
        out_head[2 + i] = (unsigned char)(payload_bytes >> (8 * (length_bytes - 1 - i)));
    return 2 + length_bytes;
}
