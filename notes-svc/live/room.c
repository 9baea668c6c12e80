/* SPDX-License-Identifier: MIT
 *
 * Who hears what, in which order.
 *
 * A socket that joins, or that lost the thread, waits for a read of the room's state that begins
 * after it began to wait; all that wait share one read and one frame. While a frame of the state
 * still waits for a slow reader, newcomers share it too, if the revision is still the same: of that
 * the database is asked, not of the state. Events that come meanwhile are kept for them. An event
 * whose predecessor has not come is held back for a moment, because two workers may publish in
 * another order than they committed; if the predecessor does not come, everybody gets the state.
 *
 * Revisions of one key grow, in one process on one database, also over a destroyed note; so "older"
 * can be told here. Browsers compare by equality only. Depends on: hub_parts.h. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "http/http_server.h"
#include "live/hub_parts.h"

/* ---- the table ---- */

static struct room **bucket_of(struct rooms *rooms, const char *key)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 16777619U;
    return &rooms->buckets[hash & (ROOM_BUCKETS_COUNT - 1)];
}

static struct room *find(struct rooms *rooms, const char *key)
{
    struct room *room = *bucket_of(rooms, key);
    while (room && !text_equals(room->key, key))
        room = room->next;
    return room;
}

static struct room *make(struct hub *hub, const char *key)
{
    struct room *room = calloc(1, sizeof(*room));
    char *copy = strdup(key);
    if (!room || !copy)
        abort();
    room->key = copy;
    timer_start(&hub->timers[TIMER_CONFIRM], &room->confirm, hub->now_ms);
    (void)pthread_mutex_lock(&hub->rooms.lock);
    struct room **bucket = bucket_of(&hub->rooms, key);
    room->next = *bucket;
    *bucket = room;
    (void)pthread_mutex_unlock(&hub->rooms.lock);
    return room;
}

/* ---- rooms that can't be read ---- */

static void note_vain(struct hub *hub, struct room *room)
{
    int64_t longer_ms = room->retry_ms * 2;
    hub->rooms.failing_count += room->retry_ms == 0;
    room->retry_ms = longer_ms == 0 ? HUB_RETRY_FIRST_MS : longer_ms;
    if (room->retry_ms > HUB_RETRY_MAX_MS)
        room->retry_ms = HUB_RETRY_MAX_MS;
}

/* It was read, or nobody wants it any more. The last of them ends the outage. */
static void note_fine(struct hub *hub, struct room *room)
{
    if (room->retry_ms == 0)
        return;
    room->retry_ms = 0;
    hub->rooms.failing_count--;
    if (hub->rooms.failing_count == 0)
        atomic_store(&hub->rooms.has_complained, false);
}

static void retry_later(struct hub *hub, struct room *room)
{
    uint32_t random = 0;
    int64_t half_ms = (room->retry_ms ? room->retry_ms : HUB_RETRY_FIRST_MS) / 2;
    secret_random(&random, sizeof(random));
    room->retry_at_ms = hub->now_ms + half_ms + (int64_t)random % (half_ms + 1);
    timer_start(&hub->timers[TIMER_RETRY], &room->retry, hub->now_ms);
}

/* ---- the end of a room ---- */

static void forget(struct room_event *events, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        frame_release(events[i].frame);
    *count = 0;
}

/* Frees a room that nobody is in and nothing works on. */
static void unuse(struct hub *hub, struct room *room)
{
    if (room->members || room->is_reading || room->pins_count > 0)
        return;
    note_fine(hub, room);
    (void)pthread_mutex_lock(&hub->rooms.lock);
    struct room **at = bucket_of(&hub->rooms, room->key);
    while (*at != room)
        at = &(*at)->next;
    *at = room->next;
    (void)pthread_mutex_unlock(&hub->rooms.lock);
    timer_stop(&room->gap);
    timer_stop(&room->retry);
    timer_stop(&room->confirm);
    forget(room->recent, &room->recent_count);
    forget(room->late, &room->late_count);
    frame_forget(&room->state);
    free(room->key);
    free(room);
}

bool hub_has_room(struct hub *hub, const char *key)
{
    (void)pthread_mutex_lock(&hub->rooms.lock);
    bool has = find(&hub->rooms, key) != NULL;
    (void)pthread_mutex_unlock(&hub->rooms.lock);
    return has;
}

void room_pin(struct room *room)
{
    room->pins_count++;
}

void room_unpin(struct hub *hub, struct room *room)
{
    room->pins_count--;
    unuse(hub, room);
}

