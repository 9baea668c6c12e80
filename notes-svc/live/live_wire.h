/* SPDX-License-Identifier: MIT
 *
 * Live events as JSON: what a client's packets hold, and every packet that the server sends, as
 * text in the arena. Depends on: socketio.h, note.h, comment.h, jansson for reading. Knows no
 * socket and no SQL. */
#ifndef NOTES_LIVE_WIRE_H
#define NOTES_LIVE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct comment;
struct comment_list;
struct ctx;
struct note;
struct note_list;

#define LIVE_NOTES "/notes"
#define LIVE_HOME  "/home"

/* The payload of a CONNECT. */
struct live_auth {
    const char *key;  /* NULL: none */
    int64_t revision; /* what the page shows; 0: not said */
};

enum live_event_kind {
    LIVE_EVENT_UNKNOWN, /* well-formed, but nothing that we serve */
    LIVE_EVENT_CREATE_MESSAGE,
    LIVE_EVENT_DELETE_MESSAGE,
    LIVE_EVENT_SNAPSHOT,
};

/* What a client's EVENT says. Members beyond these (from, room, namespace) are not even read. */
struct live_event {
    enum live_event_kind kind;
    const char *message; /* create-message, LF as line end; NULL: absent or no text */
    int64_t id;          /* delete-message; 0: absent or no number */
};

/* False: malformed. "" is no payload. In an event a text with a NUL counts as none: the client is
 * told so, and stays. */
MUST_CHECK bool live_wire_auth(struct ctx *ctx, const char *json, struct live_auth *out_auth);
MUST_CHECK bool live_wire_event(struct ctx *ctx, const char *json, struct live_event *out_event);
/* Is this an acknowledgement's array? */
MUST_CHECK bool live_wire_is_array(const char *json);

/* ---- packets to clients, each with its Engine.IO and Socket.IO head ---- */

const char *live_wire_connected(struct ctx *ctx, const char *name_space, const char *sid);
const char *live_wire_refused(struct ctx *ctx, const char *name_space);
const char *live_wire_ok(struct ctx *ctx, const char *name_space, int64_t ack_id);
/* {code,message}, by ctx->why.hint where there is one. */
const char *live_wire_error(struct ctx *ctx, const char *name_space, int64_t ack_id, enum err err);

/* A change and the revisions that it leads from and to. */
struct live_step {
    const char *key;
    int64_t previous;
    int64_t revision;
    bool is_gone; /* the note is destroyed */
};

const char *
live_wire_message(struct ctx *ctx, const struct live_step *step, const struct comment *comment);
const char *
live_wire_message_gone(struct ctx *ctx, const struct live_step *step, int64_t comment_id);
/* Title, body and HTML are of `note`. */
const char *
live_wire_updated(struct ctx *ctx, const struct live_step *step, const struct note *note);
const char *live_wire_destroyed(struct ctx *ctx, const char *key);
const char *
live_wire_snapshot(struct ctx *ctx, const struct note *note, const struct comment_list *comments);
const char *live_wire_titles(struct ctx *ctx, const struct note_list *list, int64_t revision);

#endif
