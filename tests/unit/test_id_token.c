/* SPDX-License-Identifier: MIT
 *
 * ID tokens: what is good is taken, and each way to cheat is refused. */
#include "provider/id_token.h"

#include "base/text.h"
#include "provider/oidc_wire.h"

#include "http_fixture.h"
#include "token_maker.h"

#include <openssl/pem.h>

#define NOW_S   1790000000
#define ISSUER  "https://login.example.org/realms/all"
#define CLIENT  "notes"
#define NONCE   "n-0S6_WzA2Mj"
#define SUBJECT "248289761001"
#define TIMES   "\"exp\":1790000300,\"iat\":1790000000"
#define GOOD                                                                                    \
    "{\"iss\":\"" ISSUER "\",\"aud\":\"" CLIENT "\",\"sub\":\"" SUBJECT "\",\"nonce\":\"" NONCE \
    "\"," TIMES "}"
#define HEAD          "{\"alg\":\"RS256\",\"kid\":\"a\"}"
#define PEM_MAX_BYTES 2048

static const struct id_token_wanted wanted = {
    .issuer = ISSUER, .client_id = CLIENT, .nonce = NONCE, .now_s = NOW_S};

/* Made once: keys take long to find. */
static EVP_PKEY *rsa;
static EVP_PKEY *other_rsa;
static EVP_PKEY *ec;

static int keys_setup(void **state)
{
    (void)state;
    rsa = maker_rsa(2048);
    other_rsa = maker_rsa(2048);
    ec = maker_ec("P-256");
    return 0;
}

static int keys_teardown(void **state)
{
    (void)state;
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(other_rsa);
    EVP_PKEY_free(ec);
    return 0;
}

/* A set of the keys in these texts. */
static struct oidc_keys keys_of(struct ctx *ctx, const char *first, const char *second)
{
    struct oidc_keys keys;
    const char *json =
        arena_format(&ctx->arena, "{\"keys\":[%s%s%s]}", first, *second ? "," : "", second);
    assert_int_equal(oidc_wire_keys(ctx, bytes_of(json), &keys), ERR_OK);
    return keys;
}

static struct oidc_keys usual_keys(struct ctx *ctx)
{
    return keys_of(ctx, maker_jwk(ctx, rsa, ",\"kid\":\"a\",\"use\":\"sig\""),
                   maker_jwk(ctx, ec, ",\"kid\":\"b\",\"alg\":\"ES256\""));
}

static enum id_token_verdict
check_with(struct ctx *ctx, const struct oidc_keys *keys, const char *token)
{
    struct oidc_claims claims = {.sub = "untouched"};
    enum id_token_verdict verdict = id_token_check(ctx, token, keys, &wanted, &claims);
    assert_string_equal(claims.sub, verdict == ID_TOKEN_GOOD ? SUBJECT : "untouched");
    ctx_forgive(ctx);
    return verdict;
}

static enum id_token_verdict check(struct ctx *ctx, const char *token)
{
    struct oidc_keys keys = usual_keys(ctx);
    return check_with(ctx, &keys, token);
}

static enum id_token_verdict check_claims(struct ctx *ctx, const char *claims)
{
    return check(ctx, maker_sign(ctx, rsa, MAKER_RS256, HEAD, claims));
}

/* ---- signatures ---- */

static void a_good_token_is_taken_with_what_it_says(void **state)
{
    struct ctx *ctx = *state;
    struct oidc_keys keys = usual_keys(ctx);
    struct oidc_claims claims;
    const char *token =
        maker_sign(ctx, rsa, MAKER_RS256, HEAD,
                   "{\"iss\":\"" ISSUER "\",\"aud\":[\"" CLIENT "\"],\"sub\":\"" SUBJECT
                   "\",\"nonce\":\"" NONCE "\"," TIMES
                   ",\"name\":\"Ann \xc3\x96\",\"email\":\"a@example.org\",\"email_verified\":true,"
                   "\"nickname\":5,\"given_name\":\"A\\nB\"}");
    assert_int_equal(id_token_check(ctx, token, &keys, &wanted, &claims), ID_TOKEN_GOOD);
    assert_string_equal(claims.sub, SUBJECT);
    assert_string_equal(claims.profile.name, "Ann \xc3\x96");
    assert_string_equal(claims.profile.email, "a@example.org");
    assert_true(claims.profile.is_email_verified);
    assert_null(claims.profile.nickname);
    assert_null(claims.profile.given_name);
}

