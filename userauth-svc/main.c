/* SPDX-License-Identifier: MIT
 *
 * userauth-svc: what the program is, told to service.c, which runs it. */
#include "app.h"
#include "auth/password.h"
#include "config.h"
#include "from_node.h"
#include "routes.h"
#include "service/service.h"

static const struct service_tool tools[] = {
    {.name = "--from-node",
     .argument = "URL",
     .help = "bring over a Node version's users, from" SERVICE_HELP_BREAK
             "sqlite:PATH or mysql://...; with --dry-run it only tells",
     .work = from_node,
     .flag = "--dry-run"},
};

int main(int argc, char **argv)
{
    struct config config = {0};
    const struct service service = {
        .name = "userauth-svc",
        .summary = "Users and their passwords, over HTTP and JSON.",
        .libraries = password_library(),
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
