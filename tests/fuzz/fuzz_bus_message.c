/* SPDX-License-Identifier: MIT
 *
 * What another process, or anybody who can write to Redis, puts on the channel: without a digest it
 * is refused; with one, a message that is read keeps its limits, and is written and read again as
 * the same. */
#include "live/bus_message.h"

#include "base/arena.h"
#include "base/text.h"

#include "fuzz.h"

#include <string.h>

static const unsigned char KEY_BYTES[SECRET_DIGEST_BYTES] = "any";
static const struct bytes KEY = {.p = KEY_BYTES, .n = sizeof(KEY_BYTES)};

static struct bytes sign(struct arena *arena, const uint8_t *data, size_t size)
{
    unsigned char digest[SECRET_DIGEST_BYTES];
    unsigned char *copy = arena_take(arena, size + BUS_DIGEST_CHARS);
    secret_digest(KEY, data, size, digest);
    if (size)
        memcpy(copy, data, size);
    memcpy(copy + size, secret_base64url(arena, digest, sizeof(digest)), BUS_DIGEST_CHARS);
    return (struct bytes){.p = copy, .n = size + BUS_DIGEST_CHARS};
}

static void check_same(const struct bus_message *a, const struct bus_message *b)
{
    FUZZ_REQUIRE(a->kind == b->kind && a->is_home_too == b->is_home_too);
    FUZZ_REQUIRE(a->previous == b->previous && a->revision == b->revision);
    FUZZ_REQUIRE(text_equals(a->sender, b->sender) && text_equals(a->key, b->key));
    FUZZ_REQUIRE(text_equals(a->packet, b->packet));
    FUZZ_REQUIRE(memcmp(a->digest, b->digest, sizeof(a->digest)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bus_message message;
    struct bus_message again;
    struct arena arena;
    arena_init(&arena);
    FUZZ_REQUIRE(!bus_message_read(&arena, KEY, (struct bytes){.p = data, .n = size}, &message));
    if (bus_message_read(&arena, KEY, sign(&arena, data, size), &message)) {
        FUZZ_REQUIRE(strlen(message.key) <= BUS_KEY_MAX_BYTES);
        FUZZ_REQUIRE(text_is_utf8(message.key, strlen(message.key)));
        FUZZ_REQUIRE(text_is_utf8(message.packet, strlen(message.packet)));
        FUZZ_REQUIRE(message.previous >= 0 && message.previous <= message.revision);
        FUZZ_REQUIRE(
            bus_message_read(&arena, KEY, bus_message_write(&arena, KEY, &message), &again));
        check_same(&message, &again);
    }
    arena_done(&arena);
    return 0;
}
