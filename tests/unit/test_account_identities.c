/* SPDX-License-Identifier: MIT
 *
 * Accounts by identity on a real SQLite file: found, made, linked, unlinked; with a database of the
 * release before; and with one that fails at every one of its calls in turn. */
#include "users_bench.h"

#include "identity/account_identities.h"
#include "identity/identity_store.h"

static const struct db_statement COUNT_IDENTITIES = {"SELECT count(*) FROM identities"};
static const struct db_statement COUNT_USERS = {"SELECT count(*) FROM users"};
static const struct db_statement COUNT_ROWS = {"SELECT count(*) FROM login_throttle"};

static enum err
come(struct bench *bench, const char *name, struct identity identity, struct user *out_user)
{
    const struct user_draft draft = {.username = GIVEN(name), .provider = GIVEN(identity.provider)};
    bool is_new = false;
    ctx_forgive(&bench->ctx);
    return account_of_identity(&bench->ctx, &draft, &identity, out_user, &is_new);
}

static struct identity of(const char *subject)
{
    return (struct identity){
        .issuer = "https://id.example.com", .subject = subject, .provider = "oidc"};
}

static const char *name_of(struct bench *bench, const char *wished, const char *subject)
{
    struct user user = {0};
    assert_int_equal(come(bench, wished, of(subject), &user), ERR_OK);
    return user.username;
}

static enum err link_to(struct bench *bench, const char *username, const char *subject)
{
    const struct identity identity = of(subject);
    struct account_identities account = {0};
    bool has_changed = false;
    const struct account_named named = {.username = username};
    ctx_forgive(&bench->ctx);
    return account_link_identity(&bench->ctx, &named, &identity, &account, &has_changed);
}

static enum err unlink_from(struct bench *bench, const char *username, const char *subject)
{
    const struct identity identity = of(subject);
    struct account_identities account = {0};
    const struct account_named named = {.username = username};
    ctx_forgive(&bench->ctx);
    return account_unlink_identity(&bench->ctx, &named, &identity, &account);
}

static struct account_identities account_of(struct bench *bench, const char *username)
{
    struct account_identities account = {0};
    assert_int_equal(account_identities_of(&bench->ctx, username, &account), ERR_OK);
    return account;
}

/* ---- found or made ---- */

static void an_identity_makes_one_user_without_a_password(void **state)
{
    struct bench *bench = *state;
    struct user made = {0};
    struct user found = {0};
    assert_int_equal(come(bench, "Me", of("1"), &made), ERR_OK);
    assert_int_equal(come(bench, "other", of("1"), &found), ERR_OK);
    assert_string_equal(found.username, "Me");
    assert_string_equal(found.generation, made.generation);
    assert_string_equal(found.provider, "oidc");
    assert_null(stored_hash(bench, "me"));
    assert_false(account_of(bench, "me").has_password);
    assert_int_equal(count(bench, &COUNT_USERS), 1);
    assert_int_equal(count(bench, &COUNT_IDENTITIES), 1);
}

static void no_name_of_somebody_or_of_a_destroyed_user_is_given_out(void **state)
{
    struct bench *bench = *state;
    (void)create(bench, "Me", "secret");
    assert_string_equal(name_of(bench, "mE", "1"), "mE-2");
    assert_string_equal(name_of(bench, "me", "2"), "me-3");
    assert_int_equal(account_destroy(&bench->ctx, "me"), ERR_OK);
    assert_string_equal(name_of(bench, "Me", "3"), "Me-4");
    (void)create(bench, "me", "secret");
    assert_int_equal(account_destroy(&bench->ctx, "ME"), ERR_OK);
    assert_string_equal(name_of(bench, "me", "3"), "Me-4");
}

static void after_twenty_names_they_are_random(void **state)
{
    struct bench *bench = *state;
    const char *name = "";
    for (int i = 0; i <= IDENTITY_NAMES_MAX_COUNT; i++)
        name = name_of(bench, "me", arena_format(&bench->ctx.arena, "%d", i));
    assert_int_equal(strlen(name), strlen("me-") + 12);
    assert_string_equal(find(bench, "me-20").username, "me-20");
}

static void a_new_user_starts_without_the_tries_of_its_name(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(verdict(bench, "me", "wrong", "c"), LOGIN_WRONG);
    assert_true(count(bench, &COUNT_ROWS) > 0);
    assert_string_equal(name_of(bench, "me", "1"), "me");
    assert_int_equal(count(bench, &COUNT_ROWS), 0);
}

static void a_destroyed_user_takes_identities_along(void **state)
{
    struct bench *bench = *state;
    (void)name_of(bench, "me", "1");
    assert_int_equal(link_to(bench, "me", "2"), ERR_OK);
    assert_int_equal(account_destroy(&bench->ctx, "me"), ERR_OK);
    assert_int_equal(count(bench, &COUNT_IDENTITIES), 0);
    assert_string_equal(name_of(bench, "again", "1"), "again");
}

