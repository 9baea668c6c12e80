/* SPDX-License-Identifier: MIT
 *
 * Secrets over libsodium. Each secret has pages of its own, kept out of the swap where the
 * system allows it: a shared page would be unlocked for all its secrets by the first one that is
 * freed. sodium_malloc's guard pages would be three times that, for values that live as long as
 * the process. A secret file is written under another name and then linked to its own: a reader
 * sees all of it or nothing.
 * Depends on: secret.h, arena.h, ctx.h, libsodium. */
#include "base/secret.h"

#include "base/arena.h"
#include "base/ctx.h"

#include <sodium.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_PAGE_BYTES 4096
#define KEY_MIN_BYTES     16
#define KEY_MAX_BYTES     64
#define BASE64URL         sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define TEMP_NAME_BYTES   8
#define ERROR_TEXT_BYTES  128
#define SECRET_FILE_MODE  0600
#define NO_FILE           (-1)

struct secret_file_bytes {
    size_t size_bytes;
    char bytes[SECRET_MAX_BYTES + 1]; /* one more, to see that a file is too large */
};

static void fd_close(const int *fd)
{
    if (*fd != NO_FILE)
        (void)close(*fd);
}

bool secret_start(void)
{
    return sodium_init() >= 0;
}

static atomic_bool is_one_unlocked;

/* sodium_mlock keeps the pages out of core files too, whether or not they could be locked. */
struct secret secret_new(const char *text, size_t size_bytes)
{
    size_t pages_bytes = (size_bytes / SECRET_PAGE_BYTES + 1) * SECRET_PAGE_BYTES;
    char *copy = aligned_alloc(SECRET_PAGE_BYTES, pages_bytes);
    if (!copy)
        abort();
    if (sodium_mlock(copy, size_bytes + 1) != 0)
        atomic_store(&is_one_unlocked, true);
    if (size_bytes > 0)
        memcpy(copy, text, size_bytes);
    copy[size_bytes] = '\0';
    return (struct secret){.text = copy, .size_bytes = size_bytes};
}

/* sodium_munlock wipes first, also when the memory could not be locked. */
void secret_done(struct secret *secret)
{
    if (!secret->text)
        return;
    (void)sodium_munlock(secret->text, secret->size_bytes + 1);
    free(secret->text);
    *secret = (struct secret){.text = NULL};
}

bool secret_is_all_locked(void)
{
    return !atomic_load(&is_one_unlocked);
}

bool secret_is_set(const struct secret *secret)
{
    return secret->text != NULL;
}

bool secret_equals(const struct secret *secret, const char *text, size_t size_bytes)
{
    if (!secret->text)
        return false;
    unsigned char ours[SECRET_DIGEST_BYTES];
    unsigned char theirs[SECRET_DIGEST_BYTES];
    struct bytes no_key = {.p = NULL};
    secret_digest(no_key, secret->text, secret->size_bytes, ours);
    secret_digest(no_key, text, size_bytes, theirs);
    bool is_equal = sodium_memcmp(ours, theirs, sizeof(ours)) == 0;
    sodium_memzero(ours, sizeof(ours));
    sodium_memzero(theirs, sizeof(theirs));
    return is_equal;
}

bool secret_bytes_equal(const void *a, const void *b, size_t size_bytes)
{
    return sodium_memcmp(a, b, size_bytes) == 0;
}

bool secret_text_matches(const char *wanted, const char *given)
{
    size_t size_bytes = strlen(wanted);
    return given && size_bytes > 0 && strlen(given) == size_bytes &&
           secret_bytes_equal(wanted, given, size_bytes);
}

void secret_random(void *out_bytes, size_t size_bytes)
{
    randombytes_buf(out_bytes, size_bytes);
}

char *secret_base64url(struct arena *arena, const void *bytes, size_t size_bytes)
{
    size_t text_bytes = sodium_base64_ENCODED_LEN(size_bytes, BASE64URL);
    char *text = arena_take(arena, text_bytes);
    return sodium_bin2base64(text, text_bytes, bytes, size_bytes, BASE64URL);
}

char *secret_token(struct arena *arena, size_t random_bytes)
{
    unsigned char *bytes = arena_take(arena, random_bytes);
    secret_random(bytes, random_bytes);
    return secret_base64url(arena, bytes, random_bytes);
}

/* libsodium's decoder takes some bytes above 127 for letters. */
static bool is_base64url(const char *text)
{
    return text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")] ==
           '\0';
}

/* Into a buffer of our own first: the caller's stays as it was when the text turns out to be wrong.
 */
bool secret_from_base64url(const char *text, void *out_bytes, size_t size_bytes)
{
    unsigned char decoded[SECRET_MAX_BYTES];
    size_t text_bytes = strlen(text);
    if (size_bytes > sizeof(decoded) ||
        text_bytes + 1 != sodium_base64_ENCODED_LEN(size_bytes, BASE64URL) || !is_base64url(text))
        return false;
    size_t decoded_bytes = 0;
    bool is_good = sodium_base642bin(decoded, sizeof(decoded), text, text_bytes, NULL,
                                     &decoded_bytes, NULL, BASE64URL) == 0 &&
                   decoded_bytes == size_bytes;
    if (is_good && size_bytes > 0)
        memcpy(out_bytes, decoded, size_bytes);
    sodium_memzero(decoded, size_bytes);
    return is_good;
}

