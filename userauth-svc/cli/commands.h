/* SPDX-License-Identifier: MIT
 *
 * The commands of userauth-cli, as a table.
 * Depends on: client.h, options.h. */
#ifndef NOTES_CLI_COMMANDS_H
#define NOTES_CLI_COMMANDS_H

#include <stddef.h>
#include <stdint.h>

#include "cli/options.h"

struct client;
struct ctx;

/* What a command gets. */
struct cli_run {
    struct ctx *ctx;
    const struct cli_options *options;
    struct client *client;
    int64_t password_min_chars; /* below, a new password gets a warning */
};

extern const struct cli_command commands[];
extern const size_t commands_count;

#endif
