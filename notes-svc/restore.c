/* SPDX-License-Identifier: MIT
 *
 * Depends on: note_store.h, db.h. */
#include "restore.h"

#include "base/clock.h"
#include "base/ctx.h"
#include "config.h"
#include "data/db.h"
#include "note/note_store.h"

enum err restore_note(struct ctx *ctx, const void *storage, const char *key)
{
    const struct config *config = storage;
    const struct note_act act = {.key = key, .now_unix_ms = clock_unix_ms()};
    struct note_change change;
    CLEANUP(db_close_ptr) struct db *db = NULL;
    enum err err = db_open(ctx, &config->database.options, &db);
    if (!err)
        err = note_restore(ctx, db, &act, &change);
    if (err != ERR_CONFLICT)
        return err;
    ctx_forgive(ctx);
    return ctx_fail(ctx, ERR_CONFLICT, "a note of this key exists; destroy that one first");
}
