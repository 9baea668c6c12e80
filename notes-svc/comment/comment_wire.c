/* SPDX-License-Identifier: MIT
 *
 * Comment forms to structs, a comment to JSON. The JSON is written by strbuf's appender, which also
 * escapes what HTML would take for markup. Depends on: form.h, strbuf.h, http_message.h. */
#include "comment/comment_wire.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "comment/comment.h"
#include "http/form.h"
#include "http/http_message.h"

#define JSON_TYPE "application/json"
/* A character takes six bytes at most ("\u0026"), one beyond U+FFFF its four; then the author and
 * the rest. */
#define JSON_MAX_BYTES ((size_t)16384)

enum err
comment_typed_decode(struct ctx *ctx, const struct form *form, struct comment_typed *out_typed)
{
    const char *key = NULL;
    const char *message = NULL;
    enum err err = form_need(ctx, form, "key", &key);
    if (err || (err = form_need(ctx, form, "message", &message)))
        return err;
    *out_typed = (struct comment_typed){
        .note_key = key,
        .message = text_unix_newlines(&ctx->arena, message),
    };
    return ERR_OK;
}

enum err
comment_named_decode(struct ctx *ctx, const struct form *form, struct comment_named *out_named)
{
    struct comment_named named = {0};
    enum err err = form_need(ctx, form, "key", &named.note_key);
    if (err || (err = form_need_i64(ctx, form, "id", 1, INT64_MAX, &named.id)))
        return err;
    *out_named = named;
    return ERR_OK;
}

static void answer_json(struct http_response *rs, const char *text)
{
    http_response_text(rs, 200, JSON_TYPE, text);
    http_response_field(rs, "Cache-Control", "no-store");
}

enum err comment_answer_json(struct ctx *ctx,
                             struct http_response *rs,
                             const struct comment *comment,
                             int64_t revision)
{
    struct strbuf json;
    strbuf_init(&json, &ctx->arena, 512, JSON_MAX_BYTES);
    strbuf_format(&json, "{\"id\":%lld,\"from\":", (long long)comment->id);
    strbuf_add_json(&json, comment->author);
    strbuf_add(&json, ",\"message\":");
    strbuf_add_json(&json, comment->message);
    strbuf_add(&json, ",\"timestamp\":");
    strbuf_add_json(&json, clock_iso(&ctx->arena, comment->made_unix_ms));
    strbuf_format(&json, ",\"canDestroy\":true,\"revision\":%lld}", (long long)revision);
    const char *text = NULL;
    enum err err = strbuf_text(&json, &text);
    if (err)
        return ctx_fail(ctx, ERR_INTERNAL, "a comment as JSON is over %zu bytes", JSON_MAX_BYTES);
    answer_json(rs, text);
    return ERR_OK;
}

void comment_answer_empty_json(struct http_response *rs)
{
    answer_json(rs, "{}");
}
