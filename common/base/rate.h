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

/* As rate_take, but takes nothing: is there one? For limits that count failures only. */
int64_t rate_peek(struct rate *rate, const char *key, int64_t now_ms);

#endif
