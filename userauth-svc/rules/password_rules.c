/* SPDX-License-Identifier: MIT
 *
 * The rules look at a copy in ASCII lower case. Its longest form is PASSWORD_MAX_BYTES, which is
 * asked before, so the squares that follow are bounded. The copy is wiped. */
#include "rules/password_rules.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/secret.h"
#include "base/text.h"

#define SERVICE_NAME    "notes"
#define TAIL_MAX_BYTES  4
#define PIECE_MAX_CHARS 4
#define ENTRY_MIN_BYTES 5

/* A part of a text. */
struct piece {
    const char *start;
    size_t size_bytes;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* A digit, a sign or a space of ASCII. */
static bool is_hung_on(char c)
{
    return c >= ' ' && c < 0x7f && !(lower(c) >= 'a' && lower(c) <= 'z');
}

/* As strcmp. */
static int compare(struct piece piece, const char *entry)
{
    int order = strncmp(piece.start, entry, piece.size_bytes);
    return order ? order : entry[piece.size_bytes] ? -1 : 0;
}

static bool is_listed(struct piece piece)
{
    size_t low = 0;
    size_t high = password_rules_list.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(piece, password_rules_list.texts + password_rules_list.starts[middle]);
        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

static size_t count_chars(struct piece piece)
{
    size_t count = 0;
    for (size_t i = 0; i < piece.size_bytes; i++)
        count += ((unsigned char)piece.start[i] & 0xc0) != 0x80;
    return count;
}

/* Is the text its own first bytes over and over? The last time may be cut off. */
static bool is_repeated(struct piece text, size_t size_bytes)
{
    for (size_t i = size_bytes; i < text.size_bytes; i++) {
        if (text.start[i] != text.start[i - size_bytes])
            return false;
    }
    return true;
}

static bool is_used_by_many(struct piece text)
{
    if (is_listed(text))
        return true;
    for (size_t size_bytes = 1; size_bytes <= text.size_bytes / 2; size_bytes++) {
        struct piece first = {.start = text.start, .size_bytes = size_bytes};
        if (is_repeated(text, size_bytes) &&
            (count_chars(first) <= PIECE_MAX_CHARS || is_listed(first)))
            return true;
    }
    return false;
}

static bool is_common(struct piece text)
{
    for (size_t cut_bytes = 0; cut_bytes <= TAIL_MAX_BYTES && text.size_bytes >= ENTRY_MIN_BYTES;
         cut_bytes++) {
        if (is_used_by_many(text))
            return true;
        if (!is_hung_on(text.start[text.size_bytes - 1]))
            return false;
        text.size_bytes--;
    }
    return false;
}

/* Where a walk from the start over names, digits and signs can come to. */
enum reached { REACHED_NOT, REACHED, REACHED_BY_NAME };

static void reach(unsigned char *place, enum reached how)
{
    if (*place < how)
        *place = (unsigned char)how;
}

static void walk_name(struct piece text, size_t from, struct piece name, unsigned char *reached)
{
    if (name.size_bytes > 0 && name.size_bytes <= text.size_bytes - from &&
        strncmp(text.start + from, name.start, name.size_bytes) == 0)
        reach(&reached[from + name.size_bytes], REACHED_BY_NAME);
}

static bool is_name(struct piece text, struct piece username)
{
    const struct piece service = {.start = SERVICE_NAME, .size_bytes = strlen(SERVICE_NAME)};
    unsigned char reached[PASSWORD_MAX_BYTES + 1] = {REACHED};
    for (size_t i = 0; i < text.size_bytes; i++) {
        if (reached[i] == REACHED_NOT)
            continue;
        walk_name(text, i, username, reached);
        walk_name(text, i, service, reached);
        if (is_hung_on(text.start[i]))
            reach(&reached[i + 1], (enum reached)reached[i]);
    }
    return reached[text.size_bytes] == REACHED_BY_NAME;
}

static struct piece copy_lower(const char *text, char *out_copy, size_t max_bytes)
{
    size_t size_bytes = strnlen(text, max_bytes);
    for (size_t i = 0; i < size_bytes; i++)
        out_copy[i] = lower(text[i]);
    return (struct piece){.start = out_copy, .size_bytes = size_bytes};
}

enum password_fault
password_rules_judge(const char *password, const char *username, int64_t min_chars)
{
    if (text_count_chars(password) < (size_t)min_chars)
        return PASSWORD_TOO_SHORT;
    if (strlen(password) > PASSWORD_MAX_BYTES)
        return PASSWORD_TOO_LONG;
    char copy[PASSWORD_MAX_BYTES] = "";
    char name_copy[PASSWORD_MAX_BYTES] = "";
    struct piece text = copy_lower(password, copy, sizeof(copy));
    struct piece name = copy_lower(username, name_copy, sizeof(name_copy));
    enum password_fault fault = is_name(text, name) ? PASSWORD_IS_NAME
                                : is_common(text)   ? PASSWORD_COMMON
                                                    : PASSWORD_FINE;
    secret_wipe(copy, sizeof(copy));
    return fault;
}

const char *password_rules_code(enum password_fault fault)
{
    static const char *const CODES[] = {
        [PASSWORD_FINE] = "",
        [PASSWORD_TOO_SHORT] = "PasswordTooShort",
        [PASSWORD_TOO_LONG] = "PasswordTooLong",
        [PASSWORD_IS_NAME] = "PasswordIsName",
        [PASSWORD_COMMON] = "PasswordCommon",
    };
    return CODES[fault];
}

const char *password_rules_text(struct arena *arena, enum password_fault fault, int64_t min_chars)
{
    switch (fault) {
    case PASSWORD_TOO_SHORT:
        return arena_format(arena, "has fewer than %lld characters", (long long)min_chars);
    case PASSWORD_TOO_LONG:
        return arena_format(arena, "has more than %d bytes", PASSWORD_MAX_BYTES);
    case PASSWORD_IS_NAME:
        return "is little more than the user name or the name of this service";
    case PASSWORD_COMMON:
        return "is one that many people use";
    case PASSWORD_FINE:
    default:
        return "keeps all rules";
    }
}
