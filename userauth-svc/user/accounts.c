/* SPDX-License-Identifier: MIT
 *
 * Each change of an account is one short transaction over the user's row and the throttle's rows of
 * its name. Depends on: db.h, user.h, user_store.h, password.h, throttle_store.h. */
#include "user/accounts.h"

#include <string.h>

#include "auth/password.h"
#include "auth/throttle_store.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "data/db.h"
#include "user/user.h"
#include "user/user_store.h"

#define GENERATION_RANDOM_BYTES 16
#define BCRYPT_RULE \
    "password: it begins like a bcrypt hash, but is none of kind a, b or y, cost 4 to 12."

/* What is to be stored for the draft's password; NULL unless `use` is SET. */
static enum err hash_of(struct ctx *ctx,
                        const struct password_settings *settings,
                        const struct user_draft *draft,
                        enum user_password_use use,
                        const char **out_hash)
{
    const char *password = draft->password;
    const char *member = user_password_member(draft);
    if (use != USER_PASSWORD_SET) {
        *out_hash = NULL;
        return ERR_OK;
    }
    if (!draft->is_plain_only && password_looks_hashed(password)) {
        if (!password_is_bcrypt(password))
            return ctx_refuse(ctx, member, BCRYPT_RULE);
        *out_hash = password;
        return ERR_OK;
    }
    size_t size_bytes = strlen(password);
    if (size_bytes < 1 || size_bytes > USER_PASSWORD_MAX_BYTES)
        return ctx_refuse(ctx, member,
                          arena_format(&ctx->arena, "%s: 1 to %d bytes are allowed.", member,
                                       USER_PASSWORD_MAX_BYTES));
    return password_hash(ctx, settings, password, out_hash);
}

/* A name that was used before, or only tried, starts without the tries and clients of that time. */
static enum err insert_once(struct ctx *ctx, const struct user *user, const char *hash)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    enum err err = db_begin(ctx, ctx->db, &tx);
    if (!err)
        err = user_insert(ctx, ctx->db, user, hash);
    if (!err)
        err = throttle_drop(ctx, ctx->db, username_key(ctx, user->username));
    if (!err)
        err = db_commit(ctx, &tx);
    return err;
}

static enum err insert(struct ctx *ctx, struct user *user, const char *hash)
{
    user->generation = secret_token(&ctx->arena, GENERATION_RANDOM_BYTES);
    enum err err = ERR_OK;
    int tries_count = 0;
    do {
        err = insert_once(ctx, user, hash);
        if (err && db_is_unsure(ctx->db))
            err = user_find_out(ctx, ctx->db, user);
    } while (db_repeats(ctx, ctx->db, err, &tries_count));
    return err;
}

static enum err refuse_taken(struct ctx *ctx)
{
    enum err err = ctx_fail(ctx, ERR_CONFLICT, "the username is taken");
    ctx->why.hint = "A user of this name exists already.";
    return err;
}

/* Not there yet: made. A name that is taken meanwhile is ERR_CONFLICT without a hint. */
static enum err make(struct ctx *ctx,
                     const struct password_settings *settings,
                     const struct user_draft *draft,
                     struct user *out_user)
{
    struct user user = {0};
    enum user_password_use use = USER_PASSWORD_DROP;
    const char *hash = NULL;
    enum err err = user_make(ctx, draft, &user, &use);
    if (!err)
        err = hash_of(ctx, settings, draft, use, &hash);
    if (!err)
        err = insert(ctx, &user, hash);
    if (!err)
        *out_user = user;
    return err;
}

/* A draft's user, if it is there already. */
static enum err find_drafted(struct ctx *ctx,
                             const struct user_draft *draft,
                             struct user *out_user,
                             bool *out_is_found)
{
    enum err err = user_draft_check(ctx, draft);
    if (!err && !draft->username.text)
        err = ctx_refuse(ctx, "username", "username: it is needed.");
    if (!err)
        err = user_find(ctx, ctx->db, draft->username.text, out_user);
    if (err && err != ERR_NOT_FOUND)
        return err;
    *out_is_found = !err;
    if (err)
        ctx_forgive(ctx);
    return ERR_OK;
}

enum err account_create(struct ctx *ctx,
                        const struct password_settings *settings,
                        const struct user_draft *draft,
                        struct user *out_user)
{
    struct user found = {0};
    bool is_found = false;
    enum err err = find_drafted(ctx, draft, &found, &is_found);
    if (err)
        return err;
    if (is_found)
        return refuse_taken(ctx);
    err = make(ctx, settings, draft, out_user);
    return err == ERR_CONFLICT ? refuse_taken(ctx) : err;
}

