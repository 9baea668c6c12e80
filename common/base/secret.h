/* SPDX-License-Identifier: MIT
 *
 * Secrets: a type that can't be printed or logged by accident, compared in constant time and wiped
 * at the end; random tokens and keyed digests. No log function takes a `struct secret`. */
#ifndef NOTES_SECRET_H
#define NOTES_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/err.h"

struct arena;
struct ctx;

#define SECRET_MAX_BYTES    4096
#define SECRET_DIGEST_BYTES 32
#define SECRET_SEAL_BYTES   40 /* that a sealed text is longer */

/* Owned by whoever made it; `text` is NULL when unset. */
struct secret {
    char *text; /* NUL-terminated, in locked memory where the system allows it */
    size_t size_bytes;
};

/* Must be called once before anything else of this file. False: the random source can't be had. */
MUST_CHECK bool secret_start(void);

/* Owns: the caller, who calls secret_done. */
struct secret secret_new(const char *text, size_t size_bytes);
void secret_done(struct secret *secret);
/* False when the system's limit of locked memory was too low for one of them. */
bool secret_is_all_locked(void);
bool secret_is_set(const struct secret *secret);

/* Constant time for inputs of any length: digests of both are compared. */
bool secret_equals(const struct secret *secret, const char *text, size_t size_bytes);
bool secret_bytes_equal(const void *a, const void *b, size_t size_bytes);
/* Is the text that somebody gave the one that is wanted? Constant time but for the lengths, which
 * are no secret. NULL is no text, and an empty one is wanted of nobody. */
bool secret_text_matches(const char *wanted, const char *given);

/* Fills with random bytes of the system. */
void secret_random(void *out_bytes, size_t size_bytes);

/* base64url without padding (RFC 4648 section 5) of so many random bytes. */
char *secret_token(struct arena *arena, size_t random_bytes);
char *secret_base64url(struct arena *arena, const void *bytes, size_t size_bytes);
/* False when the text is not base64url without padding or not exactly size_bytes long. */
MUST_CHECK bool secret_from_base64url(const char *text, void *out_bytes, size_t size_bytes);

/* BLAKE2b-256 of `text`; key may be empty (n = 0), else 16 to 64 bytes. */
void secret_digest(struct bytes key,
                   const void *text,
                   size_t size_bytes,
                   unsigned char out_digest[SECRET_DIGEST_BYTES]);

/* Seals a text, so that without the key nobody can read it, change it or make one. The key is a
 * digest made for this use alone. Units: out_sealed has size_bytes + SECRET_SEAL_BYTES. */
void secret_seal(const unsigned char key[SECRET_DIGEST_BYTES],
                 const void *text,
                 size_t size_bytes,
                 unsigned char *out_sealed);
/* Opens it again. False, and nothing is written, when it was not sealed with this key. Units:
 * out_text has sealed.n - SECRET_SEAL_BYTES. */
MUST_CHECK bool
secret_unseal(const unsigned char key[SECRET_DIGEST_BYTES], struct bytes sealed, void *out_text);

/* "libsodium 1.0.18": for --version. */
const char *secret_library(void);

/* Overwrites; never optimised away. */
void secret_wipe(void *bytes, size_t size_bytes);

/* The secret in a file of one line and at most SECRET_MAX_BYTES; one trailing newline is
 * dropped. Errors: ERR_NOT_FOUND no such file; ERR_INVALID empty, too large or with a NUL;
 * ERR_UNAVAILABLE can't be read. Owns:   the caller, who calls secret_done. */
MUST_CHECK enum err secret_read_file(struct ctx *ctx, const char *path, struct secret *out_secret);

/* Makes the file (0600, never through a link, never over an existing one) with this text and a
 * newline. Errors: ERR_CONFLICT exists already; ERR_UNAVAILABLE can't be written. */
MUST_CHECK enum err secret_write_file(struct ctx *ctx, const char *path, const char *text);

#endif