void secret_digest(struct bytes key,
                   const void *text,
                   size_t size_bytes,
                   unsigned char out_digest[SECRET_DIGEST_BYTES])
{
    assert(key.n == 0 || (key.n >= KEY_MIN_BYTES && key.n <= KEY_MAX_BYTES));
    (void)crypto_generichash(out_digest, SECRET_DIGEST_BYTES, text, size_bytes,
                             key.n > 0 ? key.p : NULL, key.n);
}

static_assert(SECRET_SEAL_BYTES == crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES, "");
static_assert(SECRET_DIGEST_BYTES == crypto_secretbox_KEYBYTES, "");

void secret_seal(const unsigned char key[SECRET_DIGEST_BYTES],
                 const void *text,
                 size_t size_bytes,
                 unsigned char *out_sealed)
{
    secret_random(out_sealed, crypto_secretbox_NONCEBYTES);
    (void)crypto_secretbox_easy(out_sealed + crypto_secretbox_NONCEBYTES, text, size_bytes,
                                out_sealed, key);
}

bool secret_unseal(const unsigned char key[SECRET_DIGEST_BYTES],
                   struct bytes sealed,
                   void *out_text)
{
    if (sealed.n < SECRET_SEAL_BYTES)
        return false;
    return crypto_secretbox_open_easy(out_text, sealed.p + crypto_secretbox_NONCEBYTES,
                                      sealed.n - crypto_secretbox_NONCEBYTES, sealed.p, key) == 0;
}

const char *secret_library(void)
{
    static char text[64]; /* asked for by the main thread, before others */
    (void)snprintf(text, sizeof(text), "libsodium %s", sodium_version_string());
    return text;
}

void secret_wipe(void *bytes, size_t size_bytes)
{
    sodium_memzero(bytes, size_bytes);
}

static enum err fail_errno(struct ctx *ctx, enum err err, const char *path, int error)
{
    char text[ERROR_TEXT_BYTES];
    return ctx_fail(ctx, err, "%s: %s", path, strerror_r(error, text, sizeof(text)));
}

/* O_NONBLOCK: a FIFO without a writer must not hold up the start. */
static enum err read_whole(struct ctx *ctx, const char *path, struct secret_file_bytes *out_file)
{
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd == NO_FILE)
        return fail_errno(ctx, errno == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE, path, errno);
    out_file->size_bytes = 0;
    while (out_file->size_bytes < sizeof(out_file->bytes)) {
        ssize_t count = read(fd, out_file->bytes + out_file->size_bytes,
                             sizeof(out_file->bytes) - out_file->size_bytes);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail_errno(ctx, ERR_UNAVAILABLE, path, errno);
        if (count == 0)
            break;
        out_file->size_bytes += (size_t)count;
    }
    return ERR_OK;
}

/* Editors and echo end a file with a line end: one is no part of the secret. */
static size_t without_newline(const struct secret_file_bytes *file)
{
    bool has_newline = file->size_bytes > 0 && file->bytes[file->size_bytes - 1] == '\n';
    return file->size_bytes - (has_newline ? 1 : 0);
}

static enum err check_file(struct ctx *ctx, const char *path, const struct secret_file_bytes *file)
{
    if (file->size_bytes > SECRET_MAX_BYTES)
        return ctx_fail(ctx, ERR_INVALID, "%s: has more than %d bytes", path, SECRET_MAX_BYTES);
    if (memchr(file->bytes, '\0', file->size_bytes))
        return ctx_fail(ctx, ERR_INVALID, "%s: has a NUL byte", path);
    size_t secret_bytes = without_newline(file);
    if (secret_bytes == 0)
        return ctx_fail(ctx, ERR_INVALID, "%s: is empty", path);
    if (memchr(file->bytes, '\n', secret_bytes))
        return ctx_fail(ctx, ERR_INVALID, "%s: has more than one line", path);
    return ERR_OK;
}

enum err secret_read_file(struct ctx *ctx, const char *path, struct secret *out_secret)
{
    struct secret_file_bytes file = {.size_bytes = 0};
    enum err err = read_whole(ctx, path, &file);
    if (err == ERR_OK)
        err = check_file(ctx, path, &file);
    if (err == ERR_OK)
        *out_secret = secret_new(file.bytes, without_newline(&file));
    sodium_memzero(&file, sizeof(file));
    return err;
}

static bool write_whole(int fd, const char *bytes, size_t size_bytes)
{
    size_t written_bytes = 0;
    while (written_bytes < size_bytes) {
        ssize_t count = write(fd, bytes + written_bytes, size_bytes - written_bytes);
        if (count < 0 && errno != EINTR)
            return false;
        written_bytes += count > 0 ? (size_t)count : 0;
    }
    return true;
}

/* 0 or the number of the system's error. */
static int write_new_file(const char *path, const char *text)
{
    CLEANUP(fd_close)
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, SECRET_FILE_MODE);
    if (fd == NO_FILE)
        return errno;
    if (!write_whole(fd, text, strlen(text)) || !write_whole(fd, "\n", 1) || fsync(fd) != 0)
        return errno;
    return 0;
}

enum err secret_write_file(struct ctx *ctx, const char *path, const char *text)
{
    const char *temp_path =
        arena_format(&ctx->arena, "%s.%s", path, secret_token(&ctx->arena, TEMP_NAME_BYTES));
    int error = write_new_file(temp_path, text);
    if (error == 0 && link(temp_path, path) != 0)
        error = errno;
    (void)unlink(temp_path);
    if (error == 0)
        return ERR_OK;
    return fail_errno(ctx, error == EEXIST ? ERR_CONFLICT : ERR_UNAVAILABLE, path, error);
}
