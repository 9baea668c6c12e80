/* SPDX-License-Identifier: MIT
 *
 * Password checks and the throttle on a real SQLite file. */
#include "users_bench.h"

#include "base/clock.h"
#include "user/account_access.h"

static const struct db_statement SET_WAIT = {
    "UPDATE login_throttle SET wait_until_unix_ms = 0 WHERE name_key = ?"};
static const struct db_statement COUNT_ROWS = {"SELECT count(*) FROM login_throttle"};
static const struct db_statement SET_PASSWORD_OF = {
    "UPDATE users SET password = ? WHERE name_key = ?"};

/* ---- logins ---- */

static void a_right_password_is_answered_with_spelling_and_generation(void **state)
{
    struct bench *bench = *state;
    struct user made = create(bench, "Me", "secret");
    struct login_result result = attempt(bench, "mE", "secret", "");
    assert_int_equal(result.verdict, LOGIN_RIGHT);
    assert_string_equal(result.username, "Me");
    assert_string_equal(result.generation, made.generation);
    assert_int_equal(verdict(bench, "me", "secret ", ""), LOGIN_WRONG);
    assert_int_equal(verdict(bench, "me", "", ""), LOGIN_WRONG);
}

static void the_fifth_failure_waits_for_known_and_unknown_names_alike(void **state)
{
    struct bench *bench = *state;
    (void)create(bench, "known", "secret");
    const char *names[] = {"known", "UNKNOWN"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        for (int failure = 1; failure <= 4; failure++)
            assert_int_equal(verdict(bench, names[i], "wrong", "c"), LOGIN_WRONG);
        struct login_result result = attempt(bench, names[i], "wrong", "c");
        assert_int_equal(result.verdict, LOGIN_WAIT);
        assert_true(result.is_counted);
        assert_int_equal(result.wait_s, 1);
        assert_int_equal(verdict(bench, names[i], "wrong", "another"), LOGIN_WRONG);
    }
}

static void while_waiting_nothing_is_looked_at_and_nothing_counted(void **state)
{
    struct bench *bench = *state;
    (void)create(bench, "me", "secret");
    const struct throttle_key key = {.name_key = "me", .client = "c"};
    const struct throttle waiting = {.client = {.failures = 12,
                                                .wait_until_unix_ms = clock_unix_ms() + 128000,
                                                .used_unix_ms = clock_unix_ms()},
                                     .total = {.failures = 12, .used_unix_ms = clock_unix_ms()}};
    assert_int_equal(throttle_save(&bench->ctx, bench->ctx.db, &key, &waiting), ERR_OK);
    struct login_result result = attempt(bench, "ME", "secret", "c");
    assert_int_equal(result.verdict, LOGIN_WAIT);
    assert_false(result.is_counted);
    assert_true(result.wait_s > 0 && result.wait_s <= 128);
    struct throttle after = {0};
    assert_int_equal(throttle_load(&bench->ctx, bench->ctx.db, &key, &after), ERR_OK);
    assert_int_equal(after.client.failures, 12);
    assert_int_equal(after.total.failures, 12);
    assert_int_equal(db_run(&bench->ctx, bench->ctx.db, &SET_WAIT, DB_VALUES(db_text("me")), NULL),
                     ERR_OK);
    assert_int_equal(verdict(bench, "ME", "secret", "c"), LOGIN_RIGHT);
}

static void a_new_password_lifts_every_wait_of_the_name_only(void **state)
{
    struct bench *bench = *state;
    struct user user = {0};
    const struct throttle closed = {
        .client = {.failures = 9, .wait_until_unix_ms = clock_unix_ms() + 100000},
        .total = {.failures = 100, .used_unix_ms = clock_unix_ms()}};
    (void)create(bench, "me", "secret");
    const struct throttle_key mine = {.name_key = "me", .client = "c"};
    const struct throttle_key other = {.name_key = "you", .client = "c"};
    assert_int_equal(throttle_save(&bench->ctx, bench->ctx.db, &mine, &closed), ERR_OK);
    assert_int_equal(throttle_save(&bench->ctx, bench->ctx.db, &other, &closed), ERR_OK);
    assert_int_equal(update(bench, "me", (struct user_draft){.family_name = GIVEN("F")}, &user),
                     ERR_OK);
    assert_int_equal(verdict(bench, "me", "secret", "c"), LOGIN_WAIT);
    assert_int_equal(update(bench, "me", (struct user_draft){.password = "new"}, &user), ERR_OK);
    assert_int_equal(verdict(bench, "me", "new", "c"), LOGIN_RIGHT);
    assert_int_equal(verdict(bench, "you", "x", "c"), LOGIN_WAIT);
}

