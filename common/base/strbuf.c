/* SPDX-License-Identifier: MIT
 *
 * Growing text. Capacity doubles inside the arena, in place while the text is the arena's last
 * piece. The escaping appenders look up each byte in a table of 256 and copy runs of harmless
 * bytes at once: pages are mostly such runs. An append that would pass the maximum adds nothing
 * at all, and neither does any append after it.
 * Depends on: strbuf.h, arena.h. */
#include "base/strbuf.h"

#include "base/arena.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_GROWTH_BYTES 240

static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";

/* clang-format off */
static const unsigned char html_special[256] = {
    ['&'] = 1, ['<'] = 1, ['>'] = 1, ['"'] = 1, ['\''] = 1,
};

/* Controls, what JSON or HTML would take for its own, and 0xE2, which begins U+2028 and U+2029. */
static const unsigned char json_special[256] = {
    [0] = 1, [1] = 1, [2] = 1, [3] = 1, [4] = 1, [5] = 1, [6] = 1, [7] = 1,
    [8] = 1, [9] = 1, [10] = 1, [11] = 1, [12] = 1, [13] = 1, [14] = 1, [15] = 1,
    [16] = 1, [17] = 1, [18] = 1, [19] = 1, [20] = 1, [21] = 1, [22] = 1, [23] = 1,
    [24] = 1, [25] = 1, [26] = 1, [27] = 1, [28] = 1, [29] = 1, [30] = 1, [31] = 1,
    ['"'] = 1, ['\\'] = 1, ['<'] = 1, ['>'] = 1, ['&'] = 1, [0xE2] = 1,
};

