/* SPDX-License-Identifier: MIT
 *
 * A session as one value: what a store of keys and values keeps under its digest. Lines of text:
 * the format's version, the times of making, of the last use and of the last check (unix, ms), the
 * user's entity tag, the user's name, and a digest of whose session it is since when, keyed by the
 * site: who writes to the store makes no session and gives none to another user. The two times of
 * use and check are not in it, for the store itself writes them anew. What is known besides, of its
 * sign-in, is a value of its own: the format's version, device and address, both empty when
 * unknown. Who reads them does not trust them. Pure. */
#ifndef NOTES_SESSION_RECORD_H
#define NOTES_SESSION_RECORD_H

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct session;
struct site;

#define SESSION_RECORD_MAX_BYTES  4096
#define SESSION_SIGN_IN_MAX_BYTES 512

/* Errors: ERR_INTERNAL the texts can't be kept: too long, empty, or lines in an entity tag. */
MUST_CHECK enum err session_record_write(struct ctx *ctx,
                                         const struct site *site,
                                         const struct session *session,
                                         struct bytes *out_record);

/* Fills all but id, digest and form token; the digest is the one that it was found by. Errors:
 * ERR_INVALID not such a record, or not this site's of that session. */
MUST_CHECK enum err session_record_read(struct ctx *ctx,
                                        const struct site *site,
                                        struct bytes record,
                                        struct session *session);

/* Of a session's sign-in. Texts that can't be kept are left out. */
struct bytes session_sign_in_write(struct ctx *ctx, const struct session *session);

/* Sets device and address; what is no such value says nothing of either. */
void session_sign_in_read(struct ctx *ctx, struct bytes value, struct session *session);

#endif
