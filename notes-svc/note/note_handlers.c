/* SPDX-License-Identifier: MIT
 *
 * Requests that change notes, and their forms; reading is note_view_handlers.c's. Depends on:
 * note_store.h, note_wire.h, note_page.h, markdown.h, page.h. */
#include "note/note_handlers.h"

#include <stdbool.h>
#include <string.h>

#include "app.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "config.h"
#include "http/form.h"
#include "http/http_message.h"
#include "live/live_events.h"
#include "note/markdown.h"
#include "note/note_page.h"
#include "note/note_store.h"
#include "note/note_wire.h"
#include "page/page.h"
#include "page/wrote.h"
#include "session/session.h"

#define KEY_TRIES_MAX_COUNT 8 /* others may take a key between our look and our write */
#define KEY_NUMBER_MAX      (INT64_C(1) << 40)

/* ---- forms ---- */

enum err note_add_handle(struct app *app,
                         struct ctx *ctx,
                         const struct http_request *rq,
                         struct http_response *rs)
{
    (void)app;
    struct note_draft draft = {.is_create = true, .key = "", .title = "", .body = ""};
    return note_form_send(app, ctx, rq, rs, &draft, 200);
}

enum err note_edit_handle(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs)
{
    (void)app;
    const char *key = NULL;
    struct note note;
    enum err err = form_need(ctx, &rq->query, "key", &key);
    if (err || (err = note_find(ctx, ctx->db, key, NOTE_BODY, &note)))
        return err;
    struct note_draft draft = {
        .key = key,
        .title = note.title,
        .body = note.body,
        .version = note.version,
        .revision = note.revision,
    };
    return note_form_send(app, ctx, rq, rs, &draft, 200);
}

enum err note_destroy_handle(struct app *app,
                             struct ctx *ctx,
                             const struct http_request *rq,
                             struct http_response *rs)
{
    const char *key = NULL;
    struct note note;
    enum err err = form_need(ctx, &rq->query, "key", &key);
    if (err || (err = note_find(ctx, ctx->db, key, NOTE_HEAD, &note)))
        return err;
    return note_destroy_send(app, ctx, rq, rs, &note, 200);
}

/* ---- saving ---- */

/* A text that is too large as HTML is saved all the same, and shown as it is. */
static enum err render_body(struct ctx *ctx, const char *body, struct html *out_html)
{
    struct html html = {0};
    enum err err = markdown_render(ctx, body, strlen(body), NOTE_HTML_MAX_BYTES, &html);
    if (err && err != ERR_TOO_LARGE)
        return err;
    if (err)
        ctx_forgive(ctx);
    *out_html = html;
    return ERR_OK;
}

static enum err key_is_taken(struct ctx *ctx, const char *key, bool *out_is_taken)
{
    int64_t revision = 0;
    enum err err = note_find_revision(ctx, ctx->db, key, &revision);
    if (err && err != ERR_NOT_FOUND)
        return err;
    ctx_forgive(ctx);
    *out_is_taken = err == ERR_OK;
    return ERR_OK;
}

/* A free key from the title: "my-note", else the first number that is free after it ("my-note-2"),
 * found in few steps however many there are: the steps double until a number is free, then halve.
 */
static enum err make_key(struct ctx *ctx, const char *title, const char **out_key)
{
    const char *base = note_key_from_title(&ctx->arena, title);
    int64_t taken = 0;
    int64_t free = 1; /* number 1 is the key without one */
    bool is_taken = true;
    enum err err = key_is_taken(ctx, base, &is_taken);
    while (!err && is_taken && free < KEY_NUMBER_MAX) {
        taken = free;
        free *= 2;
        err = key_is_taken(ctx, note_key_numbered(&ctx->arena, base, free), &is_taken);
    }
    while (!err && free - taken > 1) {
        int64_t middle = taken + (free - taken) / 2;
        err = key_is_taken(ctx, note_key_numbered(&ctx->arena, base, middle), &is_taken);
        taken = is_taken ? middle : taken;
        free = is_taken ? free : middle;
    }
    if (!err)
        *out_key = free == 1 ? base : note_key_numbered(&ctx->arena, base, free);
    return err;
}