enum err account_find_or_create(struct ctx *ctx,
                                const struct password_settings *settings,
                                const struct user_draft *draft,
                                struct user *out_user,
                                bool *out_is_new)
{
    struct user found = {0};
    bool is_found = false;
    enum err err = find_drafted(ctx, draft, &found, &is_found);
    if (!err && !is_found) {
        err = make(ctx, settings, draft, &found);
        if (err == ERR_CONFLICT) { /* made by somebody else in the same moment */
            ctx_forgive(ctx);
            err = find_drafted(ctx, draft, &found, &is_found);
            if (!err && !is_found)
                err = ctx_fail(ctx, ERR_UNAVAILABLE, "the user came and went");
        }
    }
    if (err)
        return err;
    *out_user = found;
    *out_is_new = !is_found;
    return ERR_OK;
}

typedef enum err find_fn(struct ctx *, struct db *, const char *, struct user *);

/* A change that is asked for. */
struct request {
    const char *username;
    const struct user_draft *draft;
};

/* The stored user and what the draft makes of it. */
static enum err changed(struct ctx *ctx,
                        find_fn *find,
                        const struct request *request,
                        struct user *out_user,
                        enum user_password_use *out_use)
{
    struct user stored = {0};
    enum err err = find(ctx, ctx->db, request->username, &stored);
    return err ? err : user_change(ctx, &stored, request->draft, out_user, out_use);
}

static enum err
store(struct ctx *ctx, struct user *user, enum user_password_use use, const char *hash)
{
    enum err err = user_update(ctx, ctx->db, user);
    if (err || use == USER_PASSWORD_KEEP)
        return err;
    user->generation = secret_token(&ctx->arena, GENERATION_RANDOM_BYTES);
    err = user_set_password(ctx, ctx->db, user, hash);
    return err ? err : throttle_drop(ctx, ctx->db, username_key(ctx, user->username));
}

static enum err
update_once(struct ctx *ctx, const struct request *request, const char *hash, struct user *out_user)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    struct user user = {0};
    enum user_password_use use = USER_PASSWORD_KEEP;
    enum err err = db_begin(ctx, ctx->db, &tx);
    if (!err)
        err = changed(ctx, user_lock, request, &user, &use); /* the row may be another by now */
    if (!err && use == USER_PASSWORD_SET && !hash)
        err = ctx_fail(ctx, ERR_CONFLICT, "the provider was changed meanwhile");
    if (!err)
        err = store(ctx, &user, use, use == USER_PASSWORD_SET ? hash : NULL);
    if (err)
        return err;
    *out_user = user; /* also when the commit's outcome is to be found out */
    return db_commit(ctx, &tx);
}

enum err account_update(struct ctx *ctx,
                        const struct password_settings *settings,
                        const char *username,
                        const struct user_draft *draft,
                        struct user *out_user)
{
    const struct request request = {.username = username, .draft = draft};
    struct user user = {0};
    enum user_password_use use = USER_PASSWORD_KEEP;
    const char *hash = NULL;
    int tries_count = 0;
    enum err err = user_draft_check(ctx, draft);
    if (!err)
        err = changed(ctx, user_find, &request, &user, &use);
    if (!err)
        err = hash_of(ctx, settings, draft, use, &hash);
    if (!err && user_draft_changes(draft)) {
        do {
            err = update_once(ctx, &request, hash, &user);
            if (err && db_is_unsure(ctx->db))
                err = user_find_out(ctx, ctx->db, &user);
        } while (db_repeats(ctx, ctx->db, err, &tries_count));
    }
    if (!err)
        *out_user = user;
    return err;
}

static enum err destroy_once(struct ctx *ctx, const char *username, struct user *out_user)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    enum err err = db_begin(ctx, ctx->db, &tx);
    if (!err)
        err = user_lock(ctx, ctx->db, username, out_user);
    if (!err)
        err = user_destroy(ctx, ctx->db, username);
    if (!err)
        err = throttle_drop(ctx, ctx->db, username_key(ctx, username));
    if (!err)
        err = db_commit(ctx, &tx);
    return err;
}

enum err account_destroy(struct ctx *ctx, const char *username)
{
    struct user user = {0};
    enum err err = ERR_OK;
    int tries_count = 0;
    do {
        err = destroy_once(ctx, username, &user);
        if (err && db_is_unsure(ctx->db))
            err = user_find_out_destroyed(ctx, ctx->db, user.id);
    } while (db_repeats(ctx, ctx->db, err, &tries_count));
    return err;
}
