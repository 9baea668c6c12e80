/* SPDX-License-Identifier: MIT
 *
 * The rules of users without database or JSON: what is refused and by which member, what a draft
 * makes of nothing and of a stored user. */
#include "unit.h"

#include "base/ctx.h"
#include "base/strbuf.h"
#include "rules/username_rules.h"
#include "user/user.h"

#define BUDGET_MS 60000

#define GIVEN(value)                      \
    {                                     \
        .is_given = true, .text = (value) \
    }

/* `count` times `piece`, in the arena. */
static const char *repeated(struct ctx *ctx, const char *piece, size_t count)
{
    struct strbuf buf;
    const char *text = NULL;
    strbuf_init(&buf, &ctx->arena, 0, 1 << 20);
    for (size_t i = 0; i < count; i++)
        strbuf_add(&buf, piece);
    assert_int_equal(strbuf_text(&buf, &text), ERR_OK);
    return text;
}

static void a_username_has_1_to_64_characters_without_control_characters_and_slash(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    const char *good[] = {
        "x", "a b", "Ä", "..", "a%b", "😀", repeated(&ctx, "a", 64), repeated(&ctx, "😀", 64)};
    const char *bad[] = {"",
                         "/",
                         "a/b",
                         "a\n",
                         "\x7f",
                         "\xc2\x85",
                         repeated(&ctx, "a", 65),
                         repeated(&ctx, "é", 65)};
    for (size_t i = 0; i < ARRAY_COUNT(good); i++)
        assert_true(username_is_sound(good[i]));
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        assert_false(username_is_sound(bad[i]));
}

static void a_username_key_ignores_the_case_of_ascii_letters_only(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    assert_string_equal(username_key(&ctx, "MiXed1"), "mixed1");
    assert_string_equal(username_key(&ctx, "Äpfel"), "Äpfel");
}

struct refusal {
    struct user_draft draft;
    const char *field; /* NULL: fine */
};

