/* SPDX-License-Identifier: MIT
 *
 * The name of a device: whatever a User-Agent says, the name is short and made of letters only, and
 * signs that are in no word of ours make no difference to it. */
#include "session/user_agent.h"

#include "base/arena.h"

#include "fuzz.h"

#include <string.h>

#define NAME_MAX_CHARS 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_done) struct arena arena;
    arena_init(&arena);
    char *text = arena_text_copy(&arena, (const char *)data, size);
    const char *name = user_agent_name(&arena, text);
    FUZZ_REQUIRE(name[0] != '\0' && strlen(name) <= NAME_MAX_CHARS);
    for (const char *p = name; *p; p++)
        FUZZ_REQUIRE(*p == ' ' || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z'));
    for (char *p = text; *p; p++)
        *p = strchr("<>&\"'()[]{};:=\\", *p) ? ' ' : *p;
    FUZZ_REQUIRE(strcmp(name, user_agent_name(&arena, text)) == 0);
    return 0;
}
