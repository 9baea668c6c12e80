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

#define GAP_CHARS   2
#define LABEL_CHARS 13

struct column {
    const char *head;  /* of the table */
    const char *label; /* of a single user; also the order there */
    size_t offset;
};

static const struct column COLUMNS[] = {
    {"USERNAME", "username", offsetof(struct shown_user, username)},
    {"PROVIDER", "provider", offsetof(struct shown_user, provider)},
    {"FAMILY NAME", "family name", offsetof(struct shown_user, family_name)},
    {"GIVEN NAME", "given name", offsetof(struct shown_user, given_name)},
    {"MIDDLE NAME", "middle name", offsetof(struct shown_user, middle_name)},
    {"EMAILS", "emails", offsetof(struct shown_user, emails)},
};

static const char *shown(struct ctx *ctx, const char *text)
{
    return text[0] ? output_text(ctx, text) : "-";
}

static const char *cell(struct ctx *ctx, const struct shown_user *user, const struct column *column)
{
    const char *const *field =
        (const char *const *)(const void *)((const char *)user + column->offset);
    return shown(ctx, *field);
}

static void add_padded(struct strbuf *buf, const char *text, size_t width_chars)
{
    strbuf_add(buf, text);
    for (size_t i = text_count_chars(text); i < width_chars; i++)
        strbuf_add_char(buf, ' ');
}

/* One line. The last cell needs no blanks after it. */
static void add_line(struct strbuf *buf, const char *const *cells, const size_t *widths)
{
    const size_t last = ARRAY_COUNT(COLUMNS) - 1;
    for (size_t i = 0; i < last; i++)
        add_padded(buf, cells[i], widths[i] + GAP_CHARS);
    strbuf_add(buf, cells[last]);
    strbuf_add_char(buf, '\n');
}

void table_add_users(struct ctx *ctx, struct strbuf *buf, const struct shown_users *users)
{
    const char *cells[ARRAY_COUNT(COLUMNS)];
    size_t widths[ARRAY_COUNT(COLUMNS)];
    for (size_t i = 0; i < ARRAY_COUNT(COLUMNS); i++) {
        cells[i] = COLUMNS[i].head;
        widths[i] = text_count_chars(cells[i]);
        for (size_t row = 0; row < users->count; row++) {
            size_t width = text_count_chars(cell(ctx, &users->items[row], &COLUMNS[i]));
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    add_line(buf, cells, widths);
    for (size_t row = 0; row < users->count; row++) {
        for (size_t i = 0; i < ARRAY_COUNT(COLUMNS); i++)
            cells[i] = cell(ctx, &users->items[row], &COLUMNS[i]);
        add_line(buf, cells, widths);
    }
}

static void add_labelled(struct strbuf *buf, const char *label, const char *text)
{
    add_padded(buf, label, LABEL_CHARS);
    strbuf_add(buf, text);
    strbuf_add_char(buf, '\n');
}

void table_add_user(struct ctx *ctx, struct strbuf *buf, const struct shown_user *user)
{
    for (size_t i = 0; i < ARRAY_COUNT(COLUMNS); i++)
        add_labelled(buf, COLUMNS[i].label, cell(ctx, user, &COLUMNS[i]));
    add_labelled(buf, "photos", shown(ctx, user->photos));
}
