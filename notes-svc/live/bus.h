/* SPDX-License-Identifier: MIT
 *
 * What the processes of one site tell each other through Redis: changes of notes, ended sessions.
 * Whoever publishes has told its own hub before; the others' hear it here, from one thread that
 * reads the channel. What is kept of the note or session is dropped, then the hub is told. Messages
 * may be lost, and nothing depends on one: rooms are compared with the database by room_confirm.c,
 * and all of them at once when the channel is heard again; and while it is not heard, nothing that
 * is kept is used unconfirmed (app->trust).
 *
 * bus_new → bus_publish from any thread → bus_stop → the publishers end → bus_free. */
#ifndef NOTES_BUS_H
#define NOTES_BUS_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "live/bus_message.h"

struct bus;
struct app;
struct ctx;
struct hub;
struct log;
struct redis_options;
struct site;

#define BUS_RETRY_FIRST_MS 100 /* doubled by each vain try, and never quite as long */
#define BUS_RETRY_MAX_MS   3000
#define BUS_BACKLOG_MAX_BYTES \
    ((size_t)32 * 1024 * 1024) /* a hub that has more to deliver misses events, and compares */

struct bus_options {
    struct app *app;
    struct log *log;
    struct hub *hub;
    const struct redis_options *redis; /* outlives the bus */
    const struct site *site;           /* so does this */
};

/* Starts the thread. NULL when there is no thread or descriptor left. */
struct bus *bus_new(const struct bus_options *options);

/* Ends the thread. NULL is fine. */
void bus_stop(struct bus *bus);
void bus_free(struct bus *bus);

/* Tells the others; the sender is filled in. Under load the message may leave a moment after the
 * call, with those of other workers (outbox.h). A failure is logged, once in a row, and no more:
 * confirmation covers it. bus NULL: there are no others to tell. On a worker, with ctx->redis. */
void bus_publish(struct ctx *ctx, struct bus *bus, const struct bus_message *message);

#endif
