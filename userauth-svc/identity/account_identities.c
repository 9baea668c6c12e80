/* SPDX-License-Identifier: MIT
 *
 * Each change is one short transaction. Linking and unlinking lock the user's row first, so that
 * what is counted stays so until the commit; that an identity is one user's is the primary key's
 * business. Depends on: db.h, secret.h, identity.h, identity_store.h, user.h, user_store.h,
 * throttle_store.h. */
#include "identity/account_identities.h"

#include "auth/throttle_store.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "base/text.h"
#include "data/db.h"
#include "identity/identity_store.h"
#include "user/user_store.h"

/* A refusal with a code for programs and a sentence for people. */
static enum err refuse(struct ctx *ctx, enum err err, const char *code, const char *hint)
{
    err = ctx_fail(ctx, err, "%s", hint);
    ctx->why.code = code;
    ctx->why.hint = hint;
    return err;
}

/* ---- by identity ---- */

/* Who has it. A user who goes meanwhile takes it along. */
static enum err find_owner(struct ctx *ctx,
                           const struct identity *identity,
                           struct user *out_user,
                           bool *out_is_found)
{
    int64_t user_id = 0;
    enum err err = identity_find_user(ctx, ctx->db, identity, &user_id);
    if (!err)
        err = user_find_by_id(ctx, ctx->db, user_id, out_user);
    if (err && err != ERR_NOT_FOUND)
        return err;
    *out_is_found = !err;
    if (err)
        ctx_forgive(ctx);
    return ERR_OK;
}

static enum err
insert_once(struct ctx *ctx, const struct user *user, const struct identity *identity)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    enum err err = db_begin(ctx, ctx->db, &tx);
    if (!err)
        err = user_insert(ctx, ctx->db, user, NULL);
    if (!err)
        err = identity_insert(ctx, ctx->db, db_last_id(ctx->db), identity);
    if (!err)
        err = throttle_drop(ctx, ctx->db, username_key(ctx, user->username));
    return err ? err : db_commit(ctx, &tx);
}

/* Errors:  ERR_CONFLICT the name or the identity came to be somebody's meanwhile. */
static enum err insert(struct ctx *ctx, struct user *user, const struct identity *identity)
{
    enum err err = ERR_OK;
    int tries_count = 0;
    user->generation = secret_token(&ctx->arena, USER_GENERATION_RANDOM_BYTES);
    do {
        err = insert_once(ctx, user, identity);
        if (err && db_is_unsure(ctx->db))
            err = user_find_out(ctx, ctx->db, user);
    } while (db_repeats(ctx, ctx->db, err, &tries_count));
    return err;
}

/* The name that is tried after so many others. */
static const char *name_after(struct ctx *ctx, const char *name, int tried_count)
{
    struct arena *arena = &ctx->arena;
    if (tried_count == 0)
        return name;
    const char *suffix =
        tried_count < IDENTITY_NAMES_MAX_COUNT
            ? arena_format(arena, "-%d", tried_count + 1)
            : arena_format(arena, "-%s", secret_token(arena, IDENTITY_NAME_RANDOM_BYTES));
    return identity_name_with(arena, name, suffix);
}

/* Under this name, if it is free; else *out_is_made is false. */
static enum err
make_named(struct ctx *ctx, struct user *user, const struct identity *identity, bool *out_is_made)
{
    bool is_used = false;
    enum err err = user_find_name_used(ctx, ctx->db, user->username, &is_used);
    if (err || is_used)
        return err;
    err = insert(ctx, user, identity);
    *out_is_made = !err;
    if (err != ERR_CONFLICT)
        return err;
    ctx_forgive(ctx);
    return ERR_OK;
}

