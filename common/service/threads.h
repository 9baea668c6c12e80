/* SPDX-License-Identifier: MIT
 *
 * How many threads of each kind a process has where its settings leave that open (0).
 *
 * Event loops do little for each request, but they must come to it: one that waits behind many
 * threads that work reads requests late, and then even a refusal is late. Processors are shared
 * thread by thread, and a worker and the database's thread behind it count as one, for one of them
 * waits; so two workers for each loop leave it a third, where both are on one machine
 * (docs/PERFORMANCE.md, "Overload"). */
#ifndef NOTES_THREADS_H
#define NOTES_THREADS_H

#include <stdint.h>

#define THREADS_MAX_COUNT 64 /* of a kind, when nothing is set */

/* One for each processor that this process may use (its affinity, not what the machine has). */
int64_t threads_per_core(int64_t setting);

/* As many, and two at least. */
int64_t threads_of_loops(int64_t setting);

/* Two for each loop; 4 at least, since one may wait for long, and 8 at most. */
int64_t threads_of_workers(int64_t setting, int64_t loops_count);

#endif
