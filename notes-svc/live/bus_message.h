/* SPDX-License-Identifier: MIT
 *
 * What replicas tell each other, as bytes: a head of words that ends with a line feed, a key, a
 * packet, and a digest of all that, keyed by what only processes of one site know. Pure: no I/O.
 *
 *     notes1 SENDER KIND PREVIOUS REVISION KEY_BYTES LF KEY PACKET DIGEST
 *
 * Who can write to Redis can repeat a message, which does no harm, and make none.
 *
 * A process of another version that has other words is not understood; confirmation makes good what
 * it told. */
#ifndef NOTES_BUS_MESSAGE_H
#define NOTES_BUS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/secret.h"

struct arena;

#define BUS_SENDER_BYTES     16
#define BUS_SENDER_CHARS     22 /* of base64url */
#define BUS_HEAD_MAX_BYTES   128
#define BUS_KEY_MAX_BYTES    1020
#define BUS_PACKET_MAX_BYTES ((size_t)1024 * 1024)
#define BUS_DIGEST_CHARS     43 /* of base64url */
#define BUS_MESSAGE_MAX_BYTES \
    (BUS_HEAD_MAX_BYTES + BUS_KEY_MAX_BYTES + BUS_PACKET_MAX_BYTES + BUS_DIGEST_CHARS)

enum bus_kind {
    BUS_EVENT,       /* a note went from `previous` to `revision`; `packet` says how */
    BUS_GONE,        /* so, and it is destroyed */
    BUS_REFRESH,     /* the state of a room is another */
    BUS_SESSION_END, /* the session of `digest` has ended */
    BUS_KINDS_COUNT
};

struct bus_message {
    const char *sender; /* base64url */
    enum bus_kind kind;
    bool is_home_too; /* the list of all notes is another as well */
    const char *key;  /* of a note; of a refresh also the list's, which is "" */
    int64_t previous; /* of events; smaller than `revision` */
    int64_t revision;
    const char *packet; /* of events */
    unsigned char digest[SECRET_DIGEST_BYTES];
};

/* The bytes to send. A packet that is too long makes it a refresh. Units: key 16 to 64 bytes. */
struct bytes
bus_message_write(struct arena *arena, struct bytes key, const struct bus_message *message);

/* False: none of ours. Texts are in the arena. */
MUST_CHECK bool bus_message_read(struct arena *arena,
                                 struct bytes key,
                                 struct bytes bytes,
                                 struct bus_message *out_message);

#endif