/* The new user, or the one that somebody else made with this identity in the same moment. */
static enum err
make(struct ctx *ctx, struct user *user, const struct identity *identity, bool *out_is_new)
{
    const int names_count = IDENTITY_NAMES_MAX_COUNT + IDENTITY_NAMES_RANDOM_COUNT;
    const char *name = user->username;
    for (int i = 0; i < names_count; i++) {
        struct user made = *user;
        bool is_made = false;
        bool is_found = false;
        made.username = name_after(ctx, name, i);
        enum err err = make_named(ctx, &made, identity, &is_made);
        if (!err && !is_made)
            err = find_owner(ctx, identity, &made, &is_found);
        if (err)
            return err;
        if (is_made || is_found) {
            *user = made;
            *out_is_new = is_made;
            return ERR_OK;
        }
    }
    return refuse(ctx, ERR_CONFLICT, "NoFreeName", "No name like this one is free.");
}

/* What a draft must be that comes with an identity. */
static enum err check_draft(struct ctx *ctx, const struct user_draft *draft)
{
    if (!draft->username.text)
        return ctx_refuse(ctx, "username", "username: it is needed.");
    if (!draft->provider.text)
        return ctx_refuse(ctx, "provider", "provider: it is needed with an identity.");
    if (draft->password)
        return ctx_refuse(ctx, user_password_member(draft),
                          "password: a user has none who comes by an identity.");
    return ERR_OK;
}

/* The user that the draft would make. */
static enum err drafted(struct ctx *ctx, const struct user_draft *draft, struct user *out_user)
{
    struct user_draft named = *draft;
    enum user_password_use use = USER_PASSWORD_DROP;
    enum err err = check_draft(ctx, draft);
    if (err)
        return err;
    named.username.text = identity_name(&ctx->arena, draft->username.text);
    err = user_draft_check(ctx, &named);
    return err ? err : user_make(ctx, &named, out_user, &use);
}

enum err account_of_identity(struct ctx *ctx,
                             const struct user_draft *draft,
                             const struct identity *identity,
                             struct user *out_user,
                             bool *out_is_new)
{
    struct user wished = {0};
    struct user user = {0};
    bool is_found = false;
    bool is_new = false;
    enum err err = identity_check(ctx, identity);
    if (!err)
        err = drafted(ctx, draft, &wished);
    if (!err)
        err = find_owner(ctx, identity, &user, &is_found);
    if (!err && !is_found) {
        user = wished;
        err = make(ctx, &user, identity, &is_new);
    }
    if (!err && user.is_disabled)
        err = refuse(ctx, ERR_FORBIDDEN, "UserDisabled", "This user is disabled.");
    if (err)
        return err;
    *out_user = user;
    *out_is_new = is_new;
    return ERR_OK;
}

/* ---- of a user ---- */

typedef enum err find_fn(struct ctx *, struct db *, const char *, struct user *);

static enum err
load(struct ctx *ctx, find_fn *find, const char *username, struct account_identities *out_account)
{
    struct account_identities account = {0};
    struct user_login login = {0};
    enum err err = find(ctx, ctx->db, username, &account.user);
    if (!err)
        err = user_find_login(ctx, ctx->db, username, &login);
    if (err == ERR_NOT_FOUND)
        ctx->why.hint = "There is no user of this name.";
    if (!err)
        err = identity_list_of(ctx, ctx->db, account.user.id, &account.identities);
    if (err)
        return err;
    account.has_password = login.password != NULL;
    *out_account = account;
    return ERR_OK;
}

enum err
account_identities_of(struct ctx *ctx, const char *username, struct account_identities *out_account)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    struct account_identities account = {0};
    enum err err = db_begin_read(ctx, ctx->db, &tx);
    if (!err)
        err = load(ctx, user_find, username, &account);
    if (!err)
        err = db_commit(ctx, &tx);
    if (!err)
        *out_account = account;
    return err;
}

static bool has_identity(const struct account_identities *account, const struct identity *identity)
{
    for (size_t i = 0; i < account->identities.count; i++) {
        if (text_equals(account->identities.items[i].issuer, identity->issuer) &&
            text_equals(account->identities.items[i].subject, identity->subject))
            return true;
    }
    return false;
}

