/* SPDX-License-Identifier: MIT
 *
 * The old password is verified, and the new one hashed, before the transaction begins; in it the
 * generation says whether the account still is the one that was verified. Depends on: db.h,
 * login.h, password.h, secret.h, throttle_store.h, user.h, user_store.h. */
#include "auth/password_change.h"

#include "auth/password.h"
#include "auth/throttle_store.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "base/text.h"
#include "data/db.h"
#include "user/user.h"
#include "user/user_store.h"

_Static_assert(PASSWORD_MAX_BYTES == USER_PASSWORD_MAX_BYTES, "a password that is judged fits");

/* What the transaction needs. */
struct verified {
    const char *username;
    const char *generation; /* of the old password */
    const char *hash;       /* of the new one */
};

/* In the transaction. A user that is disabled now has another generation as well. */
static enum err set(struct ctx *ctx, const struct verified *verified, struct user *user)
{
    user->generation = secret_token(&ctx->arena, USER_GENERATION_RANDOM_BYTES);
    enum err err = user_set_password(ctx, ctx->db, user, verified->hash);
    return err ? err : throttle_drop(ctx, ctx->db, username_key(ctx, verified->username));
}

/* *out_is_same: was it still the account that was verified, and is the password changed? */
static enum err
set_once(struct ctx *ctx, const struct verified *verified, struct user *out_user, bool *out_is_same)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    struct user user = {0};
    enum err err = db_begin(ctx, ctx->db, &tx);
    if (!err)
        err = user_lock(ctx, ctx->db, verified->username, &user);
    if (err == ERR_NOT_FOUND)
        ctx_forgive(ctx);
    else if (err)
        return err;
    *out_is_same = !err && text_equals(user.generation, verified->generation);
    if (!*out_is_same)
        return ERR_OK;
    err = set(ctx, verified, &user);
    if (err)
        return err;
    *out_user = user; /* also when the commit's outcome is to be found out */
    return db_commit(ctx, &tx);
}

static enum err
replace(struct ctx *ctx, const struct verified *verified, struct login_result *result)
{
    struct user user = {0};
    bool is_same = false;
    int tries_count = 0;
    enum err err = ERR_OK;
    do {
        err = set_once(ctx, verified, &user, &is_same);
        if (err && db_is_unsure(ctx->db))
            err = user_find_out(ctx, ctx->db, &user);
    } while (db_repeats(ctx, ctx->db, err, &tries_count));
    if (err)
        return err;
    *result = (struct login_result){.verdict = LOGIN_WRONG};
    if (is_same)
        *result = (struct login_result){
            .verdict = LOGIN_RIGHT, .username = user.username, .generation = user.generation};
    return ERR_OK;
}

enum err password_change(struct ctx *ctx,
                         const struct login_rules *rules,
                         int64_t min_chars,
                         const struct password_change *change,
                         struct password_change_result *out_result)
{
    const struct login_try *login_try = &change->login_try;
    struct password_change_result result = {
        .fault = password_rules_judge(change->new_password, login_try->username, min_chars)};
    enum err err = ERR_OK;
    if (!result.fault)
        err = login_check(ctx, rules, login_try, &result.login);
    if (!err && !result.fault && result.login.verdict == LOGIN_RIGHT) {
        struct verified verified = {.username = login_try->username,
                                    .generation = result.login.generation};
        err = password_hash(ctx, rules->passwords, change->new_password, &verified.hash);
        if (!err)
            err = replace(ctx, &verified, &result.login);
    }
    if (!err)
        *out_result = result;
    return err;
}
