/* SPDX-License-Identifier: MIT
 *
 * What the connections of one process to a database file share: the queue of its writers, and
 * whether it was found damaged. SQLite lets one writer in at a time and lets the others poll;
 * behind this gate they wait in order, asleep, and each no longer than its deadline. Other
 * processes are not seen: against them SQLite's own lock stays.
 *
 * write_gate_open → any number of write_gate_enter and write_gate_leave → write_gate_close.
 * Threads: any; who entered must leave. One lock (the gate's) or the list's, never both. */
#ifndef NOTES_WRITE_GATE_H
#define NOTES_WRITE_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct write_gate;

/* The gate of this file, the same for all names of it. The file is made (empty, 0600 whatever the
 * umask) when missing. NULL, with errno set, when it can be neither seen nor made, or is no plain
 * file. Owns: the caller, who calls write_gate_close. */
struct write_gate *write_gate_open(const char *path);
void write_gate_close(struct write_gate *gate);

/* First come, first served. False when the turn did not come by then.
 * Units: until_ms is a clock_monotonic_ms(). */
MUST_CHECK bool write_gate_enter(struct write_gate *gate, int64_t until_ms);
void write_gate_leave(struct write_gate *gate);

/* What its users have found out about the file itself. Each finding is counted, also the same one
 * again: whoever keeps parts of the file in memory drops them when the count is another. */
void write_gate_note_damage(struct write_gate *gate, bool is_damaged);
bool write_gate_is_damaged(const struct write_gate *gate);
unsigned write_gate_findings_count(const struct write_gate *gate);

/* How many wait at the moment. */
size_t write_gate_waiting_count(struct write_gate *gate);

#endif
