/* SPDX-License-Identifier: MIT
 *
 * A users' database of its own for a test: a fresh SQLite file, migrated, behind the driver that
 * can be made to fail, and the cheapest hashing; with short ways to make users and to try
 * passwords. */
#ifndef NOTES_USERS_BENCH_H
#define NOTES_USERS_BENCH_H

#include "unit.h"

#include <stdio.h>

#include "auth/decoy.h"
#include "auth/login.h"
#include "auth/password.h"
#include "auth/throttle.h"
#include "auth/throttle_store.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "data/db.h"
#include "data/migrate.h"
#include "fake_db.h"
#include "temp_folder.h"
#include "user/accounts.h"
#include "user/user.h"
#include "user/user_store.h"

#define BUDGET_MS 60000
#define BCRYPT    "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW" /* of "U*U" */

#define THROTTLE_WAIT_MAX_S 900

/* clang-format off */
#define GIVEN(value) {.is_given = true, .text = (value)}
/* clang-format on */

extern const struct migrations userauth_migrations;

struct bench {
    struct temp_folder folder;
    struct ctx ctx;
    struct fake_db *fake;
    struct password_settings settings;
    struct secret decoy_key;
};

static inline int bench_new(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    char url[128];
    int64_t applied_count = 0;
    struct db *db = NULL;
    if (!bench || !secret_start())
        return -1;
    bench->folder = temp_folder_new();
    ctx_init(&bench->ctx, NULL, BUDGET_MS);
    password_settings_init(&bench->settings, 8, 1);
    (void)snprintf(url, sizeof(url), "sqlite:%s/users.sqlite", bench->folder.path);
    assert_int_equal(db_open(&bench->ctx, &(struct db_options){.url = url}, &db), ERR_OK);
    assert_int_equal(migrate_run(&bench->ctx, db, &userauth_migrations, &applied_count), ERR_OK);
    assert_int_equal(decoy_key(&bench->ctx, db, &bench->decoy_key), ERR_OK);
    bench->ctx.db = fake_db_new(db, &bench->fake);
    *state = bench;
    return 0;
}

static inline int bench_free(void **state)
{
    struct bench *bench = *state;
    db_close(bench->ctx.db);
    secret_done(&bench->decoy_key);
    ctx_done(&bench->ctx);
    temp_folder_done(&bench->folder);
    free(bench);
    return 0;
}

static inline int64_t count(struct bench *bench, const struct db_statement *statement)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    assert_int_equal(db_query(&bench->ctx, bench->ctx.db, statement, DB_NO_VALUES, &rows), ERR_OK);
    assert_int_equal(db_next(&bench->ctx, &rows, &has_row), ERR_OK);
    assert_true(has_row);
    return db_rows_i64(&rows, 0);
}

static inline struct user create(struct bench *bench, const char *username, const char *password)
{
    const struct user_draft draft = {
        .username = GIVEN(username), .password = password, .is_plain_only = true};
    struct user user = {0};
    assert_int_equal(account_create(&bench->ctx, &bench->settings, &draft, &user), ERR_OK);
    return user;
}

static inline struct user find(struct bench *bench, const char *username)
{
    struct user user = {0};
    assert_int_equal(user_find(&bench->ctx, bench->ctx.db, username, &user), ERR_OK);
    return user;
}

static inline struct login_rules rules_of(const struct bench *bench)
{
    static const struct throttle_limits limits = {
        .client_failures_count = 5, .name_failures_count = 100, .wait_max_s = THROTTLE_WAIT_MAX_S};
    return (struct login_rules){
        .passwords = &bench->settings, .decoy_key = &bench->decoy_key, .throttle = &limits};
}

static const char *stored_hash(struct bench *bench, const char *username)
{
    struct user_login login = {0};
    assert_int_equal(user_find_login(&bench->ctx, bench->ctx.db, username, &login), ERR_OK);
    return login.password;
}

static inline struct login_result
attempt(struct bench *bench, const char *username, const char *password, const char *client)
{
    const struct login_try login_try = {
        .username = username, .password = password, .client = client};
    const struct login_rules rules = rules_of(bench);
    struct login_result result = {0};
    assert_int_equal(login_check(&bench->ctx, &rules, &login_try, &result), ERR_OK);
    return result;
}

static inline enum login_verdict
verdict(struct bench *bench, const char *username, const char *password, const char *client)
{
    return attempt(bench, username, password, client).verdict;
}

static inline enum err
update(struct bench *bench, const char *username, struct user_draft draft, struct user *out_user)
{
    ctx_forgive(&bench->ctx);
    return account_update(&bench->ctx, &bench->settings, username, &draft, out_user);
}

#define UNIT_WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_new, bench_free)

#endif
