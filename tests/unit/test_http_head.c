/* SPDX-License-Identifier: MIT
 *
 * The head of a request: one reading or a refusal. */
#include "http/http_head.h"

#include "http/http_server.h"

#include "http_fixture.h"

static void targets_become_paths_and_queries(void **state)
{
    static const struct {
        const char *target;
        enum err err;
        const char *path; /* decoded */
        const char *raw_path;
        const char *raw_query;
    } rows[] = {
        {"/", ERR_OK, "/", "/", ""},
        {"/a?b=c?d", ERR_OK, "/a", "/a", "b=c?d"},
        {"/a?", ERR_OK, "/a", "/a", ""},
        {"/a%2Fb%20c", ERR_OK, "/a/b c", "/a%2Fb%20c", ""},
        {"/%C3%BC", ERR_OK, "/\xC3\xBC", "/%C3%BC", ""},
        {"http://h/a?b", ERR_OK, "/a", "/a", "b"},
        {"HTTPS://h:1/a", ERR_OK, "/a", "/a", ""},
        {"http://h", ERR_OK, "/", "/", ""},
        {"http://h?a", ERR_OK, "/", "/", "a"},
        {"//h/a", ERR_OK, "//h/a", "//h/a", ""},
        {"", ERR_INVALID, NULL, NULL, NULL},
        {"a", ERR_INVALID, NULL, NULL, NULL},
        {"*", ERR_INVALID, NULL, NULL, NULL},
        {"h:443", ERR_INVALID, NULL, NULL, NULL},
        {"ftp://h/", ERR_INVALID, NULL, NULL, NULL},
        {"/a b", ERR_INVALID, NULL, NULL, NULL},
        {"/a\tb", ERR_INVALID, NULL, NULL, NULL},
        {"/a\x7f", ERR_INVALID, NULL, NULL, NULL},
        {"/%FF", ERR_INVALID, NULL, NULL, NULL},
        {"/\xFF", ERR_INVALID, NULL, NULL, NULL},
        {"/%00", ERR_INVALID, NULL, NULL, NULL},
        {"/%", ERR_INVALID, NULL, NULL, NULL},
        {"/a#b", ERR_INVALID, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct http_request rq = {0};
        struct http_head head = {.rq = &rq};
        assert_int_equal(http_head_target(*state, &head, "GET", rows[i].target), rows[i].err);
        if (rows[i].err)
            continue;
        assert_string_equal(rq.path, rows[i].path);
        assert_string_equal(head.raw_path, rows[i].raw_path);
        assert_string_equal(head.raw_query, rows[i].raw_query);
        assert_int_equal(rq.target[0], '/');
    }
}

static void a_target_has_a_greatest_length_and_pieces(void **state)
{
    char target[HTTP_TARGET_MAX_BYTES + 2] = "/";
    struct http_request rq = {0};
    struct http_head head = {.rq = &rq};
    memset(target + 1, 'a', HTTP_TARGET_MAX_BYTES - 1);
    assert_int_equal(http_head_target(*state, &head, "GET", target), ERR_OK);
    target[HTTP_TARGET_MAX_BYTES] = 'a';
    assert_int_equal(http_head_target(*state, &head, "GET", target), ERR_TARGET_TOO_LONG);
    memset(target, 0, sizeof(target));
    target[0] = '/';
    target[1] = '?';
    memset(target + 2, '&', HTTP_QUERY_PIECES_MAX_COUNT);
    assert_int_equal(http_head_target(*state, &head, "GET", target), ERR_OK);
    target[2 + HTTP_QUERY_PIECES_MAX_COUNT] = '&';
    assert_int_equal(http_head_target(*state, &head, "GET", target), ERR_INVALID);
}

static void methods_are_tokens(void **state)
{
    static const struct {
        const char *method;
        enum err err;
        enum http_method parsed;
    } rows[] = {
        {"GET", ERR_OK, HTTP_GET},           {"get", ERR_OK, HTTP_OTHER},
        {"M-SEARCH", ERR_OK, HTTP_OTHER},    {"", ERR_INVALID, HTTP_GET},
        {"G(T", ERR_INVALID, HTTP_GET},      {"G\tT", ERR_INVALID, HTTP_GET},
        {"\xC3\xBC", ERR_INVALID, HTTP_GET},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct http_request rq = {0};
        struct http_head head = {.rq = &rq};
        assert_int_equal(http_head_target(*state, &head, rows[i].method, "/"), rows[i].err);
        if (!rows[i].err)
            assert_int_equal(rq.method, rows[i].parsed);
    }
}

/* A request's fields, and what comes of them. */
struct fields_row {
    const char *fields[4][2];
    enum err err;
};

static enum err take(struct ctx *ctx, struct http_head *head, const char *const fields[4][2])
{
    enum err err = http_head_target(ctx, head, "POST", "/");
    for (size_t i = 0; !err && i < 4 && fields[i][0]; i++)
        err = http_head_field(ctx, head, fields[i][0], fields[i][1], strlen(fields[i][1]));
    return err ? err : http_head_finish(ctx, head);
}

static void doubtful_heads_are_refused(void **state)
{
    static const struct fields_row rows[] = {
        {{{"Host", "a"}}, ERR_OK},
        {{{"hOST", "a.example:8080"}}, ERR_OK},
        {{{"Host", "[::1]:80"}}, ERR_OK},
        {{{"Host", "127.0.0.1"}}, ERR_OK},
        {{{"Host", "a:"}}, ERR_OK},
        {{{NULL, NULL}}, ERR_INVALID},
        {{{"Host", ""}}, ERR_INVALID},
        {{{"Host", ":80"}}, ERR_INVALID},
        {{{"Host", "a:b"}}, ERR_INVALID},
        {{{"Host", "a:123456"}}, ERR_INVALID},
        {{{"Host", "[::1"}}, ERR_INVALID},
        {{{"Host", "[]"}}, ERR_INVALID},
        {{{"Host", "user@a"}}, ERR_INVALID},
        {{{"Host", "a"}, {"Host", "a"}}, ERR_INVALID},
        {{{"Host", "a"}, {"Content-Length", "1"}}, ERR_OK},
        {{{"Host", "a"}, {"Content-Length", "1"}, {"content-length", "1"}}, ERR_INVALID},
        {{{"Host", "a"}, {"Content-Length", "+1"}}, ERR_INVALID},
        {{{"Host", "a"}, {"Content-Length", "1, 1"}}, ERR_INVALID},
        {{{"Host", "a"}, {"Content-Length", "1234567890123456789"}}, ERR_INVALID},
        {{{"Host", "a"}, {"Transfer-Encoding", "Chunked"}}, ERR_OK},
        {{{"Host", "a"}, {"Transfer-Encoding", "gzip, chunked"}}, ERR_INVALID},
        {{{"Host", "a"}, {"Transfer-Encoding", ""}}, ERR_INVALID},
        {{{"Host", "a"}, {"Transfer-Encoding", "chunked"}, {"Content-Length", "1"}}, ERR_INVALID},
        {{{"Host", "a"}, {"Transfer-Encoding", "chunked\xFF"}}, ERR_INVALID},
        {{{"Host", "a"}, {"X Y", "1"}}, ERR_INVALID},
        {{{"Host", "a"}, {"X ", "1"}}, ERR_INVALID},
        {{{"Host", "a"}, {"", "1"}}, ERR_INVALID},
        {{{"Host", "a"}, {"X", "a\x01"}}, ERR_INVALID},
        {{{"Host", "a"}, {"X", "a\rb"}}, ERR_INVALID},
        {{{"Host", "a"}, {"X", "a\tb"}}, ERR_OK},
        {{{"Host", "a"}, {"Cookie", "a=\xFF"}}, ERR_OK},
        {{{"Host", "a"}, {"Authorization", "\xFF"}}, ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct http_request rq = {0};
        struct http_head head = {.rq = &rq, .is_http_1_1 = true};
        enum err err = take(*state, &head, rows[i].fields);
        if (err != rows[i].err)
            print_error("row %zu\n", i);
        assert_int_equal(err, rows[i].err);
    }
}

static void fields_that_are_lists_are_joined(void **state)
{
    static const char *const fields[4][2] = {
        {"Host", "a"}, {"Cookie", "a=b "}, {"cookie", "c=d"}, {"Cookie", "\xFF"}};
    struct http_request rq = {0};
    struct http_head head = {.rq = &rq, .is_http_1_1 = true};
    assert_int_equal(take(*state, &head, fields), ERR_OK);
    assert_string_equal(rq.fields[HTTP_FIELD_COOKIE], "a=b; c=d");
    static const char *const forwarded[4][2] = {
        {"Host", "a"}, {"X-Forwarded-For", "1.1.1.1"}, {"X-Forwarded-For", "2.2.2.2"}};
    memset(&rq, 0, sizeof(rq));
    assert_int_equal(take(*state, &head, forwarded), ERR_OK);
    assert_string_equal(rq.fields[HTTP_FIELD_X_FORWARDED_FOR], "1.1.1.1, 2.2.2.2");
}

/* A client that keeps its body back keeps this memory. */
static void many_lines_of_a_list_take_little_more_than_they_are(void **state)
{
    enum { LINES_COUNT = 200, LINE_BYTES = 80 };
    struct ctx *ctx = *state;
    char line[LINE_BYTES + 1];
    struct http_request rq = {0};
    struct http_head head = {.rq = &rq, .is_http_1_1 = true};
    memset(line, 'x', LINE_BYTES);
    line[LINE_BYTES] = '\0';
    size_t before_bytes = ctx->arena.used_bytes;
    assert_int_equal(http_head_field(ctx, &head, "Host", "a", 1), ERR_OK);
    for (int i = 0; i < LINES_COUNT; i++) {
        assert_int_equal(http_head_field(ctx, &head, "Accept", line, LINE_BYTES), ERR_OK);
        assert_int_equal(http_head_field(ctx, &head, "Cookie", "a=b", 3), ERR_OK);
    }
    assert_int_equal(http_head_finish(ctx, &head), ERR_OK);
    assert_int_equal(strlen(rq.fields[HTTP_FIELD_ACCEPT]), LINES_COUNT * (LINE_BYTES + 2) - 2);
    assert_int_equal(strlen(rq.fields[HTTP_FIELD_COOKIE]), LINES_COUNT * 5 - 2);
    assert_true(ctx->arena.used_bytes - before_bytes < (size_t)4 * LINES_COUNT * LINE_BYTES);
}

static void framing_and_expectation_are_noted(void **state)
{
    static const char *const fields[4][2] = {
        {"Host", "a"}, {"Content-Length", "007"}, {"Expect", "100-Continue"}};
    static const char *const chunked[4][2] = {
        {"Host", "a"}, {"Transfer-Encoding", "chunked"}, {"Expect", "x"}};
    struct http_request rq = {0};
    struct http_head head = {.rq = &rq, .is_http_1_1 = true};
    assert_int_equal(take(*state, &head, fields), ERR_OK);
    assert_int_equal(head.framing.declared_bytes, 7);
    assert_true(head.framing.expects_continue);
    assert_false(head.framing.is_chunked);
    memset(&rq, 0, sizeof(rq));
    head = (struct http_head){.rq = &rq, .is_http_1_1 = true};
    assert_int_equal(take(*state, &head, chunked), ERR_OK);
    assert_int_equal(head.framing.declared_bytes, -1);
    assert_true(head.framing.is_chunked);
    assert_false(head.framing.expects_continue);
}

static void http_1_0_needs_no_host_and_has_no_chunks(void **state)
{
    static const char *const nothing[4][2] = {{NULL, NULL}};
    static const char *const chunked[4][2] = {{"Host", "a"}, {"Transfer-Encoding", "chunked"}};
    struct http_request rq = {0};
    struct http_head head = {.rq = &rq};
    assert_int_equal(take(*state, &head, nothing), ERR_OK);
    assert_int_equal(take(*state, &head, chunked), ERR_INVALID);
}

static void the_authority_of_the_target_counts_more_than_host(void **state)
{
    struct http_request rq = {0};
    struct http_head head = {.rq = &rq, .is_http_1_1 = true};
    assert_int_equal(http_head_target(*state, &head, "GET", "http://b:81/x"), ERR_OK);
    assert_int_equal(http_head_field(*state, &head, "Host", "a", 1), ERR_OK);
    assert_int_equal(http_head_finish(*state, &head), ERR_OK);
    assert_string_equal(rq.fields[HTTP_FIELD_HOST], "b:81");
}

/* Python's websocket-client sends the Origin that it makes besides the one that it is given. */
static void the_same_origin_twice_is_one_and_others_are_refused(void **state)
{
    static const struct {
        const char *first, *second;
        enum err err;
    } rows[] = {
        {"http://a:1", "http://a:1", ERR_OK},       {"http://a:1", "http://a:1 ", ERR_OK},
        {"http://a:1", "http://a:12", ERR_INVALID}, {"http://a:12", "http://a:1", ERR_INVALID},
        {"http://a:1", "http://b:1", ERR_INVALID},  {"http://a:1", "", ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct http_request rq = {0};
        struct http_head head = {.rq = &rq, .is_http_1_1 = true};
        const char *first = rows[i].first, *second = rows[i].second;
        assert_int_equal(http_head_field(*state, &head, "Origin", first, strlen(first)), ERR_OK);
        assert_int_equal(http_head_field(*state, &head, "Origin", second, strlen(second)),
                         rows[i].err);
        assert_string_equal(rq.fields[HTTP_FIELD_ORIGIN], first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_CTX(the_same_origin_twice_is_one_and_others_are_refused),
        UNIT_WITH_CTX(targets_become_paths_and_queries),
        UNIT_WITH_CTX(a_target_has_a_greatest_length_and_pieces),
        UNIT_WITH_CTX(methods_are_tokens),
        UNIT_WITH_CTX(doubtful_heads_are_refused),
        UNIT_WITH_CTX(fields_that_are_lists_are_joined),
        UNIT_WITH_CTX(many_lines_of_a_list_take_little_more_than_they_are),
        UNIT_WITH_CTX(framing_and_expectation_are_noted),
        UNIT_WITH_CTX(http_1_0_needs_no_host_and_has_no_chunks),
        UNIT_WITH_CTX(the_authority_of_the_target_counts_more_than_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
