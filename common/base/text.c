/* SPDX-License-Identifier: MIT
 *
 * UTF-8 checked and counted by hand: the C library's answer depends on the locale and on the
 * system. The check is the table of well-formed byte sequences of the Unicode standard (chapter
 * 3, table 3-7), with a shortcut for plain ASCII, eight bytes at a time.
 * Depends on: text.h, arena.h. */
#include "base/text.h"

#include "base/arena.h"
#include "base/cleanup.h"

#include <stdint.h>
#include <string.h>

#define ASCII_STEP_BYTES 8
#define ASCII_HIGH_BITS  UINT64_C(0x8080808080808080)
#define ASCII_LOW_BITS   UINT64_C(0x0101010101010101)

/* Well-formed sequences of two bytes and more: the range of the first byte, how many bytes follow,
 * and the range of the second one; all further ones are 80..BF. */
struct utf8_row {
    unsigned char first_min, first_max;
    unsigned char more_count;
    unsigned char second_min, second_max;
};

static const struct utf8_row utf8_rows[] = {
    {0xC2, 0xDF, 1, 0x80, 0xBF}, {0xE0, 0xE0, 2, 0xA0, 0xBF}, {0xE1, 0xEC, 2, 0x80, 0xBF},
    {0xED, 0xED, 2, 0x80, 0x9F}, {0xEE, 0xEF, 2, 0x80, 0xBF}, {0xF0, 0xF0, 3, 0x90, 0xBF},
    {0xF1, 0xF3, 3, 0x80, 0xBF}, {0xF4, 0xF4, 3, 0x80, 0x8F},
};

/* What shows nothing: white space (Unicode property White_Space), and default ignorable characters
 * that take no room (soft hyphen, joiners, marks of direction, variation selectors, fillers, marks
 * of notation), and the Braille pattern without a dot. */
static const uint32_t blank_ranges[][2] = {
    {0x0009, 0x000D}, {0x0020, 0x0020},   {0x0085, 0x0085},   {0x00A0, 0x00A0},   {0x00AD, 0x00AD},
    {0x034F, 0x034F}, {0x061C, 0x061C},   {0x115F, 0x1160},   {0x1680, 0x1680},   {0x17B4, 0x17B5},
    {0x180B, 0x180F}, {0x2000, 0x200F},   {0x2028, 0x202F},   {0x205F, 0x206F},   {0x2800, 0x2800},
    {0x3000, 0x3000}, {0x3164, 0x3164},   {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
};

static const struct utf8_row *utf8_row_of(unsigned char first)
{
    for (size_t i = 0; i < ARRAY_COUNT(utf8_rows); i++) {
        if (first >= utf8_rows[i].first_min && first <= utf8_rows[i].first_max)
            return &utf8_rows[i];
    }
    return NULL;
}

/* Bytes of the well-formed sequence at p, 0 when it is none. */
static size_t utf8_sequence_bytes(const unsigned char *p, size_t left_bytes)
{
    if (p[0] < 0x80)
        return p[0] != 0;
    const struct utf8_row *row = utf8_row_of(p[0]);
    if (!row || left_bytes <= row->more_count || p[1] < row->second_min || p[1] > row->second_max)
        return 0;
    for (size_t i = 2; i <= row->more_count; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    }
    return (size_t)row->more_count + 1;
}

/* No high bit and no zero byte among these eight: subtracting 1 from each byte sets the high bit of
 * a zero one. */
static bool is_plain_ascii(const unsigned char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return ((word | (word - ASCII_LOW_BITS)) & ASCII_HIGH_BITS) == 0;
}

bool text_is_utf8(const char *text, size_t size_bytes)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t left_bytes = size_bytes;
    while (left_bytes > 0) {
        if (left_bytes >= ASCII_STEP_BYTES && is_plain_ascii(p)) {
            p += ASCII_STEP_BYTES;
            left_bytes -= ASCII_STEP_BYTES;
            continue;
        }
        size_t sequence_bytes = utf8_sequence_bytes(p, left_bytes);
        if (sequence_bytes == 0)
            return false;
        p += sequence_bytes;
        left_bytes -= sequence_bytes;
    }
    return true;
}

