/* SPDX-License-Identifier: MIT
 *
 * How often somebody did something: one token bucket per key, in a bounded table
 * (RATE_KEYS_MAX_COUNT keys; the one that has been idle longest of a small neighbourhood gives
 * way). Time is a parameter, so tests own the clock. Threads: any; one lock inside, held for a few
 * instructions. */
#ifndef NOTES_RATE_H
#define NOTES_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

#define RATE_KEYS_MAX_COUNT 8192

struct rate;

/* At most per_minute in a burst, refilled evenly. 0 is off: nothing is ever refused. */
struct rate *rate_new(int64_t per_minute);
void rate_free(struct rate *rate);

/* Takes one. Returns 0, or the seconds until there is one again (nothing is taken then). */
int64_t rate_take(struct rate *rate, const char *key, int64_t now_ms);

/* Puts back what rate_take took, when the try turned out not to count. A limit on failures takes
 * before it tries, so that tries side by side can't all see the last one. Never above a full
 * minute's; a key that is gone is none to give to. */
void rate_give_back(struct rate *rate, const char *key);

#endif
