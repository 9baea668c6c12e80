/* SPDX-License-Identifier: MIT
 *
 * What is kept of the page goes first, then the own hub is told, then the other processes. With a
 * bus somebody may listen elsewhere, so that a packet is always made. Depends on: shared_page.h,
 * hub.h, bus.h, live_wire.h. */
#include "live/live_events.h"

#include <stdbool.h>
#include <string.h>

#include "app.h"
#include "base/test_hook.h"
#include "comment/comment_store.h"
#include "live/bus.h"
#include "live/hub.h"
#include "live/live_wire.h"
#include "note/note_store.h"
#include "page/shared_page.h"

static bool is_heard(struct app *app, const char *key)
{
    return app->bus || hub_has_room(app->hub, key);
}

/* A packet of NULL: nobody is in the note's room, wherever. */
static void tell(struct app *app,
                 struct ctx *ctx,
                 const struct live_step *step,
                 const char *packet,
                 bool is_home_too)
{
    if (is_home_too)
        hub_refresh(app->hub, HUB_HOME);
    if (packet && hub_has_room(app->hub, step->key))
        hub_publish(app->hub, step, packet);
    if (packet)
        bus_publish(ctx, app->bus,
                    &(struct bus_message){
                        .kind = step->is_gone ? BUS_GONE : BUS_EVENT,
                        .is_home_too = is_home_too,
                        .key = step->key,
                        .previous = step->previous,
                        .revision = step->revision,
                        .packet = packet,
                    });
}

void live_note_made(struct app *app, struct ctx *ctx, const char *key)
{
    TEST_HOOK("note.committed");
    shared_page_drop(app, key);
    shared_page_drop(app, SHARED_PAGE_HOME);
    hub_refresh(app->hub, HUB_HOME);
    if (hub_has_room(app->hub, key))
        hub_refresh(app->hub, key);
    bus_publish(ctx, app->bus,
                &(struct bus_message){.kind = BUS_REFRESH, .is_home_too = true, .key = key});
}

void live_note_changed(struct app *app,
                       struct ctx *ctx,
                       const struct note_save *save,
                       const struct note_change *change)
{
    const struct live_step step = {
        .key = save->key, .previous = change->previous, .revision = change->revision};
    const struct note note = {
        .key = save->key, .title = save->title, .body = save->body, .html = save->html};
    TEST_HOOK("note.committed");
    shared_page_drop(app, save->key);
    shared_page_drop(app, SHARED_PAGE_HOME);
    tell(app, ctx, &step, is_heard(app, save->key) ? live_wire_updated(ctx, &step, &note) : NULL,
         true);
}

void live_note_destroyed(struct app *app,
                         struct ctx *ctx,
                         const char *key,
                         const struct note_change *change)
{
    const struct live_step step = {
        .key = key, .previous = change->previous, .revision = change->revision, .is_gone = true};
    TEST_HOOK("note.committed");
    shared_page_drop(app, key);
    shared_page_drop(app, SHARED_PAGE_HOME);
    tell(app, ctx, &step, is_heard(app, key) ? live_wire_destroyed(ctx, key) : NULL, true);
}

void live_comment_made(struct app *app,
                       struct ctx *ctx,
                       const char *key,
                       const struct comment *comment,
                       const struct comment_change *change)
{
    const struct live_step step = {
        .key = key, .previous = change->previous, .revision = change->revision};
    TEST_HOOK("comment.committed");
    shared_page_drop(app, key);
    tell(app, ctx, &step, is_heard(app, key) ? live_wire_message(ctx, &step, comment) : NULL,
         false);
}

void live_comment_unmade(struct app *app,
                         struct ctx *ctx,
                         const char *key,
                         const struct comment_change *change)
{
    const struct live_step step = {
        .key = key, .previous = change->previous, .revision = change->revision};
    TEST_HOOK("comment.committed");
    shared_page_drop(app, key);
    tell(app, ctx, &step,
         is_heard(app, key) ? live_wire_message_gone(ctx, &step, change->id) : NULL, false);
}

void live_session_ended(struct app *app,
                        struct ctx *ctx,
                        const unsigned char digest[SECRET_DIGEST_BYTES])
{
    struct bus_message message = {.kind = BUS_SESSION_END};
    memcpy(message.digest, digest, sizeof(message.digest));
    hub_end_session(app->hub, digest);
    bus_publish(ctx, app->bus, &message);
}
