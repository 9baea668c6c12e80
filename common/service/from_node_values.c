/* SPDX-License-Identifier: MIT
 *
 * Texts and times as another program's tables have them. Pure.
 * Depends on: from_node.h, text.h, strbuf.h. */
#include <string.h>

#include "base/arena.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "service/from_node.h"

#define CHAR_MAX_BYTES   4
#define REPLACEMENT      "\xEF\xBF\xBD" /* U+FFFD */
#define GROWTH_MAX       3              /* a byte becomes three */
#define SHOWN_MAX_BYTES  160            /* of the raw text */
#define SHOWN_TEXT_BYTES 2048
#define DAY_MS           INT64_C(86400000)
#define YEAR_MAX         9999

/* The size of the valid character that begins here, 0: none does. */
static size_t char_at(const unsigned char *p, size_t left)
{
    for (size_t size = 1; size <= CHAR_MAX_BYTES && size <= left; size++)
        if (text_is_utf8((const char *)p, size))
            return size;
    return 0;
}

static bool is_control_at(const unsigned char *p, size_t size, const char *allowed)
{
    char one[CHAR_MAX_BYTES + 1] = "";
    memcpy(one, p, size);
    return text_has_control(one, allowed);
}

const char *from_node_exact(struct bytes raw)
{
    const char *text = (const char *)raw.p;
    bool is_fine = text && text_is_utf8(text, raw.n) && !text_has_control(text, "");
    return is_fine ? text : NULL;
}

static void add_clean(struct strbuf *buf, struct bytes raw, bool is_one_line)
{
    for (size_t at = 0; at < raw.n;) {
        size_t size = char_at(raw.p + at, raw.n - at);
        bool is_space = is_one_line && strchr("\r\n\t", raw.p[at]) && raw.p[at];
        if (is_space)
            strbuf_add_char(buf, ' ');
        else if (!size || is_control_at(raw.p + at, size, "\r\n\t"))
            strbuf_add(buf, REPLACEMENT);
        else
            strbuf_add_bytes(buf, (const char *)raw.p + at, size);
        at += size ? size : 1;
    }
}

const char *
from_node_text(struct ctx *ctx, struct bytes raw, bool is_one_line, bool *out_is_changed)
{
    const char *text = (const char *)raw.p;
    const char *allowed = is_one_line ? "" : "\r\n\t";
    if (!text)
        return NULL;
    if (!text_is_utf8(text, raw.n) || text_has_control(text, allowed)) {
        struct strbuf buf;
        strbuf_init(&buf, &ctx->arena, raw.n + 1, raw.n * GROWTH_MAX);
        add_clean(&buf, raw, is_one_line);
        if (strbuf_text(&buf, &text))
            return NULL; /* can't be: room for all was asked for */
        *out_is_changed = true;
    }
    return text_unix_newlines(&ctx->arena, text);
}

/* ---- time ---- */

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t shifted = month > 2 ? month - 3 : month + 9;
    int64_t years = month > 2 ? year : year - 1;
    return years * 365 + years / 4 - years / 100 + years / 400 + (shifted * 153 + 2) / 5 + day - 1 -
           719468;
}

/* So many digits, moved past. */
static bool take_number(const char **text, size_t digits, int64_t *out_number)
{
    int64_t number = 0;
    for (size_t i = 0; i < digits; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        number = number * 10 + (**text - '0');
    }
    *out_number = number;
    return true;
}

/* The second's fraction, "" or ".123456": its first three digits count. */
static bool take_fraction(const char **text, int64_t *out_ms)
{
    static const int64_t WEIGHTS[] = {100, 10, 1};
    *out_ms = 0;
    if (**text != '.')
        return true;
    size_t place = 0;
    for ((*text)++; **text >= '0' && **text <= '9' && place < 9; (*text)++, place++)
        *out_ms += place < ARRAY_COUNT(WEIGHTS) ? WEIGHTS[place] * (**text - '0') : 0;
    return place > 0;
}

