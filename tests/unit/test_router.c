/* SPDX-License-Identifier: MIT
 *
 * Finding routes, and finding faults of a table. */
#include "http/router.h"

#include "http_fixture.h"

static enum err
nothing(struct app *app, struct ctx *ctx, const struct http_request *rq, struct http_response *rs)
{
    (void)app;
    (void)ctx;
    (void)rq;
    (void)rs;
    return ERR_OK;
}

static bool
nowhere(struct app *app, struct ctx *ctx, const struct http_request *rq, struct http_response *rs)
{
    (void)app;
    (void)ctx;
    (void)rq;
    (void)rs;
    return false;
}

/* Everything right but for one thing. */
#define CACHED_ROW(verb, who, where)                                            \
    {                                                                           \
        .method = HTTP_##verb, .pattern = "/a", .protection = PROTECTION_##who, \
        .lane = LANE_##where, .cached = nowhere, .handler = nothing             \
    }

#define ROW(verb, path)                                                          \
    {                                                                            \
        .method = HTTP_##verb, .pattern = (path), .protection = PROTECTION_NONE, \
        .lane = LANE_LOOP, .handler = nothing                                    \
    }

static const struct route table[] = {
    ROW(GET, "/"),
    ROW(GET, "/notes/view"),
    ROW(POST, "/notes/view"),
    ROW(GET, "/find/:name"),
    ROW(DELETE, "/destroy/:name"),
    ROW(GET, "/both/:one/of/:two"),
    ROW(GET, "/assets/*rest"),
};
static const struct router router = {.routes = table, .count = ARRAY_COUNT(table)};

static const struct find_row {
    enum http_method method;
    const char *path;
    enum err err;
    const char *pattern;
    const char *first;
    const char *second;
} find_rows[] = {
    {HTTP_GET, "/", ERR_OK, "/", NULL, NULL},
    {HTTP_HEAD, "/", ERR_OK, "/", NULL, NULL},
    {HTTP_GET, "/notes/view", ERR_OK, "/notes/view", NULL, NULL},
    {HTTP_POST, "/notes/view", ERR_OK, "/notes/view", NULL, NULL},
    {HTTP_PUT, "/notes/view", ERR_METHOD, NULL, NULL, NULL},
    {HTTP_POST, "/", ERR_METHOD, NULL, NULL, NULL},
    {HTTP_HEAD, "/destroy/a", ERR_METHOD, NULL, NULL, NULL},
    {HTTP_OTHER, "/find/a", ERR_METHOD, NULL, NULL, NULL},
    {HTTP_GET, "/find/me", ERR_OK, "/find/:name", "me", NULL},
    {HTTP_GET, "/find/a%2Fb", ERR_OK, "/find/:name", "a/b", NULL},
    {HTTP_GET, "/find/J%C3%BCrgen", ERR_OK, "/find/:name", "J\xC3\xBCrgen", NULL},
    {HTTP_GET, "/find/a+b", ERR_OK, "/find/:name", "a+b", NULL},
    {HTTP_GET, "/find/%FF", ERR_INVALID, NULL, NULL, NULL},
    {HTTP_GET, "/find/%00", ERR_INVALID, NULL, NULL, NULL},
    {HTTP_GET, "/find/%", ERR_INVALID, NULL, NULL, NULL},
    {HTTP_GET, "/find/", ERR_NOT_FOUND, NULL, NULL, NULL},
    {HTTP_GET, "/find", ERR_NOT_FOUND, NULL, NULL, NULL},
    {HTTP_GET, "/find/a/", ERR_NOT_FOUND, NULL, NULL, NULL},
    {HTTP_GET, "/find/a/b", ERR_NOT_FOUND, NULL, NULL, NULL},
    {HTTP_GET, "/both/a/of/b", ERR_OK, "/both/:one/of/:two", "a", "b"},
    {HTTP_GET, "/both/a/or/b", ERR_NOT_FOUND, NULL, NULL, NULL},
    {HTTP_GET, "/assets/a/b.css", ERR_OK, "/assets/*rest", "a/b.css", NULL},
    {HTTP_GET, "/assets/", ERR_NOT_FOUND, NULL, NULL, NULL},
    {HTTP_GET, "/assets", ERR_NOT_FOUND, NULL, NULL, NULL},
    {HTTP_GET, "//", ERR_NOT_FOUND, NULL, NULL, NULL},
    {HTTP_GET, "/Notes/view", ERR_NOT_FOUND, NULL, NULL, NULL},
    {HTTP_GET, "/notes%2Fview", ERR_NOT_FOUND, NULL, NULL, NULL},
    {HTTP_GET, "/notes/vie%77", ERR_NOT_FOUND, NULL, NULL, NULL},
    {HTTP_GET, "/notes//view", ERR_NOT_FOUND, NULL, NULL, NULL},
    {HTTP_GET, "/notes/view/", ERR_NOT_FOUND, NULL, NULL, NULL},
    {HTTP_GET, "/notes", ERR_NOT_FOUND, NULL, NULL, NULL},
    {HTTP_GET, "", ERR_NOT_FOUND, NULL, NULL, NULL},
    {HTTP_GET, "*", ERR_NOT_FOUND, NULL, NULL, NULL},
};

