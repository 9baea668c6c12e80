/* SPDX-License-Identifier: MIT
 *
 * JSON bodies: what is refused, how members are read, how errors look. */
#include "http/json_body.h"

#include "http/http_message.h"

#include "http_fixture.h"

static void only_one_strict_object_is_a_body(void **state)
{
    static const struct {
        const char *text;
        enum err err;
    } rows[] = {
        {"{}", ERR_OK},
        {" {\"a\":1} \n", ERR_OK},
        {"{\"a\":{\"a\":1}}", ERR_OK},
        {"", ERR_INVALID},
        {"[]", ERR_INVALID},
        {"\"a\"", ERR_INVALID},
        {"1", ERR_INVALID},
        {"null", ERR_INVALID},
        {"{", ERR_INVALID},
        {"{}x", ERR_INVALID},
        {"{}{}", ERR_INVALID},
        {"{\"a\":1,\"a\":2}", ERR_INVALID},
        {"{\"b\":{\"a\":1,\"a\":2}}", ERR_INVALID},
        {"{\"a\":\"\\u0000\"}", ERR_INVALID},
        {"{\"a\":\"\xFF\"}", ERR_INVALID},
        {"{\"a\":\"\\ud800\"}", ERR_INVALID},
        {"{'a':1}", ERR_INVALID},
        {"{\"a\":1,}", ERR_INVALID},
        {"{a:1}", ERR_INVALID},
        {"{\"a\":1e999}", ERR_INVALID},
        {"\xEF\xBB\xBF{}", ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP(json_body_release) json_t *value = NULL;
        assert_int_equal(json_body_parse(*state, bytes_of(rows[i].text), &value), rows[i].err);
        assert_int_equal(value == NULL, rows[i].err != ERR_OK);
        ctx_forgive(*state);
    }
    CLEANUP(json_body_release) json_t *value = NULL;
    struct bytes with_nul = {.p = (const unsigned char *)"{}\0", .n = 3};
    assert_int_equal(json_body_parse(*state, with_nul, &value), ERR_INVALID);
}

static void the_reason_of_a_refusal_quotes_nothing(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(json_body_release) json_t *value = NULL;
    assert_int_equal(json_body_parse(ctx, bytes_of("{\"password\":\"hunter2\" oops"), &value),
                     ERR_INVALID);
    assert_int_not_equal(ctx->why.text[0], '\0');
    assert_null(strstr(ctx->why.text, "hunter2"));
    assert_null(strstr(ctx->why.text, "oops"));
}

static void a_text_with_a_nul_is_named(void **state)
{
    static const struct {
        const char *text;
        const char *field;
    } rows[] = {
        {"{\"a\":\"x\",\"b\":\"\\u0000\"}", "b"},
        {"{\"a\":\"x\",\"b\":[1,\"x\",\"\\u0000\"],\"c\":1}", "b"},
        {"{\"b\":{\"c\":\"\\u0000\"}}", NULL},
        {"{\"\\u0000\":1}", NULL},
        {"{\"b\":\"\\u0000\"", NULL},
        {"{\"b\":\"\\u0000\",\"b\":1}", NULL},
        {"[\"\\u0000\"]", NULL},
        {"\"\\u0000\"", NULL},
        {"{\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\":\"\\u0000\"}",
         NULL},
    };
    struct ctx *ctx = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP(json_body_release) json_t *value = NULL;
        assert_int_equal(json_body_parse(ctx, bytes_of(rows[i].text), &value), ERR_INVALID);
        assert_null(value);
        assert_int_equal(ctx->why.field == NULL, rows[i].field == NULL);
        if (rows[i].field)
            assert_string_equal(ctx->why.field, rows[i].field);
        ctx_forgive(ctx);
    }
}

static void deep_nesting_is_refused(void **state)
{
    size_t depth = 100000;
    char *text = malloc(depth * 5 + 2);
    assert_non_null(text);
    for (size_t i = 0; i < depth; i++)
        memcpy(text + i * 5, "{\"a\":", 5);
    text[depth * 5] = '\0';
    CLEANUP(json_body_release) json_t *value = NULL;
    assert_int_equal(json_body_parse(*state, bytes_of(text), &value), ERR_INVALID);
    free(text);
}

