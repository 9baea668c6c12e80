/* SPDX-License-Identifier: MIT
 *
 * Users, logins and the throttle on a real SQLite file, and with a database that fails at every one
 * of its calls in turn. */
#include "unit.h"

#include <stdio.h>

#include "auth/login.h"
#include "auth/password.h"
#include "auth/throttle.h"
#include "auth/throttle_store.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "data/db.h"
#include "data/migrate.h"
#include "fake_db.h"
#include "temp_folder.h"
#include "user/accounts.h"
#include "user/user.h"
#include "user/user_store.h"

#define BUDGET_MS 60000
#define BCRYPT    "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW" /* of "U*U" */

#define GIVEN(value)                      \
    {                                     \
        .is_given = true, .text = (value) \
    }

extern const struct migrations userauth_migrations;

static const struct db_statement SET_WAIT = {
    "UPDATE login_throttle SET wait_until_unix_ms = 0 WHERE name_key = ?"};
static const struct db_statement COUNT_ROWS = {"SELECT count(*) FROM login_throttle"};
static const struct db_statement COUNT_USERS = {"SELECT count(*) FROM users"};
static const struct db_statement SET_PASSWORD_OF = {
    "UPDATE users SET password = ? WHERE name_key = ?"};

struct bench {
    struct temp_folder folder;
    struct ctx ctx;
    struct fake_db *fake;
    struct password_settings settings;
};

static int bench_new(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    char url[128];
    int64_t applied_count = 0;
    struct db *db = NULL;
    if (!bench || !secret_start())
        return -1;
    bench->folder = temp_folder_new();
    ctx_init(&bench->ctx, NULL, BUDGET_MS);
    password_settings_init(&bench->settings, 8, 1);
    (void)snprintf(url, sizeof(url), "sqlite:%s/users.sqlite", bench->folder.path);
    assert_int_equal(db_open(&bench->ctx, &(struct db_options){.url = url}, &db), ERR_OK);
    assert_int_equal(migrate_run(&bench->ctx, db, &userauth_migrations, &applied_count), ERR_OK);
    bench->ctx.db = fake_db_new(db, &bench->fake);
    *state = bench;
    return 0;
}

static int bench_free(void **state)
{
    struct bench *bench = *state;
    db_close(bench->ctx.db);
    ctx_done(&bench->ctx);
    temp_folder_done(&bench->folder);
    free(bench);
    return 0;
}

/* ---- small helpers ---- */

static int64_t count(struct bench *bench, const struct db_statement *statement)
{
    CLEANUP(db_rows_done) struct db_rows rows = {0};
    bool has_row = false;
    assert_int_equal(db_query(&bench->ctx, bench->ctx.db, statement, DB_NO_VALUES, &rows), ERR_OK);
    assert_int_equal(db_next(&bench->ctx, &rows, &has_row), ERR_OK);
    assert_true(has_row);
    return db_rows_i64(&rows, 0);
}

static struct user create(struct bench *bench, const char *username, const char *password)
{
    const struct user_draft draft = {
        .username = GIVEN(username), .password = password, .is_plain_only = true};
    struct user user = {0};
    assert_int_equal(account_create(&bench->ctx, &bench->settings, &draft, &user), ERR_OK);
    return user;
}

static struct user find(struct bench *bench, const char *username)
{
    struct user user = {0};
    assert_int_equal(user_find(&bench->ctx, bench->ctx.db, username, &user), ERR_OK);
    return user;
}

static const char *stored_hash(struct bench *bench, const char *username)
{
    struct user_login login = {0};
    assert_int_equal(user_find_login(&bench->ctx, bench->ctx.db, username, &login), ERR_OK);
    return login.password;
}

static struct login_result
attempt(struct bench *bench, const char *username, const char *password, const char *client)
{
    const struct login_try login_try = {
        .username = username, .password = password, .client = client};
    struct login_result result = {0};
    assert_int_equal(login_check(&bench->ctx, &bench->settings, &login_try, &result), ERR_OK);
    return result;
}

static enum login_verdict
verdict(struct bench *bench, const char *username, const char *password, const char *client)
{
    return attempt(bench, username, password, client).verdict;
}

static enum err
update(struct bench *bench, const char *username, struct user_draft draft, struct user *out_user)
{
    ctx_forgive(&bench->ctx);
    return account_update(&bench->ctx, &bench->settings, username, &draft, out_user);
}

