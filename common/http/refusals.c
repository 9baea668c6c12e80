/* SPDX-License-Identifier: MIT
 *
 * Depends on: refusals.h, log.h. */
#include "http/refusals.h"

#include "base/log.h"

#include <string.h>

void refusals_by_library(struct refusals *refusals, const char *format, va_list values)
{
    static const char beginning[] = "Error processing request (HTTP response code is %u";
    if (strncmp(format, beginning, sizeof(beginning) - 1) != 0)
        return;
    atomic_store(&refusals->library_status, (int64_t)va_arg(values, unsigned));
    atomic_fetch_add(&refusals->library_count, 1);
}

static void log_connections(struct log *log, _Atomic int64_t *counted, const char *why)
{
    int64_t count = atomic_exchange(counted, 0);
    const struct log_field fields[] = {log_str("why", why), log_i64("count", count)};
    if (count > 0)
        log_event_write(log, NULL, LOG_WARN, "http.connection_refused", fields,
                        ARRAY_COUNT(fields));
}

void refusals_log(struct refusals *refusals, struct log *log, int64_t connections_max_count)
{
    const struct log_field limit = log_i64("limit", connections_max_count);
    log_connections(log, &refusals->address_count, "too many of one address");
    log_connections(log, &refusals->exhausted_count, "no descriptor or memory left");
    if (atomic_exchange(&refusals->is_crowded, false))
        log_event_write(log, NULL, LOG_WARN, "http.connections_wait", &limit, 1);

    int64_t count = atomic_exchange(&refusals->library_count, 0);
    const struct log_field fields[] = {log_i64("count", count),
                                       log_i64("status", atomic_load(&refusals->library_status))};
    if (count > 0)
        log_event_write(log, NULL, LOG_INFO, "http.request_refused", fields, ARRAY_COUNT(fields));
}