static enum err
add(struct ctx *ctx, struct account_identities *account, const struct identity *identity)
{
    if (account->identities.count >= IDENTITIES_PER_USER_MAX)
        return refuse(ctx, ERR_CONFLICT, "TooManyIdentities",
                      "The user has as many identities as are allowed.");
    enum err err = identity_insert(ctx, ctx->db, account->user.id, identity);
    if (err == ERR_CONFLICT) {
        ctx_forgive(ctx);
        return refuse(ctx, ERR_CONFLICT, "IdentityTaken", "Another user has this identity.");
    }
    return err ? err : identity_list_of(ctx, ctx->db, account->user.id, &account->identities);
}

static enum err
take(struct ctx *ctx, struct account_identities *account, const struct identity *identity)
{
    if (!has_identity(account, identity))
        return refuse(ctx, ERR_NOT_FOUND, "IdentityNotLinked",
                      "The user does not have this identity.");
    if (account->identities.count == 1 && !account->has_password)
        return refuse(ctx, ERR_CONFLICT, "LastIdentity",
                      "Without this identity the user could not sign in any more.");
    enum err err = identity_delete(ctx, ctx->db, account->user.id, identity);
    return err ? err : identity_list_of(ctx, ctx->db, account->user.id, &account->identities);
}

/* Whose identity is to be linked, or unlinked. */
struct change {
    const struct account_named *named;
    const struct identity *identity;
    bool is_link;
};

/* With the row locked: it stays that account until the commit. */
static enum err load_named(struct ctx *ctx,
                           const struct account_named *named,
                           struct account_identities *out_account)
{
    struct account_identities account = {0};
    enum err err = load(ctx, user_lock, named->username, &account);
    if (err)
        return err;
    if (named->generation && !text_equals(named->generation, account.user.generation))
        return ctx_fail(ctx, ERR_PRECONDITION, "the account has another generation");
    *out_account = account;
    return ERR_OK;
}

static enum err change_once(struct ctx *ctx,
                            const struct change *change,
                            struct account_identities *out_account,
                            bool *out_has_changed)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    struct account_identities account = {0};
    enum err err = db_begin(ctx, ctx->db, &tx);
    if (!err)
        err = load_named(ctx, change->named, &account);
    bool has_changed = !err && !(change->is_link && has_identity(&account, change->identity));
    if (has_changed)
        err = change->is_link ? add(ctx, &account, change->identity)
                              : take(ctx, &account, change->identity);
    if (err)
        return err;
    *out_account = account; /* also when the commit's outcome is to be found out */
    *out_has_changed = has_changed;
    return has_changed ? db_commit(ctx, &tx) : ERR_OK;
}

static enum err change(struct ctx *ctx,
                       const struct change *change,
                       struct account_identities *out_account,
                       bool *out_has_changed)
{
    struct account_identities account = {0};
    bool has_changed = false;
    int tries_count = 0;
    enum err err = identity_check(ctx, change->identity);
    if (err)
        return err;
    do {
        err = change_once(ctx, change, &account, &has_changed);
        if (err && db_is_unsure(ctx->db))
            err =
                identity_find_out(ctx, ctx->db, account.user.id, change->identity, change->is_link);
    } while (db_repeats(ctx, ctx->db, err, &tries_count));
    if (err)
        return err;
    *out_account = account;
    *out_has_changed = has_changed;
    return ERR_OK;
}

enum err account_link_identity(struct ctx *ctx,
                               const struct account_named *named,
                               const struct identity *identity,
                               struct account_identities *out_account,
                               bool *out_has_changed)
{
    return change(ctx, &(struct change){named, identity, true}, out_account, out_has_changed);
}

enum err account_unlink_identity(struct ctx *ctx,
                                 const struct account_named *named,
                                 const struct identity *identity,
                                 struct account_identities *out_account)
{
    bool has_changed = false;
    return change(ctx, &(struct change){named, identity, false}, out_account, &has_changed);
}
