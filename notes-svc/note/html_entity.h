/* SPDX-License-Identifier: MIT
 *
 * Character references as Markdown texts hold them: "&auml;", "&#228;", "&#xE4;". Known by name are
 * HTML 4's 252 and the ones of HTML 5 that stand for ASCII: enough for what people type, and all
 * that could hide a link's scheme. Pure. Source: HTML 4.01 section 24, HTML Living Standard
 * section 13.5. */
#ifndef NOTES_HTML_ENTITY_H
#define NOTES_HTML_ENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

#define HTML_ENTITY_TEXT_BYTES 5 /* one character of UTF-8 and the NUL */

/* The character of a reference, given with its "&" and ";". A number that is no character that may
 * be shown (control characters but tab and line feed, surrogates, beyond U+10FFFF) gives U+FFFD.
 * False: no such name; out_text is left as it was. */
MUST_CHECK bool
html_entity_decode(const char *text, size_t size_bytes, char out_text[HTML_ENTITY_TEXT_BYTES]);

#endif
