/* SPDX-License-Identifier: MIT
 *
 * The keys by which other programs may call: from API_KEYS, or one that is generated into a file at
 * the first start. Several are valid at once, so that a key can be replaced without a gap. Depends
 * on: secret.h, text.h. */
#ifndef NOTES_API_KEYS_H
#define NOTES_API_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/secret.h"

struct arena;
struct ctx;

#define API_KEYS_MAX_COUNT     16
#define API_KEY_NAME_MAX_CHARS 64
#define API_KEY_STRONG_CHARS   16 /* a shorter one is taken, with a warning at each start */
#define API_KEY_MAX_CHARS      256
#define API_KEY_GENERATED_NAME "them" /* as the Node version calls its only client */
#define API_KEY_RANDOM_BYTES   32

struct api_key {
    char name[API_KEY_NAME_MAX_CHARS + 1];
    struct secret credentials; /* "NAME:KEY", as HTTP Basic sends it */
};

/* Zeroed: none. */
struct api_keys {
    struct api_key items[API_KEYS_MAX_COUNT];
    size_t count;
};

/* Adds what "NAME:KEY[,NAME:KEY…]" says. Returns a reason for people, which holds no key, or NULL
 * when all is well. Tests:   tests/unit/test_password.c */
MUST_CHECK const char *api_keys_parse(struct arena *arena, const char *list, struct api_keys *keys);

/* Adds the key in the file, which is made (0600) when it does not exist; several processes may do
 * so at once. Errors:  ERR_INVALID the file holds no key; ERR_UNAVAILABLE it can't be read or made.
 * With a line for people. */
MUST_CHECK enum err
api_keys_from_file(struct ctx *ctx, const char *path, struct api_keys *keys, bool *out_is_new);

/* The name of the key that these Basic credentials ("NAME:KEY") are, NULL for none. All keys are
 * compared, each in constant time, whichever matches. */
const char *api_keys_match(const struct api_keys *keys, struct bytes credentials);

/* Wipes them. */
void api_keys_done(struct api_keys *keys);

#endif
