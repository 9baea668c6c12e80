/* SPDX-License-Identifier: MIT
 *
 * Users in the database. The only file that knows the tables `users` and `destroyed_names`. Each
 * function is one statement; who needs several to be one thing opens the transaction (accounts.c).
 * Depends on: db.h, user.h. Knows nothing of HTTP or JSON. */
#ifndef NOTES_USER_STORE_H
#define NOTES_USER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "user/user.h"

struct ctx;
struct db;
struct user_list;

/* What a login is checked against. */
struct user_login {
    int64_t id;
    const char *username; /* the stored spelling */
    const char *password; /* the stored hash; NULL when nothing can match */
    const char *generation;
    bool is_disabled; /* then no password is right */
};

/* Regardless of ASCII case.
 * Errors:  ERR_NOT_FOUND.
 * Tests:   tests/unit/test_user_store.c */
MUST_CHECK enum err
user_find(struct ctx *ctx, struct db *db, const char *username, struct user *out_user);

/* One of several that are looked up at once. */
struct user_wanted {
    struct ctx *ctx; /* whose arena gets the user's texts */
    const char *username;
    bool is_found;
    struct user user;
};

/* Fills them in by one statement. Errors: it failed, and nothing is known of any.
 * Units:   count 1..USER_WANTED_MAX_COUNT. */
#define USER_WANTED_MAX_COUNT 8
MUST_CHECK enum err
user_find_all(struct ctx *ctx, struct db *db, struct user_wanted *items, size_t count);

/* Errors:  ERR_NOT_FOUND. */
MUST_CHECK enum err
user_find_by_id(struct ctx *ctx, struct db *db, int64_t id, struct user *out_user);

/* By name, in a write transaction, to be changed: nobody else changes the row until its end.
 * Errors:  ERR_NOT_FOUND. */
MUST_CHECK enum err
user_lock(struct ctx *ctx, struct db *db, const char *username, struct user *out_user);

/* Errors:  ERR_NOT_FOUND. */
MUST_CHECK enum err
user_find_login(struct ctx *ctx, struct db *db, const char *username, struct user_login *out_login);

/* Has somebody this name, or had somebody it who was destroyed? */
MUST_CHECK enum err
user_find_name_used(struct ctx *ctx, struct db *db, const char *username, bool *out_is_used);

/* When the account was made; of a moved one, when the other program made it. */
MUST_CHECK enum err
user_find_created(struct ctx *ctx, struct db *db, int64_t id, int64_t *out_created_unix_ms);

/* The id that the newest user has or, if it was destroyed, the newest that is left; 0: no users. */
MUST_CHECK enum err user_last_id(struct ctx *ctx, struct db *db, int64_t *out_id);

/* The stored hash of the first user from this id on that has one, going on at the lowest id after
 * the highest; NULL when nobody has. Quick, however many have none. */
MUST_CHECK enum err
user_next_hash(struct ctx *ctx, struct db *db, int64_t from_id, const char **out_hash);

/* By lower-cased username, bytewise; `after` is a username that need not exist, "" for the start.
 * Units:   limit_count 1..USER_PAGE_MAX_COUNT. */
MUST_CHECK enum err user_list_page(struct ctx *ctx,
                                   struct db *db,
                                   const char *after,
                                   size_t limit_count,
                                   struct user_list *out_list);

/* `password` is the hash, NULL for none. user->id is not used.
 * Errors:  ERR_CONFLICT a user of that name exists. */
MUST_CHECK enum err
user_insert(struct ctx *ctx, struct db *db, const struct user *user, const char *password);

/* The same for a user that another program has kept since then. */
MUST_CHECK enum err user_insert_kept(struct ctx *ctx,
                                     struct db *db,
                                     const struct user *user,
                                     const char *password,
                                     int64_t created_unix_ms,
                                     int64_t updated_unix_ms);

/* Everything but name, password and generation, of a user that user_lock read.
 * Errors:  ERR_NOT_FOUND. */
MUST_CHECK enum err user_update(struct ctx *ctx, struct db *db, const struct user *user);

/* Whether the user is disabled, and the generation, of a user that user_lock read.
 * Errors:  ERR_NOT_FOUND. */
MUST_CHECK enum err user_set_access(struct ctx *ctx, struct db *db, const struct user *user);

/* A new password, or none (NULL), with user->generation.
 * Errors:  ERR_NOT_FOUND. */
MUST_CHECK enum err
user_set_password(struct ctx *ctx, struct db *db, const struct user *user, const char *password);

/* Another hash of the same password, if the stored one still is login->password. No error
 * otherwise. */
MUST_CHECK enum err user_renew_hash(struct ctx *ctx,
                                    struct db *db,
                                    const struct user_login *login,
                                    const char *password);

/* The name stays known as a destroyed one's. No error when it is already. */
MUST_CHECK enum err user_keep_name(struct ctx *ctx, struct db *db, const char *username);

/* Errors:  ERR_NOT_FOUND. */
MUST_CHECK enum err user_destroy(struct ctx *ctx, struct db *db, const char *username);

/* After a commit that had no answer: is the user as this one is? See db_find_out. */
MUST_CHECK enum err user_find_out(struct ctx *ctx, struct db *db, const struct user *user);

/* The same: is the user of this id gone? */
MUST_CHECK enum err user_find_out_destroyed(struct ctx *ctx, struct db *db, int64_t id);

#endif
