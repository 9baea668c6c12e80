/* SPDX-License-Identifier: MIT
 *
 * The Node version's comments, page by page in the order of their ids, which is the order in which
 * they are shown here. A comment has no name by which it could be known again: it is here already
 * when its note has one with this author, message and time, and of those that are equal in all
 * three as many as the source had up to it. Only comments that were here before the run are
 * counted. Depends on: from_node.h, comment.h, comment_store.h, note_store.h;
 * sql/from-node/messages.sql. */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/secret.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "comment/comment.h"
#include "comment/comment_store.h"
#include "data/db.h"
#include "from_node.h"
#include "from_node_seen.h"
#include "note/note.h"
#include "note/note_store.h"
#include "service/from_node.h"

#define TABLE            "SQMessages"
#define NODE_NAMESPACE   "/notes"
#define PAGE_MAX_COUNT   COMMENT_MOVE_MAX_COUNT
#define AUTHOR_MAX_CHARS 255
#define NO_NOTE          "its note was not moved, or there is none of this key"

/* Made by tools/compile_statements.py. */
extern const struct db_statement from_node_messages_exists;
extern const struct db_statement from_node_messages_unreachable;
extern const struct db_statement from_node_messages_page;
extern const struct db_statement from_node_messages_next;

struct row {
    struct bytes id; /* as text, to be told */
    const char *room;
    const char *reason; /* why it can't be moved; NULL: it can */
    const char *change; /* what it lost; NULL: nothing */
    struct comment_move move;
    bool is_there;
};

struct comments {
    int64_t last_id;   /* of the source, read so far */
    int64_t newest_id; /* of the comments here when the run began */
    struct seen seen;
    struct from_node_counts counts;
};

/* ---- a row ---- */

static void clean_texts(struct ctx *ctx, const struct db_rows *rows, struct row *row)
{
    struct comment_draft *draft = &row->move.draft;
    bool is_changed = false;
    draft->author = from_node_text(ctx, from_node_bytes(ctx, rows, 1), true, &is_changed);
    draft->message = from_node_text(ctx, from_node_bytes(ctx, rows, 4), false, &is_changed);
    if (!draft->author)
        draft->author = ""; /* a name that nobody can have */
    if (is_changed)
        row->change = "it had control characters or was not UTF-8; U+FFFD stands for them";
    if (text_count_chars(draft->author) > AUTHOR_MAX_CHARS)
        row->reason = "the author's name is longer than 255 characters";
    else if (!draft->message)
        row->reason = "it has no text";
    else if (comment_message_check(ctx, draft->message)) {
        row->reason = arena_text(&ctx->arena, ctx->why.hint);
        ctx_forgive(ctx);
    }
}

static void read_time(struct ctx *ctx, const struct db_rows *rows, struct row *row)
{
    for (int column = 5; column <= 7; column++)
        if (from_node_time(from_node_bytes(ctx, rows, column), &row->move.draft.now_unix_ms))
            return;
    row->reason = "it has no time";
}

static struct bytes id_text(struct ctx *ctx, int64_t id)
{
    const char *text = arena_format(&ctx->arena, "%lld", (long long)id);
    return (struct bytes){.p = (const unsigned char *)text, .n = strlen(text)};
}

static void read_row(struct ctx *ctx, const struct db_rows *rows, struct row *row)
{
    const char *space = from_node_exact(from_node_bytes(ctx, rows, 2));
    row->room = from_node_exact(from_node_bytes(ctx, rows, 3));
    if (!space || !text_equals(space, NODE_NAMESPACE))
        row->reason = "it is in another namespace than " NODE_NAMESPACE;
    else if (!row->room)
        row->reason = NO_NOTE;
    else
        read_time(ctx, rows, row);
    if (!row->reason)
        clean_texts(ctx, rows, row);
}

/* ---- its note ---- */

static enum err find_here(struct ctx *ctx, struct db *db, const char *key, int64_t *out_id)
{
    struct note note = {0};
    enum err err = note_find(ctx, db, key, NOTE_HEAD, &note);
    if (err == ERR_NOT_FOUND)
        ctx_forgive(ctx);
    else if (err)
        return err;
    *out_id = note.id; /* 0: none */
    return ERR_OK;
}

/* By the key that the comment names; where there is none, by the one that the Node version's
 * database took for the same. In a dry run the note may still have to be moved. */
static enum err find_note(struct ctx *ctx, struct from_node *run, struct row *row)
{
    const char *key = NULL;
    enum err err = find_here(ctx, run->here, row->room, &row->move.note_id);
    if (err || row->move.note_id)
        return err;
    err = from_node_note_of_room(ctx, run, row->room, &key);
    if (!err && key && !text_equals(key, row->room))
        err = find_here(ctx, run->here, key, &row->move.note_id);
    if (!err && !row->move.note_id && !(key && run->is_dry))
        row->reason = NO_NOTE;
    return err;
}

/* ---- is it here? ---- */

