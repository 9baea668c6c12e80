/* SPDX-License-Identifier: MIT
 *
 * Strict readers. The library's strtol takes leading space, a plus and a rest that nobody looks
 * at; its relatives differ from system to system. Here the whole text must fit.
 * Depends on: parse.h, arena.h, text.h. */
#include "base/parse.h"

#include "base/arena.h"
#include "base/text.h"

#include <string.h>

/* Counts downwards, because the most negative number has no positive counterpart. */
bool parse_i64(const char *text, int64_t min, int64_t max, int64_t *out_number)
{
    bool is_negative = text[0] == '-';
    const char *p = is_negative ? text + 1 : text;
    if (!*p)
        return false;
    int64_t minus = 0;
    for (; *p; p++) {
        if (*p < '0' || *p > '9')
            return false;
        int digit = *p - '0';
        if (minus < (INT64_MIN + digit) / 10)
            return false;
        minus = minus * 10 - digit;
    }
    if (!is_negative && minus == INT64_MIN)
        return false;
    int64_t number = is_negative ? minus : -minus;
    if (number < min || number > max)
        return false;
    *out_number = number;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The byte that "%XX" at p stands for, or -1. */
static int percent_byte(const char *p, size_t left_bytes)
{
    if (left_bytes < 3)
        return -1;
    int high = hex_digit(p[1]);
    int low = hex_digit(p[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool parse_percent(
    struct arena *arena, const char *text, size_t size_bytes, bool plus_is_space, char **out_text)
{
    char *result = arena_take(arena, size_bytes + 1);
    size_t result_bytes = 0;
    for (size_t i = 0; i < size_bytes; i++) {
        int byte = (unsigned char)text[i];
        if (byte == '%') {
            byte = percent_byte(text + i, size_bytes - i);
            if (byte < 0)
                return false;
            i += 2;
        } else if (byte == '+' && plus_is_space) {
            byte = ' ';
        }
        result[result_bytes++] = (char)byte;
    }
    if (!text_is_utf8(result, result_bytes))
        return false;
    *out_text = result;
    return true;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* Four characters, of which the last `padding` ones are "=", to up to three bytes. Bits that no
 * byte takes must be zero, so that each value has one spelling (RFC 4648 section 3.5). */
static bool decode_quad(const char *quad, size_t padding, unsigned char *out)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - padding ? base64_value(quad[i]) : 0;
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
    }
    uint32_t unused_mask = padding == 2 ? 0xFFFF : padding == 1 ? 0xFF : 0;
    if (bits & unused_mask)
        return false;
    for (size_t i = 0; i < 3 - padding; i++)
        out[i] = (unsigned char)(bits >> (16 - 8 * i));
    return true;
}

static size_t padding_count(const char *text, size_t size_bytes)
{
    if (size_bytes == 0 || text[size_bytes - 1] != '=')
        return 0;
    return text[size_bytes - 2] == '=' ? 2 : 1;
}

bool parse_base64(struct arena *arena, const char *text, struct bytes *out_bytes)
{
    size_t size_bytes = strlen(text);
    if (size_bytes % 4 != 0)
        return false;
    size_t padding = padding_count(text, size_bytes);
    unsigned char *result = arena_take(arena, size_bytes / 4 * 3 + 1);
    for (size_t quad = 0; quad < size_bytes / 4; quad++) {
        bool is_last = (quad + 1) * 4 == size_bytes;
        if (!decode_quad(text + quad * 4, is_last ? padding : 0, result + quad * 3))
            return false;
    }
    *out_bytes = (struct bytes){.p = result, .n = size_bytes / 4 * 3 - padding};
    return true;
}
