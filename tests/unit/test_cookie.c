/* SPDX-License-Identifier: MIT
 *
 * Cookies in and out. */
#include "http/cookie.h"

#include "http/http_message.h"

#include "http_fixture.h"

static void the_cookie_of_the_name_is_found_and_two_that_differ_are_none(void **state)
{
    static const struct {
        const char *field;
        const char *value; /* of "id" */
    } rows[] = {
        {NULL, NULL},           {"", NULL},
        {"id=1", "1"},          {"id=", ""},
        {"a=b; id=1", "1"},     {"a=b;id=1;c=d", "1"},
        {"  id=1  ; c=d", "1"}, {"id=1; id=1", "1"},
        {"xid=1", NULL},        {"id2=1", NULL},
        {"ID=1", NULL},         {"id", NULL},
        {"id ; id=2", "2"},     {"id=a=b", "a=b"},
        {"id=a b", NULL},       {"id=\"1\"", NULL},
        {"id=a,b", NULL},       {"id=\xC3\xBC", NULL},
        {";;; id=1;", "1"},     {"id=1; id=2", NULL},
        {"id=1; id=12", NULL},  {"id=1; a=b; id=1; id=", NULL},
        {"id=a b; id=1", NULL}, {"id=1; id=a b", NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct http_request rq = {.fields[HTTP_FIELD_COOKIE] = rows[i].field};
        const char *value = cookie_get(*state, &rq, "id");
        if (rows[i].value) {
            assert_non_null(value);
            assert_string_equal(value, rows[i].value);
        } else {
            assert_null(value);
        }
    }
}

static void an_over_long_cookie_counts_as_absent(void **state)
{
    char field[COOKIE_VALUE_MAX_BYTES + 8] = "id=";
    struct http_request rq = {.fields[HTTP_FIELD_COOKIE] = field};
    memset(field + 3, 'x', COOKIE_VALUE_MAX_BYTES);
    assert_non_null(cookie_get(*state, &rq, "id"));
    field[3 + COOKIE_VALUE_MAX_BYTES] = 'x';
    assert_null(cookie_get(*state, &rq, "id"));
}

static void cookies_are_written_with_their_attributes(void **state)
{
    static const struct {
        struct cookie cookie;
        const char *field;
    } rows[] = {
        {{.name = "a", .value = "b", .path = "/", .max_age_s = -1},
         "a=b; Path=/; HttpOnly; SameSite=Lax"},
        {{.name = "a", .value = "b", .path = "/x", .max_age_s = 600, .is_secure = true},
         "a=b; Path=/x; Max-Age=600; HttpOnly; SameSite=Lax; Secure"},
        {{.name = "a", .value = "", .path = "/", .max_age_s = 0, .is_same_site_strict = true},
         "a=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"},
        {{.name = "a", .value = NULL, .path = NULL, .max_age_s = -1},
         "a=; Path=/; HttpOnly; SameSite=Lax"},
        {{.name = "a", .value = "b; Domain=evil", .path = "/", .max_age_s = -1},
         "a=; Path=/; HttpOnly; SameSite=Lax"},
        {{.name = "a", .value = "b\r\nX: 1", .path = "/", .max_age_s = -1},
         "a=; Path=/; HttpOnly; SameSite=Lax"},
        {{.name = "a", .value = "b", .path = "/;x", .max_age_s = -1},
         "a=b; Path=/; HttpOnly; SameSite=Lax"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct http_response rs = {0};
        cookie_set(*state, &rs, &rows[i].cookie);
        assert_int_equal(rs.fields_count, 1);
        assert_string_equal(rs.fields[0].name, "Set-Cookie");
        assert_string_equal(rs.fields[0].value, rows[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_CTX(the_cookie_of_the_name_is_found_and_two_that_differ_are_none),
        UNIT_WITH_CTX(an_over_long_cookie_counts_as_absent),
        UNIT_WITH_CTX(cookies_are_written_with_their_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
