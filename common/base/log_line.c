/* SPDX-License-Identifier: MIT
 *
 * Fields to bytes. Values may come from libraries and from strangers, so nothing about them is
 * taken for granted: what is no UTF-8 becomes U+FFFD, and controls and marks of direction are
 * escaped. The escapes are JSON's in both formats, so that a value looks the same in each.
 * Depends on: log_line.h, clock.h, text.h. */
#include "base/log_line.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define LINE_TAIL_BYTES    32 /* kept free for what ends a line: the mark of a cut, newline */
#define LEVEL_COLUMN_CHARS 6
#define EVENT_COLUMN_CHARS 20
#define ISO_TIME_AT        11 /* of "2026-11-22T16:25:18.000Z" */
#define ISO_TIME_CHARS     12
#define COLOUR_DIM         "\033[2m"
#define COLOUR_OFF         "\033[0m"

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const level_colours[] = {"\033[31m", "\033[33m", "\033[32m", "\033[36m"};

static void put_bytes(struct log_line *line, const char *bytes, size_t size_bytes)
{
    if (line->is_over || size_bytes > sizeof(line->text) - LINE_TAIL_BYTES - line->size_bytes) {
        line->is_over = true;
        return;
    }
    memcpy(line->text + line->size_bytes, bytes, size_bytes);
    line->size_bytes += size_bytes;
}

static void put(struct log_line *line, const char *text)
{
    put_bytes(line, text, strlen(text));
}

/* Into the room that put_bytes leaves. */
static void put_tail(struct log_line *line, const char *text)
{
    size_t size_bytes = strlen(text);
    if (size_bytes <= sizeof(line->text) - line->size_bytes) {
        memcpy(line->text + line->size_bytes, text, size_bytes);
        line->size_bytes += size_bytes;
    }
}

static void put_i64(struct log_line *line, int64_t number)
{
    char digits[TEXT_I64_CHARS];
    const char *at = text_i64(digits, number);
    put_bytes(line, at, (size_t)(digits + sizeof(digits) - at));
}

/* How many bytes at p are one whole character: values may come from libraries, so nothing is taken
 * for granted. 0: not UTF-8. */
static size_t char_bytes(const char *p, size_t left_bytes)
{
    for (size_t size_bytes = 1; size_bytes <= 4 && size_bytes <= left_bytes; size_bytes++) {
        if (text_is_utf8(p, size_bytes))
            return size_bytes;
    }
    return 0;
}

static bool is_control(const char *p, size_t size_bytes)
{
    unsigned char c = (unsigned char)p[0];
    if (size_bytes == 2)
        return c == 0xC2 && (unsigned char)p[1] < 0xA0;
    return size_bytes == 1 && (c < 0x20 || c == 0x7F);
}

/* Line and paragraph separator, and marks that turn the direction of what follows: they would let a
 * value look like something else on a terminal. */
static bool is_deceptive(const char *p, size_t size_bytes)
{
    if (size_bytes != 3 || (unsigned char)p[0] != 0xE2)
        return false;
    unsigned char b = (unsigned char)p[1];
    unsigned char c = (unsigned char)p[2];
    return (b == 0x80 && c >= 0xA8 && c <= 0xAE) || (b == 0x81 && c >= 0xA6 && c <= 0xA9);
}

static void put_escape(struct log_line *line, const char *p, size_t size_bytes)
{
    unsigned code = (unsigned char)p[0];
    if (size_bytes == 2)
        code = (code & 0x1Fu) << 6 | ((unsigned char)p[1] & 0x3Fu);
    else if (size_bytes == 3)
        code = (code & 0x0Fu) << 12 | ((unsigned char)p[1] & 0x3Fu) << 6 |
               ((unsigned char)p[2] & 0x3Fu);
    char escape[8];
    (void)snprintf(escape, sizeof(escape), "\\u%04x", code & 0xFFFFu);
    put(line, escape);
}

static size_t plain_run_bytes(const char *p, size_t left_bytes)
{
    size_t count = 0;
    while (count < left_bytes && p[count] >= ' ' && p[count] < 0x7F && p[count] != '"' &&
           p[count] != '\\')
        count++;
    return count;
}

/* One character that needs a look. Returns its size. */
static size_t put_odd_char(struct log_line *line, const char *p, size_t left_bytes)
{
    size_t size_bytes = char_bytes(p, left_bytes);
    if (size_bytes == 0) {
        put(line, "\\ufffd");
        return 1;
    }
    if (*p == '"' || *p == '\\')
        put(line, *p == '"' ? "\\\"" : "\\\\");
    else if (*p == '\n')
        put(line, "\\n");
    else if (is_control(p, size_bytes) || is_deceptive(p, size_bytes))
        put_escape(line, p, size_bytes);
    else
        put_bytes(line, p, size_bytes);
    return size_bytes;
}

