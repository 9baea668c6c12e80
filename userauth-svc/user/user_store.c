/* SPDX-License-Identifier: MIT
 *
 * The statements on `users` and `destroyed_names`. A name is looked up by `name_key`, its ASCII
 * lower case made by us, so that no engine's idea of case or collation decides who somebody is.
 * Depends on: db.h, user.h. */
#include "user/user_store.h"

#include "base/clock.h"
#include "base/ctx.h"
#include "base/text.h"
#include "data/db.h"
#include "user/user.h"

/* What `provider` says of a user that is disabled; the real one is in `disabled_provider` then. */
#define PROVIDER_DISABLED "disabled"

#define USER_COLUMNS                                                                \
    "id, username, COALESCE(disabled_provider, provider), family_name, given_name," \
    " middle_name, emails, photos, generation, disabled_provider IS NOT NULL AS is_disabled"

#define USERNAME_COLUMN 1

static const struct db_statement FIND = {"SELECT " USER_COLUMNS " FROM users WHERE name_key = ?"};
static const struct db_statement FIND_ALL = {
    "SELECT " USER_COLUMNS " FROM users WHERE name_key IN (?, ?, ?, ?, ?, ?, ?, ?)"};
static const struct db_statement FIND_BY_ID = {"SELECT " USER_COLUMNS " FROM users WHERE id = ?"};
static const struct db_statement LOCK = {"SELECT " USER_COLUMNS " FROM users WHERE name_key = ?",
                                         .mysql = "SELECT " USER_COLUMNS
                                                  " FROM users WHERE name_key = ? FOR UPDATE"};
static const struct db_statement FIND_LOGIN = {
    "SELECT id, username, CASE WHEN COALESCE(disabled_provider, provider) = ? THEN password END,"
    " generation, disabled_provider IS NOT NULL AS is_disabled FROM users WHERE name_key = ?"};
static const struct db_statement FIND_CREATED = {"SELECT created_unix_ms FROM users WHERE id = ?"};
static const struct db_statement LAST_ID = {"SELECT id FROM users ORDER BY id DESC LIMIT 1"};
static const struct db_statement NEXT_HASH = {
    "SELECT password FROM users WHERE id >= ? AND password IS NOT NULL ORDER BY id LIMIT 1",
    .mysql = "SELECT password FROM users WHERE has_password = 1 AND id >= ? ORDER BY id LIMIT 1"};
static const struct db_statement LIST = {
    "SELECT " USER_COLUMNS " FROM users WHERE name_key > ? ORDER BY name_key LIMIT ?"};
static const struct db_statement INSERT = {
    "INSERT INTO users (name_key, username, password, generation, provider, family_name,"
    " given_name, middle_name, emails, photos, created_unix_ms, updated_unix_ms)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"};
static const struct db_statement UPDATE = {
    "UPDATE users SET provider = ?, disabled_provider = ?, family_name = ?, given_name = ?, middle_name = ?, emails = ?,"
    " photos = ?, updated_unix_ms = ? WHERE id = ?"};
static const struct db_statement SET_ACCESS = {
    "UPDATE users SET provider = ?, disabled_provider = ?, generation = ?, updated_unix_ms = ?"
    " WHERE id = ?"};
static const struct db_statement SET_PASSWORD = {
    "UPDATE users SET password = ?, generation = ?, updated_unix_ms = ? WHERE id = ?"};
static const struct db_statement RENEW_HASH = {
    "UPDATE users SET password = ? WHERE id = ? AND password = ?"};
static const struct db_statement DESTROY = {"DELETE FROM users WHERE name_key = ?"};
static const struct db_statement NAME_USED = {
    "SELECT 1 FROM users WHERE name_key = ?"
    " UNION ALL SELECT 1 FROM destroyed_names WHERE name_key = ?"};
static const struct db_statement KEEP_NAME = {
    "INSERT INTO destroyed_names (name_key) VALUES (?) ON CONFLICT (name_key) DO NOTHING",
    .mysql = "INSERT INTO destroyed_names (name_key) VALUES (?)"
             " ON DUPLICATE KEY UPDATE name_key = name_key"};

