/* SPDX-License-Identifier: MIT
 *
 * Splits at "&", then at the first "=", then decodes: in this order, so that an escaped separator
 * is part of a value.
 * Depends on: form.h, ctx.h, parse.h. */
#include "http/form.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/parse.h"

#include <string.h>

static size_t count_pieces(struct bytes text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.n && count <= FORM_FIELDS_MAX_COUNT; i++)
        count += text.p[i] == '&';
    return count;
}

static bool
parse_field(struct ctx *ctx, const char *piece, size_t size_bytes, struct form_field *out_field)
{
    const char *equals = memchr(piece, '=', size_bytes);
    size_t name_bytes = equals ? (size_t)(equals - piece) : size_bytes;
    size_t value_bytes = equals ? size_bytes - name_bytes - 1 : 0;
    char *name = NULL;
    char *value = NULL;
    if (!parse_percent(&ctx->arena, piece, name_bytes, true, &name) ||
        !parse_percent(&ctx->arena, equals ? equals + 1 : "", value_bytes, true, &value))
        return false;
    *out_field = (struct form_field){.name = name, .value = value};
    return true;
}

enum err form_parse(struct ctx *ctx, struct bytes text, struct form *out_form)
{
    struct form form = {0};
    if (text.n == 0) {
        *out_form = form;
        return ERR_OK;
    }
    size_t pieces_count = count_pieces(text);
    if (pieces_count > FORM_FIELDS_MAX_COUNT)
        return ctx_fail(ctx, ERR_INVALID, "more than %d form fields", FORM_FIELDS_MAX_COUNT);
    struct form_field *fields = arena_take_array(&ctx->arena, pieces_count, sizeof(*fields));

    const char *at = (const char *)text.p;
    const char *end = at + text.n;
    while (at < end) {
        const char *separator = memchr(at, '&', (size_t)(end - at));
        const char *stop = separator ? separator : end;
        if (stop > at && !parse_field(ctx, at, (size_t)(stop - at), &fields[form.count++]))
            return ctx_fail(ctx, ERR_INVALID,
                            "form field %zu is not valid UTF-8 in percent-encoding", form.count);
        at = stop + 1;
    }
    form.fields = fields;
    *out_form = form;
    return ERR_OK;
}

const char *form_first(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++) {
        if (strcmp(form->fields[i].name, name) == 0)
            return form->fields[i].value;
    }
    return NULL;
}

/* The reason names the field: a page shows it alone. */
static enum err refuse(struct ctx *ctx, const char *name, const char *what)
{
    return ctx_refuse(ctx, name, arena_format(&ctx->arena, "\"%s\" %s", name, what));
}

enum err
form_text(struct ctx *ctx, const struct form *form, const char *name, const char **out_value)
{
    const char *value = NULL;
    for (size_t i = 0; i < form->count; i++) {
        if (strcmp(form->fields[i].name, name) != 0)
            continue;
        if (value)
            return refuse(ctx, name, "was sent more than once.");
        value = form->fields[i].value;
    }
    *out_value = value;
    return ERR_OK;
}

enum err
form_need(struct ctx *ctx, const struct form *form, const char *name, const char **out_value)
{
    const char *value = NULL;
    enum err err = form_text(ctx, form, name, &value);
    if (err)
        return err;
    if (!value)
        return refuse(ctx, name, "is missing.");
    *out_value = value;
    return ERR_OK;
}

enum err form_need_i64(struct ctx *ctx,
                       const struct form *form,
                       const char *name,
                       int64_t min,
                       int64_t max,
                       int64_t *out_number)
{
    const char *text = NULL;
    enum err err = form_need(ctx, form, name, &text);
    if (err)
        return err;
    if (!parse_i64(text, min, max, out_number))
        return refuse(ctx, name, "is no number in the range allowed.");
    return ERR_OK;
}