static void a_draft_is_refused_by_the_member_that_is_wrong(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    const char *long_text = repeated(&ctx, "é", 256);
    const char *longest_text = repeated(&ctx, "é", 255);
    const char *long_list = repeated(&ctx, "x", 2049);
    const struct refusal rows[] = {
        {{.password = NULL}, NULL},
        {{.username = GIVEN("me"), .provider = GIVEN("local"), .family_name = GIVEN(longest_text)},
         NULL},
        {{.family_name = GIVEN(""), .given_name = GIVEN(NULL), .emails = GIVEN("[]")}, NULL},
        {{.emails = GIVEN(long_list + 1), .photos = GIVEN(long_list + 1)}, NULL},
        {{.username = GIVEN("")}, "username"},
        {{.username = GIVEN("a/b")}, "username"},
        {{.provider = GIVEN("")}, "provider"},
        {{.provider = GIVEN("a\tb")}, "provider"},
        {{.provider = GIVEN(long_text)}, "provider"},
        {{.family_name = GIVEN(long_text)}, "familyName"},
        {{.given_name = GIVEN("a\nb")}, "givenName"},
        {{.middle_name = GIVEN("\x1b[31m")}, "middleName"},
        {{.emails = GIVEN(long_list)}, "emails"},
        {{.photos = GIVEN(long_list)}, "photos"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        ctx_forgive(&ctx);
        enum err err = user_draft_check(&ctx, &rows[i].draft);
        assert_int_equal(err, rows[i].field ? ERR_INVALID : ERR_OK);
        if (!rows[i].field)
            continue;
        assert_string_equal(ctx.why.field, rows[i].field);
        assert_non_null(strstr(ctx.why.hint, rows[i].field));
    }
}

static void a_new_user_is_local_unless_it_says_otherwise(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    const struct user_draft draft = {
        .username = GIVEN("me"), .provider = GIVEN(NULL), .password = "secret"};
    struct user user = {0};
    enum user_password_use use = USER_PASSWORD_KEEP;
    assert_int_equal(user_make(&ctx, &draft, &user, &use), ERR_OK);
    assert_int_equal(use, USER_PASSWORD_SET);
    assert_true(user_is_local(&user));
    assert_string_equal(user.emails, "[]");
    assert_string_equal(user.photos, "[]");
    assert_null(user.family_name);
}

static void a_new_user_of_another_provider_has_no_password(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    const struct user_draft draft = {
        .username = GIVEN("me"), .provider = GIVEN("twitter"), .password = ""};
    struct user user = {0};
    enum user_password_use use = USER_PASSWORD_SET;
    assert_int_equal(user_make(&ctx, &draft, &user, &use), ERR_OK);
    assert_int_equal(use, USER_PASSWORD_DROP);
}

static void a_new_user_needs_a_name_and_if_local_a_password(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    const struct refusal rows[] = {
        {{.password = "secret"}, "username"},
        {{.username = GIVEN(NULL), .password = "secret"}, "username"},
        {{.username = GIVEN("me")}, "password"},
        {{.username = GIVEN("me"), .provider = GIVEN("local")}, "password"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct user user = {.id = 7};
        enum user_password_use use = USER_PASSWORD_KEEP;
        ctx_forgive(&ctx);
        assert_int_equal(user_make(&ctx, &rows[i].draft, &user, &use), ERR_INVALID);
        assert_string_equal(ctx.why.field, rows[i].field);
        assert_int_equal(user.id, 7);
        assert_null(user.username);
        assert_int_equal(use, USER_PASSWORD_KEEP);
    }
}

static const struct user STORED = {.id = 1,
                                   .username = "Me",
                                   .provider = "local",
                                   .family_name = "F",
                                   .given_name = "G",
                                   .middle_name = "M",
                                   .emails = "[\"e\"]",
                                   .photos = "[\"p\"]",
                                   .generation = "g"};
static const struct user FOREIGN = {.id = 2,
                                    .username = "Me",
                                    .provider = "twitter",
                                    .emails = "[]",
                                    .photos = "[]",
                                    .generation = "g"};

static void only_members_that_were_given_change(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    const struct user_draft draft = {.username = GIVEN("mE"),
                                     .family_name = GIVEN(NULL),
                                     .given_name = GIVEN("New"),
                                     .emails = GIVEN(NULL)};
    struct user user = {0};
    enum user_password_use use = USER_PASSWORD_DROP;
    assert_int_equal(user_change(&ctx, &STORED, &draft, &user, &use), ERR_OK);
    assert_int_equal(use, USER_PASSWORD_KEEP);
    assert_int_equal(user.id, 1);
    assert_string_equal(user.username, "Me");
    assert_null(user.family_name);
    assert_string_equal(user.given_name, "New");
    assert_string_equal(user.middle_name, "M");
    assert_string_equal(user.emails, "[]");
    assert_string_equal(user.photos, "[\"p\"]");
    assert_string_equal(user.generation, "g");
}

static void an_empty_draft_changes_nothing(void **state)
{
    (void)state;
    const struct user_draft changing[] = {
        {.provider = GIVEN("x")},    {.family_name = GIVEN(NULL)}, {.given_name = GIVEN("x")},
        {.middle_name = GIVEN("x")}, {.emails = GIVEN("[]")},      {.photos = GIVEN("[]")},
        {.password = "x"},
    };
    const struct user_draft still[] = {
        {.password = NULL}, {.username = GIVEN("me")}, {.provider = GIVEN(NULL)}};
    for (size_t i = 0; i < ARRAY_COUNT(changing); i++)
        assert_true(user_draft_changes(&changing[i]));
    for (size_t i = 0; i < ARRAY_COUNT(still); i++)
        assert_false(user_draft_changes(&still[i]));
}

struct password_row {
    const struct user *stored;
    struct user_draft draft;
    enum err err;
    enum user_password_use use;
};

static void what_becomes_of_the_password_depends_on_both_providers(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    const struct password_row rows[] = {
        {&STORED, {.password = "p"}, ERR_OK, USER_PASSWORD_SET},
        {&STORED, {.provider = GIVEN("local"), .password = "p"}, ERR_OK, USER_PASSWORD_SET},
        {&STORED, {.provider = GIVEN(NULL)}, ERR_OK, USER_PASSWORD_KEEP},
        {&STORED, {.provider = GIVEN("twitter")}, ERR_OK, USER_PASSWORD_DROP},
        {&STORED, {.provider = GIVEN("twitter"), .password = "p"}, ERR_OK, USER_PASSWORD_DROP},
        {&FOREIGN, {.provider = GIVEN("local"), .password = "p"}, ERR_OK, USER_PASSWORD_SET},
        {&FOREIGN, {.provider = GIVEN("local")}, ERR_OK, USER_PASSWORD_KEEP},
        {&FOREIGN, {.provider = GIVEN("other")}, ERR_OK, USER_PASSWORD_KEEP},
        {&FOREIGN, {.password = "p"}, ERR_INVALID, USER_PASSWORD_KEEP},
        {&FOREIGN, {.password = "p", .is_plain_only = true}, ERR_INVALID, USER_PASSWORD_KEEP},
        {&FOREIGN, {.provider = GIVEN("other"), .password = "p"}, ERR_INVALID, USER_PASSWORD_KEEP},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct user user = {0};
        enum user_password_use use = USER_PASSWORD_KEEP;
        ctx_forgive(&ctx);
        assert_int_equal(user_change(&ctx, rows[i].stored, &rows[i].draft, &user, &use),
                         rows[i].err);
        assert_int_equal(use, rows[i].use);
        if (rows[i].err)
            assert_string_equal(ctx.why.field, "password");
    }
}

static void a_user_cannot_be_renamed(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    const struct user_draft draft = {.username = GIVEN("you")};
    struct user user = {0};
    enum user_password_use use = USER_PASSWORD_KEEP;
    assert_int_equal(user_change(&ctx, &STORED, &draft, &user, &use), ERR_INVALID);
    assert_string_equal(ctx.why.field, "username");
    assert_null(user.username);
}

static void the_password_is_named_by_the_member_that_it_came_in(void **state)
{
    (void)state;
    assert_string_equal(user_password_member(&(struct user_draft){.is_plain_only = false}),
                        "password");
    assert_string_equal(user_password_member(&(struct user_draft){.is_plain_only = true}),
                        "plainPassword");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_username_has_1_to_64_characters_without_control_characters_and_slash),
        UNIT(a_username_key_ignores_the_case_of_ascii_letters_only),
        UNIT(a_draft_is_refused_by_the_member_that_is_wrong),
        UNIT(a_new_user_is_local_unless_it_says_otherwise),
        UNIT(a_new_user_of_another_provider_has_no_password),
        UNIT(a_new_user_needs_a_name_and_if_local_a_password),
        UNIT(only_members_that_were_given_change),
        UNIT(an_empty_draft_changes_nothing),
        UNIT(what_becomes_of_the_password_depends_on_both_providers),
        UNIT(a_user_cannot_be_renamed),
        UNIT(the_password_is_named_by_the_member_that_it_came_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