static void a_closed_name_hears_only_clients_that_have_succeeded(void **state)
{
    struct bench *bench = *state;
    (void)create(bench, "me", "secret");
    assert_int_equal(verdict(bench, "me", "secret", "laptop"), LOGIN_RIGHT);
    const struct throttle_key bot = {.name_key = "me", .client = "bot"};
    const struct throttle closed = {.client = {.failures = 1},
                                    .total = {.failures = 100, .used_unix_ms = clock_unix_ms()}};
    assert_int_equal(throttle_save(&bench->ctx, bench->ctx.db, &bot, &closed), ERR_OK);
    assert_int_equal(attempt(bench, "me", "secret", "stranger").wait_s, THROTTLE_WAIT_MAX_S);
    assert_int_equal(attempt(bench, "me", "secret", "").wait_s, THROTTLE_WAIT_MAX_S);
    assert_int_equal(verdict(bench, "me", "secret", "laptop"), LOGIN_RIGHT);
    assert_int_equal(verdict(bench, "me", "secret", "stranger"), LOGIN_RIGHT);
}

/* Closes a name as 100 wrong tries by other clients do. */
static void close_name(struct bench *bench, const char *name_key)
{
    const struct throttle_key bot = {.name_key = name_key, .client = "bot"};
    const struct throttle closed = {.client = {.failures = 1},
                                    .total = {.failures = 100, .used_unix_ms = clock_unix_ms()}};
    assert_int_equal(throttle_save(&bench->ctx, bench->ctx.db, &bot, &closed), ERR_OK);
}

static void a_closed_name_hears_a_device_at_its_first_login_and_is_open_then(void **state)
{
    struct bench *bench = *state;
    (void)create(bench, "me", "secret");
    close_name(bench, "me");
    assert_int_equal(verdict(bench, "me", "secret", "device:"), LOGIN_WAIT);
    assert_int_equal(verdict(bench, "me", "secret", "address:1"), LOGIN_WAIT);
    assert_int_equal(verdict(bench, "me", "wrong", "device:a"), LOGIN_WRONG);
    assert_int_equal(verdict(bench, "me", "secret", "address:1"), LOGIN_WAIT);
    assert_int_equal(verdict(bench, "me", "secret", "device:b"), LOGIN_RIGHT);
    assert_int_equal(verdict(bench, "me", "secret", "address:1"), LOGIN_RIGHT);
}

static void a_device_waits_from_its_own_fifth_failure_on(void **state)
{
    struct bench *bench = *state;
    (void)create(bench, "me", "secret");
    close_name(bench, "me");
    for (int failure = 1; failure <= 4; failure++)
        assert_int_equal(verdict(bench, "me", "wrong", "device:a"), LOGIN_WRONG);
    struct login_result result = attempt(bench, "me", "wrong", "device:a");
    assert_int_equal(result.verdict, LOGIN_WAIT);
    assert_true(result.is_counted);
    assert_int_equal(result.wait_s, 1);
    assert_int_equal(verdict(bench, "me", "wrong", "device:b"), LOGIN_WRONG);
}

/* ---- names without a password of their own ---- */

static void create_without_password(struct bench *bench, const char *username)
{
    const struct user_draft draft = {.username = GIVEN(username), .provider = GIVEN("twitter")};
    struct user user = {0};
    assert_int_equal(account_create(&bench->ctx, &bench->settings, &draft, &user), ERR_OK);
}

