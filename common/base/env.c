/* SPDX-License-Identifier: MIT
 *
 * The reader, checker and printer of the settings table. A faulty value leaves the fallback in
 * place, so that later checks of the same start do not report consequences. No message holds the
 * value of a secret.
 * Depends on: env.h, arena.h, ctx.h (for reading secret files), parse.h, strbuf.h, text.h. */
#include "base/env.h"

#include "base/arena.h"
#include "base/ctx.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHOWN_VALUE_MAX_CHARS 64
#define LIST_MAX_BYTES        1024
#define PEM_HEAD_MAX_BYTES    16384              /* a certificate has begun by then */
#define PEM_END_OF_BEGIN      "CERTIFICATE-----" /* or "X509 CERTIFICATE", "TRUSTED CERTIFICATE" */
#define SECRET_MASK           "********"
#define UNSET_MASK            "-"
#define INVALID_MASK          "(invalid)"
#define PEOPLE_MAX_COLUMNS    79 /* of a line on a terminal */
#define PEOPLE_INDENT         "    "

void env_fault(struct env_faults *faults, const char *name, const char *format, ...)
{
    if (faults->count == ENV_FAULTS_MAX_COUNT)
        return;
    va_list values;
    va_start(values, format);
    const char *reason = arena_format_list(faults->arena, format, values);
    va_end(values);
    faults->names[faults->count] = name;
    faults->lines[faults->count++] = arena_format(faults->arena, "%s: %s", name, reason);
}