/* Is it as the transaction in question would have it? */
#define TRACE_TEXT(same)                                                               \
    "SELECT 1 FROM users WHERE name_key = ? AND generation = ?"                        \
    " AND COALESCE(disabled_provider, provider) = ?"                                   \
    " AND family_name " same " ? AND given_name " same " ? AND middle_name " same " ?" \
    " AND emails = ? AND photos = ?"
static const struct db_statement TRACE = {TRACE_TEXT("IS"),
                                          .mysql = TRACE_TEXT("<=>") " FOR UPDATE"};
static const struct db_statement TRACE_ID = {
    "SELECT 1 FROM users WHERE id = ?", .mysql = "SELECT 1 FROM users WHERE id = ? FOR UPDATE"};

static struct user user_of_row(struct ctx *ctx, const struct db_rows *rows)
{
    return (struct user){
        .id = db_rows_i64(rows, 0),
        .username = db_rows_text(ctx, rows, USERNAME_COLUMN),
        .provider = db_rows_text(ctx, rows, 2),
        .family_name = db_rows_text(ctx, rows, 3),
        .given_name = db_rows_text(ctx, rows, 4),
        .middle_name = db_rows_text(ctx, rows, 5),
        .emails = db_rows_text(ctx, rows, 6),
        .photos = db_rows_text(ctx, rows, 7),
        .generation = db_rows_text(ctx, rows, 8),
        .is_disabled = db_rows_i64(rows, 9) != 0,
    };
}

/* The first row of a query, which may not be there. */
static enum err one_row(struct ctx *ctx,
                        struct db *db,
                        const struct db_statement *statement,
                        struct db_values values,
                        struct db_rows *rows)
{
    bool has_row = false;
    enum err err = db_query(ctx, db, statement, values, rows);
    if (!err)
        err = db_next(ctx, rows, &has_row);
    if (!err && !has_row)
        err = ctx_fail(ctx, ERR_NOT_FOUND, "no such user");
    return err;
}

static enum err find(struct ctx *ctx,
                     struct db *db,
                     const struct db_statement *statement,
                     struct db_value value,
                     struct user *out_user)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    enum err err = one_row(ctx, db, statement, DB_VALUES(value), &rows);
    if (!err)
        *out_user = user_of_row(ctx, &rows);
    return err;
}

enum err user_find(struct ctx *ctx, struct db *db, const char *username, struct user *out_user)
{
    return find(ctx, db, &FIND, db_text(username_key(ctx, username)), out_user);
}

enum err user_find_by_id(struct ctx *ctx, struct db *db, int64_t id, struct user *out_user)
{
    return find(ctx, db, &FIND_BY_ID, db_i64(id), out_user);
}

/* Gives the row to all who asked for it: several may want the same user. */
static void give_row(struct ctx *ctx,
                     const struct db_rows *rows,
                     const struct db_value *keys,
                     struct user_wanted *items,
                     size_t count)
{
    const char *key = username_key(ctx, db_rows_text(ctx, rows, USERNAME_COLUMN));
    for (size_t i = 0; i < count; i++) {
        if (!text_equals(keys[i].bytes, key))
            continue;
        items[i].is_found = true;
        items[i].user = user_of_row(items[i].ctx, rows);
    }
}

enum err user_find_all(struct ctx *ctx, struct db *db, struct user_wanted *items, size_t count)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    struct db_value keys[USER_WANTED_MAX_COUNT]; /* filled up with the last one */
    bool has_row = false;
    for (size_t i = 0; i < USER_WANTED_MAX_COUNT; i++)
        keys[i] = db_text(username_key(ctx, items[i < count ? i : count - 1].username));
    enum err err = db_query(ctx, db, &FIND_ALL,
                            (struct db_values){.items = keys, .count = ARRAY_COUNT(keys)}, &rows);
    while (!err && !(err = db_next(ctx, &rows, &has_row)) && has_row)
        give_row(ctx, &rows, keys, items, count);
    return err;
}

