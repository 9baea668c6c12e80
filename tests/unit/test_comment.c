/* SPDX-License-Identifier: MIT
 *
 * What may be a comment, who may destroy it, its forms and its JSON. */
#include "comment/comment.h"

#include "unit.h"

#include "base/ctx.h"
#include "comment/comment_wire.h"
#include "http/form.h"
#include "http/http_message.h"

#define BUDGET_MS 60000

static char *repeat(struct arena *arena, const char *text, size_t count)
{
    size_t size_bytes = strlen(text);
    char *all = arena_take(arena, size_bytes * count + 1);
    for (size_t i = 0; i < count; i++)
        memcpy(all + i * size_bytes, text, size_bytes);
    return all;
}

static void message_is_checked(void **state)
{
    struct arena *arena = *state;
    const struct {
        const char *message;
        enum err wanted;
    } rows[] = {
        {"a", ERR_OK},
        {"two\n\n\tlines", ERR_OK},
        {repeat(arena, "\xF0\x9F\x90\xB3", COMMENT_MESSAGE_MAX_CHARS), ERR_OK},
        {repeat(arena, "a", COMMENT_MESSAGE_MAX_CHARS + 1), ERR_INVALID},
        {"", ERR_INVALID},
        {" \n\t\xE2\x80\x8B", ERR_INVALID},
        {"\x07", ERR_INVALID},
        {"a\rb", ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct ctx ctx;
        ctx_init(&ctx, NULL, BUDGET_MS);
        assert_int_equal(comment_message_check(&ctx, rows[i].message), rows[i].wanted);
        if (rows[i].wanted) {
            assert_string_equal(ctx.why.field, "message");
            assert_non_null(ctx.why.hint);
        }
        ctx_done(&ctx);
    }
}

static void author_and_note_author_may_destroy_and_nobody_else(void **state)
{
    static const struct {
        const char *user;
        const char *comment_author;
        const char *note_author;
        bool can_destroy;
    } rows[] = {
        {"me", "me", "you", true},   {"me", "you", "me", true},  {"me", "me", NULL, true},
        {"me", "you", "you", false}, {"me", "you", NULL, false}, {"me", "Me", "ME", false},
        {NULL, "me", "me", false},   {NULL, NULL, NULL, false},  {"me", NULL, NULL, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_int_equal(
            comment_can_destroy(rows[i].user, rows[i].comment_author, rows[i].note_author),
            rows[i].can_destroy);
}

static struct form parse(struct ctx *ctx, const char *text)
{
    struct form form;
    assert_int_equal(
        form_parse(ctx, (struct bytes){.p = (const unsigned char *)text, .n = strlen(text)}, &form),
        ERR_OK);
    return form;
}

static void forms_are_decoded(void **state)
{
    (void)state;
    struct ctx ctx;
    struct comment_typed typed;
    struct comment_named named;
    ctx_init(&ctx, NULL, BUDGET_MS);
    struct form form = parse(&ctx, "key=k+1&message=a%0D%0Ab&from=you");
    assert_int_equal(comment_typed_decode(&ctx, &form, &typed), ERR_OK);
    assert_string_equal(typed.note_key, "k 1");
    assert_string_equal(typed.message, "a\nb");
    form = parse(&ctx, "key=k&id=9223372036854775807");
    assert_int_equal(comment_named_decode(&ctx, &form, &named), ERR_OK);
    assert_string_equal(named.note_key, "k");
    assert_int_equal(named.id, INT64_MAX);
    ctx_done(&ctx);
}

static void broken_forms_are_refused_and_write_nothing(void **state)
{
    static const struct {
        const char *text;
        bool is_typed; /* which decoder */
    } rows[] = {
        {"", true},
        {"key=k", true},
        {"message=m", true},
        {"key=k&key=k&message=m", true},
        {"", false},
        {"key=k", false},
        {"id=1", false},
        {"key=k&id=0", false},
        {"key=k&id=-1", false},
        {"key=k&id=", false},
        {"key=k&id=%201", false},
        {"key=k&id=1&id=1", false},
        {"key=k&id=9223372036854775808", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct ctx ctx;
        struct comment_typed typed = {.note_key = "same"};
        struct comment_named named = {.note_key = "same"};
        ctx_init(&ctx, NULL, BUDGET_MS);
        struct form form = parse(&ctx, rows[i].text);
        enum err err = rows[i].is_typed ? comment_typed_decode(&ctx, &form, &typed)
                                        : comment_named_decode(&ctx, &form, &named);
        assert_int_equal(err, ERR_INVALID);
        assert_string_equal(typed.note_key, "same");
        assert_string_equal(named.note_key, "same");
        ctx_done(&ctx);
    }
}

static void json_is_what_the_script_reads(void **state)
{
    (void)state;
    struct ctx ctx;
    struct http_response rs = {0};
    ctx_init(&ctx, NULL, BUDGET_MS);
    struct comment comment = {
        .id = 7, .author = "me \"x\"", .message = "</a>\n\xC3\xA4", .made_unix_ms = 1000};
    assert_int_equal(comment_answer_json(&ctx, &rs, &comment, 42), ERR_OK);
    assert_string_equal(
        (const char *)rs.body.p,
        "{\"id\":7,\"from\":\"me \\\"x\\\"\",\"message\":\"\\u003c/a\\u003e\\n\xC3\xA4\","
        "\"timestamp\":\"1970-01-01T00:00:01.000Z\",\"canDestroy\":true,\"revision\":42}");
    assert_int_equal(rs.body.n, strlen((const char *)rs.body.p));
    assert_int_equal(rs.status, 200);
    assert_string_equal(http_response_find(&rs, "Content-Type"), "application/json");
    assert_string_equal(http_response_find(&rs, "Cache-Control"), "no-store");
    ctx_done(&ctx);
}

static void longest_comment_fits_its_json(void **state)
{
    (void)state;
    struct ctx ctx;
    struct http_response rs = {0};
    ctx_init(&ctx, NULL, BUDGET_MS);
    struct comment comment = {
        .id = INT64_MAX,
        .author = repeat(&ctx.arena, "<", 64),
        .message = repeat(&ctx.arena, "<", COMMENT_MESSAGE_MAX_CHARS),
        .made_unix_ms = INT64_MAX,
    };
    assert_int_equal(comment_answer_json(&ctx, &rs, &comment, INT64_MAX), ERR_OK);
    comment.message = repeat(&ctx.arena, "<", (size_t)16 * COMMENT_MESSAGE_MAX_CHARS);
    struct http_response none = {0};
    assert_int_equal(comment_answer_json(&ctx, &none, &comment, 1), ERR_INTERNAL);
    assert_int_equal(none.status, 0);
    ctx_done(&ctx);
}

static void destroyed_comment_is_an_empty_object(void **state)
{
    (void)state;
    struct http_response rs = {0};
    comment_answer_empty_json(&rs);
    assert_int_equal(rs.body.n, 2);
    assert_memory_equal(rs.body.p, "{}", 2);
    assert_int_equal(rs.status, 200);
    assert_string_equal(http_response_find(&rs, "Cache-Control"), "no-store");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_ARENA(message_is_checked),
        UNIT(author_and_note_author_may_destroy_and_nobody_else),
        UNIT(forms_are_decoded),
        UNIT(broken_forms_are_refused_and_write_nothing),
        UNIT(json_is_what_the_script_reads),
        UNIT(longest_comment_fits_its_json),
        UNIT(destroyed_comment_is_an_empty_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
