/* SPDX-License-Identifier: MIT
 *
 * notes-svc: what the program is, told to service.c, which runs it. */
#include "app.h"
#include "config.h"
#include "from_node.h"
#include "provider/jws.h"
#include "restore.h"
#include "routes.h"
#include "service/service.h"

#include <stdio.h>

static struct config config;

static const struct service_tool tools[] = {
    {"--restore", "KEY", "bring back the note that was destroyed last under this key",
     "The note is back, with its comments and versions.", restore_note},
    {.name = "--from-node",
     .argument = "URL",
     .help = "bring over a Node version's notes and comments, from" SERVICE_HELP_BREAK
             "sqlite:PATH or mysql://...; with --dry-run it only tells",
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
        .common = &config.service,
        .router = &routes,
        .tools = tools,
        .tools_count = ARRAY_COUNT(tools),
        .config_check = config_check,
        .app_new = app_new,
        .app_server = app_server,
        .app_set_draining = app_set_draining,
        .app_tick = app_tick,
        .app_free = app_free,
    };
    return service_main(&service, argc, argv);
}
