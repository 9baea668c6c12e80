/* SPDX-License-Identifier: MIT
 *
 * Reading: a note's page and the list. The revision is read before what hangs on it (comments, the
 * titles), so that a page may be newer than its tag says, never older. A page that is kept
 * (shared_page.h) is sent by the event loop; here, on a worker, it saves reading all but the
 * revision. Depends on: note_store.h, comment_store.h, note_page.h, shared_page.h. */
#include "note/note_handlers.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "app.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/parse.h"
#include "base/text.h"
#include "comment/comment_store.h"
#include "config.h"
#include "http/form.h"
#include "http/http_message.h"
#include "note/note_page.h"
#include "note/note_store.h"
#include "page/page.h"
#include "page/shared_page.h"

#define HOME_PART "p1"

/* From here on what stands before a page costs more than the page. */
#define FAR_PAGE_NUMBER     200
#define FAR_LISTS_MAX_COUNT 2 /* read at once, and one less than there are workers: for others */

/* A number in the query; absent, it is left as it is. Errors: ERR_NOT_FOUND no number
 * within 1..max. */
static enum err read_number(
    struct ctx *ctx, const struct http_request *rq, const char *name, int64_t max, int64_t *number)
{
    const char *text = NULL;
    enum err err = form_text(ctx, &rq->query, name, &text);
    if (err || !text || parse_i64(text, 1, max, number))
        return err;
    return ctx_fail(ctx, ERR_NOT_FOUND, "%s is no number of a page", name);
}

/* Has the browser the page of this state? rs is the 304 then. False for `*`, which asks whether
 * there is such a page at all: making it tells. */
static bool has_it(struct app *app,
                   struct ctx *ctx,
                   const struct http_request *rq,
                   struct http_response *rs,
                   struct page_state state)
{
    const char *tags = rq->fields[HTTP_FIELD_IF_NONE_MATCH];
    return tags && !strchr(tags, '*') &&
           page_is_unchanged(ctx, rq, rs, page_etag(app, ctx, rq, state.revision, state.part));
}

/* ---- the list ---- */

static enum err make_list(
    struct app *app, struct ctx *ctx, int64_t page_number, int64_t revision, struct parts *out)
{
    struct note_list list;
    enum err err = note_list(ctx, ctx->db, page_number, NOTE_HOME_PAGE_COUNT, &list);
    if (err)
        return err;
    if (list.count == 0 && page_number > 1) {
        ctx->why.hint = "The list of notes ends before this page.";
        return ctx_fail(ctx, ERR_NOT_FOUND, "page %lld is beyond the end", (long long)page_number);
    }
    list.revision = revision;
    note_home_make(app, ctx, &list, page_number, out);
    return ERR_OK;
}

static enum err show_first_list(struct app *app,
                                struct ctx *ctx,
                                const struct http_request *rq,
                                struct http_response *rs)
{
    const struct cache_ticket ticket = shared_page_begin(app, SHARED_PAGE_HOME);
    CLEANUP(shared_page_release_ptr)
    struct shared_page *kept = shared_page_find(app, SHARED_PAGE_HOME);
    struct page_state state = {.part = HOME_PART};
    struct parts parts;
    enum err err = note_home_revision(ctx, ctx->db, &state.revision);
    if (err)
        return err;
    if (kept && shared_page_is_of(app, &ticket, kept, state.revision))
        return shared_page_send_kept(app, ctx, rq, rs, kept);
    if (has_it(app, ctx, rq, rs, state))
        return ERR_OK;
    err = make_list(app, ctx, 1, state.revision, &parts);
    if (err)
        return err;
    CLEANUP(shared_page_release_ptr)
    struct shared_page *made = shared_page_keep(app, &ticket, SHARED_PAGE_HOME, &parts, state);
    return made ? shared_page_send_kept(app, ctx, rq, rs, made)
                : shared_page_send(app, ctx, rq, rs, &parts, state);
}

static enum err read_list(struct app *app,
                          struct ctx *ctx,
                          int64_t page_number,
                          struct page_state *state,
                          struct parts *out_parts)
{
    enum err err = note_home_revision(ctx, ctx->db, &state->revision);
    return err ? err : make_list(app, ctx, page_number, state->revision, out_parts);
}

static int far_lists_max_count(const struct app *app)
{
    return app->config->service.workers > FAR_LISTS_MAX_COUNT ? FAR_LISTS_MAX_COUNT : 1;
}

static enum err read_far_list(struct app *app,
                              struct ctx *ctx,
                              int64_t page_number,
                              struct page_state *state,
                              struct parts *out_parts)
{
    enum err err = ERR_UNAVAILABLE;
    int max_count = far_lists_max_count(app);
    if (atomic_fetch_add(&app->far_lists_count, 1) < max_count) {
        err = read_list(app, ctx, page_number, state, out_parts);
    } else {
        ctx->why.hint = "Others are looking this far back just now. Please try again in a moment.";
        err = ctx_fail(ctx, err, "%d pages far behind are read already", max_count);
    }
    atomic_fetch_sub(&app->far_lists_count, 1);
    return err;
}

static enum err show_list(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs,
                          int64_t page_number)
{
    struct parts parts;
    struct page_state state = {.part = arena_format(&ctx->arena, "p%lld", (long long)page_number)};
    if (rq->fields[HTTP_FIELD_IF_NONE_MATCH]) {
        enum err err = note_home_revision(ctx, ctx->db, &state.revision);
        if (err || has_it(app, ctx, rq, rs, state))
            return err;
    }
    enum err err = page_number < FAR_PAGE_NUMBER
                       ? read_list(app, ctx, page_number, &state, &parts)
                       : read_far_list(app, ctx, page_number, &state, &parts);
    return err ? err : shared_page_send(app, ctx, rq, rs, &parts, state);
}

