/* SPDX-License-Identifier: MIT
 *
 * Calls to userauth-svc, the only place where the two services meet. Blocking: worker lane only.
 * The API key is the configured one or the one in its file, read at each call, so that a
 * renewed key is found without a restart. */
#ifndef NOTES_USERAUTH_CLIENT_H
#define NOTES_USERAUTH_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct config;
struct ctx;
struct userauth_client;

#define USERAUTH_TIMEOUT_MS 5000
#define USERAUTH_REST_MS \
    2000 /* after a failed check of a session, the service is left alone for so long */

enum userauth_verdict { USERAUTH_RIGHT, USERAUTH_WRONG, USERAUTH_WAIT };

struct userauth_check {
    enum userauth_verdict verdict;
    const char *username; /* USERAUTH_RIGHT: in the stored spelling */
    const char *etag;     /* USERAUTH_RIGHT: of account and password */
    int64_t wait_s;       /* USERAUTH_WAIT */
};

struct userauth_client *userauth_client_new(const struct config *config);
void userauth_client_free(struct userauth_client *client);

/* Errors: ERR_UNAVAILABLE not reachable, or it does not accept our key. */
MUST_CHECK enum err userauth_password_check(struct ctx *ctx,
                                            struct userauth_client *client,
                                            const char *username,
                                            const char *password,
                                            const char *device,
                                            struct userauth_check *out_check);

/* The user's present entity tag. Errors: ERR_NOT_FOUND no such user; ERR_UNAVAILABLE no answer
 * (then at once for USERAUTH_REST_MS, so that pages stay fast while the service is away). */
MUST_CHECK enum err userauth_etag(struct ctx *ctx,
                                  struct userauth_client *client,
                                  const char *username,
                                  const char **out_etag);

/* Is it there? */
MUST_CHECK enum err userauth_ping(struct ctx *ctx, struct userauth_client *client);

#endif
