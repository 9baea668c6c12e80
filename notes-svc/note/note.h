/* SPDX-License-Identifier: MIT
 *
 * What a note is and what may be one: its parts and their limits, the check of what somebody typed,
 * the key that is made from a title, and the rule of revisions. Pure: no SQL, no HTTP. Depends on:
 * base. */
#ifndef NOTES_NOTE_H
#define NOTES_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/html.h"

struct arena;
struct ctx;

#define NOTE_KEY_MAX_CHARS 255
#define NOTE_MADE_KEY_MAX_CHARS \
    200 /* of a key made from a title: leaves room for "-2" and so on \
         */
#define NOTE_TITLE_MAX_CHARS 255
#define NOTE_BODY_MAX_BYTES  ((size_t)1024 * 1024)
#define NOTE_HTML_MAX_BYTES  ((size_t)4 * 1024 * 1024)

struct note {
    int64_t id;
    const char *key;
    const char *title;
    const char *body; /* Markdown as it was typed; NULL where it was not read */
    struct html
        html; /* of body; text NULL: not read, or too large so that the body is shown as it is */
    const char *author; /* who made the note; NULL when unknown */
    const char *editor; /* who saved this version; NULL when unknown, or with NOTE_HEAD */
    int64_t version;    /* counts changes of the text, from 1 */
    int64_t revision;   /* of the note and its comments; compared by inequality only */
    int64_t created_unix_ms;
    int64_t changed_unix_ms; /* of the text */
};

/* A row of the home page. */
struct note_title {
    const char *key;
    const char *title;
    const char *author; /* NULL when unknown */
    int64_t changed_unix_ms;
};

struct note_list {
    const struct note_title *items;
    size_t count;
    bool has_more;    /* there are older ones */
    int64_t revision; /* of the list, for a page that shows it; 0 where it was not asked for */
};

/* A note as somebody typed it. */
struct note_draft {
    bool is_create;
    const char *key; /* on create "" asks for one made from the title */
    const char *title;
    const char *body;
    int64_t version;  /* on update: the version that was edited, 0: the latest; 0 on create */
    int64_t revision; /* of the note when its form was made; 0: not known */
};

/* May this be saved? The member's name ("notekey", "title", "body") is in ctx->why.field, the
 * reason for people in ctx->why.hint. Errors: ERR_INVALID a part is empty, too long or has control
 * characters; ERR_TOO_LARGE the body is. */
MUST_CHECK enum err note_draft_check(struct ctx *ctx, const struct note_draft *draft);

/* A key in the manner of "my-note" from "My note!": ASCII letters in lower case, digits, and
 * letters of other scripts; what lies between them becomes "-". At most NOTE_MADE_KEY_MAX_CHARS;
 * "note" when nothing is left. */
const char *note_key_from_title(struct arena *arena, const char *title);

/* "my-note-2": the `number`th of these. */
const char *note_key_numbered(struct arena *arena, const char *key, int64_t number);

/* The revision after `previous`: greater than any before, and near the time, so that one which a
 * restored backup has forgotten is not given again. */
int64_t note_revision_after(int64_t previous, int64_t now_unix_ms);

#endif
