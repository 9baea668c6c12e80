/* SPDX-License-Identifier: MIT
 *
 * The JSON of users, of password checks and of changed passwords, in and out. */
#include "unit.h"

#include "auth/auth_wire.h"
#include "auth/login.h"
#include "auth/password_change.h"
#include "base/ctx.h"
#include "base/strbuf.h"
#include "http/http_message.h"
#include "user/user.h"
#include "user/user_wire.h"

#define BUDGET_MS 60000

static int ctx_new(void **state)
{
    struct ctx *ctx = calloc(1, sizeof(*ctx));
    if (!ctx)
        return -1;
    ctx_init(ctx, NULL, BUDGET_MS);
    *state = ctx;
    return 0;
}

static int ctx_free(void **state)
{
    ctx_done(*state);
    free(*state);
    return 0;
}

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const unsigned char *)text, strlen(text)};
}

static void every_member_is_read(void **state)
{
    struct ctx *ctx = *state;
    struct user_draft draft = {0};
    const char *body =
        "{\"username\":\"me\",\"provider\":\"x\",\"familyName\":\"F\",\"givenName\":\"G\","
        "\"middleName\":\"M\","
        "\"emails\":[ \"a\" , {\"value\" : \"b\"} ],\"photos\":[],\"password\":\"p\",\"id\":7}";
    assert_int_equal(user_wire_read(ctx, bytes_of(body), &draft), ERR_OK);
    assert_string_equal(draft.username.text, "me");
    assert_string_equal(draft.provider.text, "x");
    assert_string_equal(draft.family_name.text, "F");
    assert_string_equal(draft.given_name.text, "G");
    assert_string_equal(draft.middle_name.text, "M");
    assert_string_equal(draft.emails.text, "[\"a\",{\"value\":\"b\"}]");
    assert_string_equal(draft.photos.text, "[]");
    assert_string_equal(draft.password, "p");
    assert_false(draft.is_plain_only);
}

static void absent_and_null_are_told_apart(void **state)
{
    struct ctx *ctx = *state;
    struct user_draft draft = {0};
    assert_int_equal(
        user_wire_read(ctx, bytes_of("{\"familyName\":null,\"emails\":null,\"password\":null}"),
                       &draft),
        ERR_OK);
    assert_true(draft.family_name.is_given);
    assert_null(draft.family_name.text);
    assert_true(draft.emails.is_given);
    assert_null(draft.emails.text);
    assert_false(draft.given_name.is_given);
    assert_false(draft.photos.is_given);
    assert_null(draft.password);
}

static void a_plain_password_is_known_as_one(void **state)
{
    struct ctx *ctx = *state;
    struct user_draft draft = {0};
    assert_int_equal(
        user_wire_read(ctx, bytes_of("{\"plainPassword\":\"p\",\"password\":null}"), &draft),
        ERR_OK);
    assert_string_equal(draft.password, "p");
    assert_true(draft.is_plain_only);
}

struct refusal {
    const char *body;
    const char *field; /* NULL: none is named */
};

