/* SPDX-License-Identifier: MIT
 *
 * Messages between processes: what is written is read again, and anything else is refused. */
#include "live/bus_message.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/secret.h"
#include "base/text.h"

#include "unit.h"

#define SENDER   "AAAAAAAAAAAAAAAAAAAAAA"
#define START    "notes1 " SENDER " "
#define MIB      ((size_t)1024 * 1024)
#define FILL     7
#define REVISION INT64_C(1800000000000)

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){.p = (const unsigned char *)text, .n = strlen(text)};
}

static struct bytes key_of(unsigned char fill)
{
    static unsigned char key[SECRET_DIGEST_BYTES];
    memset(key, fill, sizeof(key));
    return (struct bytes){.p = key, .n = sizeof(key)};
}

/* With the digest behind it. */
static struct bytes sign(struct arena *arena, struct bytes text, unsigned char fill)
{
    unsigned char digest[SECRET_DIGEST_BYTES];
    secret_digest(key_of(fill), text.p, text.n, digest);
    unsigned char *copy = arena_take(arena, text.n + BUS_DIGEST_CHARS + 1);
    if (text.n)
        memcpy(copy, text.p, text.n);
    memcpy(copy + text.n, secret_base64url(arena, digest, sizeof(digest)), BUS_DIGEST_CHARS);
    return (struct bytes){.p = copy, .n = text.n + BUS_DIGEST_CHARS};
}

static bool is_taken(struct arena *arena, struct bytes bytes)
{
    struct bus_message message;
    return bus_message_read(arena, key_of(FILL), bytes, &message);
}

static bool is_read(struct arena *arena, const char *text)
{
    return is_taken(arena, sign(arena, bytes_of(text), FILL));
}

static struct bus_message again(struct arena *arena, const struct bus_message *message)
{
    struct bus_message read = {0};
    assert_true(bus_message_read(arena, key_of(FILL),
                                 bus_message_write(arena, key_of(FILL), message), &read));
    assert_string_equal(read.sender, message->sender);
    assert_int_equal(read.is_home_too, message->is_home_too);
    return read;
}

static void events_are_read_as_they_were_written(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena);
    struct bus_message event = {
        .sender = SENDER,
        .kind = BUS_EVENT,
        .key = "a key\n+ü",
        .previous = REVISION - 1,
        .revision = REVISION,
        .packet = "42/notes,[\"newmessage\",{\"a\":\"ü\"}]",
    };
    struct bus_message read = again(&arena, &event);
    assert_int_equal(read.kind, BUS_EVENT);
    assert_string_equal(read.key, event.key);
    assert_string_equal(read.packet, event.packet);
    assert_int_equal(read.previous, event.previous);
    assert_int_equal(read.revision, event.revision);
    event.kind = BUS_GONE;
    event.is_home_too = true;
    assert_int_equal(again(&arena, &event).kind, BUS_GONE);
    arena_done(&arena);
}

static void refreshes_and_session_ends_too(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena);
    struct bus_message refresh = {.sender = SENDER, .kind = BUS_REFRESH, .key = ""};
    struct bus_message read = again(&arena, &refresh);
    assert_int_equal(read.kind, BUS_REFRESH);
    assert_string_equal(read.key, "");
    refresh.key = "k";
    refresh.is_home_too = true;
    assert_string_equal(again(&arena, &refresh).key, "k");
    struct bus_message end = {.sender = SENDER, .kind = BUS_SESSION_END};
    memset(end.digest, FILL, sizeof(end.digest));
    read = again(&arena, &end);
    assert_int_equal(read.kind, BUS_SESSION_END);
    assert_memory_equal(read.digest, end.digest, sizeof(end.digest));
    arena_done(&arena);
}

static void a_packet_that_is_too_long_becomes_a_refresh(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena);
    char *packet = arena_take(&arena, MIB + 2);
    memset(packet, 'x', MIB);
    memcpy(packet, "42/notes,", 9);
    struct bus_message event = {.sender = SENDER,
                                .kind = BUS_GONE,
                                .is_home_too = true,
                                .key = "k",
                                .previous = 1,
                                .revision = 2,
                                .packet = packet};
    assert_int_equal(again(&arena, &event).kind, BUS_GONE);
    packet[MIB] = 'x';
    struct bus_message read = again(&arena, &event);
    assert_int_equal(read.kind, BUS_REFRESH);
    assert_string_equal(read.key, "k");
    arena_done(&arena);
}

