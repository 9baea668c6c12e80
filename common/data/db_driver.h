/* SPDX-License-Identifier: MIT
 *
 * What a database driver implements. Private to common/data and to tests that bring a driver of
 * their own (the one that fails its n-th call). Contracts are those of db.h; the reason of a
 * failure goes into ctx->why. */
#ifndef NOTES_DB_DRIVER_H
#define NOTES_DB_DRIVER_H

#include "data/db.h"

enum db_engine { DB_SQLITE, DB_MYSQL };

struct db_driver {
    enum db_engine engine;
    void (*close)(void *state);
    enum err (*run)(struct ctx *ctx,
                    void *state,
                    const struct db_statement *statement,
                    struct db_values values,
                    int64_t *out_changed_count);
    int64_t (*last_id)(void *state);
    enum err (*query)(struct ctx *ctx,
                      void *state,
                      const struct db_statement *statement,
                      struct db_values values,
                      void **out_cursor);
    enum err (*next)(struct ctx *ctx, void *state, void *cursor, bool *out_has_row);
    void (*rows_done)(void *state, void *cursor);
    struct db_value (*column)(void *state, void *cursor, int column); /* valid until next */
    enum err (*begin)(struct ctx *ctx, void *state, bool is_write);
    enum err (*commit)(struct ctx *ctx, void *state);
    void (*roll_back)(void *state);
    enum err (*script)(struct ctx *ctx, void *state, const char *sql);
    enum err (*ping)(struct ctx *ctx, void *state);
    /* Is it known that the transaction that ended last did not happen, for a passing reason? NULL:
     * never. */
    bool (*is_repeatable)(const void *state);
    /* Had the commit of the transaction that ended last no answer? NULL: it always has one. */
    bool (*is_unsure)(const void *state);
    bool (*is_refused)(const void *state); /* NULL: never */
    bool (*is_misread)(const void *state); /* NULL: never */
    /* The lock of migrations, where DDL commits and no transaction can hold them together (NULL
     * otherwise). While it is held, a lost connection is not made again. */
    enum err (*lock)(struct ctx *ctx, void *state);
    void (*unlock)(void *state);
};

struct db {
    const struct db_driver *driver;
    void *state;
    bool is_in_transaction;
    bool is_broken; /* its deadline passed in a call: it was undone, and is open to callers only */
    bool is_undone; /* db_find_out has found that the transaction did not happen */
    bool is_outcome_unknown; /* db_find_out could not tell: nothing may repeat it */
    bool has_begun; /* the driver was asked to begin it: what it says of the last one is of this */
    bool is_unsure; /* its write went by the commit of another, which had no answer */
};

MUST_CHECK enum err db_sqlite_open(struct ctx *ctx,
                                   const char *path,
                                   const struct db_options *options,
                                   struct db **out_db);
const char *db_sqlite_library(void);

MUST_CHECK enum err
db_mysql_open(struct ctx *ctx, const struct db_options *options, struct db **out_db);
const char *db_mysql_library(void); /* a version number */

#endif
