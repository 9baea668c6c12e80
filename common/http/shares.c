/* SPDX-License-Identifier: MIT
 *
 * A table of the holders, which are addresses, each with the list of its shares. Who is cut is off
 * the books at once, though its event loop frees the memory a moment later, when it finds the
 * socket shut. Which holder has most is looked for only when all is used: there are at most as many
 * as connections. Depends on: shares.h, connections.h (cutting), log.h. */
#include "http/shares.h"

#include "base/log.h"
#include "http/connections.h"

#include <stdlib.h>
#include <string.h>

#define STAYING_PART 4 /* of all, for an address */

struct holder {
    struct holder *next;
    struct address client;
    size_t size_bytes;
    size_t staying_bytes; /* of it */
    struct share *oldest;
    struct share *newest;
    uint64_t stuck_turn; /* when last none of its shares could be cut */
};

void shares_init(struct shares *shares, const char *name, size_t max_bytes)
{
    *shares = (struct shares){.name = name, .max_bytes = max_bytes};
    if (pthread_mutex_init(&shares->lock, NULL) != 0)
        abort();
}

void shares_done(struct shares *shares)
{
    if (shares->name)
        (void)pthread_mutex_destroy(&shares->lock);
}

size_t shares_used_bytes(struct shares *shares)
{
    (void)pthread_mutex_lock(&shares->lock);
    size_t used_bytes = shares->used_bytes;
    (void)pthread_mutex_unlock(&shares->lock);
    return used_bytes;
}

void shares_log(struct shares *shares, struct log *log)
{
    char peer[ADDRESS_TEXT_BYTES];
    (void)pthread_mutex_lock(&shares->lock);
    int64_t count = shares->cut_count;
    shares->cut_count = 0;
    address_limit_key(&shares->cut_client, peer);
    (void)pthread_mutex_unlock(&shares->lock);
    const struct log_field fields[] = {log_str("of", shares->name), log_i64("count", count),
                                       log_str("peer", peer)};
    if (count > 0)
        log_event_write(log, NULL, LOG_WARN, "http.shares_cut", fields, ARRAY_COUNT(fields));
}

/* ---- holders; under the lock ---- */

static struct holder **bucket_of(struct shares *shares, const struct address *client)
{
    uint32_t hash = 2166136261U; /* FNV-1a; a chain is at most as long as there are connections */
    for (size_t i = 0; i < sizeof(client->bytes); i++)
        hash = (hash ^ client->bytes[i]) * 16777619U;
    return &shares->buckets[hash & (SHARES_BUCKETS_COUNT - 1)];
}

static struct holder *find_holder(struct shares *shares, const struct address *client)
{
    struct holder *holder = *bucket_of(shares, client);
    while (holder && memcmp(&holder->client, client, sizeof(*client)) != 0)
        holder = holder->next;
    return holder;
}

/* NULL: out of memory. */
static struct holder *make_holder(struct shares *shares, const struct address *client)
{
    struct holder *holder = calloc(1, sizeof(*holder));
    if (!holder)
        return NULL;
    struct holder **bucket = bucket_of(shares, client);
    holder->client = *client;
    holder->next = *bucket;
    *bucket = holder;
    return holder;
}

static void drop_holder(struct shares *shares, struct holder *holder)
{
    struct holder **at = bucket_of(shares, &holder->client);
    while (*at != holder)
        at = &(*at)->next;
    *at = holder->next;
    free(holder);
}

static void link_share(struct share *share, struct holder *holder)
{
    share->holder = holder;
    share->newer = NULL;
    share->older = holder->newest;
    if (holder->newest)
        holder->newest->newer = share;
    else
        holder->oldest = share;
    holder->newest = share;
}

static void count(struct share *share, size_t more_bytes)
{
    share->size_bytes += more_bytes;
    share->holder->size_bytes += more_bytes;
    share->holder->staying_bytes += share->is_staying ? more_bytes : 0;
    share->shares->used_bytes += more_bytes;
}

static void uncount(struct share *share, size_t size_bytes)
{
    share->size_bytes -= size_bytes;
    share->holder->size_bytes -= size_bytes;
    share->holder->staying_bytes -= share->is_staying ? size_bytes : 0;
    share->shares->used_bytes -= size_bytes;
}

static void unlink_share(struct share *share)
{
    struct holder *holder = share->holder;
    uncount(share, share->size_bytes);
    if (share->older)
        share->older->newer = share->newer;
    else
        holder->oldest = share->newer;
    if (share->newer)
        share->newer->older = share->older;
    else
        holder->newest = share->older;
    share->holder = NULL;
    if (!holder->oldest)
        drop_holder(share->shares, holder);
}

/* ---- making room; under the lock ---- */

struct excess {
    struct holder *most; /* holds more than any other */
    size_t size_bytes;   /* of what all hold, that is above the level */
};

