/* SPDX-License-Identifier: MIT
 *
 * OAuth 1.0a: signing a request with HMAC-SHA1. Source: RFC 5849. Pure.
 * Tests: tests/unit/test_oauth1.c */
#ifndef NOTES_OAUTH1_H
#define NOTES_OAUTH1_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;
struct secret;

#define OAUTH1_PARAMETERS_MAX_COUNT 16
#define OAUTH1_TEXT_MAX_BYTES       16384 /* of what is signed, and of the field */

struct oauth1_parameter {
    const char *name;
    const char *value;
};

struct oauth1_request {
    const char *method; /* upper case */
    const char *url;    /* http or https, without query */
    /* oauth_version and the like, for the field; the consumer's key, the token, the time, the nonce
     * and what depends on them are added. */
    const struct oauth1_parameter *own;
    size_t own_count;
    const struct oauth1_parameter *others; /* of the query and a form body: only signed */
    size_t others_count;
    const char *nonce;
    const char *timestamp; /* seconds, in digits */
};

struct oauth1_credentials {
    const struct secret *consumer_key;
    const struct secret *consumer_secret;
    const char *token; /* NULL: none yet */
    const char *token_secret;
};

/* The value of the Authorization field. Errors: ERR_TOO_LARGE. */
MUST_CHECK enum err oauth1_authorization(struct ctx *ctx,
                                         const struct oauth1_credentials *credentials,
                                         const struct oauth1_request *request,
                                         const char **out_value);

#endif
