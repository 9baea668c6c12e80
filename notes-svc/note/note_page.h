/* SPDX-License-Identifier: MIT
 *
 * Notes to HTML: each call fills a view (views/views.h) and makes or sends its page. What a page
 * shows is decided by the handlers and handed in. Depends on: page.h, views.h, note.h, comment.h.
 * Knows nothing of SQL. */
#ifndef NOTES_NOTE_PAGE_H
#define NOTES_NOTE_PAGE_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "comment/comment.h"
#include "note/note.h"

struct app;
struct ctx;
struct http_request;
struct http_response;
struct parts;

/* A note's page, all of it. */
struct note_page {
    struct note note;
    struct comment_list comments;
    const char *older_comments_path; /* NULL: none */
    const char *newer_comments_path; /* NULL: these are the newest */
    const char *comment_draft;       /* a comment that was refused, to keep; NULL: none */
    const char *comment_error;       /* and why */
};

/* "/notes/view?key=K", in the arena. */
const char *note_view_path(struct ctx *ctx, const char *key);

/* The same with "&before=ID" for the comments older than that one. */
const char *note_comments_path(struct ctx *ctx, const char *key, int64_t before_id);

/* Both are the same for all who look, and sent by shared_page.h. */
void note_page_make(struct app *app,
                    struct ctx *ctx,
                    const struct note_page *page,
                    struct parts *out_parts);
void note_home_make(struct app *app,
                    struct ctx *ctx,
                    const struct note_list *list,
                    int64_t page_number,
                    struct parts *out_parts);

/* The form with what the draft holds. Status 200: fresh; else a refusal, whose field and reason are
 * ctx->why's. */
MUST_CHECK enum err note_form_send(struct app *app,
                                   struct ctx *ctx,
                                   const struct http_request *rq,
                                   struct http_response *rs,
                                   const struct note_draft *draft,
                                   int status);

/* 409: what was typed beside the note that is there. */
MUST_CHECK enum err note_conflict_send(struct app *app,
                                       struct ctx *ctx,
                                       const struct http_request *rq,
                                       struct http_response *rs,
                                       const struct note_draft *mine,
                                       const struct note *theirs);

/* Asks whether to destroy it. Status 200; or 409: it was changed since somebody was asked, and is
 * shown with its body. */
MUST_CHECK enum err note_destroy_send(struct app *app,
                                      struct ctx *ctx,
                                      const struct http_request *rq,
                                      struct http_response *rs,
                                      const struct note *note,
                                      int status);

#endif
