/* SPDX-License-Identifier: MIT
 *
 * The order of a password check: look (is this try heard at all?), verify, count, renew a weak
 * hash. Depends on: db.h, decoy.h, password.h, throttle.h, throttle_store.h, user_store.h. */
#include "auth/login.h"

#include "auth/decoy.h"
#include "auth/password.h"
#include "auth/throttle.h"
#include "auth/throttle_store.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "data/db.h"
#include "user/user.h"
#include "user/user_store.h"

/* Counts a failure. When others were counted first and the wait has begun, this try was never
 * heard. */
static enum err count_failure(struct ctx *ctx,
                              const struct throttle_limits *limits,
                              const struct throttle_key *key,
                              struct login_result *result)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    struct throttle throttle = {0};
    enum err err = db_begin(ctx, ctx->db, &tx);
    if (!err)
        err = throttle_lock(ctx, ctx->db, key);
    if (!err)
        err = throttle_load(ctx, ctx->db, key, &throttle);
    if (err)
        return err;

    int64_t now_unix_ms = clock_unix_ms();
    int64_t wait_s = throttle_wait_s(limits, &throttle, now_unix_ms);
    bool is_counted = wait_s == 0;
    if (is_counted) {
        wait_s = throttle_add_failure(limits, &throttle, now_unix_ms);
        err = throttle_save(ctx, ctx->db, key, &throttle);
        if (!err)
            err = db_commit(ctx, &tx);
    }
    if (!err)
        *result = (struct login_result){.verdict = wait_s ? LOGIN_WAIT : LOGIN_WRONG,
                                        .is_counted = is_counted,
                                        .wait_s = wait_s};
    return err;
}

/* Is there a wait now, and is there something to write after a success? */
static enum err look_again(struct ctx *ctx,
                           const struct throttle_limits *limits,
                           const struct throttle_key *key,
                           struct throttle *out_throttle,
                           int64_t *out_wait_s,
                           bool *out_has_changed)
{
    enum err err = throttle_load(ctx, ctx->db, key, out_throttle);
    if (err)
        return err;
    int64_t now_unix_ms = clock_unix_ms();
    *out_wait_s = throttle_wait_s(limits, out_throttle, now_unix_ms);
    *out_has_changed = throttle_add_success(out_throttle, now_unix_ms);
    return ERR_OK;
}

static enum err count_success(struct ctx *ctx,
                              const struct throttle_limits *limits,
                              const struct throttle_key *key,
                              const struct user_login *login,
                              struct login_result *result)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    struct throttle throttle = {0};
    int64_t wait_s = 0;
    bool has_changed = false;
    enum err err = look_again(ctx, limits, key, &throttle, &wait_s, &has_changed);
    if (!err && !wait_s && has_changed) {
        err = db_begin(ctx, ctx->db, &tx);
        if (!err)
            err = throttle_lock(ctx, ctx->db, key);
        if (!err)
            err = look_again(ctx, limits, key, &throttle, &wait_s, &has_changed);
        if (!err && !wait_s)
            err = throttle_save(ctx, ctx->db, key, &throttle);
        if (!err && !wait_s)
            err = db_commit(ctx, &tx);
    }
    if (err)
        return err;
    *result = (struct login_result){.verdict = LOGIN_WAIT, .wait_s = wait_s};
    if (!wait_s)
        *result = (struct login_result){
            .verdict = LOGIN_RIGHT, .username = login->username, .generation = login->generation};
    return ERR_OK;
}

/* Best effort: the login is good whether this works or not. */
static void renew_hash(struct ctx *ctx,
                       const struct password_settings *settings,
                       const struct user_login *login,
                       const char *plain)
{
    if (!password_is_weak(settings, login->password, plain))
        return;
    const char *hash = NULL;
    enum err err = password_hash(ctx, settings, plain, &hash);
    if (!err)
        err = user_renew_hash(ctx, ctx->db, login, hash);
    if (!err)
        return;
    log_warn(ctx, "auth.renew_failed", log_str("user", login->username),
             log_str("why", ctx->why.text));
    ctx_forgive(ctx);
}

/* An unknown name is a login without a password. Everybody has the decoy looked up; who has no
 * password is verified against it. */
static enum err find_login(struct ctx *ctx,
                           const struct secret *decoy_key,
                           const char *username,
                           struct user_login *out_login,
                           const char **out_hash)
{
    struct user_login login = {0};
    const char *decoy = NULL;
    enum err err = user_find_login(ctx, ctx->db, username, &login);
    if (err == ERR_NOT_FOUND) {
        ctx_forgive(ctx);
        err = ERR_OK;
    }
    if (!err)
        err = decoy_hash(ctx, decoy_key, username_key(ctx, username), &decoy);
    if (err)
        return err;
    *out_login = login;
    *out_hash = login.password ? login.password : decoy;
    return ERR_OK;
}

enum err login_check(struct ctx *ctx,
                     const struct login_rules *rules,
                     const struct login_try *login_try,
                     struct login_result *out_result)
{
    const struct throttle_key key = {.name_key = username_key(ctx, login_try->username),
                                     .client = login_try->client};
    struct throttle throttle = {0};
    enum err err = throttle_load(ctx, ctx->db, &key, &throttle);
    if (err)
        return err;
    int64_t wait_s = throttle_wait_s(rules->throttle, &throttle, clock_unix_ms());
    if (wait_s) {
        *out_result = (struct login_result){.verdict = LOGIN_WAIT, .wait_s = wait_s};
        return ERR_OK;
    }

    struct user_login login = {0};
    const char *hash = NULL;
    bool is_right = false;
    err = find_login(ctx, rules->decoy_key, login_try->username, &login, &hash);
    if (!err)
        err = password_verify(ctx, rules->passwords, hash, login_try->password, &is_right);
    if (err)
        return err;
    /* Without a password of its own the typed one may be right for the user whose hash that was. */
    if (!login.password || login.is_disabled)
        is_right = false;
    int tries_count = 0;
    do
        err = is_right ? count_success(ctx, rules->throttle, &key, &login, out_result)
                       : count_failure(ctx, rules->throttle, &key, out_result);
    while (db_repeats(ctx, ctx->db, err, &tries_count));
    if (!err && out_result->verdict == LOGIN_RIGHT && !login_try->skips_renewal)
        renew_hash(ctx, rules->passwords, &login, login_try->password);
    return err;
}
