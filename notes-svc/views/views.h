/* SPDX-License-Identifier: MIT
 *
 * What each page shows: one struct per template of this folder. Pages (the *_page.c files) fill a
 * struct, the compiled template (`views/NAME.html` becomes `view_NAME`) turns it into HTML and
 * escapes every member for its place. A template that names a member which is not here fails the
 * build. In the two shared ones, who looks is left open: their frame has no user, form token and
 * is_user_unknown, and "can_..." is asked of struct parts.
 *
 * Depends on: strbuf.h, html.h. Holds no rights, no SQL, no HTTP: strings, numbers and switches
 * only. All pointers are borrowed for the call. `..._iso` is ISO 8601 UTC for <time datetime>,
 * `..._text` is for people. */
#ifndef NOTES_VIEWS_H
#define NOTES_VIEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/html.h"
#include "base/strbuf.h"
#include "views/view_account.h"
#include "views/view_frame.h"

struct parts;

struct view_home_item {
    const char *key;
    const char *title;
    const char *author; /* NULL when unknown */
    const char *changed_iso;
    const char *changed_text;
};

struct view_home {
    struct view_frame frame;
    const struct view_home_item *notes;
    size_t notes_count;
    int64_t revision;       /* of the list */
    bool is_first;          /* the first page, which live updates show */
    const char *newer_path; /* NULL on the first page */
    const char *older_path; /* NULL on the last page */
    int64_t page_number;
};

struct view_comment {
    int64_t id;
    const char *author;
    const char *message; /* plain text; line ends are kept by the style sheet */
    const char *made_iso;
    const char *made_text;
};

struct view_note {
    struct view_frame frame;
    const char *key;
    const char *title;
    const char *author; /* NULL when unknown */
    struct html body;
    const char *plain_body; /* not NULL: the text was too large as HTML and is shown as it is */
    const char *changed_iso;
    const char *changed_text;
    int64_t version;
    int64_t revision;
    const struct view_comment *comments; /* newest first */
    size_t comments_count;
    const char *older_comments_path; /* NULL when these are the last */
    const char *newer_comments_path; /* NULL when these are the newest */
    const char *comment_draft;       /* text to keep in the form after a refusal; NULL otherwise */
    const char *comment_error;       /* why it was refused; NULL otherwise */
    int64_t comment_max_chars;
};

/* Adding and editing are one form. */
struct view_note_form {
    struct view_frame frame;
    bool is_create;
    const char *docreate; /* "create" or "update" */
    const char *key;      /* may be empty on create */
    const char *title;
    const char *body;
    int64_t version;   /* the version that is being edited; 0 on create */
    int64_t revision;  /* of the note when the form was made; 0: not known */
    const char *error; /* why the last try was refused; NULL on a fresh form */
    bool error_in_key;
    bool error_in_title;
    bool error_in_body;
};

/* Two people edited, or the key of a new note exists: both texts, nothing lost. */
struct view_conflict {
    struct view_frame frame;
    bool is_create; /* true: the key exists; false: the version is old */
    const char *key;
    const char *my_title;
    const char *my_body;
    const char *their_title;
    const char *their_body;
    const char *their_author; /* of the version that is shown; NULL when unknown */
    const char *their_changed_iso;
    const char *their_changed_text;
    int64_t
        their_version; /* what the form of this page sends, so that a second save wins knowingly */
};

struct view_destroy {
    struct view_frame frame;
    const char *key;
    const char *title;
    int64_t version; /* that is asked about: only this one is destroyed */
    int64_t kept_days;
    bool is_changed;    /* since somebody was asked; the rest is shown then */
    const char *body;   /* NULL when it is empty */
    const char *editor; /* who saved it; NULL when unknown */
    const char *changed_iso;
    const char *changed_text;
};

struct view_login {
    struct view_frame frame;
    const char *username; /* what was typed, "" at first */
    const char *error;    /* NULL at first */
    bool is_wrong;        /* the error is about what was typed */
};

struct view_field {
    const char *name;
    const char *value;
};

/* A form to be sent again as it came. */
struct view_retry {
    const char *path;   /* its action; NULL: there is no such form */
    const char *button; /* "Try again" */
    const char *title;  /* what was typed, to be changed; NULL: no such field */
    const char *body;
    const char *message;
    const char *username;
    bool has_password;     /* is asked for again: it is never sent back */
    const char *saved_key; /* of the note that it edits; NULL: none */
    const struct view_field *hidden;
    size_t hidden_count;
};

struct view_error {
    struct view_frame frame;
    const char *reason; /* h1 */
    int64_t status;
    const char *status_text; /* "Not Found"; h2 is "404 Not Found" */
    const char *advice;      /* a sentence on what to do now */
    const char *way_path;    /* the way on */
    const char *way_text;
    const char *request_id;
    const char *kept_title; /* typed text that was refused and is shown to be copied; NULL when
                               there is none */
    const char *kept_text;
    struct view_retry retry; /* instead of the two */
    bool is_whale;           /* the user service can't be reached: the drawing is shown */
};

void view_home(struct parts *parts, const struct view_home *view);
void view_note(struct parts *parts, const struct view_note *view);
void view_note_form(struct strbuf *out, const struct view_note_form *view);
void view_conflict(struct strbuf *out, const struct view_conflict *view);
void view_destroy(struct strbuf *out, const struct view_destroy *view);
void view_login(struct strbuf *out, const struct view_login *view);
void view_account(struct strbuf *out, const struct view_account *view);
void view_link(struct strbuf *out, const struct view_link *view);
void view_error(struct strbuf *out, const struct view_error *view);

#endif
