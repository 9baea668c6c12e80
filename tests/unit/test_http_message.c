/* SPDX-License-Identifier: MIT
 *
 * Request fields that are lists, answers' fields, and the tables. */
#include "http/http_message.h"

#include "http_fixture.h"

static void names_and_flags_come_from_the_tables(void **state)
{
    (void)state;
    assert_int_equal(http_method_parse("GET"), HTTP_GET);
    assert_int_equal(http_method_parse("DELETE"), HTTP_DELETE);
    assert_int_equal(http_method_parse("get"), HTTP_OTHER);
    assert_int_equal(http_method_parse("OTHER"), HTTP_OTHER);
    assert_int_equal(http_method_parse(""), HTTP_OTHER);
    assert_string_equal(http_method_name(HTTP_PATCH), "PATCH");
    assert_false(http_method_is_unsafe(HTTP_GET));
    assert_false(http_method_is_unsafe(HTTP_OPTIONS));
    assert_true(http_method_is_unsafe(HTTP_POST));
    assert_true(http_method_is_unsafe(HTTP_OTHER));
    assert_string_equal(http_field_name(HTTP_FIELD_SEC_FETCH_SITE), "Sec-Fetch-Site");
    assert_true(http_field_is_single(HTTP_FIELD_HOST));
    assert_false(http_field_is_single(HTTP_FIELD_COOKIE));
    assert_string_equal(http_status_text(404), "Not Found");
    assert_string_equal(http_status_text(599), "Unknown");
}

static void json_is_wanted_by_those_who_name_it_and_not_html(void **state)
{
    static const struct {
        const char *accept;
        bool is_wanted;
    } rows[] = {
        {NULL, false},
        {"", false},
        {"*/*", false},
        {"application/json", true},
        {"APPLICATION/JSON;q=0.5", true},
        {"text/plain, application/json", true},
        {"application/json, text/html;q=0", true},
        {"application/json;q=0", false},
        {"application/json; q=0.000", false},
        {"text/html,application/json", false},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false},
        {"application/jsonx", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct http_request rq = {.fields[HTTP_FIELD_ACCEPT] = rows[i].accept};
        assert_int_equal(http_wants_json(&rq), rows[i].is_wanted);
    }
}

static void gzip_is_sent_to_those_who_take_it(void **state)
{
    static const struct {
        const char *codings;
        bool is_taken;
    } rows[] = {
        {NULL, false},
        {"", false},
        {"gzip", true},
        {"gzip, deflate, br", true},
        {"br;q=1, GZIP", true},
        {"gzip;q=0", false},
        {"gzip;q=0.0, *", false},
        {"*", true},
        {"*;q=0", false},
        {"identity", false},
        {"x-gzip", true},
        {"gzip;q=0.1", true},
        {"gzipped", false},
        {"deflate, br", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct http_request rq = {.fields[HTTP_FIELD_ACCEPT_ENCODING] = rows[i].codings};
        assert_int_equal(http_accepts_gzip(&rq), rows[i].is_taken);
    }
}

static void entity_tags_are_compared_weakly(void **state)
{
    static const struct {
        const char *sent;
        const char *etag;
        bool is_match;
    } rows[] = {
        {NULL, "\"a\"", false},
        {"", "\"a\"", false},
        {"\"a\"", "\"a\"", true},
        {"\"b\"", "\"a\"", false},
        {"\"b\", \"a\"", "\"a\"", true},
        {"W/\"a\"", "\"a\"", true},
        {"\"a\"", "W/\"a\"", true},
        {"*", "\"a\"", true},
        {"\"x, \\\"a\"", "\"a\"", false},
        {"\"b,\"a\"\"", "\"a\"", false},
        {"a", "\"a\"", false},
        {"\"A\"", "\"a\"", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct http_request rq = {.fields[HTTP_FIELD_IF_NONE_MATCH] = rows[i].sent};
        assert_int_equal(http_etag_matches(&rq, rows[i].etag), rows[i].is_match);
    }
}

static void a_content_type_is_compared_without_case_and_with_its_charset(void **state)
{
    static const struct {
        const char *type;
        enum err err;
    } rows[] = {
        {"application/json", ERR_OK},
        {"Application/JSON", ERR_OK},
        {"application/json; charset=utf-8", ERR_OK},
        {"application/json;charset=UTF-8", ERR_OK},
        {"application/json; charset=\"utf-8\"", ERR_OK},
        {"application/json ; x=y; Charset=utf8", ERR_OK},
        {"application/json; charset=latin1", ERR_MEDIA_TYPE},
        {"application/json; charset=", ERR_MEDIA_TYPE},
        {"application/jsonp", ERR_MEDIA_TYPE},
        {"text/plain", ERR_MEDIA_TYPE},
        {"", ERR_MEDIA_TYPE},
        {NULL, ERR_MEDIA_TYPE},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct http_request rq = {.fields[HTTP_FIELD_CONTENT_TYPE] = rows[i].type};
        assert_int_equal(http_content_type_is(*state, &rq, "application/json"), rows[i].err);
    }
}

static void a_field_of_an_answer_cant_inject_another(void **state)
{
    static const char *const values[] = {"a\r\nX: 1", "a\nb", "a\rb",    "\x7f",
                                         "\x01",      "a\tb", "\xC2\x85"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        struct http_response rs = {0};
        http_response_field(&rs, "X-Thing", values[i]);
        assert_string_equal(http_response_find(&rs, "x-thing"), "");
    }
}

static void fields_are_found_without_case_and_bounded(void **state)
{
    struct http_response rs = {0};
    (void)state;
    http_response_redirect(&rs, 302, "/users/login");
    assert_int_equal(rs.status, 302);
    assert_string_equal(http_response_find(&rs, "LOCATION"), "/users/login");
    assert_null(http_response_find(&rs, "Retry-After"));
    for (int i = 0; i < HTTP_RESPONSE_FIELDS_MAX_COUNT + 5; i++)
        http_response_field(&rs, "X-More", "1");
    assert_int_equal(rs.fields_count, HTTP_RESPONSE_FIELDS_MAX_COUNT);
}

static void a_text_is_an_answer_with_its_type(void **state)
{
    struct http_response rs = {0};
    (void)state;
    http_response_text(&rs, 201, "text/plain", "abc");
    assert_int_equal(rs.status, 201);
    assert_int_equal(rs.body.n, 3);
    assert_string_equal(http_response_find(&rs, "Content-Type"), "text/plain");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(names_and_flags_come_from_the_tables),
        UNIT(json_is_wanted_by_those_who_name_it_and_not_html),
        UNIT(gzip_is_sent_to_those_who_take_it),
        UNIT(entity_tags_are_compared_weakly),
        UNIT_WITH_CTX(a_content_type_is_compared_without_case_and_with_its_charset),
        UNIT(a_field_of_an_answer_cant_inject_another),
        UNIT(fields_are_found_without_case_and_bounded),
        UNIT(a_text_is_an_answer_with_its_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
