/* SPDX-License-Identifier: MIT
 *
 * Settings of both services. Depends on: address.h, env.h, log.h, http_server.h, threads.h. */
#include "service/service_settings.h"

#include "base/address.h"
#include "base/text.h"

const char *const service_log_levels[] = {"error", "warn", "info", "debug", NULL};
const char *const service_log_formats[] = {"json", "text", NULL};
const char *const service_seccomp_choices[] = {"on", "off", NULL};

void service_settings_check_place(const struct service_settings *settings,
                                  struct env_faults *faults)
{
    struct address address;
    if (!address_parse(settings->listen, &address))
        env_fault(faults, "LISTEN", "\"%s\" is no IPv4 or IPv6 address", settings->listen);
}

void service_settings_check(struct service_settings *settings, struct env_faults *faults)
{
    service_settings_check_place(settings, faults);
    settings->http_loops = threads_of_loops(settings->http_loops);
    settings->workers = threads_of_workers(settings->workers, settings->http_loops);
}

enum log_level service_settings_log_level(const struct service_settings *settings)
{
    enum log_level level = LOG_INFO;
    (void)!log_level_parse(settings->log_level, &level);
    return level;
}

enum log_format service_settings_log_format(const struct service_settings *settings)
{
    enum log_format format = LOG_JSON;
    (void)!log_format_parse(settings->log_format, &format);
    return format;
}

bool service_settings_has_seccomp(const struct service_settings *settings)
{
    return text_equals(settings->seccomp, "on");
}

struct http_server_options service_settings_server(const struct service_settings *settings)
{
    return (struct http_server_options){
        .listen = settings->listen,
        .port = settings->port,
        .loops = settings->http_loops,
        .connections_max_count = settings->connection_limit,
        .connections_per_address_count = settings->connections_per_address,
        .idle_timeout_s = settings->idle_timeout_s,
        .read_timeout_s = settings->read_timeout_s,
        .head_max_bytes = (size_t)settings->head_bytes,
        .bodies_max_bytes = (size_t)settings->bodies_bytes,
        .answers_max_bytes = (size_t)settings->answers_bytes,
        .request_deadline_ms = settings->request_deadline_ms,
    };
}
