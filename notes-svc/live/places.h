/* SPDX-License-Identifier: MIT
 *
 * How many live sockets there may be, in all and of one address: a place is taken before the
 * handshake is answered and given back when the socket has gone. Threads: any; one lock inside. */
#ifndef NOTES_PLACES_H
#define NOTES_PLACES_H

#include <stdint.h>

struct address;
struct place;
struct places;

/* Units: 0 per address is no limit. */
struct places *places_new(int64_t max_count, int64_t per_address_count);
/* All must have been given back. NULL is fine. */
void places_free(struct places *places);

/* NULL: there is none left, in all or for this address. */
struct place *places_take(struct places *places, const struct address *address);
void places_give(struct places *places, struct place *place);

#endif
