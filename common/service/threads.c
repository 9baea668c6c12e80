/* SPDX-License-Identifier: MIT
 *
 * Depends on: sched_getaffinity(2). */
#include "service/threads.h"

#include <sched.h>
#include <unistd.h>

#define LOOPS_MIN_COUNT   2
#define WORKERS_PER_LOOP  2
#define WORKERS_MIN_COUNT 4
#define WORKERS_MAX_COUNT 8

static int64_t clamp(int64_t number, int64_t least, int64_t most)
{
    return number < least ? least : number > most ? most : number;
}

/* A machine with more processors than the set holds is asked for all that it has. */
static int64_t cores_count(void)
{
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof(cores), &cores) == 0)
        return CPU_COUNT(&cores);
    return sysconf(_SC_NPROCESSORS_ONLN);
}

int64_t threads_per_core(int64_t setting)
{
    return setting ? setting : clamp(cores_count(), 1, THREADS_MAX_COUNT);
}

int64_t threads_of_loops(int64_t setting)
{
    return setting ? setting : clamp(cores_count(), LOOPS_MIN_COUNT, THREADS_MAX_COUNT);
}

int64_t threads_of_workers(int64_t setting, int64_t loops_count)
{
    return setting ? setting
                   : clamp(WORKERS_PER_LOOP * loops_count, WORKERS_MIN_COUNT, WORKERS_MAX_COUNT);
}
