/* SPDX-License-Identifier: MIT
 *
 * What is sent is written by hand into the arena, because passwords are in it and the arena is
 * wiped. Depends on: ctx.h, options.h, output.h, strbuf.h, text.h, jansson. */
#include "cli/cli_wire.h"

#include <jansson.h>
#include <string.h>

#include "base/ctx.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/output.h"
#include "http/json_body.h"

#define LIST_MAX_BYTES 16384

/* ---- out ---- */

/* `,"name":"text"`, the comma only where something stands before. */
static enum err add_member(struct ctx *ctx, struct strbuf *json, const char *name, const char *text)
{
    if (!text)
        return ERR_OK;
    if (!text_is_utf8(text, strlen(text)))
        return ctx_refuse(ctx, name, "it is not valid UTF-8");
    strbuf_add(json, json->size_bytes > 1 ? ",\"" : "\"");
    strbuf_add(json, name);
    strbuf_add(json, "\":");
    strbuf_add_json(json, text);
    return ERR_OK;
}

static enum err add_emails(struct ctx *ctx, struct strbuf *json, const struct cli_texts *emails)
{
    if (emails->count == 0)
        return ERR_OK;
    strbuf_add(json, json->size_bytes > 1 ? ",\"emails\":[" : "\"emails\":[");
    bool is_first = true;
    for (size_t i = 0; i < emails->count; i++) {
        const char *email = emails->items[i];
        if (!text_is_utf8(email, strlen(email)))
            return ctx_refuse(ctx, "email", "it is not valid UTF-8");
        if (email[0] == '\0') /* the way to say "none" */
            continue;
        strbuf_add(json, is_first ? "" : ",");
        strbuf_add_json(json, email);
        is_first = false;
    }
    strbuf_add_char(json, ']');
    return ERR_OK;
}

enum err cli_wire_user(struct ctx *ctx,
                       const struct cli_options *options,
                       const char *username,
                       const char *password,
                       const char **out_json)
{
    struct strbuf json;
    strbuf_init(&json, &ctx->arena, 256, CLI_BODY_MAX_BYTES);
    strbuf_add_char(&json, '{');
    enum err err = add_member(ctx, &json, "username", username);
    if (!err)
        err = add_member(ctx, &json, "provider", username ? "local" : NULL);
    if (!err)
        err = add_member(ctx, &json, "plainPassword", password);
    if (!err)
        err = add_member(ctx, &json, "familyName", options->family_name);
    if (!err)
        err = add_member(ctx, &json, "givenName", options->given_name);
    if (!err)
        err = add_member(ctx, &json, "middleName", options->middle_name);
    if (!err)
        err = add_emails(ctx, &json, &options->emails);
    strbuf_add_char(&json, '}');
    return err ? err : strbuf_text(&json, out_json);
}

enum err
cli_wire_check(struct ctx *ctx, const char *username, const char *password, const char **out_json)
{
    struct strbuf json;
    strbuf_init(&json, &ctx->arena, 256, CLI_BODY_MAX_BYTES);
    strbuf_add_char(&json, '{');
    enum err err = add_member(ctx, &json, "username", username);
    if (!err)
        err = add_member(ctx, &json, "password", password);
    strbuf_add_char(&json, '}');
    return err ? err : strbuf_text(&json, out_json);
}

enum err cli_wire_identity(struct ctx *ctx,
                           const char *issuer,
                           const char *subject,
                           const char *provider,
                           const char **out_json)
{
    struct strbuf json;
    strbuf_init(&json, &ctx->arena, 256, CLI_BODY_MAX_BYTES);
    strbuf_add_char(&json, '{');
    enum err err = add_member(ctx, &json, "issuer", issuer);
    if (!err)
        err = add_member(ctx, &json, "subject", subject);
    if (!err)
        err = add_member(ctx, &json, "provider", provider);
    strbuf_add_char(&json, '}');
    return err ? err : strbuf_text(&json, out_json);
}

/* ---- in ---- */

