/* SPDX-License-Identifier: MIT
 *
 * A thread inherits the mask of the one that makes it. */
#include "base/thread.h"

#include <signal.h>

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
