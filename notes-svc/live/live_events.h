/* SPDX-License-Identifier: MIT
 *
 * What has changed, told to everybody who looks, also through other processes: called after the
 * commit, before the request is answered. Packets are made only when somebody may be in the room.
 */
#ifndef NOTES_LIVE_EVENTS_H
#define NOTES_LIVE_EVENTS_H

#include "base/secret.h"

struct app;
struct comment;
struct comment_change;
struct ctx;
struct note_change;
struct note_save;

void live_note_made(struct app *app, struct ctx *ctx, const char *key);
void live_note_changed(struct app *app,
                       struct ctx *ctx,
                       const struct note_save *save,
                       const struct note_change *change);
void live_note_destroyed(struct app *app,
                         struct ctx *ctx,
                         const char *key,
                         const struct note_change *change);
void live_comment_made(struct app *app,
                       struct ctx *ctx,
                       const char *key,
                       const struct comment *comment,
                       const struct comment_change *change);
void live_comment_unmade(struct app *app,
                         struct ctx *ctx,
                         const char *key,
                         const struct comment_change *change);

/* Its live sockets are closed, everywhere. */
void live_session_ended(struct app *app,
                        struct ctx *ctx,
                        const unsigned char digest[SECRET_DIGEST_BYTES]);

#endif
