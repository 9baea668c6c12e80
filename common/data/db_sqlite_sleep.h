/* SPDX-License-Identifier: MIT
 *
 * How long SQLite may sleep. Not all of its waits ask the busy handler: one for a read mark of the
 * log tries a hundred times and sleeps between, ten seconds in all. So connections are opened on a
 * VFS that is the system's own but for its sleep, which ends when the caller's time does; what
 * SQLite tries then, it tries at once, and gives up.
 *
 * sqlite_sleep_start → open with SQLITE_SLEEP_VFS → sqlite_sleep_until before each call. Private to
 * db_sqlite.c. Tests: tests/unit/test_db_sqlite_sleep.c */
#ifndef NOTES_DB_SQLITE_SLEEP_H
#define NOTES_DB_SQLITE_SLEEP_H

#include <stdint.h>

#define SQLITE_SLEEP_VFS "notes"

/* Once in the process, before the first connection and after sqlite3_config. */
void sqlite_sleep_start(void);

/* Of this thread's calls, until the next time. Units: a clock_monotonic_ms(). */
void sqlite_sleep_until(int64_t until_ms);

#endif