/* ---- reading the state ---- */

static void run_read(struct job *job, void *local)
{
    struct room_read *read = OWNER_OF(job, struct room_read, job);
    const struct room *room = OWNER_OF(read, struct room, read);
    const struct hub_options *options = &read->hub->options;
    struct hub_state state = {0};
    struct ctx ctx;
    ctx_init(&ctx, options->log, HUB_JOB_DEADLINE_MS);
    lane_lend(&ctx, local);
    read->err = options->read(options->app, &ctx, room->key, read->known, &state);
    read->exists = state.exists;
    read->revision = state.revision;
    read->frame = !read->err && state.packet ? frame_text(state.packet) : NULL;
    if (read->err && !atomic_exchange(&read->hub->rooms.has_complained, true))
        log_warn(&ctx, "live.read_failed", log_str("why", ctx.why.text));
    ctx_done(&ctx);
    hub_post(read->hub, &read->mail);
}

static void expire_read(struct job *job)
{
    struct room_read *read = OWNER_OF(job, struct room_read, job);
    read->err = ERR_UNAVAILABLE;
    hub_post(read->hub, &read->mail);
}

static void deliver_read(struct hub *hub, struct mail *mail);

/* The revision that all who wait have; 0 when they differ or one wants the state anyway. */
static int64_t common_revision(const struct room *room)
{
    int64_t common = -1;
    for (const struct member *member = room->members; member; member = member->next) {
        if (member->needs == 0)
            continue;
        if (member->wants || (common != -1 && common != member->last))
            return 0;
        common = member->last;
    }
    return common > 0 ? common : 0;
}

static void start_read(struct hub *hub, struct room *room)
{
    if (room->waiting_count == 0)
        note_fine(hub, room);
    if (room->is_reading || room->waiting_count == 0)
        return;
    room->read = (struct room_read){
        .job = {.deadline_ms = hub->now_ms + HUB_JOB_DEADLINE_MS,
                .run = run_read,
                .expire = expire_read},
        .mail.deliver = deliver_read,
        .hub = hub,
        .number = room->reads_count + 1,
        .known = room->state ? room->state_revision : common_revision(room),
    };
    room->is_reading = workers_submit(hub->options.workers, &room->read.job);
    if (!room->is_reading) {
        retry_later(hub, room);
        return;
    }
    room->reads_count++;
    if (room->state)
        room->read.kept = frame_share(room->state);
}

void room_on_retry(struct hub *hub, struct timer *timer)
{
    struct room *room = OWNER_OF(timer, struct room, retry);
    if (hub->now_ms < room->retry_at_ms)
        timer_start(&hub->timers[TIMER_RETRY], &room->retry, hub->now_ms);
    else
        start_read(hub, room);
}

/* From the next read that begins. */
static void let_wait(struct room *room, struct member *member)
{
    room->waiting_count += member->needs == 0;
    member->needs = room->reads_count + 1;
}

static void stop_waiting(struct hub *hub, struct member *member)
{
    if (member->needs == 0)
        return;
    member->room->waiting_count--;
    member->needs = 0;
    member->wants = false;
    if (member->is_asking)
        client_resume_later(hub, member->client);
    member->is_asking = false;
}

/* ---- events ---- */

static void keep_recent(struct room *room, const struct room_event *event)
{
    if (room->recent_count == ROOM_RECENT_MAX_COUNT) {
        forget(room->recent, &room->recent_count);
        for (struct member *member = room->members; member; member = member->next)
            if (member->needs > 0)
                let_wait(room, member);
        return;
    }
    room->recent[room->recent_count] = *event;
    frame_share(event->frame);
    room->recent_count++;
}

/* client_send may end a client, which leaves its rooms: the next member is noted before. */
static void emit(struct hub *hub, struct room *room, const struct room_event *event)
{
    room->pins_count++;
    if (room->waiting_count > 0)
        keep_recent(room, event);
    if (room->state_revision < event->revision)
        frame_forget(&room->state);
    room->last = event->revision;
    room->is_gone = event->is_gone;
    for (struct member *member = room->members; member;) {
        struct member *next = member->next;
        if (member->needs == 0 && member->last < event->revision) {
            member->last = event->revision;
            member->is_gone = event->is_gone;
            client_send(hub, member->client, event->frame);
        }
        member = next;
    }
    room->pins_count--;
}

static bool follows(const struct room *room, const struct room_event *event)
{
    return room->last == 0 ? !room->is_gone : event->previous == room->last;
}

