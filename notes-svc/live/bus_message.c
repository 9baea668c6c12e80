/* SPDX-License-Identifier: MIT
 *
 * Everything is checked, as if a stranger had sent it: Redis may be shared, and what is not
 * understood must do nothing. Depends on: bus_message.h, parse.h, strbuf.h. */
#include "live/bus_message.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "base/text.h"

#define MARK        "notes1"
#define WORDS_COUNT 6
#define EVENT_START "42/notes," /* of a packet: an EVENT of Socket.IO in the namespace of notes */

static const char *const KINDS[BUS_KINDS_COUNT] = {
    [BUS_EVENT] = "event",
    [BUS_GONE] = "gone",
    [BUS_REFRESH] = "refresh",
    [BUS_SESSION_END] = "session-end",
};
#define HOME_TOO "+home" /* behind a kind */

static bool is_event(enum bus_kind kind)
{
    return kind == BUS_EVENT || kind == BUS_GONE;
}

static const char *
digest_text(struct arena *arena, struct bytes site_key, const char *text, size_t size_bytes)
{
    unsigned char digest[SECRET_DIGEST_BYTES];
    secret_digest(site_key, text, size_bytes, digest);
    return secret_base64url(arena, digest, sizeof(digest));
}

/* ---- writing ---- */

struct bytes
bus_message_write(struct arena *arena, struct bytes site_key, const struct bus_message *message)
{
    struct strbuf buf;
    const char *text = NULL;
    bool has_packet = is_event(message->kind) && strlen(message->packet) <= BUS_PACKET_MAX_BYTES;
    bool is_refresh = is_event(message->kind) && !has_packet;
    const char *packet = has_packet ? message->packet : "";
    const char *key = message->kind == BUS_SESSION_END
                          ? secret_base64url(arena, message->digest, sizeof(message->digest))
                          : message->key;
    strbuf_init(&buf, arena,
                BUS_HEAD_MAX_BYTES + strlen(key) + strlen(packet) + BUS_DIGEST_CHARS + 1,
                BUS_MESSAGE_MAX_BYTES);
    strbuf_format(&buf, MARK " %s %s%s %lld %lld %zu\n", message->sender,
                  KINDS[is_refresh ? BUS_REFRESH : message->kind],
                  message->is_home_too ? HOME_TOO : "",
                  has_packet ? (long long)message->previous : 0,
                  has_packet ? (long long)message->revision : 0, strlen(key));
    strbuf_add(&buf, key);
    strbuf_add(&buf, packet);
    if (!strbuf_text(&buf, &text))
        strbuf_add(&buf, digest_text(arena, site_key, text, buf.size_bytes));
    if (strbuf_text(&buf, &text))
        text = ""; /* a key beyond all limits: nobody has a room of it */
    return (struct bytes){.p = (const unsigned char *)text, .n = strlen(text)};
}

/* ---- reading ---- */

/* The words of the head, each ended by NUL now. */
static bool split_head(char *head, const char *words[WORDS_COUNT])
{
    for (size_t i = 0; i < WORDS_COUNT; i++) {
        char *end = strchr(head, ' ');
        if (!*head || *head == ' ')
            return false;
        words[i] = head;
        if (!end)
            return i == WORDS_COUNT - 1;
        *end = '\0';
        head = end + 1;
    }
    return false;
}

static bool read_kind(const char *word, struct bus_message *message)
{
    size_t chars = strlen(word);
    message->is_home_too = text_ends_with(word, HOME_TOO);
    chars -= message->is_home_too ? strlen(HOME_TOO) : 0;
    for (int kind = 0; kind < BUS_KINDS_COUNT; kind++) {
        if (strlen(KINDS[kind]) != chars || strncmp(KINDS[kind], word, chars) != 0)
            continue;
        message->kind = (enum bus_kind)kind;
        return true;
    }
    return false;
}

static bool read_head(char *head, struct bus_message *message, int64_t *out_key_bytes)
{
    const char *words[WORDS_COUNT];
    unsigned char sender[BUS_SENDER_BYTES];
    if (!split_head(head, words) || !text_equals(words[0], MARK) ||
        !secret_from_base64url(words[1], sender, sizeof(sender)) || !read_kind(words[2], message))
        return false;
    message->sender = words[1];
    return parse_i64(words[3], 0, INT64_MAX, &message->previous) &&
           parse_i64(words[4], 0, INT64_MAX, &message->revision) &&
           parse_i64(words[5], 0, BUS_KEY_MAX_BYTES, out_key_bytes);
}

static bool is_text(const char *text, size_t size_bytes)
{
    return !memchr(text, '\0', size_bytes) && text_is_utf8(text, size_bytes);
}

static bool fits(const struct bus_message *message, size_t packet_bytes)
{
    if (is_event(message->kind))
        return *message->key && message->previous < message->revision &&
               text_starts_with(message->packet, EVENT_START);
    return packet_bytes == 0 && message->previous == 0 && message->revision == 0;
}

/* Takes the digest off the end. False: it is not that of what is before. */
static bool take_digest(struct arena *arena, struct bytes site_key, struct bytes *bytes)
{
    if (bytes->n < BUS_DIGEST_CHARS || bytes->n > BUS_MESSAGE_MAX_BYTES)
        return false;
    bytes->n -= BUS_DIGEST_CHARS;
    const char *wanted = digest_text(arena, site_key, (const char *)bytes->p, bytes->n);
    return secret_bytes_equal(wanted, bytes->p + bytes->n, BUS_DIGEST_CHARS);
}

bool bus_message_read(struct arena *arena,
                      struct bytes site_key,
                      struct bytes bytes,
                      struct bus_message *out_message)
{
    if (!take_digest(arena, site_key, &bytes))
        return false;
    struct bus_message message = {0};
    int64_t key_bytes = 0;
    size_t head_max_bytes = bytes.n < BUS_HEAD_MAX_BYTES ? bytes.n : BUS_HEAD_MAX_BYTES;
    const char *text = (const char *)bytes.p;
    const char *line_end = bytes.n > 0 ? memchr(text, '\n', head_max_bytes) : NULL;
    if (!line_end)
        return false;
    size_t head_bytes = (size_t)(line_end - text);
    if (memchr(text, '\0', head_bytes) ||
        !read_head(arena_text_copy(arena, text, head_bytes), &message, &key_bytes))
        return false;
    size_t rest_bytes = bytes.n - head_bytes - 1;
    const char *key = line_end + 1;
    if ((size_t)key_bytes > rest_bytes || !is_text(key, (size_t)key_bytes))
        return false;
    size_t packet_bytes = rest_bytes - (size_t)key_bytes;
    const char *packet = key + key_bytes;
    if (packet_bytes > BUS_PACKET_MAX_BYTES || !is_text(packet, packet_bytes))
        return false;
    message.key = arena_text_copy(arena, key, (size_t)key_bytes);
    message.packet = arena_text_copy(arena, packet, packet_bytes);
    if (!fits(&message, packet_bytes) ||
        (message.kind == BUS_SESSION_END &&
         !secret_from_base64url(message.key, message.digest, sizeof(message.digest))))
        return false;
    *out_message = message;
    return true;
}
