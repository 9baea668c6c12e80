/* SPDX-License-Identifier: MIT
 *
 * Places are ids of users; the hash is of the user at the place or the next one with a password.
 * Depends on: db.h, user_store.h, secret.h. */
#include "auth/decoy.h"

#include <string.h>

#include "base/bytes.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "data/db.h"
#include "user/user_store.h"

#define KEY_NAME         "decoy_key"
#define KEY_RANDOM_BYTES 32

/* The generator of the paper: a linear congruential one, of which the top 31 bits are used. */
#define STEP_FACTOR UINT64_C(2862933555777941757)
#define TOP_BITS    31

static const struct db_statement ADD_VALUE = {
    "INSERT INTO service_values (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
    .mysql = "INSERT INTO service_values (name, value) VALUES (?, ?)"
             " ON DUPLICATE KEY UPDATE name = name"};
static const struct db_statement FIND_VALUE = {"SELECT value FROM service_values WHERE name = ?"};

enum err decoy_key(struct ctx *ctx, struct db *db, struct secret *out_key)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    const char *fresh = secret_token(&ctx->arena, KEY_RANDOM_BYTES);
    bool has_row = false;
    enum err err = db_run(ctx, db, &ADD_VALUE, DB_VALUES(db_text(KEY_NAME), db_text(fresh)), NULL);
    if (!err)
        err = db_query(ctx, db, &FIND_VALUE, DB_VALUES(db_text(KEY_NAME)), &rows);
    if (!err)
        err = db_next(ctx, &rows, &has_row);
    if (err)
        return err;
    const char *stored = has_row ? db_rows_text(ctx, &rows, 0) : NULL;
    if (!stored || strlen(stored) != strlen(fresh))
        return ctx_fail(ctx, ERR_INTERNAL, "the database has no sound " KEY_NAME);
    *out_key = secret_new(stored, strlen(stored));
    return ERR_OK;
}

int64_t decoy_place(const struct secret *key, const char *name_key, int64_t count)
{
    unsigned char digest[SECRET_DIGEST_BYTES];
    const struct bytes key_bytes = {.p = (const unsigned char *)key->text, .n = key->size_bytes};
    secret_digest(key_bytes, name_key, strlen(name_key), digest);
    uint64_t random = 0;
    memcpy(&random, digest, sizeof(random));

    /* From jump to jump: the counts at which this name would have moved. */
    int64_t place = 0;
    double next = 0;
    while (next < (double)count) {
        place = (int64_t)next;
        random = random * STEP_FACTOR + 1;
        double part = (double)((random >> (64 - TOP_BITS)) + 1) / (double)(UINT64_C(1) << TOP_BITS);
        next = (double)(place + 1) / part; /* at least one further, as part <= 1 */
    }
    return place + 1;
}

enum err
decoy_hash(struct ctx *ctx, const struct secret *key, const char *name_key, const char **out_hash)
{
    int64_t last_id = 0;
    const char *hash = NULL;
    enum err err = user_last_id(ctx, ctx->db, &last_id);
    if (!err && last_id > 0)
        err = user_next_hash(ctx, ctx->db, decoy_place(key, name_key, last_id), &hash);
    if (!err)
        *out_hash = hash;
    return err;
}
