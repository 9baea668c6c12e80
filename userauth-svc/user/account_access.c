/* SPDX-License-Identifier: MIT
 *
 * One short transaction over the user's row.
 * Depends on: db.h, secret.h, user.h, user_store.h. */
#include "user/account_access.h"

#include "base/ctx.h"
#include "base/secret.h"
#include "data/db.h"
#include "user/user.h"
#include "user/user_store.h"

static bool is_so_already(const struct user *user, enum account_access access)
{
    return access != ACCOUNT_REVOKE && user->is_disabled == (access == ACCOUNT_DISABLE);
}

static enum err change_once(struct ctx *ctx,
                            const char *username,
                            enum account_access access,
                            struct user *out_user,
                            bool *out_has_changed)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    struct user user = {0};
    enum err err = db_begin(ctx, ctx->db, &tx);
    if (!err)
        err = user_lock(ctx, ctx->db, username, &user);
    bool has_changed = !err && !is_so_already(&user, access);
    if (has_changed) {
        if (access != ACCOUNT_REVOKE)
            user.is_disabled = access == ACCOUNT_DISABLE;
        user.generation = secret_token(&ctx->arena, USER_GENERATION_RANDOM_BYTES);
        err = user_set_access(ctx, ctx->db, &user);
    }
    if (err)
        return err;
    *out_user = user; /* also when the commit's outcome is to be found out */
    *out_has_changed = has_changed;
    return has_changed ? db_commit(ctx, &tx) : ERR_OK;
}

enum err account_change_access(struct ctx *ctx,
                               const char *username,
                               enum account_access access,
                               struct user *out_user,
                               bool *out_has_changed)
{
    struct user user = {0};
    bool has_changed = false;
    int tries_count = 0;
    enum err err = ERR_OK;
    do {
        err = change_once(ctx, username, access, &user, &has_changed);
        if (err && db_is_unsure(ctx->db))
            err = user_find_out(ctx, ctx->db, &user);
    } while (db_repeats(ctx, ctx->db, err, &tries_count));
    if (err)
        return err;
    *out_user = user;
    *out_has_changed = has_changed;
    return ERR_OK;
}
