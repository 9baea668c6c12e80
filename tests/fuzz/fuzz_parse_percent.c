/* SPDX-License-Identifier: MIT
 *
 * Percent-decoding: the result is UTF-8 without NUL and never longer than the input; what is
 * encoded again decodes to the same; a refused input leaves the output alone. The first byte
 * chooses whether "+" is a space. */
#include "base/parse.h"

#include "base/arena.h"
#include "base/strbuf.h"
#include "base/text.h"

#include "fuzz.h"

#include <string.h>

static void check_round_trip(struct arena *arena, const char *text)
{
    struct strbuf encoded;
    const char *again = NULL;
    char *back = NULL;
    strbuf_init(&encoded, arena, 0, strlen(text) * 3);
    strbuf_add_url(&encoded, text);
    FUZZ_REQUIRE(strbuf_text(&encoded, &again) == ERR_OK);
    FUZZ_REQUIRE(parse_percent(arena, again, strlen(again), true, &back));
    FUZZ_REQUIRE(strcmp(back, text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    CLEANUP(arena_done) struct arena arena;
    arena_init(&arena);
    char *text = NULL;
    if (parse_percent(&arena, (const char *)data + 1, size - 1, data[0] & 1, &text)) {
        FUZZ_REQUIRE(strlen(text) <= size - 1);
        FUZZ_REQUIRE(text_is_utf8(text, strlen(text)));
        check_round_trip(&arena, text);
    } else {
        FUZZ_REQUIRE(text == NULL);
    }
    return 0;
}
