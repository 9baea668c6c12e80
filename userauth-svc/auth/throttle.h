/* SPDX-License-Identifier: MIT
 *
 * How long somebody must wait before another password is tried, counted for a name (known or not)
 * by client, and for the name over all clients. Pure rules; the time is a parameter, the rows are
 * throttle_store's.
 *
 * By client: some failures in a row are free, the next (by default the 5th) makes the client wait
 * 1 s, each further one twice as long, up to a limit (15 min); a success forgets them. Over all
 * clients: from so many failures on (100) only clients that have succeeded before are heard, until
 * one of them succeeds, the password is changed, or a day passes without a failure. A client that
 * is called "device:…" has succeeded before: notes-svc calls a browser so that has a cookie which
 * it signed for this very name after a login. Only holders of an API key name clients, so nobody
 * else can claim it; a device's failures count like everybody's. A wait that lies further ahead
 * than the longest one comes from a clock that was set back, and does not count. Source of the
 * defaults: SPEC section 3; NIST 800-63B-4 (100 failures); OWASP device cookies. */
#ifndef NOTES_THROTTLE_H
#define NOTES_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#define THROTTLE_DEVICE_PREFIX "device:"
#define THROTTLE_TOTAL_TTL_MS  (INT64_C(24) * 3600 * 1000)
#define THROTTLE_REFRESH_MS    (INT64_C(3600) * 1000) /* of `used` of a good client */

struct throttle_limits {
    int64_t client_failures_count; /* in a row: from this one on a client waits */
    int64_t name_failures_count;   /* over all clients: only those that have succeeded are heard */
    int64_t wait_max_s;
};

struct throttle_row {
    int64_t failures; /* in a row */
    int64_t wait_until_unix_ms;
    bool has_succeeded;
    int64_t used_unix_ms;
};

/* Zeroed rows are those of somebody new. */
struct throttle {
    struct throttle_row client;
    struct throttle_row total;
};

/* The name of a device that has signed in before? The prefix alone is none. */
bool throttle_is_device(const char *client);

/* Seconds until a try is heard, 0 when it is heard now. */
int64_t throttle_wait_s(const struct throttle_limits *limits,
                        const struct throttle *throttle,
                        int64_t now_unix_ms);

/* Counts a failure. Returns the seconds to wait from now on, 0 for none. */
int64_t throttle_add_failure(const struct throttle_limits *limits,
                             struct throttle *throttle,
                             int64_t now_unix_ms);

/* Notes a success. False: nothing that is worth writing has changed. */
bool throttle_add_success(struct throttle *throttle, int64_t now_unix_ms);

#endif
