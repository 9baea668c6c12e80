/* SPDX-License-Identifier: MIT
 *
 * What a comment is, what may be one, and who may destroy it. Pure.
 * Depends on: base. */
#ifndef NOTES_COMMENT_H
#define NOTES_COMMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;

#define COMMENT_MESSAGE_MAX_CHARS 1024
#define COMMENT_PAGE_COUNT        20 /* comments on a note's page */

struct comment {
    int64_t id;
    const char *author;
    const char *message; /* plain text */
    int64_t made_unix_ms;
};

struct comment_list {
    const struct comment *items; /* newest first */
    size_t count;
    bool has_more; /* there are older ones */
};

/* May this be a comment? The reason for people is in ctx->why.hint, "message" in ctx->why.field.
 * Errors: ERR_INVALID nothing visible, over COMMENT_MESSAGE_MAX_CHARS, control characters. */
MUST_CHECK enum err comment_message_check(struct ctx *ctx, const char *message);

/* Its author and the note's author may. `user` NULL is a stranger, `note_author` NULL nobody. */
bool comment_can_destroy(const char *user, const char *comment_author, const char *note_author);

#endif
