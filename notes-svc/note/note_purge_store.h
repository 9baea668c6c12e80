/* SPDX-License-Identifier: MIT
 *
 * What becomes of destroyed notes in the end. Depends on: db.h. Knows nothing of HTTP. */
#ifndef NOTES_NOTE_PURGE_STORE_H
#define NOTES_NOTE_PURGE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct db;

#define NOTE_PURGE_MAX_COUNT 1000

/* What one transaction of a purge did. */
struct note_purge {
    int64_t notes_count; /* that are gone for good */
    bool has_more;       /* there is something left to be purged */
    bool has_no_skip;    /* the server is too old to pass over what another holds locked */
};

/* Removes for good what was destroyed before that time, oldest first: comments, then versions, the
 * note last. One of which a part is gone can't be restored any more. What another purges or
 * restores at the moment is passed over; an old server has it waited for.
 * Units:  at most limit_count rows in one transaction, 1..NOTE_PURGE_MAX_COUNT; a version, whose
 *         text is large, counts for 25. A note with more goes on at the next call.
 * Errors: ERR_INVALID limit_count out of range. */
MUST_CHECK enum err note_purge_destroyed(struct ctx *ctx,
                                         struct db *db,
                                         int64_t before_unix_ms,
                                         int64_t limit_count,
                                         struct note_purge *out_purge);

#endif