static json_t *parse(struct bytes body)
{
    return json_loadb((const char *)body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
}

bool cli_wire_is_json(struct bytes body)
{
    CLEANUP(json_body_release) json_t *value = parse(body);
    return value != NULL;
}

static const char *text_of(struct ctx *ctx, const json_t *user, const char *name)
{
    const char *text = json_string_value(json_object_get(user, name));
    return text ? arena_text(&ctx->arena, text) : "";
}

/* An e-mail or photo as Passport profiles have it: {"value":"me@example.com"}. Anything else is
 * shown as JSON. */
static void add_item(struct ctx *ctx, struct strbuf *buf, const json_t *item)
{
    const char *text =
        json_string_value(json_is_object(item) ? json_object_get(item, "value") : item);
    if (!text && json_body_print(ctx, item, LIST_MAX_BYTES, &text))
        text = "?";
    strbuf_add(buf, text);
}

static const char *list_of(struct ctx *ctx, const json_t *user, const char *name)
{
    const json_t *list = json_object_get(user, name);
    struct strbuf buf;
    const char *text = "";
    strbuf_init(&buf, &ctx->arena, 0, LIST_MAX_BYTES);
    for (size_t i = 0; i < json_array_size(list); i++) {
        strbuf_add(&buf, i > 0 ? ", " : "");
        add_item(ctx, &buf, json_array_get(list, i));
    }
    return strbuf_text(&buf, &text) == ERR_OK ? text : "?";
}

static bool read_user(struct ctx *ctx, const json_t *user, struct shown_user *out_user)
{
    if (!json_is_string(json_object_get(user, "username")))
        return false;
    *out_user = (struct shown_user){
        .username = text_of(ctx, user, "username"),
        .provider = text_of(ctx, user, "provider"),
        .family_name = text_of(ctx, user, "familyName"),
        .given_name = text_of(ctx, user, "givenName"),
        .middle_name = text_of(ctx, user, "middleName"),
        .emails = list_of(ctx, user, "emails"),
        .photos = list_of(ctx, user, "photos"),
        .state = json_is_true(json_object_get(user, "disabled")) ? "disabled" : "active",
    };
    return true;
}

enum err cli_wire_read(struct ctx *ctx, struct bytes body, struct shown_users *out_users)
{
    CLEANUP(json_body_release) json_t *value = parse(body);
    bool is_list = json_is_array(value);
    size_t count = is_list ? json_array_size(value) : 1;
    struct shown_user *users = arena_take_array(&ctx->arena, count, sizeof(*users));
    for (size_t i = 0; i < count; i++) {
        if (!read_user(ctx, is_list ? json_array_get(value, i) : value, &users[i]))
            return ctx_fail(ctx, ERR_INVALID, "not a user");
    }
    *out_users = (struct shown_users){.items = users, .count = count};
    return ERR_OK;
}

enum err
cli_wire_read_sessions(struct ctx *ctx, struct bytes body, struct shown_sessions *out_sessions)
{
    CLEANUP(json_body_release) json_t *value = parse(body);
    size_t count = json_array_size(value);
    struct shown_session *sessions = arena_take_array(&ctx->arena, count, sizeof(*sessions));
    if (!json_is_array(value))
        return ctx_fail(ctx, ERR_INVALID, "not a list");
    for (size_t i = 0; i < count; i++) {
        const json_t *session = json_array_get(value, i);
        if (!json_is_string(json_object_get(session, "id")))
            return ctx_fail(ctx, ERR_INVALID, "not a session");
        sessions[i] = (struct shown_session){
            .id = text_of(ctx, session, "id"),
            .device = text_of(ctx, session, "device"),
            .address = text_of(ctx, session, "address"),
            .created = text_of(ctx, session, "created"),
            .used = text_of(ctx, session, "used"),
        };
    }
    *out_sessions = (struct shown_sessions){.items = sessions, .count = count};
    return ERR_OK;
}

enum err cli_wire_read_identities(struct ctx *ctx,
                                  struct bytes body,
                                  struct shown_identities *out_identities)
{
    CLEANUP(json_body_release) json_t *value = parse(body);
    const json_t *list = json_object_get(value, "identities");
    size_t count = json_array_size(list);
    struct shown_identity *items = arena_take_array(&ctx->arena, count, sizeof(*items));
    if (!json_is_string(json_object_get(value, "username")) || !json_is_array(list))
        return ctx_fail(ctx, ERR_INVALID, "not how a user may sign in");
    for (size_t i = 0; i < count; i++) {
        const json_t *identity = json_array_get(list, i);
        items[i] = (struct shown_identity){
            .issuer = text_of(ctx, identity, "issuer"),
            .subject = text_of(ctx, identity, "subject"),
            .provider = text_of(ctx, identity, "provider"),
            .created = text_of(ctx, identity, "createdAt"),
        };
    }
    *out_identities = (struct shown_identities){
        .username = text_of(ctx, value, "username"),
        .has_password = json_is_true(json_object_get(value, "hasPassword")),
        .items = items,
        .count = count,
    };
    return ERR_OK;
}

bool cli_wire_is_right(struct bytes body)
{
    CLEANUP(json_body_release) json_t *value = parse(body);
    return json_is_true(json_object_get(value, "check"));
}

bool cli_wire_has_code(struct bytes body, const char *code)
{
    CLEANUP(json_body_release) json_t *value = parse(body);
    const char *text = json_string_value(json_object_get(value, "code"));
    return text && text_equals(text, code);
}

const char *cli_wire_message(struct ctx *ctx, struct bytes body)
{
    CLEANUP(json_body_release) json_t *value = parse(body);
    const char *message = json_string_value(json_object_get(value, "message"));
    return message ? output_text(ctx, message) : "it does not say why";
}
