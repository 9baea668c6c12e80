/* SPDX-License-Identifier: MIT
 *
 * Group commit: writes that several threads want at the same time are made in one transaction, so
 * that the disk is waited for once. The first thread to come leads: with its own connection it
 * makes its write and those that gathered while the group before was made, and commits. A write
 * that comes alone waits for nobody.
 *
 * A group can't cost a write anything but time: whoever can't be served in it (its row is locked by
 * somebody, or missing), and everyone of a group that failed as a whole, has its write made again
 * by itself, on its own connection.
 *
 * group_commit_new → any number of group_commit_write from any thread → group_commit_free. One
 * lock, held for moves in a list only. */
#ifndef NOTES_GROUP_COMMIT_H
#define NOTES_GROUP_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct db;
struct group_commit;

/* So many writes are one transaction at most; the rest waits for the next. */
#define GROUP_COMMIT_MAX_COUNT ((size_t)16)

#define GROUP_COMMIT_WAIT_MS 1000 /* what services give as wait_ms */

/* One of a group. `what` is the caller's of group_commit_write, who sleeps meanwhile. */
struct group_item {
    void *what;
    bool is_made; /* false: its owner makes it alone */
};

/* How writes of one kind are made. Both run in an open transaction, on any of the threads that
 * write, and leave their results in `what`, where those of the last call count. */
struct group_kind {
    /* One. Not alone (is_alone is false) it must not wait for a lock that another transaction
     * holds: ERR_NOT_FOUND says that nothing was changed, and that it wants to be made alone. */
    enum err (*write)(struct ctx *ctx, struct db *db, bool is_alone, void *what);
    /* Two to GROUP_COMMIT_MAX_COUNT, without waiting for a lock either. Sets is_made of those that
     * it made; an error undoes them all. */
    enum err (*write_all)(struct ctx *ctx, struct db *db, struct group_item *items, size_t count);
};

/* A write that has waited wait_ms for a group to begin, or whose deadline is near, is made alone.
 * NULL when memory is out. */
struct group_commit *group_commit_new(int64_t wait_ms);
void group_commit_free(struct group_commit *commits);

/* The write is committed when this returns ERR_OK. All writes of one `commits` are of one kind;
 * NULL: this one alone.
 * Errors: those of db_begin, of kind->write alone, of db_commit. db_is_unsure(db) speaks of this
 * write also when another's connection committed it. */
MUST_CHECK enum err group_commit_write(struct group_commit *commits,
                                       struct ctx *ctx,
                                       struct db *db,
                                       const struct group_kind *kind,
                                       void *what);

/* How many wait at the moment for the group that is made. */
size_t group_commit_waiting_count(struct group_commit *commits);

#endif
