/* SPDX-License-Identifier: MIT
 *
 * The rules of user.h. Every limit is checked here and nowhere else, so that the REST interface,
 * the command-line tool and a later import agree on what a user is.
 * Depends on: base, username_rules.h. */
#include "user/user.h"

#include <string.h>

#include "base/ctx.h"
#include "base/text.h"
#include "rules/username_rules.h"

const char *username_key(struct ctx *ctx, const char *username)
{
    return text_lower(&ctx->arena, username);
}

bool user_is_local(const struct user *user)
{
    return text_equals(user->provider, USER_PROVIDER_LOCAL);
}

const char *user_password_member(const struct user_draft *draft)
{
    return draft->is_plain_only ? "plainPassword" : "password";
}

bool user_draft_changes(const struct user_draft *draft)
{
    return draft->provider.text || draft->family_name.is_given || draft->given_name.is_given ||
           draft->middle_name.is_given || draft->emails.is_given || draft->photos.is_given ||
           draft->password;
}

/* Names may be empty: the Node version's clients send "" for what they don't know. */
static enum err check_name(struct ctx *ctx, const char *member, const struct user_member *name)
{
    if (!name->text)
        return ERR_OK;
    if (text_has_control(name->text, ""))
        return ctx_refuse(
            ctx, member,
            arena_format(&ctx->arena, "%s: no control characters are allowed.", member));
    if (text_count_chars(name->text) > USER_TEXT_MAX_CHARS)
        return ctx_refuse(ctx, member,
                          arena_format(&ctx->arena, "%s: at most %d characters are allowed.",
                                       member, USER_TEXT_MAX_CHARS));
    return ERR_OK;
}

static enum err check_list(struct ctx *ctx, const char *member, const struct user_member *list)
{
    if (!list->text || strlen(list->text) <= USER_LIST_MAX_BYTES)
        return ERR_OK;
    return ctx_refuse(ctx, member,
                      arena_format(&ctx->arena, "%s: at most %d bytes of JSON are allowed.", member,
                                   USER_LIST_MAX_BYTES));
}

static enum err check_username(struct ctx *ctx, const struct user_member *username)
{
    if (!username->text || username_is_sound(username->text))
        return ERR_OK;
    return ctx_refuse(ctx, "username", "username: " USERNAME_RULES ".");
}

enum err user_draft_check(struct ctx *ctx, const struct user_draft *draft)
{
    const struct {
        const char *name;
        const struct user_member *member;
    } names[] = {{"provider", &draft->provider},
                 {"familyName", &draft->family_name},
                 {"givenName", &draft->given_name},
                 {"middleName", &draft->middle_name}};

    enum err err = check_username(ctx, &draft->username);
    for (size_t i = 0; !err && i < ARRAY_COUNT(names); i++)
        err = check_name(ctx, names[i].name, names[i].member);
    if (!err && draft->provider.text && draft->provider.text[0] == '\0')
        err = ctx_refuse(ctx, "provider", "provider: it must not be empty.");
    if (!err)
        err = check_list(ctx, "emails", &draft->emails);
    if (!err)
        err = check_list(ctx, "photos", &draft->photos);
    return err;
}

enum err user_make(struct ctx *ctx,
                   const struct user_draft *draft,
                   struct user *out_user,
                   enum user_password_use *out_use)
{
    if (!draft->username.text)
        return ctx_refuse(ctx, "username", "username: it is needed.");

    struct user user = {
        .username = draft->username.text,
        .provider = draft->provider.text ? draft->provider.text : USER_PROVIDER_LOCAL,
        .family_name = draft->family_name.text,
        .given_name = draft->given_name.text,
        .middle_name = draft->middle_name.text,
        .emails = draft->emails.text ? draft->emails.text : "[]",
        .photos = draft->photos.text ? draft->photos.text : "[]",
    };
    if (user_is_local(&user) && !draft->password)
        return ctx_refuse(ctx, "password", "password: a local user needs one.");
    *out_use = user_is_local(&user) ? USER_PASSWORD_SET : USER_PASSWORD_DROP;
    *out_user = user;
    return ERR_OK;
}

static const char *
changed(const struct user_member *member, const char *stored, const char *when_null)
{
    if (!member->is_given)
        return stored;
    return member->text ? member->text : when_null;
}

enum err user_change(struct ctx *ctx,
                     const struct user *stored,
                     const struct user_draft *draft,
                     struct user *out_user,
                     enum user_password_use *out_use)
{
    if (draft->username.text && !text_equals_nocase(draft->username.text, stored->username))
        return ctx_refuse(ctx, "username",
                          "username: it must be the one in the path; users can't be renamed.");

    struct user user = *stored;
    user.provider = draft->provider.text ? draft->provider.text : stored->provider;
    user.family_name = changed(&draft->family_name, stored->family_name, NULL);
    user.given_name = changed(&draft->given_name, stored->given_name, NULL);
    user.middle_name = changed(&draft->middle_name, stored->middle_name, NULL);
    user.emails = changed(&draft->emails, stored->emails, "[]");
    user.photos = changed(&draft->photos, stored->photos, "[]");

    enum user_password_use use = USER_PASSWORD_KEEP;
    if (user_is_local(stored) && !user_is_local(&user))
        use = USER_PASSWORD_DROP;
    else if (draft->password && user_is_local(&user))
        use = USER_PASSWORD_SET;
    else if (draft->password)
        return ctx_refuse(ctx, "password", "password: only a local user has one here.");
    *out_use = use;
    *out_user = user;
    return ERR_OK;
}