enum err user_lock(struct ctx *ctx, struct db *db, const char *username, struct user *out_user)
{
    return find(ctx, db, &LOCK, db_text(username_key(ctx, username)), out_user);
}

enum err
user_find_login(struct ctx *ctx, struct db *db, const char *username, struct user_login *out_login)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    enum err err = one_row(
        ctx, db, &FIND_LOGIN,
        DB_VALUES(db_text(USER_PROVIDER_LOCAL), db_text(username_key(ctx, username))), &rows);
    if (err)
        return err;
    *out_login = (struct user_login){
        .id = db_rows_i64(&rows, 0),
        .username = db_rows_text(ctx, &rows, 1),
        .password = db_rows_text(ctx, &rows, 2),
        .generation = db_rows_text(ctx, &rows, 3),
        .is_disabled = db_rows_i64(&rows, 4) != 0,
    };
    return ERR_OK;
}

enum err
user_find_name_used(struct ctx *ctx, struct db *db, const char *username, bool *out_is_used)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    const char *key = username_key(ctx, username);
    bool has_row = false;
    enum err err = db_query(ctx, db, &NAME_USED, DB_VALUES(db_text(key), db_text(key)), &rows);
    if (!err)
        err = db_next(ctx, &rows, &has_row);
    if (!err)
        *out_is_used = has_row;
    return err;
}

enum err user_find_created(struct ctx *ctx, struct db *db, int64_t id, int64_t *out_created_unix_ms)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    enum err err = one_row(ctx, db, &FIND_CREATED, DB_VALUES(db_i64(id)), &rows);
    if (!err)
        *out_created_unix_ms = db_rows_i64(&rows, 0);
    return err;
}

enum err user_last_id(struct ctx *ctx, struct db *db, int64_t *out_id)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(ctx, db, &LAST_ID, DB_NO_VALUES, &rows);
    if (!err)
        err = db_next(ctx, &rows, &has_row);
    if (!err)
        *out_id = has_row ? db_rows_i64(&rows, 0) : 0;
    return err;
}

/* Without the wrap. */
static enum err
next_hash_upwards(struct ctx *ctx, struct db *db, int64_t from_id, const char **out_hash)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(ctx, db, &NEXT_HASH, DB_VALUES(db_i64(from_id)), &rows);
    if (!err)
        err = db_next(ctx, &rows, &has_row);
    if (!err)
        *out_hash = has_row ? db_rows_text(ctx, &rows, 0) : NULL;
    return err;
}

enum err user_next_hash(struct ctx *ctx, struct db *db, int64_t from_id, const char **out_hash)
{
    const char *hash = NULL;
    enum err err = next_hash_upwards(ctx, db, from_id, &hash);
    if (!err && !hash)
        err = next_hash_upwards(ctx, db, 1, &hash);
    if (!err)
        *out_hash = hash;
    return err;
}

enum err user_list_page(struct ctx *ctx,
                        struct db *db,
                        const char *after,
                        size_t limit_count,
                        struct user_list *out_list)
{
    if (limit_count < 1 || limit_count > USER_PAGE_MAX_COUNT)
        return ctx_fail(ctx, ERR_INVALID, "limit %zu", limit_count);

    /* One more than asked for says whether there are more. */
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    enum err err = db_query(
        ctx, db, &LIST,
        DB_VALUES(db_text(username_key(ctx, after)), db_i64((int64_t)limit_count + 1)), &rows);
    struct user *users = arena_take_array(&ctx->arena, limit_count, sizeof *users);
    size_t count = 0;
    bool has_row = false;
    while (!err && (err = db_next(ctx, &rows, &has_row)) == ERR_OK && has_row &&
           count < limit_count)
        users[count++] = user_of_row(ctx, &rows);
    if (!err)
        *out_list = (struct user_list){.items = users, .count = count, .has_more = has_row};
    return err;
}

