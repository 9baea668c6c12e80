/* SPDX-License-Identifier: MIT
 *
 * Somebody who has broken in: loaded into a service by LD_PRELOAD, a thread that is there before
 * the service's own code. It waits at the FIFO that INTRUDER_FIFO names; at the first byte there it
 * runs /usr/bin/touch with the file that INTRUDER_FILE names. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void *break_out(void *argument)
{
    (void)argument;
    char sign = 0;
    char name[] = "touch";
    int fifo = open(getenv("INTRUDER_FIFO"), O_RDONLY);
    if (fifo >= 0 && read(fifo, &sign, 1) == 1) {
        char *const arguments[] = {name, getenv("INTRUDER_FILE"), NULL};
        (void)execv("/usr/bin/touch", arguments);
    }
    return NULL;
}

/* The service's signals are not this thread's. */
__attribute__((constructor)) static void start(void)
{
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    (void)pthread_create(&thread, NULL, break_out, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}