/* On create without a key, `save->key` is set to the one that was made. */
static enum err store(struct ctx *ctx,
                      const struct note_draft *draft,
                      struct note_save *save,
                      struct note_change *out_change)
{
    if (!draft->is_create)
        return note_update(ctx, ctx->db, save, out_change);
    if (draft->key[0])
        return note_create(ctx, ctx->db, save, out_change);
    enum err err = ERR_CONFLICT;
    for (int i = 0; i < KEY_TRIES_MAX_COUNT && err == ERR_CONFLICT; i++) {
        ctx_forgive(ctx);
        err = make_key(ctx, draft->title, &save->key);
        if (!err)
            err = note_create(ctx, ctx->db, save, out_change);
    }
    return err;
}

static enum err show_conflict(struct app *app,
                              struct ctx *ctx,
                              const struct http_request *rq,
                              struct http_response *rs,
                              const struct note_draft *mine,
                              const char *key)
{
    struct note theirs;
    struct note_draft draft = *mine;
    draft.key = key;
    ctx_forgive(ctx);
    enum err err = note_find(ctx, ctx->db, key, NOTE_BODY, &theirs);
    return err ? err : note_conflict_send(app, ctx, rq, rs, &draft, &theirs);
}

enum err note_save_handle(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs)
{
    struct note_draft draft;
    enum err err = page_count_write(app, ctx, rq->session->username);
    if (err || (err = note_draft_decode(ctx, &rq->form, &draft)))
        return err;
    err = note_draft_check(ctx, &draft);
    if (err)
        return http_wants_json(rq) ? err
                                   : note_form_send(app, ctx, rq, rs, &draft, err_status(err));
    struct note_save save = {
        .key = draft.key,
        .title = draft.title,
        .body = draft.body,
        .user = rq->session->username,
        .version = draft.version,
    };
    err = render_body(ctx, draft.body, &save.html);
    if (err)
        return err;
    save.now_unix_ms = clock_unix_ms();
    struct note_change change;
    err = store(ctx, &draft, &save, &change);
    if (err == ERR_CONFLICT && !http_wants_json(rq))
        return show_conflict(app, ctx, rq, rs, &draft, save.key);
    if (err)
        return err;
    log_info(ctx, draft.is_create ? "note.created" : "note.changed", log_str("note", save.key),
             log_i64("version", change.version), log_i64("revision", change.revision),
             log_str("user", save.user), log_str("peer", rq->client_text));
    if (draft.is_create)
        live_note_made(app, ctx, save.key);
    else
        live_note_changed(app, ctx, &save, &change);
    wrote_set(app, ctx, rq, rs,
              &(struct wrote){.key = save.key,
                              .revision = change.revision,
                              .home_revision = change.home_revision});
    http_response_redirect(rs, 302, note_view_path(ctx, save.key));
    return ERR_OK;
}

/* ---- destroying ---- */

/* What would go is another text than the one that was looked at. */
static enum err ask_again(struct app *app,
                          struct ctx *ctx,
                          const struct http_request *rq,
                          struct http_response *rs,
                          const char *key)
{
    struct note note;
    ctx_forgive(ctx);
    enum err err = note_find(ctx, ctx->db, key, NOTE_BODY, &note);
    return err ? err : note_destroy_send(app, ctx, rq, rs, &note, 409);
}

enum err note_destroy_confirm_handle(struct app *app,
                                     struct ctx *ctx,
                                     const struct http_request *rq,
                                     struct http_response *rs)
{
    struct note_act act = {.user = rq->session->username, .now_unix_ms = clock_unix_ms()};
    struct note_change change;
    enum err err = note_destroy_decode(ctx, &rq->form, &act.key, &act.version);
    if (err)
        return err;
    err = note_destroy(ctx, ctx->db, &act, &change);
    if (err == ERR_CONFLICT && !http_wants_json(rq))
        return ask_again(app, ctx, rq, rs, act.key);
    if (err)
        return err;
    live_note_destroyed(app, ctx, act.key, &change);
    log_info(ctx, "note.destroyed", log_str("note", act.key), log_i64("revision", change.revision),
             log_str("user", act.user), log_str("peer", rq->client_text));
    wrote_set(app, ctx, rq, rs,
              &(struct wrote){.key = act.key,
                              .revision = change.revision,
                              .home_revision = change.home_revision});
    http_response_redirect(rs, 302, "/");
    return ERR_OK;
}
