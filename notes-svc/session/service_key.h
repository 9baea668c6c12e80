/* SPDX-License-Identifier: MIT
 *
 * The key that this service and userauth-svc share: what we show to it, and what userauth-cli shows
 * to us. The configured one, or the one in its file, which is read at each call, so that a renewed
 * key is found without a restart. */
#ifndef NOTES_SERVICE_KEY_H
#define NOTES_SERVICE_KEY_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/secret.h"

struct config;
struct ctx;

/* `storage` holds a key that was read, and is empty before; *out_key points to it or to the
 * configured one. Errors: ERR_UNAVAILABLE there is none. Owns: the caller, secret_done(storage). */
MUST_CHECK enum err service_key_get(struct ctx *ctx,
                                    const struct config *config,
                                    struct secret *storage,
                                    const struct secret **out_key);

/* Is this an Authorization field with our key and its name (HTTP Basic, RFC 7617)? Constant time in
 * the key. May be NULL. Without a key nobody has it. */
bool service_key_matches(struct ctx *ctx, const struct config *config, const char *authorization);

#endif