static uint64_t digest_of(struct ctx *ctx, const struct comment_move *move)
{
    const struct comment_draft *draft = &move->draft;
    unsigned char digest[SECRET_DIGEST_BYTES];
    uint64_t number = 0;
    const char *text = arena_format(&ctx->arena, "%lld %lld %zu %s %s", (long long)move->note_id,
                                    (long long)draft->now_unix_ms, strlen(draft->author),
                                    draft->author, draft->message);
    secret_digest((struct bytes){0}, text, strlen(text), digest);
    memcpy(&number, digest, sizeof(number));
    return number;
}

static enum err
look(struct ctx *ctx, struct from_node *run, struct comments *comments, struct row *row)
{
    int64_t here_count = 0;
    if (!row->move.note_id)
        return ERR_OK;
    enum err err =
        comment_count_equal(ctx, run->here, &row->move, comments->newest_id, &here_count);
    if (err || here_count == 0)
        return err;
    int64_t number = seen_count(&comments->seen, digest_of(ctx, &row->move));
    if (!number)
        return ctx_fail(ctx, ERR_UNAVAILABLE,
                        "too many comments are here already to tell equal ones apart");
    row->is_there = number <= here_count;
    return ERR_OK;
}

/* ---- a page ---- */

static enum err read_page(struct ctx *ctx,
                          struct from_node *run,
                          struct comments *comments,
                          struct row *rows_out,
                          size_t *out_count)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    size_t count = 0;
    bool has_row = false;
    enum err err = db_query(ctx, run->source, &from_node_messages_page,
                            DB_VALUES(db_i64(comments->last_id), db_i64(PAGE_MAX_COUNT)), &rows);
    while (!err && count < PAGE_MAX_COUNT && (err = db_next(ctx, &rows, &has_row)) == ERR_OK &&
           has_row) {
        err = from_node_take_id(ctx, &rows, TABLE, &comments->last_id);
        rows_out[count] = (struct row){.id = id_text(ctx, comments->last_id)};
        read_row(ctx, &rows, &rows_out[count++]);
    }
    if (err == ERR_TOO_LARGE) {
        ctx_forgive(ctx);
        err = from_node_skip_id(ctx, run, &from_node_messages_next, TABLE, &comments->last_id);
        rows_out[count++] =
            (struct row){.id = id_text(ctx, comments->last_id), .reason = FROM_NODE_TOO_LARGE};
    }
    if (!err)
        *out_count = count;
    return err;
}

static enum err write_page(struct ctx *ctx, struct from_node *run, struct row *rows, size_t count)
{
    struct comment_move *moves[PAGE_MAX_COUNT];
    size_t moves_count = 0;
    for (size_t i = 0; i < count; i++)
        if (!rows[i].reason && !rows[i].is_there)
            moves[moves_count++] = &rows[i].move;
    return run->is_dry ? ERR_OK : comment_move_all(ctx, run->here, moves, moves_count);
}

static void tell(struct from_node *run, struct from_node_counts *counts, const struct row *row)
{
    if (row->reason || row->move.is_gone) {
        from_node_list(run, counts, TABLE, row->id, row->reason ? row->reason : NO_NOTE);
    } else if (row->is_there) {
        counts->there++;
    } else {
        counts->moved++;
        if (row->change)
            from_node_note_change(run, counts, TABLE, row->id, row->change);
    }
}

static enum err move_page(struct ctx *ctx, struct from_node *run, void *state, bool *out_has_more)
{
    struct comments *comments = state;
    struct row *rows = arena_take_array(&ctx->arena, PAGE_MAX_COUNT, sizeof(*rows));
    size_t count = 0;
    enum err err = read_page(ctx, run, comments, rows, &count);
    for (size_t i = 0; !err && i < count; i++) {
        if (!rows[i].reason)
            err = find_note(ctx, run, &rows[i]);
        if (!err && !rows[i].reason)
            err = look(ctx, run, comments, &rows[i]);
    }
    if (!err)
        err = write_page(ctx, run, rows, count);
    for (size_t i = 0; !err && i < count; i++)
        tell(run, &comments->counts, &rows[i]);
    *out_has_more = count > 0;
    return err;
}

static enum err start(struct ctx *ctx, struct from_node *run, void *state, bool *out_has_more)
{
    struct comments *comments = state;
    *out_has_more = false;
    return comment_last_id(ctx, run->here, &comments->newest_id);
}

/* A site from the time before the Node version had comments has no such table. */
enum err from_node_comments(struct from_node *run)
{
    struct comments comments = {.last_id = INT64_MIN, .counts = {.what = "comments"}};
    bool has_table = false;
    enum err err = from_node_has_table(run, &from_node_messages_exists, &has_table);
    if (!err && has_table)
        err = from_node_check_ids(run, &from_node_messages_unreachable, TABLE);
    if (!err && has_table)
        err = from_node_pages(run, start, &comments);
    if (!err && has_table)
        err = from_node_pages(run, move_page, &comments);
    seen_done(&comments.seen);
    from_node_sum(run, &comments.counts);
    return err;
}
