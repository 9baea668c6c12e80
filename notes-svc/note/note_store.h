/* SPDX-License-Identifier: MIT
 *
 * Notes in the database: the only file, besides note_purge_store.h, that knows the tables notes,
 * note_versions, destroyed_notes and home_list. Each write is one short transaction, in which the
 * note's revision and, as the list of notes changes, the home list's are renewed. A comment is no
 * change of the list. Depends on: db.h, note.h. Knows nothing of HTTP. */
#ifndef NOTES_NOTE_STORE_H
#define NOTES_NOTE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/html.h"
#include "note/note.h"

struct ctx;
struct db;

#define NOTE_LIST_MAX_COUNT      100
#define NOTE_HOME_PAGE_COUNT     50 /* titles on a page of the list */
#define NOTE_PAGE_MAX_NUMBER     1000000
#define NOTE_REVISIONS_MAX_COUNT 64

/* A text to be stored. */
struct note_save {
    const char *key;
    const char *title;
    const char *body;
    struct html html; /* of body; text NULL: too large */
    const char *user; /* who saves: the author on create */
    int64_t version;  /* update: the version that was edited; 0: the latest */
    int64_t now_unix_ms;
};

/* Who does something to a note as a whole, and when. */
struct note_act {
    const char *key;
    const char *user;
    int64_t version; /* destroy: the version that was looked at; 0: whichever it is */
    int64_t now_unix_ms;
};

/* What a write did. */
struct note_change {
    int64_t id;
    int64_t version;
    int64_t revision;      /* of the note, now */
    int64_t previous;      /* and before; 0 when there was no such note */
    int64_t home_revision; /* of the list of all notes, now */
};

/* How much of a note is read: texts may be megabytes. */
enum note_part {
    NOTE_HEAD,  /* neither body nor HTML; both are NULL */
    NOTE_BODY,  /* the body, for editing; the HTML is NULL */
    NOTE_SHOWN, /* the HTML, or where there is none the body; the other one is NULL */
};

/* Errors: ERR_NOT_FOUND no such note. */
MUST_CHECK enum err note_find(
    struct ctx *ctx, struct db *db, const char *key, enum note_part part, struct note *out_note);

/* The revision alone: enough to know whether a page that somebody has is the present one.
 * Errors: ERR_NOT_FOUND no such note. */
MUST_CHECK enum err
note_find_revision(struct ctx *ctx, struct db *db, const char *key, int64_t *out_revision);

/* Revisions of several notes by one statement, in the order of `keys`; 0: no such note.
 * Units:  count 1..NOTE_REVISIONS_MAX_COUNT.
 * Errors: ERR_INVALID count out of range. */
MUST_CHECK enum err note_revisions(
    struct ctx *ctx, struct db *db, const char *const *keys, size_t count, int64_t *out_revisions);

/* Newest change first; page_number counts from 1. A page beyond the end is an empty list.
 * Units:  limit_count 1..NOTE_LIST_MAX_COUNT rows a page.
 * Errors: ERR_INVALID page_number or limit_count out of range. */
MUST_CHECK enum err note_list(struct ctx *ctx,
                              struct db *db,
                              int64_t page_number,
                              int64_t limit_count,
                              struct note_list *out_list);

/* Of the list of all notes. */
MUST_CHECK enum err note_home_revision(struct ctx *ctx, struct db *db, int64_t *out_revision);

/* Version and revision start above those of the note of this key that was destroyed last, so that
 * neither a form nor a page of that one fits the new note. Errors: ERR_CONFLICT a note of this key
 * exists. */
MUST_CHECK enum err note_create(struct ctx *ctx,
                                struct db *db,
                                const struct note_save *save,
                                struct note_change *out_change);

/* Errors: ERR_NOT_FOUND no such note; ERR_CONFLICT the note's version is another than
 * save->version. */
MUST_CHECK enum err note_update(struct ctx *ctx,
                                struct db *db,
                                const struct note_save *save,
                                struct note_change *out_change);

/* The note leaves all pages; it, its versions and its comments stay, to be restored.
 * Errors: ERR_NOT_FOUND no such note; ERR_CONFLICT the note's version is another than
 * act->version. */
MUST_CHECK enum err note_destroy(struct ctx *ctx,
                                 struct db *db,
                                 const struct note_act *act,
                                 struct note_change *out_change);

/* Brings back the note of this key that was destroyed last, with versions and comments.
 * Errors: ERR_NOT_FOUND none was destroyed, or its purge has begun; ERR_CONFLICT a note of this key
 * exists. */
MUST_CHECK enum err note_restore(struct ctx *ctx,
                                 struct db *db,
                                 const struct note_act *act,
                                 struct note_change *out_change);

/* A note that another program kept, and what became of it. */
enum note_moved {
    NOTE_MOVED,
    NOTE_MOVED_BEFORE,    /* it is here, with this text */
    NOTE_MOVED_OTHER,     /* a note of this key is here with another text */
    NOTE_MOVED_DESTROYED, /* it was here and was destroyed */
};
struct note_move {
    struct note_save save; /* now_unix_ms: when the text was changed; user NULL */
    int64_t created_unix_ms;
    enum note_moved outcome; /* of note_move_all */
};

/* Makes those notes that are not here, with the times that they had: the home list is ordered by
 * these. Nothing that is here is changed. With is_dry nothing is written.
 * Units:  count up to NOTE_MOVE_MAX_COUNT in one transaction. */
#define NOTE_MOVE_MAX_COUNT 32
MUST_CHECK enum err note_move_all(
    struct ctx *ctx, struct db *db, struct note_move *const *items, size_t count, bool is_dry);

#endif
