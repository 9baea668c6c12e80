/* SPDX-License-Identifier: MIT
 *
 * Calls of userauth-svc, and of notes-svc for sessions: where they are, which key, what their
 * answers mean for somebody at a terminal.
 * Depends on: http_client.h, options.h, output.h, place.h. */
#ifndef NOTES_CLI_CLIENT_H
#define NOTES_CLI_CLIENT_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/secret.h"
#include "cli/cli.h"
#include "cli/place.h"
#include "http/http_client.h"

struct cli_options;
struct ctx;

#define CLIENT_TIMEOUT_MS     30000
#define CLIENT_CONNECT_MS     10000 /* the first of two name servers that is away costs 5 s */
#define CLIENT_PATH_MAX_BYTES 2048

/* The settings of userauth-cli. */
struct cli_config {
    const char *user_service_url;
    const char *user_service_id;
    struct secret user_service_key; /* unset: read from userauth.key in state_dir */
    const char *state_dir;
    const char *notes_url;
    int64_t password_min_chars; /* below, a new password gets a warning */
};

extern const struct setting client_settings[];
extern const size_t client_settings_count;

/* Checks what one row alone can't tell. */
void client_config_check(const struct cli_config *config, struct env_faults *faults);

enum client_service { CLIENT_USERS, CLIENT_NOTES, CLIENT_SERVICES_COUNT };

/* Zeroed: closed. */
struct client {
    struct http_client *http;
    struct place places[CLIENT_SERVICES_COUNT];
    const char *id;
    struct secret key;
};

/* Where both services are, as settings and options say. Anything but CLI_EXIT_OK was said on
 * standard error. `out_places` has CLIENT_SERVICES_COUNT of them. */
MUST_CHECK enum cli_exit client_places(struct ctx *ctx,
                                       const struct cli_config *config,
                                       const struct cli_options *options,
                                       struct place *out_places);

/* Finds the key; the services are where client_places says. Owns: the caller, who calls
 * client_close. */
MUST_CHECK enum cli_exit client_open(struct ctx *ctx,
                                     const struct cli_config *config,
                                     const struct place *places,
                                     struct client *out_client);
void client_close(struct client *client);

struct client_call {
    enum client_service service;
    const char *method;
    const char *path;     /* "/find/" */
    const char *username; /* added to the path, percent-encoded; NULL: none */
    const char *body;     /* JSON; NULL: none */
};

/* CLI_EXIT_OK means that there is an answer of the service to this very request: 2xx, or an error
 * that client_explain knows. Otherwise CLI_EXIT_UNREACHABLE or, for a refused key,
 * CLI_EXIT_REFUSED; said on standard error. */
MUST_CHECK enum cli_exit client_send(struct ctx *ctx,
                                     struct client *client,
                                     const struct client_call *call,
                                     struct http_answer *out_answer);

/* Says that an answer is none of the service's. */
MUST_CHECK enum cli_exit client_fail_nonsense(struct ctx *ctx,
                                              const struct client *client,
                                              enum client_service service,
                                              int status);

/* Says why an answer is no 200, and what to do. `username` is the user it was about, "" when there
 * is none. */
MUST_CHECK enum cli_exit
client_explain(struct ctx *ctx, const struct http_answer *answer, const char *username);

#endif
