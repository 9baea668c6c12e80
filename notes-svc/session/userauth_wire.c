/* SPDX-License-Identifier: MIT
 *
 * Writes and reads the JSON of /password-check and /change-password. Source of the first: routes of
 * the Node original's user-server.mjs. */
#include "session/userauth_wire.h"

#include <jansson.h>

#include "base/ctx.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "http/json_body.h"

#define CHECK_MAX_BYTES   32768
#define REFUSAL_MAX_CHARS 300

/* ---- what goes there ---- */

static struct strbuf begin(struct ctx *ctx)
{
    struct strbuf json;
    strbuf_init(&json, &ctx->arena, 256, CHECK_MAX_BYTES);
    return json;
}

static void add_member(struct strbuf *json, const char *name, const char *value)
{
    strbuf_add_char(json, json->size_bytes ? ',' : '{');
    strbuf_add_json(json, name);
    strbuf_add_char(json, ':');
    strbuf_add_json(json, value);
}

static enum err end(struct strbuf *json, const char **out_json)
{
    strbuf_add_char(json, '}');
    return strbuf_text(json, out_json);
}

enum err userauth_wire_check(struct ctx *ctx,
                             const char *username,
                             const char *password,
                             const char *client,
                             const char **out_json)
{
    struct strbuf json = begin(ctx);
    add_member(&json, "username", username);
    add_member(&json, "password", password);
    add_member(&json, "client", client);
    return end(&json, out_json);
}

enum err userauth_wire_change(struct ctx *ctx,
                              const char *username,
                              const char *password,
                              const char *new_password,
                              const char *client,
                              const char **out_json)
{
    struct strbuf json = begin(ctx);
    add_member(&json, "username", username);
    add_member(&json, "password", password);
    add_member(&json, "plainPassword", new_password);
    add_member(&json, "client", client);
    return end(&json, out_json);
}

/* ---- what comes back ---- */

/* An object's members `is_name`, true or false, and `username`. */
static enum err read_verdict(struct ctx *ctx,
                             struct bytes json,
                             const char *is_name,
                             bool *out_is_so,
                             const char **out_username)
{
    CLEANUP(json_body_release) json_t *body = NULL;
    const char *username = NULL;
    if (json_body_parse(ctx, json, &body) || json_body_text(ctx, body, "username", &username))
        return ctx_fail(ctx, ERR_UNAVAILABLE, "userauth-svc: no answer with \"%s\"", is_name);
    const json_t *is_so = json_object_get(body, is_name);
    if (!username || !json_is_boolean(is_so))
        return ctx_fail(ctx, ERR_UNAVAILABLE, "userauth-svc: no answer with \"%s\"", is_name);
    *out_is_so = json_is_true(is_so);
    *out_username = username;
    return ERR_OK;
}

enum err userauth_wire_checked(struct ctx *ctx,
                               struct bytes json,
                               bool *out_is_right,
                               const char **out_username)
{
    return read_verdict(ctx, json, "check", out_is_right, out_username);
}

enum err userauth_wire_changed(struct ctx *ctx,
                               struct bytes json,
                               bool *out_is_changed,
                               const char **out_username)
{
    return read_verdict(ctx, json, "changed", out_is_changed, out_username);
}

const char *userauth_wire_refusal(struct ctx *ctx, struct bytes json)
{
    CLEANUP(json_body_release) json_t *body = NULL;
    const char *code = NULL;
    const char *message = NULL;
    bool is_read = !json_body_parse(ctx, json, &body) &&
                   !json_body_text(ctx, body, "code", &code) &&
                   !json_body_text(ctx, body, "message", &message);
    ctx_forgive(ctx);
    bool is_refusal = is_read && code && message && text_starts_with(code, "Password") &&
                      !text_is_blank(message) && !text_has_control(message, "");
    return is_refusal ? text_cut(&ctx->arena, message, REFUSAL_MAX_CHARS) : NULL;
}
