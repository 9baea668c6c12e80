/* SPDX-License-Identifier: MIT
 *
 * What the programs of the bench share. A fault of theirs ends them with a word: there is nobody to
 * recover for. */
#ifndef NOTES_BENCH_H
#define NOTES_BENCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* Prints the reason and ends the program with 1. */
_Noreturn void bench_die(const char *format, ...) FORMAT(1, 2);

/* An argument that must be a number within min..max. */
int64_t bench_number(const char *text, int64_t min, int64_t max);

/* A whole file and a NUL behind it, never freed. */
char *bench_file(const char *path, size_t *out_size_bytes);

/* A non-blocking TCP socket to 127.0.0.1:port from the loopback address 127.0.0.(1 + source), which
 * is being connected. Nagle's delay is off. */
int bench_connect(int64_t port, unsigned source);

/* A listening socket on 127.0.0.1; says "ready PORT" on stdout. */
int bench_listen(void);

/* As many descriptors as there may be; dies when that is fewer than needed. */
void bench_need_files(int64_t count);

/* epoll_ctl that can't fail. `data` comes back with the event. */
void bench_watch(int epoll_fd, int fd, uint32_t events, void *data);

/* Ascending, in place; the value below which `share` of them lie (0 of none). */
double bench_quantile(double *values, size_t count, double share);

#endif
