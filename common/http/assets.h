/* SPDX-License-Identifier: MIT
 *
 * Files that are compiled into the program: style sheet, script, pictures. The table is made at
 * build time by tools/compile_assets.py from a folder; programs without assets do not link it. A
 * path holds a digest of the content, so it may be cached for ever: other content has another path.
 *
 * Depends on: nothing. Holds data only; sending it is the server's work. */
#ifndef NOTES_ASSETS_H
#define NOTES_ASSETS_H

#include <stddef.h>

struct asset {
    const char
        *name; /* "notes.css": the file's name, which does not change when its content does */
    const char *path; /* "/assets/notes.0123456789.css": what pages link to */
    const char *type; /* for Content-Type */
    const unsigned char *bytes;
    size_t size_bytes;
    const unsigned char *gzip; /* the same, gzipped; NULL where that would not be smaller */
    size_t gzip_bytes;
};

/* Sorted by name. */
extern const struct asset assets_table[];
extern const size_t assets_count;

#endif
