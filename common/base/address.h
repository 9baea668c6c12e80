/* SPDX-License-Identifier: MIT
 *
 * Network addresses as text and as networks (CIDR), for trusted proxies and limits by address.
 * Pure. */
#ifndef NOTES_ADDRESS_H
#define NOTES_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct arena;

#define NETWORKS_MAX_COUNT 64
#define ADDRESS_TEXT_BYTES 46 /* INET6_ADDRSTRLEN */

struct network {
    unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
    int prefix_bits;           /* of the 128 */
};

struct networks {
    struct network items[NETWORKS_MAX_COUNT];
    size_t count;
};

struct address {
    unsigned char bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
};

/* "10.0.0.0/8, 127.0.0.1, fd00::/8". False on anything else, or on host bits set. NULL or "": none.
 */
MUST_CHECK bool networks_parse(const char *text, struct networks *out_networks);
bool networks_have(const struct networks *networks, const struct address *address);

/* An IPv4 or IPv6 address, without port or brackets. */
MUST_CHECK bool address_parse(const char *text, struct address *out_address);
void address_text(const struct address *address, char out_text[ADDRESS_TEXT_BYTES]);

/* What limits count by, as an address and as text: an IPv4 address as it is, an IPv6 one by its /64
 * (RFC 6177: a site's smallest network). */
struct address address_limit_network(const struct address *address);
void address_limit_key(const struct address *address, char out_text[ADDRESS_TEXT_BYTES]);
/* And as a number, the owner of a job (workers.h); 0 for what has none, as ::1. */
uint64_t address_limit_number(const struct address *address);

/* The client: the rightmost address of X-Forwarded-For that is no trusted proxy, when the peer is
 * one; else the peer. An entry may have a port. A malformed one ends the search at the last good
 * address. `forwarded_for` may be NULL. */
struct address address_client(const struct networks *trusted,
                              const struct address *peer,
                              const char *forwarded_for);

#endif
