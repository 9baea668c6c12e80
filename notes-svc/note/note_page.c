/* SPDX-License-Identifier: MIT
 *
 * Structs to views. The templates escape; the one thing that goes in as HTML is the Markdown
 * renderer's output. Depends on: page.h, views.h. */
#include "note/note_page.h"

#include <string.h>

#include "app.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "config.h"
#include "http/http_message.h"
#include "http/parts.h"
#include "page/page.h"

#define FRAME_BYTES        4096 /* what a page has around its content, roughly */
#define COMMENT_BYTES      1024 /* of a comment's HTML for all viewers, roughly */
#define TITLE_BYTES        512  /* of a row of the list, roughly */
#define PATH_MAX_BYTES     4096 /* a key is up to 1,020 bytes, encoded three times that */
#define TEXT_GROWTH_FACTOR 2    /* room for escapes before a buffer must grow */

/* ---- paths ---- */

static struct strbuf begin_view_path(struct ctx *ctx, const char *key)
{
    struct strbuf path;
    strbuf_init(&path, &ctx->arena, 64, PATH_MAX_BYTES);
    strbuf_add(&path, "/notes/view?key=");
    strbuf_add_url(&path, key);
    return path;
}

const char *note_view_path(struct ctx *ctx, const char *key)
{
    return begin_view_path(ctx, key).text;
}

const char *note_comments_path(struct ctx *ctx, const char *key, int64_t before_id)
{
    struct strbuf path = begin_view_path(ctx, key);
    strbuf_add(&path, "&before=");
    strbuf_add_i64(&path, before_id);
    return path.text;
}

static const char *home_path(struct ctx *ctx, int64_t page_number)
{
    return page_number == 1 ? "/"
                            : arena_format(&ctx->arena, "/?page=%lld", (long long)page_number);
}

/* ---- a note's page ---- */

static struct view_comment *comment_views(struct ctx *ctx, const struct note_page *page)
{
    struct view_comment *views =
        arena_take_array(&ctx->arena, page->comments.count, sizeof(*views));
    for (size_t i = 0; i < page->comments.count; i++) {
        const struct comment *comment = &page->comments.items[i];
        views[i] = (struct view_comment){
            .id = comment->id,
            .author = comment->author,
            .message = comment->message,
            .made_iso = clock_iso(&ctx->arena, comment->made_unix_ms),
            .made_text = clock_people(&ctx->arena, comment->made_unix_ms),
        };
    }
    return views;
}

void note_page_make(struct app *app,
                    struct ctx *ctx,
                    const struct note_page *page,
                    struct parts *out_parts)
{
    const struct note *note = &page->note;
    struct view_note view = {
        .frame = page_frame_for_all(app, note->title, "note"),
        .key = note->key,
        .title = note->title,
        .author = note->author,
        .body = note->html,
        .plain_body = note->html.text ? NULL : note->body,
        .changed_iso = clock_iso(&ctx->arena, note->changed_unix_ms),
        .changed_text = clock_people(&ctx->arena, note->changed_unix_ms),
        .version = note->version,
        .revision = note->revision,
        .comments = comment_views(ctx, page),
        .comments_count = page->comments.count,
        .older_comments_path = page->older_comments_path,
        .newer_comments_path = page->newer_comments_path,
        .comment_draft = page->comment_draft,
        .comment_error = page->comment_error,
        .comment_max_chars = COMMENT_MESSAGE_MAX_CHARS,
    };
    size_t body_bytes = note->html.text ? note->html.size_bytes : strlen(note->body);
    parts_init(out_parts, &ctx->arena,
               FRAME_BYTES + body_bytes + page->comments.count * COMMENT_BYTES, PAGE_MAX_BYTES);
    out_parts->owner = note->author;
    out_parts->may = comment_can_destroy;
    view_note(out_parts, &view);
}

/* ---- the list ---- */

