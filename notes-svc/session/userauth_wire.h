/* SPDX-License-Identifier: MIT
 *
 * JSON that goes to userauth-svc and comes back. Of the features' files, this one and comment_wire
 * know JSON. */
#ifndef NOTES_USERAUTH_WIRE_H
#define NOTES_USERAUTH_WIRE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"

struct ctx;

/* The body of POST /password-check. Errors: ERR_TOO_LARGE. */
MUST_CHECK enum err userauth_wire_check(struct ctx *ctx,
                                        const char *username,
                                        const char *password,
                                        const char *client,
                                        const char **out_json);

/* The body of POST /change-password. Errors: ERR_TOO_LARGE. */
MUST_CHECK enum err userauth_wire_change(struct ctx *ctx,
                                         const char *username,
                                         const char *password,
                                         const char *new_password,
                                         const char *client,
                                         const char **out_json);

/* Members `check` and `username` of its answer. Errors: ERR_UNAVAILABLE it is not such an answer.
 */
MUST_CHECK enum err userauth_wire_checked(struct ctx *ctx,
                                          struct bytes json,
                                          bool *out_is_right,
                                          const char **out_username);

/* Members `changed` and `username` of the answer to change-password. Errors: ERR_UNAVAILABLE it is
 * not such an answer. */
MUST_CHECK enum err userauth_wire_changed(struct ctx *ctx,
                                          struct bytes json,
                                          bool *out_is_changed,
                                          const char **out_username);

/* Why a new password was refused, for people; NULL when the refusal is about something else. */
const char *userauth_wire_refusal(struct ctx *ctx, struct bytes json);

#endif
