/* SPDX-License-Identifier: MIT
 *
 * One run of --from-node. The source is opened to be read only and stays in one snapshot until the
 * end; each page has memory and a deadline of its own, so that neither grows with the tables. What
 * is told goes to standard output row by row, after the page was committed. Depends on: db,
 * migrate. */
#include "service/from_node.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/parse.h"
#include "base/secret.h"
#include "base/text.h"
#include "data/db_url.h"
#include "data/migrate.h"
#include "service/service.h"

#define STEP_BUDGET_MS 60000 /* of a page, and of opening both databases */
#define LOCK_WAIT_MS   5000

/* ---- telling ---- */

static void print_row(const char *table, struct bytes key, const char *what, const char *text)
{
    CLEANUP(arena_done) struct arena arena;
    arena_init(&arena);
    printf("%s %s: %s: %s\n", table, from_node_shown(&arena, key), what, text);
}

void from_node_list(struct from_node *run,
                    struct from_node_counts *counts,
                    const char *table,
                    struct bytes key,
                    const char *reason)
{
    run->lines_count++;
    counts->listed++;
    print_row(table, key, "not moved", reason);
}

void from_node_lose(struct ctx *ctx, const char **losses, const char *loss)
{
    if (!*losses)
        *losses = loss;
    else if (!strstr(*losses, loss))
        *losses = arena_format(&ctx->arena, "%s; %s", *losses, loss);
}

void from_node_note_change(struct from_node *run,
                           struct from_node_counts *counts,
                           const char *table,
                           struct bytes key,
                           const char *change)
{
    run->lines_count++;
    counts->changed++;
    print_row(table, key, "changed", change);
}

void from_node_sum(struct from_node *run, const struct from_node_counts *counts)
{
    run->moved_count += run->is_dry ? 0 : counts->moved;
    printf("%s: %" PRId64 " %s, %" PRId64 " there already, %" PRId64 " listed", counts->what,
           counts->moved, run->is_dry ? "to move" : "moved", counts->there, counts->listed);
    if (counts->changed)
        printf(", %" PRId64 " changed", counts->changed);
    printf("\n");
}

static int report_failure(const struct from_node *run, const char *why)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "%s: --from-node: %s\n", run->job->service, why);
    return SERVICE_EXIT_UNREACHABLE;
}

/* ---- opening ---- */

/* NULL: fine. */
static const char *find_fault(struct arena *arena, const struct from_node_job *job, const char *url)
{
    const char *fault = db_url_fault(url);
    struct db_url parts = {0};
    if (fault)
        return arena_format(arena, "the URL %s", fault);
    if (!secret_is_set(job->password))
        return NULL;
    if (db_url_path(url))
        return "FROM_NODE_PASSWORD is for MySQL, and the URL names an SQLite file";
    if (!db_url_parse(arena, url, &parts) && parts.password)
        return "FROM_NODE_PASSWORD is set, and the URL has a password too";
    return NULL;
}

static enum err
open_source(struct ctx *ctx, const struct from_node_job *job, const char *url, struct db **out_db)
{
    struct db_options options = {
        .url = url,
        .password = secret_is_set(job->password) ? job->password->text : NULL,
        .tls = job->here->tls,
        .tls_ca = job->here->tls_ca,
        .lock_wait_ms = LOCK_WAIT_MS,
        .is_read_only = true,
    };
    enum err err = db_open(ctx, &options, out_db);
    if (!err)
        return ERR_OK;
    const char *cause = arena_text(&ctx->arena, ctx->why.text);
    ctx_forgive(ctx);
    return ctx_fail(ctx, err, "the Node version's data: %s", cause);
}

static enum err open_here(struct ctx *ctx, const struct from_node_job *job, struct db **out_db)
{
    int64_t applied_count = 0;
    struct db_options options = *job->here;
    options.lock_wait_ms = LOCK_WAIT_MS;
    enum err err = job->state_dir ? service_state_dir(ctx, job->state_dir) : ERR_OK;
    if (!err)
        err = db_open(ctx, &options, out_db);
    if (!err && job->prepare)
        err = job->prepare(ctx, job->config);
    return err ? err : migrate_run(ctx, *out_db, job->tables, &applied_count);
}

/* ---- reading ---- */

struct bytes from_node_bytes(struct ctx *ctx, const struct db_rows *rows, int column)
{
    struct db_value value = db_rows_value(ctx, rows, column);
    if (value.kind == DB_I64)
        value = db_text(arena_format(&ctx->arena, "%" PRId64, value.number));
    return (struct bytes){.p = value.bytes, .n = value.size_bytes};
}