/* At most LOG_VALUE_MAX_BYTES of the value, not cut inside a character. */
static size_t value_bytes(const char *text, bool *out_is_cut)
{
    size_t size_bytes = strnlen(text, LOG_VALUE_MAX_BYTES + 1);
    *out_is_cut = size_bytes > LOG_VALUE_MAX_BYTES;
    if (!*out_is_cut)
        return size_bytes;
    size_bytes = LOG_VALUE_MAX_BYTES;
    while (size_bytes > LOG_VALUE_MAX_BYTES - 3 && ((unsigned char)text[size_bytes] & 0xC0) == 0x80)
        size_bytes--;
    return size_bytes;
}

/* A quoted string, good as JSON and good for people. */
static void put_quoted(struct log_line *line, const char *text)
{
    bool is_cut = false;
    size_t size_bytes = value_bytes(text, &is_cut);
    put(line, "\"");
    for (size_t at = 0; at < size_bytes && !line->is_over;) {
        size_t run_bytes = plain_run_bytes(text + at, size_bytes - at);
        put_bytes(line, text + at, run_bytes);
        at += run_bytes;
        if (at < size_bytes)
            at += put_odd_char(line, text + at, size_bytes - at);
    }
    put(line, is_cut ? "…\"" : "\"");
}

static bool is_bare_word(const char *text)
{
    size_t size_bytes = strlen(text);
    return size_bytes > 0 && size_bytes <= LOG_VALUE_MAX_BYTES && !strchr(text, ' ') &&
           !strchr(text, '=') && plain_run_bytes(text, size_bytes) == size_bytes;
}

static void put_value(struct log_line *line, enum log_format format, const struct log_field *field)
{
    switch (field->kind) {
    case LOG_KIND_I64:
        put_i64(line, field->number);
        break;
    case LOG_KIND_BOOL:
        put(line, field->number ? "true" : "false");
        break;
    case LOG_KIND_TEXT:
        if (format == LOG_TEXT && is_bare_word(field->text))
            put(line, field->text);
        else
            put_quoted(line, field->text);
        break;
    }
}

static void
put_field(struct log_line *line, const struct log_look *look, const struct log_field *field)
{
    if (!field->text)
        return;
    if (look->format == LOG_JSON) {
        put(line, ",\"");
        put(line, field->name);
        put(line, "\":");
    } else {
        put(line, look->is_coloured ? " " COLOUR_DIM : " ");
        put(line, field->name);
        put(line, look->is_coloured ? "=" COLOUR_OFF : "=");
    }
    put_value(line, look->format, field);
}

/* A field that does not fit is left out as a whole, and the others still have their chance. */
static void put_fields(struct log_line *line,
                       const struct log_look *look,
                       const struct log_field *fields,
                       size_t count)
{
    bool is_cut = false;
    for (size_t i = 0; i < count; i++) {
        size_t before_bytes = line->size_bytes;
        put_field(line, look, &fields[i]);
        if (line->is_over) {
            line->size_bytes = before_bytes;
            line->is_over = false;
            is_cut = true;
        }
    }
    if (is_cut)
        put_tail(line, look->format == LOG_JSON ? ",\"is_cut\":true" : " is_cut=true");
}

static void
put_json_head(struct log_line *line, const struct log_look *look, const struct log_event *event)
{
    char iso[CLOCK_ISO_BYTES];
    clock_iso_into(iso, event->unix_ms);
    put(line, "{\"ts\":\"");
    put(line, iso);
    put(line, "\",\"level\":\"");
    put(line, level_names[event->level]);
    put(line, "\",\"svc\":\"");
    put(line, look->service);
    put(line, "\",\"event\":\"");
    put(line, event->name);
    put(line, "\"");
}

static void
put_text_head(struct log_line *line, const struct log_look *look, const struct log_event *event)
{
    char iso[CLOCK_ISO_BYTES];
    clock_iso_into(iso, event->unix_ms);
    put_bytes(line, iso + ISO_TIME_AT, ISO_TIME_CHARS);
    put(line, " ");
    put(line, look->is_coloured ? level_colours[event->level] : "");
    put(line, level_names[event->level]);
    put(line, look->is_coloured ? COLOUR_OFF : "");
    for (size_t i = strlen(level_names[event->level]); i < LEVEL_COLUMN_CHARS; i++)
        put(line, " ");
    put(line, event->name);
    for (size_t i = strlen(event->name); i < EVENT_COLUMN_CHARS; i++)
        put(line, " ");
}

/* JSON has the request id first, for machines that look for it; text has it last, out of the way.
 */
void log_line_form(struct log_line *line,
                   const struct log_look *look,
                   const struct log_event *event)
{
    struct log_field request_id = log_str("req_id", event->request_id);
    line->size_bytes = 0;
    line->is_over = false;
    if (look->format == LOG_JSON) {
        put_json_head(line, look, event);
        put_field(line, look, &request_id);
        put_fields(line, look, event->fields, event->count);
        put_tail(line, "}\n");
    } else {
        put_text_head(line, look, event);
        put_fields(line, look, event->fields, event->count);
        put_field(line, look, &request_id);
        put_tail(line, "\n");
    }
}

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}
