/* SPDX-License-Identifier: MIT
 *
 * Leader and followers. Leadership is handed to the oldest write that waits, with those behind it
 * as its group; each follower sleeps on a condition of its own. Waiting for a group to begin has a
 * limit, so that one whose connection stands still holds up nobody but its members. The leader
 * gives leadership up before it makes a write alone, which may wait for a lock.
 *
 * A group ends by the earliest deadline of its members, so one that is nearly there would spoil it
 * for all: who has less than HURRY_MS left, or would have once its turn came, goes alone.
 * Depends on: db_driver.h (a commit without an answer is noted on each writer's connection). */
#include "data/group_commit.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "base/thread.h"
#include "data/db.h"
#include "data/db_driver.h"

#define ALONE_SHARE 4   /* of the time left, a fourth is kept for writes alone */
#define HURRY_MS    200 /* with less left than that a write is in no group */

enum place { PLACE_WAITS, PLACE_TAKEN, PLACE_LEADS, PLACE_MADE, PLACE_ALONE, PLACE_UNSURE };

/* On the stack of who asked, who sleeps until its place is one of the last three. */
struct member {
    struct member *next;
    void *what;
    int64_t deadline_ms; /* of who asked */
    enum place place;    /* under the lock, as the next two */
    pthread_cond_t moved;
    char why[CTX_WHY_MAX_BYTES]; /* with PLACE_UNSURE */
};

struct group_commit {
    int64_t wait_ms;
    pthread_mutex_t lock;
    struct member *first; /* those that wait, oldest first */
    struct member *last;
    bool is_led;
    int64_t led_from_ms; /* the group that is made now */
};

/* What one transaction is made of. */
struct group {
    size_t count;
    int64_t deadline_ms;                            /* the earliest of its members */
    struct member *members[GROUP_COMMIT_MAX_COUNT]; /* the leader's first */
    struct group_item items[GROUP_COMMIT_MAX_COUNT];
};

struct group_commit *group_commit_new(int64_t wait_ms)
{
    struct group_commit *commits = calloc(1, sizeof(*commits));
    if (!commits)
        return NULL;
    pthread_mutex_init(&commits->lock, NULL);
    commits->wait_ms = wait_ms;
    return commits;
}

void group_commit_free(struct group_commit *commits)
{
    if (!commits)
        return;
    assert(!commits->is_led && !commits->first);
    pthread_mutex_destroy(&commits->lock);
    free(commits);
}

/* ---- one transaction ---- */

static enum err
write_alone(struct ctx *ctx, struct db *db, const struct group_kind *kind, void *what)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    enum err err = db_begin(ctx, db, &tx);
    if (err || (err = kind->write(ctx, db, true, what)))
        return err;
    return db_commit(ctx, &tx);
}

static enum err
write_items(struct ctx *ctx, struct db *db, const struct group_kind *kind, struct group *group)
{
    if (group->count > 1)
        return kind->write_all(ctx, db, group->items, group->count);
    enum err err = kind->write(ctx, db, false, group->items[0].what);
    group->items[0].is_made = !err;
    return err;
}

static enum err begin_and_write(struct ctx *ctx,
                                struct db *db,
                                const struct group_kind *kind,
                                struct group *group,
                                struct db_transaction *out_tx)
{
    enum err err = db_begin(ctx, db, out_tx);
    return err ? err : write_items(ctx, db, kind, group);
}

/* Statements are given up while there is time left to make each write alone, and nobody is held
 * past its own deadline, whoever's connection it is; only ending the transaction, well or not, gets
 * a moment in any case (MySQL: a second for COMMIT or ROLLBACK, as of a write alone). */
static enum err
write_group(struct ctx *ctx, struct db *db, const struct group_kind *kind, struct group *group)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    int64_t own_deadline_ms = ctx->deadline_ms;
    ctx->deadline_ms = group->deadline_ms;
    ctx->deadline_ms -= ctx_left_ms(ctx) / ALONE_SHARE;
    enum err err = begin_and_write(ctx, db, kind, group, &tx);
    ctx->deadline_ms = group->deadline_ms;
    if (!err)
        err = db_commit(ctx, &tx);
    ctx->deadline_ms = own_deadline_ms;
    return err;
}

/* A group that failed is no failure of anybody's: each is tried again, alone. */
static enum place make_group(struct ctx *ctx,
                             struct db *db,
                             const struct group_kind *kind,
                             struct group *group,
                             char *out_why)
{
    if (!write_group(ctx, db, kind, group))
        return PLACE_MADE;
    memcpy(out_why, ctx->why.text, CTX_WHY_MAX_BYTES);
    ctx_forgive(ctx);
    return db_is_unsure(db) ? PLACE_UNSURE : PLACE_ALONE;
}

/* ---- who leads, who waits; all under the lock ---- */

static void join(struct group_commit *commits, struct member *member)
{
    if (commits->last)
        commits->last->next = member;
    else
        commits->first = member;
    commits->last = member;
}

