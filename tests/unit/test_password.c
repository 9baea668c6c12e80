/* SPDX-License-Identifier: MIT
 *
 * Hashes of passwords, and API keys. Costs are the smallest, so that many hashes are quick; fixed
 * hashes come from other implementations of bcrypt. */
#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/api_keys.h"
#include "auth/password.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "temp_folder.h"

#define BUDGET_MS 60000
#define TAIL      "abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234"

struct bench {
    struct ctx ctx;
    struct password_settings settings;
};

static int bench_new(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    if (!bench || !secret_start())
        return -1;
    ctx_init(&bench->ctx, NULL, BUDGET_MS);
    password_settings_init(&bench->settings, 8, 1);
    *state = bench;
    return 0;
}

static int bench_free(void **state)
{
    struct bench *bench = *state;
    ctx_done(&bench->ctx);
    free(bench);
    return 0;
}

static bool is_right(struct bench *bench, const char *stored, const char *typed)
{
    bool right = false;
    assert_int_equal(password_verify(&bench->ctx, &bench->settings, stored, typed, &right), ERR_OK);
    return right;
}

static void a_hash_is_argon2id_with_the_costs_of_the_settings_and_verifies(void **state)
{
    struct bench *bench = *state;
    const char *hash = NULL;
    const char *other = NULL;
    assert_int_equal(password_hash(&bench->ctx, &bench->settings, "pässword", &hash), ERR_OK);
    assert_int_equal(password_hash(&bench->ctx, &bench->settings, "pässword", &other), ERR_OK);
    assert_memory_equal(hash, "$argon2id$v=19$m=8,t=1,p=1$", 27);
    assert_string_not_equal(hash, other);
    assert_true(is_right(bench, hash, "pässword"));
    assert_false(is_right(bench, hash, "passwort"));
    assert_false(is_right(bench, hash, ""));
}

static void what_looks_like_bcrypt_is_2_a_letter_and_a_dollar(void **state)
{
    (void)state;
    const char *hashed[] = {"$2a$", "$2b$10$x", "$2x$", "$2Z$..."};
    const char *plain[] = {"",     "$",   "$2",    "$2a",        "$2$10$",
                           "$21$", "2a$", "$1$a$", "$argon2id$", "$2é$"};
    for (size_t i = 0; i < ARRAY_COUNT(hashed); i++)
        assert_true(password_looks_hashed(hashed[i]));
    for (size_t i = 0; i < ARRAY_COUNT(plain); i++)
        assert_false(password_looks_hashed(plain[i]));
}

static void only_whole_bcrypt_of_cost_4_to_12_is_bcrypt(void **state)
{
    (void)state;
    const char *good[] = {"$2a$04$" TAIL, "$2b$12$" TAIL, "$2y$10$" TAIL};
    const char *bad[] = {"$2x$10$" TAIL,
                         "$2c$10$" TAIL,
                         "$2b$03$" TAIL,
                         "$2b$13$" TAIL,
                         "$2b$4$" TAIL "a",
                         "$2b$1x$" TAIL,
                         "$2b$x0$" TAIL,
                         "$2b$10$" TAIL "a",
                         "$2b$10",
                         "$2b$100" TAIL,
                         "$2b$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ0123+",
                         "$2b$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ0123 ",
                         ""};
    for (size_t i = 0; i < ARRAY_COUNT(good); i++)
        assert_true(password_is_bcrypt(good[i]));
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        assert_false(password_is_bcrypt(bad[i]));
}

/* Source: the test vectors of crypt_blowfish (public domain), of cost 5, kinds a, b and y where
 * they agree. */
