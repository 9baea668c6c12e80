/* SPDX-License-Identifier: MIT
 *
 * A user, and what may become one: the limits, the refusals, and the rules by which a change of a
 * stored user is made. Pure: no database, no JSON, no hashing; time and randomness are the callers'
 * business. A refusal names the member in ctx->why.field and in a sentence for the client. Depends
 * on: base. */
#ifndef NOTES_USER_H
#define NOTES_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;

#define USER_TEXT_MAX_CHARS          255  /* each of the three names, and the provider */
#define USER_LIST_MAX_BYTES          2048 /* e-mails or photos, as compact JSON */
#define USER_PASSWORD_MAX_BYTES      1024 /* a plain one */
#define USER_PAGE_MAX_COUNT          1000
#define USER_PROVIDER_LOCAL          "local"
#define USER_GENERATION_RANDOM_BYTES 16

struct user {
    int64_t id; /* the row's; clients know the username only */
    const char *username;
    const char *provider;
    const char *family_name; /* the three names may be NULL */
    const char *given_name;
    const char *middle_name;
    const char *emails; /* a JSON array, compact */
    const char *photos;
    const char *generation; /* random; another one for another account, another password, and each
                               time that the user is disabled, enabled or signed out everywhere */
    bool is_disabled;       /* may not sign in */
};

struct user_list {
    const struct user *items;
    size_t count;
    bool has_more;
};

/* A member of a request: absent, given as null, or given. */
struct user_member {
    bool is_given;
    const char *text; /* NULL: null was given, or nothing */
};

/* What a request says of a user, before anything is checked. */
struct user_draft {
    struct user_member username;
    struct user_member provider;
    struct user_member family_name;
    struct user_member given_name;
    struct user_member middle_name;
    struct user_member emails; /* a JSON array, compact */
    struct user_member photos;
    const char *password; /* NULL: none was given */
    bool is_plain_only;   /* it came in the member that is never read as a hash */
};

/* What happens to the stored password. */
enum user_password_use { USER_PASSWORD_KEEP, USER_PASSWORD_SET, USER_PASSWORD_DROP };

/* The form by which names are found and unique: ASCII lower case. */
const char *username_key(struct ctx *ctx, const char *username);

bool user_is_local(const struct user *user);

/* "password" or "plainPassword": the member that the draft's password came in. */
const char *user_password_member(const struct user_draft *draft);

/* Does it say anything that a stored user may be changed by? */
bool user_draft_changes(const struct user_draft *draft);

/* Checks all members that were given, the password excepted.
 * Errors:  ERR_INVALID, with the member. */
MUST_CHECK enum err user_draft_check(struct ctx *ctx, const struct user_draft *draft);

/* The new user of a checked draft: id 0, no generation yet. *out_use is SET for a local user, which
 * needs a password, and DROP for any other, whose password is of no use here. Errors:  ERR_INVALID
 * no username, or no password for a local user. */
MUST_CHECK enum err user_make(struct ctx *ctx,
                              const struct user_draft *draft,
                              struct user *out_user,
                              enum user_password_use *out_use);

/* The stored user as a checked draft changes it: only members that were given; a provider of null
 * counts as absent. Errors:  ERR_INVALID another username, or a password for a user that is not
 * local and does not become it. */
MUST_CHECK enum err user_change(struct ctx *ctx,
                                const struct user *stored,
                                const struct user_draft *draft,
                                struct user *out_user,
                                enum user_password_use *out_use);

#endif
