/* SPDX-License-Identifier: MIT
 *
 * A database connection that fails when a test wants it to: a driver around another's connection
 * that lets calls through and refuses the n-th with ERR_UNAVAILABLE, or as it is told.
 * fake_db_torture walks n over a whole operation, so that each of its error paths is taken once,
 * and checks what must hold on each: an error is returned, outputs are as they were, no rows and no
 * transaction stay open.
 *
 * Calls that count: run, query, next, begin, commit, script, ping. As with a real driver, a failure
 * inside a transaction undoes it: another call in it is a fault of the operation and fails the
 * test. */
#ifndef NOTES_FAKE_DB_H
#define NOTES_FAKE_DB_H

#include <stddef.h>

#include "base/err.h"

struct ctx;
struct db;
struct fake_db;

/* Wraps `real`, which from now on is the fake's and is closed with it. Owns: the caller, who calls
 * db_close on the result; out_fake lives as long. */
struct db *fake_db_new(struct db *real, struct fake_db **out_fake);

/* Units: call_number counts from 1, from now on; 0: none fails. */
void fake_db_fail_at(struct fake_db *fake, size_t call_number);

/* With which error. One that is not ERR_UNAVAILABLE leaves the transaction as it is. */
void fake_db_fail_as(struct fake_db *fake, enum err err);

/* Calls since fake_db_fail_at. */
size_t fake_db_calls_count(const struct fake_db *fake);

struct fake_db_operation {
    enum err (*run)(struct ctx *ctx, struct db *db, void *argument);
    void *argument;
    void *outputs; /* what `run` may write on success only; NULL: nothing */
    size_t outputs_size_bytes;
    void (*check_undone)(struct db *real,
                         void *argument); /* after each failure; NULL: nothing to check */
};

/* Runs the operation with its 1st, 2nd, ... call failing, until it gets through; that run's effect
 * stays. Returns how many calls the operation makes: at least 1, or the test fails. */
size_t
fake_db_torture(struct db *db, struct fake_db *fake, const struct fake_db_operation *operation);

#endif
