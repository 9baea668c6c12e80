/* SPDX-License-Identifier: MIT
 *
 * Depends on: frame.h, websocket.h. */
#include "live/frame.h"

#include <stdlib.h>
#include <string.h>

#include "http/websocket.h"

static struct frame *make(enum websocket_opcode opcode, const void *payload, size_t payload_bytes)
{
    unsigned char head[WEBSOCKET_HEAD_MAX_BYTES];
    size_t head_bytes = websocket_head(opcode, payload_bytes, head);
    struct frame *frame = malloc(sizeof(*frame) + head_bytes + payload_bytes);
    if (!frame)
        abort();
    *frame = (struct frame){.references = 1, .size_bytes = head_bytes + payload_bytes};
    memcpy(frame->bytes, head, head_bytes);
    memcpy(frame->bytes + head_bytes, payload, payload_bytes);
    return frame;
}

struct frame *frame_text(const char *text)
{
    return make(WEBSOCKET_TEXT, text, strlen(text));
}

struct frame *frame_close(int reason)
{
    const unsigned char payload[2] = {(unsigned char)(reason >> 8), (unsigned char)reason};
    return make(WEBSOCKET_CLOSE, payload, sizeof(payload));
}

struct frame *frame_pong(const unsigned char *payload, size_t payload_bytes)
{
    return make(WEBSOCKET_PONG, payload, payload_bytes);
}

struct frame *frame_share(struct frame *frame)
{
    frame->references++;
    return frame;
}

void frame_release(struct frame *frame)
{
    if (!frame || --frame->references > 0)
        return;
    if (frame->known_by)
        frame_forget(frame->known_by);
    free(frame);
}

void frame_forget(struct frame **place)
{
    if (*place)
        (*place)->known_by = NULL;
    *place = NULL;
}

void frame_know(struct frame **place, struct frame *frame)
{
    frame_forget(place);
    if (frame->known_by)
        frame_forget(frame->known_by);
    frame->known_by = place;
    *place = frame;
}
