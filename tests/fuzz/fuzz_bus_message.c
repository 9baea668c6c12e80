/* SPDX-License-Identifier: MIT
 *
 * What another process, or anybody who can write to Redis, puts on the channel: a message that is
 * read keeps its limits, and is written and read again as the same. */
#include "live/bus_message.h"

#include "base/arena.h"
#include "base/text.h"

#include "fuzz.h"

#include <string.h>

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
    if (bus_message_read(&arena, (struct bytes){.p = data, .n = size}, &message)) {
        FUZZ_REQUIRE(strlen(message.key) <= BUS_KEY_MAX_BYTES);
        FUZZ_REQUIRE(text_is_utf8(message.key, strlen(message.key)));
        FUZZ_REQUIRE(text_is_utf8(message.packet, strlen(message.packet)));
        FUZZ_REQUIRE(message.previous >= 0 && message.previous <= message.revision);
        FUZZ_REQUIRE(bus_message_read(&arena, bus_message_write(&arena, &message), &again));
        check_same(&message, &again);
    }
    arena_done(&arena);
    return 0;
}