void note_home_make(struct app *app,
                    struct ctx *ctx,
                    const struct note_list *list,
                    int64_t page_number,
                    struct parts *out_parts)
{
    struct view_home_item *items = arena_take_array(&ctx->arena, list->count, sizeof(*items));
    for (size_t i = 0; i < list->count; i++) {
        const struct note_title *note = &list->items[i];
        items[i] = (struct view_home_item){
            .key = note->key,
            .title = note->title,
            .author = note->author,
            .changed_iso = clock_iso(&ctx->arena, note->changed_unix_ms),
            .changed_text = clock_people(&ctx->arena, note->changed_unix_ms),
        };
    }
    bool is_first = page_number == 1;
    const char *title =
        is_first ? NULL : arena_format(&ctx->arena, "Page %lld", (long long)page_number);
    struct view_home view = {
        .frame = page_frame_for_all(app, title, "home"),
        .notes = items,
        .notes_count = list->count,
        .revision = list->revision,
        .is_first = is_first,
        .newer_path = is_first ? NULL : home_path(ctx, page_number - 1),
        .older_path = list->has_more ? home_path(ctx, page_number + 1) : NULL,
        .page_number = page_number,
    };
    parts_init(out_parts, &ctx->arena, FRAME_BYTES + list->count * TITLE_BYTES, PAGE_MAX_BYTES);
    view_home(out_parts, &view);
}

/* ---- forms ---- */

enum err note_form_send(struct app *app,
                        struct ctx *ctx,
                        const struct http_request *rq,
                        struct http_response *rs,
                        const struct note_draft *draft,
                        int status)
{
    const char *field = status == 200 ? NULL : ctx->why.field;
    struct view_note_form view = {
        .frame = page_frame(app, rq, draft->is_create ? "Add a note" : "Edit a note",
                            draft->is_create ? "note-add" : "note-edit"),
        .is_create = draft->is_create,
        .docreate = draft->is_create ? "create" : "update",
        .key = draft->key,
        .title = draft->title,
        .body = draft->body,
        .version = draft->version,
        .revision = draft->revision,
        .error = status == 200 ? NULL : ctx->why.hint,
        .error_in_key = field && text_equals(field, "notekey"),
        .error_in_title = field && text_equals(field, "title"),
        .error_in_body = field && text_equals(field, "body"),
    };
    struct strbuf html = page_buffer(ctx, FRAME_BYTES + strlen(draft->body) * TEXT_GROWTH_FACTOR);
    view_note_form(&html, &view);
    return page_send(ctx, rs, status, &html);
}

enum err note_conflict_send(struct app *app,
                            struct ctx *ctx,
                            const struct http_request *rq,
                            struct http_response *rs,
                            const struct note_draft *mine,
                            const struct note *theirs)
{
    struct view_conflict view = {
        .frame =
            page_frame(app, rq, mine->is_create ? "This key is taken" : "Somebody else saved first",
                       "conflict"),
        .is_create = mine->is_create,
        .key = mine->key,
        .my_title = mine->title,
        .my_body = mine->body,
        .their_title = theirs->title,
        .their_body = theirs->body[0] ? theirs->body : NULL,
        .their_author = mine->is_create ? theirs->author : theirs->editor,
        .their_changed_iso = clock_iso(&ctx->arena, theirs->changed_unix_ms),
        .their_changed_text = clock_people(&ctx->arena, theirs->changed_unix_ms),
        .their_version = theirs->version,
    };
    size_t text_bytes = strlen(mine->body) + strlen(theirs->body);
    struct strbuf html = page_buffer(ctx, FRAME_BYTES + text_bytes * TEXT_GROWTH_FACTOR);
    view_conflict(&html, &view);
    return page_send(ctx, rs, 409, &html);
}

enum err note_destroy_send(struct app *app,
                           struct ctx *ctx,
                           const struct http_request *rq,
                           struct http_response *rs,
                           const struct note *note,
                           int status)
{
    const char *body = note->body ? note->body : "";
    struct view_destroy view = {
        .frame = page_frame(app, rq, "Delete a note", "destroy"),
        .key = note->key,
        .title = note->title,
        .version = note->version,
        .kept_days = app->config->destroyed_keep_days,
        .is_changed = status != 200,
        .body = body[0] ? body : NULL,
        .editor = note->editor,
        .changed_iso = clock_iso(&ctx->arena, note->changed_unix_ms),
        .changed_text = clock_people(&ctx->arena, note->changed_unix_ms),
    };
    struct strbuf html = page_buffer(ctx, FRAME_BYTES + strlen(body) * TEXT_GROWTH_FACTOR);
    view_destroy(&html, &view);
    return page_send(ctx, rs, status, &html);
}