/* NULL when nobody waits. */
static struct member *take_first(struct group_commit *commits)
{
    struct member *member = commits->first;
    if (!member)
        return NULL;
    commits->first = member->next;
    if (!commits->first)
        commits->last = NULL;
    return member;
}

/* Who has given up waiting. It is in the list still: who was taken from it waits. */
static void leave(struct group_commit *commits, const struct member *member)
{
    struct member *before = NULL;
    struct member **link = &commits->first;
    while (*link != member) {
        before = *link;
        link = &before->next;
    }
    *link = member->next;
    if (commits->last == member)
        commits->last = before;
}

static void take_group(struct group_commit *commits, struct member *leader, struct group *group)
{
    struct member *member = leader;
    group->count = 0;
    group->deadline_ms = leader->deadline_ms;
    while (member) {
        if (member->deadline_ms < group->deadline_ms)
            group->deadline_ms = member->deadline_ms;
        member->place = PLACE_TAKEN;
        group->items[group->count] = (struct group_item){.what = member->what};
        group->members[group->count++] = member;
        member = group->count < GROUP_COMMIT_MAX_COUNT ? take_first(commits) : NULL;
    }
}

static void move(struct member *member, enum place place)
{
    member->place = place;
    pthread_cond_signal(&member->moved);
}

static void hand_over(struct group_commit *commits)
{
    struct member *next = take_first(commits);
    commits->is_led = next;
    if (next)
        move(next, PLACE_LEADS);
}

/* Lets go of the lock while the group is made. */
static void lead(struct group_commit *commits,
                 struct ctx *ctx,
                 struct db *db,
                 const struct group_kind *kind,
                 struct member *leader)
{
    struct group group;
    char why[CTX_WHY_MAX_BYTES] = "";
    take_group(commits, leader, &group);
    commits->led_from_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&commits->lock);
    enum place place = make_group(ctx, db, kind, &group, why);
    pthread_mutex_lock(&commits->lock);
    for (size_t i = 0; i < group.count; i++) {
        memcpy(group.members[i]->why, why, sizeof(why));
        move(group.members[i], group.items[i].is_made ? place : PLACE_ALONE);
    }
    hand_over(commits);
}

/* Until it leads or its group has been made; alone when neither begins in time. */
static void wait_for_place(struct group_commit *commits, struct member *member, int64_t until_ms)
{
    bool has_time = true;
    while (member->place == PLACE_WAITS && has_time)
        has_time = condition_wait_until(&member->moved, &commits->lock, until_ms);
    if (member->place == PLACE_WAITS) {
        leave(commits, member);
        member->place = PLACE_ALONE;
    }
    while (member->place == PLACE_TAKEN)
        pthread_cond_wait(&member->moved, &commits->lock);
}

/* The group that is made now is not waited for when it takes long already. */
static void find_place(struct group_commit *commits, struct member *member)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t latest_ms = member->deadline_ms - HURRY_MS;
    int64_t until_ms = now_ms + commits->wait_ms;
    bool is_slow = commits->is_led && now_ms - commits->led_from_ms > commits->wait_ms;
    if (is_slow || now_ms > latest_ms) {
        member->place = PLACE_ALONE;
    } else if (!commits->is_led) {
        commits->is_led = true;
        member->place = PLACE_LEADS;
    } else {
        join(commits, member);
        wait_for_place(commits, member, until_ms < latest_ms ? until_ms : latest_ms);
    }
}

static void write_in_group(struct group_commit *commits,
                           struct ctx *ctx,
                           struct db *db,
                           const struct group_kind *kind,
                           struct member *member)
{
    condition_start(&member->moved);
    pthread_mutex_lock(&commits->lock);
    find_place(commits, member);
    if (member->place == PLACE_LEADS)
        lead(commits, ctx, db, kind, member);
    pthread_mutex_unlock(&commits->lock);
    pthread_cond_destroy(&member->moved);
}

enum err group_commit_write(struct group_commit *commits,
                            struct ctx *ctx,
                            struct db *db,
                            const struct group_kind *kind,
                            void *what)
{
    if (!commits)
        return write_alone(ctx, db, kind, what);
    struct member member;
    member.what = what;
    member.deadline_ms = ctx->deadline_ms;
    member.place = PLACE_WAITS;
    member.next = NULL;
    write_in_group(commits, ctx, db, kind, &member);
    if (member.place == PLACE_MADE)
        return ERR_OK;
    if (member.place == PLACE_ALONE)
        return write_alone(ctx, db, kind, what);
    db->is_unsure = true;
    return ctx_fail(ctx, ERR_UNAVAILABLE, "%s", member.why);
}

size_t group_commit_waiting_count(struct group_commit *commits)
{
    size_t count = 0;
    pthread_mutex_lock(&commits->lock);
    for (const struct member *member = commits->first; member; member = member->next)
        count++;
    pthread_mutex_unlock(&commits->lock);
    return count;
}
