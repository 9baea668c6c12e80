/* SPDX-License-Identifier: MIT
 *
 * Depends on: service/from_node.h, the two parts, app.h (the lock of the file). */
#include "from_node.h"

#include "app.h"
#include "base/ctx.h"
#include "config.h"
#include "data/migrate.h"
#include "service/from_node.h"
#include "service/service.h"

/* Made by tools/compile_sql.py. */
extern const struct migrations notes_migrations;
extern const struct migrations notes_migrations_mysql;

/* A running service would not notice what is written to its file. */
static enum err prepare(struct ctx *ctx, const void *storage)
{
    enum err err = app_lock_database(ctx, storage);
    if (err != ERR_CONFLICT)
        return err;
    const char *cause = arena_text(&ctx->arena, ctx->why.text);
    ctx_forgive(ctx);
    return ctx_fail(ctx, err, "%s; stop that first, and start it again afterwards", cause);
}

static enum err move(struct from_node *run)
{
    enum err err = from_node_notes(run);
    return err ? err : from_node_comments(run);
}

int from_node(const void *storage, const char *url, bool is_dry)
{
    const struct config *config = storage;
    const struct from_node_job job = {
        .service = "notes-svc",
        .config = config,
        .here = &config->database.options,
        .password = &config->from_node_password,
        .tables = config->database.path ? &notes_migrations : &notes_migrations_mysql,
        .state_dir = config->database.path ? config->service.state_dir : NULL,
        .prepare = prepare,
        .move = move,
    };
    return from_node_run(&job, url, is_dry);
}
