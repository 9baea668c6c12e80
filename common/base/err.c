/* SPDX-License-Identifier: MIT
 *
 * The error table's columns. A number that is no code of the table answers as INTERNAL, so that
 * a wrong cast can never read beyond the table.
 * Depends on: err.h. */
#include "base/err.h"

struct err_row {
    const char *name;
    int status;
    const char *code;
    const char *text;
};

static const struct err_row rows[ERR_COUNT] = {
#define ERR_ROW(name, status, code, text) [ERR_##name] = {#name, status, code, text},
    ERR_TABLE(ERR_ROW)
#undef ERR_ROW
};

static const struct err_row *row_of(enum err err)
{
    return (unsigned)err < (unsigned)ERR_COUNT ? &rows[err] : &rows[ERR_INTERNAL];
}

const char *err_name(enum err err)
{
    return row_of(err)->name;
}

int err_status(enum err err)
{
    return row_of(err)->status;
}

const char *err_code(enum err err)
{
    return row_of(err)->code;
}

const char *err_text(enum err err)
{
    return row_of(err)->text;
}
