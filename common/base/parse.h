/* SPDX-License-Identifier: MIT
 *
 * Strict reading of numbers and encodings: the whole text must fit, outputs stay as they were
 * otherwise. */
#ifndef NOTES_PARSE_H
#define NOTES_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/cleanup.h"

struct arena;

/* Decimal digits with an optional minus, nothing else, within min..max. */
MUST_CHECK bool parse_i64(const char *text, int64_t min, int64_t max, int64_t *out_number);

/* Percent-encoding (RFC 3986 2.1); with `plus_is_space` as application/x-www-form-urlencoded has
 * it. False on a bad escape or on a result with NUL or invalid UTF-8. */
MUST_CHECK bool parse_percent(
    struct arena *arena, const char *text, size_t size_bytes, bool plus_is_space, char **out_text);

/* base64 (RFC 4648 section 4, padding needed), for Basic credentials. The result ends in NUL
 * besides its length. */
MUST_CHECK bool parse_base64(struct arena *arena, const char *text, struct bytes *out_bytes);

#endif
