/* SPDX-License-Identifier: MIT
 *
 * Questions about text and small changes of it. Text is UTF-8 (RFC 3629); case is ASCII case only,
 * so that the answer is the same on every system and database. Pure functions. */
#ifndef NOTES_TEXT_H
#define NOTES_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena;

/* Strict UTF-8 without NUL: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool text_is_utf8(const char *text, size_t size_bytes);

/* Units: code points. The text is valid UTF-8. */
size_t text_count_chars(const char *text);

/* Has a C0 or C1 control character or DEL; `allowed` lists bytes that are fine all the same
 * ("\n\t", or ""). */
bool text_has_control(const char *text, const char *allowed);

/* Empty, or nothing but Unicode white space and zero-width characters. */
bool text_is_blank(const char *text);

bool text_equals(const char *a, const char *b);
bool text_equals_nocase(const char *a, const char *b);
bool text_starts_with(const char *text, const char *prefix);
bool text_ends_with(const char *text, const char *suffix);

/* The number in decimal digits, written to the end of `room`; returns where it begins. It is not
 * ended by NUL: it goes to room + TEXT_I64_CHARS. Quicker than a format where that counts. */
#define TEXT_I64_CHARS 20
char *text_i64(char room[TEXT_I64_CHARS], int64_t number);

/* ASCII letters become lower case. */
char *text_lower(struct arena *arena, const char *text);

/* CRLF and a lone CR become LF, as HTML forms send CRLF for a line end (HTML, form submission). */
char *text_unix_newlines(struct arena *arena, const char *text);

/* Control characters, what shows nothing (see text_is_blank), and the ASCII characters of `others`
 * become `by`. Of several in a row, also where the text has them already, one is left; none at the
 * ends. */
char *text_tidy(struct arena *arena, const char *text, const char *others, char by);

/* At most max_chars code points of the text, never cut inside one. */
char *text_cut(struct arena *arena, const char *text, size_t max_chars);

#endif
