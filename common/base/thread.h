/* SPDX-License-Identifier: MIT
 *
 * Threads that no signal interrupts: signals are the main thread's. */
#ifndef NOTES_THREAD_H
#define NOTES_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Starts run(of) in a thread in which all signals are blocked, as are they in the threads that it
 * makes. The caller joins or detaches it. False when there can be no more threads. */
bool thread_start(pthread_t *out_thread, void *(*run)(void *), void *of);

#endif
