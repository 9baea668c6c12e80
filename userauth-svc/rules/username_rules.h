/* SPDX-License-Identifier: MIT
 *
 * What a username may be. Pure, without I/O; for the service, which refuses others, and for
 * userauth-cli, which says so before it asks for a password.
 * Tests:  tests/unit/test_user.c, tests/cli/test_cli.py */
#ifndef NOTES_USERNAME_RULES_H
#define NOTES_USERNAME_RULES_H

#include <stdbool.h>

#define USERNAME_MAX_CHARS 64
#define USERNAME_RULES     "1 to 64 characters are allowed, no control characters and no slash"

/* As USERNAME_RULES says. */
bool username_is_sound(const char *username);

#endif
