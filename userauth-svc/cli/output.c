/* SPDX-License-Identifier: MIT
 *
 * Depends on: ctx.h, strbuf.h, text.h. */
#include "cli/output.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/ctx.h"
#include "base/strbuf.h"
#include "base/text.h"

/* One code point of valid UTF-8. Returns its bytes. */
static size_t decode(const char *text, uint32_t *out_point)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t size_bytes = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t point = size_bytes == 1 ? p[0] : p[0] & (0xffU >> (size_bytes + 1));
    for (size_t i = 1; i < size_bytes; i++)
        point = point << 6 | (p[i] & 0x3fU);
    *out_point = point;
    return size_bytes;
}

/* Controls, line and paragraph separators, and the marks that turn or isolate the direction of
 * text. */
static bool is_harmful(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x061c || point == 0x200e ||
           point == 0x200f || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2066 && point <= 0x2069);
}

static void add_valid(struct strbuf *buf, const char *text)
{
    while (*text) {
        uint32_t point = 0;
        size_t size_bytes = decode(text, &point);
        if (!is_harmful(point))
            strbuf_add_bytes(buf, text, size_bytes);
        else
            strbuf_format(buf, point < 0x80 ? "\\x%02x" : "\\u%04x", point);
        text += size_bytes;
    }
}

void output_add(struct strbuf *buf, const char *text)
{
    if (!text)
        return;
    if (text_is_utf8(text, strlen(text))) {
        add_valid(buf, text);
        return;
    }
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p >= 0x20 && *p < 0x7f)
            strbuf_add_char(buf, (char)*p);
        else
            strbuf_format(buf, "\\x%02x", (unsigned)*p);
    }
}

const char *output_text(struct ctx *ctx, const char *text)
{
    struct strbuf buf;
    const char *shown = "";
    strbuf_init(&buf, &ctx->arena, 64, OUTPUT_MAX_BYTES);
    output_add(&buf, text);
    return strbuf_text(&buf, &shown) == ERR_OK ? shown : "";
}

void output_add_json(struct strbuf *buf, const char *json)
{
    while (*json) {
        uint32_t point = 0;
        size_t size_bytes = decode(json, &point);
        if (point >= 0x7f && point < 0xa0)
            strbuf_format(buf, "\\u%04x", point);
        else
            strbuf_add_bytes(buf, json, size_bytes);
        json += size_bytes;
    }
}

bool output_write(const struct strbuf *buf)
{
    const char *text = NULL;
    if (strbuf_text(buf, &text))
        return false;
    return fwrite(text, 1, buf->size_bytes, stdout) == buf->size_bytes && fflush(stdout) == 0;
}

static void say(struct ctx *ctx, const char *format, va_list values) FORMAT(2, 0);

static void say(struct ctx *ctx, const char *format, va_list values)
{
    const char *text = arena_format_list(&ctx->arena, format, values);
    const char *line = arena_format(&ctx->arena, CLI_NAME ": %s\n", text);
    (void)fputs(line, stderr);
}

enum cli_exit output_fail(struct ctx *ctx, enum cli_exit code, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    say(ctx, format, values);
    va_end(values);
    return code;
}

enum cli_exit output_fail_usage(struct ctx *ctx, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    say(ctx, format, values);
    va_end(values);
    (void)fputs("See: " CLI_NAME " --help\n", stderr);
    return CLI_EXIT_USAGE;
}
