/* SPDX-License-Identifier: MIT
 *
 * Which stored hash a name without a password is verified against. The keys are fixed, so that the
 * proportions are the same in every run. bcrypt is replaced by a function that counts its calls and
 * calls every password right. */
#include "users_bench.h"

#include "user/account_access.h"

#define NAMES_COUNT 1000
#define USERS_COUNT 20
#define KEY         "0123456789abcdef0123456789abcdef"
#define OTHER_KEY   "fedcba9876543210fedcba9876543210"

static const struct db_statement SET_KEY = {"UPDATE service_values SET value = ?"};
static const struct db_statement DROP_PASSWORDS = {
    "UPDATE users SET password = NULL WHERE id BETWEEN ? AND ?"};
static const struct db_statement DESTROY_RANGE = {"DELETE FROM users WHERE id BETWEEN ? AND ?"};

/* ---- bcrypt ---- */

struct crypt_data;
char *crypt_rn(const char *phrase, const char *setting, struct crypt_data *data, int size_bytes);

static struct {
    size_t calls_count;
    char made[64];
} bcrypt;

char *crypt_rn(const char *phrase, const char *setting, struct crypt_data *data, int size_bytes)
{
    (void)phrase;
    (void)data;
    (void)size_bytes;
    bcrypt.calls_count++;
    (void)snprintf(bcrypt.made, sizeof(bcrypt.made), "%s", setting);
    return bcrypt.made;
}

/* ---- places ---- */

static struct secret key_of(const char *text)
{
    return secret_new(text, strlen(text));
}

static const char *name_of(struct bench *bench, int number)
{
    return arena_format(&bench->ctx.arena, "name%d", number);
}

static void a_name_has_one_place_that_depends_on_the_key(void **state)
{
    struct bench *bench = *state;
    CLEANUP(secret_done) struct secret key = key_of(KEY);
    CLEANUP(secret_done) struct secret other = key_of(OTHER_KEY);
    int moved_count = 0;
    for (int i = 0; i < NAMES_COUNT; i++) {
        const char *name = name_of(bench, i);
        int64_t place = decoy_place(&key, name, 1000);
        assert_in_range(place, 1, 1000);
        assert_int_equal(decoy_place(&key, name, 1000), place);
        assert_int_equal(decoy_place(&key, name, 1), 1);
        moved_count += decoy_place(&other, name, 1000) != place;
    }
    assert_in_range(moved_count, 990, NAMES_COUNT);
}

static void names_are_spread_evenly(void **state)
{
    struct bench *bench = *state;
    CLEANUP(secret_done) struct secret key = key_of(KEY);
    int names_at[11] = {0};
    for (int i = 0; i < NAMES_COUNT; i++)
        names_at[decoy_place(&key, name_of(bench, i), 10)]++;
    for (int place = 1; place <= 10; place++)
        assert_in_range(names_at[place], 70, 130);
}

static void one_place_more_moves_a_few_names_there_and_no_other(void **state)
{
    struct bench *bench = *state;
    CLEANUP(secret_done) struct secret key = key_of(KEY);
    for (int64_t count = 1; count <= 40; count++) {
        int moved_count = 0;
        for (int i = 0; i < NAMES_COUNT; i++) {
            int64_t before = decoy_place(&key, name_of(bench, i), count);
            int64_t after = decoy_place(&key, name_of(bench, i), count + 1);
            moved_count += after != before;
            assert_true(after == before || after == count + 1);
        }
        int64_t expected_count = NAMES_COUNT / (count + 1);
        assert_in_range(moved_count, expected_count / 3, expected_count * 2);
    }
}

static void places_of_very_many_users_are_in_range(void **state)
{
    struct bench *bench = *state;
    CLEANUP(secret_done) struct secret key = key_of(KEY);
    const int64_t counts[] = {INT64_C(1) << 31, (INT64_C(1) << 31) + 1, INT64_C(1) << 53,
                              INT64_MAX};
    for (size_t c = 0; c < ARRAY_COUNT(counts); c++) {
        for (int i = 0; i < NAMES_COUNT; i++) {
            int64_t place = decoy_place(&key, name_of(bench, i), counts[c]);
            assert_true(place >= 1 && place <= counts[c]);
        }
    }
}