static void all_ways_to_sign_are_verified(void **state)
{
    struct ctx *ctx = *state;
    EVP_PKEY *large_ec = maker_ec("P-521");
    struct oidc_keys keys =
        keys_of(ctx, maker_jwk(ctx, rsa, ",\"kid\":\"a\""),
                arena_format(&ctx->arena, "%s,%s", maker_jwk(ctx, ec, ",\"kid\":\"b\""),
                             maker_jwk(ctx, large_ec, ",\"kid\":\"c\"")));
    assert_int_equal(keys.count, 3);
    const struct {
        EVP_PKEY *key;
        enum maker_way way;
        const char *head;
    } rows[] = {
        {rsa, MAKER_RS256, "{\"alg\":\"RS256\",\"kid\":\"a\"}"},
        {rsa, MAKER_RS512, "{\"alg\":\"RS512\",\"kid\":\"a\"}"},
        {rsa, MAKER_PS256, "{\"alg\":\"PS256\",\"kid\":\"a\"}"},
        {ec, MAKER_ES256, "{\"alg\":\"ES256\",\"kid\":\"b\"}"},
        {large_ec, MAKER_ES512, "{\"alg\":\"ES512\",\"kid\":\"c\",\"typ\":\"JWT\"}"},
        {ec, MAKER_ES256, "{\"alg\":\"ES256\"}"}, /* the only key that fits */
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *token = maker_sign(ctx, rows[i].key, rows[i].way, rows[i].head, GOOD);
        assert_int_equal(check_with(ctx, &keys, token), ID_TOKEN_GOOD);
    }
    EVP_PKEY_free(large_ec);
}

static void a_token_without_a_signature_is_refused(void **state)
{
    struct ctx *ctx = *state;
    static const char *const heads[] = {"{\"alg\":\"none\"}",
                                        "{\"alg\":\"NONE\",\"kid\":\"a\"}",
                                        "{\"alg\":\"none\",\"kid\":\"a\"}",
                                        "{\"kid\":\"a\"}",
                                        "{\"alg\":null}",
                                        "{\"alg\":\"\"}",
                                        "{\"alg\":[\"RS256\"]}"};
    for (size_t i = 0; i < ARRAY_COUNT(heads); i++) {
        const char *input = maker_input(ctx, heads[i], GOOD);
        const char *signed_token = maker_sign(ctx, rsa, MAKER_RS256, heads[i], GOOD);
        assert_int_equal(check(ctx, input), ID_TOKEN_BAD);
        assert_int_equal(check(ctx, arena_format(&ctx->arena, "%s.", input)), ID_TOKEN_BAD);
        assert_int_equal(check(ctx, arena_format(&ctx->arena, "%s.AA", input)), ID_TOKEN_BAD);
        assert_int_equal(check(ctx, signed_token), ID_TOKEN_BAD);
    }
    const char *stripped = maker_input(ctx, HEAD, GOOD);
    assert_int_equal(check(ctx, arena_format(&ctx->arena, "%s.", stripped)), ID_TOKEN_BAD);
    assert_int_equal(check(ctx, arena_format(&ctx->arena, "%s.AAAA", stripped)), ID_TOKEN_BAD);
}

