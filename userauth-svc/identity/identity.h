/* SPDX-License-Identifier: MIT
 *
 * An account elsewhere, by which a user of this service signs in. It is known by issuer and subject
 * and by nothing else: names and addresses can be chosen there, also somebody else's. Pure: the
 * limits, and the name that a user gets who comes in this way. Depends on: base. */
#ifndef NOTES_IDENTITY_H
#define NOTES_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct arena;
struct ctx;

#define IDENTITY_TEXT_MAX_BYTES      255 /* issuer and subject each */
#define IDENTITY_PROVIDER_MAX_CHARS  255
#define IDENTITIES_PER_USER_MAX      10
#define IDENTITY_NAMES_MAX_COUNT     20 /* "me", "me-2" to "me-20" */
#define IDENTITY_NAMES_RANDOM_COUNT  3  /* tried when those are taken */
#define IDENTITY_NAME_RANDOM_BYTES   9
#define IDENTITY_NAME_WITHOUT_LETTER "user"

struct identity {
    const char *issuer;   /* "twitter", or the address of an OpenID Connect provider */
    const char *subject;  /* who it is there */
    const char *provider; /* what the provider is called here; not "local" */
    int64_t created_unix_ms;
};

struct identity_list {
    const struct identity *items;
    size_t count;
};

/* Issuer and subject: 1 to 255 bytes, no control characters. The provider is looked at only where
 * there is one.
 * Errors:  ERR_INVALID, with the member.
 * Tests:   tests/unit/test_identity.c */
MUST_CHECK enum err identity_check(struct ctx *ctx, const struct identity *identity);

/* A name like the wished one that is sound (user.h) and shows what it is: without control
 * characters, blanks, and what can't be seen. */
const char *identity_name(struct arena *arena, const char *wished);

/* The same with "-2" and so on, within the limit of names. */
const char *identity_name_with(struct arena *arena, const char *name, const char *suffix);

#endif