/* ---- the key ---- */

static void the_key_is_made_once(void **state)
{
    struct bench *bench = *state;
    CLEANUP(secret_done) struct secret again = {0};
    assert_int_equal(decoy_key(&bench->ctx, bench->ctx.db, &again), ERR_OK);
    assert_int_equal(again.size_bytes, 43);
    assert_string_equal(again.text, bench->decoy_key.text);
}

static void every_database_has_its_own_key(void **state)
{
    struct bench *bench = *state;
    void *other_state = NULL;
    assert_int_equal(bench_new(&other_state), 0);
    const struct bench *other = other_state;
    assert_string_not_equal(other->decoy_key.text, bench->decoy_key.text);
    assert_int_equal(bench_free(&other_state), 0);
}

static void a_spoilt_key_is_refused(void **state)
{
    struct bench *bench = *state;
    struct secret key = {0};
    assert_int_equal(
        db_run(&bench->ctx, bench->ctx.db, &SET_KEY, DB_VALUES(db_text("short")), NULL), ERR_OK);
    assert_int_equal(decoy_key(&bench->ctx, bench->ctx.db, &key), ERR_INTERNAL);
    assert_null(key.text);
}

static enum err run_key(struct ctx *ctx, struct db *db, void *argument)
{
    (void)argument;
    CLEANUP(secret_done) struct secret key = {0};
    return decoy_key(ctx, db, &key);
}

static enum err run_hash(struct ctx *ctx, struct db *db, void *argument)
{
    const struct bench *bench = argument;
    const char *hash = NULL;
    (void)db;
    enum err err = decoy_hash(ctx, &bench->decoy_key, "nobody", &hash);
    assert_true(!err == (hash != NULL));
    return err;
}

static void every_failure_of_the_database_is_an_error(void **state)
{
    struct bench *bench = *state;
    (void)create(bench, "me", "secret");
    const struct fake_db_operation operations[] = {{.run = run_key, .argument = bench},
                                                   {.run = run_hash, .argument = bench}};
    for (size_t i = 0; i < ARRAY_COUNT(operations); i++)
        assert_in_range(fake_db_torture(bench->ctx.db, bench->fake, &operations[i]), 2, 10);
}

/* ---- hashes ---- */

/* Users 1..USERS_COUNT, of which each fourth has bcrypt. */
static void create_mixed_users(struct bench *bench)
{
    for (int i = 1; i <= USERS_COUNT; i++) {
        const char *name = arena_format(&bench->ctx.arena, "user%d", i);
        struct user user = {0};
        const struct user_draft draft = {.username = GIVEN(name),
                                         .password = i % 4 ? "secret" : BCRYPT};
        assert_int_equal(account_create(&bench->ctx, &bench->settings, &draft, &user), ERR_OK);
    }
}

static const char *decoy_of(struct bench *bench, const struct secret *key, const char *name)
{
    const char *hash = NULL;
    assert_int_equal(decoy_hash(&bench->ctx, key, name, &hash), ERR_OK);
    return hash;
}

static int count_bcrypt(struct bench *bench, const struct secret *key)
{
    int bcrypt_count = 0;
    for (int i = 0; i < NAMES_COUNT; i++) {
        const char *hash = decoy_of(bench, key, name_of(bench, i));
        assert_non_null(hash);
        assert_string_equal(decoy_of(bench, key, name_of(bench, i)), hash);
        bcrypt_count += password_is_bcrypt(hash);
    }
    return bcrypt_count;
}

static void kinds_come_in_the_stored_proportion_and_always_the_same(void **state)
{
    struct bench *bench = *state;
    CLEANUP(secret_done) struct secret key = key_of(KEY);
    create_mixed_users(bench);
    assert_in_range(count_bcrypt(bench, &key), 200, 300);
}

static void the_next_user_with_a_password_takes_the_place_of_one_without(void **state)
{
    struct bench *bench = *state;
    CLEANUP(secret_done) struct secret key = key_of(KEY);
    create_mixed_users(bench);
    /* Left: 8 and 9; all places but 9 lead to the 8th, which has bcrypt, some around the end. */
    assert_int_equal(db_run(&bench->ctx, bench->ctx.db, &DROP_PASSWORDS,
                            DB_VALUES(db_i64(10), db_i64(USERS_COUNT)), NULL),
                     ERR_OK);
    assert_int_equal(
        db_run(&bench->ctx, bench->ctx.db, &DESTROY_RANGE, DB_VALUES(db_i64(1), db_i64(7)), NULL),
        ERR_OK);
    assert_in_range(count_bcrypt(bench, &key), 920, 980);
}

