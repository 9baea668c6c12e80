/* SPDX-License-Identifier: MIT
 *
 * Depends on: comment_store.h, live_events.h, page.h (the limit of writes). */
#include "comment/comment_act.h"

#include "app.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/text.h"
#include "comment/comment_store.h"
#include "live/live_events.h"
#include "page/page.h"

enum err comment_make(struct app *app,
                      struct ctx *ctx,
                      const struct comment_wish *wish,
                      struct comment *out_comment,
                      int64_t *out_revision)
{
    struct comment_change change;
    enum err err = page_count_write(app, ctx, wish->user);
    if (err || (err = comment_message_check(ctx, wish->message)))
        return err;
    struct comment_draft draft = {
        .note_key = wish->note_key,
        .author = wish->user,
        .message = wish->message,
        .now_unix_ms = clock_unix_ms(),
    };
    err = comment_insert(ctx, ctx->db, app->comment_commits, &draft, &change);
    if (err)
        return err;
    const struct comment comment = {
        .id = change.id,
        .author = draft.author,
        .message = draft.message,
        .made_unix_ms = draft.now_unix_ms,
    };
    live_comment_made(app, ctx, draft.note_key, &comment, &change);
    log_info(ctx, "comment.created", log_str("note", draft.note_key), log_i64("id", change.id),
             log_i64("text_chars", (int64_t)text_count_chars(draft.message)),
             log_str("user", draft.author), log_str("peer", ctx->peer));
    *out_comment = comment;
    *out_revision = change.revision;
    return ERR_OK;
}

enum err comment_unmake(struct app *app,
                        struct ctx *ctx,
                        const char *user,
                        const char *note_key,
                        int64_t id,
                        int64_t *out_revision)
{
    struct comment_place place;
    struct comment_change change;
    enum err err = comment_find(ctx, ctx->db, note_key, id, &place);
    if (err)
        return err;
    if (!comment_can_destroy(user, place.author, place.note_author)) {
        log_warn(ctx, "comment.destroy_refused", log_str("note", note_key), log_i64("id", id),
                 log_str("user", user), log_str("peer", ctx->peer));
        ctx->why.hint = "Only its author or the note’s author may delete a comment.";
        return ctx_fail(ctx, ERR_FORBIDDEN, "neither the comment's nor the note's author");
    }
    err = comment_destroy(ctx, ctx->db, &place, clock_unix_ms(), &change);
    if (err)
        return err;
    live_comment_unmade(app, ctx, note_key, &change);
    log_info(ctx, "comment.destroyed", log_str("note", note_key), log_i64("id", change.id),
             log_str("user", user), log_str("peer", ctx->peer));
    *out_revision = change.revision;
    return ERR_OK;
}
