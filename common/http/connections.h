/* SPDX-License-Identifier: MIT
 *
 * The open connections of a server: how many there are, in all and by address, and which of them
 * let a request arrive or take an answer too slowly. Knows sockets, not HTTP.
 *
 * connections_admit (acceptor) → connections_find, connection_start (event loop) → connection_...
 * as its requests come and go → connections_remove, before the socket is closed. A socket that
 * never reached its loop is found out when its number comes again. Threads: any; the state of one
 * connection changes on its loop and in connections_sweep, by atomic exchange. */
#ifndef NOTES_CONNECTIONS_H
#define NOTES_CONNECTIONS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/cleanup.h"

struct connections;
struct exchange;
struct sockaddr;

enum connection_state {
    CONNECTION_ADMITTED, /* on its way to a loop; its socket is not ours to touch */
    CONNECTION_WAITING,  /* for the first byte of a request, or for the rest of its first line */
    CONNECTION_READING,  /* a request has begun and is not there yet */
    CONNECTION_BUSY,     /* it is there: being answered */
    CONNECTION_SENDING,  /* the answer is on its way */
    CONNECTION_CUT,      /* shut by us; the loop finds out */
};

struct connection {
    struct connection *next;
    struct connection *previous;
    struct address_count *counted; /* NULL: not counted */
    struct address peer;
    bool is_trusted;
    int fd;
    void *handle;    /* of the library; for its loop thread only */
    bool is_in_head; /* a first line came, and not yet all fields; for its loop thread only */
    struct exchange *exchange; /* under way, NULL: none; for its loop thread only */
    pthread_t loop;            /* valid once handle is set */
    _Atomic int state;
    _Atomic int64_t since_ms;      /* in this state */
    _Atomic int64_t send_until_ms; /* while sending */
    _Atomic bool has_served;       /* a request was answered before */
    int64_t first_byte_ms;         /* while waiting: when the sweep saw that bytes came, 0: none */
};

struct connections_options {
    int64_t max_count;
    int64_t other_files_count; /* sockets that are open besides these connections */
    int64_t per_address_count; /* 0: no limit */
    const struct networks *trusted;
    int64_t read_timeout_ms;
};

/* NULL when out of memory. */
struct connections *connections_new(const struct connections_options *options);

/* All must have been removed. */
void connections_free(struct connections *connections);

enum connections_verdict { CONNECTIONS_ADMITTED, CONNECTIONS_FULL, CONNECTIONS_ADDRESS_FULL };

/* Enters a new socket unless there are too many. Trusted proxies are exempt from the limit by
 * address. */
MUST_CHECK enum connections_verdict
connections_admit(struct connections *connections, int fd, const struct sockaddr *peer);
bool connections_are_full(struct connections *connections);

/* The entry of a socket, NULL when it has none. It stays valid until it is removed. */
struct connection *connections_find(struct connections *connections, int fd);

/* Takes it off the books and frees it. */
void connections_remove(struct connections *connections, struct connection *connection);
/* The same by socket, for one that could not be handed on. */
void connections_remove_fd(struct connections *connections, int fd);
size_t connections_count(struct connections *connections);

/* Shuts the sockets of all and waits until their loops have removed them, a second at most. NULL:
 * nothing. */
void connections_end(struct connections *connections);

/* It has reached its loop, which is the caller. */
void connection_start(struct connection *connection, void *handle);

/* A request's first line is there. */
void connection_begin(struct connection *connection, int64_t now_ms);

/* It is there as a whole. False: it was cut, too late. */
MUST_CHECK bool connection_arrived(struct connection *connection);

/* Its answer goes out, and must be gone by then. */
void connection_send(struct connection *connection, int64_t until_ms);

/* It was answered. */
void connection_answered(struct connection *connection, int64_t now_ms);

/* Sends a whole small answer past the library and shuts the connection. On its loop thread, or by
 * the sweep. */
void connection_cut(struct connection *connection, int status, const char *text);

/* To make room for others: shuts one whose request arrives, with a 503, or whose answer is on its
 * way. False: it is neither. Threads: any, while its loop can't remove it. */
MUST_CHECK bool connection_give_up(struct connection *connection);

/* Once a second: answers 408 to requests that are not there read_timeout_ms after they began, and
 * shuts them; returns how many. `peer_text` is one of them, for the log. Those that take their
 * answer too slowly are shut as well, but not counted: their requests' own log lines say it. */
size_t connections_sweep(struct connections *connections,
                         int64_t now_ms,
                         char peer_text[ADDRESS_TEXT_BYTES]);

/* Calls fn for each connection whose loop thread is the caller and whose request is not read to the
 * end of its fields. */
void connections_each_in_head(struct connections *connections,
                              void (*fn)(struct connection *connection));

/* An IPv4 or IPv6 socket address in our form. Other families give ::. */
struct address connection_address(const struct sockaddr *peer);

#endif