static void paths_find_their_row_and_parameters(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(find_rows); i++) {
        struct http_request rq = {.method = find_rows[i].method};
        assert_int_equal(router_find(&router, *state, find_rows[i].path, &rq), find_rows[i].err);
        if (find_rows[i].err) {
            assert_null(rq.route);
            continue;
        }
        assert_string_equal(rq.route->pattern, find_rows[i].pattern);
        const char *wanted[] = {find_rows[i].first, find_rows[i].second};
        for (size_t p = 0; p < ARRAY_COUNT(wanted); p++) {
            if (wanted[p])
                assert_string_equal(rq.params[p], wanted[p]);
            else
                assert_null(rq.params[p]);
        }
    }
}

static void allow_lists_the_methods_of_a_path(void **state)
{
    assert_string_equal(router_allow(&router, *state, "/notes/view"), "GET, HEAD, POST");
    assert_string_equal(router_allow(&router, *state, "/destroy/x"), "DELETE");
    assert_string_equal(router_allow(&router, *state, "/none"), "");
}

static void faults_of_a_table_are_told(void **state)
{
    static const struct {
        struct route rows[2];
        const char *text; /* NULL: no fault */
    } tables[] = {
        {{ROW(GET, "/a"), ROW(POST, "/a")}, NULL},
        {{ROW(GET, "/a/:x"), ROW(GET, "/b/:x")}, NULL},
        {{ROW(GET, "/a/:x"), ROW(GET, "/a/:x/b")}, NULL},
        {{ROW(GET, "/a"), ROW(GET, "/a")}, "another row"},
        {{ROW(GET, "/a/:x"), ROW(GET, "/a/b")}, "another row"},
        {{ROW(GET, "/a/*x"), ROW(GET, "/a/b/c")}, "another row"},
        {{ROW(GET, "/:x/b"), ROW(GET, "/a/:y")}, "another row"},
        {{ROW(GET, "a"), ROW(GET, "/b")}, "slash"},
        {{ROW(GET, NULL), ROW(GET, "/b")}, "slash"},
        {{ROW(GET, "/:"), ROW(GET, "/b/c")}, "no name"},
        {{ROW(GET, "/:A"), ROW(GET, "/b/c")}, "no name"},
        {{ROW(GET, "/*x/b"), ROW(GET, "/b")}, "takes the rest"},
        {{ROW(GET, "/a:x"), ROW(GET, "/b")}, "special character"},
        {{ROW(GET, "/:a/:b/:c"), ROW(GET, "/b")}, "too many parameters"},
        {{ROW(HEAD, "/a"), ROW(GET, "/b")}, "can't have a row"},
        {{ROW(GET, "/b"),
          {.method = HTTP_GET, .pattern = "/a", .lane = LANE_LOOP, .handler = nothing}},
         "protection is not stated"},
        {{ROW(GET, "/b"),
          {.method = HTTP_GET, .pattern = "/a", .protection = PROTECTION_NONE, .handler = nothing}},
         "lane is not stated"},
        {{ROW(GET, "/b"),
          {.method = HTTP_GET, .pattern = "/a", .protection = PROTECTION_NONE, .lane = LANE_LOOP}},
         "no handler"},
        {{ROW(GET, "/b"),
          {.method = HTTP_GET,
           .pattern = "/a",
           .protection = PROTECTION_SESSION,
           .lane = LANE_LOOP,
           .handler = nothing}},
         "needs I/O"},
        {{ROW(GET, "/b"),
          {.method = HTTP_POST,
           .pattern = "/a",
           .protection = PROTECTION_NONE,
           .lane = LANE_LOOP,
           .body_type = BODY_JSON,
           .handler = nothing}},
         "no limit"},
    };
    (void)state;
    assert_null(router_fault(&router));
    for (size_t i = 0; i < ARRAY_COUNT(tables); i++) {
        const struct router two = {.routes = tables[i].rows, .count = 2};
        const char *fault = router_fault(&two);
        if (!tables[i].text) {
            assert_null(fault);
            continue;
        }
        assert_non_null(fault);
        assert_non_null(strstr(fault, tables[i].text));
    }
}

