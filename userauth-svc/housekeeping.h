/* SPDX-License-Identifier: MIT
 *
 * What happens by itself: asks the database whether it answers (for /readyz), and keeps the
 * throttle's table within its bound. Runs as a job on the worker lane; one at a time. Depends on:
 * workers.h, throttle_store.h, health.h. */
#ifndef NOTES_HOUSEKEEPING_H
#define NOTES_HOUSEKEEPING_H

#include <stdint.h>

struct app;
struct housekeeping;

#define HOUSEKEEPING_EVERY_MS   2000
#define HOUSEKEEPING_BUDGET_MS  2000
#define HOUSEKEEPING_EVICT_RUNS 16 /* of THROTTLE_EVICT_MAX_COUNT rows each, in one turn */

/* NULL when out of memory. */
struct housekeeping *housekeeping_new(struct app *app);

/* After the workers have ended. NULL is fine. */
void housekeeping_free(struct housekeeping *housekeeping);

/* Hands a turn to a worker when it is time. Never blocks. Threads: the main thread. */
void housekeeping_tick(struct housekeeping *housekeeping);

#endif
