/* SPDX-License-Identifier: MIT
 *
 * SQLite tells a VFS that sleeps nothing of the connection, so the thread knows until when: one
 * call of one connection runs on it at a time. Depends on: clock.h. */
#include "data/db_sqlite_sleep.h"

#include <sqlite3.h>
#include <stddef.h>

#include "base/clock.h"

#define US_PER_MS 1000

static sqlite3_vfs *of_system;
static _Thread_local int64_t awake_at_ms;

static int sleep_at_most(sqlite3_vfs *vfs, int span_us)
{
    (void)vfs;
    int64_t left_ms = awake_at_ms - clock_monotonic_ms();
    if (left_ms <= 0)
        return 0;
    return of_system->xSleep(of_system,
                             left_ms < span_us / US_PER_MS ? (int)left_ms * US_PER_MS : span_us);
}

void sqlite_sleep_start(void)
{
    static sqlite3_vfs ours;
    of_system = sqlite3_vfs_find(NULL);
    ours = *of_system;
    ours.zName = SQLITE_SLEEP_VFS;
    ours.xSleep = sleep_at_most;
    sqlite3_vfs_register(&ours, 0);
}

void sqlite_sleep_until(int64_t until_ms)
{
    awake_at_ms = until_ms;
}
