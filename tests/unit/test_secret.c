/* SPDX-License-Identifier: MIT
 *
 * Secrets: comparing, tokens, digests, and the files that they come from. */
#include "base/secret.h"

#include "base/ctx.h"
#include "base/text.h"

#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    struct ctx ctx;
    char path[64];
};

static int folder_new(void **state)
{
    struct folder *folder = malloc(sizeof(*folder));
    if (!folder)
        return -1;
    ctx_init(&folder->ctx, NULL, 1000);
    (void)snprintf(folder->path, sizeof(folder->path), "/tmp/notes-unit-XXXXXX");
    *state = folder;
    return mkdtemp(folder->path) ? 0 : -1;
}

/* Flat: the tests make no folders inside but one, which is empty. */
static int folder_free(void **state)
{
    struct folder *folder = *state;
    DIR *dir = opendir(folder->path);
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        if (entry->d_name[0] != '.')
            (void)remove(arena_format(&folder->ctx.arena, "%s/%s", folder->path, entry->d_name));
    }
    if (dir)
        (void)closedir(dir);
    (void)rmdir(folder->path);
    ctx_done(&folder->ctx);
    free(folder);
    return 0;
}

static const char *path_in(struct folder *folder, const char *name)
{
    return arena_format(&folder->ctx.arena, "%s/%s", folder->path, name);
}

static const char *file_with(struct folder *folder, const char *bytes, size_t size_bytes)
{
    const char *path = path_in(folder, "given");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size_bytes, file), size_bytes);
    assert_int_equal(fclose(file), 0);
    return path;
}

static size_t file_count(const struct folder *folder)
{
    size_t count = 0;
    DIR *dir = opendir(folder->path);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        count += entry->d_name[0] != '.';
    (void)closedir(dir);
    return count;
}

static int start(void **state)
{
    (void)state;
    return secret_start() ? 0 : -1;
}

static void only_the_same_bytes_are_equal(void **state)
{
    (void)state;
    struct secret secret = secret_new("correct horse", 13);
    assert_true(secret_is_set(&secret));
    assert_true(secret_equals(&secret, "correct horse", 13));
    assert_false(secret_equals(&secret, "correct hors", 12));
    assert_false(secret_equals(&secret, "correct horse ", 14));
    assert_false(secret_equals(&secret, "correct horsf", 13));
    assert_false(secret_equals(&secret, "", 0));
    secret_done(&secret);
    assert_false(secret_is_set(&secret));
}

static void an_unset_secret_equals_nothing(void **state)
{
    (void)state;
    struct secret unset = {.text = NULL};
    assert_false(secret_is_set(&unset));
    assert_false(secret_equals(&unset, "", 0));
    assert_false(secret_equals(&unset, NULL, 0));
    secret_done(&unset);
    struct secret empty = secret_new("", 0);
    assert_true(secret_is_set(&empty));
    assert_true(secret_equals(&empty, "", 0));
    secret_done(&empty);
}

static void long_secrets_keep_all_their_bytes(void **state)
{
    (void)state;
    char text[3 * SECRET_MAX_BYTES];
    memset(text, 'x', sizeof(text));
    for (size_t size_bytes = SECRET_MAX_BYTES - 2; size_bytes <= SECRET_MAX_BYTES + 2;
         size_bytes++) {
        struct secret secret = secret_new(text, size_bytes);
        assert_int_equal(strlen(secret.text), size_bytes);
        assert_true(secret_equals(&secret, text, size_bytes));
        secret_done(&secret);
    }
}

static void bytes_are_compared_over_their_whole_length(void **state)
{
    (void)state;
    assert_true(secret_bytes_equal("a\0b", "a\0b", 3));
    assert_false(secret_bytes_equal("a\0b", "a\0c", 3));
    assert_true(secret_bytes_equal("x", "y", 0));
}

static void a_given_text_is_the_wanted_one_or_not(void **state)
{
    (void)state;
    assert_true(secret_text_matches("abc", "abc"));
    assert_false(secret_text_matches("abc", "abd"));
    assert_false(secret_text_matches("abc", "ab"));
    assert_false(secret_text_matches("abc", "abcd"));
    assert_false(secret_text_matches("abc", ""));
    assert_false(secret_text_matches("abc", NULL));
    assert_false(secret_text_matches("", ""));
}