/* The public key, which everybody has, taken for a shared one (RFC 8725 2.1). */
static void a_public_key_is_no_shared_key(void **state)
{
    struct ctx *ctx = *state;
    char pem[PEM_MAX_BYTES] = "";
    BIO *memory = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(memory, rsa), 1);
    assert_true(BIO_read(memory, pem, sizeof(pem) - 1) > 0);
    BIO_free(memory);
    const char *const shared[] = {pem, maker_jwk(ctx, rsa, ""), "secret"};
    static const char *const heads[] = {"{\"alg\":\"HS256\",\"kid\":\"a\"}", "{\"alg\":\"HS256\"}",
                                        "{\"alg\":\"RS256\",\"kid\":\"a\"}"};
    for (size_t i = 0; i < ARRAY_COUNT(shared); i++)
        for (size_t j = 0; j < ARRAY_COUNT(heads); j++)
            assert_int_equal(check(ctx, maker_sign_shared(ctx, shared[i], heads[j], GOOD)),
                             ID_TOKEN_BAD);
    /* Nor does a shared key among the provider's become one that verifies. */
    struct oidc_keys keys =
        keys_of(ctx, "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"kid\":\"a\",\"alg\":\"HS256\"}", "");
    assert_int_equal(keys.count, 0);
    assert_int_equal(check_with(ctx, &keys, maker_sign_shared(ctx, "secret", heads[0], GOOD)),
                     ID_TOKEN_BAD);
}

static void a_changed_token_is_refused(void **state)
{
    struct ctx *ctx = *state;
    const char *token = maker_sign(ctx, rsa, MAKER_RS256, HEAD, GOOD);
    const char *mallory = maker_sign(ctx, other_rsa, MAKER_RS256, HEAD, GOOD);
    assert_int_equal(check(ctx, token), ID_TOKEN_GOOD);
    assert_int_equal(check(ctx, mallory), ID_TOKEN_BAD);
    for (size_t i = 0; i < strlen(token); i += 7) {
        char *changed = arena_text(&ctx->arena, token);
        changed[i] = changed[i] == 'x' ? 'y' : 'x';
        assert_int_not_equal(check(ctx, changed), ID_TOKEN_GOOD);
        changed[i] = '\0';
        assert_int_not_equal(check(ctx, changed), ID_TOKEN_GOOD);
    }
    /* The signature of one token under the claims of another. */
    const char *forged = arena_format(
        &ctx->arena, "%s%s", maker_input(ctx, HEAD, "{\"sub\":\"admin\"}"), strrchr(token, '.'));
    assert_int_equal(check(ctx, forged), ID_TOKEN_BAD);
}

static void what_is_no_token_is_refused(void **state)
{
    struct ctx *ctx = *state;
    const char *token = maker_sign(ctx, rsa, MAKER_RS256, HEAD, GOOD);
    static const char *const none[] = {
        "", ".", "..", "...", "a", "a.b", "a.b.c", "....", "e30.e30.e30", "e30.e30.e30.e30.e30"};
    for (size_t i = 0; i < ARRAY_COUNT(none); i++)
        assert_int_equal(check(ctx, none[i]), ID_TOKEN_BAD);
    assert_int_equal(check(ctx, arena_format(&ctx->arena, "%s=", token)), ID_TOKEN_BAD);
    assert_int_equal(check(ctx, arena_format(&ctx->arena, "%s.x", token)), ID_TOKEN_BAD);
    assert_int_equal(check(ctx, arena_format(&ctx->arena, " %s", token)), ID_TOKEN_BAD);
    assert_int_equal(check(ctx, maker_sign(ctx, rsa, MAKER_RS256, "[]", GOOD)), ID_TOKEN_BAD);
    assert_int_equal(check_claims(ctx, "[]"), ID_TOKEN_BAD);
    assert_int_equal(check_claims(ctx, "{"), ID_TOKEN_BAD);
}

