/* SPDX-License-Identifier: MIT
 *
 * Users on a real SQLite file: made, changed, disabled, listed, destroyed; and with a database that
 * fails at every one of its calls in turn. */
#include "users_bench.h"

#include "user/account_access.h"

static const struct db_statement COUNT_ROWS = {"SELECT count(*) FROM login_throttle"};
static const struct db_statement COUNT_USERS = {"SELECT count(*) FROM users"};
static const struct db_statement SET_PASSWORD_OF = {
    "UPDATE users SET password = ? WHERE name_key = ?"};

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

/* ---- who may sign in ---- */

static struct user
change_access(struct bench *bench, const char *username, enum account_access access, bool wanted)
{
    struct user user = {0};
    bool has_changed = !wanted;
    assert_int_equal(account_change_access(&bench->ctx, username, access, &user, &has_changed),
                     ERR_OK);
    assert_int_equal(has_changed, wanted);
    return user;
}

static void a_disabled_user_is_wrong_with_every_password_until_it_is_enabled(void **state)
{
    struct bench *bench = *state;
    struct user made = create(bench, "Me", "secret");
    struct user disabled = change_access(bench, "mE", ACCOUNT_DISABLE, true);
    assert_true(disabled.is_disabled);
    assert_string_equal(disabled.provider, "local");
    assert_string_not_equal(disabled.generation, made.generation);
    assert_true(find(bench, "me").is_disabled);
    assert_string_equal(find(bench, "me").generation, disabled.generation);
    struct login_result result = attempt(bench, "me", "secret", "c");
    assert_int_equal(result.verdict, LOGIN_WRONG);
    assert_true(result.is_counted);
    assert_memory_equal(stored_hash(bench, "me"), "$argon2id$", 10);
    struct user enabled = change_access(bench, "me", ACCOUNT_ENABLE, true);
    assert_false(enabled.is_disabled);
    assert_string_not_equal(enabled.generation, disabled.generation);
    assert_string_not_equal(enabled.generation, made.generation);
    assert_int_equal(verdict(bench, "me", "secret", "c"), LOGIN_RIGHT);
}

static void what_is_so_already_keeps_the_generation(void **state)
{
    struct bench *bench = *state;
    struct user made = create(bench, "me", "secret");
    assert_string_equal(change_access(bench, "me", ACCOUNT_ENABLE, false).generation,
                        made.generation);
    struct user disabled = change_access(bench, "me", ACCOUNT_DISABLE, true);
    assert_string_equal(change_access(bench, "me", ACCOUNT_DISABLE, false).generation,
                        disabled.generation);
    struct user revoked = change_access(bench, "me", ACCOUNT_REVOKE, true);
    assert_true(revoked.is_disabled);
    assert_string_not_equal(revoked.generation, disabled.generation);
    struct user user = {.id = 7};
    bool has_changed = true;
    assert_int_equal(account_change_access(&bench->ctx, "you", ACCOUNT_REVOKE, &user, &has_changed),
                     ERR_NOT_FOUND);
    assert_int_equal(user.id, 7);
    assert_true(has_changed);
}

static void a_disabled_user_can_get_another_password_and_provider(void **state)
{
    struct bench *bench = *state;
    struct user user = {0};
    (void)create(bench, "me", "secret");
    (void)change_access(bench, "me", ACCOUNT_DISABLE, true);
    assert_int_equal(update(bench, "me", (struct user_draft){.password = "new"}, &user), ERR_OK);
    assert_true(find(bench, "me").is_disabled);
    assert_int_equal(verdict(bench, "me", "new", "c"), LOGIN_WRONG);
    assert_int_equal(update(bench, "me", (struct user_draft){.provider = GIVEN("twitter")}, &user),
                     ERR_OK);
    assert_string_equal(find(bench, "me").provider, "twitter");
    assert_true(find(bench, "me").is_disabled);
    assert_string_equal(change_access(bench, "me", ACCOUNT_ENABLE, true).provider, "twitter");
    assert_null(stored_hash(bench, "me"));
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

static enum err run_disable(struct ctx *ctx, struct db *db, void *argument)
{
    struct user user = {0};
    bool has_changed = false;
    (void)db;
    (void)argument;
    return account_change_access(ctx, "torn", ACCOUNT_DISABLE, &user, &has_changed);
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
    const struct login_rules rules = rules_of(bench);
    return login_check(ctx, &rules, &(struct login_try){"steady", "secret", "c"}, &result);
}

static enum err run_login_wrong(struct ctx *ctx, struct db *db, void *argument)
{
    struct bench *bench = argument;
    struct login_result result = {0};
    (void)db;
    const struct login_rules rules = rules_of(bench);
    return login_check(ctx, &rules, &(struct login_try){"steady", "wrong", "d"}, &result);
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

static void user_torn_enabled(struct db *real, void *argument)
{
    struct user user = {0};
    struct ctx ctx;
    (void)argument;
    ctx_init(&ctx, NULL, BUDGET_MS);
    assert_int_equal(user_find(&ctx, real, "torn", &user), ERR_OK);
    assert_false(user.is_disabled);
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
        {.run = run_disable, .argument = bench, .check_undone = user_torn_enabled},
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
        UNIT_WITH_BENCH(a_disabled_user_is_wrong_with_every_password_until_it_is_enabled),
        UNIT_WITH_BENCH(what_is_so_already_keeps_the_generation),
        UNIT_WITH_BENCH(a_disabled_user_can_get_another_password_and_provider),
        UNIT_WITH_BENCH(every_failure_of_the_database_is_an_error_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
