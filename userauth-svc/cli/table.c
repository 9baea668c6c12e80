/* SPDX-License-Identifier: MIT
 *
 * Widths are counted in characters; wide and combining ones shift a line a little, which is better
 * than a table of widths that ages. Depends on: cli_wire.h, ctx.h, output.h, strbuf.h, text.h. */
#include "cli/table.h"

#include "base/ctx.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "cli/cli_wire.h"
#include "cli/output.h"

#define GAP_CHARS         2
#define LABEL_CHARS       13
#define COLUMNS_MAX_COUNT 8

struct column {
    const char *head;  /* of the table */
    const char *label; /* of a single user; also the order there; NULL: it stands in tables only */
    size_t offset;     /* of a text */
};

static const struct column USER_COLUMNS[] = {
    {"USERNAME", "username", offsetof(struct shown_user, username)},
    {"PROVIDER", "provider", offsetof(struct shown_user, provider)},
    {"STATE", "state", offsetof(struct shown_user, state)},
    {"FAMILY NAME", "family name", offsetof(struct shown_user, family_name)},
    {"GIVEN NAME", "given name", offsetof(struct shown_user, given_name)},
    {"MIDDLE NAME", "middle name", offsetof(struct shown_user, middle_name)},
    {"EMAILS", "emails", offsetof(struct shown_user, emails)},
};

static const struct column SESSION_COLUMNS[] = {
    {"SESSION", NULL, offsetof(struct shown_session, id)},
    {"SIGNED IN", NULL, offsetof(struct shown_session, created)},
    {"LAST USED", NULL, offsetof(struct shown_session, used)},
    {"ADDRESS", NULL, offsetof(struct shown_session, address)},
    {"DEVICE", NULL, offsetof(struct shown_session, device)},
};

static const struct column IDENTITY_COLUMNS[] = {
    {"ISSUER", NULL, offsetof(struct shown_identity, issuer)},
    {"SUBJECT", NULL, offsetof(struct shown_identity, subject)},
    {"PROVIDER", NULL, offsetof(struct shown_identity, provider)},
    {"LINKED", NULL, offsetof(struct shown_identity, created)},
};

_Static_assert(ARRAY_COUNT(USER_COLUMNS) <= COLUMNS_MAX_COUNT, "room for all cells of a line");
_Static_assert(ARRAY_COUNT(SESSION_COLUMNS) <= COLUMNS_MAX_COUNT, "room for all cells of a line");
_Static_assert(ARRAY_COUNT(IDENTITY_COLUMNS) <= COLUMNS_MAX_COUNT, "room for all cells of a line");

/* Rows of structs whose texts the columns name. */
struct grid {
    const struct column *columns;
    size_t columns_count;
    const char *rows;
    size_t row_bytes;
    size_t rows_count;
};

static const char *shown(struct ctx *ctx, const char *text)
{
    return text[0] ? output_text(ctx, text) : "-";
}

static const char *cell(struct ctx *ctx, const char *row, const struct column *column)
{
    const char *const *field = (const char *const *)(const void *)(row + column->offset);
    return shown(ctx, *field);
}

static void add_padded(struct strbuf *buf, const char *text, size_t width_chars)
{
    strbuf_add(buf, text);
    for (size_t i = text_count_chars(text); i < width_chars; i++)
        strbuf_add_char(buf, ' ');
}

/* One line. The last cell needs no blanks after it. */
static void
add_line(struct strbuf *buf, const char *const *cells, const size_t *widths, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++)
        add_padded(buf, cells[i], widths[i] + GAP_CHARS);
    strbuf_add(buf, cells[count - 1]);
    strbuf_add_char(buf, '\n');
}

static void add_grid(struct ctx *ctx, struct strbuf *buf, const struct grid *grid)
{
    const char *cells[COLUMNS_MAX_COUNT];
    size_t widths[COLUMNS_MAX_COUNT];
    for (size_t i = 0; i < grid->columns_count; i++) {
        cells[i] = grid->columns[i].head;
        widths[i] = text_count_chars(cells[i]);
        for (size_t row = 0; row < grid->rows_count; row++) {
            const char *text = cell(ctx, grid->rows + row * grid->row_bytes, &grid->columns[i]);
            size_t width = text_count_chars(text);
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    add_line(buf, cells, widths, grid->columns_count);
    for (size_t row = 0; row < grid->rows_count; row++) {
        for (size_t i = 0; i < grid->columns_count; i++)
            cells[i] = cell(ctx, grid->rows + row * grid->row_bytes, &grid->columns[i]);
        add_line(buf, cells, widths, grid->columns_count);
    }
}

void table_add_users(struct ctx *ctx, struct strbuf *buf, const struct shown_users *users)
{
    add_grid(ctx, buf,
             &(struct grid){.columns = USER_COLUMNS,
                            .columns_count = ARRAY_COUNT(USER_COLUMNS),
                            .rows = (const char *)users->items,
                            .row_bytes = sizeof(*users->items),
                            .rows_count = users->count});
}

void table_add_sessions(struct ctx *ctx, struct strbuf *buf, const struct shown_sessions *sessions)
{
    add_grid(ctx, buf,
             &(struct grid){.columns = SESSION_COLUMNS,
                            .columns_count = ARRAY_COUNT(SESSION_COLUMNS),
                            .rows = (const char *)sessions->items,
                            .row_bytes = sizeof(*sessions->items),
                            .rows_count = sessions->count});
}

void table_add_identities(struct ctx *ctx,
                          struct strbuf *buf,
                          const struct shown_identities *identities)
{
    add_grid(ctx, buf,
             &(struct grid){.columns = IDENTITY_COLUMNS,
                            .columns_count = ARRAY_COUNT(IDENTITY_COLUMNS),
                            .rows = (const char *)identities->items,
                            .row_bytes = sizeof(*identities->items),
                            .rows_count = identities->count});
}

static void add_labelled(struct strbuf *buf, const char *label, const char *text)
{
    add_padded(buf, label, LABEL_CHARS);
    strbuf_add(buf, text);
    strbuf_add_char(buf, '\n');
}

void table_add_user(struct ctx *ctx, struct strbuf *buf, const struct shown_user *user)
{
    for (size_t i = 0; i < ARRAY_COUNT(USER_COLUMNS); i++)
        add_labelled(buf, USER_COLUMNS[i].label, cell(ctx, (const char *)user, &USER_COLUMNS[i]));
    add_labelled(buf, "photos", shown(ctx, user->photos));
}
