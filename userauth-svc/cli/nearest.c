/* SPDX-License-Identifier: MIT
 *
 * The distance is Damerau's and Levenshtein's (optimal string alignment), over bytes: words of the
 * command line are ASCII. Depends on: nothing. */
#include "cli/nearest.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX_BYTES    32 /* a longer one is nobody's mistyped command */
#define PART_MIN_BYTES    2  /* one letter is the beginning of anything */
#define BYTES_PER_MISTAKE 3

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Units:   both words have WORD_MAX_BYTES at most. */
static size_t count_mistakes(const char *a, const char *b)
{
    size_t rows[WORD_MAX_BYTES + 1][WORD_MAX_BYTES + 1];
    size_t a_bytes = strlen(a);
    size_t b_bytes = strlen(b);
    for (size_t i = 0; i <= a_bytes; i++)
        rows[i][0] = i;
    for (size_t j = 0; j <= b_bytes; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_bytes; i++) {
        for (size_t j = 1; j <= b_bytes; j++) {
            size_t wrong = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
            size_t one_side = least(rows[i - 1][j], rows[i][j - 1]) + 1;
            rows[i][j] = least(one_side, rows[i - 1][j - 1] + wrong);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]))
                rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
        }
    }
    return rows[a_bytes][b_bytes];
}

static bool is_part(const char *typed, const char *word)
{
    size_t typed_bytes = strlen(typed);
    size_t word_bytes = strlen(word);
    return typed_bytes >= PART_MIN_BYTES && typed_bytes < word_bytes &&
           (strncasecmp(word, typed, typed_bytes) == 0 ||
            strcasecmp(word + word_bytes - typed_bytes, typed) == 0);
}

void nearest_offer(struct nearest *nearest, const char *word)
{
    size_t typed_bytes = strlen(nearest->typed);
    if (typed_bytes > WORD_MAX_BYTES || strlen(word) > WORD_MAX_BYTES)
        return;
    size_t allowed_count = typed_bytes < BYTES_PER_MISTAKE ? 1 : typed_bytes / BYTES_PER_MISTAKE;
    size_t mistakes_count = count_mistakes(nearest->typed, word);
    if (is_part(nearest->typed, word))
        mistakes_count = least(mistakes_count, 1);
    bool is_nearer = !nearest->word || mistakes_count < nearest->mistakes_count;
    if (mistakes_count > allowed_count || !is_nearer)
        return;
    nearest->word = word;
    nearest->mistakes_count = mistakes_count;
}