/* Those of the late ones whose turn has come. */
static void emit_late(struct hub *hub, struct room *room)
{
    for (size_t i = 0; i < room->late_count;) {
        struct room_event event = room->late[i];
        bool is_old = room->last > 0 && event.revision <= room->last;
        if (!is_old && !follows(room, &event)) {
            i++;
            continue;
        }
        room->late[i] = room->late[--room->late_count];
        if (!is_old)
            emit(hub, room, &event);
        frame_release(event.frame);
        i = 0;
    }
    if (room->late_count == 0)
        timer_stop(&room->gap);
}

static void refresh(struct hub *hub, struct room *room, bool is_wanted)
{
    room->last = 0;
    room->is_gone = false;
    for (struct member *member = room->members; member; member = member->next) {
        let_wait(room, member);
        member->wants = member->wants || is_wanted;
    }
    start_read(hub, room);
}

void room_on_gap(struct hub *hub, struct timer *timer)
{
    struct room *room = OWNER_OF(timer, struct room, gap);
    forget(room->late, &room->late_count);
    refresh(hub, room, true);
}

void room_refresh(struct hub *hub, struct room *room)
{
    refresh(hub, room, false);
}

int64_t room_revision(const struct room *room)
{
    return room->is_gone ? 0 : room->last;
}

bool room_is_settled(const struct room *room)
{
    return room->waiting_count == 0 && !room->is_reading && room->late_count == 0;
}

static void hold_late(struct hub *hub, struct room *room, const struct room_event *event)
{
    if (room->late_count == ROOM_LATE_MAX_COUNT) {
        timer_stop(&room->gap);
        room_on_gap(hub, &room->gap);
        return;
    }
    if (room->late_count == 0)
        timer_start(&hub->timers[TIMER_GAP], &room->gap, hub->now_ms);
    room->late[room->late_count++] = *event;
    frame_share(event->frame);
}

static void take_event(struct hub *hub, struct room *room, const struct room_event *event)
{
    if (room->last > 0 && event->revision <= room->last)
        return;
    room->pins_count++;
    if (follows(room, event)) {
        emit(hub, room, event);
        emit_late(hub, room);
    } else {
        hold_late(hub, room, event);
    }
    room->pins_count--;
    unuse(hub, room);
}

/* ---- the state is read ---- */

/* Do the kept events fail to follow on this revision? Then it was read amid a run of changes that
 * were published out of order: it is read again. */
static bool is_torn(const struct room *room, int64_t revision)
{
    for (size_t i = 0; i < room->recent_count; i++) {
        if (room->recent[i].revision > revision)
            return room->recent[i].previous != revision;
    }
    return false;
}

static void give_recent(struct hub *hub, struct room *room, struct member *member)
{
    for (size_t i = 0; i < room->recent_count && member->room; i++) {
        if (room->recent[i].revision <= member->last)
            continue;
        member->last = room->recent[i].revision;
        member->is_gone = room->recent[i].is_gone;
        client_send(hub, member->client, room->recent[i].frame);
    }
}

static void settle(struct hub *hub, struct room *room, struct member *member)
{
    const struct room_read *read = &room->read;
    bool is_same = read->exists ? member->last == read->revision : member->is_gone;
    bool has_it = is_same && !member->wants;
    stop_waiting(hub, member);
    member->last = read->exists ? read->revision : 0;
    member->is_gone = !read->exists;
    if (!has_it && read->frame)
        client_send(hub, member->client, read->frame);
    if (read->exists)
        give_recent(hub, room, member);
}

/* The revision that those who were served have now: what was read, and the events kept since. */
static void take_over(struct room *room)
{
    const struct room_read *read = &room->read;
    const struct room_event *newest =
        room->recent_count > 0 ? &room->recent[room->recent_count - 1] : NULL;
    bool is_newer = read->exists && newest && newest->revision > read->revision;
    room->last = is_newer ? newest->revision : read->exists ? read->revision : 0;
    room->is_gone = is_newer ? newest->is_gone : !read->exists;
}

/* What was read is the room's revision if nobody is left who has another one: what a newcomer is
 * told may be news to the others, which the next comparison finds. */