static void what_is_none_of_ours_is_refused(void **state)
{
    static const char *const TEXTS[] = {
        "",
        "\n",
        "garbage",
        "garbage\n",
        "notes1\n",
        START "event 1 2 1",
        START "event 1 2 1\n",
        START "event 1 2 1\nk",
        START "event 1 2 0\n42/notes,[]",
        START "event 1 2 2\nk",
        START "event 1 2 -1\nk42/notes,[]",
        START "event 1 2 1021\nk42/notes,[]",
        START "event 1 2 99999999999999999999\nk42/notes,[]",
        START "event 2 2 1\nk42/notes,[]",
        START "event 3 2 1\nk42/notes,[]",
        START "event -1 2 1\nk42/notes,[]",
        START "event 1 2x 1\nk42/notes,[]",
        START "event 1 2 1\nk41/notes,",
        START "event 1 2 1\nk42/home,[]",
        START "event 1 2 1\nk42/",
        START "event 1 2 1 \nk42/notes,[]",
        START "event  1 2 1\nk42/notes,[]",
        START "event 1 2 1 1\nk42/notes,[]",
        START "events 1 2 1\nk42/notes,[]",
        START "even 1 2 1\nk42/notes,[]",
        START "+home 1 2 1\nk42/notes,[]",
        START "event+home+home 1 2 1\nk42/notes,[]",
        START "event 1 2 1\nk42/notes,[\xff]",
        START "event 1 2 1\n\xc3\xbc"
              "42/notes,[]",
        START "refresh 0 0 1\nk42/notes,[]",
        START "refresh 0 1 1\nk",
        START "session-end 0 0 1\nk",
        START "session-end 0 0 0\n",
        "notes2 " SENDER " refresh 0 0 0\n",
        "notes1 " SENDER "A refresh 0 0 0\n",
        "notes1 A refresh 0 0 0\n",
        "notes1  refresh 0 0 0\n",
        " notes1 " SENDER " refresh 0 0 0\n",
    };
    struct arena arena;
    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < ARRAY_COUNT(TEXTS); i++)
        if (is_read(&arena, TEXTS[i]))
            fail_msg("read: %s", TEXTS[i]);
    assert_true(is_read(&arena, START "event 1 2 1\nk42/notes,[]"));
    assert_true(is_read(&arena, START "event+home 0 2 2\n\xc3\xbc"
                                      "42/notes,[]"));
    assert_true(is_read(&arena, START "refresh 0 0 0\n"));
    static const char WITH_NUL[] = START "event 1 2 1\nk42/notes,[\0]";
    const struct bytes with_nul = {(const unsigned char *)WITH_NUL, sizeof(WITH_NUL) - 1};
    assert_false(is_taken(&arena, sign(&arena, with_nul, FILL)));
    assert_false(is_taken(&arena, (struct bytes){.p = NULL, .n = 0}));
    arena_done(&arena);
}

static void what_is_too_long_is_refused(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena);
    char *text = arena_take(&arena, 2 * MIB);
    memset(text, 'x', 2 * MIB - 1);
    assert_false(is_read(&arena, text));
    const char *head = START "event 1 2 1\nk42/notes,";
    memcpy(text, head, strlen(head));
    assert_false(is_read(&arena, text));
    size_t before_packet_bytes = strlen(head) - strlen("42/notes,");
    text[before_packet_bytes + MIB + 1] = '\0';
    assert_false(is_read(&arena, text));
    text[before_packet_bytes + MIB] = '\0';
    assert_true(is_read(&arena, text));
    arena_done(&arena);
}

/* Whoever can write to Redis, but has not the site's key. */
static void what_another_signed_or_changed_is_refused(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena);
    const struct bytes text = bytes_of(START "event 1 2 1\nk42/notes,[]");
    assert_true(is_taken(&arena, sign(&arena, text, FILL)));
    assert_false(is_taken(&arena, sign(&arena, text, FILL + 1)));
    assert_false(is_taken(&arena, text));
    struct bytes made = sign(&arena, text, FILL);
    unsigned char *changed = arena_take(&arena, made.n);
    memcpy(changed, made.p, made.n);
    for (size_t i = 0; i < made.n; i++) {
        changed[i] ^= 1;
        assert_false(is_taken(&arena, (struct bytes){changed, made.n}));
        changed[i] ^= 1;
        assert_false(is_taken(&arena, (struct bytes){changed, i}));
    }
    assert_true(is_taken(&arena, (struct bytes){changed, made.n}));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(events_are_read_as_they_were_written),
        UNIT(refreshes_and_session_ends_too),
        UNIT(a_packet_that_is_too_long_becomes_a_refresh),
        UNIT(what_is_none_of_ours_is_refused),
        UNIT(what_is_too_long_is_refused),
        UNIT(what_another_signed_or_changed_is_refused),
    };
    return secret_start() ? cmocka_run_group_tests(tests, NULL, NULL) : EXIT_FAILURE;
}
