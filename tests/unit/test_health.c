/* SPDX-License-Identifier: MIT
 *
 * What /healthz and /readyz answer in each state. */
#include "unit.h"

#include "base/ctx.h"
#include "http/http_message.h"
#include "service/health.h"

#define BUDGET_MS 10000

static void check_answer(const struct http_response *rs, int status, const char *json)
{
    assert_int_equal(rs->status, status);
    assert_int_equal(rs->body.n, strlen(json));
    assert_memory_equal(rs->body.p, json, rs->body.n);
    assert_string_equal(http_response_find(rs, "Content-Type"), "application/json");
    assert_string_equal(http_response_find(rs, "Cache-Control"), "no-store");
}

static void a_process_that_runs_is_alive_in_every_state(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    struct http_response rs = {0};
    assert_int_equal(health_live(&ctx, &rs), ERR_OK);
    check_answer(&rs, 200, "{\"status\":\"ok\"}");
}

static void only_a_started_service_that_does_not_drain_is_ready(void **state)
{
    (void)state;
    static const struct {
        enum health_state state;
        int status;
        const char *json;
    } rows[] = {
        {HEALTH_STARTING, 503, "{\"status\":\"starting\",\"dependencies\":{\"database\":\"ok\"}}"},
        {HEALTH_READY, 200, "{\"status\":\"ready\",\"dependencies\":{\"database\":\"ok\"}}"},
        {HEALTH_DRAINING, 503, "{\"status\":\"draining\",\"dependencies\":{\"database\":\"ok\"}}"},
    };
    struct health health = {.names = {"database"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP(ctx_done) struct ctx ctx;
        ctx_init(&ctx, NULL, BUDGET_MS);
        struct http_response rs = {0};
        health_set_state(&health, rows[i].state);
        assert_int_equal(health_ready(&ctx, &health, &rs), ERR_OK);
        check_answer(&rs, rows[i].status, rows[i].json);
    }
}

static void a_lost_dependency_is_told_but_the_service_stays_ready(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    struct health health = {.names = {"database", "userauth"}};
    health_set_state(&health, HEALTH_READY);
    struct http_response rs = {0};
    assert_true(health_note(&health, 1, HEALTH_LOST));
    assert_int_equal(health_ready(&ctx, &health, &rs), ERR_OK);
    check_answer(
        &rs, 200,
        "{\"status\":\"ready\",\"dependencies\":{\"database\":\"ok\",\"userauth\":\"lost\"}}");
}

static void one_that_refuses_us_is_told_by_a_word_of_its_own(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    struct health health = {.names = {"userauth"}};
    health_set_state(&health, HEALTH_READY);
    struct http_response rs = {0};
    assert_true(health_note(&health, 0, HEALTH_REFUSED));
    assert_int_equal(health_ready(&ctx, &health, &rs), ERR_OK);
    check_answer(&rs, 200, "{\"status\":\"ready\",\"dependencies\":{\"userauth\":\"refused\"}}");
}

static void a_service_without_dependencies_and_one_with_the_most_are_both_told(void **state)
{
    (void)state;
    CLEANUP(ctx_done) struct ctx ctx;
    ctx_init(&ctx, NULL, BUDGET_MS);
    struct health none = {0};
    struct http_response rs = {0};
    health_set_state(&none, HEALTH_READY);
    assert_int_equal(health_ready(&ctx, &none, &rs), ERR_OK);
    check_answer(&rs, 200, "{\"status\":\"ready\",\"dependencies\":{}}");
    struct health most = {.names = {"a", "b", "c", "d"}};
    rs = (struct http_response){0};
    health_set_state(&most, HEALTH_READY);
    assert_true(health_note(&most, HEALTH_DEPENDENCIES_MAX_COUNT - 1, HEALTH_LOST));
    assert_int_equal(health_ready(&ctx, &most, &rs), ERR_OK);
    check_answer(&rs, 200,
                 "{\"status\":\"ready\",\"dependencies\":"
                 "{\"a\":\"ok\",\"b\":\"ok\",\"c\":\"ok\",\"d\":\"lost\"}}");
}

static void only_a_change_is_worth_a_log_line(void **state)
{
    (void)state;
    static const struct {
        enum health_dependency state;
        bool is_change;
    } rows[] = {{HEALTH_OK, false}, {HEALTH_LOST, true},    {HEALTH_LOST, false},
                {HEALTH_OK, true},  {HEALTH_REFUSED, true}, {HEALTH_REFUSED, false},
                {HEALTH_LOST, true}};
    struct health health = {.names = {"database"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_int_equal(health_note(&health, 0, rows[i].state), rows[i].is_change);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(a_process_that_runs_is_alive_in_every_state),
        UNIT(only_a_started_service_that_does_not_drain_is_ready),
        UNIT(a_lost_dependency_is_told_but_the_service_stays_ready),
        UNIT(one_that_refuses_us_is_told_by_a_word_of_its_own),
        UNIT(a_service_without_dependencies_and_one_with_the_most_are_both_told),
        UNIT(only_a_change_is_worth_a_log_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
