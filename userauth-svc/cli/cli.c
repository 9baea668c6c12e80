/* SPDX-License-Identifier: MIT
 *
 * The program's way from arguments and settings to a command and its exit code.
 * Depends on: client.h, commands.h, options.h, output.h. */
#include "cli/cli.h"

#include <stdio.h>

#include "base/ctx.h"
#include "base/env.h"
#include "base/strbuf.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "http/json_body.h"

#define RUN_MAX_MS     (INT64_C(3600) * 1000)
#define HELP_MAX_BYTES 8192
#define COMMAND_COLUMN 34

static void add_commands(struct strbuf *buf)
{
    strbuf_add(buf, "Usage: " CLI_NAME " [OPTION]... COMMAND [USER]\n"
                    "Users of userauth-svc from the command line.\n\nCommands:\n");
    for (size_t i = 0; i < commands_count; i++) {
        size_t start = buf->size_bytes;
        strbuf_format(buf, "  %s %s", commands[i].name, commands[i].operands);
        do {
            strbuf_add_char(buf, ' ');
        } while (buf->size_bytes - start < COMMAND_COLUMN && !buf->is_over);
        strbuf_add(buf, commands[i].help);
        strbuf_add_char(buf, '\n');
    }
}

static void add_command(struct strbuf *buf, const struct cli_command *command)
{
    strbuf_format(buf, "Usage: " CLI_NAME " %s [OPTION]...%s%s\n%s\n", command->name,
                  command->operands[0] ? " " : "", command->operands, command->help);
}

/* `command`: of this one only; NULL: of all. */
static enum cli_exit print_help(struct ctx *ctx, const struct cli_command *command)
{
    struct strbuf buf;
    strbuf_init(&buf, &ctx->arena, 2048, HELP_MAX_BYTES);
    if (command)
        add_command(&buf, command);
    else
        add_commands(&buf);
    strbuf_add(&buf, "\nOptions, anywhere; \"--\" ends them:\n");
    options_help(&buf, command);
    if (!command || command->takes & (CLI_TAKES_FIELDS | CLI_TAKES_STDIN))
        strbuf_add(&buf,
                   "\nA password that is not given is asked for on the terminal and not shown.\n");
    strbuf_add(&buf, "\nSettings, from the environment (see --print-config):\n");
    for (size_t i = 0; i < client_settings_count; i++)
        strbuf_format(&buf, "  %-19s %s\n", client_settings[i].name, client_settings[i].help);
    strbuf_add(&buf, "\nExit: 0 done, 1 refused or not found, 2 wrong usage or settings,\n"
                     "3 service unreachable.\n");
    return output_write(&buf) ? CLI_EXIT_OK : CLI_EXIT_REFUSED;
}

static enum cli_exit print_line(const char *line)
{
    return fputs(line, stdout) >= 0 && fflush(stdout) == 0 ? CLI_EXIT_OK : CLI_EXIT_REFUSED;
}

static enum cli_exit run_command(struct ctx *ctx,
                                 const struct cli_config *config,
                                 const struct place *places,
                                 const struct cli_options *options)
{
    CLEANUP(client_close) struct client client = {0};
    enum cli_exit code = client_open(ctx, config, places, &client);
    if (code != CLI_EXIT_OK)
        return code;
    struct cli_run run = {.ctx = ctx,
                          .options = options,
                          .client = &client,
                          .password_min_chars = config->password_min_chars};
    return options->command->run(&run);
}

static enum cli_exit tell_faults(struct ctx *ctx, const struct env_faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        (void)output_fail(ctx, CLI_EXIT_USAGE, "%s", output_text(ctx, faults->lines[i]));
    return faults->count > 0 ? CLI_EXIT_USAGE : CLI_EXIT_OK;
}

static enum cli_exit run_with_settings(struct ctx *ctx, const struct cli_options *options)
{
    struct cli_config config = {0};
    struct place places[CLIENT_SERVICES_COUNT] = {0};
    struct env_faults faults = {.arena = &ctx->arena};
    env_read(client_settings, client_settings_count, &config, &faults);
    client_config_check(&config, &faults);
    /* What the options say of the address counts as the setting from here on. */
    enum cli_exit code = CLI_EXIT_OK;
    if (faults.count == 0)
        code = client_places(ctx, &config, options, places);
    if (places[CLIENT_USERS].url)
        config.user_service_url = places[CLIENT_USERS].url;
    if (code == CLI_EXIT_OK && options->wants_print_config)
        env_print(stdout, client_settings, client_settings_count, &config, &faults);
    if (code == CLI_EXIT_OK)
        code = tell_faults(ctx, &faults);
    if (code == CLI_EXIT_OK && options->wants_check_config)
        code = print_line("settings are valid\n");
    else if (code == CLI_EXIT_OK && !options->wants_print_config)
        code = run_command(ctx, &config, places, options);
    env_secrets_done(client_settings, client_settings_count, &config);
    return code;
}

enum cli_exit cli_main(int argc, char **argv)
{
    if (!secret_start() || !http_client_start()) {
        (void)fputs(CLI_NAME ": the system gives no random numbers or no memory\n", stderr);
        return CLI_EXIT_UNREACHABLE;
    }
    json_body_start();
    CLEANUP(ctx_done) struct ctx ctx = {0};
    struct cli_options options = {0};
    ctx_init(&ctx, NULL, RUN_MAX_MS);
    enum cli_exit code = options_read(&ctx, commands, commands_count, argv + (argc > 0), &options);
    if (code != CLI_EXIT_OK)
        return code;
    if (options.wants_help)
        return print_help(&ctx, options.command);
    if (options.wants_version)
        return print_line(CLI_NAME " " NOTES_VERSION "\n");
    return run_with_settings(&ctx, &options);
}