static void a_huge_token_is_refused(void **state)
{
    struct ctx *ctx = *state;
    char *padding = arena_take(&ctx->arena, OIDC_TOKEN_MAX_BYTES + 1);
    memset(padding, 'x', OIDC_TOKEN_MAX_BYTES);
    const char *claims = arena_format(&ctx->arena, "{\"x\":\"%s\",%s", padding, &GOOD[1]);
    assert_int_equal(check_claims(ctx, claims), ID_TOKEN_BAD);
    padding[OIDC_TOKEN_MAX_BYTES / 2] = '\0';
    claims = arena_format(&ctx->arena, "{\"x\":\"%s\",%s", padding, &GOOD[1]);
    assert_int_equal(check_claims(ctx, claims), ID_TOKEN_GOOD);
    const char *head = arena_format(&ctx->arena, "{\"x\":\"%s\",%s", padding, &HEAD[1]);
    assert_int_equal(check(ctx, maker_sign(ctx, rsa, MAKER_RS256, head, GOOD)), ID_TOKEN_BAD);
}

static void a_head_with_more_to_understand_is_refused(void **state)
{
    struct ctx *ctx = *state;
    static const char *const heads[] = {
        "{\"alg\":\"RS256\",\"kid\":\"a\",\"crit\":[\"exp\"],\"exp\":1}",
        "{\"alg\":\"RS256\",\"kid\":\"a\",\"b64\":false,\"crit\":[\"b64\"]}",
        "{\"alg\":\"RS256\",\"kid\":\"a\",\"crit\":null}",
        "{\"alg\":\"RS256\",\"alg\":\"RS256\",\"kid\":\"a\"}",
        "{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"a\"}",
        "{\"alg\":\"RS256\",\"kid\":5}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(heads); i++)
        assert_int_equal(check(ctx, maker_sign(ctx, rsa, MAKER_RS256, heads[i], GOOD)),
                         ID_TOKEN_BAD);
}

/* ---- keys ---- */

static void an_unknown_key_is_told_apart(void **state)
{
    struct ctx *ctx = *state;
    static const char head[] = "{\"alg\":\"RS256\",\"kid\":\"new\"}";
    assert_int_equal(check(ctx, maker_sign(ctx, rsa, MAKER_RS256, head, GOOD)),
                     ID_TOKEN_KEY_UNKNOWN);
    struct oidc_keys none = {.count = 0};
    assert_int_equal(check_with(ctx, &none, maker_sign(ctx, rsa, MAKER_RS256, HEAD, GOOD)),
                     ID_TOKEN_KEY_UNKNOWN);
    /* A key in the head is the head's word only (RFC 8725 3.10). */
    const char *own = arena_format(&ctx->arena, "{\"alg\":\"RS256\",\"kid\":\"new\",\"jwk\":%s}",
                                   maker_jwk(ctx, other_rsa, ""));
    assert_int_equal(check(ctx, maker_sign(ctx, other_rsa, MAKER_RS256, own, GOOD)),
                     ID_TOKEN_KEY_UNKNOWN);
}

static void a_key_is_used_for_what_it_is_meant(void **state)
{
    struct ctx *ctx = *state;
    static const char *const mores[] = {",\"kid\":\"a\",\"use\":\"enc\"",
                                        ",\"kid\":\"a\",\"alg\":\"PS256\"",
                                        ",\"kid\":\"a\",\"alg\":\"RSA-OAEP\"",
                                        ",\"kid\":\"a\",\"key_ops\":[\"encrypt\"]",
                                        ",\"kid\":\"a\",\"use\":5",
                                        ",\"kid\":5",
                                        ""};
    const char *token = maker_sign(ctx, rsa, MAKER_RS256, HEAD, GOOD);
    for (size_t i = 0; i < ARRAY_COUNT(mores); i++) {
        struct oidc_keys keys = keys_of(ctx, maker_jwk(ctx, rsa, mores[i]), "");
        assert_int_equal(check_with(ctx, &keys, token), ID_TOKEN_KEY_UNKNOWN);
    }
    struct oidc_keys meant = keys_of(
        ctx, maker_jwk(ctx, rsa, ",\"kid\":\"a\",\"alg\":\"RS256\",\"key_ops\":[\"verify\"]"), "");
    assert_int_equal(check_with(ctx, &meant, token), ID_TOKEN_GOOD);
}

/* A key of one kind under the name that the token gives, and an algorithm of another kind. */
static void kind_of_key_and_algorithm_go_together(void **state)
{
    struct ctx *ctx = *state;
    struct oidc_keys keys = keys_of(ctx, maker_jwk(ctx, ec, ",\"kid\":\"a\""), "");
    assert_int_equal(check_with(ctx, &keys, maker_sign(ctx, rsa, MAKER_RS256, HEAD, GOOD)),
                     ID_TOKEN_KEY_UNKNOWN);
    static const char head[] = "{\"alg\":\"ES384\",\"kid\":\"a\"}";
    assert_int_equal(check_with(ctx, &keys, maker_sign(ctx, ec, MAKER_ES256, head, GOOD)),
                     ID_TOKEN_KEY_UNKNOWN);
    static const char rsa_as_ec[] = "{\"alg\":\"ES256\",\"kid\":\"a\"}";
    assert_int_equal(check(ctx, maker_sign(ctx, rsa, MAKER_RS256, rsa_as_ec, GOOD)),
                     ID_TOKEN_KEY_UNKNOWN);
}

static void weak_keys_are_left_out(void **state)
{
    struct ctx *ctx = *state;
    EVP_PKEY *weak = maker_rsa(1024);
    struct oidc_keys keys = keys_of(ctx, maker_jwk(ctx, weak, ",\"kid\":\"a\""), "");
    assert_int_equal(keys.count, 0);
    EVP_PKEY_free(weak);
}

static void keys_of_one_name_are_all_tried_and_without_a_name_only_one(void **state)
{
    struct ctx *ctx = *state;
    struct oidc_keys keys = keys_of(ctx, maker_jwk(ctx, other_rsa, ",\"kid\":\"a\""),
                                    maker_jwk(ctx, rsa, ",\"kid\":\"a\""));
    assert_int_equal(check_with(ctx, &keys, maker_sign(ctx, rsa, MAKER_RS256, HEAD, GOOD)),
                     ID_TOKEN_GOOD);
    static const char nameless[] = "{\"alg\":\"RS256\"}";
    assert_int_equal(check_with(ctx, &keys, maker_sign(ctx, rsa, MAKER_RS256, nameless, GOOD)),
                     ID_TOKEN_BAD);
    assert_int_equal(check(ctx, maker_sign(ctx, rsa, MAKER_RS256, nameless, GOOD)), ID_TOKEN_GOOD);
    /* The provider's only key may be another one by now. */
    assert_int_equal(check(ctx, maker_sign(ctx, other_rsa, MAKER_RS256, nameless, GOOD)),
                     ID_TOKEN_KEY_UNKNOWN);
}

/* ---- claims ---- */

#define CLAIMS(iss, aud, more) \
    "{\"iss\":" iss ",\"aud\":" aud ",\"sub\":\"" SUBJECT "\",\"nonce\":\"" NONCE "\"" more "}"

static void tokens_of_others_and_for_others_are_refused(void **state)
{
    static const char *const bad[] = {
        CLAIMS("\"https://evil.example\"", "\"notes\"", "," TIMES),
        CLAIMS("\"" ISSUER "/\"", "\"notes\"", "," TIMES),
        CLAIMS("\"https://LOGIN.example.org/realms/all\"", "\"notes\"", "," TIMES),
        CLAIMS("null", "\"notes\"", "," TIMES),
        CLAIMS("[\"" ISSUER "\"]", "\"notes\"", "," TIMES),
        CLAIMS("\"" ISSUER "\"", "\"other\"", "," TIMES),
        CLAIMS("\"" ISSUER "\"", "\"Notes\"", "," TIMES),
        CLAIMS("\"" ISSUER "\"", "null", "," TIMES),
        CLAIMS("\"" ISSUER "\"", "[]", "," TIMES),
        CLAIMS("\"" ISSUER "\"", "[\"other\"]", "," TIMES),
        CLAIMS("\"" ISSUER "\"", "[\"notes\",5]", ",\"azp\":\"notes\"," TIMES),
        CLAIMS("\"" ISSUER "\"", "[\"notes\",\"other\"]", "," TIMES),
        CLAIMS("\"" ISSUER "\"", "[\"notes\",\"other\"]", ",\"azp\":\"other\"," TIMES),
        CLAIMS("\"" ISSUER "\"", "\"notes\"", ",\"azp\":\"other\"," TIMES),
        CLAIMS("\"" ISSUER "\"", "\"other\"", ",\"azp\":\"notes\"," TIMES),
        CLAIMS("\"" ISSUER "\"", "{\"notes\":1}", "," TIMES),
    };
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        if (check_claims(*state, bad[i]) != ID_TOKEN_BAD)
            fail_msg("taken: %s", bad[i]);
    }
    assert_int_equal(check_claims(*state, CLAIMS("\"" ISSUER "\"", "[\"other\",\"notes\"]",
                                                 ",\"azp\":\"notes\"," TIMES)),
                     ID_TOKEN_GOOD);
}

