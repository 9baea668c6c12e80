/* SPDX-License-Identifier: MIT
 *
 * A tool never makes a database: a forgotten DATABASE_URL would leave an empty one behind. Depends
 * on: note_store.h, db.h, migrate.h. */
#include "restore.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "config.h"
#include "data/db.h"
#include "data/migrate.h"
#include "note/note_store.h"

/* Made by tools/compile_sql.py. */
extern const struct migrations notes_migrations;
extern const struct migrations notes_migrations_mysql;

static enum err open_database(struct ctx *ctx, const struct config *config, struct db **out_db)
{
    const char *path = config->database.path;
    if (path && access(path, F_OK) != 0 && errno == ENOENT)
        return ctx_fail(ctx, ERR_NOT_FOUND,
                        "there is no database at %s; does DATABASE_URL name another one?", path);
    enum err err = db_open(ctx, &config->database.options, out_db);
    if (err)
        return err;
    return migrate_check(ctx, *out_db, path ? &notes_migrations : &notes_migrations_mysql);
}

enum err restore_note(struct ctx *ctx, const void *storage, const char *key)
{
    const struct config *config = storage;
    const struct note_act act = {.key = key, .now_unix_ms = clock_unix_ms()};
    struct note_change change;
    CLEANUP(db_close_ptr) struct db *db = NULL;
    enum err err = open_database(ctx, config, &db);
    if (err)
        return err;
    err = note_restore(ctx, db, &act, &change);
    if (err != ERR_CONFLICT)
        return err;
    ctx_forgive(ctx);
    return ctx_fail(ctx, ERR_CONFLICT, "a note of this key exists; destroy that one first");
}
