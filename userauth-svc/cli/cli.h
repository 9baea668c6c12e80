/* SPDX-License-Identifier: MIT
 *
 * userauth-cli: users from the command line, through the REST interface of userauth-svc. People get
 * a table, scripts get JSON and an exit code. */
#ifndef NOTES_CLI_H
#define NOTES_CLI_H

#include "base/cleanup.h"

#define CLI_NAME "userauth-cli"

enum cli_exit {
    CLI_EXIT_OK = 0,
    CLI_EXIT_REFUSED = 1,     /* refused by the service, or not found */
    CLI_EXIT_USAGE = 2,       /* wrong usage or settings; nothing was sent */
    CLI_EXIT_UNREACHABLE = 3, /* the service can't be reached or can't answer now */
};

/* The whole of main(). Passwords among the arguments are overwritten. */
MUST_CHECK enum cli_exit cli_main(int argc, char **argv);

#endif
