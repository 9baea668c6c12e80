/* SPDX-License-Identifier: MIT
 *
 * How compiled templates (tools/compile_views.py) add a value to a page: one name per kind of
 * place. The compiler of templates picks the place, C picks the type: what has no safe form there
 * (a struct html among plain text, plain text marked as HTML, a bool) does not compile.
 *
 * Depends on: strbuf.h, html.h. Called from generated code only. */
#ifndef NOTES_TEMPLATE_H
#define NOTES_TEMPLATE_H

#include <stdbool.h>

#include "base/html.h"
#include "base/strbuf.h"

/* HTML text and quoted attributes. NULL adds nothing. */
#define TEMPLATE_ADD_TEXT(out, value) \
    _Generic((value),                                                                              \
        char *: strbuf_add_html,                                                                   \
        const char *: strbuf_add_html,                                                             \
        int: strbuf_add_i64,                                                                       \
        long: strbuf_add_i64,                                                                      \
        long long: strbuf_add_i64)((out), (value))

/* One component of a URL, such as the value of a query's parameter. */
#define TEMPLATE_ADD_URL(out, value) \
    _Generic((value),                                                                              \
        char *: strbuf_add_url,                                                                    \
        const char *: strbuf_add_url,                                                              \
        int: strbuf_add_i64,                                                                       \
        long: strbuf_add_i64,                                                                      \
        long long: strbuf_add_i64)((out), (value))

/* Adds what is already safe HTML as it is. */
static inline void template_add_html(struct strbuf *out, struct html html)
{
    if (html.text)
        strbuf_add_bytes(out, html.text, html.size_bytes);
}

/* Whether a browser would take this for a path of this site. Browsers read "\" as "/" and drop tabs
 * and line ends, so "/\host" and "/<tab>/host" would lead away. */
static inline bool template_is_own_path(const char *path)
{
    if (!path || path[0] != '/' || path[1] == '/' || path[1] == '\\')
        return false;
    for (const char *c = path; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    }
    return true;
}

/* A whole path of this site that the program made; anything else becomes "/". */
static inline void template_add_path(struct strbuf *out, const char *path)
{
    strbuf_add_html(out, template_is_own_path(path) ? path : "/");
}

#endif
