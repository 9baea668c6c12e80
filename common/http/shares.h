/* SPDX-License-Identifier: MIT
 *
 * Memory that the clients of a server share: of the bodies that arrive, or of the answers that wait
 * to be read. Clients are told apart as all limits do, by their address, IPv6 by its /64.
 *
 * When all is used, room is made for who would hold less, with what he asks for, than the address
 * that holds most: of that one the share that began first is cut, and so on. Nobody is cut when
 * that would not be enough. So an address is not refused for what others hold unless it wants more
 * than an equal part, and whoever holds no more than others do is never cut; who comes from many
 * addresses has many parts. What is just worked on or waits for it can't be cut: who has only such
 * is passed over. When too much is, room is refused; so an address may have a part in that only,
 * see share_stay.
 *
 * share_init → share_take, again as it grows → share_done. Threads: any; one at a time for a share,
 * beside who cuts it. */
#ifndef NOTES_SHARES_H
#define NOTES_SHARES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/cleanup.h"

#define SHARES_BUCKETS_COUNT 1024 /* a power of two */

struct connection;
struct holder; /* an address */
struct log;

struct shares {
    const char *name; /* for the log */
    size_t max_bytes;
    pthread_mutex_t lock; /* of all below, and of what hangs on it */
    size_t used_bytes;
    struct holder *buckets[SHARES_BUCKETS_COUNT];
    uint64_t turn;     /* of making room, the first is 1 */
    int64_t cut_count; /* since it was logged */
    struct address cut_client;
};

struct share {
    struct shares *shares;
    struct address client;         /* its network, for IPv6 */
    struct connection *connection; /* that is cut for it; NULL: none */
    bool is_taken;                 /* there was something once */

    /* Under the lock: */
    bool is_cut; /* for good */
    bool is_staying;
    struct holder *holder; /* NULL: it has nothing */
    struct share *older;   /* of the same holder */
    struct share *newer;
    size_t size_bytes;
};

/* `name` is static. */
void shares_init(struct shares *shares, const char *name, size_t max_bytes);
/* All shares are done. Does nothing on a zeroed struct. */
void shares_done(struct shares *shares);

/* What all shares together have. */
size_t shares_used_bytes(struct shares *shares);

/* Once a second: one line when some were cut. */
void shares_log(struct shares *shares, struct log *log);

/* The connection outlives the share. It is cut only while it reads its request or sends its
 * answer. */
void share_init(struct share *share,
                struct shares *shares,
                const struct address *client,
                struct connection *connection);

/* So many bytes more. False: there is no room, or it was cut. */
MUST_CHECK bool share_take(struct share *share, size_t size_bytes);
void share_give_back(struct share *share, size_t size_bytes);

/* From here on it can't be cut for a while. False: its address has other such already, and with
 * this one it would be more than a quarter of all that there may be. */
MUST_CHECK bool share_stay(struct share *share);

/* Was it cut to make room for others? */
bool share_is_cut(struct share *share);

/* Gives back all. Does nothing on a zeroed struct. */
void share_done(struct share *share);

#endif
