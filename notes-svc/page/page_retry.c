/* SPDX-License-Identifier: MIT
 *
 * What a person typed becomes a field to be seen and changed, the rest hidden ones. The form token
 * goes along as it came. Depends on: form.h, router.h (whose form it is). */
#include "page/page_retry.h"

#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/text.h"
#include "http/form.h"
#include "http/http_message.h"
#include "http/router.h"

#define SAVE_PATH           "/notes/save"
#define NEW_PASSWORD_PREFIX "new-password"

/* ---- may it be sent again? ---- */

static bool is_update_of_nothing(const struct http_request *rq, enum err err)
{
    return err == ERR_NOT_FOUND && rq->route && text_equals(rq->route->pattern, SAVE_PATH);
}

static bool may_pass(const struct http_request *rq, enum err err)
{
    return err == ERR_UNAVAILABLE || err == ERR_RATE_LIMITED || err == ERR_INTERNAL ||
           is_update_of_nothing(rq, err);
}

/* Not when the guard refused to read it, or never got to it and it can't be read. */
static bool find_form(struct ctx *ctx, const struct http_request *rq, struct form *out_form)
{
    bool is_form = rq->method == HTTP_POST && rq->route && rq->route->body_type == BODY_FORM;
    if (!is_form || rq->is_faulty || !rq->body.n)
        return false;
    if (!rq->form.count)
        return form_parse(ctx, rq->body, out_form) == ERR_OK;
    *out_form = rq->form;
    return true;
}

/* A new password is never sent back, and a form without it is of no use. */
static bool has_new_password(const struct form *form)
{
    for (size_t i = 0; i < form->count; i++)
        if (text_starts_with(form->fields[i].name, NEW_PASSWORD_PREFIX))
            return true;
    return false;
}

static size_t count_bytes(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text != '\r';
    return count;
}

static bool is_small(const struct form *form)
{
    size_t size_bytes = 0;
    for (size_t i = 0; i < form->count; i++)
        size_bytes += count_bytes(form->fields[i].name) + count_bytes(form->fields[i].value);
    return size_bytes <= PAGE_KEPT_MAX_BYTES;
}

/* ---- the fields ---- */

/* Where the page shows a field of this name; NULL: it doesn't. */
static const char **find_place(struct view_retry *retry, const char *name)
{
    const struct {
        const char *name;
        const char **place;
    } places[] = {
        {"title", &retry->title},
        {"body", &retry->body},
        {"message", &retry->message},
        {"username", &retry->username},
    };
    for (size_t i = 0; i < ARRAY_COUNT(places); i++)
        if (text_equals(places[i].name, name))
            return places[i].place;
    return NULL;
}

/* A field that came twice stays so: which one was meant is not ours to say. */
static void
take_fields(struct view_retry *retry, const struct form *form, struct view_field *hidden)
{
    for (size_t i = 0; i < form->count; i++) {
        const struct form_field *field = &form->fields[i];
        const char **place = find_place(retry, field->name);
        if (text_equals(field->name, "password"))
            retry->has_password = true;
        else if (place && !*place)
            *place = field->value;
        else
            hidden[retry->hidden_count++] = (struct view_field){field->name, field->value};
    }
    retry->hidden = hidden;
}

static void set_hidden(struct view_field *hidden, size_t count, const char *name, const char *value)
{
    for (size_t i = 0; i < count; i++)
        if (text_equals(hidden[i].name, name))
            hidden[i].value = value;
}

struct view_retry page_retry(struct ctx *ctx, const struct http_request *rq, enum err err)
{
    struct view_retry retry = {0};
    struct form form = {0};
    if (!may_pass(rq, err) || !find_form(ctx, rq, &form) || !form.count ||
        has_new_password(&form) || !is_small(&form))
        return retry;
    struct view_field *hidden = arena_take_array(&ctx->arena, form.count, sizeof(*hidden));
    take_fields(&retry, &form, hidden);
    retry.button = "Try again";
    const char *docreate = form_first(&form, "docreate");
    if (docreate && text_equals(docreate, "update"))
        retry.saved_key = form_first(&form, "notekey");
    if (is_update_of_nothing(rq, err)) {
        retry.button = "Save as a new note";
        set_hidden(hidden, retry.hidden_count, "docreate", "create");
        set_hidden(hidden, retry.hidden_count, "version", "0");
    }
    retry.path = rq->route->pattern;
    return retry;
}
