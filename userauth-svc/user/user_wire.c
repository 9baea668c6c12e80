/* SPDX-License-Identifier: MIT
 *
 * Bodies are read with jansson; answers are written by hand into one buffer, because /find is asked
 * by every page of notes-svc and a tree of values would cost more than the query. The lists are
 * kept as the JSON that they arrived as. Depends on: user.h, json_body.h, http_message.h, strbuf.h.
 */
#include "user/user_wire.h"

#include <jansson.h>

#include "base/ctx.h"
#include "base/strbuf.h"
#include "http/http_message.h"
#include "http/json_body.h"
#include "user/user.h"

#define ANSWER_FIRST_BYTES 512
#define JSON_TYPE          "application/json"

static enum err
read_text(struct ctx *ctx, const json_t *body, const char *name, struct user_member *out_member)
{
    const json_t *value = json_object_get(body, name);
    if (value && !json_is_string(value) && !json_is_null(value))
        return ctx_refuse(ctx, name, arena_format(&ctx->arena, "%s: it must be a string.", name));
    out_member->is_given = value != NULL;
    out_member->text = arena_text(&ctx->arena, json_string_value(value));
    return ERR_OK;
}

static enum err refuse_list(struct ctx *ctx, const char *name)
{
    return ctx_refuse(
        ctx, name,
        arena_format(&ctx->arena, "%s: it must be an array of strings or objects.", name));
}

static enum err
read_list(struct ctx *ctx, const json_t *body, const char *name, struct user_member *out_member)
{
    const json_t *value = json_object_get(body, name);
    out_member->is_given = value != NULL;
    if (!value || json_is_null(value))
        return ERR_OK;
    if (!json_is_array(value))
        return refuse_list(ctx, name);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        if (!json_is_string(item) && !json_is_object(item))
            return refuse_list(ctx, name);
    }
    enum err err = json_body_print(ctx, value, USER_LIST_MAX_BYTES, &out_member->text);
    if (err != ERR_TOO_LARGE)
        return err;
    ctx_forgive(ctx); /* a member over its limit is 400, not 413 */
    return ctx_refuse(ctx, name,
                      arena_format(&ctx->arena, "%s: at most %d bytes of JSON are allowed.", name,
                                   USER_LIST_MAX_BYTES));
}

bool user_wire_list_of(struct ctx *ctx, const char *text, const char **out_list)
{
    CLEANUP(json_body_release)
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_array(value))
        return false;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        if (!json_is_string(item) && !json_is_object(item))
            return false;
    }
    if (!json_body_print(ctx, value, USER_LIST_MAX_BYTES, out_list))
        return true;
    ctx_forgive(ctx);
    return false;
}

static enum err read_password(struct ctx *ctx, const json_t *body, struct user_draft *draft)
{
    struct user_member any = {0};
    struct user_member plain = {0};
    enum err err = read_text(ctx, body, "password", &any);
    if (!err)
        err = read_text(ctx, body, "plainPassword", &plain);
    if (err)
        return err;
    if (any.text && plain.text)
        return ctx_refuse(ctx, "password",
                          "password: give either password or plainPassword, not both.");
    draft->password = plain.text ? plain.text : any.text;
    draft->is_plain_only = plain.text != NULL;
    return ERR_OK;
}

enum err user_wire_read(struct ctx *ctx, struct bytes body, struct user_draft *out_draft)
{
    CLEANUP(json_body_release) json_t *object = NULL;
    enum err err = json_body_parse(ctx, body, &object);
    if (err)
        return err;

    struct user_draft draft = {0};
    const struct {
        const char *name;
        struct user_member *member;
    } texts[] = {{"username", &draft.username},
                 {"provider", &draft.provider},
                 {"familyName", &draft.family_name},
                 {"givenName", &draft.given_name},
                 {"middleName", &draft.middle_name}};
    for (size_t i = 0; !err && i < ARRAY_COUNT(texts); i++)
        err = read_text(ctx, object, texts[i].name, texts[i].member);
    if (!err)
        err = read_list(ctx, object, "emails", &draft.emails);
    if (!err)
        err = read_list(ctx, object, "photos", &draft.photos);
    if (!err)
        err = read_password(ctx, object, &draft);
    if (!err)
        *out_draft = draft;
    return err;
}

static void add_user(struct strbuf *buf, const struct user *user)
{
    strbuf_add(buf, "{\"id\":");
    strbuf_add_json(buf, user->username);
    strbuf_add(buf, ",\"username\":");
    strbuf_add_json(buf, user->username);
    strbuf_add(buf, ",\"provider\":");
    strbuf_add_json(buf, user->provider);
    strbuf_add(buf, ",\"familyName\":");
    strbuf_add_json(buf, user->family_name);
    strbuf_add(buf, ",\"givenName\":");
    strbuf_add_json(buf, user->given_name);
    strbuf_add(buf, ",\"middleName\":");
    strbuf_add_json(buf, user->middle_name);
    strbuf_add(buf, ",\"emails\":");
    strbuf_add(buf, user->emails);
    strbuf_add(buf, ",\"photos\":");
    strbuf_add(buf, user->photos);
    strbuf_add(buf, user->is_disabled ? ",\"disabled\":true}" : "}");
}

static enum err answer(struct ctx *ctx, const struct strbuf *buf, struct http_response *rs)
{
    const char *text = NULL;
    enum err err = strbuf_text(buf, &text);
    if (err)
        return ctx_fail(ctx, ERR_INTERNAL, "an answer is larger than %zu bytes", buf->max_bytes);
    http_response_text(rs, 200, JSON_TYPE, text);
    return ERR_OK;
}

enum err user_wire_answer(struct ctx *ctx, const struct user *user, struct http_response *rs)
{
    struct strbuf buf;
    strbuf_init(&buf, &ctx->arena, ANSWER_FIRST_BYTES, USER_ANSWER_MAX_BYTES);
    add_user(&buf, user);
    return answer(ctx, &buf, rs);
}

enum err
user_wire_answer_list(struct ctx *ctx, const struct user_list *list, struct http_response *rs)
{
    struct strbuf buf;
    strbuf_init(&buf, &ctx->arena, ANSWER_FIRST_BYTES, USER_ANSWER_MAX_BYTES);
    strbuf_add_char(&buf, '[');
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            strbuf_add_char(&buf, ',');
        add_user(&buf, &list->items[i]);
    }
    strbuf_add_char(&buf, ']');
    return answer(ctx, &buf, rs);
}

void user_wire_answer_empty(int status, struct http_response *rs)
{
    http_response_text(rs, status, JSON_TYPE, "{}");
}
