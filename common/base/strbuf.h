/* SPDX-License-Identifier: MIT
 *
 * Text under construction, in an arena and never longer than a maximum that is given at the start.
 * Overflow is sticky: appends after it do nothing, and strbuf_text reports it once at the end, so
 * that ten appends need one check. Appenders that escape are named for the place that the text goes
 * to; there is none for SQL on purpose. */
#ifndef NOTES_STRBUF_H
#define NOTES_STRBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct arena;

struct strbuf {
    struct arena *arena;
    char *text; /* NUL-terminated at all times */
    size_t size_bytes;
    size_t capacity_bytes;
    size_t max_bytes;
    bool is_over;
};

/* Units: first_bytes is room taken at once (0: none yet); max_bytes is the limit without the NUL.
 */
void strbuf_init(struct strbuf *buf, struct arena *arena, size_t first_bytes, size_t max_bytes);

void strbuf_add(struct strbuf *buf, const char *text);
void strbuf_add_bytes(struct strbuf *buf, const char *text, size_t size_bytes);
void strbuf_add_char(struct strbuf *buf, char c);
void strbuf_add_i64(struct strbuf *buf, int64_t number);
void strbuf_format(struct strbuf *buf, const char *format, ...) FORMAT(2, 3);

/* For HTML text and quoted attribute values: & < > " ' become references. NULL adds nothing. */
void strbuf_add_html(struct strbuf *buf, const char *text);
void strbuf_add_html_bytes(struct strbuf *buf, const char *text, size_t size_bytes);

/* For one component of a URL: all but RFC 3986 "unreserved" is percent-encoded. The result is safe
 * in HTML too. */
void strbuf_add_url(struct strbuf *buf, const char *text);

/* For JSON: a quoted string (RFC 8259), with < > & U+2028 and U+2029 escaped as well; NULL adds
 * null. */
void strbuf_add_json(struct strbuf *buf, const char *text);

/* The text, or ERR_TOO_LARGE if any append passed the maximum. */
MUST_CHECK enum err strbuf_text(const struct strbuf *buf, const char **out_text);

#endif
