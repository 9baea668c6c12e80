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
struct provider_person;
struct userauth_identities;

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

/* The body of POST /find-or-create for who signs in at a provider. Errors: ERR_TOO_LARGE. */
MUST_CHECK enum err
userauth_wire_person(struct ctx *ctx, const struct provider_person *person, const char **out_json);

/* The body of POST /link-identity and, without a provider (NULL), /unlink-identity.
 * Errors: ERR_TOO_LARGE. */
MUST_CHECK enum err userauth_wire_identity(struct ctx *ctx,
                                           const char *provider,
                                           const char *issuer,
                                           const char *subject,
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

/* Member `username` of the answer to find-or-create. Errors: ERR_UNAVAILABLE it is not such an
 * answer. */
MUST_CHECK enum err
userauth_wire_found(struct ctx *ctx, struct bytes json, const char **out_username);

/* The answer to /identities and to both changes. Errors: ERR_UNAVAILABLE it is not such an answer.
 */
MUST_CHECK enum err userauth_wire_identities(struct ctx *ctx,
                                             struct bytes json,
                                             struct userauth_identities *out_identities);

/* Member `code` of an error; "" when there is none. */
const char *userauth_wire_code(struct ctx *ctx, struct bytes json);

/* Why a new password was refused, for people; NULL when the refusal is about something else. */
const char *userauth_wire_refusal(struct ctx *ctx, struct bytes json);

#endif
