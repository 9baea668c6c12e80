/* SPDX-License-Identifier: MIT
 *
 * JSON bodies: what is accepted is one object of UTF-8 texts without NUL, and printed and read
 * again it is equal. */
#include "http/json_body.h"

#include "base/ctx.h"
#include "base/text.h"

#include "fuzz.h"

#include <string.h>

static void check_text_members(struct ctx *ctx, json_t *object)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(object, name, value)
    {
        const char *text = NULL;
        enum err err = json_body_text(ctx, object, name, &text);
        bool is_text = json_is_string(value) || json_is_null(value);
        FUZZ_REQUIRE(text_is_utf8(name, strlen(name)));
        FUZZ_REQUIRE((err == ERR_OK) == is_text);
        FUZZ_REQUIRE(!text || text_is_utf8(text, strlen(text)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, FUZZ_BUDGET_MS);
    CLEANUP(json_body_release) json_t *object = NULL;
    CLEANUP(json_body_release) json_t *again = NULL;
    if (json_body_parse(&ctx, (struct bytes){.p = data, .n = size}, &object) != ERR_OK) {
        FUZZ_REQUIRE(object == NULL);
        return 0;
    }
    const char *text = NULL;
    FUZZ_REQUIRE(json_is_object(object));
    check_text_members(&ctx, object);
    FUZZ_REQUIRE(json_body_print(&ctx, object, size * 12 + 1024, &text) == ERR_OK);
    struct bytes printed = {.p = (const unsigned char *)text, .n = strlen(text)};
    FUZZ_REQUIRE(json_body_parse(&ctx, printed, &again) == ERR_OK);
    FUZZ_REQUIRE(json_equal(object, again));
    return 0;
}