static void times_are_looked_at(void **state)
{
    static const struct {
        const char *claims;
        enum id_token_verdict verdict;
    } rows[] = {
        {CLAIMS("\"" ISSUER "\"", "\"notes\"", ",\"exp\":1789999881,\"iat\":1789999700"),
         ID_TOKEN_GOOD}, /* over, but clocks differ */
        {CLAIMS("\"" ISSUER "\"", "\"notes\"", ",\"exp\":1789999880,\"iat\":1789999700"),
         ID_TOKEN_CLOCK},
        {CLAIMS("\"" ISSUER "\"", "\"notes\"", ",\"exp\":1790000300,\"iat\":1790000120"),
         ID_TOKEN_GOOD},
        {CLAIMS("\"" ISSUER "\"", "\"notes\"", ",\"exp\":1790000300,\"iat\":1790000121"),
         ID_TOKEN_CLOCK},
        {CLAIMS("\"" ISSUER "\"", "\"notes\"", ",\"exp\":1790000300,\"iat\":1789999280"),
         ID_TOKEN_GOOD},
        {CLAIMS("\"" ISSUER "\"", "\"notes\"", ",\"exp\":1790000300,\"iat\":1789999279"),
         ID_TOKEN_CLOCK},
        {CLAIMS("\"" ISSUER "\"", "\"notes\"", "," TIMES ",\"nbf\":1790000120"), ID_TOKEN_GOOD},
        {CLAIMS("\"" ISSUER "\"", "\"notes\"", "," TIMES ",\"nbf\":1790000121"), ID_TOKEN_CLOCK},
        {CLAIMS("\"" ISSUER "\"", "\"notes\"", ",\"exp\":1790000300.5,\"iat\":1.79e9"),
         ID_TOKEN_GOOD},
        {CLAIMS("\"" ISSUER "\"", "\"notes\"", ",\"iat\":1790000000"), ID_TOKEN_BAD},
        {CLAIMS("\"" ISSUER "\"", "\"notes\"", ",\"exp\":1790000300"), ID_TOKEN_BAD},
        {CLAIMS("\"" ISSUER "\"", "\"notes\"", ",\"exp\":\"1790000300\",\"iat\":1790000000"),
         ID_TOKEN_BAD},
        {CLAIMS("\"" ISSUER "\"", "\"notes\"", ",\"exp\":-1,\"iat\":1790000000"), ID_TOKEN_BAD},
        {CLAIMS("\"" ISSUER "\"", "\"notes\"", ",\"exp\":1e300,\"iat\":1790000000"), ID_TOKEN_BAD},
        {CLAIMS("\"" ISSUER "\"", "\"notes\"", ",\"exp\":99999999999999999999,\"iat\":1790000000"),
         ID_TOKEN_BAD},
        {CLAIMS("\"" ISSUER "\"", "\"notes\"", ",\"exp\":1790000300,\"iat\":true"), ID_TOKEN_BAD},
        {CLAIMS("\"" ISSUER "\"", "\"notes\"", "," TIMES ",\"nbf\":null"), ID_TOKEN_BAD},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        enum id_token_verdict verdict = check_claims(*state, rows[i].claims);
        if (verdict != rows[i].verdict)
            fail_msg("%d, not %d: %s", (int)verdict, (int)rows[i].verdict, rows[i].claims);
    }
}