static void the_password_of_the_user_whose_hash_is_verified_is_wrong(void **state)
{
    struct bench *bench = *state;
    const char *hash = NULL;
    (void)create(bench, "me", "secret");
    create_without_password(bench, "guest");
    const char *names[] = {"nobody", "guest"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        assert_int_equal(decoy_hash(&bench->ctx, &bench->decoy_key, names[i], &hash), ERR_OK);
        assert_string_equal(hash, stored_hash(bench, "me"));
        assert_int_equal(verdict(bench, names[i], "secret", ""), LOGIN_WRONG);
    }
    assert_int_equal(verdict(bench, "me", "secret", ""), LOGIN_RIGHT);
}

static void create_disabled(struct bench *bench, const char *username)
{
    struct user user = {0};
    bool has_changed = false;
    (void)create(bench, username, "secret");
    assert_int_equal(
        account_change_access(&bench->ctx, username, ACCOUNT_DISABLE, &user, &has_changed), ERR_OK);
}

static size_t calls_of_failure(struct bench *bench,
                               const char *username,
                               const char *password,
                               const char *client)
{
    fake_db_fail_at(bench->fake, 0);
    assert_int_equal(verdict(bench, username, password, client), LOGIN_WRONG);
    return fake_db_calls_count(bench->fake);
}

static void a_failure_makes_the_same_calls_for_every_name(void **state)
{
    struct bench *bench = *state;
    (void)create(bench, "me", "secret");
    assert_int_equal(
        account_create(&bench->ctx, &bench->settings,
                       &(struct user_draft){.username = GIVEN("old"), .password = BCRYPT},
                       &(struct user){0}),
        ERR_OK);
    create_without_password(bench, "guest");
    (void)create(bench, "you", "secret");
    create_disabled(bench, "off");
    create_disabled(bench, "off2");
    const char *tries[][2] = {{"old", "wrong"},     {"guest", "wrong"}, {"nobody", "wrong"},
                              {"nobody2", "wrong"}, {"off", "wrong"},   {"off2", "secret"}};
    for (int failure = 1; failure <= 4; failure++) {
        size_t calls_count = calls_of_failure(bench, "me", "wrong", "c");
        for (size_t i = 0; i < ARRAY_COUNT(tries); i++)
            assert_int_equal(calls_of_failure(bench, tries[i][0], tries[i][1], "c"), calls_count);
    }
}

/* ---- after a success ---- */

static void a_second_success_of_a_client_writes_nothing(void **state)
{
    struct bench *bench = *state;
    (void)create(bench, "me", "secret");
    assert_int_equal(verdict(bench, "me", "secret", "c"), LOGIN_RIGHT);
    fake_db_fail_at(bench->fake, 0);
    assert_int_equal(verdict(bench, "me", "secret", "c"), LOGIN_RIGHT);
    /* Five queries of at most three steps each, as at a failure, without its transaction: begin,
     * load, two writes and commit. */
    assert_in_range(fake_db_calls_count(bench->fake), 5, 13);
}

static void bcrypt_is_renewed_at_the_first_success(void **state)
{
    struct bench *bench = *state;
    const struct user_draft draft = {.username = GIVEN("me"), .password = BCRYPT};
    struct user made = {0};
    assert_int_equal(account_create(&bench->ctx, &bench->settings, &draft, &made), ERR_OK);
    assert_int_equal(verdict(bench, "me", "U*U*", ""), LOGIN_WRONG);
    assert_string_equal(stored_hash(bench, "me"), BCRYPT);
    assert_int_equal(verdict(bench, "me", "U*U", ""), LOGIN_RIGHT);
    assert_memory_equal(stored_hash(bench, "me"), "$argon2id$v=19$m=8,t=1,p=1$", 27);
    assert_int_equal(verdict(bench, "me", "U*U", ""), LOGIN_RIGHT);
    assert_string_equal(find(bench, "me").generation, made.generation);
}

