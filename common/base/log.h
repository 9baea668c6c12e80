/* SPDX-License-Identifier: MIT
 *
 * Log lines of typed fields, one event a line, on standard output; JSON for machines, text for
 * people. Never built from a format that holds a user's data; control characters are escaped, so a
 * line can't be forged.
 *
 * Callers never wait: a line is formed by the caller's thread and put into a bounded buffer
 * (LOG_BUFFER_BYTES) that one writer thread empties. When the reader of our output stands still and
 * the buffer is full, lines are dropped and counted; `log.lines_dropped` says so as soon as there
 * is room. log_free writes what is left. Event names are `noun.verb_past`, constant. */
#ifndef NOTES_LOG_H
#define NOTES_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct ctx;
struct log;

#define LOG_BUFFER_BYTES    (1024 * 1024)
#define LOG_LINE_MAX_BYTES  8192
#define LOG_VALUE_MAX_BYTES 1024 /* longer texts are cut, and marked with "…" */

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_JSON, LOG_TEXT };
enum log_kind { LOG_KIND_TEXT, LOG_KIND_I64, LOG_KIND_BOOL };

struct log_field {
    const char *name;
    enum log_kind kind;
    const char *text; /* NULL: the field is left out */
    int64_t number;
};

/* Starts the writer thread on file descriptor `fd`. `service` is static text ("notes-svc"). */
struct log *log_new(int fd, const char *service, enum log_level level, enum log_format format);
/* Writes what is buffered (for at most LOG_FLUSH_MS when the reader stands still) and ends the
 * thread. */
void log_free(struct log *log);
/* The same, and leaves the log in place, for a process that ends at once while others still log:
 * what they say from now on is lost. Not to be freed any more. */
void log_end(struct log *log);
#define LOG_FLUSH_MS 2000

/* False when the level is off or the name is unknown. */
MUST_CHECK bool log_level_parse(const char *text, enum log_level *out_level);
MUST_CHECK bool log_format_parse(const char *text, enum log_format *out_format);

static inline struct log_field log_str(const char *name, const char *text)
{
    return (struct log_field){.name = name, .kind = LOG_KIND_TEXT, .text = text};
}

static inline struct log_field log_i64(const char *name, int64_t number)
{
    return (struct log_field){.name = name, .kind = LOG_KIND_I64, .text = "", .number = number};
}

static inline struct log_field log_bool(const char *name, bool is_true)
{
    return (struct log_field){.name = name, .kind = LOG_KIND_BOOL, .text = "", .number = is_true};
}

/* ts, level, svc, event and, from ctx, req_id stand first, then the fields in order. */
void log_event_write(struct log *log,
                     const struct ctx *ctx,
                     enum log_level level,
                     const char *event,
                     const struct log_field *fields,
                     size_t count);

/* log_info(ctx, "comment.created", log_str("note", key), log_i64("text_chars", n));
 * ctx gives log and request id. At least one field. */
#define LOG_AT(ctx, level, event, ...)                                                            \
    log_event_write((ctx)->log, (ctx), (level), (event), (const struct log_field[]){__VA_ARGS__}, \
                    sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
#define log_error(ctx, event, ...) LOG_AT(ctx, LOG_ERROR, event, __VA_ARGS__)
#define log_warn(ctx, event, ...)  LOG_AT(ctx, LOG_WARN, event, __VA_ARGS__)
#define log_info(ctx, event, ...)  LOG_AT(ctx, LOG_INFO, event, __VA_ARGS__)
#define log_debug(ctx, event, ...) LOG_AT(ctx, LOG_DEBUG, event, __VA_ARGS__)

#endif
