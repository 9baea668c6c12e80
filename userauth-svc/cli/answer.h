/* SPDX-License-Identifier: MIT
 *
 * What commands print of an answer: JSON for scripts, tables and sentences for people.
 * Depends on: client.h, commands.h. */
#ifndef NOTES_CLI_ANSWER_H
#define NOTES_CLI_ANSWER_H

#include "base/bytes.h"
#include "base/cleanup.h"
#include "cli/cli.h"

struct cli_run;
struct http_answer;
struct shown_user;
struct strbuf;

/* To standard output. */
MUST_CHECK enum cli_exit answer_print(struct cli_run *run, const struct strbuf *buf);
MUST_CHECK enum cli_exit answer_print_json(struct cli_run *run, struct bytes body);

/* An answer that is not 200: its JSON for scripts, a sentence for people. */
MUST_CHECK enum cli_exit answer_refuse(struct cli_run *run, const struct http_answer *answer);

/* An answer that should be one user. Anything but CLI_EXIT_OK was said on standard error. */
MUST_CHECK enum cli_exit answer_read_user(struct cli_run *run,
                                          const struct http_answer *answer,
                                          struct shown_user *out_user);
MUST_CHECK enum cli_exit answer_print_user(struct cli_run *run, const struct http_answer *answer);

/* What was done to `name`: the answer's JSON for scripts; for people a sentence, in which `before`
 * and `after` stand around the quoted name. */
MUST_CHECK enum cli_exit answer_print_done(struct cli_run *run,
                                           const struct http_answer *answer,
                                           const char *before,
                                           const char *name,
                                           const char *after);

/* Asks for the user that the command names; the answer may be a 404, which then is
 * userauth-svc's own. */
MUST_CHECK enum cli_exit answer_find(struct cli_run *run, struct http_answer *out_answer);

#endif
