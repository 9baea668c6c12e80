/* SPDX-License-Identifier: MIT
 *
 * Ends a blocking read of a library that knows no deadlines: when the time has come, the socket is
 * shut down from outside, and the read that waits on it fails at once. One thread of the process
 * does it, started by the first entry; it sleeps until the earliest deadline.
 *
 * A library may close its socket within a call that fails, and the number is somebody else's a
 * moment later. So the socket that is shut down here is a duplicate of it, an entry's own.
 *
 * It also knows whether anything is answered at all (watch_is_stuck).
 *
 * watch_add → any number of (watch_begin → the blocking call → watch_end) → watch_remove; of a
 * connection: watch_begin → watch_socket amid the call that makes it → ... → watch_hang_up.
 * Threads: any, each with its own entry. One lock. */
#ifndef NOTES_DEADLINE_WATCH_H
#define NOTES_DEADLINE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

#define WATCH_STUCK_MS    2000
#define WATCH_STUCK_COUNT 2

/* The caller's storage; zeroed before watch_add. */
struct watched {
    int socket; /* -1: none. Written by the owner's thread alone */
    int64_t begun_ms;
    int64_t until_ms; /* INT64_MAX: nothing runs */
    bool is_running;
    bool is_cut;
    struct watched *previous;
    struct watched *next;
};

/* False: the thread can't be started. */
MUST_CHECK bool watch_add(struct watched *watched);
void watch_remove(struct watched *watched);

/* There is a connection: a duplicate of its socket is kept until watch_hang_up. Nothing happens
 * when there is one already, or when the process has no descriptor left (`socket` stays -1). */
void watch_socket(struct watched *watched, int socket);
/* Nothing waits on the connection any more, whoever still holds its socket. */
void watch_hang_up(struct watched *watched);

/* From now on the socket is cut at `until_ms`, a clock_monotonic_ms(); INT64_MAX is never. Without
 * a socket the call is only counted, until it has one. */
void watch_begin(struct watched *watched, int64_t until_ms);
/* True: it was cut. */
bool watch_end(struct watched *watched);
/* The same for a call that gave up by itself: nobody answered. */
void watch_end_in_vain(struct watched *watched);

/* Does the other side stand still? WATCH_STUCK_COUNT calls are waited for since WATCH_STUCK_MS,
 * nothing was answered meanwhile, and a younger call finds out already whether that is still so:
 * one more would only wait as well. */
bool watch_is_stuck(void);

#endif
