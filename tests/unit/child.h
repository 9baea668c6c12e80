/* SPDX-License-Identifier: MIT
 *
 * A program that a test runs beside itself: silent, and never longer than the test. */
#ifndef NOTES_CHILD_H
#define NOTES_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* `arguments` ends with NULL; the first is the program. */
pid_t child_spawn(const char *const *arguments);

/* Waits for its end. Its exit code, -1 when a signal ended it. */
int child_finish(pid_t pid);

/* Signals; the second waits until it stands still. */
void child_signal(pid_t pid, int signal);
void child_pause(pid_t pid);

/* Makes a port this process' until it ends, by a name for which tests/harness/ports.py asks, too.
 * False: another one has it, or this one. */
bool child_hold_port(int port);

/* A port of 127.0.0.1 that nobody listens on, and that no test is given until this one ends. */
int child_free_port(void);

#endif
