/* SPDX-License-Identifier: MIT
 *
 * The JSON that userauth-cli sends and reads.
 * Depends on: options.h, json. */
#ifndef NOTES_CLI_WIRE_H
#define NOTES_CLI_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"

struct cli_options;
struct ctx;
struct strbuf;

#define CLI_BODY_MAX_BYTES 65536

/* A user as a person wants to see it: lists are joined, nothing is NULL. Not yet safe for a
 * terminal. */
struct shown_user {
    const char *username;
    const char *provider;
    const char *family_name;
    const char *given_name;
    const char *middle_name;
    const char *emails;
    const char *photos;
    const char *state; /* "active" or "disabled" */
};

struct shown_users {
    const struct shown_user *items;
    size_t count;
};

/* A session of notes-svc, likewise. */
struct shown_session {
    const char *id;
    const char *device;
    const char *address;
    const char *created;
    const char *used;
};

struct shown_sessions {
    const struct shown_session *items;
    size_t count;
};

/* By which accounts elsewhere a user signs in, likewise. */
struct shown_identity {
    const char *issuer;
    const char *subject;
    const char *provider;
    const char *created;
};

struct shown_identities {
    const char *username;
    bool has_password;
    const struct shown_identity *items;
    size_t count;
};

/* The members that the options give; `username` and `password` may be NULL. With a username it is a
 * new, local user. Errors:  ERR_INVALID a text is not UTF-8; ERR_TOO_LARGE. */
MUST_CHECK enum err cli_wire_user(struct ctx *ctx,
                                  const struct cli_options *options,
                                  const char *username,
                                  const char *password,
                                  const char **out_json);

/* Errors:  as above. */
MUST_CHECK enum err
cli_wire_check(struct ctx *ctx, const char *username, const char *password, const char **out_json);

/* `provider` may be NULL.
 * Errors:  as above. */
MUST_CHECK enum err cli_wire_identity(struct ctx *ctx,
                                      const char *issuer,
                                      const char *subject,
                                      const char *provider,
                                      const char **out_json);

bool cli_wire_is_json(struct bytes body);

/* One user, or a list of users.
 * Errors:  ERR_INVALID neither. */
MUST_CHECK enum err
cli_wire_read(struct ctx *ctx, struct bytes body, struct shown_users *out_users);

/* A list of sessions.
 * Errors:  ERR_INVALID it is none. */
MUST_CHECK enum err
cli_wire_read_sessions(struct ctx *ctx, struct bytes body, struct shown_sessions *out_sessions);

/* How a user may sign in.
 * Errors:  ERR_INVALID it is something else. */
MUST_CHECK enum err cli_wire_read_identities(struct ctx *ctx,
                                             struct bytes body,
                                             struct shown_identities *out_identities);

/* Is `check` true? */
bool cli_wire_is_right(struct bytes body);

/* Is this the `code` of an error? */
bool cli_wire_has_code(struct bytes body, const char *code);

/* The `message` of an error, fit for a terminal. */
const char *cli_wire_message(struct ctx *ctx, struct bytes body);

#endif
