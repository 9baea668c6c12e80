/* SPDX-License-Identifier: MIT
 *
 * What the forms of a note send. Depends on: form.h, note.h. Knows nothing of SQL. */
#ifndef NOTES_NOTE_WIRE_H
#define NOTES_NOTE_WIRE_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct form;
struct note_draft;

/* Fields `docreate` ("create" or "update"), `notekey`, `title`, `body`, and on update `version`.
 * The body's line ends become LF; on create an absent key is an empty one. An absent version is 0,
 * as clients of the Node version send none. What the parts may hold is note_draft_check's. Errors:
 * ERR_INVALID another field is absent, one is given twice, or docreate or version is none. */
MUST_CHECK enum err
note_draft_decode(struct ctx *ctx, const struct form *form, struct note_draft *out_draft);

/* Fields `notekey` and `version` of the question whether to destroy a note. An absent version is
 * 0, whichever it is. Errors: ERR_INVALID the key is absent, one is given twice, or version is
 * none. */
MUST_CHECK enum err note_destroy_decode(struct ctx *ctx,
                                        const struct form *form,
                                        const char **out_key,
                                        int64_t *out_version);

#endif
