/* SPDX-License-Identifier: MIT
 *
 * A few texts that a browser keeps for us for some minutes and can neither read nor change: the
 * value of a cookie. Each use has a purpose; what was sealed for one can't be opened for another.
 * Pure, but for the clock and random bytes. */
#ifndef NOTES_SEALED_H
#define NOTES_SEALED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;

#define SEALED_TEXTS_MAX_COUNT 8
#define SEALED_TEXT_MAX_BYTES  2900 /* of all texts together; as base64url it fits a cookie */
#define SEALED_AHEAD_MAX_S     60   /* another process of the site may have a clock so far ahead */

/* What is sealed how. */
struct sealed_use {
    const unsigned char *key; /* SECRET_DIGEST_BYTES */
    const char *purpose;
    size_t count; /* of texts, at most SEALED_TEXTS_MAX_COUNT */
};

struct sealed_texts {
    const char *texts[SEALED_TEXTS_MAX_COUNT];
};

/* Errors: ERR_INVALID a control character in a text; ERR_TOO_LARGE. */
MUST_CHECK enum err sealed_make(struct ctx *ctx,
                                const struct sealed_use *use,
                                const struct sealed_texts *texts,
                                const char **out_value);

/* False: not sealed with this key for this purpose, or older than max_age_s. `value` may be NULL.
 */
MUST_CHECK bool sealed_open(struct ctx *ctx,
                            const struct sealed_use *use,
                            const char *value,
                            int64_t max_age_s,
                            struct sealed_texts *out_texts);

#endif
