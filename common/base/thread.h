/* SPDX-License-Identifier: MIT
 *
 * Threads that no signal interrupts: signals are the main thread's; and waits that end by the clock
 * of deadlines. */
#ifndef NOTES_THREAD_H
#define NOTES_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts run(of) in a thread in which all signals are blocked, as are they in the threads that it
 * makes. The caller joins or detaches it. False when there can be no more threads. */
bool thread_start(pthread_t *out_thread, void *(*run)(void *), void *of);

/* A condition for condition_wait_until; pthread_cond_destroy ends it. */
void condition_start(pthread_cond_t *out_condition);

/* Waits with the lock held, as pthread_cond_timedwait does: it may return without a reason, so the
 * caller looks again. until_ms is of clock_monotonic_ms; INT64_MAX waits without an end. False: the
 * time has come. */
bool condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_ms);

#endif
