/* SPDX-License-Identifier: MIT
 *
 * Requests about comments. Who wrote a comment is the session's user, whatever the form says.
 * Depends on: comment_store.h, comment_wire.h, note_handlers.h (the note's page for a refusal),
 * page.h. */
#include "comment/comment_handlers.h"

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/text.h"
#include "comment/comment.h"
#include "comment/comment_store.h"
#include "comment/comment_wire.h"
#include "http/http_message.h"
#include "note/note_handlers.h"
#include "note/note_page.h"
#include "page/page.h"
#include "session/session.h"

enum err comment_create_handle(struct app *app,
                               struct ctx *ctx,
                               const struct http_request *rq,
                               struct http_response *rs)
{
    struct comment_typed typed;
    struct comment_change change;
    bool wants_json = http_wants_json(rq);
    enum err err = page_count_write(app, ctx, rq);
    if (err || (err = comment_typed_decode(ctx, &rq->form, &typed)))
        return err;
    err = comment_message_check(ctx, typed.message);
    if (err)
        return wants_json ? err : note_refuse_comment(ctx, rq, rs, typed.note_key, typed.message);
    struct comment_draft draft = {
        .note_key = typed.note_key,
        .author = rq->session->username,
        .message = typed.message,
        .now_unix_ms = clock_unix_ms(),
    };
    err = comment_insert(ctx, ctx->db, &draft, &change);
    if (err)
        return err;
    log_info(ctx, "comment.created", log_str("note", draft.note_key), log_i64("id", change.id),
             log_i64("text_chars", (int64_t)text_count_chars(draft.message)),
             log_str("user", draft.author), log_str("peer", rq->client_text));
    struct comment comment = {
        .id = change.id,
        .author = draft.author,
        .message = draft.message,
        .made_unix_ms = draft.now_unix_ms,
    };
    if (wants_json)
        return comment_answer_json(ctx, rs, &comment, change.revision);
    http_response_redirect(rs, 302, note_view_path(ctx, draft.note_key));
    return ERR_OK;
}

enum err comment_destroy_handle(struct app *app,
                                struct ctx *ctx,
                                const struct http_request *rq,
                                struct http_response *rs)
{
    (void)app;
    struct comment_named named;
    struct comment_place place;
    struct comment_change change;
    const char *user = rq->session->username;
    enum err err = comment_named_decode(ctx, &rq->form, &named);
    if (err || (err = comment_find(ctx, ctx->db, named.note_key, named.id, &place)))
        return err;
    if (!comment_can_destroy(user, place.author, place.note_author)) {
        log_warn(ctx, "comment.destroy_refused", log_str("note", named.note_key),
                 log_i64("id", named.id), log_str("user", user), log_str("peer", rq->client_text));
        ctx->why.hint = "Only its author or the note's author may delete a comment.";
        return ctx_fail(ctx, ERR_FORBIDDEN, "neither the comment's nor the note's author");
    }
    err = comment_destroy(ctx, ctx->db, &place, clock_unix_ms(), &change);
    if (err)
        return err;
    log_info(ctx, "comment.destroyed", log_str("note", named.note_key), log_i64("id", change.id),
             log_str("user", user), log_str("peer", rq->client_text));
    if (http_wants_json(rq))
        comment_answer_empty_json(rs);
    else
        http_response_redirect(rs, 302, note_view_path(ctx, named.note_key));
    return ERR_OK;
}
