/* SPDX-License-Identifier: MIT
 *
 * The Node version's notes: read in pages that end at a number of rows or of bytes, made to fit
 * where nothing is lost by it, checked by the rules of note.h, rendered, written in one transaction
 * a page. Depends on: from_node.h, note.h, note_store.h, markdown.h; sql/from-node/notes.sql. */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "data/db.h"
#include "from_node.h"
#include "note/markdown.h"
#include "note/note.h"
#include "note/note_store.h"
#include "service/from_node.h"

#define TABLE           "SQNotes"
#define PAGE_MAX_COUNT  NOTE_MOVE_MAX_COUNT
#define PAGE_MAX_BYTES  ((size_t)1024 * 1024) /* of bodies: the row that passes it is the last */
#define BODY_READ_BYTES (2 * (int64_t)NOTE_BODY_MAX_BYTES) /* were each line end two bytes */
#define PLACE_MAX_BYTES 8192

/* Made by tools/compile_statements.py. */
extern const struct db_statement from_node_notes_exists;
extern const struct db_statement from_node_notes_page;
extern const struct db_statement from_node_notes_next;
extern const struct db_statement from_node_notes_next_place;
extern const struct db_statement from_node_notes_of_room;

/* Where the next page begins. */
struct place {
    bool is_set;
    struct db_value value;
    char bytes[PLACE_MAX_BYTES];
};

struct row {
    struct bytes key;
    const char *reason; /* why it can't be moved; NULL: it can */
    const char *change; /* what it lost; NULL: nothing */
    struct note_move move;
};

struct notes {
    struct place place;
    struct from_node_counts counts;
};

/* Is it behind the last one, as far as can be told? Otherwise the pages would not end. */
static bool has_grown(const struct place *place, struct db_value value)
{
    const struct db_value *last = &place->value;
    if (value.kind == DB_NULL || !place->is_set)
        return value.kind != DB_NULL;
    if (value.kind == DB_I64 || last->kind == DB_I64)
        return value.kind == last->kind && value.number > last->number;
    return value.size_bytes != last->size_bytes ||
           (value.size_bytes && memcmp(value.bytes, last->bytes, value.size_bytes) != 0);
}

/* `key` is for people. */
static enum err
keep_place(struct ctx *ctx, struct place *place, struct db_value value, struct bytes key)
{
    if (!has_grown(place, value))
        return ctx_fail(ctx, ERR_INVALID,
                        TABLE " can't be read in order: at %s its rowid or key is NULL, no whole "
                              "number, or there twice",
                        from_node_shown(&ctx->arena, key));
    if (value.size_bytes > sizeof(place->bytes))
        return ctx_fail(ctx, ERR_INTERNAL, TABLE " has a key of %zu bytes", value.size_bytes);
    if (value.size_bytes)
        memcpy(place->bytes, value.bytes, value.size_bytes);
    place->value = value;
    place->value.bytes = place->bytes;
    place->is_set = true;
    return ERR_OK;
}

/* ---- a row ---- */

static const char *clean_title(struct ctx *ctx, struct row *row, struct bytes raw)
{
    bool is_changed = false;
    const char *title = from_node_text(ctx, raw, true, &is_changed);
    if (is_changed)
        from_node_lose(ctx, &row->change, "the title had control characters or was not UTF-8");
    if (!title || text_is_blank(title))
        return row->move.save.key;
    if (text_count_chars(title) <= NOTE_TITLE_MAX_CHARS)
        return title;
    from_node_lose(ctx, &row->change, "the title was longer than 255 characters and was cut");
    return text_cut(&ctx->arena, title, NOTE_TITLE_MAX_CHARS);
}

static const char *clean_body(struct ctx *ctx, struct row *row, struct bytes raw)
{
    bool is_changed = false;
    const char *body = from_node_text(ctx, raw, false, &is_changed);
    if (is_changed)
        from_node_lose(ctx, &row->change,
                       "the text had control characters or was not UTF-8; U+FFFD stands for them");
    return body ? body : "";
}

