/* SPDX-License-Identifier: MIT
 *
 * Making and destroying a comment, whichever way it came: by a form or by a live socket. Who asks
 * is the session's user; the caller has read the session. Checks, writes, logs, tells everybody. */
#ifndef NOTES_COMMENT_ACT_H
#define NOTES_COMMENT_ACT_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "comment/comment.h"

struct app;
struct ctx;

/* What somebody wants to say. */
struct comment_wish {
    const char *user;
    const char *note_key;
    const char *message; /* line ends are LF */
};

/* Errors: ERR_RATE_LIMITED over WRITES_PER_MIN; ERR_INVALID it may not be a comment, the reason is
 * in ctx->why.hint; ERR_NOT_FOUND no such note. */
MUST_CHECK enum err comment_make(struct app *app,
                                 struct ctx *ctx,
                                 const struct comment_wish *wish,
                                 struct comment *out_comment,
                                 int64_t *out_revision);

/* Errors: ERR_NOT_FOUND no such note or comment; ERR_FORBIDDEN the user may not. */
MUST_CHECK enum err comment_unmake(struct app *app,
                                   struct ctx *ctx,
                                   const char *user,
                                   const char *note_key,
                                   int64_t id,
                                   int64_t *out_revision);

#endif
