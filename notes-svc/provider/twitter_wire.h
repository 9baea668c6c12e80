/* SPDX-License-Identifier: MIT
 *
 * What Twitter answers, as structs: tokens are forms, a profile is JSON. */
#ifndef NOTES_TWITTER_WIRE_H
#define NOTES_TWITTER_WIRE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"

struct ctx;

/* Answers to request_token and access_token. */
struct twitter_token {
    const char *token;
    const char *secret;
    const char *user_id;     /* of access_token; NULL when absent */
    const char *screen_name; /* likewise */
    bool is_callback_confirmed;
};

/* Errors: ERR_INVALID it is no such answer: a member is missing, twice, too long or not visible
 * ASCII. */
MUST_CHECK enum err
twitter_wire_token(struct ctx *ctx, struct bytes body, struct twitter_token *out_token);

struct twitter_profile {
    const char *id;          /* digits */
    const char *screen_name; /* the rest may be NULL */
    const char *name;
    const char *photo;
};

/* Errors: ERR_INVALID it is no profile. */
MUST_CHECK enum err
twitter_wire_profile(struct ctx *ctx, struct bytes body, struct twitter_profile *out_profile);

/* Is this an id of Twitter's: 1 to 20 digits? */
bool twitter_wire_is_id(const char *text);

#endif
