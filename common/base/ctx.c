/* SPDX-License-Identifier: MIT
 *
 * The context of one piece of work. Its fields are set one by one and its large buffers are left
 * as they are, because each request makes one: clearing 5 KB would cost more than the rest.
 * Depends on: ctx.h, clock.h, secret.h, text.h. */
#include "base/ctx.h"

#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define REQUEST_ID_RANDOM_BYTES ((size_t)16)
#define RANDOM_IDS_COUNT        ((size_t)64) /* of a thread: 1 KiB */

/* Random bytes that no one was given before. They are taken from the system for many requests at
 * once: an id is no secret, so it may wait in memory for its turn. */
static const unsigned char *next_random(void)
{
    static _Thread_local unsigned char random[REQUEST_ID_RANDOM_BYTES * RANDOM_IDS_COUNT];
    static _Thread_local size_t left_count;
    if (left_count == 0) {
        secret_random(random, sizeof(random));
        left_count = RANDOM_IDS_COUNT;
    }
    return random + --left_count * REQUEST_ID_RANDOM_BYTES;
}

static void make_request_id(struct ctx *ctx)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *random = next_random();
    for (size_t i = 0; i < REQUEST_ID_RANDOM_BYTES; i++) {
        ctx->request_id[2 * i] = digits[random[i] >> 4];
        ctx->request_id[2 * i + 1] = digits[random[i] & 15];
    }
    ctx->request_id[REQUEST_ID_RANDOM_BYTES * 2] = '\0';
}

void ctx_init(struct ctx *ctx, struct log *log, int64_t budget_ms)
{
    arena_init(&ctx->arena);
    ctx->log = log;
    make_request_id(ctx);
    ctx->deadline_ms = clock_monotonic_ms() + budget_ms;
    ctx_forgive(ctx);
    ctx->user = NULL;
    ctx->peer = NULL;
    ctx->db = NULL;
    ctx->http = NULL;
    ctx->redis = NULL;
}

void ctx_done(struct ctx *ctx)
{
    arena_done(&ctx->arena);
    secret_wipe(ctx->why.text, sizeof(ctx->why.text));
}

int64_t ctx_left_ms(const struct ctx *ctx)
{
    int64_t left_ms = ctx->deadline_ms - clock_monotonic_ms();
    return left_ms > 0 ? left_ms : 0;
}

/* Cuts a sequence that the end of the buffer went through, so that the text stays valid UTF-8. */
static void drop_torn_char(char *text)
{
    size_t size_bytes = strlen(text);
    for (size_t cut = 0; cut <= 3 && cut < size_bytes; cut++) {
        if (text_is_utf8(text, size_bytes - cut)) {
            text[size_bytes - cut] = '\0';
            return;
        }
    }
}

enum err
ctx_fail_at(struct ctx *ctx, enum err err, const char *file, int line, const char *format, ...)
{
    if (ctx->why.text[0] != '\0')
        return err;
    va_list values;
    va_start(values, format);
    int size = vsnprintf(ctx->why.text, sizeof(ctx->why.text), format, values);
    va_end(values);
    if (size <= 0)
        (void)snprintf(ctx->why.text, sizeof(ctx->why.text), "%s", err_name(err));
    else if ((size_t)size >= sizeof(ctx->why.text))
        drop_torn_char(ctx->why.text);
    ctx->why.file = file;
    ctx->why.line = line;
    return err;
}

enum err
ctx_refuse_at(struct ctx *ctx, const char *field, const char *hint, const char *file, int line)
{
    if (ctx->why.text[0] != '\0')
        return ERR_INVALID;
    ctx->why.field = field;
    ctx->why.hint = hint;
    return ctx_fail_at(ctx, ERR_INVALID, file, line, "%s: %s", field ? field : "input",
                       hint ? hint : "refused");
}

void ctx_forgive(struct ctx *ctx)
{
    ctx->why.text[0] = '\0';
    ctx->why.file = NULL;
    ctx->why.line = 0;
    ctx->why.field = NULL;
    ctx->why.code = NULL;
    ctx->why.hint = NULL;
    ctx->retry_after_s = 0;
}