/* ---- accounts ---- */

static void a_created_user_is_found_in_any_ascii_case_with_all_members(void **state)
{
    struct bench *bench = *state;
    const struct user_draft draft = {.username = GIVEN("Me"),
                                     .provider = GIVEN("local"),
                                     .family_name = GIVEN("F"),
                                     .given_name = GIVEN("G"),
                                     .middle_name = GIVEN(NULL),
                                     .emails = GIVEN("[\"e\"]"),
                                     .photos = GIVEN("[\"p\"]"),
                                     .password = "secret"};
    struct user made = {0};
    assert_int_equal(account_create(&bench->ctx, &bench->settings, &draft, &made), ERR_OK);
    struct user found = find(bench, "mE");
    assert_string_equal(found.username, "Me");
    assert_string_equal(found.provider, "local");
    assert_string_equal(found.family_name, "F");
    assert_string_equal(found.given_name, "G");
    assert_null(found.middle_name);
    assert_string_equal(found.emails, "[\"e\"]");
    assert_string_equal(found.photos, "[\"p\"]");
    assert_string_equal(found.generation, made.generation);
    assert_memory_equal(stored_hash(bench, "me"), "$argon2id$", 10);
}

static void a_name_is_taken_in_every_ascii_case(void **state)
{
    struct bench *bench = *state;
    (void)create(bench, "Me", "secret");
    const struct user_draft draft = {.username = GIVEN("ME"), .password = "other"};
    struct user user = {.id = 7};
    assert_int_equal(account_create(&bench->ctx, &bench->settings, &draft, &user), ERR_CONFLICT);
    assert_non_null(bench->ctx.why.hint);
    assert_int_equal(user.id, 7);
    assert_int_equal(count(bench, &COUNT_USERS), 1);
}

struct password_row {
    const char *password;
    bool is_plain_only;
    const char *stored_start; /* NULL: refused */
};