static void a_token_of_another_sign_in_is_refused(void **state)
{
    struct ctx *ctx = *state;
    static const char *const nonces[] = {"",
                                         ",\"nonce\":\"\"",
                                         ",\"nonce\":\"n-0S6_WzA2Mk\"",
                                         ",\"nonce\":\"n-0S6_WzA2M\"",
                                         ",\"nonce\":null",
                                         ",\"nonce\":[\"" NONCE "\"]"};
    for (size_t i = 0; i < ARRAY_COUNT(nonces); i++) {
        const char *claims = arena_format(
            &ctx->arena,
            "{\"iss\":\"" ISSUER "\",\"aud\":\"notes\",\"sub\":\"" SUBJECT "\"," TIMES "%s}",
            nonces[i]);
        assert_int_equal(check_claims(ctx, claims), ID_TOKEN_BAD);
    }
}

static void subjects_are_short_ascii(void **state)
{
    struct ctx *ctx = *state;
    char large[257];
    memset(large, 'x', 256);
    large[256] = '\0';
    const char *const subjects[] = {"null",
                                    "5",
                                    "\"\"",
                                    "\"\xc3\xa9\"",
                                    "\"a\\u0000b\"",
                                    "\"a\\nb\"",
                                    arena_format(&ctx->arena, "\"%s\"", large)};
    for (size_t i = 0; i < ARRAY_COUNT(subjects); i++) {
        const char *claims =
            arena_format(&ctx->arena,
                         "{\"iss\":\"" ISSUER "\",\"aud\":\"notes\",\"nonce\":\"" NONCE "\"," TIMES
                         ",\"sub\":%s}",
                         subjects[i]);
        assert_int_equal(check_claims(ctx, claims), ID_TOKEN_BAD);
    }
}