static void what_does_not_fit_an_identity_is_refused(void **state)
{
    struct bench *bench = *state;
    const struct identity identity = of("1");
    const struct {
        struct user_draft draft;
        const char *field;
    } rows[] = {
        {{.provider = GIVEN("oidc")}, "username"},
        {{.username = GIVEN("me")}, "provider"},
        {{.username = GIVEN("me"), .provider = GIVEN("oidc"), .password = "x"}, "password"},
        {{.username = GIVEN("me"),
          .provider = GIVEN("oidc"),
          .password = "x",
          .is_plain_only = true},
         "plainPassword"},
        {{.username = GIVEN("me"), .provider = GIVEN("oidc"), .given_name = GIVEN("\n")},
         "givenName"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct user user = {.id = 7};
        bool is_new = true;
        ctx_forgive(&bench->ctx);
        assert_int_equal(
            account_of_identity(&bench->ctx, &rows[i].draft, &identity, &user, &is_new),
            ERR_INVALID);
        assert_string_equal(bench->ctx.why.field, rows[i].field);
        assert_int_equal(user.id, 7);
    }
    assert_int_equal(count(bench, &COUNT_USERS), 0);
}

/* ---- linked and unlinked ---- */

static void an_identity_is_one_users_and_a_user_has_ten(void **state)
{
    struct bench *bench = *state;
    (void)create(bench, "me", "secret");
    (void)create(bench, "you", "secret");
    for (int i = 0; i < IDENTITIES_PER_USER_MAX; i++)
        assert_int_equal(link_to(bench, "Me", arena_format(&bench->ctx.arena, "%d", i)), ERR_OK);
    assert_int_equal(link_to(bench, "me", "more"), ERR_CONFLICT);
    assert_string_equal(bench->ctx.why.code, "TooManyIdentities");
    assert_int_equal(link_to(bench, "me", "3"), ERR_OK);
    assert_int_equal(link_to(bench, "you", "3"), ERR_CONFLICT);
    assert_string_equal(bench->ctx.why.code, "IdentityTaken");
    assert_int_equal(link_to(bench, "nobody", "x"), ERR_NOT_FOUND);
    assert_null(bench->ctx.why.code);
    assert_int_equal(account_of(bench, "me").identities.count, IDENTITIES_PER_USER_MAX);
    assert_int_equal(account_of(bench, "you").identities.count, 0);
}

static void the_last_way_to_sign_in_stays(void **state)
{
    struct bench *bench = *state;
    (void)name_of(bench, "me", "1");
    assert_int_equal(unlink_from(bench, "me", "1"), ERR_CONFLICT);
    assert_string_equal(bench->ctx.why.code, "LastIdentity");
    assert_int_equal(unlink_from(bench, "me", "2"), ERR_NOT_FOUND);
    assert_string_equal(bench->ctx.why.code, "IdentityNotLinked");
    assert_int_equal(link_to(bench, "me", "2"), ERR_OK);
    assert_int_equal(unlink_from(bench, "me", "1"), ERR_OK);
    assert_int_equal(unlink_from(bench, "me", "2"), ERR_CONFLICT);
    assert_string_equal(account_of(bench, "me").identities.items[0].subject, "2");
}

static void a_password_is_a_way_to_sign_in(void **state)
{
    struct bench *bench = *state;
    (void)create(bench, "me", "secret");
    assert_int_equal(link_to(bench, "me", "1"), ERR_OK);
    assert_true(account_of(bench, "me").has_password);
    assert_int_equal(unlink_from(bench, "me", "1"), ERR_OK);
    assert_int_equal(account_of(bench, "me").identities.count, 0);
}

/* ---- the release before ---- */

static void the_release_before_starts_on_this_database_and_this_one_on_its(void **state)
{
    struct bench *bench = *state;
    const struct migrations earlier = {.items = userauth_migrations.items, .count = 2};
    CLEANUP(db_close_ptr) struct db *db = NULL;
    int64_t applied_count = 7;
    char url[128];
    assert_int_equal(migrate_run(&bench->ctx, bench->ctx.db, &earlier, &applied_count), ERR_OK);
    assert_int_equal(applied_count, 0);

    (void)snprintf(url, sizeof(url), "sqlite:%s/earlier.sqlite", bench->folder.path);
    assert_int_equal(db_open(&bench->ctx, &(struct db_options){.url = url}, &db), ERR_OK);
    assert_int_equal(migrate_run(&bench->ctx, db, &earlier, &applied_count), ERR_OK);
    assert_int_equal(applied_count, 2);
    const struct user user = {.username = "Old",
                              .provider = "twitter",
                              .emails = "[]",
                              .photos = "[]",
                              .generation = "g"};
    assert_int_equal(user_insert(&bench->ctx, db, &user, NULL), ERR_OK);
    assert_int_equal(migrate_run(&bench->ctx, db, &userauth_migrations, &applied_count), ERR_OK);
    assert_int_equal(applied_count, 1);
    struct db *own = bench->ctx.db;
    bench->ctx.db = db;
    assert_int_equal(link_to(bench, "old", "1"), ERR_OK);
    assert_string_equal(name_of(bench, "whoever", "1"), "Old");
    bench->ctx.db = own;
}

/* ---- a database that fails ---- */

static enum err run_come(struct ctx *ctx, struct db *db, void *argument)
{
    const struct user_draft draft = {.username = GIVEN("taken"), .provider = GIVEN("oidc")};
    const struct identity identity = of("torn");
    struct user user = {0};
    bool is_new = false;
    (void)db;
    enum err err = account_of_identity(ctx, &draft, &identity, &user, &is_new);
    if (!err)
        *(struct user *)argument = user;
    return err;
}

static enum err run_link(struct ctx *ctx, struct db *db, void *argument)
{
    const struct identity identity = of("torn-2");
    struct account_identities account = {0};
    bool has_changed = false;
    const struct account_named named = {.username = "taken"};
    (void)db;
    enum err err = account_link_identity(ctx, &named, &identity, &account, &has_changed);
    if (!err)
        *(struct account_identities *)argument = account;
    return err;
}

static enum err run_unlink(struct ctx *ctx, struct db *db, void *argument)
{
    const struct identity identity = of("torn-2");
    struct account_identities account = {0};
    const struct account_named named = {.username = "taken"};
    (void)db;
    enum err err = account_unlink_identity(ctx, &named, &identity, &account);
    if (!err)
        *(struct account_identities *)argument = account;
    return err;
}

static enum err run_list(struct ctx *ctx, struct db *db, void *argument)
{
    struct account_identities account = {0};
    (void)db;
    enum err err = account_identities_of(ctx, "taken", &account);
    if (!err)
        *(struct account_identities *)argument = account;
    return err;
}

static enum err owner_of(struct db *db, const char *subject)
{
    CLEANUP(ctx_done) struct ctx ctx;
    const struct identity identity = of(subject);
    int64_t user_id = 0;
    ctx_init(&ctx, NULL, BUDGET_MS);
    return identity_find_user(&ctx, db, &identity, &user_id);
}

static void no_user_and_no_identity(struct db *real, void *argument)
{
    CLEANUP(ctx_done) struct ctx ctx;
    struct user user = {0};
    (void)argument;
    ctx_init(&ctx, NULL, BUDGET_MS);
    assert_int_equal(user_find(&ctx, real, "taken-2", &user), ERR_NOT_FOUND);
    assert_int_equal(owner_of(real, "torn"), ERR_NOT_FOUND);
}

static void not_linked(struct db *real, void *argument)
{
    (void)argument;
    assert_int_equal(owner_of(real, "torn-2"), ERR_NOT_FOUND);
}

static void still_linked(struct db *real, void *argument)
{
    (void)argument;
    assert_int_equal(owner_of(real, "torn-2"), ERR_OK);
}

static void every_failure_of_the_database_is_an_error_and_changes_nothing(void **state)
{
    struct bench *bench = *state;
    struct user user;
    struct account_identities account;
    (void)create(bench, "taken", "secret");
    const struct fake_db_operation operations[] = {
        {run_come, &user, &user, sizeof(user), no_user_and_no_identity},
        {run_link, &account, &account, sizeof(account), not_linked},
        {run_list, &account, &account, sizeof(account), NULL},
        {run_unlink, &account, &account, sizeof(account), still_linked},
    };
    for (size_t i = 0; i < ARRAY_COUNT(operations); i++)
        assert_in_range(fake_db_torture(bench->ctx.db, bench->fake, &operations[i]), 4, 100);
    assert_string_equal(name_of(bench, "x", "torn"), "taken-2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_BENCH(an_identity_makes_one_user_without_a_password),
        UNIT_WITH_BENCH(no_name_of_somebody_or_of_a_destroyed_user_is_given_out),
        UNIT_WITH_BENCH(after_twenty_names_they_are_random),
        UNIT_WITH_BENCH(a_new_user_starts_without_the_tries_of_its_name),
        UNIT_WITH_BENCH(a_destroyed_user_takes_identities_along),
        UNIT_WITH_BENCH(what_does_not_fit_an_identity_is_refused),
        UNIT_WITH_BENCH(an_identity_is_one_users_and_a_user_has_ten),
        UNIT_WITH_BENCH(the_last_way_to_sign_in_stays),
        UNIT_WITH_BENCH(a_password_is_a_way_to_sign_in),
        UNIT_WITH_BENCH(the_release_before_starts_on_this_database_and_this_one_on_its),
        UNIT_WITH_BENCH(every_failure_of_the_database_is_an_error_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
