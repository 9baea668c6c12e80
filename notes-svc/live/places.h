/* SPDX-License-Identifier: MIT
 *
 * How many live sockets there may be, in all, of one address and of one session: a place is taken
 * before the handshake is answered and given back when the socket has gone. Threads: any; one lock
 * inside. */
#ifndef NOTES_PLACES_H
#define NOTES_PLACES_H

#include <stdint.h>

#include "base/secret.h"

struct address;
struct place;
struct places;

/* 0 of one address, or of one session, is no limit. */
struct places_limits {
    int64_t count;
    int64_t per_address_count;
    int64_t per_session_count;
};

struct places *places_new(const struct places_limits *limits);
/* All must have been given back. NULL is fine. */
void places_free(struct places *places);

/* session: the digest of who is signed in, or NULL.
 * NULL: there is none left, in all, for this address or for this session. */
struct place *places_take(struct places *places,
                          const struct address *address,
                          const unsigned char session[SECRET_DIGEST_BYTES]);
void places_give(struct places *places, struct place *place);

#endif
