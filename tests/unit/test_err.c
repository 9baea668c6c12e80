/* SPDX-License-Identifier: MIT
 *
 * The error table: what clients of the Node version rely on. */
#include "base/err.h"

#include "unit.h"

struct row {
    enum err err;
    const char *name;
    int status;
    const char *code;
};

static const struct row rows[] = {
    {ERR_OK, "OK", 200, "OK"},
    {ERR_INVALID, "INVALID", 400, "InvalidArgument"},
    {ERR_UNAUTHENTICATED, "UNAUTHENTICATED", 401, "InvalidCredentials"},
    {ERR_FORBIDDEN, "FORBIDDEN", 403, "NotAuthorized"},
    {ERR_NOT_FOUND, "NOT_FOUND", 404, "ResourceNotFound"},
    {ERR_METHOD, "METHOD", 405, "MethodNotAllowed"},
    {ERR_TIMEOUT, "TIMEOUT", 408, "RequestTimeout"},
    {ERR_CONFLICT, "CONFLICT", 409, "Conflict"},
    {ERR_PRECONDITION, "PRECONDITION", 412, "PreconditionFailed"},
    {ERR_TOO_LARGE, "TOO_LARGE", 413, "PayloadTooLarge"},
    {ERR_TARGET_TOO_LONG, "TARGET_TOO_LONG", 414, "UriTooLong"},
    {ERR_MEDIA_TYPE, "MEDIA_TYPE", 415, "UnsupportedMediaType"},
    {ERR_RATE_LIMITED, "RATE_LIMITED", 429, "TooManyRequests"},
    {ERR_INTERNAL, "INTERNAL", 500, "InternalError"},
    {ERR_UNAVAILABLE, "UNAVAILABLE", 503, "ServiceUnavailable"},
};

static void each_code_has_its_name_status_and_public_code(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_COUNT(rows), ERR_COUNT);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        assert_string_equal(err_name(rows[i].err), rows[i].name);
        assert_int_equal(err_status(rows[i].err), rows[i].status);
        assert_string_equal(err_code(rows[i].err), rows[i].code);
    }
}

static void each_public_text_is_a_sentence(void **state)
{
    (void)state;
    for (int err = 0; err < ERR_COUNT; err++) {
        const char *text = err_text((enum err)err);
        assert_true(text[0] >= 'A' && text[0] <= 'Z');
        assert_int_equal(text[strlen(text) - 1], '.');
    }
}

static void a_number_outside_the_table_answers_as_internal(void **state)
{
    (void)state;
    assert_int_equal(err_status(ERR_COUNT), 500);
    assert_string_equal(err_name((enum err)1000), "INTERNAL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(each_code_has_its_name_status_and_public_code),
        UNIT(each_public_text_is_a_sentence),
        UNIT(a_number_outside_the_table_answers_as_internal),
    };
    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
