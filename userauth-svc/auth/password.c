/* SPDX-License-Identifier: MIT
 *
 * Argon2id by libsodium, bcrypt by libxcrypt.
 * The dummy hash is made of random bytes, not by hashing: it costs nothing at start, and its
 * verification costs what a real one costs, because the costs are written in it. Depends on: ctx.h,
 * secret.h, parse.h, libsodium, crypt.h. */
#include "auth/password.h"

#include <crypt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ctx.h"
#include "base/parse.h"
#include "base/secret.h"
#include "base/text.h"

#define ARGON2ID_PREFIX     "$argon2id$"
#define PARALLEL_LABEL      ",p=1$"
#define MEMORY_MIN_KIB      8
#define SALT_BYTES          16
#define DIGEST_BYTES        32
#define NUMBER_MAX_CHARS    10
#define BCRYPT_HASH_CHARS   60
#define BCRYPT_PREFIX_CHARS 7 /* "$2b$12$" */
#define BCRYPT_COST_MIN     4
#define BCRYPT_COST_MAX     12
#define KIB                 1024

_Static_assert(PASSWORD_HASH_MAX_BYTES >= crypto_pwhash_STRBYTES, "an Argon2id text must fit");

/* Salt or digest as PHC strings have them: base64 without padding. */
static void random_base64(char *out_text, size_t text_bytes, size_t random_bytes)
{
    unsigned char random[DIGEST_BYTES];
    secret_random(random, random_bytes);
    (void)sodium_bin2base64(out_text, text_bytes, random, random_bytes,
                            sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}

void password_settings_init(struct password_settings *settings, int64_t memory_kib, int64_t passes)
{
    char salt[sodium_base64_ENCODED_LEN(SALT_BYTES, sodium_base64_VARIANT_ORIGINAL_NO_PADDING)];
    char digest[sodium_base64_ENCODED_LEN(DIGEST_BYTES, sodium_base64_VARIANT_ORIGINAL_NO_PADDING)];
    random_base64(salt, sizeof(salt), SALT_BYTES);
    random_base64(digest, sizeof(digest), DIGEST_BYTES);
    settings->memory_kib = memory_kib;
    settings->passes = passes;
    (void)snprintf(settings->dummy, sizeof(settings->dummy), "%sv=%d$m=%lld,t=%lld,p=1$%s$%s",
                   ARGON2ID_PREFIX, 0x13, (long long)memory_kib, (long long)passes, salt, digest);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool password_looks_hashed(const char *text)
{
    return text_starts_with(text, "$2") && is_letter(text[2]) && text[3] == '$';
}

bool password_is_bcrypt(const char *text)
{
    if (strlen(text) != BCRYPT_HASH_CHARS || !password_looks_hashed(text) ||
        !strchr("aby", text[2]))
        return false;
    if (!is_digit(text[4]) || !is_digit(text[5]) || text[6] != '$')
        return false;
    int cost = (text[4] - '0') * 10 + (text[5] - '0');
    if (cost < BCRYPT_COST_MIN || cost > BCRYPT_COST_MAX)
        return false;
    for (const char *c = text + BCRYPT_PREFIX_CHARS; *c; c++) {
        if (!is_letter(*c) && !is_digit(*c) && *c != '.' && *c != '/')
            return false;
    }
    return true;
}

static enum err check_time(struct ctx *ctx)
{
    return ctx_left_ms(ctx) > 0 ? ERR_OK
                                : ctx_fail(ctx, ERR_UNAVAILABLE, "no time left to hash a password");
}

enum err password_hash(struct ctx *ctx,
                       const struct password_settings *settings,
                       const char *plain,
                       const char **out_hash)
{
    enum err err = check_time(ctx);
    if (err)
        return err;
    char *hash = arena_take(&ctx->arena, PASSWORD_HASH_MAX_BYTES);
    if (crypto_pwhash_str_alg(hash, plain, strlen(plain), (unsigned long long)settings->passes,
                              (size_t)settings->memory_kib * KIB,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "no memory to hash a password");
    *out_hash = hash;
    return ERR_OK;
}

/* The number after `label` in an Argon2id text, 0 when there is none. */
static int64_t cost_of(const char *stored, const char *label)
{
    const char *start = strstr(stored, label);
    if (!start)
        return 0;
    start += strlen(label);
    size_t chars = strspn(start, "0123456789");
    char digits[NUMBER_MAX_CHARS + 1] = "";
    if (chars == 0 || chars > NUMBER_MAX_CHARS)
        return 0;
    memcpy(digits, start, chars);
    int64_t cost = 0;
    return parse_i64(digits, 0, INT64_MAX, &cost) ? cost : 0;
}

/* Exactly so many bytes, up to the character `end`; moves *at behind it. */
static bool read_base64(const char **at, unsigned char *out_bytes, size_t bytes_count, char end)
{
    size_t read_count = 0;
    const char *stop = NULL;
    if (sodium_base642bin(out_bytes, bytes_count, *at, strlen(*at), NULL, &read_count, &stop,
                          sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0)
        return false;
    *at = stop + 1;
    return read_count == bytes_count && *stop == end;
}

/* By hashing: crypto_pwhash_str_verify calls a password wrong also when there was no memory to hash
 * it (libsodium 1.0.18, argon2_verify). A text that is none of libsodium's is never right. */
static enum err
verify_argon2id(struct ctx *ctx, const char *stored, const char *typed, bool *out_is_right)
{
    unsigned char salt[SALT_BYTES];
    unsigned char digest[DIGEST_BYTES];
    unsigned char made[DIGEST_BYTES];
    int64_t memory_kib = cost_of(stored, "$v=19$m=");
    int64_t passes = cost_of(stored, ",t=");
    const char *at = strstr(stored, PARALLEL_LABEL);
    at = at ? at + strlen(PARALLEL_LABEL) : "";
    bool is_known = memory_kib >= MEMORY_MIN_KIB && passes > 0 &&
                    read_base64(&at, salt, sizeof(salt), '$') &&
                    read_base64(&at, digest, sizeof(digest), '\0');
    if (is_known &&
        crypto_pwhash(made, sizeof(made), typed, strlen(typed), salt, (unsigned long long)passes,
                      (size_t)memory_kib * KIB, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return ctx_fail(ctx, ERR_UNAVAILABLE, "no memory to verify a password");
    *out_is_right = is_known && secret_bytes_equal(made, digest, sizeof(made));
    return ERR_OK;
}

/* The three letters stand for one algorithm, bcrypt without the sign bug of 2011, in every program
 * that writes these hashes today. libxcrypt keeps a guard against that bug under "2a" by which it
 * differs from them for some passwords with bytes over 127, so all are verified under "2b". It also
 * refuses long texts, which bcrypt would cut. */
static enum err
verify_bcrypt(struct ctx *ctx, const char *stored, const char *typed, bool *out_is_right)
{
    char *setting = arena_text(&ctx->arena, stored);
    char *cut = arena_text_copy(&ctx->arena, typed, strnlen(typed, PASSWORD_BCRYPT_MAX_BYTES));
    struct crypt_data *data = arena_take(&ctx->arena, sizeof(*data));
    setting[2] = 'b';
    const char *made =
        crypt_rn(cut, setting, data, (int)sizeof(*data)); /* crypt_r with NULL for failure */
    if (!made || strlen(made) != BCRYPT_HASH_CHARS)
        return ctx_fail(ctx, ERR_INTERNAL, "bcrypt refuses a stored hash");
    *out_is_right = secret_bytes_equal(made, setting, BCRYPT_HASH_CHARS);
    return ERR_OK;
}

enum err password_verify(struct ctx *ctx,
                         const struct password_settings *settings,
                         const char *stored,
                         const char *typed,
                         bool *out_is_right)
{
    enum err err = check_time(ctx);
    if (err)
        return err;
    bool can_match = stored && typed[0] != '\0';
    if (can_match && password_is_bcrypt(stored))
        return verify_bcrypt(ctx, stored, typed, out_is_right);
    if (can_match && text_starts_with(stored, ARGON2ID_PREFIX))
        return verify_argon2id(ctx, stored, typed, out_is_right);

    bool is_right = false;
    err = verify_argon2id(ctx, settings->dummy, typed, &is_right);
    if (!err)
        *out_is_right = false;
    return err;
}

bool password_is_weak(const struct password_settings *settings,
                      const char *stored,
                      const char *typed)
{
    if (password_is_bcrypt(stored))
        return strlen(typed) < PASSWORD_BCRYPT_MAX_BYTES;
    return cost_of(stored, "$m=") < settings->memory_kib ||
           cost_of(stored, ",t=") < settings->passes;
}

const char *password_library(void)
{
    return "libxcrypt " XCRYPT_VERSION_STR;
}
