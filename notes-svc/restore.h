/* SPDX-License-Identifier: MIT
 *
 * `notes-svc --restore KEY`: brings back a destroyed note with its comments and versions. It may
 * run beside the service: the database keeps the two apart. */
#ifndef NOTES_RESTORE_H
#define NOTES_RESTORE_H

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;

/* Errors: ERR_NOT_FOUND none of this key was destroyed; ERR_CONFLICT a note of this key exists.
 *         The line for people is in ctx->why.text. */
MUST_CHECK enum err restore_note(struct ctx *ctx, const void *config, const char *key);

#endif
