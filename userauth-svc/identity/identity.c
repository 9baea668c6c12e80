/* SPDX-License-Identifier: MIT
 *
 * The rules of identity.h.
 * Depends on: base, user.h for the limit of names. */
#include "identity/identity.h"

#include <string.h>

#include "base/ctx.h"
#include "base/text.h"
#include "user/user.h"

static enum err check_text(struct ctx *ctx, const char *member, const char *text)
{
    size_t size_bytes = strlen(text);
    if (size_bytes >= 1 && size_bytes <= IDENTITY_TEXT_MAX_BYTES && !text_has_control(text, ""))
        return ERR_OK;
    return ctx_refuse(ctx, member,
                      arena_format(&ctx->arena,
                                   "%s: 1 to %d bytes are allowed, and no control characters.",
                                   member, IDENTITY_TEXT_MAX_BYTES));
}

static enum err check_provider(struct ctx *ctx, const char *provider)
{
    if (text_equals_nocase(provider, USER_PROVIDER_LOCAL))
        return ctx_refuse(ctx, "provider", "provider: a local user has no identity elsewhere.");
    if (provider[0] && text_count_chars(provider) <= IDENTITY_PROVIDER_MAX_CHARS &&
        !text_has_control(provider, ""))
        return ERR_OK;
    return ctx_refuse(ctx, "provider",
                      "provider: 1 to 255 characters are allowed, and no control characters.");
}

enum err identity_check(struct ctx *ctx, const struct identity *identity)
{
    enum err err = check_text(ctx, "issuer", identity->issuer);
    if (!err)
        err = check_text(ctx, "subject", identity->subject);
    if (!err && identity->provider)
        err = check_provider(ctx, identity->provider);
    return err;
}

const char *identity_name(struct arena *arena, const char *wished)
{
    const char *name = text_tidy(arena, wished, "/", '-');
    return name[0] ? identity_name_with(arena, name, "") : IDENTITY_NAME_WITHOUT_LETTER;
}

const char *identity_name_with(struct arena *arena, const char *name, const char *suffix)
{
    size_t room_chars = USERNAME_MAX_CHARS - text_count_chars(suffix);
    return arena_format(arena, "%s%s", text_cut(arena, name, room_chars), suffix);
}
