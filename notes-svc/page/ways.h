/* SPDX-License-Identifier: MIT
 *
 * The ways to sign in besides a password, as all pages show them: made once, at start, of what is
 * configured. Without any, pages are what they are without this file. */
#ifndef NOTES_WAYS_H
#define NOTES_WAYS_H

#include <stddef.h>

#include "provider/provider.h"
#include "views/views.h"

#define WAYS_MARK_CHARS 9

struct ways {
    struct view_way items[PROVIDER_COUNT];
    size_t count;
    /* Of entity tags: another one when other ways are shown, so that a browser asks for the page
     * anew; "" when none is. */
    char mark[WAYS_MARK_CHARS + 1];
};

/* `providers` may be NULL, and must outlive it. */
void ways_init(struct ways *out_ways, const struct providers *providers);

#endif
