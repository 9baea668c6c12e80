/* SPDX-License-Identifier: MIT
 *
 * JSON in and out of requests. What the library says about a fault is not passed on, because it
 * quotes the text around it, and that may be a password.
 * Depends on: json_body.h, ctx.h, strbuf.h, jansson. */
#include "http/json_body.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "http/http_message.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_MAX_BYTES 8192
#define NAME_MAX_BYTES  64 /* of a member that a refusal names */
#define PRINT_FLAGS     (JSON_COMPACT | JSON_ENCODE_ANY)

/* Values are passwords at times: what the library gives back to the heap is wiped. */
static void wiping_free(void *memory)
{
    if (memory)
        secret_wipe(memory, malloc_usable_size(memory));
    free(memory);
}

void json_body_start(void)
{
    json_set_alloc_funcs(malloc, wiping_free);
}

const char *json_body_library(void)
{
    static char text[64]; /* asked for by the main thread, before others */
    (void)snprintf(text, sizeof(text), "jansson %s", jansson_version_str());
    return text;
}

static bool holds_nul(const json_t *value)
{
    if (json_is_string(value))
        return memchr(json_string_value(value), '\0', json_string_length(value)) != NULL;
    bool is_held = false;
    for (size_t i = 0; i < json_array_size(value) && !is_held; i++) {
        const json_t *item = json_array_get(value, i);
        is_held = json_is_string(item) && holds_nul(item);
    }
    return is_held;
}

/* Which member's text has a NUL, so that people find it. NULL: none of a reasonable name. */
static const char *member_with_nul(struct ctx *ctx, struct bytes text)
{
    CLEANUP(json_body_release)
    json_t *object =
        json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        const char *name = json_object_iter_key(at);
        if (holds_nul(json_object_iter_value(at)) && strlen(name) <= NAME_MAX_BYTES)
            return arena_text(&ctx->arena, name);
    }
    return NULL;
}

static enum err refuse_text(struct ctx *ctx, struct bytes text, json_error_t *error)
{
    const char *name =
        json_error_code(error) == json_error_null_character ? member_with_nul(ctx, text) : NULL;
    if (name)
        return ctx_refuse(ctx, name,
                          arena_format(&ctx->arena, "%s: no text may have a NUL in it.", name));
    return ctx_fail(ctx, ERR_INVALID, "the body is not valid JSON near byte %d", error->position);
}

enum err json_body_parse(struct ctx *ctx, struct bytes text, json_t **out_object)
{
    json_error_t error;
    if (text.n == 0)
        return ctx_fail(ctx, ERR_INVALID, "the body is empty, JSON is needed");
    json_t *value = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &error);
    if (!value)
        return refuse_text(ctx, text, &error);
    if (!json_is_object(value)) {
        json_decref(value);
        return ctx_fail(ctx, ERR_INVALID, "the body is not a JSON object");
    }
    *out_object = value;
    return ERR_OK;
}

enum err
json_body_text(struct ctx *ctx, const json_t *object, const char *name, const char **out_text)
{
    const json_t *member = json_object_get(object, name);
    if (!member || json_is_null(member)) {
        *out_text = NULL;
        return ERR_OK;
    }
    if (!json_is_string(member))
        return ctx_refuse(ctx, name, "This must be a string.");
    *out_text = arena_text_copy(&ctx->arena, json_string_value(member), json_string_length(member));
    return ERR_OK;
}

enum err
json_body_print(struct ctx *ctx, const json_t *value, size_t max_bytes, const char **out_text)
{
    size_t size_bytes = json_dumpb(value, NULL, 0, PRINT_FLAGS);
    if (size_bytes == 0)
        return ctx_fail(ctx, ERR_INTERNAL, "a value can't be written as JSON");
    if (size_bytes > max_bytes)
        return ctx_fail(ctx, ERR_TOO_LARGE, "%zu bytes of JSON, at most %zu", size_bytes,
                        max_bytes);
    char *text = arena_take(&ctx->arena, size_bytes + 1);
    if (json_dumpb(value, text, size_bytes, PRINT_FLAGS) != size_bytes)
        return ctx_fail(ctx, ERR_INTERNAL, "a value was written as JSON of another size");
    *out_text = text;
    return ERR_OK;
}

enum err
json_body_answer(struct ctx *ctx, struct http_response *rs, int status, const json_t *value)
{
    const char *text = NULL;
    enum err err = json_body_print(ctx, value, SIZE_MAX, &text);
    if (err)
        return err;
    http_response_text(rs, status, "application/json", text);
    return ERR_OK;
}

/* The sentence for the client. It names the member that was refused. */
static const char *error_message(struct ctx *ctx, enum err err)
{
    const char *text = ctx->why.hint ? ctx->why.hint : err_text(err);
    const char *field = ctx->why.field;
    if (!field || strstr(text, field))
        return text;
    return arena_format(&ctx->arena, "%s: %s", field, text);
}

void json_body_error(struct ctx *ctx, enum err err, struct http_response *rs)
{
    struct strbuf json;
    strbuf_init(&json, &ctx->arena, 256, ERROR_MAX_BYTES);
    strbuf_add(&json, "{\"code\":");
    strbuf_add_json(&json, ctx->why.code ? ctx->why.code : err_code(err));
    strbuf_add(&json, ",\"message\":");
    strbuf_add_json(&json, error_message(ctx, err));
    strbuf_add(&json, ",\"requestId\":");
    strbuf_add_json(&json, ctx->request_id);
    if (ctx->why.field) {
        strbuf_add(&json, ",\"field\":");
        strbuf_add_json(&json, ctx->why.field);
    }
    strbuf_add(&json, "}");
    const char *text = NULL;
    if (strbuf_text(&json, &text))
        text = "{}";
    http_response_text(rs, err_status(err), "application/json", text);
    http_response_field(rs, "Cache-Control", "no-store");
    if (ctx->retry_after_s > 0)
        http_response_field(rs, "Retry-After",
                            arena_format(&ctx->arena, "%lld", (long long)ctx->retry_after_s));
}
