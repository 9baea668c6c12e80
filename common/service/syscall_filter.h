/* SPDX-License-Identifier: MIT
 *
 * What a running service may ask of the kernel: a seccomp filter that knows three answers. What
 * the service and its libraries need is allowed. What no part of them ever needs, and whoever has
 * broken in wants next (another program, another process's memory, mounts, modules, other rights),
 * ends the process at once: it is the proof that something is wrong. Everything else gets ENOSYS,
 * as from an older kernel, for which libraries have another way: a newer C library must not be the
 * end of the service. docs/SECURITY.md says why. */
#ifndef NOTES_SYSCALL_FILTER_H
#define NOTES_SYSCALL_FILTER_H

#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"

/* For all threads of the process and those to come, for good. 0, or the number of the system's
 * error: no filter is there then. */
MUST_CHECK int syscall_filter_install(void);

/* Writes it in libseccomp's words, for a processor ("x86_64", "aarch64"). 0, or the number of an
 * error. */
MUST_CHECK int syscall_filter_print(FILE *out, const char *processor);

/* "libseccomp 2.5.4": for --version. */
const char *syscall_filter_library(void);

#endif
