/* SPDX-License-Identifier: MIT
 *
 * A page that is made once for all who look at it: its HTML, and marks where it depends on the
 * viewer. A template that is compiled as "shared" (tools/compile_views.py) writes both ways of each
 * such choice and sets the marks; parts_fill makes one viewer's page of them, which is copying.
 * What is marked is decided by the template's text alone, so no value in a page can pose as a mark.
 * Pure. */
#ifndef NOTES_PARTS_H
#define NOTES_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/html.h"
#include "base/strbuf.h"

struct arena;

/* Who looks. */
struct viewer {
    const char *user; /* NULL: nobody is signed in */
    const char *csrf; /* the session's form token, NULL when nobody is signed in */
    bool is_unknown;  /* whether somebody is signed in can't be told right now */
};

enum part_kind {
    PART_USER,       /* here stands the user's name */
    PART_CSRF,       /* and here the form token */
    PART_IF_USER,    /* up to ELSE or END: for who is signed in */
    PART_IF_UNKNOWN, /* for who may be, and it can't be told */
    PART_IF_MAY,     /* for who has a right to the item of `owner` */
    PART_ELSE,
    PART_END,
};

struct part {
    enum part_kind kind;
    bool is_not;       /* of an IF: when it does not hold */
    size_t at;         /* offset in the text */
    const char *owner; /* of PART_IF_MAY */
};

/* Has this user a right to an item of this owner, on a page of that one? */
typedef bool (*parts_right)(const char *user, const char *owner, const char *page_owner);

struct parts {
    struct strbuf text;
    struct arena *arena; /* of the marks, while they are set */
    struct part *items;
    size_t count;
    size_t capacity;
    const char *owner; /* of the page, for `may`; NULL: nobody */
    parts_right may;   /* NULL: nobody has any right */
};

void parts_init(struct parts *parts, struct arena *arena, size_t first_bytes, size_t max_bytes);

/* Called by compiled templates. */
void parts_mark(struct parts *parts, enum part_kind kind);
void parts_if(struct parts *parts, enum part_kind kind, bool is_not);
void parts_if_may(struct parts *parts, const char *owner, bool is_not);

/* Adds the page of this viewer. */
void parts_fill(const struct parts *parts, const struct viewer *viewer, struct strbuf *out);

#endif