static void there_is_none_when_nobody_has_a_password(void **state)
{
    struct bench *bench = *state;
    assert_null(decoy_of(bench, &bench->decoy_key, "nobody"));
    assert_int_equal(verdict(bench, "nobody", "x", ""), LOGIN_WRONG);
    (void)create(bench, "me", "secret");
    assert_non_null(decoy_of(bench, &bench->decoy_key, "nobody"));
    assert_int_equal(
        db_run(&bench->ctx, bench->ctx.db, &DROP_PASSWORDS, DB_VALUES(db_i64(1), db_i64(1)), NULL),
        ERR_OK);
    assert_null(decoy_of(bench, &bench->decoy_key, "nobody"));
    assert_int_equal(verdict(bench, "nobody", "x", ""), LOGIN_WRONG);
}

static void a_name_without_a_password_is_verified_in_vain(void **state)
{
    struct bench *bench = *state;
    const struct user_draft users[] = {
        {.username = GIVEN("me"), .password = BCRYPT},
        {.username = GIVEN("guest"), .provider = GIVEN("twitter")},
    };
    struct user user = {0};
    for (size_t i = 0; i < ARRAY_COUNT(users); i++)
        assert_int_equal(account_create(&bench->ctx, &bench->settings, &users[i], &user), ERR_OK);
    const char *names[] = {"nobody", "guest", "NOBODY"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        bcrypt.calls_count = 0;
        assert_int_equal(verdict(bench, names[i], "U*U", ""), LOGIN_WRONG);
        assert_int_equal(bcrypt.calls_count, 1);
    }
    assert_string_equal(stored_hash(bench, "me"), BCRYPT);
    assert_int_equal(verdict(bench, "me", "U*U", ""), LOGIN_RIGHT);
}

static void a_disabled_user_is_verified_against_its_own_hash_and_is_others_decoy(void **state)
{
    struct bench *bench = *state;
    const struct user_draft draft = {.username = GIVEN("off"), .password = BCRYPT};
    struct user user = {0};
    bool has_changed = false;
    assert_int_equal(account_create(&bench->ctx, &bench->settings, &draft, &user), ERR_OK);
    assert_int_equal(
        account_change_access(&bench->ctx, "off", ACCOUNT_DISABLE, &user, &has_changed), ERR_OK);
    const char *tries[][2] = {{"off", "U*U"}, {"off", "wrong"}, {"nobody", "U*U"}};
    for (size_t i = 0; i < ARRAY_COUNT(tries); i++) {
        bcrypt.calls_count = 0;
        assert_int_equal(verdict(bench, tries[i][0], tries[i][1], ""), LOGIN_WRONG);
        assert_int_equal(bcrypt.calls_count, 1);
    }
    assert_string_equal(stored_hash(bench, "off"), BCRYPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_BENCH(a_name_has_one_place_that_depends_on_the_key),
        UNIT_WITH_BENCH(names_are_spread_evenly),
        UNIT_WITH_BENCH(one_place_more_moves_a_few_names_there_and_no_other),
        UNIT_WITH_BENCH(places_of_very_many_users_are_in_range),
        UNIT_WITH_BENCH(the_key_is_made_once),
        UNIT_WITH_BENCH(every_database_has_its_own_key),
        UNIT_WITH_BENCH(a_spoilt_key_is_refused),
        UNIT_WITH_BENCH(every_failure_of_the_database_is_an_error),
        UNIT_WITH_BENCH(kinds_come_in_the_stored_proportion_and_always_the_same),
        UNIT_WITH_BENCH(the_next_user_with_a_password_takes_the_place_of_one_without),
        UNIT_WITH_BENCH(there_is_none_when_nobody_has_a_password),
        UNIT_WITH_BENCH(a_name_without_a_password_is_verified_in_vain),
        UNIT_WITH_BENCH(a_disabled_user_is_verified_against_its_own_hash_and_is_others_decoy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