static void a_hash_is_renewed_only_where_it_still_is_the_verified_one(void **state)
{
    struct bench *bench = *state;
    struct user_login login = {0};
    (void)create(bench, "me", "secret");
    assert_int_equal(user_find_login(&bench->ctx, bench->ctx.db, "me", &login), ERR_OK);
    struct user user = {0};
    assert_int_equal(update(bench, "me", (struct user_draft){.password = "new"}, &user), ERR_OK);
    const char *newest = stored_hash(bench, "me");
    assert_int_equal(user_renew_hash(&bench->ctx, bench->ctx.db, &login, "stale"), ERR_OK);
    assert_string_equal(stored_hash(bench, "me"), newest);
    login.password = newest;
    assert_int_equal(user_renew_hash(&bench->ctx, bench->ctx.db, &login, "fresh"), ERR_OK);
    assert_string_equal(stored_hash(bench, "me"), "fresh");
}

/* A login whose weak hash can't be renewed is a login all the same. */
static void a_failed_renewal_does_not_spoil_the_login(void **state)
{
    struct bench *bench = *state;
    const struct user_draft draft = {.username = GIVEN("me"), .password = BCRYPT};
    struct user made = {0};
    assert_int_equal(account_create(&bench->ctx, &bench->settings, &draft, &made), ERR_OK);
    fake_db_fail_at(bench->fake, 0);
    assert_int_equal(verdict(bench, "me", "U*U", ""), LOGIN_RIGHT);
    size_t calls_count = fake_db_calls_count(bench->fake);
    assert_int_equal(db_run(&bench->ctx, bench->ctx.db, &SET_PASSWORD_OF,
                            DB_VALUES(db_text(BCRYPT), db_text("me")), NULL),
                     ERR_OK);
    assert_int_equal(throttle_drop(&bench->ctx, bench->ctx.db, "me"), ERR_OK);
    fake_db_fail_at(bench->fake, calls_count); /* the renewal is the last one */
    assert_int_equal(verdict(bench, "me", "U*U", ""), LOGIN_RIGHT);
    fake_db_fail_at(bench->fake, 0);
    assert_string_equal(stored_hash(bench, "me"), BCRYPT);
    assert_string_equal(bench->ctx.why.text, "");
}

/* ---- the throttle's table ---- */

static void
save_row(struct bench *bench, const char *client, bool has_succeeded, int64_t used_unix_ms)
{
    const struct throttle_key key = {.name_key = "me", .client = client};
    const struct throttle throttle = {.client = {.failures = !has_succeeded,
                                                 .has_succeeded = has_succeeded,
                                                 .used_unix_ms = used_unix_ms}};
    assert_int_equal(throttle_save(&bench->ctx, bench->ctx.db, &key, &throttle), ERR_OK);
}

static bool has_row(struct bench *bench, const char *client)
{
    const struct throttle_key key = {.name_key = "me", .client = client};
    struct throttle throttle = {0};
    assert_int_equal(throttle_load(&bench->ctx, bench->ctx.db, &key, &throttle), ERR_OK);
    return throttle.client.used_unix_ms != 0;
}

static void rows_come_back_as_they_were_saved(void **state)
{
    struct bench *bench = *state;
    const struct throttle_key key = {.name_key = "me", .client = "c"};
    const struct throttle saved = {.client = {.failures = 5,
                                              .wait_until_unix_ms = 123,
                                              .has_succeeded = true,
                                              .used_unix_ms = 456},
                                   .total = {.failures = 7, .used_unix_ms = 789}};
    struct throttle loaded = {.client = {.failures = 99}};
    assert_int_equal(throttle_load(&bench->ctx, bench->ctx.db, &key, &loaded), ERR_OK);
    assert_int_equal(loaded.client.failures, 0);
    assert_int_equal(throttle_save(&bench->ctx, bench->ctx.db, &key, &saved), ERR_OK);
    assert_int_equal(throttle_load(&bench->ctx, bench->ctx.db, &key, &loaded), ERR_OK);
    assert_int_equal(loaded.client.failures, 5);
    assert_int_equal(loaded.client.wait_until_unix_ms, 123);
    assert_true(loaded.client.has_succeeded);
    assert_int_equal(loaded.client.used_unix_ms, 456);
    assert_int_equal(loaded.total.failures, 7);
    assert_int_equal(loaded.total.used_unix_ms, 789);
    const struct throttle_key nobody = {.name_key = "me", .client = ""};
    assert_int_equal(throttle_load(&bench->ctx, bench->ctx.db, &nobody, &loaded), ERR_OK);
    assert_int_equal(loaded.client.failures, 0);
    assert_int_equal(loaded.total.failures, 7);
}

