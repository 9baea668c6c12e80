/* SPDX-License-Identifier: MIT
 *
 * notes-svc: what the program is, told to service.c, which runs it. */
#include "app.h"
#include "base/text.h"
#include "config.h"
#include "from_node.h"
#include "provider/jws.h"
#include "restore.h"
#include "routes.h"
#include "service/service.h"

#include <stdio.h>

static struct config config;

static enum log_level log_level_of(const void *storage)
{
    enum log_level level = LOG_INFO;
    (void)!log_level_parse(((const struct config *)storage)->log_level, &level);
    return level;
}

static enum log_format log_format_of(const void *storage)
{
    enum log_format format = LOG_JSON;
    (void)!log_format_parse(((const struct config *)storage)->log_format, &format);
    return format;
}

static const char *listen_of(const void *storage)
{
    return ((const struct config *)storage)->listen;
}

static int64_t port_of(const void *storage)
{
    return ((const struct config *)storage)->port;
}

static bool is_filtered_of(const void *storage)
{
    return text_equals(((const struct config *)storage)->seccomp, "on");
}

static int64_t drain_delay_ms_of(const void *storage)
{
    return ((const struct config *)storage)->drain_delay_ms;
}

static int64_t drain_wait_ms_of(const void *storage)
{
    return ((const struct config *)storage)->drain_wait_ms;
}

static const struct service_tool tools[] = {
    {"--restore", "KEY", "bring back the note that was destroyed last under this key",
     "The note is back, with its comments and versions.", restore_note},
    {.name = "--from-node",
     .argument = "URL",
     .help = "bring over a Node version's notes and comments: sqlite:PATH or mysql://...; "
             "with --dry-run it only tells",
     .work = from_node,
     .flag = "--dry-run"},
};

/* MD4C tells no version. */
static const char *libraries(void)
{
    static char text[64];
    (void)snprintf(text, sizeof(text), "MD4C, %s", jws_library());
    return text;
}

int main(int argc, char **argv)
{
    const struct service service = {
        .name = "notes-svc",
        .summary = "Notes: pages, comments and sign-in over HTTP.",
        .libraries = libraries(),
        .settings = config_settings,
        .settings_count = config_settings_count,
        .config = &config,
        .router = &routes,
        .tools = tools,
        .tools_count = ARRAY_COUNT(tools),
        .config_check = config_check,
        .log_level = log_level_of,
        .log_format = log_format_of,
        .listen = listen_of,
        .port = port_of,
        .is_filtered = is_filtered_of,
        .drain_delay_ms = drain_delay_ms_of,
        .drain_wait_ms = drain_wait_ms_of,
        .app_new = app_new,
        .app_server = app_server,
        .app_set_draining = app_set_draining,
        .app_tick = app_tick,
        .app_free = app_free,
    };
    return service_main(&service, argc, argv);
}
