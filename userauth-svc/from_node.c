/* SPDX-License-Identifier: MIT
 *
 * The Node version's users, page by page in the order of their ids, checked by the rules of user.h.
 * A bcrypt hash is kept as it is, so that the old password works; it is never told. Depends on:
 * service/from_node.h, accounts.h, user_wire.h (the lists); sql/from-node/users.sql. */
#include "from_node.h"

#include <string.h>

#include "auth/password.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "config.h"
#include "data/migrate.h"
#include "service/from_node.h"
#include "user/accounts.h"
#include "user/user.h"
#include "user/user_wire.h"

#define TABLE          "SQUsers"
#define PAGE_MAX_COUNT ACCOUNT_MOVE_MAX_COUNT

/* Made by tools/compile_statements.py and tools/compile_sql.py. */
extern const struct db_statement from_node_users_exists;
extern const struct db_statement from_node_users_unreachable;
extern const struct db_statement from_node_users_page;
extern const struct db_statement from_node_users_next;
extern const struct migrations userauth_migrations;
extern const struct migrations userauth_migrations_mysql;

/* Columns of from_node_users_page. */
enum column {
    COLUMN_ID,
    COLUMN_USERNAME,
    COLUMN_PASSWORD,
    COLUMN_PROVIDER,
    COLUMN_FAMILY_NAME,
    COLUMN_GIVEN_NAME,
    COLUMN_MIDDLE_NAME,
    COLUMN_EMAILS,
    COLUMN_PHOTOS,
    COLUMN_CREATED,
    COLUMN_UPDATED
};

struct row {
    struct bytes username;
    const char *reason; /* why it can't be moved; NULL: it can */
    const char *change; /* what it lost; NULL: nothing */
    struct account_move move;
};

struct users {
    int64_t last_id; /* of the source, read so far */
    struct from_node_counts counts;
};

/* A row being read. */
struct reading {
    const struct db_rows *rows;
    struct row *row;
};

/* ---- a row ---- */

static const char *read_name(struct ctx *ctx, struct reading reading, enum column column)
{
    bool is_changed = false;
    const char *name =
        from_node_text(ctx, from_node_bytes(ctx, reading.rows, (int)column), true, &is_changed);
    if (is_changed)
        from_node_lose(ctx, &reading.row->change, "a name had control characters or was not UTF-8");
    return name;
}

static const char *
read_list(struct ctx *ctx, struct reading reading, enum column column, const char *change)
{
    struct bytes raw = from_node_bytes(ctx, reading.rows, (int)column);
    const char *list = "[]";
    if (raw.n == 0 || user_wire_list_of(ctx, (const char *)raw.p, &list))
        return list;
    from_node_lose(ctx, &reading.row->change, change);
    return "[]";
}

/* The hash that makes the old password work; NULL where there is none that could. */
static const char *read_password(struct ctx *ctx, struct reading reading)
{
    const char *hash = from_node_exact(from_node_bytes(ctx, reading.rows, COLUMN_PASSWORD));
    if (!user_is_local(&reading.row->move.user))
        return NULL; /* the Node version stored bcrypt of the empty text for them */
    if (hash && password_is_bcrypt(hash))
        return hash;
    from_node_lose(ctx, &reading.row->change,
                   "its password is no bcrypt hash of cost 4 to 12: it has none now, set one "
                   "with userauth-cli set-password");
    return NULL;
}

static void read_times(struct ctx *ctx, struct reading reading)
{
    struct account_move *move = &reading.row->move;
    bool has_created =
        from_node_time(from_node_bytes(ctx, reading.rows, COLUMN_CREATED), &move->created_unix_ms);
    bool has_updated =
        from_node_time(from_node_bytes(ctx, reading.rows, COLUMN_UPDATED), &move->updated_unix_ms);
    if (!has_created && !has_updated)
        move->created_unix_ms = clock_unix_ms();
    else if (!has_created)
        move->created_unix_ms = move->updated_unix_ms;
    if (!has_updated)
        move->updated_unix_ms = move->created_unix_ms;
}

/* The rules of a user that somebody makes. */
static const char *check(struct ctx *ctx, const struct user *user)
{
    const struct user_draft draft = {
        .username = {.is_given = true, .text = user->username},
        .provider = {.is_given = true, .text = user->provider},
        .family_name = {.is_given = true, .text = user->family_name},
        .given_name = {.is_given = true, .text = user->given_name},
        .middle_name = {.is_given = true, .text = user->middle_name},
    };
    if (!user_draft_check(ctx, &draft))
        return NULL;
    const char *reason = arena_text(&ctx->arena, ctx->why.hint);
    ctx_forgive(ctx);
    return reason;
}

