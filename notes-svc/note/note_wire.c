/* SPDX-License-Identifier: MIT
 *
 * Forms of a note to what they say. Depends on: form.h, note.h. */
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

/* Of a note that exists. */
static enum err decode_key_and_version(struct ctx *ctx,
                                       const struct form *form,
                                       const char **out_key,
                                       int64_t *out_version)
{
    const char *version = NULL;
    enum err err = form_need(ctx, form, "notekey", out_key);
    if (err || (err = form_text(ctx, form, "version", &version)))
        return err;
    if (version)
        return form_need_i64(ctx, form, "version", 0, INT64_MAX, out_version);
    *out_version = 0;
    return ERR_OK;
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
        err = decode_key_and_version(ctx, form, &draft.key, &draft.version);
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

enum err note_destroy_decode(struct ctx *ctx,
                             const struct form *form,
                             const char **out_key,
                             int64_t *out_version)
{
    return decode_key_and_version(ctx, form, out_key, out_version);
}
