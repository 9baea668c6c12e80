/* SPDX-License-Identifier: MIT
 *
 * Where a service is, and which setting or option says so.
 * Depends on: options.h, output.h. */
#ifndef NOTES_CLI_PLACE_H
#define NOTES_CLI_PLACE_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "cli/cli.h"

struct arena;
struct cli_options;
struct ctx;

/* The settings of addresses. */
#define PLACE_USERS_SETTING "USER_SERVICE_URL"
#define PLACE_USERS_DEFAULT "http://127.0.0.1:5858"
#define PLACE_NOTES_SETTING "NOTES_URL"
#define PLACE_NOTES_DEFAULT "http://127.0.0.1:3000"

struct place {
    const char *url;    /* without a slash at its end */
    const char *source; /* for people: "from --port", "the default of NOTES_URL" */
    bool is_https;
    bool is_here; /* on this very machine */
};

/* http://HOST[:PORT][/PREFIX], likewise https. */
bool place_is_sound(struct arena *arena, const char *url);

/* Of userauth-svc: the setting's value and what the options change of it. Anything but CLI_EXIT_OK
 * was said on standard error. */
MUST_CHECK enum cli_exit place_of_users(struct ctx *ctx,
                                        const char *setting,
                                        const struct cli_options *options,
                                        struct place *out_place);

/* Of notes-svc, likewise. */
MUST_CHECK enum cli_exit
place_of_notes(struct ctx *ctx, const char *setting, struct place *out_place);

#endif
