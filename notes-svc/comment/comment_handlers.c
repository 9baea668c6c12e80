/* SPDX-License-Identifier: MIT
 *
 * Requests about comments. Who wrote a comment is the session's user, whatever the form says.
 * Depends on: comment_act.h, comment_wire.h, note_handlers.h (the note's page for a refusal). */
#include "comment/comment_handlers.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/ctx.h"
#include "comment/comment.h"
#include "comment/comment_act.h"
#include "comment/comment_wire.h"
#include "http/http_message.h"
#include "note/note_handlers.h"
#include "note/note_page.h"
#include "page/wrote.h"
#include "session/session.h"

enum err comment_create_handle(struct app *app,
                               struct ctx *ctx,
                               const struct http_request *rq,
                               struct http_response *rs)
{
    struct comment_typed typed;
    struct comment comment;
    int64_t revision = 0;
    bool wants_json = http_wants_json(rq);
    enum err err = comment_typed_decode(ctx, &rq->form, &typed);
    if (err)
        return err;
    const struct comment_wish wish = {
        .user = rq->session->username, .note_key = typed.note_key, .message = typed.message};
    err = comment_make(app, ctx, &wish, &comment, &revision);
    if (err == ERR_INVALID && !wants_json)
        return note_refuse_comment(app, ctx, rq, rs, typed.note_key, typed.message);
    if (err)
        return err;
    wrote_set(app, ctx, rq, rs, &(struct wrote){.key = typed.note_key, .revision = revision});
    if (wants_json)
        return comment_answer_json(ctx, rs, &comment, revision);
    http_response_redirect(rs, 302, note_view_path(ctx, typed.note_key));
    return ERR_OK;
}

enum err comment_destroy_handle(struct app *app,
                                struct ctx *ctx,
                                const struct http_request *rq,
                                struct http_response *rs)
{
    struct comment_named named;
    int64_t revision = 0;
    enum err err = comment_named_decode(ctx, &rq->form, &named);
    if (err || (err = comment_unmake(app, ctx, rq->session->username, named.note_key, named.id,
                                     &revision)))
        return err;
    wrote_set(app, ctx, rq, rs, &(struct wrote){.key = named.note_key, .revision = revision});
    if (http_wants_json(rq))
        comment_answer_empty_json(rs);
    else
        http_response_redirect(rs, 302, note_view_path(ctx, named.note_key));
    return ERR_OK;
}