static void settle_all(struct hub *hub, struct room *room)
{
    const struct room_read *read = &room->read;
    bool must_repeat = read->exists && is_torn(room, read->revision);
    bool is_for_all = !must_repeat;
    for (struct member *member = room->members; member;) {
        struct member *next = member->next;
        bool is_served = member->needs > 0 && member->needs <= read->number;
        is_for_all = is_for_all && is_served;
        if (is_served && must_repeat)
            let_wait(room, member);
        else if (is_served)
            settle(hub, room, member);
        member = next;
    }
    if (is_for_all || (room->last == 0 && !room->is_gone && !must_repeat))
        take_over(room);
    if (must_repeat || room->waiting_count == 0)
        forget(room->recent, &room->recent_count);
    emit_late(hub, room);
}

/* The frame of what is there now: a new one, or the one of the same revision that waits already.
 * Whoever comes as long as it waits for somebody shares it. */
static void know_state(struct room *room)
{
    struct room_read *read = &room->read;
    if (read->exists && read->kept && !read->frame)
        read->frame = frame_share(read->kept);
    if (!read->exists) {
        frame_forget(&room->state);
    } else if (read->frame) {
        frame_know(&room->state, read->frame);
        room->state_revision = read->revision;
    }
}

static void deliver_read(struct hub *hub, struct mail *mail)
{
    struct room *room = OWNER_OF(OWNER_OF(mail, struct room_read, mail), struct room, read);
    if (!room->read.err)
        know_state(room);
    struct frame *frame = room->read.frame; /* the next read may begin before they are let go */
    struct frame *kept = room->read.kept;
    room->is_reading = false;
    room->pins_count++;
    if (room->read.err) {
        note_vain(hub, room);
        retry_later(hub, room);
    } else {
        note_fine(hub, room);
        settle_all(hub, room);
        if (!hub_is_stopping(hub))
            start_read(hub, room);
    }
    frame_release(frame);
    frame_release(kept);
    room->pins_count--;
    unuse(hub, room);
}

/* ---- coming and going ---- */

static void ask(struct hub *hub, struct member *member)
{
    let_wait(member->room, member);
    member->is_asking = true;
    start_read(hub, member->room);
}

void room_join(struct hub *hub, struct member *member, const char *key, int64_t revision)
{
    struct room *room = find(&hub->rooms, key);
    if (!room)
        room = make(hub, key);
    member->room = room;
    member->last = revision;
    member->wants = revision == 0;
    member->is_gone = false;
    member->next = room->members;
    member->previous = NULL;
    if (room->members)
        room->members->previous = member;
    room->members = member;
    ask(hub, member);
}

void room_ask(struct hub *hub, struct member *member)
{
    member->wants = true;
    ask(hub, member);
}

void room_leave(struct hub *hub, struct member *member)
{
    struct room *room = member->room;
    if (!room)
        return;
    stop_waiting(hub, member);
    if (member->previous)
        member->previous->next = member->next;
    else
        room->members = member->next;
    if (member->next)
        member->next->previous = member->previous;
    member->room = NULL;
    unuse(hub, room);
}

/* ---- what is published ---- */

struct publication {
    struct mail mail;
    struct room_event event; /* without a frame: the room's state is to be read */
    char key[];
};

static void deliver_publication(struct hub *hub, struct mail *mail)
{
    struct publication *publication = OWNER_OF(mail, struct publication, mail);
    struct room *room = find(&hub->rooms, publication->key);
    if (room && publication->event.frame) {
        take_event(hub, room, &publication->event);
    } else if (room) {
        refresh(hub, room, false);
    }
    if (publication->event.frame)
        atomic_fetch_sub(&hub->backlog_bytes, publication->event.frame->size_bytes);
    frame_release(publication->event.frame);
    free(publication);
}

static void post(struct hub *hub, const char *key, struct room_event event)
{
    size_t key_bytes = strlen(key) + 1;
    struct publication *publication = malloc(sizeof(*publication) + key_bytes);
    if (!publication)
        abort();
    publication->mail.deliver = deliver_publication;
    publication->event = event;
    memcpy(publication->key, key, key_bytes);
    if (event.frame)
        atomic_fetch_add(&hub->backlog_bytes, event.frame->size_bytes);
    hub_post(hub, &publication->mail);
}

void hub_publish(struct hub *hub, const struct live_step *step, const char *packet)
{
    post(hub, step->key,
         (struct room_event){
             .revision = step->revision,
             .previous = step->previous,
             .is_gone = step->is_gone,
             .frame = frame_text(packet),
         });
}

size_t hub_backlog_bytes(struct hub *hub)
{
    return atomic_load(&hub->backlog_bytes);
}

void hub_refresh(struct hub *hub, const char *key)
{
    post(hub, key, (struct room_event){0});
}