/* Of those of whom something may still be cut in this turn. */
static struct excess excess_over(const struct shares *shares, size_t level_bytes)
{
    struct excess excess = {0};
    for (size_t i = 0; i < SHARES_BUCKETS_COUNT; i++) {
        for (struct holder *at = shares->buckets[i]; at; at = at->next) {
            if (at->size_bytes <= level_bytes || at->stuck_turn == shares->turn)
                continue;
            excess.size_bytes += at->size_bytes - level_bytes;
            if (!excess.most || at->size_bytes > excess.most->size_bytes)
                excess.most = at;
        }
    }
    return excess;
}

/* Or finds that none of this holder's can be cut now. */
static void cut_oldest(struct shares *shares, struct holder *holder)
{
    struct share *share = holder->oldest;
    while (share && !(share->connection && connection_give_up(share->connection)))
        share = share->newer;
    if (!share) {
        holder->stuck_turn = shares->turn;
        return;
    }
    share->is_cut = true;
    shares->cut_count++;
    shares->cut_client = share->client;
    unlink_share(share);
}

static size_t missing_bytes(const struct shares *shares, size_t more_bytes)
{
    size_t free_bytes = shares->max_bytes - shares->used_bytes;
    return more_bytes > free_bytes ? more_bytes - free_bytes : 0;
}

/* For one who holds so much. */
static bool make_room(struct shares *shares, size_t more_bytes, size_t held_bytes)
{
    if (missing_bytes(shares, more_bytes) == 0)
        return true;
    if (more_bytes > shares->max_bytes - held_bytes)
        return false;
    size_t level_bytes = held_bytes + more_bytes;
    shares->turn++;
    struct excess excess = excess_over(shares, level_bytes);
    while (missing_bytes(shares, more_bytes) > 0 &&
           excess.size_bytes >= missing_bytes(shares, more_bytes)) {
        cut_oldest(shares, excess.most);
        excess = excess_over(shares, level_bytes);
    }
    return missing_bytes(shares, more_bytes) == 0;
}

/* The holder of its address, NULL: there is none yet. False: out of memory. */
static bool join(struct share *share, struct holder *holder)
{
    if (!holder)
        holder = make_holder(share->shares, &share->client);
    if (!holder)
        return false;
    link_share(share, holder);
    return true;
}

static bool take_locked(struct share *share, size_t size_bytes)
{
    struct shares *shares = share->shares;
    struct holder *holder = find_holder(shares, &share->client);
    size_t held_bytes = holder ? holder->size_bytes : 0;
    if (share->is_cut || !make_room(shares, size_bytes, held_bytes))
        return false;
    if (!share->holder && !join(share, holder))
        return false;
    count(share, size_bytes);
    return true;
}

/* ---- shares ---- */

void share_init(struct share *share,
                struct shares *shares,
                const struct address *client,
                struct connection *connection)
{
    *share = (struct share){
        .shares = shares, .client = address_limit_network(client), .connection = connection};
}

bool share_take(struct share *share, size_t size_bytes)
{
    (void)pthread_mutex_lock(&share->shares->lock);
    bool is_taken = take_locked(share, size_bytes);
    (void)pthread_mutex_unlock(&share->shares->lock);
    share->is_taken = share->is_taken || is_taken;
    return is_taken;
}

void share_give_back(struct share *share, size_t size_bytes)
{
    (void)pthread_mutex_lock(&share->shares->lock);
    if (share->holder)
        uncount(share, size_bytes);
    (void)pthread_mutex_unlock(&share->shares->lock);
}

static bool stay_locked(struct share *share)
{
    struct holder *holder = share->holder;
    if (!holder || share->is_staying)
        return true;
    size_t staying_bytes = holder->staying_bytes + share->size_bytes;
    if (holder->staying_bytes > 0 && staying_bytes > share->shares->max_bytes / STAYING_PART)
        return false;
    share->is_staying = true;
    holder->staying_bytes = staying_bytes;
    return true;
}

bool share_stay(struct share *share)
{
    (void)pthread_mutex_lock(&share->shares->lock);
    bool is_staying = stay_locked(share);
    (void)pthread_mutex_unlock(&share->shares->lock);
    return is_staying;
}

/* Its loop may know that the socket is shut before whoever shut it has said so here. */
bool share_is_cut(struct share *share)
{
    if (!share->is_taken)
        return false;
    (void)pthread_mutex_lock(&share->shares->lock);
    bool is_cut = share->is_cut;
    (void)pthread_mutex_unlock(&share->shares->lock);
    return is_cut;
}

void share_done(struct share *share)
{
    if (!share->is_taken)
        return;
    (void)pthread_mutex_lock(&share->shares->lock);
    if (share->holder)
        unlink_share(share);
    (void)pthread_mutex_unlock(&share->shares->lock);
    share->is_taken = false;
}
