/* SPDX-License-Identifier: MIT
 *
 * Comments in the database: the only file that knows the comments table (note_store.c's purge
 * aside). Making and destroying one renews the note's revision in the same transaction; the home
 * list stays as it is. Depends on: db.h, comment.h, note.h (the rule of revisions). Knows nothing
 * of HTTP. */
#ifndef NOTES_COMMENT_STORE_H
#define NOTES_COMMENT_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "comment/comment.h"

struct ctx;
struct db;
struct group_commit;

#define COMMENT_LIST_MAX_COUNT 100

/* A comment to be stored. */
struct comment_draft {
    const char *note_key;
    const char *author;
    const char *message;
    int64_t now_unix_ms;
};

/* What a write did to the note. */
struct comment_change {
    int64_t id;       /* of the comment */
    int64_t revision; /* of the note, now */
    int64_t previous; /* and before */
};

/* A comment and what it hangs on: for the question who may destroy it. */
struct comment_place {
    int64_t id;
    int64_t note_id;
    const char *author;
    const char *note_author; /* NULL when unknown */
};

/* Some comments of a note. */
struct comment_range {
    int64_t note_id;
    int64_t before_id;   /* those older than this comment; 0: from the newest on */
    int64_t limit_count; /* 1..COMMENT_LIST_MAX_COUNT */
};

/* In one transaction with what others write at the same time; `commits` NULL: by itself.
 * Errors: ERR_NOT_FOUND no such note. */
MUST_CHECK enum err comment_insert(struct ctx *ctx,
                                   struct db *db,
                                   struct group_commit *commits,
                                   const struct comment_draft *draft,
                                   struct comment_change *out_change);

/* Newest first. An unknown note gives an empty list.
 * Errors: ERR_INVALID the range's limit is out of range. */
MUST_CHECK enum err comment_list(struct ctx *ctx,
                                 struct db *db,
                                 const struct comment_range *range,
                                 struct comment_list *out_list);

/* The before_id of the range that ends where this one begins: the newer page. 0: that is the
 * newest. */
MUST_CHECK enum err comment_newer_before(struct ctx *ctx,
                                         struct db *db,
                                         const struct comment_range *range,
                                         int64_t *out_before_id);

/* Errors: ERR_NOT_FOUND no such note, or it has no such comment. */
MUST_CHECK enum err comment_find(struct ctx *ctx,
                                 struct db *db,
                                 const char *note_key,
                                 int64_t id,
                                 struct comment_place *out_place);

/* A comment that another program kept; draft.now_unix_ms is when it was made. */
struct comment_move {
    struct comment_draft draft;
    int64_t note_id;
    bool is_gone; /* of comment_move_all: the note was destroyed meanwhile */
};

/* The id of the newest comment of all; 0: there are none. */
MUST_CHECK enum err comment_last_id(struct ctx *ctx, struct db *db, int64_t *out_id);

/* How many comments of the note with ids up to this one have the same author, message and time. */
MUST_CHECK enum err comment_count_equal(struct ctx *ctx,
                                        struct db *db,
                                        const struct comment_move *move,
                                        int64_t up_to_id,
                                        int64_t *out_count);

/* Adds them in this order, in one transaction.
 * Units: count up to COMMENT_MOVE_MAX_COUNT. */
#define COMMENT_MOVE_MAX_COUNT 200
MUST_CHECK enum err
comment_move_all(struct ctx *ctx, struct db *db, struct comment_move *const *items, size_t count);

/* Errors: ERR_NOT_FOUND it or its note is gone. */
MUST_CHECK enum err comment_destroy(struct ctx *ctx,
                                    struct db *db,
                                    const struct comment_place *place,
                                    int64_t now_unix_ms,
                                    struct comment_change *out_change);

#endif