static void bcrypt_of_other_programs_verifies(void **state)
{
    struct bench *bench = *state;
    const struct {
        const char *hash;
        const char *password;
    } rows[] = {
        {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
        {"$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
        {"$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", "U*U*"},
        {"$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", "U*U*U"},
        {"$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e", "\xff\xff\xa3"},
        {"$2a$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e", "\xff\xff\xa3"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        assert_true(password_is_bcrypt(rows[i].hash));
        assert_true(is_right(bench, rows[i].hash, rows[i].password));
        assert_false(is_right(bench, rows[i].hash, "U*U**"));
    }
}

static void bcrypt_sees_72_bytes_of_however_long_a_text(void **state)
{
    struct bench *bench = *state;
    const char *hash = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui";
    const char *start = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    assert_true(is_right(bench, hash, start));
    assert_true(is_right(bench, hash,
                         arena_format(&bench->ctx.arena, "%schars after 72 are ignored", start)));
    assert_true(is_right(bench, hash, arena_format(&bench->ctx.arena, "%s%0950d", start, 0)));
    assert_false(is_right(bench, hash, arena_format(&bench->ctx.arena, "%.71s", start)));
}

static void nothing_matches_no_hash_a_strange_hash_or_an_empty_password(void **state)
{
    struct bench *bench = *state;
    const char *bcrypt_of_nothing = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy";
    assert_true(password_is_bcrypt(bcrypt_of_nothing));
    assert_false(is_right(bench, bcrypt_of_nothing, ""));
    assert_false(is_right(bench, NULL, "x"));
    assert_false(is_right(bench, NULL, ""));
    assert_false(is_right(bench, "plain", "plain"));
    assert_false(is_right(bench, "$argon2id$broken", "x"));
}

static void an_argon2id_that_is_not_wholly_ours_is_never_right(void **state)
{
    struct bench *bench = *state;
    const char *hash = NULL;
    assert_int_equal(password_hash(&bench->ctx, &bench->settings, "x", &hash), ERR_OK);
    assert_true(is_right(bench, hash, "x"));
    static const struct {
        const char *from;
        const char *to;
    } rows[] = {
        {"v=19", "v=16"},  {"m=8,", "m=7,"}, {"m=8,", "m=9,"}, {"m=8,", "m=,"},
        {"t=1,", "t=0,"},  {"t=1,", "t=2,"}, {"p=1$", "p=2$"}, {"p=1$", "p=1$AAAA"},
        {"p=1$", "p=1$$"}, {"p=1$", "p=1"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *at = strstr(hash, rows[i].from);
        assert_non_null(at);
        const char *other = arena_format(&bench->ctx.arena, "%.*s%s%s", (int)(at - hash), hash,
                                         rows[i].to, at + strlen(rows[i].from));
        assert_false(is_right(bench, other, "x"));
    }
    int chars = (int)strlen(hash);
    assert_false(is_right(bench, arena_format(&bench->ctx.arena, "%sA", hash), "x"));
    assert_false(is_right(bench, arena_format(&bench->ctx.arena, "%s$", hash), "x"));
    for (int i = (int)strlen("$argon2id$"); i < chars; i++)
        assert_false(is_right(bench, arena_format(&bench->ctx.arena, "%.*s", i, hash), "x"));
}

static void the_dummy_has_the_costs_of_the_settings_and_differs_each_time(void **state)
{
    struct bench *bench = *state;
    struct password_settings other;
    password_settings_init(&other, 19456, 2);
    assert_memory_equal(other.dummy, "$argon2id$v=19$m=19456,t=2,p=1$", 31);
    assert_memory_equal(bench->settings.dummy, "$argon2id$v=19$m=8,t=1,p=1$", 27);
    password_settings_init(&other, 8, 1);
    assert_string_not_equal(other.dummy, bench->settings.dummy);
    /* It has the shape of a real one, so it is worked through as a real one is. */
    const char *hash = NULL;
    assert_int_equal(password_hash(&bench->ctx, &bench->settings, "x", &hash), ERR_OK);
    assert_int_equal(strlen(other.dummy), strlen(hash));
    for (size_t i = 0; hash[i]; i++)
        assert_int_equal(other.dummy[i] == '$', hash[i] == '$');
}

static void nothing_is_hashed_when_the_time_is_over(void **state)
{
    struct bench *bench = *state;
    const char *hash = "kept";
    bool right = true;
    bench->ctx.deadline_ms = 0;
    assert_int_equal(password_hash(&bench->ctx, &bench->settings, "x", &hash), ERR_UNAVAILABLE);
    assert_int_equal(password_verify(&bench->ctx, &bench->settings, NULL, "x", &right),
                     ERR_UNAVAILABLE);
    assert_string_equal(hash, "kept");
    assert_true(right);
}

static void hashes_of_lower_costs_and_short_bcrypt_passwords_are_weak(void **state)
{
    (void)state;
    struct password_settings settings;
    password_settings_init(&settings, 64, 2);
    char long_password[73];
    memset(long_password, 'x', sizeof(long_password) - 1);
    long_password[72] = '\0';
    assert_true(password_is_weak(&settings, "$2b$12$" TAIL, long_password + 1));
    assert_false(password_is_weak(&settings, "$2b$12$" TAIL, long_password));
    assert_true(password_is_weak(&settings, "$argon2id$v=19$m=63,t=2,p=1$a$b", "x"));
    assert_true(password_is_weak(&settings, "$argon2id$v=19$m=64,t=1,p=1$a$b", "x"));
    assert_false(password_is_weak(&settings, "$argon2id$v=19$m=64,t=2,p=1$a$b", "x"));
    assert_false(password_is_weak(&settings, "$argon2id$v=19$m=1048576,t=9,p=1$a$b", "x"));
    assert_true(password_is_weak(&settings, "$argon2id$v=19$m=,t=2,p=1$a$b", "x"));
    assert_true(password_is_weak(&settings, "$argon2id$v=19$m=99999999999,t=2,p=1$a$b", "x"));
    assert_true(password_is_weak(&settings, "$argon2id$", "x"));
}

/* ---- API keys ---- */

static const char *match(const struct api_keys *keys, const char *credentials)
{
    return api_keys_match(keys,
                          (struct bytes){(const unsigned char *)credentials, strlen(credentials)});
}

static void all_keys_of_the_list_are_valid_and_nothing_else_is(void **state)
{
    struct bench *bench = *state;
    CLEANUP(api_keys_done) struct api_keys keys = {0};
    const char *list = "them:0123456789abcdef,them:fedcba9876543210,a.b_c-1:key:with:colons:in";
    assert_null(api_keys_parse(&bench->ctx.arena, list, &keys));
    assert_int_equal(keys.count, 3);
    assert_string_equal(match(&keys, "them:0123456789abcdef"), "them");
    assert_string_equal(match(&keys, "them:fedcba9876543210"), "them");
    assert_string_equal(match(&keys, "a.b_c-1:key:with:colons:in"), "a.b_c-1");
    const char *wrong[] = {"",
                           ":",
                           "them:",
                           "them:0123456789abcdef0",
                           "THEM:0123456789abcdef",
                           "a.b_c-1:0123456789abcdef",
                           "them"};
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
        assert_null(match(&keys, wrong[i]));
    const struct bytes with_nul = {(const unsigned char *)"them:0123456789abcdef\0", 22};
    assert_null(api_keys_match(&keys, with_nul));
    assert_null(match(&(struct api_keys){0}, "them:0123456789abcdef"));
}

static void a_faulty_list_is_refused_without_showing_a_key(void **state)
{
    struct bench *bench = *state;
    const char *rows[] = {"",
                          ",",
                          "nocolon",
                          ":0123456789abcdef",
                          "a b:0123456789abcdef",
                          "them:",
                          "them:0123456789abcdef,",
                          "them:0123456789abcdef,nocolon",
                          "them:0123456789 abcdef",
                          "them:0123456789abcdef\n",
                          "th/em:0123456789abcdef"};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP(api_keys_done) struct api_keys keys = {0};
        const char *reason = api_keys_parse(&bench->ctx.arena, rows[i], &keys);
        assert_non_null(reason);
        assert_null(strstr(reason, "0123456789"));
    }
}

static void there_may_be_16_keys_of_256_characters_with_names_of_64(void **state)
{
    struct bench *bench = *state;
    CLEANUP(api_keys_done) struct api_keys keys = {0};
    struct arena *arena = &bench->ctx.arena;
    for (size_t i = 0; i < API_KEYS_MAX_COUNT; i++)
        assert_null(api_keys_parse(arena, arena_format(arena, "%064zu:%0256zu", i, i), &keys));
    assert_non_null(api_keys_parse(arena, "one:0123456789abcdef", &keys));
    assert_int_equal(keys.count, API_KEYS_MAX_COUNT);
    CLEANUP(api_keys_done) struct api_keys none = {0};
    assert_non_null(api_keys_parse(arena, arena_format(arena, "%065d:%016d", 0, 0), &none));
    assert_non_null(api_keys_parse(arena, arena_format(arena, "a:%0257d", 0), &none));
    assert_int_equal(none.count, 0);
}

static void a_key_is_made_once_private_and_read_again(void **state)
{
    struct bench *bench = *state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    CLEANUP(api_keys_done) struct api_keys first = {0};
    CLEANUP(api_keys_done) struct api_keys second = {0};
    const char *path = arena_format(&bench->ctx.arena, "%s/userauth.key", folder.path);
    bool is_new = false;
    assert_int_equal(api_keys_from_file(&bench->ctx, path, &first, &is_new), ERR_OK);
    assert_true(is_new);
    assert_int_equal(api_keys_from_file(&bench->ctx, path, &second, &is_new), ERR_OK);
    assert_false(is_new);
    assert_string_equal(first.items[0].name, "them");
    assert_string_equal(first.items[0].credentials.text, second.items[0].credentials.text);
    assert_int_equal(first.items[0].credentials.size_bytes, strlen("them:") + 43);
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
}

static void a_file_without_a_key_is_refused_by_its_name(void **state)
{
    struct bench *bench = *state;
    CLEANUP(temp_folder_done) struct temp_folder folder = temp_folder_new();
    const char *path = arena_format(&bench->ctx.arena, "%s/userauth.key", folder.path);
    const char *contents[] = {"", "\n", "0123456789 abcdef\n"};
    for (size_t i = 0; i < ARRAY_COUNT(contents); i++) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(contents[i], file) >= 0);
        assert_int_equal(fclose(file), 0);
        CLEANUP(api_keys_done) struct api_keys keys = {0};
        bool is_new = false;
        ctx_forgive(&bench->ctx);
        assert_int_equal(api_keys_from_file(&bench->ctx, path, &keys, &is_new), ERR_INVALID);
        assert_non_null(strstr(bench->ctx.why.text, "userauth.key"));
        assert_int_equal(keys.count, 0);
    }
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    struct bench *bench = *state;
    CLEANUP(api_keys_done) struct api_keys keys = {0};
    bool is_new = false;
    assert_int_equal(api_keys_from_file(&bench->ctx, "/nonexistent/userauth.key", &keys, &is_new),
                     ERR_UNAVAILABLE);
}

#define UNIT_WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_new, bench_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_BENCH(a_hash_is_argon2id_with_the_costs_of_the_settings_and_verifies),
        UNIT_WITH_BENCH(what_looks_like_bcrypt_is_2_a_letter_and_a_dollar),
        UNIT_WITH_BENCH(only_whole_bcrypt_of_cost_4_to_12_is_bcrypt),
        UNIT_WITH_BENCH(bcrypt_of_other_programs_verifies),
        UNIT_WITH_BENCH(bcrypt_sees_72_bytes_of_however_long_a_text),
        UNIT_WITH_BENCH(nothing_matches_no_hash_a_strange_hash_or_an_empty_password),
        UNIT_WITH_BENCH(an_argon2id_that_is_not_wholly_ours_is_never_right),
        UNIT_WITH_BENCH(the_dummy_has_the_costs_of_the_settings_and_differs_each_time),
        UNIT_WITH_BENCH(nothing_is_hashed_when_the_time_is_over),
        UNIT_WITH_BENCH(hashes_of_lower_costs_and_short_bcrypt_passwords_are_weak),
        UNIT_WITH_BENCH(all_keys_of_the_list_are_valid_and_nothing_else_is),
        UNIT_WITH_BENCH(a_faulty_list_is_refused_without_showing_a_key),
        UNIT_WITH_BENCH(there_may_be_16_keys_of_256_characters_with_names_of_64),
        UNIT_WITH_BENCH(a_key_is_made_once_private_and_read_again),
        UNIT_WITH_BENCH(a_file_without_a_key_is_refused_by_its_name),
        UNIT_WITH_BENCH(a_folder_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
