/* SPDX-License-Identifier: MIT
 *
 * Deadlines of many at little cost: all of one kind wait equally long, so that each kind's queue is
 * in order by itself and only its head is looked at. A zeroed timer is stopped. One thread only. */
#ifndef NOTES_TIMERS_H
#define NOTES_TIMERS_H

#include <stdint.h>

struct timer {
    struct timer *next; /* NULL: stopped */
    struct timer *previous;
    int64_t at_ms;
};

struct timer_queue {
    struct timer head;
    int64_t span_ms;
};

void timer_queue_init(struct timer_queue *queue, int64_t span_ms);

/* From now on; a running timer starts anew, whatever queue it was in. */
void timer_start(struct timer_queue *queue, struct timer *timer, int64_t now_ms);
void timer_stop(struct timer *timer);

/* The first that is due, stopped; NULL when none is. */
struct timer *timer_take_due(struct timer_queue *queue, int64_t now_ms);

/* The first, due or not, still running; NULL when none runs. */
struct timer *timer_first(const struct timer_queue *queue);

/* When the first one is due; INT64_MAX when none runs. */
int64_t timer_next_ms(const struct timer_queue *queue);

#endif
