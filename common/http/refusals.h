/* SPDX-License-Identifier: MIT
 *
 * What a server turned away before there was a request to log a line of: counted where it happens,
 * on the acceptor and the event loops, and logged by refusals_log, which is called once a second. A
 * zeroed struct is ready. */
#ifndef NOTES_REFUSALS_H
#define NOTES_REFUSALS_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct log;

/* Since it was logged last. */
struct refusals {
    _Atomic int64_t address_count;   /* connections, too many of one address */
    _Atomic int64_t exhausted_count; /* for want of a descriptor or of memory */
    _Atomic int64_t library_count;   /* requests that the HTTP library answered by itself */
    _Atomic int64_t library_status;  /* of one of them */
    _Atomic bool is_crowded;         /* clients wait, as connections_max_count are there */
};

/* Of what the library says the one line that tells of an answer of its own; it does not say whose
 * request it was. */
FORMAT(2, 0)
void refusals_by_library(struct refusals *refusals, const char *format, va_list values);

/* One line for each kind that there was. */
void refusals_log(struct refusals *refusals, struct log *log, int64_t connections_max_count);

#endif
