/* SPDX-License-Identifier: MIT
 *
 * How often something was seen in a run, by its digest: tells the second of two comments that are
 * truly equal from the first. Grows with what was seen, 16 bytes each, to a limit. */
#ifndef NOTES_FROM_NODE_SEEN_H
#define NOTES_FROM_NODE_SEEN_H

#include <stddef.h>
#include <stdint.h>

#define SEEN_MAX_COUNT ((size_t)1 << 24)

struct seen_place;

/* Starts zeroed. */
struct seen {
    struct seen_place *places;
    size_t places_count; /* a power of 2, or 0 */
    size_t used_count;
};

/* Counts it once more: 1 for the first time. 0: SEEN_MAX_COUNT different ones were seen, or there
 * is no memory. */
int64_t seen_count(struct seen *seen, uint64_t digest);

void seen_done(struct seen *seen);

#endif
