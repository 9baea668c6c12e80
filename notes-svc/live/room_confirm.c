/* SPDX-License-Identifier: MIT
 *
 * Finds changes that no event told of: a process died between commit and publication, a message
 * between processes was lost, somebody else wrote, the database went back to a backup.
 *
 * Each room has its time; those whose time is next are read together, so that few rooms are one
 * statement and many are spread out. Another revision than the room's may belong to an event that
 * is just on its way: the room waits HUB_GAP_WAIT_MS for it, and only if it stayed as it was, its
 * state is read. A room that moved while it was asked about is asked again in its next round. What
 * the database says is the truth, also when it is lower. Depends on: hub_parts.h. */
#include <stdlib.h>

#include "base/ctx.h"
#include "base/log.h"
#include "http/http_server.h"
#include "live/hub_parts.h"

/* ---- one batch, on a worker ---- */

static void run_confirm(struct job *job, void *local)
{
    struct room_confirm *confirm = OWNER_OF(job, struct room_confirm, job);
    const struct hub_options *options = &confirm->hub->options;
    struct ctx ctx;
    ctx_init(&ctx, options->log, HUB_JOB_DEADLINE_MS);
    lane_lend(&ctx, local);
    confirm->err =
        options->confirm(options->app, &ctx, confirm->keys, confirm->count, confirm->revisions);
    if (confirm->err && !confirm->has_failed)
        log_warn(&ctx, "live.confirm_failed", log_str("why", ctx.why.text));
    confirm->has_failed = confirm->err;
    ctx_done(&ctx);
    hub_post(confirm->hub, &confirm->mail);
}

static void expire_confirm(struct job *job)
{
    struct room_confirm *confirm = OWNER_OF(job, struct room_confirm, job);
    confirm->err = ERR_UNAVAILABLE;
    hub_post(confirm->hub, &confirm->mail);
}

/* ---- what it found ---- */

static void await_next(struct hub *hub, struct room *room)
{
    timer_start(&hub->timers[TIMER_CONFIRM], &room->confirm, hub->now_ms);
}

static void deliver_confirm(struct hub *hub, struct mail *mail)
{
    struct room_confirm *confirm = OWNER_OF(mail, struct room_confirm, mail);
    confirm->is_running = false;
    for (size_t i = 0; i < confirm->count; i++) {
        struct room *room = confirm->rooms[i];
        bool has_stayed = room_is_settled(room) && room_revision(room) == confirm->taken[i];
        if (!confirm->err && has_stayed && confirm->revisions[i] != confirm->taken[i]) {
            room->doubted = confirm->taken[i];
            timer_start(&hub->timers[TIMER_DOUBT], &room->confirm, hub->now_ms);
        }
        room_unpin(hub, room);
    }
}

void room_on_doubt(struct hub *hub, struct timer *timer)
{
    struct room *room = OWNER_OF(timer, struct room, confirm);
    await_next(hub, room);
    if (room_is_settled(room) && room_revision(room) == room->doubted)
        room_refresh(hub, room);
}

/* ---- the next batch ---- */

static bool is_time(const struct hub *hub)
{
    return hub->confirm.hurry_count > 0 ||
           timer_next_ms(&hub->timers[TIMER_CONFIRM]) <= hub->now_ms;
}

/* The first ones in the queue, also those whose time is near: what is asked together once is asked
 * together again. Each goes to the queue's end; so the first one taken ends the round. */
static void list_rooms(struct hub *hub)
{
    struct room_confirm *confirm = &hub->confirm;
    const struct timer *end = NULL;
    struct timer *timer;
    confirm->count = 0;
    while (confirm->count < ROOM_CONFIRM_COUNT &&
           (timer = timer_first(&hub->timers[TIMER_CONFIRM])) && timer != end) {
        struct room *room = OWNER_OF(timer, struct room, confirm);
        end = end ? end : timer;
        await_next(hub, room);
        confirm->hurry_count -= confirm->hurry_count > 0;
        if (!room_is_settled(room))
            continue;
        confirm->rooms[confirm->count] = room;
        confirm->keys[confirm->count] = room->key;
        confirm->taken[confirm->count] = room_revision(room);
        confirm->count++;
    }
}

void rooms_confirm(struct hub *hub)
{
    struct room_confirm *confirm = &hub->confirm;
    if (confirm->is_running || hub_is_stopping(hub) || !is_time(hub))
        return;
    list_rooms(hub);
    if (confirm->count == 0) {
        confirm->hurry_count = 0;
        return;
    }
    confirm->hub = hub;
    confirm->err = ERR_OK;
    confirm->mail.deliver = deliver_confirm;
    confirm->job = (struct job){.deadline_ms = hub->now_ms + HUB_JOB_DEADLINE_MS,
                                .run = run_confirm,
                                .expire = expire_confirm};
    for (size_t i = 0; i < confirm->count; i++)
        room_pin(confirm->rooms[i]);
    confirm->is_running = workers_submit(hub->options.workers, &confirm->job);
    for (size_t i = 0; !confirm->is_running && i < confirm->count; i++)
        room_unpin(hub, confirm->rooms[i]); /* the lane is full: in the next round */
}

/* ---- all of them now ---- */

static void deliver_hurry(struct hub *hub, struct mail *mail)
{
    const struct timer_queue *queue = &hub->timers[TIMER_CONFIRM];
    size_t count = 0;
    for (const struct timer *timer = queue->head.next; timer != &queue->head; timer = timer->next)
        count++;
    hub->confirm.hurry_count = count;
    free(mail);
}

void hub_confirm_all(struct hub *hub)
{
    struct mail *mail = malloc(sizeof(*mail));
    if (!mail)
        abort();
    mail->deliver = deliver_hurry;
    hub_post(hub, mail);
}
