/* SPDX-License-Identifier: MIT
 *
 * One log line formed in the caller's storage, as JSON or for people. Apart from log.h because
 * it is pure: no thread, no clock, no descriptor. Only log.c uses it. Whatever the values hold
 * (controls, broken UTF-8, quotes), the result is one line, and in JSON one valid object. */
#ifndef NOTES_LOG_LINE_H
#define NOTES_LOG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

struct log_line {
    char text[LOG_LINE_MAX_BYTES]; /* ends in a newline, not in NUL */
    size_t size_bytes;
    bool is_over; /* while it is formed: what was put last did not fit */
};

struct log_look {
    const char *service;
    enum log_format format;
    bool is_coloured; /* of LOG_TEXT */
};

struct log_event {
    int64_t unix_ms;
    enum log_level level;
    const char *name;
    const char *request_id; /* NULL: none */
    const struct log_field *fields;
    size_t count;
};

/* A field that does not fit is left out as a whole, and the line then says is_cut. */
void log_line_form(struct log_line *line,
                   const struct log_look *look,
                   const struct log_event *event);

/* "error", "warn", "info", "debug". */
const char *log_level_name(enum log_level level);

#endif