/* The rules of a note that somebody types, and one that is not needed there. */
static const char *check(struct ctx *ctx, const struct note_save *save)
{
    const struct note_draft draft = {
        .is_create = true, .key = save->key, .title = save->title, .body = save->body};
    if (save->key[0] == '\0')
        return "the key is empty";
    if (!note_draft_check(ctx, &draft))
        return NULL;
    const char *reason = arena_text(&ctx->arena, ctx->why.hint);
    ctx_forgive(ctx);
    return reason;
}

/* Columns from `first` on: key, title, size of the body, body. */
static void read_texts(struct ctx *ctx, const struct db_rows *rows, int first, struct row *row)
{
    struct note_save *save = &row->move.save;
    int64_t body_bytes = from_node_number(ctx, rows, first + 2);
    row->key = from_node_bytes(ctx, rows, first);
    save->key = from_node_exact(row->key);
    if (!save->key)
        row->reason =
            row->key.p ? "the key has control characters or is not UTF-8" : "it has no key";
    else if (body_bytes < 0 || body_bytes > BODY_READ_BYTES)
        row->reason = "the text is longer than 1 MiB";
    if (row->reason)
        return;
    save->body = clean_body(ctx, row, from_node_bytes(ctx, rows, first + 3));
    save->title = clean_title(ctx, row, from_node_bytes(ctx, rows, first + 1));
    row->reason = check(ctx, save);
}

/* One of the two tells the other; without both it is now. */
static void read_times(struct ctx *ctx, const struct db_rows *rows, struct row *row)
{
    int64_t created_unix_ms = 0;
    int64_t changed_unix_ms = 0;
    bool has_created = from_node_time(from_node_bytes(ctx, rows, 5), &created_unix_ms);
    bool has_changed = from_node_time(from_node_bytes(ctx, rows, 6), &changed_unix_ms);
    if (!has_created && !has_changed) {
        changed_unix_ms = clock_unix_ms();
        from_node_lose(ctx, &row->change, "it had no time; it has the time of the move");
    }
    row->move.created_unix_ms = has_created ? created_unix_ms : changed_unix_ms;
    row->move.save.now_unix_ms = has_changed || !has_created ? changed_unix_ms : created_unix_ms;
}

/* A text that is too large as HTML is moved all the same, and shown as it is. */
static enum err render(struct ctx *ctx, struct note_save *save)
{
    struct html html = {0};
    enum err err = markdown_render(ctx, save->body, strlen(save->body), NOTE_HTML_MAX_BYTES, &html);
    if (err && err != ERR_TOO_LARGE)
        return err;
    if (err)
        ctx_forgive(ctx);
    save->html = html;
    return ERR_OK;
}

/* ---- a page ---- */

/* The next row's place, and its key unless that is too large. */
static enum err read_next(struct ctx *ctx,
                          struct from_node *run,
                          const struct db_statement *statement,
                          struct place *place,
                          struct bytes *out_key)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    struct db_value after = place->is_set ? place->value : db_null();
    enum err err =
        db_query(ctx, run->source, statement, DB_VALUES(db_i64(!place->is_set), after), &rows);
    if (!err)
        err = db_next(ctx, &rows, &has_row);
    if (!err && !has_row)
        err = ctx_fail(ctx, ERR_INVALID, TABLE " lost a row while it was read");
    if (err)
        return err;
    *out_key = from_node_bytes(ctx, &rows, statement == &from_node_notes_next ? 1 : 0);
    return keep_place(ctx, place, db_rows_value(ctx, &rows, 0), *out_key);
}

static enum err skip(struct ctx *ctx, struct from_node *run, struct place *place, struct row *row)
{
    *row = (struct row){.reason = FROM_NODE_TOO_LARGE};
    enum err err = read_next(ctx, run, &from_node_notes_next, place, &row->key);
    if (err != ERR_TOO_LARGE)
        return err;
    ctx_forgive(ctx);
    row->reason = "its key is too large to be read; this is the row's number";
    return read_next(ctx, run, &from_node_notes_next_place, place, &row->key);
}

