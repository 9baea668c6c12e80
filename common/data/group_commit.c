/* SPDX-License-Identifier: MIT
 *
 * Leader and followers. Leadership is handed to the oldest write that waits, with those behind it
 * as its group; each follower sleeps on a condition of its own. The leader gives leadership up
 * before it makes a write alone, which may wait for a lock. So nobody waits for longer than a group
 * takes, which ends before the deadline of a write that came earlier.
 * Depends on: db_driver.h (a commit without an answer is noted on each writer's connection). */
#include "data/group_commit.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/ctx.h"
#include "data/db.h"
#include "data/db_driver.h"

#define ALONE_SHARE 4 /* of the time left, a fourth is kept for writes alone */

enum place { PLACE_WAITS, PLACE_LEADS, PLACE_MADE, PLACE_ALONE, PLACE_UNSURE };

/* On the stack of who asked, who sleeps until its place is one of the last three. */
struct member {
    struct member *next;
    void *what;
    enum place place; /* under the lock */
    pthread_cond_t moved;
};

struct group_commit {
    pthread_mutex_t lock;
    struct member *first; /* those that wait, oldest first */
    struct member *last;
    bool is_led;
};

/* What one transaction is made of. */
struct group {
    size_t count;
    struct member *members[GROUP_COMMIT_MAX_COUNT]; /* the leader's first */
    struct group_item items[GROUP_COMMIT_MAX_COUNT];
};

struct group_commit *group_commit_new(void)
{
    struct group_commit *commits = calloc(1, sizeof(*commits));
    if (commits)
        pthread_mutex_init(&commits->lock, NULL);
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

/* A connection that stands still must not take with it whoever waits: the group is given up while
 * there is time left to make each write alone. */
static enum err
write_group(struct ctx *ctx, struct db *db, const struct group_kind *kind, struct group *group)
{
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    int64_t deadline_ms = ctx->deadline_ms;
    ctx->deadline_ms -= ctx_left_ms(ctx) / ALONE_SHARE;
    enum err err = begin_and_write(ctx, db, kind, group, &tx);
    ctx->deadline_ms = deadline_ms;
    return err ? err : db_commit(ctx, &tx);
}

/* A group that failed is no failure of anybody's: each is tried again, alone. */
static enum place
make_group(struct ctx *ctx, struct db *db, const struct group_kind *kind, struct group *group)
{
    if (!write_group(ctx, db, kind, group))
        return PLACE_MADE;
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

static void take_group(struct group_commit *commits, struct member *leader, struct group *group)
{
    struct member *member = leader;
    group->count = 0;
    while (member) {
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
    take_group(commits, leader, &group);
    pthread_mutex_unlock(&commits->lock);
    enum place place = make_group(ctx, db, kind, &group);
    pthread_mutex_lock(&commits->lock);
    for (size_t i = 0; i < group.count; i++)
        move(group.members[i], group.items[i].is_made ? place : PLACE_ALONE);
    hand_over(commits);
}

static enum place write_in_group(struct group_commit *commits,
                                 struct ctx *ctx,
                                 struct db *db,
                                 const struct group_kind *kind,
                                 struct member *member)
{
    pthread_mutex_lock(&commits->lock);
    if (commits->is_led)
        join(commits, member);
    else
        member->place = PLACE_LEADS;
    commits->is_led = true;
    while (member->place == PLACE_WAITS)
        pthread_cond_wait(&member->moved, &commits->lock);
    if (member->place == PLACE_LEADS)
        lead(commits, ctx, db, kind, member);
    enum place place = member->place;
    pthread_mutex_unlock(&commits->lock);
    return place;
}

enum err group_commit_write(struct group_commit *commits,
                            struct ctx *ctx,
                            struct db *db,
                            const struct group_kind *kind,
                            void *what)
{
    if (!commits)
        return write_alone(ctx, db, kind, what);
    struct member member = {.what = what, .place = PLACE_WAITS, .moved = PTHREAD_COND_INITIALIZER};
    enum place place = write_in_group(commits, ctx, db, kind, &member);
    pthread_cond_destroy(&member.moved);
    if (place == PLACE_MADE)
        return ERR_OK;
    if (place == PLACE_ALONE)
        return write_alone(ctx, db, kind, what);
    db->is_unsure = true;
    return ctx_fail(ctx, ERR_UNAVAILABLE, "the outcome of the group's commit is unknown");
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