int64_t from_node_number(struct ctx *ctx, const struct db_rows *rows, int column)
{
    int64_t number = -1;
    const char *text = from_node_exact(from_node_bytes(ctx, rows, column));
    return text && parse_i64(text, 0, INT64_MAX, &number) ? number : -1;
}

enum err
from_node_take_id(struct ctx *ctx, const struct db_rows *rows, const char *table, int64_t *last_id)
{
    struct bytes raw = from_node_bytes(ctx, rows, 0);
    const char *text = from_node_exact(raw);
    int64_t id = 0;
    if (!text || !parse_i64(text, INT64_MIN, INT64_MAX, &id))
        return ctx_fail(ctx, ERR_INVALID, "%s has the id %s, which is no whole number", table,
                        from_node_shown(&ctx->arena, raw));
    if (id <= *last_id)
        return ctx_fail(ctx, ERR_INVALID, "%s has the id %" PRId64 " twice, or out of order", table,
                        id);
    *last_id = id;
    return ERR_OK;
}

enum err from_node_skip_id(struct ctx *ctx,
                           struct from_node *run,
                           const struct db_statement *statement,
                           const char *table,
                           int64_t *last_id)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(ctx, run->source, statement, DB_VALUES(db_i64(*last_id)), &rows);
    if (!err)
        err = db_next(ctx, &rows, &has_row);
    if (!err && !has_row)
        err = ctx_fail(ctx, ERR_INVALID, "%s has no row after the id %" PRId64, table, *last_id);
    return err ? err : from_node_take_id(ctx, &rows, table, last_id);
}

/* ---- pages ---- */

enum err from_node_has_table(struct from_node *run,
                             const struct db_statement *statement,
                             bool *out_has_table)
{
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, STEP_BUDGET_MS);
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    enum err err = db_query(&ctx, run->source, statement, DB_NO_VALUES, &rows);
    if (!err)
        err = db_next(&ctx, &rows, &has_row);
    if (!err)
        *out_has_table = has_row && from_node_number(&ctx, &rows, 0) > 0;
    else
        (void)snprintf(run->why, sizeof(run->why), "%s", ctx.why.text);
    return err;
}

enum err from_node_refuse(struct from_node *run, const char *why)
{
    (void)snprintf(run->why, sizeof(run->why), "%s", why);
    return ERR_INVALID;
}

enum err
from_node_check_ids(struct from_node *run, const struct db_statement *statement, const char *table)
{
    bool has_any = false;
    enum err err = from_node_has_table(run, statement, &has_any);
    if (err || !has_any)
        return err;
    (void)snprintf(run->why, sizeof(run->why), "%s has a row whose id is NULL or too small", table);
    return ERR_INVALID;
}

enum err from_node_pages(struct from_node *run, from_node_page_fn *page, void *state)
{
    bool has_more = true;
    enum err err = ERR_OK;
    while (!err && has_more) {
        struct ctx ctx;
        ctx_init(&ctx, NULL, STEP_BUDGET_MS);
        err = page(&ctx, run, state, &has_more);
        if (err)
            (void)snprintf(run->why, sizeof(run->why), "%s",
                           ctx.why.text[0] ? ctx.why.text : err_text(err));
        ctx_done(&ctx);
    }
    return err;
}

/* ---- the run ---- */

static int move(struct ctx *ctx, struct from_node *run)
{
    CLEANUP(db_transaction_done) struct db_transaction snapshot = {0};
    if (db_begin_read(ctx, run->source, &snapshot))
        return report_failure(run, ctx->why.text);
    if (run->job->move(run)) {
        int code = report_failure(run, run->why);
        if (run->moved_count)
            (void)fprintf(stderr, "What was moved stays; run it again to go on.\n");
        return code;
    }
    return run->lines_count ? SERVICE_EXIT_FAILED : SERVICE_EXIT_OK;
}

int from_node_run(const struct from_node_job *job, const char *url, bool is_dry)
{
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, STEP_BUDGET_MS);
    CLEANUP(db_close_ptr) struct db *source = NULL;
    CLEANUP(db_close_ptr) struct db *here = NULL;
    struct from_node run = {.job = job, .is_dry = is_dry};
    const char *fault = find_fault(&ctx.arena, job, url);
    if (fault) {
        (void)report_failure(&run, fault);
        return SERVICE_EXIT_USAGE;
    }
    if (open_source(&ctx, job, url, &source) || open_here(&ctx, job, &here))
        return report_failure(&run, ctx.why.text);
    run.source = source;
    run.here = here;
    return move(&ctx, &run);
}