static enum err read_page(struct ctx *ctx,
                          struct from_node *run,
                          struct place *place,
                          struct row *rows_out,
                          size_t *out_count)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    size_t count = 0;
    size_t size_bytes = 0;
    bool has_row = false;
    struct db_value after = place->is_set ? place->value : db_null();
    enum err err = db_query(
        ctx, run->source, &from_node_notes_page,
        DB_VALUES(db_i64(BODY_READ_BYTES), db_i64(!place->is_set), after, db_i64(PAGE_MAX_COUNT)),
        &rows);
    while (!err && count < PAGE_MAX_COUNT && size_bytes < PAGE_MAX_BYTES &&
           (err = db_next(ctx, &rows, &has_row)) == ERR_OK && has_row) {
        struct row *row = &rows_out[count++];
        *row = (struct row){0};
        read_texts(ctx, &rows, 1, row);
        read_times(ctx, &rows, row);
        size_bytes += row->reason ? 0 : strlen(row->move.save.body);
        err = keep_place(ctx, place, db_rows_value(ctx, &rows, 0), row->key);
        if (!err && !row->reason)
            err = render(ctx, &row->move.save);
    }
    if (err == ERR_TOO_LARGE) {
        ctx_forgive(ctx);
        err = skip(ctx, run, place, &rows_out[count++]);
    }
    if (!err)
        *out_count = count;
    return err;
}

static enum err write_page(struct ctx *ctx, struct from_node *run, struct row *rows, size_t count)
{
    struct note_move *moves[PAGE_MAX_COUNT];
    size_t moves_count = 0;
    for (size_t i = 0; i < count; i++)
        if (!rows[i].reason)
            moves[moves_count++] = &rows[i].move;
    return note_move_all(ctx, run->here, moves, moves_count, run->is_dry);
}

static void tell(struct from_node *run, struct from_node_counts *counts, const struct row *row)
{
    static const char *const REASONS[] = {
        [NOTE_MOVED_OTHER] = "a note of this key is here with another text; it was left as it is",
        [NOTE_MOVED_DESTROYED] =
            "it was moved before and destroyed here; notes-svc --restore brings it back",
    };
    enum note_moved outcome = row->move.outcome;
    if (row->reason) {
        from_node_list(run, counts, TABLE, row->key, row->reason);
    } else if (outcome == NOTE_MOVED_OTHER || outcome == NOTE_MOVED_DESTROYED) {
        from_node_list(run, counts, TABLE, row->key, REASONS[outcome]);
    } else if (outcome == NOTE_MOVED_BEFORE) {
        counts->there++;
    } else {
        counts->moved++;
        if (row->change)
            from_node_note_change(run, counts, TABLE, row->key, row->change);
    }
}

static enum err move_page(struct ctx *ctx, struct from_node *run, void *state, bool *out_has_more)
{
    struct notes *notes = state;
    struct row *rows = arena_take_array(&ctx->arena, PAGE_MAX_COUNT, sizeof(*rows));
    size_t count = 0;
    enum err err = read_page(ctx, run, &notes->place, rows, &count);
    if (!err)
        err = write_page(ctx, run, rows, count);
    for (size_t i = 0; !err && i < count; i++)
        tell(run, &notes->counts, &rows[i]);
    *out_has_more = count > 0;
    return err;
}

enum err from_node_notes(struct from_node *run)
{
    struct notes notes = {.counts = {.what = "notes"}};
    bool has_table = false;
    enum err err = from_node_has_table(run, &from_node_notes_exists, &has_table);
    if (!err && !has_table)
        return from_node_refuse(run,
                                "there is no table " TABLE "; is it the database of the notes?");
    if (!err)
        err = from_node_pages(run, move_page, &notes);
    from_node_sum(run, &notes.counts);
    return err;
}

enum err from_node_note_of_room(struct ctx *ctx,
                                struct from_node *run,
                                const char *room,
                                const char **out_key)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    struct row row = {0};
    bool has_row = false;
    enum err err = db_query(ctx, run->source, &from_node_notes_of_room,
                            DB_VALUES(db_i64(BODY_READ_BYTES), db_text(room)), &rows);
    if (!err)
        err = db_next(ctx, &rows, &has_row);
    if (err == ERR_TOO_LARGE)
        ctx_forgive(ctx); /* it was listed */
    else if (err)
        return err;
    if (has_row)
        read_texts(ctx, &rows, 0, &row);
    *out_key = has_row && !row.reason ? row.move.save.key : NULL;
    return ERR_OK;
}
