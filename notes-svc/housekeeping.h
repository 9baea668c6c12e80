/* SPDX-License-Identifier: MIT
 *
 * What the service does without being asked: it looks whether its dependencies answer, and removes
 * what has had its time (sessions that are over, notes that were destroyed long ago). The main
 * thread's tick hands it to the lanes: what looks after data to a worker, the look at userauth-svc
 * to the slow lane; one run of each at a time. */
#ifndef NOTES_HOUSEKEEPING_H
#define NOTES_HOUSEKEEPING_H

struct app;
struct ctx;
struct housekeeping;

#define HOUSEKEEPING_PROBE_EVERY_MS 5000
#define HOUSEKEEPING_PURGE_EVERY_MS 3600000
#define HOUSEKEEPING_PURGE_AGAIN_MS \
    60000                            /* when there was more than one run's time was enough for */
#define HOUSEKEEPING_PURGE_MS  2500  /* of one run, for each kind */
#define HOUSEKEEPING_BUDGET_MS 10000 /* the last transaction of a run has what is left of it */
/* Rows of one transaction, so that writers never wait long. */
#define HOUSEKEEPING_BATCH_COUNT 200

/* NULL when out of memory. */
struct housekeeping *housekeeping_new(struct app *app);
/* After the workers are gone. */
void housekeeping_free(struct housekeeping *housekeeping);

/* Does Redis answer? Logs when that has changed. ctx has a connection. */
void housekeeping_note_redis(struct app *app, struct ctx *ctx);

/* Hands over what is due, if the last run is done. Never blocks. */
void housekeeping_tick(struct housekeeping *housekeeping);

#endif
