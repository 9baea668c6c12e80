/* SPDX-License-Identifier: MIT
 *
 * A thread inherits the mask of the one that makes it. None of the calls for a condition can fail
 * here: glibc's take no memory, and the clock is one that it knows. */
#include "base/thread.h"

#include <signal.h>
#include <time.h>

#define MS_PER_S  1000
#define NS_PER_MS 1000000

bool thread_start(pthread_t *out_thread, void *(*run)(void *), void *of)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_started = pthread_create(out_thread, NULL, run, of) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_started;
}

void condition_start(pthread_cond_t *out_condition)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(out_condition, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

bool condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_ms)
{
    if (until_ms < 0)
        return false;
    const struct timespec until = {.tv_sec = (time_t)(until_ms / MS_PER_S),
                                   .tv_nsec = (long)(until_ms % MS_PER_S) * NS_PER_MS};
    return pthread_cond_timedwait(condition, lock, &until) == 0;
}
