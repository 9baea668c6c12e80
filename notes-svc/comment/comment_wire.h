/* SPDX-License-Identifier: MIT
 *
 * Comments as forms and JSON have them: the fields of the two forms, the answers for a page's
 * script. Depends on: form.h, comment.h. Knows nothing of SQL. */
#ifndef NOTES_COMMENT_WIRE_H
#define NOTES_COMMENT_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct comment;
struct ctx;
struct form;
struct http_response;

/* What was typed; unchecked but for its line ends, which are LF. */
struct comment_typed {
    const char *note_key;
    const char *message;
};

/* Which comment is meant. */
struct comment_named {
    const char *note_key;
    int64_t id;
};

/* Fields `key`, `message`. Errors: ERR_INVALID one is absent or given twice. */
MUST_CHECK enum err
comment_typed_decode(struct ctx *ctx, const struct form *form, struct comment_typed *out_typed);

/* Fields `key`, `id`. Errors: ERR_INVALID one is absent or given twice, or the id is no number. */
MUST_CHECK enum err
comment_named_decode(struct ctx *ctx, const struct form *form, struct comment_named *out_named);

/* {"id":"7","from","message","timestamp","canDestroy","revision"}: the comment as its author sees
 * it. Source: the Node version's message object; timestamp as JavaScript's toISOString has it. */
MUST_CHECK enum err comment_answer_json(struct ctx *ctx,
                                        struct http_response *rs,
                                        const struct comment *comment,
                                        int64_t revision);

/* {} */
void comment_answer_empty_json(struct http_response *rs);

#endif