enum err note_home_handle(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs)
{
    int64_t page_number = 1;
    enum err err = read_number(ctx, rq, "page", NOTE_PAGE_MAX_NUMBER, &page_number);
    if (err)
        return err;
    return page_number == 1 ? show_first_list(app, ctx, rq, rs)
                            : show_list(app, ctx, rq, rs, page_number);
}

bool note_home_cached(struct app *app,
                      struct ctx *ctx,
                      const struct http_request *rq,
                      struct http_response *rs)
{
    return rq->query.count == 0 && shared_page_answer(app, ctx, rq, rs, SHARED_PAGE_HOME);
}

/* ---- a note ---- */

/* A note's page without a refused comment. Errors: ERR_NOT_FOUND no such note. */
static enum err
load_page(struct ctx *ctx, const char *key, int64_t before_id, struct note_page *out_page)
{
    struct note_page page = {0};
    enum err err = note_find(ctx, ctx->db, key, NOTE_SHOWN, &page.note);
    if (err)
        return err;
    struct comment_range range = {
        .note_id = page.note.id,
        .before_id = before_id,
        .limit_count = COMMENT_PAGE_COUNT,
    };
    err = comment_list(ctx, ctx->db, &range, &page.comments);
    if (err)
        return err;
    if (page.comments.has_more)
        page.older_comments_path =
            note_comments_path(ctx, key, page.comments.items[page.comments.count - 1].id);
    int64_t newer_before_id = 0;
    if (before_id && (err = comment_newer_before(ctx, ctx->db, &range, &newer_before_id)))
        return err;
    if (newer_before_id)
        page.newer_comments_path = note_comments_path(ctx, key, newer_before_id);
    else if (before_id)
        page.newer_comments_path = note_view_path(ctx, key);
    *out_page = page;
    return ERR_OK;
}

/* Reads and makes it. */
static enum err make_page(struct app *app,
                          struct ctx *ctx,
                          const char *key,
                          int64_t before_id,
                          struct page_state *state,
                          struct parts *out_parts)
{
    struct note_page page;
    enum err err = load_page(ctx, key, before_id, &page);
    if (err)
        return err;
    state->revision = page.note.revision;
    note_page_make(app, ctx, &page, out_parts);
    return ERR_OK;
}

static enum err show_older_comments(struct app *app,
                                    struct ctx *ctx,
                                    const struct http_request *rq,
                                    struct http_response *rs,
                                    const char *key,
                                    int64_t before_id)
{
    struct parts parts;
    struct page_state state = {.part = arena_format(&ctx->arena, "c%lld", (long long)before_id)};
    if (rq->fields[HTTP_FIELD_IF_NONE_MATCH]) {
        enum err err = note_find_revision(ctx, ctx->db, key, &state.revision);
        if (err || has_it(app, ctx, rq, rs, state))
            return err;
    }
    enum err err = make_page(app, ctx, key, before_id, &state, &parts);
    return err ? err : shared_page_send(app, ctx, rq, rs, &parts, state);
}

static enum err show_note(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs,
                          const char *key)
{
    const struct cache_ticket ticket = shared_page_begin(app, key);
    CLEANUP(shared_page_release_ptr) struct shared_page *kept = shared_page_find(app, key);
    struct page_state state = {.part = ""};
    struct parts parts;
    if (kept || rq->fields[HTTP_FIELD_IF_NONE_MATCH]) {
        enum err err = note_find_revision(ctx, ctx->db, key, &state.revision);
        if (err == ERR_NOT_FOUND)
            shared_page_drop(app, key);
        if (err)
            return err;
        if (kept && shared_page_is_of(app, &ticket, kept, state.revision))
            return shared_page_send_kept(app, ctx, rq, rs, kept);
        if (has_it(app, ctx, rq, rs, state))
            return ERR_OK;
    }
    enum err err = make_page(app, ctx, key, 0, &state, &parts);
    if (err)
        return err;
    CLEANUP(shared_page_release_ptr)
    struct shared_page *made = shared_page_keep(app, &ticket, key, &parts, state);
    return made ? shared_page_send_kept(app, ctx, rq, rs, made)
                : shared_page_send(app, ctx, rq, rs, &parts, state);
}

enum err note_view_handle(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs)
{
    const char *key = NULL;
    int64_t before_id = 0;
    enum err err = form_need(ctx, &rq->query, "key", &key);
    if (err || (err = read_number(ctx, rq, "before", INT64_MAX, &before_id)))
        return err;
    if (!*key)
        return ctx_fail(ctx, ERR_NOT_FOUND, "no note has an empty key");
    return before_id ? show_older_comments(app, ctx, rq, rs, key, before_id)
                     : show_note(app, ctx, rq, rs, key);
}

bool note_view_cached(struct app *app,
                      struct ctx *ctx,
                      const struct http_request *rq,
                      struct http_response *rs)
{
    const struct form_field *field = rq->query.count == 1 ? &rq->query.fields[0] : NULL;
    return field && text_equals(field->name, "key") && field->value[0] &&
           shared_page_answer(app, ctx, rq, rs, field->value);
}

enum err note_refuse_comment(struct app *app,
                             struct ctx *ctx,
                             const struct http_request *rq,
                             struct http_response *rs,
                             const char *key,
                             const char *message)
{
    struct note_page page;
    struct parts parts;
    const char *reason = ctx->why.hint;
    ctx_forgive(ctx);
    enum err err = load_page(ctx, key, 0, &page);
    if (err)
        return err;
    page.comment_draft = message;
    page.comment_error = reason;
    note_page_make(app, ctx, &page, &parts);
    return shared_page_refuse(ctx, rq, rs, &parts);
}
