/* SPDX-License-Identifier: MIT
 *
 * The context: the first cause stays, what a client may see is apart, request ids differ. */
#include "base/ctx.h"

#include "base/clock.h"
#include "base/text.h"

#include "unit.h"

static int ctx_new(void **state)
{
    struct ctx *ctx = malloc(sizeof(*ctx));
    if (!ctx)
        return -1;
    memset(ctx, 0xA5, sizeof(*ctx));
    ctx_init(ctx, NULL, 5000);
    *state = ctx;
    return 0;
}

static int ctx_free(void **state)
{
    ctx_done(*state);
    free(*state);
    return 0;
}

static void a_fresh_context_has_nothing_but_an_id_and_a_deadline(void **state)
{
    const struct ctx *ctx = *state;
    assert_true(strlen(ctx->request_id) > 0 && strlen(ctx->request_id) <= REQUEST_ID_MAX_CHARS);
    assert_true(ctx_left_ms(ctx) > 0 && ctx_left_ms(ctx) <= 5000);
    assert_string_equal(ctx->why.text, "");
    assert_null(ctx->why.file);
    assert_null(ctx->why.field);
    assert_null(ctx->why.hint);
    assert_null(ctx->user);
    assert_null(ctx->peer);
    assert_null(ctx->db);
    assert_null(ctx->http);
    assert_null(ctx->redis);
    assert_null(ctx->log);
    assert_int_equal(ctx->retry_after_s, 0);
}

static void request_ids_differ(void **state)
{
    const struct ctx *ctx = *state;
    struct ctx other;
    ctx_init(&other, NULL, 0);
    assert_string_not_equal(ctx->request_id, other.request_id);
    ctx_done(&other);
}

static void a_passed_deadline_leaves_nothing(void **state)
{
    struct ctx *ctx = *state;
    ctx->deadline_ms = clock_monotonic_ms() - 1;
    assert_int_equal(ctx_left_ms(ctx), 0);
}

static void the_first_cause_stays(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(ctx_fail(ctx, ERR_UNAVAILABLE, "disk %d", 7), ERR_UNAVAILABLE);
    int line = ctx->why.line;
    assert_int_equal(ctx_fail(ctx, ERR_INTERNAL, "later"), ERR_INTERNAL);
    assert_int_equal(ctx_refuse(ctx, "title", "Too long."), ERR_INVALID);
    assert_string_equal(ctx->why.text, "disk 7");
    assert_int_equal(ctx->why.line, line);
    assert_null(ctx->why.field);
    assert_true(text_ends_with(ctx->why.file, "test_ctx.c"));
}

static void a_refusal_names_the_field_and_a_hint(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(ctx_refuse(ctx, "title", "A title is needed."), ERR_INVALID);
    assert_string_equal(ctx->why.field, "title");
    assert_string_equal(ctx->why.hint, "A title is needed.");
    assert_string_equal(ctx->why.text, "title: A title is needed.");
}

static void a_refusal_without_field_and_hint_still_has_a_cause(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(ctx_refuse(ctx, NULL, NULL), ERR_INVALID);
    assert_string_not_equal(ctx->why.text, "");
}

static void an_empty_cause_is_named_after_its_code(void **state)
{
    struct ctx *ctx = *state;
    assert_int_equal(ctx_fail(ctx, ERR_CONFLICT, "%s", ""), ERR_CONFLICT);
    assert_string_equal(ctx->why.text, "CONFLICT");
}

static void a_long_cause_is_cut_between_characters(void **state)
{
    struct ctx *ctx = *state;
    for (int shift = 0; shift < 4; shift++) {
        char text[2000] = "";
        memset(text, 'x', (size_t)shift);
        for (size_t at = (size_t)shift; at + 5 < sizeof(text); at += 4)
            memcpy(text + at, "🐋", 5);
        ctx_forgive(ctx);
        (void)ctx_fail(ctx, ERR_INTERNAL, "%s", text);
        size_t size_bytes = strlen(ctx->why.text);
        assert_true(size_bytes > CTX_WHY_MAX_BYTES - 5 && size_bytes < CTX_WHY_MAX_BYTES);
        assert_true(text_is_utf8(ctx->why.text, size_bytes));
    }
}

static void a_forgiven_failure_leaves_no_trace(void **state)
{
    struct ctx *ctx = *state;
    (void)ctx_refuse(ctx, "title", "Too long.");
    ctx->retry_after_s = 5;
    ctx_forgive(ctx);
    assert_string_equal(ctx->why.text, "");
    assert_null(ctx->why.field);
    assert_null(ctx->why.hint);
    assert_int_equal(ctx->retry_after_s, 0);
    (void)ctx_fail(ctx, ERR_INTERNAL, "next");
    assert_string_equal(ctx->why.text, "next");
}

#define UNIT_WITH_CTX(test) cmocka_unit_test_setup_teardown(test, ctx_new, ctx_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_CTX(a_fresh_context_has_nothing_but_an_id_and_a_deadline),
        UNIT_WITH_CTX(request_ids_differ),
        UNIT_WITH_CTX(a_passed_deadline_leaves_nothing),
        UNIT_WITH_CTX(the_first_cause_stays),
        UNIT_WITH_CTX(a_refusal_names_the_field_and_a_hint),
        UNIT_WITH_CTX(a_refusal_without_field_and_hint_still_has_a_cause),
        UNIT_WITH_CTX(an_empty_cause_is_named_after_its_code),
        UNIT_WITH_CTX(a_long_cause_is_cut_between_characters),
        UNIT_WITH_CTX(a_forgiven_failure_leaves_no_trace),
    };
    return cmocka_run_group_tests_name("ctx", tests, NULL, NULL);
}