static void a_cache_answers_only_what_everybody_may_read_before_a_worker(void **state)
{
    static const struct route right = CACHED_ROW(GET, VIEWER, WORKER);
    static const struct route wrong[] = {
        CACHED_ROW(POST, VIEWER, WORKER),
        CACHED_ROW(GET, SESSION, WORKER),
        CACHED_ROW(GET, NONE, LOOP),
        CACHED_ROW(GET, VIEWER, SLOW),
    };
    (void)state;
    assert_null(router_fault(&(struct router){.routes = &right, .count = 1}));
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        const char *fault = router_fault(&(struct router){.routes = &wrong[i], .count = 1});
        assert_non_null(fault);
        assert_non_null(strstr(fault, "a cache can answer"));
    }
}

static void the_service_key_is_not_looked_at_on_the_loop(void **state)
{
    static const struct route row = {.method = HTTP_GET,
                                     .pattern = "/a",
                                     .protection = PROTECTION_SERVICE_KEY,
                                     .lane = LANE_LOOP,
                                     .handler = nothing};
    const struct router one = {.routes = &row, .count = 1};
    (void)state;
    assert_non_null(strstr(router_fault(&one), "needs I/O"));
}

static void no_row_states_the_lane_of_large_bodies(void **state)
{
    static const struct route row = {.method = HTTP_GET,
                                     .pattern = "/a",
                                     .protection = PROTECTION_NONE,
                                     .lane = LANE_LARGE,
                                     .handler = nothing};
    const struct router one = {.routes = &row, .count = 1};
    (void)state;
    assert_non_null(strstr(router_fault(&one), "which body is large"));
}

static void the_table_is_printed_a_line_a_row(void **state)
{
    static const struct route rows[] = {
        ROW(GET, "/"),
        CACHED_ROW(GET, VIEWER, WORKER),
        {.method = HTTP_POST,
         .pattern = "/a/:b",
         .protection = PROTECTION_API_KEY,
         .lane = LANE_SLOW,
         .body_type = BODY_JSON,
         .body_max_bytes = 100,
         .handler = nothing},
        {.method = HTTP_DELETE,
         .pattern = "/a/:b",
         .protection = PROTECTION_SERVICE_KEY,
         .lane = LANE_WORKER,
         .handler = nothing},
    };
    const struct router four = {.routes = rows, .count = ARRAY_COUNT(rows)};
    char text[512] = "";
    (void)state;
    FILE *out = fmemopen(text, sizeof(text), "w");
    assert_non_null(out);
    router_print(out, &four);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "# METHOD PATTERN PROTECTION LANE BODY_MAX_BYTES\n"
                              "GET / none loop 65536\n"
                              "GET /a viewer cache+worker 65536\nPOST /a/:b api-key slow 100\n"
                              "DELETE /a/:b service-key worker 65536\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_CTX(paths_find_their_row_and_parameters),
        UNIT_WITH_CTX(allow_lists_the_methods_of_a_path),
        UNIT(faults_of_a_table_are_told),
        UNIT(a_cache_answers_only_what_everybody_may_read_before_a_worker),
        UNIT(the_service_key_is_not_looked_at_on_the_loop),
        UNIT(no_row_states_the_lane_of_large_bodies),
        UNIT(the_table_is_printed_a_line_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