/* NULL when unset or empty. */
static const char *get(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

bool env_is_set(const char *name)
{
    return get(name) != NULL;
}

/* A value as a message may show it: short, and without what could confuse a terminal. */
static const char *shown(struct arena *arena, const char *value)
{
    if (!text_is_utf8(value, strlen(value)))
        return "(not UTF-8)";
    char *copy = text_cut(arena, value, SHOWN_VALUE_MAX_CHARS);
    if (text_has_control(copy, ""))
        return "(control characters)";
    return strlen(copy) < strlen(value) ? arena_format(arena, "%s…", copy) : copy;
}

/* "json, text" */
static const char *choice_list(struct arena *arena, const char *const *choices, const char *between)
{
    struct strbuf list;
    strbuf_init(&list, arena, 0, LIST_MAX_BYTES);
    for (size_t i = 0; choices[i]; i++) {
        strbuf_add(&list, i > 0 ? between : "");
        strbuf_add(&list, choices[i]);
    }
    const char *text = "";
    return strbuf_text(&list, &text) == ERR_OK ? text : "";
}

/* The value of NAME or of its alias. */
static const char *get_with_alias(const struct setting *setting, struct env_faults *faults)
{
    const char *value = get(setting->name);
    const char *older = setting->alias ? get(setting->alias) : NULL;
    if (value && older && !text_equals(value, older))
        env_fault(faults, setting->name,
                  "has another value than %s, which means the same; set one of them",
                  setting->alias);
    return value ? value : older;
}

/* Where the value stands in the config; at.kind is what the AT_ macros checked. */
static void *field_of(const struct setting *setting, void *config)
{
    return (char *)config + setting->at.offset;
}

static const void *const_field_of(const struct setting *setting, const void *config)
{
    return (const char *)config + setting->at.offset;
}

static void read_i64(const struct setting *setting, int64_t *out_number, struct env_faults *faults)
{
    if (!parse_i64(setting->fallback, setting->min, setting->max, out_number))
        abort();
    const char *value = get_with_alias(setting, faults);
    if (value && !parse_i64(value, setting->min, setting->max, out_number))
        env_fault(faults, setting->name, "\"%s\" is not a number from %" PRId64 " to %" PRId64,
                  shown(faults->arena, value), setting->min, setting->max);
}

static bool is_choice(const char *const *choices, const char *value)
{
    for (size_t i = 0; choices[i]; i++) {
        if (text_equals(choices[i], value))
            return true;
    }
    return false;
}

/* What a file of certificates lacks, which who uses it would find out later; NULL: nothing.
 * O_NONBLOCK: a FIFO without a writer must not hold up the start. */
static const char *pem_fault(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return strerrordesc_np(errno);
    char head[PEM_HEAD_MAX_BYTES + 1];
    ssize_t size_bytes = read(fd, head, PEM_HEAD_MAX_BYTES);
    int failure = errno;
    close(fd);
    if (size_bytes < 0)
        return strerrordesc_np(failure);
    head[size_bytes] = '\0';
    return strstr(head, PEM_END_OF_BEGIN) ? NULL : "has no certificate in PEM form";
}

static void check_pem(const struct setting *setting, const char *path, struct env_faults *faults)
{
    const char *fault = pem_fault(path);
    if (fault)
        env_fault(faults, setting->name, "%s: %s", path, fault);
}

static void
read_text(const struct setting *setting, const char **out_text, struct env_faults *faults)
{
    *out_text = setting->fallback;
    const char *value = get_with_alias(setting, faults);
    if (!value)
        return;
    if (!text_is_utf8(value, strlen(value)) || text_has_control(value, ""))
        env_fault(faults, setting->name, "has control characters or is not UTF-8");
    else if (setting->choices && !is_choice(setting->choices, value))
        env_fault(faults, setting->name, "\"%s\" is none of %s", shown(faults->arena, value),
                  choice_list(faults->arena, setting->choices, ", "));
    else
        *out_text = arena_text(faults->arena, value);
    if (setting->is_pem_file && *out_text)
        check_pem(setting, *out_text, faults);
}

static void read_secret_file(const char *file_name,
                             const char *path,
                             struct secret *out_secret,
                             struct env_faults *faults)
{
    struct ctx ctx;
    ctx_init(&ctx, NULL, 0);
    if (secret_read_file(&ctx, path, out_secret) != ERR_OK)
        env_fault(faults, file_name, "%s", ctx.why.text);
    ctx_done(&ctx);
}

struct secret_place {
    const char *file_name; /* NAME_FILE, or that of the alias when only that is set */
    const char *path;      /* NULL: in no file */
    const char *value;     /* NULL: not in the environment */
};

static void
find_secret(const struct setting *setting, struct secret_place *out, struct env_faults *faults)
{
    struct secret_place place = {.value = get_with_alias(setting, faults)};
    place.file_name = arena_format(faults->arena, "%s_FILE", setting->name);
    place.path = get(place.file_name);
    const char *older_name =
        setting->alias ? arena_format(faults->arena, "%s_FILE", setting->alias) : NULL;
    const char *older = older_name ? get(older_name) : NULL;
    if (place.path && older) {
        env_fault(faults, place.file_name, "is set, and %s too; set one of them", older_name);
        place.path = NULL;
    } else if (older) {
        place.file_name = older_name;
        place.path = older;
    }
    *out = place;
}

/* What the process was started with can be read in /proc as long as it runs: a secret does not stay
 * there. Its setting reads as empty from then on. */
static void wipe_variable(const char *name)
{
    char *value = name ? getenv(name) : NULL;
    if (value)
        secret_wipe(value, strlen(value));
}

static void
read_secret(const struct setting *setting, struct secret *out_secret, struct env_faults *faults)
{
    struct secret_place place;
    find_secret(setting, &place, faults);
    if (place.value && place.path)
        env_fault(faults, setting->name, "is set, and %s too; set one of them", place.file_name);
    else if (place.path)
        read_secret_file(place.file_name, place.path, out_secret, faults);
    else if (place.value && strlen(place.value) > SECRET_MAX_BYTES)
        env_fault(faults, setting->name, "has more than %d bytes", SECRET_MAX_BYTES);
    else if (place.value || setting->fallback) {
        const char *text = place.value ? place.value : setting->fallback;
        *out_secret = secret_new(text, strlen(text));
    }
    wipe_variable(setting->name);
    wipe_variable(setting->alias);
}

void env_read(const struct setting *settings, size_t count, void *config, struct env_faults *faults)
{
    for (size_t i = 0; i < count; i++) {
        void *field = field_of(&settings[i], config);
        switch (settings[i].at.kind) {
        case SETTING_I64:
            read_i64(&settings[i], field, faults);
            break;
        case SETTING_TEXT:
            read_text(&settings[i], field, faults);
            break;
        case SETTING_SECRET:
            read_secret(&settings[i], field, faults);
            break;
        }
    }
}

void env_secrets_done(const struct setting *settings, size_t count, void *config)
{
    for (size_t i = 0; i < count; i++) {
        if (settings[i].at.kind == SETTING_SECRET)
            secret_done(field_of(&settings[i], config));
    }
}

/* Printing: all cells first, because a column is as wide as its widest cell. */

enum {
    COLUMN_NAME,
    COLUMN_VALUE,
    COLUMN_DEFAULT,
    COLUMN_RANGE,
    COLUMN_UNIT,
    COLUMN_HELP,
    COLUMN_COUNT
};

struct row {
    const char *cells[COLUMN_COUNT];
};

static const char *
value_cell(struct arena *arena, const struct setting *setting, const void *config)
{
    const void *field = const_field_of(setting, config);
    switch (setting->at.kind) {
    case SETTING_I64:
        return arena_format(arena, "%" PRId64, *(const int64_t *)field);
    case SETTING_SECRET:
        return secret_is_set(field) ? SECRET_MASK : UNSET_MASK;
    case SETTING_TEXT:
        break;
    }
    const char *text = *(const char *const *)field;
    return text && *text ? text : UNSET_MASK;
}

static const char *default_cell(const struct setting *setting)
{
    if (!setting->fallback || !*setting->fallback)
        return UNSET_MASK;
    return setting->at.kind == SETTING_SECRET ? SECRET_MASK : setting->fallback;
}

static const char *range_cell(struct arena *arena, const struct setting *setting)
{
    if (setting->at.kind == SETTING_I64)
        return arena_format(arena, "%" PRId64 "..%" PRId64, setting->min, setting->max);
    return setting->choices ? choice_list(arena, setting->choices, "|") : UNSET_MASK;
}

static const char *help_cell(struct arena *arena, const struct setting *setting)
{
    const char *help = setting->help ? setting->help : "";
    if (setting->at.kind == SETTING_SECRET)
        help = arena_format(arena, "%s (secret: also as %s_FILE)", help, setting->name);
    return setting->alias ? arena_format(arena, "%s (alias %s)", help, setting->alias) : help;
}

/* NAME, or NAME_FILE of a secret. */
static bool is_its_name(const struct setting *setting, const char *name, const char *fault_name)
{
    if (!name || !text_starts_with(fault_name, name))
        return false;
    const char *rest = fault_name + strlen(name);
    return !*rest || (setting->at.kind == SETTING_SECRET && text_equals(rest, "_FILE"));
}

static bool is_faulty(const struct setting *setting, const struct env_faults *faults)
{
    for (size_t i = 0; i < faults->count; i++) {
        if (is_its_name(setting, setting->name, faults->names[i]) ||
            is_its_name(setting, setting->alias, faults->names[i]))
            return true;
    }
    return false;
}

/* All but the value. */
static void fill_row(struct arena *arena, const struct setting *setting, struct row *row)
{
    row->cells[COLUMN_NAME] = setting->name;
    row->cells[COLUMN_DEFAULT] = default_cell(setting);
    row->cells[COLUMN_RANGE] = range_cell(arena, setting);
    row->cells[COLUMN_UNIT] = setting->unit ? setting->unit : UNSET_MASK;
    row->cells[COLUMN_HELP] = help_cell(arena, setting);
}

static size_t column_width(const struct row *rows, size_t count, size_t column)
{
    size_t width = 0;
    for (size_t i = 0; i < count; i++) {
        size_t chars = text_count_chars(rows[i].cells[column]);
        width = chars > width ? chars : width;
    }
    return width;
}

/* Padding by hand: printf counts bytes. */
static void print_row(FILE *out, const struct row *row, const size_t *widths)
{
    for (size_t column = 0; column < COLUMN_HELP; column++) {
        (void)fputs(row->cells[column], out);
        for (size_t at = text_count_chars(row->cells[column]); at < widths[column] + 2; at++)
            (void)fputc(' ', out);
    }
    (void)fprintf(out, "%s\n", row->cells[COLUMN_HELP]);
}

/* The words of a text in lines that fit, all indented. */
static void print_wrapped(FILE *out, struct arena *arena, const char *text)
{
    size_t column = 0;
    for (const char *word = text; *word;) {
        size_t size_bytes = strcspn(word, " ");
        size_t chars = text_count_chars(arena_text_copy(arena, word, size_bytes));
        bool is_first = column == 0 || column + 1 + chars > PEOPLE_MAX_COLUMNS;
        (void)fprintf(out, "%s%s%.*s", column > 0 && is_first ? "\n" : "",
                      is_first ? PEOPLE_INDENT : " ", (int)size_bytes, word);
        column = is_first ? strlen(PEOPLE_INDENT) + chars : column + 1 + chars;
        word += size_bytes;
        word += strspn(word, " ");
    }
    (void)fputc('\n', out);
}

/* "1..600 s, default 30"; as much of it as there is. */
static const char *limits_text(struct arena *arena, const struct row *row)
{
    const char *const *cells = row->cells;
    bool has_range = !text_equals(cells[COLUMN_RANGE], UNSET_MASK);
    bool has_unit = !text_equals(cells[COLUMN_UNIT], UNSET_MASK);
    bool has_default = !text_equals(cells[COLUMN_DEFAULT], UNSET_MASK);
    return arena_format(arena, "%s%s%s%s%s%s", has_range ? cells[COLUMN_RANGE] : "",
                        has_unit ? " " : "", has_unit ? cells[COLUMN_UNIT] : "",
                        has_range && has_default ? ", " : "", has_default ? "default " : "",
                        has_default ? cells[COLUMN_DEFAULT] : "");
}

/* The table is wider than a terminal: there each setting stands by itself, as it would be set. */
static void print_for_people(FILE *out, struct arena *arena, const struct row *row)
{
    const char *value = row->cells[COLUMN_VALUE];
    const char *limits = limits_text(arena, row);
    bool is_set = !text_equals(value, UNSET_MASK);
    (void)fprintf(out, "%s%s%s\n", row->cells[COLUMN_NAME], is_set ? "=" : " ",
                  is_set ? value : "(not set)");
    print_wrapped(out, arena, row->cells[COLUMN_HELP]);
    if (*limits)
        print_wrapped(out, arena, limits);
}

static void print_table(FILE *out, const struct row *rows, size_t count)
{
    size_t widths[COLUMN_COUNT];
    for (size_t column = 0; column < COLUMN_COUNT; column++)
        widths[column] = column_width(rows, count, column);
    for (size_t i = 0; i < count; i++)
        print_row(out, &rows[i], widths);
}

void env_print(FILE *out,
               const struct setting *settings,
               size_t count,
               const void *config,
               const struct env_faults *faults)
{
    struct arena arena;
    arena_init(&arena);
    struct row *rows = arena_take_array(&arena, count + 1, sizeof(*rows));
    rows[0] = (struct row){{"NAME", "VALUE", "DEFAULT", "RANGE", "UNIT", "MEANING"}};
    for (size_t i = 0; i < count; i++) {
        fill_row(&arena, &settings[i], &rows[i + 1]);
        rows[i + 1].cells[COLUMN_VALUE] = is_faulty(&settings[i], faults)
                                              ? INVALID_MASK
                                              : value_cell(&arena, &settings[i], config);
    }
    bool is_for_people = isatty(fileno(out)) == 1;
    for (size_t i = 1; is_for_people && i < count + 1; i++)
        print_for_people(out, &arena, &rows[i]);
    if (!is_for_people)
        print_table(out, rows, count + 1);
    arena_done(&arena);
}
