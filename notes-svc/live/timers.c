/* SPDX-License-Identifier: MIT
 *
 * Rings with a head. Depends on: timers.h. */
#include "live/timers.h"

#include <stddef.h>

void timer_queue_init(struct timer_queue *queue, int64_t span_ms)
{
    queue->head.next = &queue->head;
    queue->head.previous = &queue->head;
    queue->span_ms = span_ms;
}

void timer_stop(struct timer *timer)
{
    if (!timer->next)
        return;
    timer->previous->next = timer->next;
    timer->next->previous = timer->previous;
    timer->next = NULL;
    timer->previous = NULL;
}

void timer_start(struct timer_queue *queue, struct timer *timer, int64_t now_ms)
{
    timer_stop(timer);
    timer->at_ms = now_ms + queue->span_ms;
    timer->next = &queue->head;
    timer->previous = queue->head.previous;
    timer->previous->next = timer;
    queue->head.previous = timer;
}

struct timer *timer_take_due(struct timer_queue *queue, int64_t now_ms)
{
    struct timer *first = queue->head.next;
    if (first == &queue->head || first->at_ms > now_ms)
        return NULL;
    timer_stop(first);
    return first;
}

struct timer *timer_first(const struct timer_queue *queue)
{
    return queue->head.next == &queue->head ? NULL : queue->head.next;
}

int64_t timer_next_ms(const struct timer_queue *queue)
{
    return queue->head.next == &queue->head ? INT64_MAX : queue->head.next->at_ms;
}
