/* SPDX-License-Identifier: MIT
 *
 * The commands about who may sign in and who is signed in. Sessions are asked of notes-svc, with
 * the name in its stored spelling, which userauth-svc tells first.
 * Depends on: answer.h, client.h. */
#ifndef NOTES_CLI_ACCESS_COMMANDS_H
#define NOTES_CLI_ACCESS_COMMANDS_H

#include "base/cleanup.h"
#include "cli/cli.h"

struct cli_run;

MUST_CHECK enum cli_exit access_disable_run(struct cli_run *run);
MUST_CHECK enum cli_exit access_enable_run(struct cli_run *run);
MUST_CHECK enum cli_exit access_sessions_run(struct cli_run *run);

/* All sessions, or the one whose id is the second word. */
MUST_CHECK enum cli_exit access_revoke_run(struct cli_run *run);

#endif