size_t text_count_chars(const char *text)
{
    size_t count = 0;
    for (const char *p = text; *p; p++)
        count += ((unsigned char)*p & 0xC0) != 0x80;
    return count;
}

static bool is_control_at(const char *p)
{
    unsigned char c = (unsigned char)p[0];
    if (c == 0xC2)
        return (unsigned char)p[1] >= 0x80 && (unsigned char)p[1] <= 0x9F;
    return c < 0x20 || c == 0x7F;
}

bool text_has_control(const char *text, const char *allowed)
{
    for (const char *p = text; *p; p++) {
        if (is_control_at(p) && !strchr(allowed, *p))
            return true;
    }
    return false;
}

/* The code point at *text of valid UTF-8, which moves on behind it. A text that ends too early
 * stops there. */
static uint32_t next_char(const char **text)
{
    unsigned char first = (unsigned char)*(*text)++;
    if (first < 0x80)
        return first;
    uint32_t code = first >= 0xF0 ? first & 0x07u : first >= 0xE0 ? first & 0x0Fu : first & 0x1Fu;
    while (((unsigned char)**text & 0xC0) == 0x80)
        code = code << 6 | ((unsigned char)*(*text)++ & 0x3Fu);
    return code;
}

static bool is_blank_char(uint32_t code)
{
    for (size_t i = 0; i < ARRAY_COUNT(blank_ranges); i++) {
        if (code >= blank_ranges[i][0] && code <= blank_ranges[i][1])
            return true;
    }
    return false;
}

bool text_is_blank(const char *text)
{
    const char *p = text;
    while (*p) {
        if (!is_blank_char(next_char(&p)))
            return false;
    }
    return true;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool text_equals(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

bool text_equals_nocase(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) == lower(*b);
}

bool text_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *text, const char *suffix)
{
    size_t text_bytes = strlen(text);
    size_t suffix_bytes = strlen(suffix);
    return text_bytes >= suffix_bytes && strcmp(text + text_bytes - suffix_bytes, suffix) == 0;
}

char *text_i64(char room[TEXT_I64_CHARS], int64_t number)
{
    size_t at = TEXT_I64_CHARS;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        room[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        room[--at] = '-';
    return room + at;
}

char *text_lower(struct arena *arena, const char *text)
{
    char *copy = arena_text(arena, text);
    for (char *p = copy; *p; p++)
        *p = lower(*p);
    return copy;
}

char *text_unix_newlines(struct arena *arena, const char *text)
{
    char *copy = arena_text(arena, text);
    char *to = copy;
    for (const char *from = text; *from; from++) {
        if (from[0] == '\r' && from[1] == '\n')
            continue;
        *to++ = *from == '\r' ? '\n' : *from;
    }
    *to = '\0';
    return copy;
}

static bool is_untidy(const char *text, uint32_t code, const char *others)
{
    return is_control_at(text) || is_blank_char(code) ||
           (code < 0x80 && strchr(others, (int)code) != NULL);
}

char *text_tidy(struct arena *arena, const char *text, const char *others, char by)
{
    char *copy = arena_text(arena, text);
    char *to = copy;
    const char *next = text;
    for (const char *from = text; *from; from = next) {
        uint32_t code = next_char(&next);
        if (!is_untidy(from, code, others) && *from != by) {
            memcpy(to, from, (size_t)(next - from));
            to += next - from;
        } else if (to > copy && to[-1] != by) {
            *to++ = by;
        }
    }
    if (to > copy && to[-1] == by)
        to--;
    *to = '\0';
    return copy;
}

char *text_cut(struct arena *arena, const char *text, size_t max_chars)
{
    const char *end = text;
    for (size_t i = 0; i < max_chars && *end; i++)
        (void)next_char(&end);
    return arena_text_copy(arena, text, (size_t)(end - text));
}
