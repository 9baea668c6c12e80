/* SPDX-License-Identifier: MIT
 *
 * The settings that both services have: rows for the table, and what they come to. Where they
 * differ in a default or a bound, the row is in each service's own table, for the same struct.
 *
 * Use:  struct config { struct service_settings service; ... };
 *       const struct setting config_settings[] = {
 *           SERVICE_PLACE_ROWS(struct config, service, "3000", "TCP port of the pages"), ...
 *           SERVICE_REQUEST_ROWS(struct config, service),
 *           SERVICE_THREAD_ROWS(struct config, service), ...
 *           SERVICE_LIFE_ROWS(struct config, service) };
 *       service_settings_check(&config->service, faults); */
#ifndef NOTES_SERVICE_SETTINGS_H
#define NOTES_SERVICE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/env.h"
#include "base/log.h"
#include "http/http_server.h"
#include "service/threads.h"

struct service_settings {
    int64_t port;
    const char *listen;
    const char *state_dir;

    int64_t connection_limit;
    int64_t connections_per_address; /* 0: no limit */
    int64_t head_bytes;
    int64_t bodies_bytes;
    int64_t answers_bytes;
    int64_t request_deadline_ms;
    int64_t read_timeout_s;
    int64_t idle_timeout_s;

    int64_t http_loops; /* where it is left open, service_settings_check says how many */
    int64_t workers;    /* and these */
    int64_t queue_limit;

    int64_t drain_delay_ms;
    int64_t drain_wait_ms;
    const char *log_level;
    const char *log_format;
    const char *seccomp;
};

extern const char *const service_log_levels[];
extern const char *const service_log_formats[];
extern const char *const service_seccomp_choices[];

/* clang-format off */
#define SERVICE_PLACE_ROWS(type, at_field, default_port, port_help)                                  \
    {.name = "PORT", .at = AT_I64(type, at_field.port), .fallback = default_port, .min = 1, .max = 65535, \
     .help = port_help},                                                                             \
    {.name = "LISTEN", .alias = "REST_LISTEN", .at = AT_TEXT(type, at_field.listen), .fallback = "127.0.0.1", \
     .help = "address to listen on; 0.0.0.0 or :: for all"},                                         \
    {.name = "STATE_DIR", .at = AT_TEXT(type, at_field.state_dir), .fallback = "./var",              \
     .help = "folder of the embedded database and of the generated key"}

#define SERVICE_REQUEST_ROWS(type, at_field)                                                         \
    {.name = "HEAD_BYTES", .at = AT_I64(type, at_field.head_bytes), .fallback = "32768", .min = 32768, .max = 1048576, \
     .unit = "bytes", .help = "line and fields of a request and of its answer; each connection has as much memory"}, \
    {.name = "ANSWERS_BYTES", .at = AT_I64(type, at_field.answers_bytes), .fallback = "268435456", .min = 67108864, \
     .max = 1099511627776, .unit = "bytes",                                                          \
     .help = "all answers over 8 KiB under way; beyond, the address with most makes room, or 503"}, \
    {.name = "REQUEST_DEADLINE_MS", .at = AT_I64(type, at_field.request_deadline_ms), .fallback = "10000", .min = 100, \
     .max = 120000, .unit = "ms", .help = "longest work on one request"},                            \
    {.name = "IDLE_TIMEOUT_S", .at = AT_I64(type, at_field.idle_timeout_s), .fallback = "65", .min = 1, .max = 3600, \
     .unit = "s", .help = "a quiet connection is closed after so long"}

#define SERVICE_THREAD_ROWS(type, at_field)                                                          \
    {.name = "HTTP_LOOPS", .at = AT_I64(type, at_field.http_loops), .fallback = "0", .min = 0, .max = THREADS_MAX_COUNT, \
     .help = "event loops; 0: one per core, two at least"},                                          \
    {.name = "WORKERS", .at = AT_I64(type, at_field.workers), .fallback = "0", .min = 0, .max = 256, \
     .help = "threads for what may wait, each with its own database connection; 0: two for each event loop, 4 to 8"}

#define SERVICE_LIFE_ROWS(type, at_field)                                                            \
    {.name = "DRAIN_DELAY_MS", .at = AT_I64(type, at_field.drain_delay_ms), .fallback = "0", .min = 0, .max = 60000, \
     .unit = "ms", .help = "after SIGTERM: time for a proxy to notice, before new connections are refused"}, \
    {.name = "DRAIN_WAIT_MS", .at = AT_I64(type, at_field.drain_wait_ms), .fallback = "8000", .min = 0, .max = 60000, \
     .unit = "ms", .help = "after SIGTERM: longest wait for requests; what a worker has begun has its own deadline"}, \
    {.name = "LOG_LEVEL", .at = AT_TEXT(type, at_field.log_level), .fallback = "info", .choices = service_log_levels, \
     .help = "least important line that is written"},                                                \
    {.name = "LOG_FORMAT", .at = AT_TEXT(type, at_field.log_format), .fallback = "json",           \
     .choices = service_log_formats,                                                                 \
     .help = "json for machines, text for people"},                                                  \
    {.name = "SECCOMP", .at = AT_TEXT(type, at_field.seccomp), .fallback = "on", .choices = service_seccomp_choices, \
     .help = "on: the kernel refuses calls that the service does not need"}
/* clang-format on */

/* Adds a fault where LISTEN is no address, and says how many threads there are. */
void service_settings_check(struct service_settings *settings, struct env_faults *faults);

/* LISTEN alone, where PORT and LISTEN are all that was read. */
void service_settings_check_place(const struct service_settings *settings,
                                  struct env_faults *faults);

enum log_level service_settings_log_level(const struct service_settings *settings);
enum log_format service_settings_log_format(const struct service_settings *settings);
bool service_settings_has_seccomp(const struct service_settings *settings);

/* What of a server's options these settings say; `listen` is theirs. */
struct http_server_options service_settings_server(const struct service_settings *settings);

#endif
