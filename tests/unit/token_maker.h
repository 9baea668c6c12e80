/* SPDX-License-Identifier: MIT
 *
 * Signs tokens as a provider would, and as one would who lies: head and claims are taken as they
 * are written. By OpenSSL itself, and not by the library that is tested. */
#ifndef NOTES_TOKEN_MAKER_H
#define NOTES_TOKEN_MAKER_H

#include "base/ctx.h"

#include "unit.h"

#include <openssl/evp.h>

enum maker_way { MAKER_RS256, MAKER_RS512, MAKER_PS256, MAKER_ES256, MAKER_ES512 };

/* A new private key. Owns: the caller, who calls EVP_PKEY_free. */
EVP_PKEY *maker_rsa(unsigned bits);
EVP_PKEY *maker_ec(const char *curve); /* "P-256" */

/* {"kty":…, the members of the public key, `more`}; more: "" or ",\"kid\":\"a\"". */
const char *maker_jwk(struct ctx *ctx, EVP_PKEY *key, const char *more);

/* Head and claims in base64url with a ".": what is signed. */
const char *maker_input(struct ctx *ctx, const char *head, const char *claims);

/* A whole token. */
const char *maker_sign(
    struct ctx *ctx, EVP_PKEY *key, enum maker_way way, const char *head, const char *claims);

/* The same with a shared key: "HS256". */
const char *
maker_sign_shared(struct ctx *ctx, const char *shared, const char *head, const char *claims);

#endif