static void the_oldest_strangers_make_room_first_then_the_oldest_known(void **state)
{
    struct bench *bench = *state;
    int64_t removed_count = -1;
    save_row(bench, "known-old", true, 1);
    save_row(bench, "known-new", true, 2);
    save_row(bench, "stranger-old", false, 3);
    save_row(bench, "stranger-new", false, 4);
    assert_int_equal(throttle_evict(&bench->ctx, bench->ctx.db, 4, &removed_count), ERR_OK);
    assert_int_equal(removed_count, 0);
    assert_int_equal(throttle_evict(&bench->ctx, bench->ctx.db, 3, &removed_count), ERR_OK);
    assert_int_equal(removed_count, 1);
    assert_false(has_row(bench, "stranger-old"));
    assert_true(has_row(bench, "stranger-new"));
    assert_int_equal(throttle_evict(&bench->ctx, bench->ctx.db, 1, &removed_count), ERR_OK);
    assert_int_equal(removed_count, 2);
    assert_false(has_row(bench, "known-old"));
    assert_true(has_row(bench, "known-new"));
}

static void one_eviction_takes_a_bounded_number_of_rows(void **state)
{
    struct bench *bench = *state;
    int64_t removed_count = 0;
    CLEANUP(db_transaction_done) struct db_transaction tx = {0};
    assert_int_equal(db_begin(&bench->ctx, bench->ctx.db, &tx), ERR_OK);
    for (int i = 1; i <= THROTTLE_EVICT_MAX_COUNT + 10; i++)
        save_row(bench, arena_format(&bench->ctx.arena, "c%d", i), false, i);
    assert_int_equal(db_commit(&bench->ctx, &tx), ERR_OK);
    assert_int_equal(throttle_evict(&bench->ctx, bench->ctx.db, 0, &removed_count), ERR_OK);
    assert_int_equal(removed_count, THROTTLE_EVICT_MAX_COUNT);
    assert_int_equal(count(bench, &COUNT_ROWS), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_BENCH(a_right_password_is_answered_with_spelling_and_generation),
        UNIT_WITH_BENCH(the_fifth_failure_waits_for_known_and_unknown_names_alike),
        UNIT_WITH_BENCH(while_waiting_nothing_is_looked_at_and_nothing_counted),
        UNIT_WITH_BENCH(a_new_password_lifts_every_wait_of_the_name_only),
        UNIT_WITH_BENCH(a_closed_name_hears_only_clients_that_have_succeeded),
        UNIT_WITH_BENCH(a_closed_name_hears_a_device_at_its_first_login_and_is_open_then),
        UNIT_WITH_BENCH(a_device_waits_from_its_own_fifth_failure_on),
        UNIT_WITH_BENCH(the_password_of_the_user_whose_hash_is_verified_is_wrong),
        UNIT_WITH_BENCH(a_failure_makes_the_same_calls_for_every_name),
        UNIT_WITH_BENCH(a_second_success_of_a_client_writes_nothing),
        UNIT_WITH_BENCH(bcrypt_is_renewed_at_the_first_success),
        UNIT_WITH_BENCH(a_hash_is_renewed_only_where_it_still_is_the_verified_one),
        UNIT_WITH_BENCH(a_failed_renewal_does_not_spoil_the_login),
        UNIT_WITH_BENCH(rows_come_back_as_they_were_saved),
        UNIT_WITH_BENCH(the_oldest_strangers_make_room_first_then_the_oldest_known),
        UNIT_WITH_BENCH(one_eviction_takes_a_bounded_number_of_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
