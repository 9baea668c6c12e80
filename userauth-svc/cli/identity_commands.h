/* SPDX-License-Identifier: MIT
 *
 * The commands about accounts elsewhere by which a user signs in. Each shows what there is then.
 * Depends on: answer.h, client.h, cli_wire.h. */
#ifndef NOTES_CLI_IDENTITY_COMMANDS_H
#define NOTES_CLI_IDENTITY_COMMANDS_H

#include "base/cleanup.h"
#include "cli/cli.h"

struct cli_run;

MUST_CHECK enum cli_exit identity_list_run(struct cli_run *run);
MUST_CHECK enum cli_exit identity_link_run(struct cli_run *run);
MUST_CHECK enum cli_exit identity_unlink_run(struct cli_run *run);

#endif
