/* SPDX-License-Identifier: MIT
 *
 * The two clocks: wall time for what is stored and shown, monotonic time for deadlines. Nothing
 * else asks the system. */
#ifndef NOTES_CLOCK_H
#define NOTES_CLOCK_H

#include <stdint.h>

struct arena;

/* Units: milliseconds since 1970-01-01 UTC. May jump. */
int64_t clock_unix_ms(void);

/* Units: milliseconds since some start. Never goes back. */
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);

/* Blocks the thread, less long when a signal comes. Never on an event loop. */
void clock_sleep_ms(int64_t ms);

/* "2026-11-22T16:25:18.000Z" (ISO 8601, parity with JavaScript's toISOString). Years 1970 to 9999;
 * others are held to that. */
char *clock_iso(struct arena *arena, int64_t unix_ms);
#define CLOCK_ISO_BYTES 25 /* with the NUL */
void clock_iso_into(char out_text[CLOCK_ISO_BYTES], int64_t unix_ms);

/* "22 Nov 2026, 16:25 UTC": for people. */
char *clock_people(struct arena *arena, int64_t unix_ms);

#endif