/* "", "Z", " +02:00". */
static bool take_zone(const char **text, int64_t *out_ms)
{
    int64_t hours = 0;
    int64_t minutes = 0;
    *out_ms = 0;
    while (**text == ' ')
        (*text)++;
    if (**text == 'Z')
        (*text)++;
    if (**text != '+' && **text != '-')
        return **text == '\0';
    int64_t sign = *(*text)++ == '-' ? -1 : 1;
    if (!take_number(text, 2, &hours) || *(*text)++ != ':' || !take_number(text, 2, &minutes) ||
        hours > 14 || minutes > 59)
        return false;
    *out_ms = sign * (hours * 60 + minutes) * 60000;
    return **text == '\0';
}

static bool take_char(const char **text, const char *set)
{
    return **text && strchr(set, *(*text)++) != NULL;
}

static bool parse_time(const char *text, int64_t *out_unix_ms)
{
    int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0, zone_ms = 0;
    bool is_whole =
        take_number(&text, 4, &year) && take_char(&text, "-") && take_number(&text, 2, &month) &&
        take_char(&text, "-") && take_number(&text, 2, &day) && take_char(&text, " T") &&
        take_number(&text, 2, &hour) && take_char(&text, ":") && take_number(&text, 2, &minute) &&
        take_char(&text, ":") && take_number(&text, 2, &second) && take_fraction(&text, &ms) &&
        take_zone(&text, &zone_ms);
    if (!is_whole || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
        second > 60)
        return false;
    *out_unix_ms = days_of(year, month, day) * DAY_MS +
                   ((hour * 60 + minute) * 60 + second) * 1000 + ms - zone_ms;
    return true;
}

bool from_node_time(struct bytes raw, int64_t *out_unix_ms)
{
    const char *text = from_node_exact(raw);
    int64_t latest_ms = days_of(YEAR_MAX, 12, 31) * DAY_MS;
    int64_t unix_ms = 0;
    if (!text || (!parse_i64(text, 0, latest_ms, &unix_ms) && !parse_time(text, &unix_ms)))
        return false;
    if (unix_ms < 0 || unix_ms > latest_ms)
        return false;
    *out_unix_ms = unix_ms;
    return true;
}

/* ---- showing ---- */

/* Characters that are not seen but change how others are. */
static bool is_hidden(const unsigned char *p, size_t size)
{
    if (size != 3 || p[0] < 0xE2)
        return false;
    bool is_mark = p[0] == 0xE2 && p[1] == 0x80 && (p[2] <= 0x8F ? p[2] >= 0x8B : p[2] >= 0xA8);
    bool is_isolate = p[0] == 0xE2 && p[1] == 0x81 && p[2] >= 0xA0 && p[2] <= 0xAF;
    return (is_mark && p[2] <= 0xAE) || is_isolate || (p[0] == 0xEF && p[1] == 0xBB);
}

const char *from_node_shown(struct arena *arena, struct bytes raw)
{
    struct strbuf buf;
    const char *text = "";
    if (!raw.p)
        return "NULL";
    strbuf_init(&buf, arena, 0, SHOWN_TEXT_BYTES);
    strbuf_add_char(&buf, '"');
    for (size_t at = 0; at < raw.n;) {
        size_t size = char_at(raw.p + at, raw.n - at);
        bool is_plain =
            size && !is_control_at(raw.p + at, size, "") && !is_hidden(raw.p + at, size);
        size_t end = at + (size ? size : 1);
        if (end > SHOWN_MAX_BYTES) {
            strbuf_add(&buf, "…");
            break;
        }
        if (is_plain && (raw.p[at] == '"' || raw.p[at] == '\\'))
            strbuf_add_char(&buf, '\\');
        if (is_plain)
            strbuf_add_bytes(&buf, (const char *)raw.p + at, size);
        for (size_t i = at; !is_plain && i < end; i++)
            strbuf_format(&buf, "\\x%02x", raw.p[i]);
        at = end;
    }
    strbuf_add_char(&buf, '"');
    return strbuf_text(&buf, &text) == ERR_OK ? text : "";
}