static void a_password_is_kept_as_bcrypt_or_hashed_or_refused(void **state)
{
    struct bench *bench = *state;
    char *long_password = arena_take(&bench->ctx.arena, 1026);
    memset(long_password, 'x', 1025);
    const struct password_row rows[] = {
        {BCRYPT, false, BCRYPT},
        {BCRYPT, true, "$argon2id$"},
        {"x", false, "$argon2id$"},
        {"$2$10$x", false, "$argon2id$"},
        {"$2b$10$x", true, "$argon2id$"},
        {long_password + 1, false, "$argon2id$"},
        {"$2b$10$x", false, NULL},
        {"$2x$10$x", false, NULL},
        {"", false, NULL},
        {"", true, NULL},
        {long_password, false, NULL},
        {long_password, true, NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *name = arena_format(&bench->ctx.arena, "user%zu", i);
        const struct user_draft draft = {.username = GIVEN(name),
                                         .password = rows[i].password,
                                         .is_plain_only = rows[i].is_plain_only};
        struct user user = {0};
        ctx_forgive(&bench->ctx);
        enum err err = account_create(&bench->ctx, &bench->settings, &draft, &user);
        if (rows[i].stored_start) {
            assert_int_equal(err, ERR_OK);
            assert_memory_equal(stored_hash(bench, name), rows[i].stored_start,
                                strlen(rows[i].stored_start));
            continue;
        }
        assert_int_equal(err, ERR_INVALID);
        assert_string_equal(bench->ctx.why.field,
                            rows[i].is_plain_only ? "plainPassword" : "password");
        assert_null(strstr(bench->ctx.why.text, "xxxx"));
    }
}

static void find_or_create_makes_once_and_changes_nothing_later(void **state)
{
    struct bench *bench = *state;
    const struct user_draft first = {
        .username = GIVEN("Me"), .given_name = GIVEN("A"), .password = "secret"};
    const struct user_draft second = {.username = GIVEN("me"), .given_name = GIVEN("B")};
    struct user user = {0};
    bool is_new = false;
    assert_int_equal(account_find_or_create(&bench->ctx, &bench->settings, &first, &user, &is_new),
                     ERR_OK);
    assert_true(is_new);
    assert_int_equal(account_find_or_create(&bench->ctx, &bench->settings, &second, &user, &is_new),
                     ERR_OK);
    assert_false(is_new);
    assert_string_equal(user.username, "Me");
    assert_string_equal(user.given_name, "A");
    const struct user_draft nobody = {.given_name = GIVEN("B")};
    const struct user_draft no_password = {.username = GIVEN("you")};
    assert_int_equal(account_find_or_create(&bench->ctx, &bench->settings, &nobody, &user, &is_new),
                     ERR_INVALID);
    ctx_forgive(&bench->ctx);
    assert_int_equal(
        account_find_or_create(&bench->ctx, &bench->settings, &no_password, &user, &is_new),
        ERR_INVALID);
    assert_string_equal(bench->ctx.why.field, "password");
}

static void an_update_keeps_the_generation_unless_the_password_is_new(void **state)
{
    struct bench *bench = *state;
    struct user made = create(bench, "Me", "secret");
    struct user user = {0};
    assert_int_equal(update(bench, "me", (struct user_draft){.family_name = GIVEN("F")}, &user),
                     ERR_OK);
    assert_string_equal(user.family_name, "F");
    assert_string_equal(find(bench, "me").generation, made.generation);
    assert_int_equal(update(bench, "me", (struct user_draft){0}, &user), ERR_OK);
    assert_string_equal(user.family_name, "F");
    assert_int_equal(update(bench, "me", (struct user_draft){.password = "secret"}, &user), ERR_OK);
    assert_string_not_equal(user.generation, made.generation);
    assert_string_equal(find(bench, "me").generation, user.generation);
    assert_int_equal(verdict(bench, "me", "secret", ""), LOGIN_RIGHT);
    assert_int_equal(update(bench, "you", (struct user_draft){.password = "x"}, &user),
                     ERR_NOT_FOUND);
    assert_int_equal(update(bench, "me", (struct user_draft){.username = GIVEN("you")}, &user),
                     ERR_INVALID);
    assert_int_equal(update(bench, "me", (struct user_draft){.provider = GIVEN("")}, &user),
                     ERR_INVALID);
}

static void a_user_that_leaves_local_has_no_password_even_after_coming_back(void **state)
{
    struct bench *bench = *state;
    struct user made = create(bench, "me", "secret");
    struct user user = {0};
    assert_int_equal(update(bench, "me", (struct user_draft){.provider = GIVEN("twitter")}, &user),
                     ERR_OK);
    assert_string_not_equal(user.generation, made.generation);
    assert_null(stored_hash(bench, "me"));
    assert_int_equal(update(bench, "me", (struct user_draft){.password = "new"}, &user),
                     ERR_INVALID);
    assert_int_equal(update(bench, "me", (struct user_draft){.provider = GIVEN("local")}, &user),
                     ERR_OK);
    assert_null(stored_hash(bench, "me"));
    assert_int_equal(verdict(bench, "me", "secret", ""), LOGIN_WRONG);
    assert_int_equal(update(bench, "me", (struct user_draft){.password = "new"}, &user), ERR_OK);
    assert_int_equal(verdict(bench, "me", "new", ""), LOGIN_RIGHT);
}

static void a_hash_in_a_row_of_another_provider_is_never_used(void **state)
{
    struct bench *bench = *state;
    const struct user_draft draft = {.username = GIVEN("me"), .provider = GIVEN("twitter")};
    struct user user = {0};
    assert_int_equal(account_create(&bench->ctx, &bench->settings, &draft, &user), ERR_OK);
    assert_int_equal(db_run(&bench->ctx, bench->ctx.db, &SET_PASSWORD_OF,
                            DB_VALUES(db_text(BCRYPT), db_text("me")), NULL),
                     ERR_OK);
    assert_int_equal(verdict(bench, "me", "U*U", ""), LOGIN_WRONG);
}

static void a_destroyed_user_is_gone_with_what_was_counted_of_it(void **state)
{
    struct bench *bench = *state;
    (void)create(bench, "Me", "secret");
    assert_int_equal(verdict(bench, "me", "secret", "laptop"), LOGIN_RIGHT);
    assert_int_equal(account_destroy(&bench->ctx, "ME"), ERR_OK);
    assert_int_equal(account_destroy(&bench->ctx, "ME"), ERR_NOT_FOUND);
    assert_int_equal(count(bench, &COUNT_USERS), 0);
    assert_int_equal(count(bench, &COUNT_ROWS), 0);
}

static void a_list_is_ordered_by_lower_cased_name_and_comes_in_pages(void **state)
{
    struct bench *bench = *state;
    const char *names[] = {"b", "A", "_", "C", "ä"};
    const char *wanted[] = {"_", "A", "b", "C", "ä"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        (void)create(bench, names[i], "secret");
    struct user_list list = {0};
    const char *after = "";
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
        assert_int_equal(user_list_page(&bench->ctx, bench->ctx.db, after, 1, &list), ERR_OK);
        assert_int_equal(list.count, 1);
        assert_string_equal(list.items[0].username, wanted[i]);
        assert_int_equal(list.has_more, i + 1 < ARRAY_COUNT(wanted));
        after = list.items[0].username;
    }
    assert_int_equal(user_list_page(&bench->ctx, bench->ctx.db, after, 1, &list), ERR_OK);
    assert_int_equal(list.count, 0);
    assert_int_equal(user_list_page(&bench->ctx, bench->ctx.db, "B", 5, &list), ERR_OK);
    assert_int_equal(list.count, 2);
    assert_false(list.has_more);
    assert_int_equal(user_list_page(&bench->ctx, bench->ctx.db, "", 0, &list), ERR_INVALID);
    assert_int_equal(user_list_page(&bench->ctx, bench->ctx.db, "", USER_PAGE_MAX_COUNT + 1, &list),
                     ERR_INVALID);
}

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

static void a_second_success_of_a_client_writes_nothing(void **state)
{
    struct bench *bench = *state;
    (void)create(bench, "me", "secret");
    assert_int_equal(verdict(bench, "me", "secret", "c"), LOGIN_RIGHT);
    fake_db_fail_at(bench->fake, 0);
    assert_int_equal(verdict(bench, "me", "secret", "c"), LOGIN_RIGHT);
    /* Three queries of at most three steps each; a transaction would add five calls and more. */
    assert_in_range(fake_db_calls_count(bench->fake), 3, 9);
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

/* ---- a database that fails ---- */

static enum err run_create(struct ctx *ctx, struct db *db, void *argument)
{
    struct bench *bench = argument;
    const struct user_draft draft = {.username = GIVEN("torn"), .password = BCRYPT};
    struct user user = {0};
    (void)db;
    return account_create(ctx, &bench->settings, &draft, &user);
}

static enum err run_find_or_create(struct ctx *ctx, struct db *db, void *argument)
{
    struct bench *bench = argument;
    const struct user_draft draft = {.username = GIVEN("torn2"), .password = BCRYPT};
    struct user user = {0};
    bool is_new = false;
    (void)db;
    return account_find_or_create(ctx, &bench->settings, &draft, &user, &is_new);
}

static enum err run_update(struct ctx *ctx, struct db *db, void *argument)
{
    struct bench *bench = argument;
    const struct user_draft draft = {.family_name = GIVEN("F"), .password = BCRYPT};
    struct user user = {0};
    (void)db;
    return account_update(ctx, &bench->settings, "torn", &draft, &user);
}

static enum err run_destroy(struct ctx *ctx, struct db *db, void *argument)
{
    (void)db;
    (void)argument;
    return account_destroy(ctx, "torn");
}

static enum err run_login_ok(struct ctx *ctx, struct db *db, void *argument)
{
    struct bench *bench = argument;
    struct login_result result = {0};
    (void)db;
    return login_check(ctx, &bench->settings, &(struct login_try){"steady", "secret", "c"},
                       &result);
}

static enum err run_login_wrong(struct ctx *ctx, struct db *db, void *argument)
{
    struct bench *bench = argument;
    struct login_result result = {0};
    (void)db;
    return login_check(ctx, &bench->settings, &(struct login_try){"steady", "wrong", "d"}, &result);
}

static enum err run_evict(struct ctx *ctx, struct db *db, void *argument)
{
    int64_t removed_count = 0;
    (void)argument;
    return throttle_evict(ctx, db, 0, &removed_count);
}

struct outputs {
    struct user user;
    struct user_list list;
};

static enum err run_reads(struct ctx *ctx, struct db *db, void *argument)
{
    struct outputs *outputs = argument;
    struct user user = {0};
    struct user_list list = {0};
    enum err err = user_find(ctx, db, "steady", &user);
    if (!err)
        err = user_list_page(ctx, db, "", 10, &list);
    if (!err)
        *outputs = (struct outputs){user, list};
    return err;
}

static void no_user_torn(struct db *real, void *argument)
{
    struct user user = {0};
    struct ctx ctx;
    (void)argument;
    ctx_init(&ctx, NULL, BUDGET_MS);
    assert_int_equal(user_find(&ctx, real, "torn", &user), ERR_NOT_FOUND);
    ctx_done(&ctx);
}

static void user_torn_unchanged(struct db *real, void *argument)
{
    struct user user = {0};
    struct ctx ctx;
    (void)argument;
    ctx_init(&ctx, NULL, BUDGET_MS);
    assert_int_equal(user_find(&ctx, real, "torn", &user), ERR_OK);
    assert_null(user.family_name);
    ctx_done(&ctx);
}

static void user_torn_still_there(struct db *real, void *argument)
{
    struct user user = {0};
    struct ctx ctx;
    (void)argument;
    ctx_init(&ctx, NULL, BUDGET_MS);
    assert_int_equal(user_find(&ctx, real, "torn", &user), ERR_OK);
    assert_string_equal(user.family_name, "F");
    ctx_done(&ctx);
}

static void every_failure_of_the_database_is_an_error_and_changes_nothing(void **state)
{
    struct bench *bench = *state;
    struct outputs outputs;
    (void)create(bench, "steady", "secret");
    const struct fake_db_operation operations[] = {
        {.run = run_create, .argument = bench, .check_undone = no_user_torn},
        {.run = run_find_or_create, .argument = bench},
        {.run = run_update, .argument = bench, .check_undone = user_torn_unchanged},
        {.run = run_login_ok, .argument = bench},
        {.run = run_login_wrong, .argument = bench},
        {.run = run_destroy, .argument = bench, .check_undone = user_torn_still_there},
        {.run = run_evict, .argument = bench},
        {.run = run_reads,
         .argument = &outputs,
         .outputs = &outputs,
         .outputs_size_bytes = sizeof(outputs)},
    };
    for (size_t i = 0; i < ARRAY_COUNT(operations); i++)
        assert_in_range(fake_db_torture(bench->ctx.db, bench->fake, &operations[i]), 2, 100);
}

#define UNIT_WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_new, bench_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_BENCH(a_created_user_is_found_in_any_ascii_case_with_all_members),
        UNIT_WITH_BENCH(a_name_is_taken_in_every_ascii_case),
        UNIT_WITH_BENCH(a_password_is_kept_as_bcrypt_or_hashed_or_refused),
        UNIT_WITH_BENCH(find_or_create_makes_once_and_changes_nothing_later),
        UNIT_WITH_BENCH(an_update_keeps_the_generation_unless_the_password_is_new),
        UNIT_WITH_BENCH(a_user_that_leaves_local_has_no_password_even_after_coming_back),
        UNIT_WITH_BENCH(a_hash_in_a_row_of_another_provider_is_never_used),
        UNIT_WITH_BENCH(a_destroyed_user_is_gone_with_what_was_counted_of_it),
        UNIT_WITH_BENCH(a_list_is_ordered_by_lower_cased_name_and_comes_in_pages),
        UNIT_WITH_BENCH(a_right_password_is_answered_with_spelling_and_generation),
        UNIT_WITH_BENCH(the_fifth_failure_waits_for_known_and_unknown_names_alike),
        UNIT_WITH_BENCH(while_waiting_nothing_is_looked_at_and_nothing_counted),
        UNIT_WITH_BENCH(a_new_password_lifts_every_wait_of_the_name_only),
        UNIT_WITH_BENCH(a_closed_name_hears_only_clients_that_have_succeeded),
        UNIT_WITH_BENCH(a_second_success_of_a_client_writes_nothing),
        UNIT_WITH_BENCH(bcrypt_is_renewed_at_the_first_success),
        UNIT_WITH_BENCH(a_hash_is_renewed_only_where_it_still_is_the_verified_one),
        UNIT_WITH_BENCH(a_failed_renewal_does_not_spoil_the_login),
        UNIT_WITH_BENCH(rows_come_back_as_they_were_saved),
        UNIT_WITH_BENCH(the_oldest_strangers_make_room_first_then_the_oldest_known),
        UNIT_WITH_BENCH(one_eviction_takes_a_bounded_number_of_rows),
        UNIT_WITH_BENCH(every_failure_of_the_database_is_an_error_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
