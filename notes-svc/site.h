/* SPDX-License-Identifier: MIT
 *
 * What tells this site from others that share its Redis, made of the key that all processes of its
 * database have and no others. The key can't be told from the id, which everybody may see. */
#ifndef NOTES_SITE_H
#define NOTES_SITE_H

#include "base/bytes.h"
#include "base/secret.h"

#define SITE_ID_CHARS 16

struct site {
    char id[SITE_ID_CHARS + 1];                 /* base64url; in names in Redis: notes:ID:... */
    unsigned char bus_key[SECRET_DIGEST_BYTES]; /* of the digests of messages between processes */
    unsigned char session_key[SECRET_DIGEST_BYTES];  /* of handles of sessions, and of their users'
                                                       names where these are kept by digest */
    unsigned char record_key[SECRET_DIGEST_BYTES];   /* of the digests in sessions' records */
    unsigned char provider_key[SECRET_DIGEST_BYTES]; /* of what browsers keep during a sign-in at a
                                                        provider */
};

/* key: 16 to 64 bytes. */
void site_init(struct site *out_site, struct bytes key);

#endif
