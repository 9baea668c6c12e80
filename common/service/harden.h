/* SPDX-License-Identifier: MIT
 *
 * What a process gives up before it serves: core files, looks into its memory, new rights, the
 * rights of root, and the calls of the kernel that it does not need. */
#ifndef NOTES_HARDEN_H
#define NOTES_HARDEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct ctx;

/* What could not be had; NULL where all is well. */
struct hardening {
    const char *capabilities_why;
    const char *filter_why;
};

/* For every use of the program. No core file, which would hold passwords and keys; no debugger of
 * the same user; no gain of rights by a program that we might run. False: the system refuses it. */
MUST_CHECK bool harden_process(void);

/* For a running service, before it has threads. All capabilities go, for good; only who listens on
 * a port below 1024 keeps CAP_NET_BIND_SERVICE. So root is then a user like others, who may not
 * read others' files. After it the filter of syscall_filter.h is in force, if it is wanted. */
void harden_service(int64_t port, bool is_filter_wanted, struct hardening *out_hardening);

/* Tells in the log what is missing. */
void harden_report(const struct ctx *ctx, const struct hardening *hardening);

#endif
