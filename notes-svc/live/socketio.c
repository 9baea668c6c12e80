/* SPDX-License-Identifier: MIT
 *
 * Depends on: socketio.h, arena.h, parse.h, text.h. */
#include "live/socketio.h"

#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/parse.h"
#include "base/text.h"

#define DIGITS "0123456789"

/* "/notes," or "/notes" at the end. */
static bool read_namespace(struct arena *arena, const char **at, const char **out_name)
{
    *out_name = "/";
    if (**at != '/')
        return true;
    size_t size_bytes = strcspn(*at, ",");
    if (size_bytes > SOCKETIO_NAMESPACE_MAX_BYTES)
        return false;
    *out_name = arena_text_copy(arena, *at, size_bytes);
    *at += size_bytes;
    if (**at == ',')
        (*at)++;
    return !text_has_control(*out_name, "");
}

static bool read_id(struct arena *arena, const char **at, struct socketio_packet *packet)
{
    size_t digits_count = strspn(*at, DIGITS);
    if (digits_count == 0)
        return true;
    if (digits_count > SOCKETIO_ID_MAX_CHARS)
        return false;
    packet->has_id =
        parse_i64(arena_text_copy(arena, *at, digits_count), 0, INT64_MAX, &packet->id);
    *at += digits_count;
    return packet->has_id;
}

bool socketio_read(struct arena *arena, const char *text, struct socketio_packet *out_packet)
{
    struct socketio_packet packet = {0};
    if (text[0] < '0' || text[0] > '3')
        return false;
    packet.type = (enum socketio_type)(text[0] - '0');
    const char *at = text + 1;
    if (!read_namespace(arena, &at, &packet.name_space) || !read_id(arena, &at, &packet))
        return false;
    packet.json = at;
    bool may_have_id = packet.type == SOCKETIO_EVENT || packet.type == SOCKETIO_ACK;
    if ((packet.has_id && !may_have_id) || (packet.type == SOCKETIO_DISCONNECT && *at))
        return false;
    *out_packet = packet;
    return true;
}

bool socketio_is_reserved(const char *event_name)
{
    static const char *const NAMES[] = {"connect",       "connect_error", "disconnect",
                                        "disconnecting", "newListener",   "removeListener"};
    for (size_t i = 0; i < ARRAY_COUNT(NAMES); i++)
        if (text_equals(event_name, NAMES[i]))
            return true;
    return false;
}
