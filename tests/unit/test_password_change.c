/* SPDX-License-Identifier: MIT
 *
 * Somebody changes the own password, on a real SQLite file; and with a database that fails at every
 * one of its calls in turn. */
#include "users_bench.h"

#include "auth/password_change.h"
#include "user/account_access.h"

#define MIN_CHARS 15
#define NEW       "quite another one"

static struct password_change_result
change(struct bench *bench, const char *username, const char *old, const char *new)
{
    const struct password_change request = {
        .login_try = {.username = username, .password = old, .client = "c"}, .new_password = new};
    const struct login_rules rules = rules_of(bench);
    struct password_change_result result = {0};
    assert_int_equal(password_change(&bench->ctx, &rules, MIN_CHARS, &request, &result), ERR_OK);
    return result;
}

static void a_change_gives_the_stored_spelling_and_the_new_generation(void **state)
{
    struct bench *bench = *state;
    struct user made = create(bench, "Me", "secret");
    struct password_change_result result = change(bench, "mE", "secret", NEW);
    assert_int_equal(result.fault, PASSWORD_FINE);
    assert_int_equal(result.login.verdict, LOGIN_RIGHT);
    assert_string_equal(result.login.username, "Me");
    assert_string_not_equal(result.login.generation, made.generation);
    assert_string_equal(find(bench, "me").generation, result.login.generation);
    assert_int_equal(verdict(bench, "me", "secret", "c"), LOGIN_WRONG);
    assert_int_equal(verdict(bench, "me", NEW, "c"), LOGIN_RIGHT);
}

static void a_new_password_that_breaks_a_rule_is_no_try(void **state)
{
    struct bench *bench = *state;
    (void)create(bench, "me", "secret");
    for (int i = 0; i < 10; i++)
        assert_int_equal(change(bench, "me", "wrong", "short").fault, PASSWORD_TOO_SHORT);
    assert_int_equal(change(bench, "me", "secret", "me-me-me-me-me-me").fault, PASSWORD_IS_NAME);
    struct login_result result = attempt(bench, "me", "secret", "c");
    assert_int_equal(result.verdict, LOGIN_RIGHT);
}

static void a_wrong_old_password_is_counted_until_it_waits(void **state)
{
    struct bench *bench = *state;
    (void)create(bench, "me", "secret");
    (void)create(bench, "off", "secret");
    struct user user = {0};
    bool has_changed = false;
    assert_int_equal(
        account_change_access(&bench->ctx, "off", ACCOUNT_DISABLE, &user, &has_changed), ERR_OK);
    const char *const rows[][2] = {{"me", "wrong"}, {"nobody", "secret"}, {"off", "secret"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        for (int failure = 1; failure <= 4; failure++) {
            struct password_change_result result = change(bench, rows[i][0], rows[i][1], NEW);
            assert_int_equal(result.login.verdict, LOGIN_WRONG);
            assert_true(result.login.is_counted);
        }
        assert_int_equal(change(bench, rows[i][0], rows[i][1], NEW).login.verdict, LOGIN_WAIT);
    }
    assert_int_equal(verdict(bench, "me", "secret", "another"), LOGIN_RIGHT);
}

static void a_weak_hash_is_replaced_and_not_renewed_first(void **state)
{
    struct bench *bench = *state;
    const struct user_draft draft = {.username = GIVEN("me"), .password = BCRYPT};
    struct user user = {0};
    assert_int_equal(account_create(&bench->ctx, &bench->settings, &draft, &user), ERR_OK);
    const struct login_try kept = {
        .username = "me", .password = "U*U", .client = "c", .skips_renewal = true};
    const struct login_rules rules = rules_of(bench);
    struct login_result result = {0};
    assert_int_equal(login_check(&bench->ctx, &rules, &kept, &result), ERR_OK);
    assert_int_equal(result.verdict, LOGIN_RIGHT);
    assert_string_equal(stored_hash(bench, "me"), BCRYPT);
    assert_int_equal(change(bench, "me", "U*U", NEW).login.verdict, LOGIN_RIGHT);
    assert_memory_equal(stored_hash(bench, "me"), "$argon2id$", 10);
}

static enum err run_change(struct ctx *ctx, struct db *db, void *argument)
{
    struct bench *bench = argument;
    const struct password_change request = {
        .login_try = {.username = "me", .password = "secret", .client = "c"}, .new_password = NEW};
    struct password_change_result result = {0};
    const struct login_rules rules = rules_of(bench);
    (void)db;
    return password_change(ctx, &rules, MIN_CHARS, &request, &result);
}

static void hash_is_the_old_one(struct db *real, void *argument)
{
    struct bench *bench = argument;
    struct user_login login = {0};
    bool is_right = false;
    struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    assert_int_equal(user_find_login(&ctx, real, "me", &login), ERR_OK);
    assert_int_equal(password_verify(&ctx, &bench->settings, login.password, "secret", &is_right),
                     ERR_OK);
    assert_true(is_right);
    ctx_done(&ctx);
}

static void every_failure_of_the_database_leaves_the_old_password(void **state)
{
    struct bench *bench = *state;
    (void)create(bench, "me", "secret");
    const struct fake_db_operation operation = {
        .run = run_change, .argument = bench, .check_undone = hash_is_the_old_one};
    assert_in_range(fake_db_torture(bench->ctx.db, bench->fake, &operation), 8, 100);
    assert_int_equal(verdict(bench, "me", NEW, "c"), LOGIN_RIGHT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_BENCH(a_change_gives_the_stored_spelling_and_the_new_generation),
        UNIT_WITH_BENCH(a_new_password_that_breaks_a_rule_is_no_try),
        UNIT_WITH_BENCH(a_wrong_old_password_is_counted_until_it_waits),
        UNIT_WITH_BENCH(a_weak_hash_is_replaced_and_not_renewed_first),
        UNIT_WITH_BENCH(every_failure_of_the_database_leaves_the_old_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
