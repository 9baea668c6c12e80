/* SPDX-License-Identifier: MIT
 *
 * Verifying a signed token. Which algorithms and keys may be used is decided by id_token.c. The
 * only file that knows the library. Pure. */
#ifndef NOTES_JWS_H
#define NOTES_JWS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/cleanup.h"

struct ctx;

/* "cjose 0.6.2.1": for --version. */
const char *jws_library(void);

/* True: the signature of this compact JWS was made with the private part of this public key. */
MUST_CHECK bool
jws_verify(struct ctx *ctx, const char *token, const char *jwk, struct bytes *out_payload);

#endif