static void tokens_are_url_safe_and_differ(void **state)
{
    const char *first = secret_token(*state, 32);
    const char *second = secret_token(*state, 32);
    assert_int_equal(strlen(first), 43);
    assert_string_not_equal(first, second);
    assert_int_equal(
        strspn(first, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
}

static void base64url_goes_there_and_back(void **state)
{
    for (size_t size_bytes = 0; size_bytes < 100; size_bytes++) {
        unsigned char bytes[100];
        unsigned char back[100];
        secret_random(bytes, size_bytes);
        const char *text = secret_base64url(*state, bytes, size_bytes);
        assert_true(secret_from_base64url(text, back, size_bytes));
        assert_memory_equal(bytes, back, size_bytes);
        assert_false(secret_from_base64url(text, back, size_bytes + 1));
    }
}

static void what_is_no_base64url_is_refused(void **state)
{
    static const struct {
        const char *text;
        size_t size_bytes;
    } rows[] = {
        {"Zg==", 1},
        {"Zh", 1},
        {"Z", 1},
        {"Zm9v", 2},
        {"Zm+v", 3},
        {"Zm/v", 3},
        {"Zm9 ", 3},
        {"Zm9v\n", 3},
        {"", 1},
        {"AAAA", SECRET_MAX_BYTES + 1},
        {"\xc5\xbe"
         "AA",
         3},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        unsigned char bytes[8] = "before!";
        if (secret_from_base64url(rows[i].text, bytes, rows[i].size_bytes))
            fail_msg("\"%s\"", rows[i].text);
        assert_string_equal((const char *)bytes, "before!");
    }
}

/* The value for "abc" without a key is that of `b2sum -l 256`. */
static void digests_are_blake2b_and_depend_on_the_key(void **state)
{
    static const unsigned char expected[4] = {0xbd, 0xdd, 0x81, 0x3c};
    (void)state;
    unsigned char plain[SECRET_DIGEST_BYTES];
    unsigned char keyed[SECRET_DIGEST_BYTES];
    struct bytes no_key = {.p = NULL};
    struct bytes key = {.p = (const unsigned char *)"0123456789abcdef", .n = 16};
    secret_digest(no_key, "abc", 3, plain);
    secret_digest(key, "abc", 3, keyed);
    assert_memory_equal(plain, expected, sizeof(expected));
    assert_memory_not_equal(plain, keyed, sizeof(plain));
}

static void wiped_bytes_are_zero(void **state)
{
    (void)state;
    char text[] = "my password";
    secret_wipe(text, sizeof(text));
    for (size_t i = 0; i < sizeof(text); i++)
        assert_int_equal(text[i], 0);
}

static void a_file_without_its_line_end_is_the_secret(void **state)
{
    static const char *const rows[][2] = {
        {"key", "key"},
        {"key\n", "key"},
        {" k y ", " k y "},
        {"key\r\n", "key\r"},
    };
    struct folder *folder = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct secret secret = {.text = NULL};
        const char *path = file_with(folder, rows[i][0], strlen(rows[i][0]));
        assert_int_equal(secret_read_file(&folder->ctx, path, &secret), ERR_OK);
        assert_string_equal(secret.text, rows[i][1]);
        assert_int_equal(secret.size_bytes, strlen(rows[i][1]));
        secret_done(&secret);
    }
}

static void a_file_without_a_good_secret_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t size_bytes;
    } rows[] = {{"", 0},        {"\n", 1},      {"\nkey", 4},      {"a\0b", 3},
                {"key\n\0", 5}, {"key\n\n", 5}, {"key\nmore\n", 9}};
    struct folder *folder = *state;
    struct secret secret = {.text = NULL};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *path = file_with(folder, rows[i].bytes, rows[i].size_bytes);
        ctx_forgive(&folder->ctx);
        assert_int_equal(secret_read_file(&folder->ctx, path, &secret), ERR_INVALID);
        assert_true(text_starts_with(folder->ctx.why.text, path));
        assert_false(secret_is_set(&secret));
    }
}

static void a_file_may_have_so_many_bytes_and_no_more(void **state)
{
    struct folder *folder = *state;
    struct secret secret = {.text = NULL};
    char bytes[SECRET_MAX_BYTES + 1];
    memset(bytes, 'x', sizeof(bytes));
    assert_int_equal(
        secret_read_file(&folder->ctx, file_with(folder, bytes, SECRET_MAX_BYTES), &secret),
        ERR_OK);
    assert_int_equal(secret.size_bytes, SECRET_MAX_BYTES);
    secret_done(&secret);
    assert_int_equal(
        secret_read_file(&folder->ctx, file_with(folder, bytes, sizeof(bytes)), &secret),
        ERR_INVALID);
    assert_false(secret_is_set(&secret));
}

static void a_missing_file_is_told_from_an_unreadable_one(void **state)
{
    struct folder *folder = *state;
    struct secret secret = {.text = NULL};
    assert_int_equal(secret_read_file(&folder->ctx, path_in(folder, "none"), &secret),
                     ERR_NOT_FOUND);
    assert_int_equal(secret_read_file(&folder->ctx, folder->path, &secret), ERR_UNAVAILABLE);
    assert_false(secret_is_set(&secret));
}

