/* SPDX-License-Identifier: MIT
 *
 * `notes-svc --from-node URL [--dry-run]`: brings over the Node version's notes and comments, as
 * sql/from-node/README.md says. Depends on: service/from_node.h. */
#ifndef NOTES_NOTES_FROM_NODE_H
#define NOTES_NOTES_FROM_NODE_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct from_node;

/* Returns the exit code. */
int from_node(const void *storage, const char *url, bool is_dry);

/* ---- its two parts ---- */

MUST_CHECK enum err from_node_notes(struct from_node *run);

/* After the notes, on which they hang. */
MUST_CHECK enum err from_node_comments(struct from_node *run);

/* The key of the note under which the Node version showed the comments of `room`; NULL: there is no
 * such note, or it can't be moved. */
MUST_CHECK enum err from_node_note_of_room(struct ctx *ctx,
                                           struct from_node *run,
                                           const char *room,
                                           const char **out_key);

#endif