static void a_member_of_another_type_is_refused_by_name(void **state)
{
    struct ctx *ctx = *state;
    const struct refusal rows[] = {
        {"{\"username\":1}", "username"},
        {"{\"provider\":[]}", "provider"},
        {"{\"familyName\":{}}", "familyName"},
        {"{\"givenName\":true}", "givenName"},
        {"{\"middleName\":1.5}", "middleName"},
        {"{\"emails\":\"a\"}", "emails"},
        {"{\"emails\":{\"a\":1}}", "emails"},
        {"{\"emails\":[1]}", "emails"},
        {"{\"emails\":[null]}", "emails"},
        {"{\"photos\":[[]]}", "photos"},
        {"{\"password\":5}", "password"},
        {"{\"username\":\"a\\u0000\"}", "username"},
        {"{\"emails\":[\"a\\u0000\"]}", "emails"},
        {"{\"plainPassword\":[]}", "plainPassword"},
        {"{\"password\":\"a\",\"plainPassword\":\"b\"}", "password"},
        {"", NULL},
        {"[]", NULL},
        {"{\"a\":1,\"a\":2}", NULL},
        {"{} x", NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct user_draft draft = {.is_plain_only = true};
        ctx_forgive(ctx);
        assert_int_equal(user_wire_read(ctx, bytes_of(rows[i].body), &draft), ERR_INVALID);
        assert_true(draft.is_plain_only);
        assert_null(draft.username.text);
        if (!rows[i].field) {
            assert_null(ctx->why.field);
            continue;
        }
        assert_string_equal(ctx->why.field, rows[i].field);
        assert_non_null(strstr(ctx->why.hint, rows[i].field));
    }
}

/* {"emails":["xxx…"]} whose list has so many bytes. */
static const char *body_with_list_of(struct ctx *ctx, size_t size_bytes)
{
    char *filling = arena_take(&ctx->arena, size_bytes);
    memset(filling, 'x', size_bytes - 4);
    return arena_format(&ctx->arena, "{\"emails\":[ \"%s\" ]}", filling);
}

static void a_list_has_2048_bytes_of_compact_json_at_most(void **state)
{
    struct ctx *ctx = *state;
    struct user_draft draft = {0};
    assert_int_equal(user_wire_read(ctx, bytes_of(body_with_list_of(ctx, 2048)), &draft), ERR_OK);
    assert_int_equal(strlen(draft.emails.text), 2048);
    assert_int_equal(user_wire_read(ctx, bytes_of(body_with_list_of(ctx, 2049)), &draft),
                     ERR_INVALID);
    assert_string_equal(ctx->why.field, "emails");
}

static const struct user HOSTILE = {.id = 5,
                                    .username = "a\"b\\<",
                                    .provider = "local",
                                    .family_name = "é\xe2\x80\xa8",
                                    .emails = "[\"x\"]",
                                    .photos = "[]",
                                    .generation = "secretgeneration"};

static void a_user_is_written_with_its_eight_members(void **state)
{
    struct ctx *ctx = *state;
    struct http_response rs = {0};
    assert_int_equal(user_wire_answer(ctx, &HOSTILE, &rs), ERR_OK);
    assert_int_equal(rs.status, 200);
    assert_string_equal(
        (const char *)rs.body.p,
        "{\"id\":\"a\\\"b\\\\\\u003c\",\"username\":\"a\\\"b\\\\\\u003c\",\"provider\":\"local\","
        "\"familyName\":\"é\\u2028\",\"givenName\":null,\"middleName\":null,"
        "\"emails\":[\"x\"],\"photos\":[]}");
    assert_string_equal(http_response_find(&rs, "Content-Type"), "application/json");
}

static void a_disabled_user_has_a_member_more(void **state)
{
    struct ctx *ctx = *state;
    struct user user = HOSTILE;
    struct http_response rs = {0};
    user.is_disabled = true;
    assert_int_equal(user_wire_answer(ctx, &user, &rs), ERR_OK);
    assert_non_null(strstr((const char *)rs.body.p, ",\"photos\":[],\"disabled\":true}"));
}

static void a_list_of_users_is_an_array(void **state)
{
    struct ctx *ctx = *state;
    const struct user users[] = {HOSTILE, HOSTILE};
    struct http_response rs = {0};
    assert_int_equal(user_wire_answer_list(ctx, &(struct user_list){0}, &rs), ERR_OK);
    assert_string_equal((const char *)rs.body.p, "[]");
    rs = (struct http_response){0};
    assert_int_equal(
        user_wire_answer_list(ctx, &(struct user_list){.items = users, .count = 2}, &rs), ERR_OK);
    assert_memory_equal(rs.body.p, "[{\"id\":", 7);
    assert_non_null(strstr((const char *)rs.body.p, "},{\"id\":"));
    assert_int_equal(rs.body.p[rs.body.n - 1], ']');
}

static void an_empty_object_has_the_status_that_is_wanted(void **state)
{
    (void)state;
    struct http_response rs = {0};
    user_wire_answer_empty(404, &rs);
    assert_int_equal(rs.status, 404);
    assert_string_equal((const char *)rs.body.p, "{}");
}

/* ---- password checks ---- */

static void a_try_is_read_and_its_client_is_empty_by_default(void **state)
{
    struct ctx *ctx = *state;
    struct login_try login_try = {0};
    assert_int_equal(
        auth_wire_read(ctx, bytes_of("{\"username\":\"me\",\"password\":\"\"}"), &login_try),
        ERR_OK);
    assert_string_equal(login_try.username, "me");
    assert_string_equal(login_try.password, "");
    assert_string_equal(login_try.client, "");
    const char *body = "{\"username\":\"me\",\"password\":\"p\",\"client\":\"device:1\"}";
    assert_int_equal(auth_wire_read(ctx, bytes_of(body), &login_try), ERR_OK);
    assert_string_equal(login_try.client, "device:1");
    assert_int_equal(
        auth_wire_read(ctx, bytes_of("{\"username\":\"m\",\"password\":\"p\",\"client\":null}"),
                       &login_try),
        ERR_OK);
    assert_string_equal(login_try.client, "");
}

static void a_try_that_cannot_be_one_is_refused_by_member(void **state)
{
    struct ctx *ctx = *state;
    char *long_text = arena_take(&ctx->arena, 1026);
    memset(long_text, 'x', 1025);
    const struct refusal rows[] = {
        {"{\"password\":\"p\"}", "username"},
        {"{\"username\":null,\"password\":\"p\"}", "username"},
        {"{\"username\":\"\",\"password\":\"p\"}", "username"},
        {"{\"username\":\"a\\nb\",\"password\":\"p\"}", "username"},
        {"{\"username\":\"a/b\",\"password\":\"p\"}", "username"},
        {"{\"username\":7,\"password\":\"p\"}", "username"},
        {"{\"username\":\"me\"}", "password"},
        {"{\"username\":\"me\",\"password\":null}", "password"},
        {"{\"username\":\"me\",\"password\":[]}", "password"},
        {arena_format(&ctx->arena, "{\"username\":\"me\",\"password\":\"%s\"}", long_text),
         "password"},
        {"{\"username\":\"me\",\"password\":\"p\",\"client\":\"\"}", "client"},
        {"{\"username\":\"me\",\"password\":\"p\",\"client\":1}", "client"},
        {arena_format(&ctx->arena, "{\"username\":\"me\",\"password\":\"p\",\"client\":\"%.256s\"}",
                      long_text),
         "client"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct login_try login_try = {0};
        ctx_forgive(ctx);
        assert_int_equal(auth_wire_read(ctx, bytes_of(rows[i].body), &login_try), ERR_INVALID);
        assert_string_equal(ctx->why.field, rows[i].field);
        assert_null(login_try.username);
    }
}

static void a_right_answer_has_the_stored_spelling_and_an_etag(void **state)
{
    struct ctx *ctx = *state;
    const struct login_try login_try = {.username = "ME", .password = "p", .client = ""};
    const struct login_result result = {
        .verdict = LOGIN_RIGHT, .username = "Me", .generation = "gen"};
    struct http_response rs = {0};
    assert_int_equal(auth_wire_answer(ctx, &login_try, &result, &rs), ERR_OK);
    assert_int_equal(rs.status, 200);
    assert_string_equal((const char *)rs.body.p, "{\"check\":true,\"username\":\"Me\"}");
    assert_string_equal(http_response_find(&rs, "ETag"), "\"gen\"");
}

static void a_wrong_answer_has_the_typed_name_and_no_etag(void **state)
{
    struct ctx *ctx = *state;
    const struct login_try login_try = {.username = "ME", .password = "p", .client = ""};
    const struct login_result result = {.verdict = LOGIN_WRONG, .is_counted = true};
    struct http_response rs = {0};
    assert_int_equal(auth_wire_answer(ctx, &login_try, &result, &rs), ERR_OK);
    assert_int_equal(rs.status, 200);
    assert_string_equal(
        (const char *)rs.body.p,
        "{\"check\":false,\"username\":\"ME\",\"message\":\"Incorrect username or password\"}");
    assert_null(http_response_find(&rs, "ETag"));
    assert_null(http_response_find(&rs, "Retry-After"));
}

static void a_throttled_answer_says_how_long(void **state)
{
    struct ctx *ctx = *state;
    const struct login_try login_try = {.username = "me", .password = "p", .client = ""};
    const struct login_result result = {.verdict = LOGIN_WAIT, .wait_s = 16};
    struct http_response rs = {0};
    assert_int_equal(auth_wire_answer(ctx, &login_try, &result, &rs), ERR_OK);
    assert_int_equal(rs.status, 429);
    assert_string_equal(http_response_find(&rs, "Retry-After"), "16");
    const char *wanted = arena_format(
        &ctx->arena,
        "{\"check\":false,\"username\":\"me\",\"message\":\"Too many tries. Please wait 16 "
        "seconds.\",\"code\":\"TooManyRequests\",\"requestId\":\"%s\"}",
        ctx->request_id);
    assert_string_equal((const char *)rs.body.p, wanted);
}

/* ---- changes of the own password ---- */

static void a_change_is_a_try_with_a_new_password(void **state)
{
    struct ctx *ctx = *state;
    struct password_change change = {0};
    const char *body = "{\"username\":\"me\",\"password\":\"old\",\"plainPassword\":\"\"}";
    assert_int_equal(auth_wire_read_change(ctx, bytes_of(body), &change), ERR_OK);
    assert_string_equal(change.login_try.username, "me");
    assert_string_equal(change.login_try.password, "old");
    assert_string_equal(change.login_try.client, "");
    assert_true(change.login_try.skips_renewal);
    assert_string_equal(change.new_password, "");
    const struct refusal rows[] = {
        {"{\"password\":\"old\",\"plainPassword\":\"new\"}", "username"},
        {"{\"username\":\"me\",\"plainPassword\":\"new\"}", "password"},
        {"{\"username\":\"me\",\"password\":\"old\"}", "plainPassword"},
        {"{\"username\":\"me\",\"password\":\"old\",\"plainPassword\":null}", "plainPassword"},
        {"{\"username\":\"me\",\"password\":\"old\",\"plainPassword\":7}", "plainPassword"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct password_change refused = {0};
        ctx_forgive(ctx);
        assert_int_equal(auth_wire_read_change(ctx, bytes_of(rows[i].body), &refused), ERR_INVALID);
        assert_string_equal(ctx->why.field, rows[i].field);
        assert_null(refused.login_try.username);
    }
}

static void a_change_is_answered_like_a_check_with_another_member(void **state)
{
    struct ctx *ctx = *state;
    const struct password_change change = {.login_try = {.username = "ME"}};
    struct password_change_result result = {
        .login = {.verdict = LOGIN_RIGHT, .username = "Me", .generation = "gen"}};
    struct http_response rs = {0};
    assert_int_equal(auth_wire_answer_change(ctx, &change, &result, 15, &rs), ERR_OK);
    assert_int_equal(rs.status, 200);
    assert_string_equal((const char *)rs.body.p, "{\"changed\":true,\"username\":\"Me\"}");
    assert_string_equal(http_response_find(&rs, "ETag"), "\"gen\"");

    rs = (struct http_response){0};
    result.login = (struct login_result){.verdict = LOGIN_WRONG};
    assert_int_equal(auth_wire_answer_change(ctx, &change, &result, 15, &rs), ERR_OK);
    assert_string_equal(
        (const char *)rs.body.p,
        "{\"changed\":false,\"username\":\"ME\",\"message\":\"Incorrect username or password\"}");
    assert_null(http_response_find(&rs, "ETag"));
}

static void a_broken_rule_is_an_error_with_its_own_code(void **state)
{
    struct ctx *ctx = *state;
    const struct password_change change = {.login_try = {.username = "me"}};
    const struct password_change_result result = {.fault = PASSWORD_TOO_SHORT};
    struct http_response rs = {0};
    assert_int_equal(auth_wire_answer_change(ctx, &change, &result, 15, &rs), ERR_OK);
    assert_int_equal(rs.status, 400);
    const char *wanted = arena_format(
        &ctx->arena,
        "{\"code\":\"PasswordTooShort\",\"message\":\"The new password has fewer than 15 characters. "
        "Choose another one.\",\"requestId\":\"%s\",\"field\":\"plainPassword\"}",
        ctx->request_id);
    assert_string_equal((const char *)rs.body.p, wanted);
    assert_null(http_response_find(&rs, "ETag"));
}

#define UNIT_WITH_CTX(test) cmocka_unit_test_setup_teardown(test, ctx_new, ctx_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_CTX(every_member_is_read),
        UNIT_WITH_CTX(absent_and_null_are_told_apart),
        UNIT_WITH_CTX(a_plain_password_is_known_as_one),
        UNIT_WITH_CTX(a_member_of_another_type_is_refused_by_name),
        UNIT_WITH_CTX(a_list_has_2048_bytes_of_compact_json_at_most),
        UNIT_WITH_CTX(a_user_is_written_with_its_eight_members),
        UNIT_WITH_CTX(a_disabled_user_has_a_member_more),
        UNIT_WITH_CTX(a_list_of_users_is_an_array),
        UNIT_WITH_CTX(an_empty_object_has_the_status_that_is_wanted),
        UNIT_WITH_CTX(a_try_is_read_and_its_client_is_empty_by_default),
        UNIT_WITH_CTX(a_try_that_cannot_be_one_is_refused_by_member),
        UNIT_WITH_CTX(a_right_answer_has_the_stored_spelling_and_an_etag),
        UNIT_WITH_CTX(a_wrong_answer_has_the_typed_name_and_no_etag),
        UNIT_WITH_CTX(a_throttled_answer_says_how_long),
        UNIT_WITH_CTX(a_change_is_a_try_with_a_new_password),
        UNIT_WITH_CTX(a_change_is_answered_like_a_check_with_another_member),
        UNIT_WITH_CTX(a_broken_rule_is_an_error_with_its_own_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
