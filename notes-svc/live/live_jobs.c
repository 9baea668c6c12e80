/* SPDX-License-Identifier: MIT
 *
 * Depends on: note_store.h, comment_store.h, comment_act.h, session_check.h. */
#include "live/live_jobs.h"

#include <assert.h>
#include <string.h>

#include "app.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "comment/comment_act.h"
#include "comment/comment_store.h"
#include "config.h"
#include "data/db.h"
#include "live/room.h"
#include "note/note_store.h"
#include "session/session.h"
#include "session/session_check.h"

/* ---- a room's state ---- */

static enum err read_home(struct ctx *ctx, int64_t known, struct hub_state *out_state)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    struct hub_state state = {.exists = true};
    struct note_list list;
    enum err err = db_begin_read(ctx, ctx->db, &tx);
    if (err || (err = note_home_revision(ctx, ctx->db, &state.revision)))
        return err;
    if (state.revision != known) {
        err = note_list(ctx, ctx->db, 1, NOTE_HOME_PAGE_COUNT, &list);
        if (err)
            return err;
        state.packet = live_wire_titles(ctx, &list, state.revision);
    }
    *out_state = state;
    return ERR_OK;
}

/* Head, body, HTML and the newest comments, as of one moment. */
static enum err read_whole(struct ctx *ctx, const char *key, struct hub_state *state)
{
    struct note note;
    struct note shown;
    struct comment_list comments;
    enum err err = note_find(ctx, ctx->db, key, NOTE_BODY, &note);
    if (err || (err = note_find(ctx, ctx->db, key, NOTE_SHOWN, &shown)))
        return err;
    note.html = shown.html;
    const struct comment_range range = {.note_id = note.id, .limit_count = COMMENT_PAGE_COUNT};
    err = comment_list(ctx, ctx->db, &range, &comments);
    if (err)
        return err;
    state->revision = note.revision;
    state->packet = live_wire_snapshot(ctx, &note, &comments);
    return ERR_OK;
}

static enum err
read_note(struct ctx *ctx, const char *key, int64_t known, struct hub_state *out_state)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    struct hub_state state = {.exists = true};
    enum err err = db_begin_read(ctx, ctx->db, &tx);
    if (err)
        return err;
    err = note_find_revision(ctx, ctx->db, key, &state.revision);
    if (!err && state.revision != known)
        err = read_whole(ctx, key, &state);
    if (err && err != ERR_NOT_FOUND)
        return err;
    if (err) {
        ctx_forgive(ctx);
        state = (struct hub_state){.packet = live_wire_destroyed(ctx, key)};
    }
    *out_state = state;
    return ERR_OK;
}

enum err live_read(
    struct app *app, struct ctx *ctx, const char *key, int64_t known, struct hub_state *out_state)
{
    (void)app;
    return *key ? read_note(ctx, key, known, out_state) : read_home(ctx, known, out_state);
}

/* ---- what rooms are at ---- */

static enum err confirm_notes(struct ctx *ctx,
                              const char *const *keys,
                              const size_t *places,
                              size_t count,
                              int64_t *revisions)
{
    int64_t found[ROOM_CONFIRM_COUNT];
    if (count == 0)
        return ERR_OK;
    enum err err = note_revisions(ctx, ctx->db, keys, count, found);
    for (size_t i = 0; !err && i < count; i++)
        revisions[places[i]] = found[i];
    return err;
}

enum err live_confirm(
    struct app *app, struct ctx *ctx, const char *const *keys, size_t count, int64_t *out_revisions)
{
    const char *notes[ROOM_CONFIRM_COUNT];
    size_t places[ROOM_CONFIRM_COUNT];
    int64_t revisions[ROOM_CONFIRM_COUNT] = {0};
    size_t notes_count = 0;
    enum err err = ERR_OK;
    (void)app;
    assert(count <= ROOM_CONFIRM_COUNT);
    for (size_t i = 0; i < count && !err; i++) {
        if (!*keys[i]) {
            err = note_home_revision(ctx, ctx->db, &revisions[i]);
            continue;
        }
        places[notes_count] = i;
        notes[notes_count++] = keys[i];
    }
    if (!err)
        err = confirm_notes(ctx, notes, places, notes_count, revisions);
    if (!err)
        memcpy(out_revisions, revisions, count * sizeof(*revisions));
    return err;
}

/* ---- a client's event ---- */

static enum err read_session(struct app *app,
                             struct ctx *ctx,
                             const unsigned char digest[SECRET_DIGEST_BYTES],
                             const char **out_user)
{
    struct session *session = arena_take(&ctx->arena, sizeof(*session));
    bool is_alive = false;
    memcpy(session->digest, digest, sizeof(session->digest));
    enum err err =
        session_check(app, ctx, session, SESSION_IS_USED, app->config->user_check_s, &is_alive);
    if (err)
        return err;
    if (!is_alive) {
        hub_end_session(app->hub, digest);
        return ctx_fail(ctx, ERR_UNAUTHENTICATED, "the session has ended");
    }
    *out_user = session->username;
    return ERR_OK;
}

static enum err
make_comment(struct app *app, struct ctx *ctx, const struct hub_call *call, const char *user)
{
    struct comment comment;
    int64_t revision = 0;
    if (!call->message)
        return ctx_refuse(ctx, "message", "There is no message.");
    const struct comment_wish wish = {
        .user = user, .note_key = call->key, .message = call->message};
    return comment_make(app, ctx, &wish, &comment, &revision);
}

enum err live_serve(struct app *app, struct ctx *ctx, const struct hub_call *call)
{
    const char *user = NULL;
    int64_t revision = 0;
    enum err err = read_session(app, ctx, call->digest, &user);
    if (err == ERR_UNAVAILABLE && call->kind == LIVE_EVENT_SNAPSHOT) {
        ctx_forgive(ctx); /* anybody may read */
        return ERR_OK;
    }
    if (err)
        return err;
    ctx->user = user;
    switch (call->kind) {
    case LIVE_EVENT_CREATE_MESSAGE:
        return make_comment(app, ctx, call, user);
    case LIVE_EVENT_DELETE_MESSAGE:
        return call->id ? comment_unmake(app, ctx, user, call->key, call->id, &revision)
                        : ctx_refuse(ctx, "id", "There is no id of a comment.");
    case LIVE_EVENT_SNAPSHOT:
    case LIVE_EVENT_UNKNOWN:
        break;
    }
    return ERR_OK;
}

/* ---- a session ---- */

/* Asked for twice in USER_CHECK_S, so that a user who is gone is found out within that time. */
enum err live_check(struct app *app,
                    struct ctx *ctx,
                    const unsigned char digest[SECRET_DIGEST_BYTES],
                    bool *out_is_alive)
{
    struct session *session = arena_take(&ctx->arena, sizeof(*session));
    memcpy(session->digest, digest, sizeof(session->digest));
    return session_check(app, ctx, session, SESSION_IS_LOOKED_AT, app->config->user_check_s / 2,
                         out_is_alive);
}
