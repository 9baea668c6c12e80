/* SPDX-License-Identifier: MIT
 *
 * Reads Twitter's answers. Depends on: twitter_wire.h, form.h, json_body.h. */
#include "provider/twitter_wire.h"

#include <string.h>

#include "base/ctx.h"
#include "base/text.h"
#include "http/form.h"
#include "http/json_body.h"
#include "provider/provider_parts.h"

#define ID_MAX_CHARS 20

bool twitter_wire_is_id(const char *text)
{
    size_t size_bytes = strlen(text);
    return size_bytes > 0 && size_bytes <= ID_MAX_CHARS && strspn(text, "0123456789") == size_bytes;
}

/* It goes into a location and a cookie. */
static bool is_token(const char *text)
{
    size_t size_bytes = 0;
    for (; text[size_bytes]; size_bytes++)
        if (text[size_bytes] <= ' ' || text[size_bytes] >= 0x7f)
            return false;
    return size_bytes > 0 && size_bytes <= PROVIDER_TOKEN_MAX_BYTES;
}

enum err twitter_wire_token(struct ctx *ctx, struct bytes body, struct twitter_token *out_token)
{
    struct form form;
    struct twitter_token token = {.token = NULL};
    const char *confirmed = NULL;
    enum err err = form_parse(ctx, body, &form);
    if (err || (err = form_need(ctx, &form, "oauth_token", &token.token)) ||
        (err = form_need(ctx, &form, "oauth_token_secret", &token.secret)) ||
        (err = form_text(ctx, &form, "user_id", &token.user_id)) ||
        (err = form_text(ctx, &form, "screen_name", &token.screen_name)) ||
        (err = form_text(ctx, &form, "oauth_callback_confirmed", &confirmed)))
        return err;
    if (!is_token(token.token) || !is_token(token.secret) ||
        (token.user_id && !twitter_wire_is_id(token.user_id)))
        return ctx_fail(ctx, ERR_INVALID, "no token, secret or user id that can be one");
    token.is_callback_confirmed = confirmed && text_equals(confirmed, "true");
    *out_token = token;
    return ERR_OK;
}

enum err
twitter_wire_profile(struct ctx *ctx, struct bytes body, struct twitter_profile *out_profile)
{
    CLEANUP(json_body_release) json_t *json = NULL;
    struct twitter_profile profile = {.id = NULL};
    enum err err = json_body_parse(ctx, body, &json);
    if (err || (err = json_body_text(ctx, json, "id_str", &profile.id)) ||
        (err = json_body_text(ctx, json, "screen_name", &profile.screen_name)) ||
        (err = json_body_text(ctx, json, "name", &profile.name)) ||
        (err = json_body_text(ctx, json, "profile_image_url_https", &profile.photo)))
        return err;
    if (!profile.id || !twitter_wire_is_id(profile.id))
        return ctx_fail(ctx, ERR_INVALID, "a profile without an id");
    *out_profile = profile;
    return ERR_OK;
}
