/* SPDX-License-Identifier: MIT
 *
 * Fields of a query or of an application/x-www-form-urlencoded body (WHATWG URL, section 5):
 * decoded strictly, at most FORM_FIELDS_MAX_COUNT. A field that comes twice is an error when it is
 * read, never a silent choice. */
#ifndef NOTES_FORM_H
#define NOTES_FORM_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"

struct ctx;

#define FORM_FIELDS_MAX_COUNT 32

struct form_field {
    const char *name;
    const char *value;
};

struct form {
    const struct form_field *fields;
    size_t count;
};

/* Errors: ERR_INVALID bad escape, invalid UTF-8, NUL, too many fields. An empty text gives an empty
 * form. */
MUST_CHECK enum err form_parse(struct ctx *ctx, struct bytes text, struct form *out_form);

/* The field's value, or NULL when it is absent. Errors: ERR_INVALID given more than once. */
MUST_CHECK enum err
form_text(struct ctx *ctx, const struct form *form, const char *name, const char **out_value);

/* The field's value. Errors: ERR_INVALID absent or given more than once (ctx->why.field is the
 * name). */
MUST_CHECK enum err
form_need(struct ctx *ctx, const struct form *form, const char *name, const char **out_value);

/* A decimal number within min..max. Errors: ERR_INVALID absent, twice, no such number. */
MUST_CHECK enum err form_need_i64(struct ctx *ctx,
                                  const struct form *form,
                                  const char *name,
                                  int64_t min,
                                  int64_t max,
                                  int64_t *out_number);

/* The first value of that name, or NULL: for showing again what was typed, whatever else is wrong
 * with the form. */
const char *form_first(const struct form *form, const char *name);

#endif
