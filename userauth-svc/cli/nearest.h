/* SPDX-License-Identifier: MIT
 *
 * Which of the known words somebody may have meant by one that is not known.
 * Depends on: base. */
#ifndef NOTES_CLI_NEAREST_H
#define NOTES_CLI_NEAREST_H

#include <stddef.h>

/* The known words are offered one after the other; `word` is the nearest so far, NULL while none is
 * near enough. Zeroed but for `typed`: none was offered. */
struct nearest {
    const char *typed;
    const char *word;
    size_t mistakes_count;
};

/* Near is what has a mistake for every three letters at most: one too many, missing, wrong, or
 * changed places with the next. A word that begins or ends with what was typed counts as one
 * mistake. Case does not matter. Of equals the first one is kept. */
void nearest_offer(struct nearest *nearest, const char *word);

#endif
