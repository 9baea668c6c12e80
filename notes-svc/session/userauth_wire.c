/* SPDX-License-Identifier: MIT
 *
 * Writes and reads the JSON of /password-check. Source: routes of the Node original's
 * user-server.mjs. */
#include "session/userauth_wire.h"

#include <jansson.h>

#include "base/ctx.h"
#include "base/strbuf.h"
#include "http/json_body.h"

#define CHECK_MAX_BYTES 32768

enum err userauth_wire_check(struct ctx *ctx,
                             const char *username,
                             const char *password,
                             const char *client,
                             const char **out_json)
{
    struct strbuf json;
    strbuf_init(&json, &ctx->arena, 256, CHECK_MAX_BYTES);
    strbuf_add(&json, "{\"username\":");
    strbuf_add_json(&json, username);
    strbuf_add(&json, ",\"password\":");
    strbuf_add_json(&json, password);
    strbuf_add(&json, ",\"client\":");
    strbuf_add_json(&json, client);
    strbuf_add(&json, "}");
    return strbuf_text(&json, out_json);
}

enum err userauth_wire_checked(struct ctx *ctx,
                               struct bytes json,
                               bool *out_is_right,
                               const char **out_username)
{
    CLEANUP(json_body_release) json_t *body = NULL;
    const char *username = NULL;
    if (json_body_parse(ctx, json, &body) || json_body_text(ctx, body, "username", &username))
        return ctx_fail(ctx, ERR_UNAVAILABLE, "userauth-svc: password-check was not answered");
    const json_t *check = json_object_get(body, "check");
    if (!username || !json_is_boolean(check))
        return ctx_fail(ctx, ERR_UNAVAILABLE, "userauth-svc: password-check was not answered");
    *out_is_right = json_is_true(check);
    *out_username = username;
    return ERR_OK;
}
