/* SPDX-License-Identifier: MIT
 *
 * What a live client sends, as frames and as packets: a frame never uses more bytes than came nor
 * gives more than the buffer holds; a packet that is read has a namespace and its rest in the text;
 * its event is one that a client may send, its texts are valid UTF-8. */
#include "live/live_wire.h"

#include "base/ctx.h"
#include "base/text.h"
#include "http/websocket.h"
#include "live/engineio.h"
#include "live/socketio.h"

#include "fuzz.h"

#include <string.h>

#define PAYLOAD_MAX_BYTES 4096

static void check_packet(struct ctx *ctx, const char *text)
{
    struct socketio_packet packet;
    struct live_auth auth;
    struct live_event event;
    const char *rest = NULL;
    if (engineio_read(text, &rest) != ENGINEIO_MESSAGE ||
        !socketio_read(&ctx->arena, rest, &packet))
        return;
    FUZZ_REQUIRE(packet.name_space[0] == '/');
    FUZZ_REQUIRE(strlen(packet.name_space) <= SOCKETIO_NAMESPACE_MAX_BYTES);
    FUZZ_REQUIRE(packet.json >= text && packet.json <= text + strlen(text));
    FUZZ_REQUIRE(packet.id >= 0);
    if (packet.type == SOCKETIO_CONNECT && live_wire_auth(ctx, packet.json, &auth)) {
        FUZZ_REQUIRE(!auth.key || (*auth.key && text_is_utf8(auth.key, strlen(auth.key))));
        FUZZ_REQUIRE(auth.revision >= 0);
    }
    if (packet.type == SOCKETIO_EVENT && live_wire_event(ctx, packet.json, &event)) {
        FUZZ_REQUIRE(!event.message || text_is_utf8(event.message, strlen(event.message)));
        FUZZ_REQUIRE(event.id >= 0);
    }
}

static void check_frames(struct ctx *ctx, const uint8_t *data, size_t size)
{
    static unsigned char payload[PAYLOAD_MAX_BYTES + 1];
    struct websocket_frame frame;
    for (size_t at = 0; at < size; at += frame.used_bytes) {
        const struct bytes rest = {.p = data + at, .n = size - at};
        if (websocket_read(rest, payload, PAYLOAD_MAX_BYTES, &frame) != WEBSOCKET_FRAME)
            return;
        FUZZ_REQUIRE(frame.used_bytes >= 6 && frame.used_bytes <= rest.n);
        FUZZ_REQUIRE(frame.payload_bytes <= PAYLOAD_MAX_BYTES);
        payload[frame.payload_bytes] = '\0';
        if (text_is_utf8((char *)payload, frame.payload_bytes))
            check_packet(ctx, (char *)payload);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, FUZZ_BUDGET_MS);
    check_frames(&ctx, data, size);
    const char *text = arena_text_copy(&ctx.arena, (const char *)data, size);
    if (text_is_utf8(text, size))
        check_packet(&ctx, text);
    return 0;
}
