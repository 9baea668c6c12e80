/* SPDX-License-Identifier: MIT
 *
 * A password from the person at the terminal, not shown while it is typed, or from standard input.
 * Depends on: ctx.h. */
#ifndef NOTES_CLI_PROMPT_H
#define NOTES_CLI_PROMPT_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;

#define PROMPT_LINE_MAX_BYTES 1024 /* the longest password that the service takes */

/* Is standard input a terminal? */
bool prompt_has_terminal(void);

/* Asks on standard error and reads a line from the terminal with echo off. However this ends, by a
 * signal too, the terminal is as it was before. Errors:  ERR_INVALID nothing typed before the end,
 * or too long; ERR_UNAVAILABLE no terminal. With a line for people. */
MUST_CHECK enum err
prompt_password(struct ctx *ctx, const char *question, const char **out_password);

/* All of standard input, without one line's end (LF or CR LF) at its end.
 * Errors:  ERR_INVALID too long, more than one line, or a NUL; ERR_UNAVAILABLE can't be read. With
 * a line for people. */
MUST_CHECK enum err prompt_read_stdin(struct ctx *ctx, const char **out_password);

#endif