static void a_written_secret_is_private_and_read_back(void **state)
{
    struct folder *folder = *state;
    const char *path = path_in(folder, "key");
    struct secret secret = {.text = NULL};
    struct stat file;
    assert_int_equal(secret_write_file(&folder->ctx, path, "my key"), ERR_OK);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
    assert_int_equal(file.st_nlink, 1);
    assert_int_equal(file.st_size, 7);
    assert_int_equal(secret_read_file(&folder->ctx, path, &secret), ERR_OK);
    assert_string_equal(secret.text, "my key");
    secret_done(&secret);
    assert_int_equal(file_count(folder), 1);
}

static void an_existing_file_is_never_written_over(void **state)
{
    struct folder *folder = *state;
    const char *path = path_in(folder, "key");
    struct secret secret = {.text = NULL};
    assert_int_equal(secret_write_file(&folder->ctx, path, "first"), ERR_OK);
    assert_int_equal(secret_write_file(&folder->ctx, path, "second"), ERR_CONFLICT);
    assert_int_equal(secret_read_file(&folder->ctx, path, &secret), ERR_OK);
    assert_string_equal(secret.text, "first");
    secret_done(&secret);
    assert_int_equal(file_count(folder), 1);
}

static void a_link_is_never_written_through(void **state)
{
    struct folder *folder = *state;
    const char *path = path_in(folder, "key");
    const char *target = path_in(folder, "target");
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(secret_write_file(&folder->ctx, path, "text"), ERR_CONFLICT);
    assert_int_not_equal(access(target, F_OK), 0);
}

static void a_folder_that_is_not_there_can_not_be_written_to(void **state)
{
    struct folder *folder = *state;
    assert_int_equal(secret_write_file(&folder->ctx, path_in(folder, "none/key"), "text"),
                     ERR_UNAVAILABLE);
    assert_true(text_starts_with(folder->ctx.why.text, folder->path));
}

static void only_the_key_opens_what_it_sealed(void **state)
{
    (void)state;
    static const unsigned char key[SECRET_DIGEST_BYTES] = {1};
    static const unsigned char other[SECRET_DIGEST_BYTES] = {2};
    unsigned char sealed[5 + SECRET_SEAL_BYTES];
    unsigned char again[5 + SECRET_SEAL_BYTES];
    char text[5] = "";
    secret_seal(key, "hello", 5, sealed);
    secret_seal(key, "hello", 5, again);
    assert_memory_not_equal(sealed, again, sizeof(sealed));
    const struct bytes whole = {.p = sealed, .n = sizeof(sealed)};
    const struct bytes empty = {.p = sealed, .n = SECRET_SEAL_BYTES - 1};
    assert_false(secret_unseal(other, whole, text));
    assert_false(secret_unseal(key, empty, text));
    assert_true(secret_unseal(key, whole, text));
    assert_memory_equal(text, "hello", 5);
    for (size_t i = 0; i < sizeof(sealed); i++) {
        sealed[i] ^= 1;
        assert_false(secret_unseal(key, whole, text));
        sealed[i] ^= 1;
    }
}

#define UNIT_WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_new, folder_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(only_the_same_bytes_are_equal),
        UNIT(an_unset_secret_equals_nothing),
        UNIT(long_secrets_keep_all_their_bytes),
        UNIT(bytes_are_compared_over_their_whole_length),
        UNIT_WITH_ARENA(a_given_text_is_the_wanted_one_or_not),
        UNIT_WITH_ARENA(tokens_are_url_safe_and_differ),
        UNIT_WITH_ARENA(base64url_goes_there_and_back),
        UNIT(what_is_no_base64url_is_refused),
        UNIT(digests_are_blake2b_and_depend_on_the_key),
        UNIT(wiped_bytes_are_zero),
        UNIT(only_the_key_opens_what_it_sealed),
        UNIT_WITH_FOLDER(a_file_without_its_line_end_is_the_secret),
        UNIT_WITH_FOLDER(a_file_without_a_good_secret_is_refused),
        UNIT_WITH_FOLDER(a_file_may_have_so_many_bytes_and_no_more),
        UNIT_WITH_FOLDER(a_missing_file_is_told_from_an_unreadable_one),
        UNIT_WITH_FOLDER(a_written_secret_is_private_and_read_back),
        UNIT_WITH_FOLDER(an_existing_file_is_never_written_over),
        UNIT_WITH_FOLDER(a_link_is_never_written_through),
        UNIT_WITH_FOLDER(a_folder_that_is_not_there_can_not_be_written_to),
    };
    return cmocka_run_group_tests_name("secret", tests, start, NULL);
}
