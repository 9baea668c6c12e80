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
#include "base/text.h"
#include "data/db.h"
#include "user/user.h"
#include "user/user_store.h"

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
    user->generation = secret_token(&ctx->arena, USER_GENERATION_RANDOM_BYTES);
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
    user->generation = secret_token(&ctx->arena, USER_GENERATION_RANDOM_BYTES);
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

/* ---- moving from another program ---- */

/* A hash that was renewed here at a login tells nothing of the other: then it is the same account
 * when it was made in the same millisecond. */
static enum err look_at_password(struct ctx *ctx,
                                 const struct user_login *here,
                                 const struct account_move *move,
                                 bool *out_is_other)
{
    int64_t created_unix_ms = 0;
    if (!here->password || !move->password || password_is_bcrypt(here->password)) {
        *out_is_other =
            move->password && !(here->password && text_equals(here->password, move->password));
        return ERR_OK;
    }
    enum err err = user_find_created(ctx, ctx->db, here->id, &created_unix_ms);
    if (!err)
        *out_is_other = created_unix_ms != move->created_unix_ms;
    return err;
}

static enum err look_at_move(struct ctx *ctx, struct account_move *move)
{
    struct user_login here = {0};
    enum err err = user_find_login(ctx, ctx->db, move->user.username, &here);
    if (err && err != ERR_NOT_FOUND)
        return err;
    if (err) {
        ctx_forgive(ctx);
        move->outcome = ACCOUNT_MOVED;
    } else if (!text_equals(here.username, move->user.username)) {
        move->outcome = ACCOUNT_MOVED_SPELLED;
    } else {
        bool is_other = false;
        err = look_at_password(ctx, &here, move, &is_other);
        move->outcome = is_other ? ACCOUNT_MOVED_PASSWORD : ACCOUNT_MOVED_BEFORE;
        return err;
    }
    return ERR_OK;
}

static enum err insert_move(struct ctx *ctx, struct account_move *move)
{
    move->user.generation = secret_token(&ctx->arena, USER_GENERATION_RANDOM_BYTES);
    enum err err = user_insert_kept(ctx, ctx->db, &move->user, move->password,
                                    move->created_unix_ms, move->updated_unix_ms);
    return err ? err : throttle_drop(ctx, ctx->db, username_key(ctx, move->user.username));
}

static enum err move_once(struct ctx *ctx, struct account_move *const *items, size_t count)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    enum err err = db_begin(ctx, ctx->db, &tx);
    for (size_t i = 0; !err && i < count; i++) {
        err = look_at_move(ctx, items[i]);
        if (!err && items[i]->outcome == ACCOUNT_MOVED)
            err = insert_move(ctx, items[i]);
    }
    return err ? err : db_commit(ctx, &tx);
}

enum err
account_move_all(struct ctx *ctx, struct account_move *const *items, size_t count, bool is_dry)
{
    enum err err = ERR_OK;
    int tries_count = 0;
    if (count > ACCOUNT_MOVE_MAX_COUNT)
        return ctx_fail(ctx, ERR_INVALID, "a move of %zu users", count);
    for (size_t i = 0; !err && is_dry && i < count; i++)
        err = look_at_move(ctx, items[i]);
    if (is_dry || count == 0)
        return err;
    do
        err = move_once(ctx, items, count);
    while (db_repeats(ctx, ctx->db, err, &tries_count));
    return err;
}

/* ---- destroying ---- */

static enum err destroy_once(struct ctx *ctx, const char *username, struct user *out_user)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    enum err err = db_begin(ctx, ctx->db, &tx);
    if (!err)
        err = user_lock(ctx, ctx->db, username, out_user);
    if (!err)
        err = user_destroy(ctx, ctx->db, username);
    if (!err)
        err = user_keep_name(ctx, ctx->db, username);
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
