/* SPDX-License-Identifier: MIT
 *
 * A hash table with open addressing, at most half full. Depends on nothing. */
#include "from_node_seen.h"

#include <stdlib.h>

#include "base/cleanup.h"

#define FIRST_PLACES_COUNT 1024

struct seen_place {
    uint64_t digest;
    int64_t count; /* 0: free */
};

static struct seen_place *find(const struct seen *seen, uint64_t digest)
{
    size_t mask = seen->places_count - 1;
    size_t at = (size_t)digest & mask;
    while (seen->places[at].count && seen->places[at].digest != digest)
        at = (at + 1) & mask;
    return &seen->places[at];
}

static int make_room(struct seen *seen)
{
    if (seen->used_count * 2 < seen->places_count)
        return 1;
    struct seen larger = {.used_count = seen->used_count};
    larger.places_count = seen->places_count ? seen->places_count * 2 : FIRST_PLACES_COUNT;
    larger.places = calloc(larger.places_count, sizeof(*larger.places));
    if (!larger.places)
        return 0;
    for (size_t i = 0; i < seen->places_count; i++)
        if (seen->places[i].count)
            *find(&larger, seen->places[i].digest) = seen->places[i];
    free(seen->places);
    *seen = larger;
    return 1;
}

int64_t seen_count(struct seen *seen, uint64_t digest)
{
    if (!make_room(seen))
        return 0;
    struct seen_place *place = find(seen, digest);
    if (!place->count && seen->used_count == SEEN_MAX_COUNT)
        return 0;
    seen->used_count += !place->count;
    place->digest = digest;
    return ++place->count;
}

void seen_done(struct seen *seen)
{
    free(TAKE(seen->places));
}
