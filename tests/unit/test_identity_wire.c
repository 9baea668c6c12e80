/* SPDX-License-Identifier: MIT
 *
 * The JSON of identities, in and out. */
#include "unit.h"

#include "base/ctx.h"
#include "base/strbuf.h"
#include "http/http_message.h"
#include "identity/account_identities.h"
#include "identity/identity_wire.h"

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

static void an_identity_is_given_whole_or_not_at_all(void **state)
{
    struct ctx *ctx = *state;
    struct identity identity = {0};
    bool is_given = false;
    const char *whole = "{\"issuer\":\"i\",\"subject\":\"s\",\"provider\":\"p\",\"username\":5}";
    assert_int_equal(identity_wire_read(ctx, bytes_of(whole), &identity, &is_given), ERR_OK);
    assert_true(is_given);
    assert_string_equal(identity.issuer, "i");
    assert_string_equal(identity.subject, "s");
    assert_string_equal(identity.provider, "p");
    const char *none[] = {"{}", "{\"issuer\":null,\"subject\":null}", "{\"provider\":\"p\"}"};
    for (size_t i = 0; i < ARRAY_COUNT(none); i++) {
        is_given = true;
        assert_int_equal(identity_wire_read(ctx, bytes_of(none[i]), &identity, &is_given), ERR_OK);
        assert_false(is_given);
    }
}

static void half_an_identity_is_refused_and_writes_nothing(void **state)
{
    struct ctx *ctx = *state;
    const char *rows[][2] = {
        {"{\"issuer\":\"i\"}", "subject"},
        {"{\"subject\":\"s\",\"issuer\":null}", "issuer"},
        {"{\"issuer\":1,\"subject\":\"s\"}", "issuer"},
        {"{\"issuer\":\"i\",\"subject\":{}}", "subject"},
        {"{\"issuer\":\"i\",\"subject\":\"s\",\"provider\":[]}", "provider"},
        {"[]", NULL},
        {"{", NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct identity identity = {.created_unix_ms = 7};
        bool is_given = true;
        ctx_forgive(ctx);
        assert_int_equal(identity_wire_read(ctx, bytes_of(rows[i][0]), &identity, &is_given),
                         ERR_INVALID);
        assert_int_equal(identity.created_unix_ms, 7);
        assert_true(is_given);
        if (rows[i][1])
            assert_string_equal(ctx->why.field, rows[i][1]);
    }
}

static void ways_to_sign_in_are_answered_escaped(void **state)
{
    struct ctx *ctx = *state;
    struct http_response rs = {0};
    const struct identity items[] = {{"https://id.example.com", "<\"1\">", "oidc", 1795366800000},
                                     {"twitter", "2", "twitter", 0}};
    const struct account_identities account = {
        .user = {.username = "Me\"", .provider = "local"},
        .has_password = true,
        .identities = {.items = items, .count = 2},
    };
    assert_int_equal(identity_wire_answer(ctx, &account, &rs), ERR_OK);
    assert_int_equal(rs.status, 200);
    const char *wanted =
        "{\"username\":\"Me\\\"\",\"provider\":\"local\",\"hasPassword\":true,\"identities\":["
        "{\"issuer\":\"https://id.example.com\",\"subject\":\"\\u003c\\\"1\\\"\\u003e\","
        "\"provider\":\"oidc\",\"createdAt\":\"2026-11-22T17:00:00.000Z\"},"
        "{\"issuer\":\"twitter\",\"subject\":\"2\",\"provider\":\"twitter\","
        "\"createdAt\":\"1970-01-01T00:00:00.000Z\"}]}";
    assert_int_equal(rs.body.n, strlen(wanted));
    assert_memory_equal(rs.body.p, wanted, rs.body.n);
}

/* `count` times "<", which needs six bytes in JSON. */
static const char *angles(struct ctx *ctx, size_t count)
{
    char *text = arena_take(&ctx->arena, count + 1);
    memset(text, '<', count);
    return text;
}

static void the_longest_answer_fits(void **state)
{
    struct ctx *ctx = *state;
    struct http_response rs = {0};
    struct identity items[IDENTITIES_PER_USER_MAX];
    const struct identity longest = {angles(ctx, IDENTITY_TEXT_MAX_BYTES),
                                     angles(ctx, IDENTITY_TEXT_MAX_BYTES),
                                     angles(ctx, IDENTITY_PROVIDER_MAX_CHARS), 0};
    for (size_t i = 0; i < ARRAY_COUNT(items); i++)
        items[i] = longest;
    const struct account_identities account = {
        .user = {.username = angles(ctx, USERNAME_MAX_CHARS),
                 .provider = angles(ctx, USER_TEXT_MAX_CHARS)},
        .identities = {.items = items, .count = ARRAY_COUNT(items)},
    };
    assert_int_equal(identity_wire_answer(ctx, &account, &rs), ERR_OK);
}

#define UNIT_WITH_CTX(test) cmocka_unit_test_setup_teardown(test, ctx_new, ctx_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_WITH_CTX(an_identity_is_given_whole_or_not_at_all),
        UNIT_WITH_CTX(half_an_identity_is_refused_and_writes_nothing),
        UNIT_WITH_CTX(ways_to_sign_in_are_answered_escaped),
        UNIT_WITH_CTX(the_longest_answer_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
