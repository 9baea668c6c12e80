/* SPDX-License-Identifier: MIT
 *
 * Text for the terminal. What came from the service or from the command line is shown with control
 * characters (and those that turn the direction of text) escaped, so that nobody's name can steer
 * somebody's terminal. Depends on: base. */
#ifndef NOTES_CLI_OUTPUT_H
#define NOTES_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "cli/cli.h"

struct ctx;
struct strbuf;

#define OUTPUT_MAX_BYTES ((size_t)512 * 1024 * 1024)

/* Appends with control characters as \x1b, \u009b, \u202e; bytes that are no UTF-8 as \xff. NULL
 * adds nothing. */
void output_add(struct strbuf *buf, const char *text);

/* The same as a text of its own. */
const char *output_text(struct ctx *ctx, const char *text);

/* Writes to standard output. False when that fails (a full disk). */
MUST_CHECK bool output_write(const struct strbuf *buf);

/* JSON of the service as it is, but with DEL and C1 control characters as \u0080: the same values.
 */
void output_add_json(struct strbuf *buf, const char *json);

/* "userauth-cli: ..." on standard error. Returns `code`. The values of a %s must have gone through
 * output_text. */
enum cli_exit output_fail(struct ctx *ctx, enum cli_exit code, const char *format, ...)
    FORMAT(3, 4);

/* As output_fail with CLI_EXIT_USAGE, and says where help is. */
enum cli_exit output_fail_usage(struct ctx *ctx, const char *format, ...) FORMAT(2, 3);

#endif
