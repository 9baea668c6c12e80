/* SPDX-License-Identifier: MIT
 *
 * Depends on: engineio.h, arena.h, text.h. */
#include "live/engineio.h"

#include "base/arena.h"
#include "base/text.h"

enum engineio_packet engineio_read(const char *text, const char **out_rest)
{
    *out_rest = text[0] ? text + 1 : text;
    switch (text[0]) {
    case '1':
        return text[1] ? ENGINEIO_BAD : ENGINEIO_CLOSE;
    case '3':
        return ENGINEIO_PONG;
    case '4':
        return ENGINEIO_MESSAGE;
    case '6':
        return text[1] ? ENGINEIO_BAD : ENGINEIO_NOOP;
    default:
        return ENGINEIO_BAD;
    }
}

const char *engineio_open(struct arena *arena, const char *sid, const struct engineio_times *times)
{
    return arena_format(
        arena,
        "0{\"sid\":\"%s\",\"upgrades\":[],\"pingInterval\":%lld,\"pingTimeout\":%lld,"
        "\"maxPayload\":%d}",
        sid, (long long)times->ping_interval_ms, (long long)times->ping_timeout_ms,
        ENGINEIO_PAYLOAD_MAX_BYTES);
}

/* In the order in which the reference server looks. */
enum engineio_fault engineio_check(const struct engineio_query *query)
{
    if (!query->transport || !text_equals(query->transport, "websocket"))
        return ENGINEIO_UNKNOWN_TRANSPORT;
    if (query->sid && *query->sid)
        return ENGINEIO_UNKNOWN_SESSION; /* sessions don't outlive their socket */
    if (!query->is_get)
        return ENGINEIO_BAD_METHOD;
    if (!query->is_upgrade)
        return ENGINEIO_BAD_REQUEST;
    if (!query->version || !text_equals(query->version, "4"))
        return ENGINEIO_BAD_VERSION;
    return ENGINEIO_FINE;
}

const char *engineio_fault_json(enum engineio_fault fault)
{
    switch (fault) {
    case ENGINEIO_UNKNOWN_TRANSPORT:
        return "{\"code\":0,\"message\":\"Transport unknown\"}";
    case ENGINEIO_UNKNOWN_SESSION:
        return "{\"code\":1,\"message\":\"Session ID unknown\"}";
    case ENGINEIO_BAD_METHOD:
        return "{\"code\":2,\"message\":\"Bad handshake method\"}";
    case ENGINEIO_FORBIDDEN:
        return "{\"code\":4,\"message\":\"Forbidden\"}";
    case ENGINEIO_BAD_VERSION:
        return "{\"code\":5,\"message\":\"Unsupported protocol version\"}";
    case ENGINEIO_FINE:
    case ENGINEIO_BAD_REQUEST:
        break;
    }
    return "{\"code\":3,\"message\":\"Bad request\"}";
}