static const unsigned char url_harmless[256] = {
    ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1,
    ['8'] = 1, ['9'] = 1, ['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1, ['F'] = 1,
    ['G'] = 1, ['H'] = 1, ['I'] = 1, ['J'] = 1, ['K'] = 1, ['L'] = 1, ['M'] = 1, ['N'] = 1,
    ['O'] = 1, ['P'] = 1, ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1, ['U'] = 1, ['V'] = 1,
    ['W'] = 1, ['X'] = 1, ['Y'] = 1, ['Z'] = 1, ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1,
    ['e'] = 1, ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1, ['j'] = 1, ['k'] = 1, ['l'] = 1,
    ['m'] = 1, ['n'] = 1, ['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1,
    ['u'] = 1, ['v'] = 1, ['w'] = 1, ['x'] = 1, ['y'] = 1, ['z'] = 1, ['-'] = 1, ['.'] = 1,
    ['_'] = 1, ['~'] = 1,
};
/* clang-format on */

void strbuf_init(struct strbuf *buf, struct arena *arena, size_t first_bytes, size_t max_bytes)
{
    size_t capacity_bytes = first_bytes < max_bytes ? first_bytes : max_bytes;
    *buf = (struct strbuf){
        .arena = arena,
        .text = arena_take(arena, capacity_bytes + 1),
        .capacity_bytes = capacity_bytes,
        .max_bytes = max_bytes,
    };
}

static size_t next_capacity(const struct strbuf *buf, size_t needed_bytes)
{
    size_t capacity_bytes = buf->capacity_bytes;
    if (capacity_bytes > buf->max_bytes / 2)
        return buf->max_bytes;
    capacity_bytes = capacity_bytes * 2 + FIRST_GROWTH_BYTES;
    if (capacity_bytes < needed_bytes)
        capacity_bytes = needed_bytes;
    return capacity_bytes < buf->max_bytes ? capacity_bytes : buf->max_bytes;
}

static void grow(struct strbuf *buf, size_t needed_bytes)
{
    size_t capacity_bytes = next_capacity(buf, needed_bytes);
    if (!arena_extend(buf->arena, buf->text, buf->capacity_bytes + 1, capacity_bytes + 1)) {
        char *text = arena_take(buf->arena, capacity_bytes + 1);
        memcpy(text, buf->text, buf->size_bytes + 1);
        buf->text = text;
    }
    buf->capacity_bytes = capacity_bytes;
}

/* Room for so many more bytes and the NUL, or false and overflow. */
static bool reserve(struct strbuf *buf, size_t more_bytes)
{
    if (buf->is_over)
        return false;
    if (more_bytes <= buf->capacity_bytes - buf->size_bytes)
        return true;
    if (more_bytes > buf->max_bytes - buf->size_bytes) {
        buf->is_over = true;
        return false;
    }
    grow(buf, buf->size_bytes + more_bytes);
    return true;
}

void strbuf_add_bytes(struct strbuf *buf, const char *text, size_t size_bytes)
{
    if (size_bytes == 0 || !reserve(buf, size_bytes))
        return;
    memcpy(buf->text + buf->size_bytes, text, size_bytes);
    buf->size_bytes += size_bytes;
    buf->text[buf->size_bytes] = '\0';
}

void strbuf_add(struct strbuf *buf, const char *text)
{
    strbuf_add_bytes(buf, text, strlen(text));
}

void strbuf_add_char(struct strbuf *buf, char c)
{
    strbuf_add_bytes(buf, &c, 1);
}

void strbuf_add_i64(struct strbuf *buf, int64_t number)
{
    char digits[TEXT_I64_CHARS];
    const char *at = text_i64(digits, number);
    strbuf_add_bytes(buf, at, (size_t)(digits + sizeof(digits) - at));
}

/* The first try goes into the room that is there; if that was too small, it told how much is
 * needed. */
void strbuf_format(struct strbuf *buf, const char *format, ...)
{
    if (buf->is_over)
        return;
    va_list values;
    va_list again;
    va_start(values, format);
    va_copy(again, values);
    size_t room_bytes = buf->capacity_bytes - buf->size_bytes + 1;
    int size = vsnprintf(buf->text + buf->size_bytes, room_bytes, format, values);
    if (size < 0)
        abort();
    size_t size_bytes = (size_t)size;
    if (size_bytes < room_bytes) {
        buf->size_bytes += size_bytes;
    } else {
        buf->text[buf->size_bytes] = '\0';
        if (reserve(buf, size_bytes)) {
            (void)vsnprintf(buf->text + buf->size_bytes, size_bytes + 1, format, again);
            buf->size_bytes += size_bytes;
        }
    }
    va_end(again);
    va_end(values);
}

static const char *html_reference(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    default:
        return "&#39;";
    }
}

void strbuf_add_html_bytes(struct strbuf *buf, const char *text, size_t size_bytes)
{
    size_t run_start = 0;
    for (size_t i = 0; i < size_bytes; i++) {
        if (!html_special[(unsigned char)text[i]])
            continue;
        strbuf_add_bytes(buf, text + run_start, i - run_start);
        strbuf_add(buf, html_reference(text[i]));
        run_start = i + 1;
    }
    if (run_start < size_bytes)
        strbuf_add_bytes(buf, text + run_start, size_bytes - run_start);
}

void strbuf_add_html(struct strbuf *buf, const char *text)
{
    if (text)
        strbuf_add_html_bytes(buf, text, strlen(text));
}

void strbuf_add_url(struct strbuf *buf, const char *text)
{
    const char *run = text;
    const char *p = text;
    for (; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (url_harmless[c])
            continue;
        strbuf_add_bytes(buf, run, (size_t)(p - run));
        const char escape[3] = {'%', hex_upper[c >> 4], hex_upper[c & 15]};
        strbuf_add_bytes(buf, escape, sizeof(escape));
        run = p + 1;
    }
    strbuf_add_bytes(buf, run, (size_t)(p - run));
}

/* The letter of a two-character escape, or 0 when there is none for this byte. */
static char json_short_escape(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

static void add_json_escape(struct strbuf *buf, unsigned char c)
{
    char letter = json_short_escape(c);
    if (letter) {
        const char escape[2] = {'\\', letter};
        strbuf_add_bytes(buf, escape, sizeof(escape));
        return;
    }
    const char escape[6] = {'\\', 'u', '0', '0', hex_lower[c >> 4], hex_lower[c & 15]};
    strbuf_add_bytes(buf, escape, sizeof(escape));
}

/* p is at E2: U+2028 is E2 80 A8, U+2029 is E2 80 A9. The NUL at the end stops looking ahead. */
static bool is_line_separator(const char *p)
{
    return (unsigned char)p[1] == 0x80 &&
           ((unsigned char)p[2] == 0xA8 || (unsigned char)p[2] == 0xA9);
}

static void add_json_text(struct strbuf *buf, const char *text)
{
    const char *run = text;
    const char *p = text;
    for (; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (!json_special[c] || (c == 0xE2 && !is_line_separator(p)))
            continue;
        strbuf_add_bytes(buf, run, (size_t)(p - run));
        if (c == 0xE2) {
            strbuf_add(buf, (unsigned char)p[2] == 0xA8 ? "\\u2028" : "\\u2029");
            p += 2;
        } else {
            add_json_escape(buf, c);
        }
        run = p + 1;
    }
    strbuf_add_bytes(buf, run, (size_t)(p - run));
}

void strbuf_add_json(struct strbuf *buf, const char *text)
{
    if (!text) {
        strbuf_add_bytes(buf, "null", 4);
        return;
    }
    strbuf_add_char(buf, '"');
    add_json_text(buf, text);
    strbuf_add_char(buf, '"');
}

enum err strbuf_text(const struct strbuf *buf, const char **out_text)
{
    if (buf->is_over)
        return ERR_TOO_LARGE;
    *out_text = buf->text;
    return ERR_OK;
}
