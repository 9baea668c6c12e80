/* SPDX-License-Identifier: MIT
 *
 * The JSON of /password-check and /change-password. A false answer says the typed name back and
 * nothing that it did not come with, so that it is the same for a wrong password and for an unknown
 * name. Depends on: login.h, password_change.h, user.h, username_rules.h, json_body.h,
 * http_message.h, strbuf.h. */
#include "auth/auth_wire.h"

#include <jansson.h>
#include <string.h>

#include "auth/login.h"
#include "auth/password_change.h"
#include "auth/throttle_store.h"
#include "base/ctx.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "http/http_message.h"
#include "http/json_body.h"
#include "rules/username_rules.h"
#include "user/user.h"

#define ANSWER_MAX_BYTES 4096
#define USERNAME_RULE    "username: 1 to 64 characters, no control characters and no slash."
#define JSON_TYPE        "application/json"

/* A member that must be a string, if it is there at all. */
static enum err
read_text(struct ctx *ctx, const json_t *body, const char *name, const char **out_text)
{
    const json_t *value = json_object_get(body, name);
    if (value && !json_is_string(value))
        return ctx_refuse(ctx, name, arena_format(&ctx->arena, "%s: it must be a string.", name));
    *out_text = arena_text(&ctx->arena, json_string_value(value));
    return ERR_OK;
}

static enum err check(struct ctx *ctx, const struct login_try *login_try)
{
    if (!login_try->username || !username_is_sound(login_try->username))
        return ctx_refuse(ctx, "username", USERNAME_RULE);
    if (!login_try->password || strlen(login_try->password) > USER_PASSWORD_MAX_BYTES)
        return ctx_refuse(ctx, "password", "password: it is needed, with at most 1024 bytes.");
    size_t client_chars = login_try->client ? text_count_chars(login_try->client) : 1;
    if (client_chars < 1 || client_chars > THROTTLE_CLIENT_MAX_CHARS)
        return ctx_refuse(ctx, "client", "client: 1 to 255 characters are allowed.");
    return ERR_OK;
}

static enum err read_try(struct ctx *ctx, const json_t *object, struct login_try *out_try)
{
    struct login_try login_try = {0};
    enum err err = read_text(ctx, object, "username", &login_try.username);
    if (!err)
        err = read_text(ctx, object, "password", &login_try.password);
    if (!err && !json_is_null(json_object_get(object, "client")))
        err = read_text(ctx, object, "client", &login_try.client);
    if (!err)
        err = check(ctx, &login_try);
    if (err)
        return err;
    if (!login_try.client)
        login_try.client = "";
    *out_try = login_try;
    return ERR_OK;
}

enum err auth_wire_read(struct ctx *ctx, struct bytes body, struct login_try *out_try)
{
    CLEANUP(json_body_release) json_t *object = NULL;
    enum err err = json_body_parse(ctx, body, &object);
    return err ? err : read_try(ctx, object, out_try);
}

enum err
auth_wire_read_change(struct ctx *ctx, struct bytes body, struct password_change *out_change)
{
    CLEANUP(json_body_release) json_t *object = NULL;
    struct password_change change = {0};
    enum err err = json_body_parse(ctx, body, &object);
    if (!err)
        err = read_try(ctx, object, &change.login_try);
    if (!err)
        err = read_text(ctx, object, "plainPassword", &change.new_password);
    if (!err && !change.new_password)
        err = ctx_refuse(ctx, "plainPassword", "plainPassword: the new password is needed.");
    if (err)
        return err;
    change.login_try.skips_renewal = true;
    *out_change = change;
    return ERR_OK;
}

/* The members of a 429 besides the yes or no and username. */
static void add_wait(struct ctx *ctx, struct strbuf *buf, int64_t wait_s)
{
    strbuf_format(buf, ",\"message\":\"Too many tries. Please wait %lld second%s.\"",
                  (long long)wait_s, wait_s == 1 ? "" : "s");
    strbuf_add(buf, ",\"code\":");
    strbuf_add_json(buf, err_code(ERR_RATE_LIMITED));
    strbuf_add(buf, ",\"requestId\":");
    strbuf_add_json(buf, ctx->request_id);
}

/* `member` says yes or no. */
static enum err answer(struct ctx *ctx,
                       const char *member,
                       const struct login_try *login_try,
                       const struct login_result *result,
                       struct http_response *rs)
{
    bool is_right = result->verdict == LOGIN_RIGHT;
    struct strbuf buf;
    strbuf_init(&buf, &ctx->arena, 256, ANSWER_MAX_BYTES);
    strbuf_add_char(&buf, '{');
    strbuf_add_json(&buf, member);
    strbuf_add(&buf, is_right ? ":true,\"username\":" : ":false,\"username\":");
    strbuf_add_json(&buf, is_right ? result->username : login_try->username);
    if (result->verdict == LOGIN_WRONG)
        strbuf_add(&buf, ",\"message\":\"Incorrect username or password\"");
    else if (result->verdict == LOGIN_WAIT)
        add_wait(ctx, &buf, result->wait_s);
    strbuf_add(&buf, "}");

    const char *text = NULL;
    enum err err = strbuf_text(&buf, &text);
    if (err)
        return ctx_fail(ctx, ERR_INTERNAL, "an answer is larger than %d bytes", ANSWER_MAX_BYTES);
    http_response_text(rs, result->verdict == LOGIN_WAIT ? err_status(ERR_RATE_LIMITED) : 200,
                       JSON_TYPE, text);
    if (is_right)
        http_response_field(rs, "ETag", arena_format(&ctx->arena, "\"%s\"", result->generation));
    if (result->verdict == LOGIN_WAIT)
        http_response_field(rs, "Retry-After",
                            arena_format(&ctx->arena, "%lld", (long long)result->wait_s));
    return ERR_OK;
}

enum err auth_wire_answer(struct ctx *ctx,
                          const struct login_try *login_try,
                          const struct login_result *result,
                          struct http_response *rs)
{
    return answer(ctx, "check", login_try, result, rs);
}

/* An error of the usual form, with a code that says which rule. */
static enum err answer_fault(struct ctx *ctx,
                             enum password_fault fault,
                             int64_t min_chars,
                             struct http_response *rs)
{
    const char *text = NULL;
    struct strbuf buf;
    strbuf_init(&buf, &ctx->arena, 256, ANSWER_MAX_BYTES);
    strbuf_add(&buf, "{\"code\":");
    strbuf_add_json(&buf, password_rules_code(fault));
    strbuf_format(&buf, ",\"message\":\"The new password %s. Choose another one.\"",
                  password_rules_text(&ctx->arena, fault, min_chars));
    strbuf_add(&buf, ",\"requestId\":");
    strbuf_add_json(&buf, ctx->request_id);
    strbuf_add(&buf, ",\"field\":\"plainPassword\"}");
    enum err err = strbuf_text(&buf, &text);
    if (err)
        return ctx_fail(ctx, ERR_INTERNAL, "an answer is larger than %d bytes", ANSWER_MAX_BYTES);
    http_response_text(rs, err_status(ERR_INVALID), JSON_TYPE, text);
    return ERR_OK;
}

enum err auth_wire_answer_change(struct ctx *ctx,
                                 const struct password_change *change,
                                 const struct password_change_result *result,
                                 int64_t min_chars,
                                 struct http_response *rs)
{
    if (result->fault)
        return answer_fault(ctx, result->fault, min_chars, rs);
    return answer(ctx, "changed", &change->login_try, &result->login, rs);
}