static void read_row(struct ctx *ctx, struct reading reading)
{
    struct row *row = reading.row;
    struct user *user = &row->move.user;
    row->username = from_node_bytes(ctx, reading.rows, COLUMN_USERNAME);
    user->username = from_node_exact(row->username);
    if (!user->username) {
        row->reason =
            row->username.p ? "the name has control characters or is not UTF-8" : "it has no name";
        return;
    }
    const char *provider = read_name(ctx, reading, COLUMN_PROVIDER);
    user->provider = provider && !text_is_blank(provider) ? provider : USER_PROVIDER_LOCAL;
    user->family_name = read_name(ctx, reading, COLUMN_FAMILY_NAME);
    user->given_name = read_name(ctx, reading, COLUMN_GIVEN_NAME);
    user->middle_name = read_name(ctx, reading, COLUMN_MIDDLE_NAME);
    user->emails =
        read_list(ctx, reading, COLUMN_EMAILS,
                  "its e-mails are no JSON array of at most 2048 bytes: it has none now");
    user->photos = read_list(ctx, reading, COLUMN_PHOTOS,
                             "its photos are no JSON array of at most 2048 bytes: it has none now");
    row->move.password = read_password(ctx, reading);
    read_times(ctx, reading);
    row->reason = check(ctx, user);
}

/* ---- a page ---- */

static enum err read_page(struct ctx *ctx,
                          struct from_node *run,
                          struct users *users,
                          struct row *rows_out,
                          size_t *out_count)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    size_t count = 0;
    bool has_row = false;
    enum err err = db_query(ctx, run->source, &from_node_users_page,
                            DB_VALUES(db_i64(users->last_id), db_i64(PAGE_MAX_COUNT)), &rows);
    while (!err && count < PAGE_MAX_COUNT && (err = db_next(ctx, &rows, &has_row)) == ERR_OK &&
           has_row) {
        err = from_node_take_id(ctx, &rows, TABLE, &users->last_id);
        read_row(ctx, (struct reading){.rows = &rows, .row = &rows_out[count++]});
    }
    if (err == ERR_TOO_LARGE) {
        ctx_forgive(ctx);
        err = from_node_skip_id(ctx, run, &from_node_users_next, TABLE, &users->last_id);
        const char *id = arena_format(&ctx->arena, "id %lld", (long long)users->last_id);
        rows_out[count++] = (struct row){
            .username = {.p = (const unsigned char *)id, .n = strlen(id)},
            .reason = FROM_NODE_TOO_LARGE,
        };
    }
    if (!err)
        *out_count = count;
    return err;
}

static enum err write_page(struct ctx *ctx, struct from_node *run, struct row *rows, size_t count)
{
    struct account_move *moves[PAGE_MAX_COUNT];
    size_t moves_count = 0;
    for (size_t i = 0; i < count; i++)
        if (!rows[i].reason)
            moves[moves_count++] = &rows[i].move;
    ctx->db = run->here;
    return account_move_all(ctx, moves, moves_count, run->is_dry);
}

static void tell(struct from_node *run, struct from_node_counts *counts, const struct row *row)
{
    static const char *const REASONS[] = {
        [ACCOUNT_MOVED_SPELLED] = "a user is here whose name is the same but for case",
        [ACCOUNT_MOVED_PASSWORD] = "a user of this name is here whose password is or may be "
                                   "another; it was left as it is",
    };
    enum account_moved outcome = row->move.outcome;
    if (row->reason) {
        from_node_list(run, counts, TABLE, row->username, row->reason);
    } else if (outcome == ACCOUNT_MOVED_SPELLED || outcome == ACCOUNT_MOVED_PASSWORD) {
        from_node_list(run, counts, TABLE, row->username, REASONS[outcome]);
    } else if (outcome == ACCOUNT_MOVED_BEFORE) {
        counts->there++;
    } else {
        counts->moved++;
        if (row->change)
            from_node_note_change(run, counts, TABLE, row->username, row->change);
    }
}

static enum err move_page(struct ctx *ctx, struct from_node *run, void *state, bool *out_has_more)
{
    struct users *users = state;
    struct row *rows = arena_take_array(&ctx->arena, PAGE_MAX_COUNT, sizeof(*rows));
    size_t count = 0;
    enum err err = read_page(ctx, run, users, rows, &count);
    if (!err)
        err = write_page(ctx, run, rows, count);
    for (size_t i = 0; !err && i < count; i++)
        tell(run, &users->counts, &rows[i]);
    *out_has_more = count > 0;
    return err;
}

static enum err move(struct from_node *run)
{
    struct users users = {.last_id = INT64_MIN, .counts = {.what = "users"}};
    bool has_table = false;
    enum err err = from_node_has_table(run, &from_node_users_exists, &has_table);
    if (!err && !has_table)
        return from_node_refuse(run,
                                "there is no table " TABLE "; is it the database of the users?");
    if (!err)
        err = from_node_check_ids(run, &from_node_users_unreachable, TABLE);
    if (!err)
        err = from_node_pages(run, move_page, &users);
    from_node_sum(run, &users.counts);
    return err;
}

int from_node(const void *storage, const char *url, bool is_dry)
{
    const struct config *config = storage;
    const struct from_node_job job = {
        .service = "userauth-svc",
        .config = config,
        .here = &config->database.options,
        .password = &config->from_node_password,
        .tables = config->database.path ? &userauth_migrations : &userauth_migrations_mysql,
        .state_dir = config->database.path ? config->service.state_dir : NULL,
        .move = move,
    };
    return from_node_run(&job, url, is_dry);
}