enum err user_insert_kept(struct ctx *ctx,
                          struct db *db,
                          const struct user *user,
                          const char *password,
                          int64_t created_unix_ms,
                          int64_t updated_unix_ms)
{
    return db_run(ctx, db, &INSERT,
                  DB_VALUES(db_text(username_key(ctx, user->username)), db_text(user->username),
                            db_text(password), db_text(user->generation), db_text(user->provider),
                            db_text(user->family_name), db_text(user->given_name),
                            db_text(user->middle_name), db_text(user->emails),
                            db_text(user->photos), db_i64(created_unix_ms),
                            db_i64(updated_unix_ms)),
                  NULL);
}

enum err user_insert(struct ctx *ctx, struct db *db, const struct user *user, const char *password)
{
    int64_t now_unix_ms = clock_unix_ms();
    return user_insert_kept(ctx, db, user, password, now_unix_ms, now_unix_ms);
}

/* A statement that must meet one row. */
static enum err run_on_one(struct ctx *ctx,
                           struct db *db,
                           const struct db_statement *statement,
                           struct db_values values)
{
    int64_t changed_count = 0;
    enum err err = db_run(ctx, db, statement, values, &changed_count);
    if (!err && changed_count == 0)
        err = ctx_fail(ctx, ERR_NOT_FOUND, "no such user");
    return err;
}

static struct db_value provider_of(const struct user *user)
{
    return db_text(user->is_disabled ? PROVIDER_DISABLED : user->provider);
}

static struct db_value disabled_provider_of(const struct user *user)
{
    return db_text(user->is_disabled ? user->provider : NULL);
}

enum err user_update(struct ctx *ctx, struct db *db, const struct user *user)
{
    return run_on_one(ctx, db, &UPDATE,
                      DB_VALUES(provider_of(user), disabled_provider_of(user),
                                db_text(user->family_name), db_text(user->given_name),
                                db_text(user->middle_name), db_text(user->emails),
                                db_text(user->photos), db_i64(clock_unix_ms()), db_i64(user->id)));
}

enum err user_set_access(struct ctx *ctx, struct db *db, const struct user *user)
{
    return run_on_one(ctx, db, &SET_ACCESS,
                      DB_VALUES(provider_of(user), disabled_provider_of(user),
                                db_text(user->generation), db_i64(clock_unix_ms()),
                                db_i64(user->id)));
}

enum err
user_set_password(struct ctx *ctx, struct db *db, const struct user *user, const char *password)
{
    return run_on_one(ctx, db, &SET_PASSWORD,
                      DB_VALUES(db_text(password), db_text(user->generation),
                                db_i64(clock_unix_ms()), db_i64(user->id)));
}

enum err user_renew_hash(struct ctx *ctx,
                         struct db *db,
                         const struct user_login *login,
                         const char *password)
{
    return db_run(ctx, db, &RENEW_HASH,
                  DB_VALUES(db_text(password), db_i64(login->id), db_text(login->password)), NULL);
}

enum err user_keep_name(struct ctx *ctx, struct db *db, const char *username)
{
    return db_run(ctx, db, &KEEP_NAME, DB_VALUES(db_text(username_key(ctx, username))), NULL);
}

enum err user_destroy(struct ctx *ctx, struct db *db, const char *username)
{
    return run_on_one(ctx, db, &DESTROY, DB_VALUES(db_text(username_key(ctx, username))));
}

enum err user_find_out(struct ctx *ctx, struct db *db, const struct user *user)
{
    return db_find_out(
        ctx, db, &TRACE,
        DB_VALUES(db_text(username_key(ctx, user->username)), db_text(user->generation),
                  db_text(user->provider), db_text(user->family_name), db_text(user->given_name),
                  db_text(user->middle_name), db_text(user->emails), db_text(user->photos)),
        true);
}

enum err user_find_out_destroyed(struct ctx *ctx, struct db *db, int64_t id)
{
    return db_find_out(ctx, db, &TRACE_ID, DB_VALUES(db_i64(id)), false);
}
