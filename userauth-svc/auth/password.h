/* SPDX-License-Identifier: MIT
 *
 * Passwords to hashes and back to a yes or no: Argon2id for what is hashed here, bcrypt for hashes
 * that come from the Node version. The only file that knows crypt.h. Every function that hashes
 * takes tens of milliseconds on purpose and belongs on the slow lane. Depends on: base, libsodium,
 * libxcrypt. Source: OWASP Password Storage (Argon2id, m = 19456 KiB, t = 2, p = 1). */
#ifndef NOTES_PASSWORD_H
#define NOTES_PASSWORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/err.h"

struct ctx;

#define PASSWORD_HASH_MAX_BYTES   128 /* with the NUL */
#define PASSWORD_BCRYPT_MAX_BYTES 72  /* bcrypt does not look at what comes after */

struct password_settings {
    int64_t memory_kib;
    int64_t passes;
    char dummy[PASSWORD_HASH_MAX_BYTES]; /* a hash of these costs that no password has */
};

/* Units: memory_kib 8..1048576, passes 1..10. secret_start must have been called. */
void password_settings_init(struct password_settings *settings, int64_t memory_kib, int64_t passes);

/* Begins like a bcrypt hash: "$2", a letter, "$". Such a text is never a plain password in the Node
 * version's clients. */
bool password_looks_hashed(const char *text);

/* A bcrypt hash that we verify: $2a$, $2b$ or $2y$, cost 04 to 12, 53 characters of salt and
 * digest. */
bool password_is_bcrypt(const char *text);

/* Errors:  ERR_UNAVAILABLE no memory, or no time left. */
MUST_CHECK enum err password_hash(struct ctx *ctx,
                                  const struct password_settings *settings,
                                  const char *plain,
                                  const char **out_hash);

/* `stored` may be NULL (no decoy either, see decoy.h), and `typed` may be "": both cost
 * an Argon2id all the same and are never right. A stored text of an unknown kind likewise. Errors:
 * ERR_UNAVAILABLE no memory, or no time left. */
MUST_CHECK enum err password_verify(struct ctx *ctx,
                                    const struct password_settings *settings,
                                    const char *stored,
                                    const char *typed,
                                    bool *out_is_right);

/* Should a right password be hashed anew? Yes for an Argon2id of lower costs than now, and for
 * bcrypt, but there only when the typed password is so short that bcrypt has seen it whole. */
bool password_is_weak(const struct password_settings *settings,
                      const char *stored,
                      const char *typed);

/* "libxcrypt 4.4.33", as built against: for --version. */
const char *password_library(void);

#endif
