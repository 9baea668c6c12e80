/* SPDX-License-Identifier: MIT
 *
 * A migration where no transaction can hold it, because each CREATE or ALTER commits (MySQL): its
 * statements run one by one, and a journal says which are done. A start that was cut off goes on
 * where the journal ends. Of one statement it can't be known whether it was done, the one that ran;
 * it runs again, and "it is there already" (ERR_CONFLICT) is then its success.
 *
 * So a script for such an engine holds only statements that either fail when they run twice
 * (CREATE, ALTER ... ADD, an INSERT with a unique key) or change nothing then.
 *
 * The table: schema_migration_steps(version, done_count, is_running). Private to migrate.c, which
 * holds the driver's lock. */
#ifndef NOTES_MIGRATE_STEPS_H
#define NOTES_MIGRATE_STEPS_H

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct db;
struct migration;

MUST_CHECK enum err migrate_steps_prepare(struct ctx *ctx, struct db *db);
MUST_CHECK enum err
migrate_steps_apply(struct ctx *ctx, struct db *db, const struct migration *migration);
/* In the transaction that notes the migration as applied. */
MUST_CHECK enum err
migrate_steps_forget(struct ctx *ctx, struct db *db, const struct migration *migration);

#endif
