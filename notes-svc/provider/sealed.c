/* SPDX-License-Identifier: MIT
 *
 * Lines: the time of sealing, then each text. The purpose is part of the key.
 * Depends on: sealed.h, secret.h. */
#include "provider/sealed.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/parse.h"
#include "base/secret.h"
#include "base/strbuf.h"
#include "base/text.h"

#define MS_PER_S 1000

static void key_of(const struct sealed_use *use, unsigned char out_key[SECRET_DIGEST_BYTES])
{
    struct bytes key = {.p = use->key, .n = SECRET_DIGEST_BYTES};
    secret_digest(key, use->purpose, strlen(use->purpose), out_key);
}

static int64_t now_s(void)
{
    return clock_unix_ms() / MS_PER_S;
}

enum err sealed_make(struct ctx *ctx,
                     const struct sealed_use *use,
                     const struct sealed_texts *texts,
                     const char **out_value)
{
    assert(use->count <= SEALED_TEXTS_MAX_COUNT);
    struct strbuf lines;
    const char *text = NULL;
    strbuf_init(&lines, &ctx->arena, 512, SEALED_TEXT_MAX_BYTES);
    strbuf_add_i64(&lines, now_s());
    for (size_t i = 0; i < use->count; i++) {
        if (text_has_control(texts->texts[i], ""))
            return ctx_fail(ctx, ERR_INVALID, "a control character can't be sealed");
        strbuf_add_char(&lines, '\n');
        strbuf_add(&lines, texts->texts[i]);
    }
    enum err err = strbuf_text(&lines, &text);
    if (err)
        return ctx_fail(ctx, err, "what is to be sealed is too long for a cookie");
    unsigned char key[SECRET_DIGEST_BYTES];
    unsigned char *sealed = arena_take(&ctx->arena, lines.size_bytes + SECRET_SEAL_BYTES);
    key_of(use, key);
    secret_seal(key, text, lines.size_bytes, sealed);
    secret_wipe(key, sizeof(key));
    *out_value = secret_base64url(&ctx->arena, sealed, lines.size_bytes + SECRET_SEAL_BYTES);
    return ERR_OK;
}

/* What a text of base64url stands for; n = 0: nothing that was sealed. */
static struct bytes decode(struct ctx *ctx, const char *value)
{
    size_t size_bytes = strlen(value) / 4 * 3 + (strlen(value) % 4 ? strlen(value) % 4 - 1 : 0);
    struct bytes none = {.n = 0};
    if (size_bytes <= SECRET_SEAL_BYTES || size_bytes > SEALED_TEXT_MAX_BYTES + SECRET_SEAL_BYTES)
        return none;
    unsigned char *bytes = arena_take(&ctx->arena, size_bytes);
    if (!secret_from_base64url(value, bytes, size_bytes))
        return none;
    return (struct bytes){.p = bytes, .n = size_bytes};
}

static bool is_in_time(const char *sealed_s, int64_t max_age_s)
{
    int64_t then_s = 0;
    return parse_i64(sealed_s, 0, INT64_MAX / MS_PER_S, &then_s) &&
           then_s <= now_s() + SEALED_AHEAD_MAX_S && now_s() - then_s <= max_age_s;
}

/* Ends the line at `*at` and goes to the next; NULL when there is none. */
static char *take_line(char **at)
{
    char *line = *at;
    char *end = line ? strchr(line, '\n') : NULL;
    if (end)
        *end = '\0';
    *at = end ? end + 1 : NULL;
    return line;
}

bool sealed_open(struct ctx *ctx,
                 const struct sealed_use *use,
                 const char *value,
                 int64_t max_age_s,
                 struct sealed_texts *out_texts)
{
    struct bytes sealed = {.n = 0};
    if (value)
        sealed = decode(ctx, value);
    if (sealed.n == 0)
        return false;
    unsigned char key[SECRET_DIGEST_BYTES];
    char *lines = arena_take(&ctx->arena, sealed.n - SECRET_SEAL_BYTES + 1);
    key_of(use, key);
    bool is_ours = secret_unseal(key, sealed, lines);
    secret_wipe(key, sizeof(key));
    if (!is_ours || !is_in_time(take_line(&lines), max_age_s))
        return false;
    struct sealed_texts texts = {.texts = {NULL}};
    for (size_t i = 0; i < use->count; i++)
        if (!(texts.texts[i] = take_line(&lines)))
            return false;
    *out_texts = texts;
    return true;
}
