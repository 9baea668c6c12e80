/* SPDX-License-Identifier: MIT
 *
 * The save form to a draft. Depends on: form.h, note.h. */
#include "note/note_wire.h"

#include <stdint.h>

#include "base/ctx.h"
#include "base/text.h"
#include "http/form.h"
#include "note/note.h"

static enum err decode_create(struct ctx *ctx, const struct form *form, struct note_draft *draft)
{
    draft->is_create = true;
    enum err err = form_text(ctx, form, "notekey", &draft->key);
    if (!err && !draft->key)
        draft->key = "";
    return err;
}

static enum err decode_update(struct ctx *ctx, const struct form *form, struct note_draft *draft)
{
    const char *version = NULL;
    enum err err = form_need(ctx, form, "notekey", &draft->key);
    if (err || (err = form_text(ctx, form, "version", &version)) || !version)
        return err;
    return form_need_i64(ctx, form, "version", 0, INT64_MAX, &draft->version);
}

enum err note_draft_decode(struct ctx *ctx, const struct form *form, struct note_draft *out_draft)
{
    const char *docreate = NULL;
    const char *body = NULL;
    struct note_draft draft = {0};
    enum err err = form_need(ctx, form, "docreate", &docreate);
    if (!err && text_equals(docreate, "create"))
        err = decode_create(ctx, form, &draft);
    else if (!err && text_equals(docreate, "update"))
        err = decode_update(ctx, form, &draft);
    else if (!err)
        err = ctx_refuse(ctx, "docreate",
                         "The form says neither that the note is new nor that it is changed.");
    if (err || (err = form_need(ctx, form, "title", &draft.title)) ||
        (err = form_need(ctx, form, "body", &body)))
        return err;
    draft.body = text_unix_newlines(&ctx->arena, body);
    *out_draft = draft;
    return ERR_OK;
}
