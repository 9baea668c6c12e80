/* SPDX-License-Identifier: MIT
 *
 * Depends on: hub.h, live_wire.h. */
#include "live/live_events.h"

#include "app.h"
#include "comment/comment_store.h"
#include "live/hub.h"
#include "live/live_wire.h"
#include "note/note_store.h"

void live_note_made(struct app *app, const char *key)
{
    hub_refresh(app->hub, HUB_HOME);
    if (hub_has_room(app->hub, key))
        hub_refresh(app->hub, key);
}

void live_note_changed(struct app *app,
                       struct ctx *ctx,
                       const struct note_save *save,
                       const struct note_change *change)
{
    hub_refresh(app->hub, HUB_HOME);
    if (!hub_has_room(app->hub, save->key))
        return;
    const struct live_step step = {
        .key = save->key, .previous = change->previous, .revision = change->revision};
    const struct note note = {
        .key = save->key, .title = save->title, .body = save->body, .html = save->html};
    hub_publish(app->hub, &step, live_wire_updated(ctx, &step, &note));
}

void live_note_destroyed(struct app *app,
                         struct ctx *ctx,
                         const char *key,
                         const struct note_change *change)
{
    hub_refresh(app->hub, HUB_HOME);
    if (!hub_has_room(app->hub, key))
        return;
    const struct live_step step = {
        .key = key, .previous = change->previous, .revision = change->revision, .is_gone = true};
    hub_publish(app->hub, &step, live_wire_destroyed(ctx, key));
}

void live_comment_made(struct app *app,
                       struct ctx *ctx,
                       const char *key,
                       const struct comment *comment,
                       const struct comment_change *change)
{
    if (!hub_has_room(app->hub, key))
        return;
    const struct live_step step = {
        .key = key, .previous = change->previous, .revision = change->revision};
    hub_publish(app->hub, &step, live_wire_message(ctx, &step, comment));
}

void live_comment_unmade(struct app *app,
                         struct ctx *ctx,
                         const char *key,
                         const struct comment_change *change)
{
    if (!hub_has_room(app->hub, key))
        return;
    const struct live_step step = {
        .key = key, .previous = change->previous, .revision = change->revision};
    hub_publish(app->hub, &step, live_wire_message_gone(ctx, &step, change->id));
}