static void claims_that_come_twice_refuse_the_token(void **state)
{
    struct ctx *ctx = *state;
    static const char *const twice[] = {"\"sub\":\"admin\"", "\"iss\":\"" ISSUER "\"",
                                        "\"aud\":\"notes\"", "\"nonce\":\"" NONCE "\"",
                                        "\"s\\u0075b\":\"admin\""};
    for (size_t i = 0; i < ARRAY_COUNT(twice); i++)
        assert_int_equal(check_claims(ctx, arena_format(&ctx->arena, "{%s,%s", twice[i], &GOOD[1])),
                         ID_TOKEN_BAD);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, ctx_setup, ctx_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_token_is_taken_with_what_it_says),
        TEST(all_ways_to_sign_are_verified),
        TEST(a_token_without_a_signature_is_refused),
        TEST(a_public_key_is_no_shared_key),
        TEST(a_changed_token_is_refused),
        TEST(what_is_no_token_is_refused),
        TEST(a_huge_token_is_refused),
        TEST(a_head_with_more_to_understand_is_refused),
        TEST(an_unknown_key_is_told_apart),
        TEST(a_key_is_used_for_what_it_is_meant),
        TEST(kind_of_key_and_algorithm_go_together),
        TEST(weak_keys_are_left_out),
        TEST(keys_of_one_name_are_all_tried_and_without_a_name_only_one),
        TEST(tokens_of_others_and_for_others_are_refused),
        TEST(times_are_looked_at),
        TEST(a_token_of_another_sign_in_is_refused),
        TEST(subjects_are_short_ascii),
        TEST(claims_that_come_twice_refuse_the_token),
    };
    return cmocka_run_group_tests(tests, keys_setup, keys_teardown);
}
