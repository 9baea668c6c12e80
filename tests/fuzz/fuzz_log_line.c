/* SPDX-License-Identifier: MIT
 *
 * Log lines of any values: one line, never over its maximum, in JSON one valid object that holds no
 * control characters. The input is cut into two values at its middle. */
#include "base/log_line.h"

#include "base/arena.h"
#include "base/text.h"

#include "fuzz.h"

#include <jansson.h>
#include <string.h>

static void release(json_t **value)
{
    json_decref(*value);
}

static void check_line(const struct log_line *line)
{
    FUZZ_REQUIRE(line->size_bytes > 0 && line->size_bytes <= sizeof(line->text));
    FUZZ_REQUIRE(line->text[line->size_bytes - 1] == '\n');
    FUZZ_REQUIRE(text_is_utf8(line->text, line->size_bytes));
    for (size_t i = 0; i + 1 < line->size_bytes; i++)
        FUZZ_REQUIRE((unsigned char)line->text[i] >= ' ' && line->text[i] != 0x7F);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct log_look as_json = {.service = "fuzz", .format = LOG_JSON};
    static const struct log_look as_text = {.service = "fuzz", .format = LOG_TEXT};
    CLEANUP(arena_done) struct arena arena;
    arena_init(&arena);
    const struct log_field fields[] = {
        log_str("a", arena_text_copy(&arena, (const char *)data, size / 2)),
        log_i64("size", (int64_t)size),
        log_str("b", arena_text_copy(&arena, (const char *)data + size / 2, size - size / 2)),
    };
    struct log_event event = {
        .level = LOG_INFO,
        .name = "fuzz.line_made",
        .request_id = "r1",
        .fields = fields,
        .count = ARRAY_COUNT(fields),
    };
    struct log_line line;
    log_line_form(&line, &as_text, &event);
    check_line(&line);
    log_line_form(&line, &as_json, &event);
    check_line(&line);
    CLEANUP(release)
    json_t *object = json_loadb(line.text, line.size_bytes, JSON_REJECT_DUPLICATES, NULL);
    FUZZ_REQUIRE(json_is_object(object));
    FUZZ_REQUIRE(json_integer_value(json_object_get(object, "size")) == (json_int_t)size);
    return 0;
}
