/* SPDX-License-Identifier: MIT
 *
 * The command line: one table of options, one of commands, which also are the help text. Options
 * may stand anywhere; "--" ends them. Depends on: output.h. */
#ifndef NOTES_CLI_OPTIONS_H
#define NOTES_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "cli/cli.h"

struct ctx;
struct strbuf;

#define CLI_EMAILS_MAX_COUNT   64
#define CLI_OPERANDS_MAX_COUNT 3

/* What a command takes besides the options for all. */
enum cli_takes {
    CLI_TAKES_FIELDS = 1,
    CLI_TAKES_STDIN = 2,
    CLI_TAKES_SECRET = 4, /* its second word is a password */
};

struct cli_texts {
    const char *items[CLI_EMAILS_MAX_COUNT];
    size_t count;
};

struct cli_options {
    const struct cli_command *command; /* NULL: none was given */
    const char *operands[CLI_OPERANDS_MAX_COUNT];
    size_t operands_count;
    const char *port;
    const char *host;
    const char *url;
    const char *password;
    const char *family_name;
    const char *given_name;
    const char *middle_name;
    struct cli_texts emails;
    bool reads_stdin;
    bool is_json;
    bool wants_help;
    bool wants_version;
    bool wants_print_config;
    bool wants_check_config;
};

struct cli_run; /* commands.h */

struct cli_command {
    const char *name;
    const char *operands; /* for people */
    size_t operands_min;
    size_t operands_max;
    unsigned takes; /* of enum cli_takes */
    enum cli_exit (*run)(struct cli_run *run);
    const char *help;
};

/* Reads the command line; texts stay the caller's, but a password among them is copied and
 * overwritten. Anything but CLI_EXIT_OK: it was said on standard error. */
MUST_CHECK enum cli_exit options_read(struct ctx *ctx,
                                      const struct cli_command *commands,
                                      size_t count,
                                      char **arguments,
                                      struct cli_options *out_options);

/* The options' part of --help: those of one command, or all (NULL). */
void options_help(struct strbuf *buf, const struct cli_command *command);

#endif
