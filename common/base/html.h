/* SPDX-License-Identifier: MIT
 *
 * HTML that is safe to insert as it is. A type of its own, so that plain text can't be mistaken for
 * it: templates insert a `struct html` unescaped and escape everything else. Only the Markdown
 * renderer and the templates make values of this type. */
#ifndef NOTES_HTML_H
#define NOTES_HTML_H

#include <stddef.h>

struct html {
    const char *text; /* NUL-terminated, valid UTF-8; NULL is empty */
    size_t size_bytes;
};

#endif