static void members_are_text_or_nothing(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(json_body_release) json_t *value = NULL;
    const char *text = "before";
    assert_int_equal(json_body_parse(ctx,
                                     bytes_of("{\"a\":\"\xC3\xBC\",\"n\":null,\"i\":1,\"e\":\"\"}"),
                                     &value),
                     ERR_OK);
    assert_int_equal(json_body_text(ctx, value, "a", &text), ERR_OK);
    assert_string_equal(text, "\xC3\xBC");
    assert_int_equal(json_body_text(ctx, value, "e", &text), ERR_OK);
    assert_string_equal(text, "");
    assert_int_equal(json_body_text(ctx, value, "n", &text), ERR_OK);
    assert_null(text);
    text = "before";
    assert_int_equal(json_body_text(ctx, value, "none", &text), ERR_OK);
    assert_null(text);
    text = "before";
    assert_int_equal(json_body_text(ctx, value, "i", &text), ERR_INVALID);
    assert_string_equal(text, "before");
    assert_string_equal(ctx->why.field, "i");
}

static void values_are_printed_compactly_within_a_limit(void **state)
{
    struct ctx *ctx = *state;
    CLEANUP(json_body_release) json_t *value = json_pack("{s:[i,b],s:s}", "a", 1, 1, "b", "x");
    static const char wanted[] = "{\"a\":[1,true],\"b\":\"x\"}";
    const char *text = NULL;
    assert_int_equal(json_body_print(ctx, value, sizeof(wanted) - 1, &text), ERR_OK);
    assert_string_equal(text, wanted);
    assert_int_equal(json_body_print(ctx, value, sizeof(wanted) - 2, &text), ERR_TOO_LARGE);
    struct http_response rs = {0};
    assert_int_equal(json_body_answer(ctx, &rs, 201, value), ERR_OK);
    assert_int_equal(rs.status, 201);
    assert_int_equal(rs.body.n, sizeof(wanted) - 1);
    assert_memory_equal(rs.body.p, wanted, rs.body.n);
    assert_string_equal(http_response_find(&rs, "Content-Type"), "application/json");
}

static void errors_have_code_message_request_id_and_field(void **state)
{
    struct ctx *ctx = *state;
    struct http_response rs = {0};
    memcpy(ctx->request_id, "r1", 3);
    (void)ctx_fail(ctx, ERR_NOT_FOUND, "secret details");
    json_body_error(ctx, ERR_NOT_FOUND, &rs);
    assert_int_equal(rs.status, 404);
    assert_string_equal(
        (const char *)rs.body.p,
        "{\"code\":\"ResourceNotFound\",\"message\":\"There is no such thing here.\","
        "\"requestId\":\"r1\"}");
    assert_null(http_response_find(&rs, "Retry-After"));

    ctx_forgive(ctx);
    memset(&rs, 0, sizeof(rs));
    (void)ctx_refuse(ctx, "username", "must be <short>");
    json_body_error(ctx, ERR_INVALID, &rs);
    assert_string_equal(
        (const char *)rs.body.p,
        "{\"code\":\"InvalidArgument\",\"message\":\"username: must be \\u003cshort\\u003e\","
        "\"requestId\":\"r1\",\"field\":\"username\"}");

    ctx_forgive(ctx);
    memset(&rs, 0, sizeof(rs));
    (void)ctx_fail(ctx, ERR_CONFLICT, "secret details");
    ctx->why.code = "NameTaken";
    json_body_error(ctx, ERR_CONFLICT, &rs);
    assert_int_equal(rs.status, 409);
    assert_string_equal((const char *)rs.body.p,
                        "{\"code\":\"NameTaken\",\"message\":\"It exists already or has changed.\","
                        "\"requestId\":\"r1\"}");

    ctx_forgive(ctx);
    memset(&rs, 0, sizeof(rs));
    ctx->retry_after_s = 7;
    json_body_error(ctx, ERR_UNAVAILABLE, &rs);
    assert_string_equal(http_response_find(&rs, "Retry-After"), "7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_CTX(only_one_strict_object_is_a_body),
        UNIT_WITH_CTX(the_reason_of_a_refusal_quotes_nothing),
        UNIT_WITH_CTX(a_text_with_a_nul_is_named),
        UNIT_WITH_CTX(deep_nesting_is_refused),
        UNIT_WITH_CTX(members_are_text_or_nothing),
        UNIT_WITH_CTX(values_are_printed_compactly_within_a_limit),
        UNIT_WITH_CTX(errors_have_code_message_request_id_and_field),
    };
    json_body_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
