/* SPDX-License-Identifier: MIT
 *
 * The rules look at copies in ASCII lower case. Their longest form is PASSWORD_MAX_BYTES, which is
 * asked before, so the squares that follow are bounded. The copies are wiped. */
#include "rules/password_rules.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/secret.h"
#include "base/text.h"

#define SERVICE_NAME      "notes"
#define ENTRIES_MAX_COUNT 3 /* of the list, in one password that is refused for them */
#define HUNG_ON_MAX_BYTES 4 /* digits and signs besides, anywhere in it */
#define RUN_MIN_BYTES     3
#define SPELT_MAX_BYTES   2 /* together, in a word that is spelt out */
#define SEPARATORS        " -_.,"
#define COSTS_COUNT       (HUNG_ON_MAX_BYTES + 1)
#define NOT_REACHED       (ENTRIES_MAX_COUNT + 1)

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

/* The letter that a digit or sign is written for: "p@ssw0rd". One and "!" are for `one`, i or l. */
static char letter_for(char c, char one)
{
    static const char SIGNS[] = "@4035$7";
    static const char LETTERS[] = "aaoesst";
    const char *sign = c ? strchr(SIGNS, c) : NULL;
    return sign ? LETTERS[sign - SIGNS] : c == '1' || c == '!' ? one : c;
}

/* As strcmp, but 0 as well where the entry goes on after the piece. */
static int compare(struct piece piece, const char *entry)
{
    return strncmp(piece.start, entry, piece.size_bytes);
}

/* The first entry that is the piece or begins with it; NULL when there is none. */
static const char *find_entry(struct piece piece)
{
    size_t low = 0;
    size_t high = password_rules_list.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(piece, password_rules_list.texts + password_rules_list.starts[middle]) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == password_rules_list.count)
        return NULL;
    const char *entry = password_rules_list.texts + password_rules_list.starts[low];
    return compare(piece, entry) == 0 ? entry : NULL;
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

/* Is it less than the shortest password, over and over, with a little hung on? */
static bool is_short_repeated(struct piece text, int64_t min_chars)
{
    for (size_t cut_bytes = 0; cut_bytes <= HUNG_ON_MAX_BYTES && text.size_bytes > 1; cut_bytes++) {
        for (size_t size_bytes = 1; size_bytes <= text.size_bytes / 2; size_bytes++) {
            struct piece first = {.start = text.start, .size_bytes = size_bytes};
            if (count_chars(first) < (size_t)min_chars && is_repeated(text, size_bytes))
                return true;
        }
        if (!is_hung_on(text.start[text.size_bytes - 1]))
            return false;
        text.size_bytes--;
    }
    return false;
}

/* How far the text goes along the row from a place of it, forwards (step 1) or backwards (-1). */
static size_t
count_along(struct piece text, const char *row, size_t row_bytes, size_t place, ptrdiff_t step)
{
    size_t count = 0;
    while (place < row_bytes && count < text.size_bytes && text.start[count] == row[place]) {
        count++;
        place += (size_t)step; /* before the first it is no longer less than row_bytes */
    }
    return count;
}

