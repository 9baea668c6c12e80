/* SPDX-License-Identifier: MIT
 *
 * Depends on: http_body.h, secret.h (wiping). Growing copies instead of using realloc, which would
 * leave an unwiped copy behind. */
#include "http/http_body.h"

#include "base/secret.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 4096

void http_body_init(struct http_body *body,
                    struct shares *shares,
                    const struct address *client,
                    struct connection *connection,
                    size_t keep_max_bytes)
{
    *body = (struct http_body){.keep_max_bytes = keep_max_bytes};
    share_init(&body->share, shares, client, connection);
}

static void release(struct http_body *body)
{
    if (!body->bytes)
        return;
    secret_wipe(body->bytes, body->size_bytes);
    free(body->bytes);
    share_give_back(&body->share, body->capacity_bytes);
}

static size_t grown_capacity(const struct http_body *body, size_t needed_bytes)
{
    size_t capacity_bytes = body->capacity_bytes ? body->capacity_bytes * 2 : FIRST_BYTES;
    while (capacity_bytes < needed_bytes)
        capacity_bytes *= 2;
    return capacity_bytes <= body->keep_max_bytes + 1 ? capacity_bytes : body->keep_max_bytes + 1;
}

/* Room for so many bytes and the NUL. */
static bool make_room(struct http_body *body, size_t size_bytes)
{
    if (size_bytes + 1 <= body->capacity_bytes)
        return true;
    size_t capacity_bytes = grown_capacity(body, size_bytes + 1);
    if (!share_take(&body->share, capacity_bytes))
        return false;
    unsigned char *bytes = malloc(capacity_bytes);
    if (!bytes) {
        share_give_back(&body->share, capacity_bytes);
        return false;
    }
    if (body->size_bytes > 0)
        memcpy(bytes, body->bytes, body->size_bytes);
    release(body);
    body->bytes = bytes;
    body->capacity_bytes = capacity_bytes;
    return true;
}

void http_body_add(struct http_body *body, const void *bytes, size_t size_bytes)
{
    body->total_bytes =
        size_bytes > SIZE_MAX - body->total_bytes ? SIZE_MAX : body->total_bytes + size_bytes;
    size_t room_bytes = body->keep_max_bytes - body->size_bytes;
    size_t kept_bytes = size_bytes < room_bytes ? size_bytes : room_bytes;
    if (kept_bytes == 0 || body->is_without_room)
        return;
    if (!make_room(body, body->size_bytes + kept_bytes)) {
        body->is_without_room = true;
        return;
    }
    memcpy(body->bytes + body->size_bytes, bytes, kept_bytes);
    body->size_bytes += kept_bytes;
    body->bytes[body->size_bytes] = '\0';
}

void http_body_done(struct http_body *body)
{
    release(body);
    share_done(&body->share);
    *body = (struct http_body){0};
}

/* ---- a body that was cut ---- */

static int hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* How many bytes of UTF-8 come after this first one. */
static size_t following_count(int first)
{
    return first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
}

/* The byte at `at`, decoded, and how long it is written. False when its escape is cut. */
static bool read_byte(struct bytes body, size_t at, int *out_byte, size_t *out_written)
{
    *out_byte = body.p[at];
    *out_written = 1;
    if (body.p[at] != '%')
        return true;
    if (body.n - at < 3)
        return false;
    int high = hex_value(body.p[at + 1]);
    int low = hex_value(body.p[at + 2]);
    if (high >= 0 && low >= 0) {
        *out_byte = high << 4 | low;
        *out_written = 3;
    }
    return true;
}

struct bytes http_body_whole_chars(struct bytes body, size_t decoded_max_bytes)
{
    size_t whole_bytes = 0;
    size_t decoded_bytes = 0;
    size_t missing_count = 0; /* of the character under way */
    int byte = 0;
    size_t written = 0;
    for (size_t at = 0; at < body.n && read_byte(body, at, &byte, &written); at += written) {
        bool is_following = (byte & 0xc0) == 0x80;
        decoded_bytes += byte != '\r';
        if (decoded_bytes > decoded_max_bytes)
            break;
        missing_count =
            is_following && missing_count > 0 ? missing_count - 1 : following_count(byte);
        if (missing_count == 0)
            whole_bytes = at + written;
    }
    return (struct bytes){.p = body.p, .n = whole_bytes};
}
