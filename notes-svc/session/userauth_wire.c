/* SPDX-License-Identifier: MIT
 *
 * Writes and reads the JSON of what is asked of userauth-svc. Source of /password-check and
 * /find-or-create: routes of the Node original's user-server.mjs. */
#include "session/userauth_wire.h"

#include <jansson.h>

#include "base/ctx.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "http/json_body.h"
#include "provider/provider.h"
#include "session/userauth_client.h"

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

/* A list of one text, or of none. */
static void add_list(struct strbuf *json, const char *name, const char *value)
{
    strbuf_add_char(json, ',');
    strbuf_add_json(json, name);
    strbuf_add(json, ":[");
    if (*value)
        strbuf_add_json(json, value);
    strbuf_add_char(json, ']');
}

enum err
userauth_wire_person(struct ctx *ctx, const struct provider_person *person, const char **out_json)
{
    struct strbuf json = begin(ctx);
    add_member(&json, "username", person->username);
    add_member(&json, "provider", person->provider);
    add_member(&json, "issuer", person->issuer);
    add_member(&json, "subject", person->subject);
    add_member(&json, "familyName", person->family_name);
    add_member(&json, "givenName", person->given_name);
    add_member(&json, "middleName", person->middle_name);
    add_list(&json, "emails", person->email);
    add_list(&json, "photos", person->photo);
    return end(&json, out_json);
}

enum err userauth_wire_identity(struct ctx *ctx,
                                const char *provider,
                                const char *issuer,
                                const char *subject,
                                const char **out_json)
{
    struct strbuf json = begin(ctx);
    if (provider)
        add_member(&json, "provider", provider);
    add_member(&json, "issuer", issuer);
    add_member(&json, "subject", subject);
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

enum err userauth_wire_found(struct ctx *ctx, struct bytes json, const char **out_username)
{
    CLEANUP(json_body_release) json_t *body = NULL;
    const char *username = NULL;
    bool is_read = !json_body_parse(ctx, json, &body) &&
                   !json_body_text(ctx, body, "username", &username) && username && *username;
    if (!is_read)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "userauth-svc: no answer with \"username\"");
    *out_username = username;
    return ERR_OK;
}

static bool
read_identity(struct ctx *ctx, const json_t *item, struct userauth_identity *out_identity)
{
    struct userauth_identity identity = {0};
    const char *created = NULL;
    bool is_read = json_is_object(item) &&
                   !json_body_text(ctx, item, "provider", &identity.provider) &&
                   !json_body_text(ctx, item, "issuer", &identity.issuer) &&
                   !json_body_text(ctx, item, "subject", &identity.subject) &&
                   !json_body_text(ctx, item, "createdAt", &created);
    if (!is_read || !identity.provider || !identity.issuer || !identity.subject || !created)
        return false;
    identity.created_iso = created;
    *out_identity = identity;
    return true;
}

static bool
read_identities(struct ctx *ctx, const json_t *list, struct userauth_identities *identities)
{
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count > USERAUTH_IDENTITIES_MAX_COUNT)
        return false;
    struct userauth_identity *items = arena_take_array(&ctx->arena, count + 1, sizeof(*items));
    for (size_t i = 0; i < count; i++)
        if (!read_identity(ctx, json_array_get(list, i), &items[i]))
            return false;
    identities->items = items;
    identities->count = count;
    return true;
}

enum err userauth_wire_identities(struct ctx *ctx,
                                  struct bytes json,
                                  struct userauth_identities *out_identities)
{
    CLEANUP(json_body_release) json_t *body = NULL;
    struct userauth_identities identities = {0};
    bool is_read = !json_body_parse(ctx, json, &body);
    const json_t *has_password = json_object_get(body, "hasPassword");
    if (!is_read || !json_is_boolean(has_password) ||
        !read_identities(ctx, json_object_get(body, "identities"), &identities))
        return ctx_fail(ctx, ERR_UNAVAILABLE, "userauth-svc: no answer with \"identities\"");
    identities.has_password = json_is_true(has_password);
    *out_identities = identities;
    return ERR_OK;
}

const char *userauth_wire_code(struct ctx *ctx, struct bytes json)
{
    CLEANUP(json_body_release) json_t *body = NULL;
    const char *code = NULL;
    bool is_read =
        !json_body_parse(ctx, json, &body) && !json_body_text(ctx, body, "code", &code) && code;
    ctx_forgive(ctx);
    return is_read ? code : "";
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
