/* SPDX-License-Identifier: MIT
 *
 * What both services need to bring over a Node version's tables (sql/from-node/README.md): its
 * database is read in one snapshot, page by page, and what becomes of each row is told. A service
 * gives the statements, the rules of its rows and the writing.
 *
 * Use:  int run(const void *config, const char *url, bool is_dry)
 *       { return from_node_run(&job, url, is_dry); }
 *       enum err move(struct from_node *run) { ... from_node_pages(run, page, &state) ... }
 * Threads: the main thread, before anything else runs. */
#ifndef NOTES_FROM_NODE_H
#define NOTES_FROM_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/ctx.h"
#include "base/err.h"
#include "data/db.h"

struct migrations;
struct secret;

struct from_node;

/* What a service brings. */
struct from_node_job {
    const char *service;             /* its name */
    const void *config;              /* the service's own */
    const struct db_options *here;   /* where the rows go */
    const struct secret *password;   /* of the source, when its URL has none */
    const struct migrations *tables; /* of `here` */
    const char *state_dir;           /* where `here` is a file; NULL: a server */
    /* Makes sure that nobody else uses `here`, where that matters. NULL: nothing to do. */
    enum err (*prepare)(struct ctx *ctx, const void *config);
    /* Brings all tables over, tells each sum. */
    enum err (*move)(struct from_node *run);
};

/* A run. */
struct from_node {
    const struct from_node_job *job;
    struct db *source;
    struct db *here;
    bool is_dry;
    int64_t lines_count;         /* rows that were told one by one */
    int64_t moved_count;         /* of all tables that are summed up */
    char why[CTX_WHY_MAX_BYTES]; /* of the first failure */
};

/* Of one table. */
struct from_node_counts {
    const char *what; /* "notes" */
    int64_t moved;
    int64_t there;   /* already */
    int64_t changed; /* moved, but not as it was: told one by one */
    int64_t listed;  /* not moved: told one by one */
};

/* The whole of `--from-node URL [--dry-run]`. Returns the exit code: 0 all moved, 1 rows were told,
 * 2 the URL is wrong, 3 source or destination failed (what was moved stays). */
int from_node_run(const struct from_node_job *job, const char *url, bool is_dry);

/* ---- for move ---- */

/* Is the table there? `statement` counts it. */
MUST_CHECK enum err from_node_has_table(struct from_node *run,
                                        const struct db_statement *statement,
                                        bool *out_has_table);

/* Ends the run when there are rows that no page would find; `statement` counts them. */
MUST_CHECK enum err
from_node_check_ids(struct from_node *run, const struct db_statement *statement, const char *table);

/* Ends the run with a line for people. */
enum err from_node_refuse(struct from_node *run, const char *why);

/* Reads, writes and tells one page; memory and deadline are the page's. */
typedef enum err
from_node_page_fn(struct ctx *ctx, struct from_node *run, void *state, bool *out_has_more);

/* Calls it until there are no more. */
MUST_CHECK enum err from_node_pages(struct from_node *run, from_node_page_fn *page, void *state);

/* ---- reading (another program's values are of any kind) ---- */

/* As text, a number in digits; p is NULL for NULL. */
struct bytes from_node_bytes(struct ctx *ctx, const struct db_rows *rows, int column);
/* 0 or more; -1: something else. */
int64_t from_node_number(struct ctx *ctx, const struct db_rows *rows, int column);

/* The id in column 0 is the last one read from now on. Ends the run when it is no whole number or
 * not larger than that one: the pages would not end. */
MUST_CHECK enum err
from_node_take_id(struct ctx *ctx, const struct db_rows *rows, const char *table, int64_t *last_id);

/* The same for the next row, which is too large to be read; `statement` gives its id. */
#define FROM_NODE_TOO_LARGE "the row is too large to be read"
MUST_CHECK enum err from_node_skip_id(struct ctx *ctx,
                                      struct from_node *run,
                                      const struct db_statement *statement,
                                      const char *table,
                                      int64_t *last_id);

/* ---- telling ---- */

/* A row that was not moved. Its key is shown with control characters escaped. */
void from_node_list(struct from_node *run,
                    struct from_node_counts *counts,
                    const char *table,
                    struct bytes key,
                    const char *reason);
/* Adds `loss` to what a row lost (NULL: nothing yet), unless it says so already. */
void from_node_lose(struct ctx *ctx, const char **losses, const char *loss);
/* A row that was moved and lost something. */
void from_node_note_change(struct from_node *run,
                           struct from_node_counts *counts,
                           const char *table,
                           struct bytes key,
                           const char *change);
/* "notes: 12 moved, 3 there already, 1 listed". */
void from_node_sum(struct from_node *run, const struct from_node_counts *counts);

/* ---- values (from_node_values.c) ---- */

/* As it is, when it is valid UTF-8 without control characters; NULL otherwise and for NULL. */
const char *from_node_exact(struct bytes raw);

/* The text, CRLF and CR as LF; what is no UTF-8 and control characters become U+FFFD, which sets
 * *out_is_changed (left alone otherwise). A text of one line gets spaces for line ends and tabs.
 * NULL for NULL. Tests: tests/unit/test_from_node.c */
const char *
from_node_text(struct ctx *ctx, struct bytes raw, bool is_one_line, bool *out_is_changed);

/* "2026-11-22 16:25:18.000 +00:00", also with T, Z and up to 9 digits of a second, or milliseconds
 * since 1970. False: nothing of that kind, NULL included, or before 1970. */
bool from_node_time(struct bytes raw, int64_t *out_unix_ms);

/* For a line of the report: quoted, cut, nothing that a terminal could obey. */
const char *from_node_shown(struct arena *arena, struct bytes raw);

#endif