static size_t max_of(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The bytes at the start that are one over and over, or a way along a keyboard or the alphabet. */
static size_t count_run(struct piece text)
{
    static const char *const ROWS[] = {
        "12345678901234567890", "!@#$%^&*()", "abcdefghijklmnopqrstuvwxyz",
        /* QWERTY, QWERTZ, AZERTY */
        "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn",
        /* columns, and two rows or two keys at a time */
        "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp",
        "!qaz@wsx#edc$rfv%tgb^yhn&ujm*ik(ol)p", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0",
        "a1b2c3d4e5f6g7h8i9j0", "1a2b3c4d5e6f7g8h9i0j",
        /* digits as people count and as they stand on a number pad */
        "24680", "13579", "11223344556677889900", "147258369", "159357", "741852963"};
    size_t longest = 1;
    while (longest < text.size_bytes && text.start[longest] == text.start[0])
        longest++;
    for (size_t i = 0; i < ARRAY_COUNT(ROWS); i++) {
        size_t row_bytes = strlen(ROWS[i]);
        for (size_t place = 0; place < row_bytes; place++) {
            longest = max_of(longest, count_along(text, ROWS[i], row_bytes, place, 1));
            longest = max_of(longest, count_along(text, ROWS[i], row_bytes, place, -1));
        }
    }
    return longest;
}

enum spelling { AS_TYPED, ONE_IS_I, ONE_IS_L, SPELLINGS_COUNT };

/* What can be put together from the start on: for each place in the password, and each number of
 * bytes hung on, the fewest entries. */
struct walk {
    char spellings[SPELLINGS_COUNT][PASSWORD_MAX_BYTES];
    size_t size_bytes;
    unsigned char entries[PASSWORD_MAX_BYTES + 1][COSTS_COUNT];
};

/* Takes entries_more from one place to another. */
static void go(struct walk *walk, size_t from, size_t to, int entries_more, size_t hung_on_more)
{
    for (size_t hung_on = 0; hung_on + hung_on_more < COSTS_COUNT; hung_on++) {
        int entries = walk->entries[from][hung_on] + entries_more;
        unsigned char *there = &walk->entries[to][hung_on + hung_on_more];
        if (entries < *there)
            *there = (unsigned char)entries;
    }
}

static void go_on_by_entries(struct walk *walk, size_t from)
{
    for (int spelling = AS_TYPED; spelling < SPELLINGS_COUNT; spelling++) {
        struct piece piece = {.start = walk->spellings[spelling] + from, .size_bytes = 1};
        for (; from + piece.size_bytes <= walk->size_bytes; piece.size_bytes++) {
            const char *entry = find_entry(piece);
            if (!entry)
                break;
            if (entry[piece.size_bytes] == '\0')
                go(walk, from, from + piece.size_bytes, 1, 0);
        }
    }
}

static bool is_reached(const struct walk *walk, size_t place)
{
    for (size_t hung_on = 0; hung_on < COSTS_COUNT; hung_on++) {
        if (walk->entries[place][hung_on] < NOT_REACHED)
            return true;
    }
    return false;
}

/* Is it made of a few entries, of runs and of a little hung on, and of nothing else? */
static bool is_put_together(struct walk *walk)
{
    if (walk->size_bytes <= HUNG_ON_MAX_BYTES)
        return false;
    memset(walk->entries, NOT_REACHED, sizeof(walk->entries));
    walk->entries[0][0] = 0;
    for (size_t i = 0; i < walk->size_bytes; i++) {
        if (!is_reached(walk, i))
            continue;
        struct piece rest = {.start = walk->spellings[AS_TYPED] + i,
                             .size_bytes = walk->size_bytes - i};
        for (size_t bytes = count_run(rest); bytes >= RUN_MIN_BYTES; bytes--)
            go(walk, i, i + bytes, 0, 0);
        go_on_by_entries(walk, i);
        if (is_hung_on(*rest.start))
            go(walk, i, i + 1, 0, 1);
    }
    return is_reached(walk, walk->size_bytes);
}

static bool is_common(struct piece text, int64_t min_chars)
{
    struct walk walk;
    walk.size_bytes = text.size_bytes;
    for (size_t i = 0; i < text.size_bytes; i++) {
        walk.spellings[AS_TYPED][i] = text.start[i];
        walk.spellings[ONE_IS_I][i] = letter_for(text.start[i], 'i');
        walk.spellings[ONE_IS_L][i] = letter_for(text.start[i], 'l');
    }
    bool is_refused = is_short_repeated(text, min_chars) || is_put_together(&walk);
    secret_wipe(&walk, sizeof(walk));
    return is_refused;
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

/* The word that is spelt out, as "p a s s w o r d"; empty where more stands together. */
static struct piece copy_spelt(struct piece text, char *out_copy)
{
    size_t size_bytes = 0;
    size_t together_bytes = 0;
    for (size_t i = 0; i < text.size_bytes && together_bytes <= SPELT_MAX_BYTES; i++) {
        together_bytes = strchr(SEPARATORS, text.start[i]) ? 0 : together_bytes + 1;
        if (together_bytes > 0)
            out_copy[size_bytes++] = text.start[i];
    }
    bool is_spelt = together_bytes <= SPELT_MAX_BYTES;
    return (struct piece){.start = out_copy, .size_bytes = is_spelt ? size_bytes : 0};
}

static enum password_fault judge(struct piece text, struct piece name, int64_t min_chars)
{
    return is_name(text, name)          ? PASSWORD_IS_NAME
           : is_common(text, min_chars) ? PASSWORD_COMMON
                                        : PASSWORD_FINE;
}

enum password_fault
password_rules_judge(const char *password, const char *username, int64_t min_chars)
{
    if (text_count_chars(password) < (size_t)min_chars)
        return PASSWORD_TOO_SHORT;
    if (strlen(password) > PASSWORD_MAX_BYTES)
        return PASSWORD_TOO_LONG;
    char copy[PASSWORD_MAX_BYTES] = "";
    char spelt_copy[PASSWORD_MAX_BYTES] = "";
    char name_copy[PASSWORD_MAX_BYTES] = "";
    struct piece text = copy_lower(password, copy, sizeof(copy));
    struct piece name = copy_lower(username, name_copy, sizeof(name_copy));
    struct piece spelt = copy_spelt(text, spelt_copy);
    enum password_fault fault = judge(text, name, min_chars);
    if (!fault && spelt.size_bytes > 0)
        fault = judge(spelt, name, min_chars);
    secret_wipe(copy, sizeof(copy));
    secret_wipe(spelt_copy, sizeof(spelt_copy));
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
        return "is one that many people use, or made of little else than such words, rows of keys "
               "and repetitions";
    case PASSWORD_FINE:
    default:
        return "keeps all rules";
    }
}
