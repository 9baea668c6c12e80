/* SPDX-License-Identifier: MIT
 *
 * Depends on: token_maker.h, secret.h, OpenSSL. */
#include "token_maker.h"

#include "base/secret.h"
#include "base/text.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#define SIGNATURE_MAX_BYTES 1024
#define NUMBER_MAX_BYTES    1024

static const struct {
    const char *digest;
    bool is_pss;
    int coordinate_bytes; /* 0: RSA */
} ways[] = {
    [MAKER_RS256] = {"SHA256", false, 0},  [MAKER_RS512] = {"SHA512", false, 0},
    [MAKER_PS256] = {"SHA256", true, 0},   [MAKER_ES256] = {"SHA256", false, 32},
    [MAKER_ES512] = {"SHA512", false, 66},
};

EVP_PKEY *maker_rsa(unsigned bits)
{
    EVP_PKEY *key = EVP_RSA_gen(bits);
    assert_non_null(key);
    return key;
}

EVP_PKEY *maker_ec(const char *curve)
{
    EVP_PKEY *key = EVP_EC_gen(curve);
    assert_non_null(key);
    return key;
}

/* A number of the key in base64url, in so many bytes (0: as few as it needs). */
static const char *number_of(struct ctx *ctx, EVP_PKEY *key, const char *name, int size_bytes)
{
    BIGNUM *number = NULL;
    unsigned char bytes[NUMBER_MAX_BYTES];
    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
    if (!size_bytes)
        size_bytes = BN_num_bytes(number);
    assert_int_equal(BN_bn2binpad(number, bytes, size_bytes), size_bytes);
    BN_free(number);
    return secret_base64url(&ctx->arena, bytes, (size_t)size_bytes);
}

const char *maker_jwk(struct ctx *ctx, EVP_PKEY *key, const char *more)
{
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
        return arena_format(&ctx->arena, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s}",
                            number_of(ctx, key, OSSL_PKEY_PARAM_RSA_N, 0),
                            number_of(ctx, key, OSSL_PKEY_PARAM_RSA_E, 0), more);
    int bits = EVP_PKEY_get_bits(key);
    int size_bytes = (bits + 7) / 8;
    return arena_format(&ctx->arena,
                        "{\"kty\":\"EC\",\"crv\":\"P-%d\",\"x\":\"%s\",\"y\":\"%s\"%s}", bits,
                        number_of(ctx, key, OSSL_PKEY_PARAM_EC_PUB_X, size_bytes),
                        number_of(ctx, key, OSSL_PKEY_PARAM_EC_PUB_Y, size_bytes), more);
}

const char *maker_input(struct ctx *ctx, const char *head, const char *claims)
{
    return arena_format(&ctx->arena, "%s.%s", secret_base64url(&ctx->arena, head, strlen(head)),
                        secret_base64url(&ctx->arena, claims, strlen(claims)));
}

/* DER to the two numbers one behind the other (RFC 7518 3.4). */
static size_t flatten(unsigned char signature[SIGNATURE_MAX_BYTES], size_t size_bytes, int half)
{
    const unsigned char *at = signature;
    ECDSA_SIG *both = d2i_ECDSA_SIG(NULL, &at, (long)size_bytes);
    assert_non_null(both);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(both), signature, half), half);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(both), signature + half, half), half);
    ECDSA_SIG_free(both);
    return 2 * (size_t)half;
}

const char *
maker_sign(struct ctx *ctx, EVP_PKEY *key, enum maker_way way, const char *head, const char *claims)
{
    const char *input = maker_input(ctx, head, claims);
    unsigned char signature[SIGNATURE_MAX_BYTES];
    size_t size_bytes = sizeof(signature);
    EVP_PKEY_CTX *options = NULL;
    EVP_MD_CTX *work = EVP_MD_CTX_new();
    assert_non_null(work);
    assert_int_equal(EVP_DigestSignInit_ex(work, &options, ways[way].digest, NULL, NULL, key, NULL),
                     1);
    if (ways[way].is_pss) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST), 1);
    }
    assert_int_equal(
        EVP_DigestSign(work, signature, &size_bytes, (const unsigned char *)input, strlen(input)),
        1);
    EVP_MD_CTX_free(work);
    if (ways[way].coordinate_bytes)
        size_bytes = flatten(signature, size_bytes, ways[way].coordinate_bytes);
    return arena_format(&ctx->arena, "%s.%s", input,
                        secret_base64url(&ctx->arena, signature, size_bytes));
}

const char *
maker_sign_shared(struct ctx *ctx, const char *shared, const char *head, const char *claims)
{
    const char *input = maker_input(ctx, head, claims);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size_bytes = sizeof(digest);
    assert_non_null(HMAC(EVP_sha256(), shared, (int)strlen(shared), (const unsigned char *)input,
                         strlen(input), digest, &size_bytes));
    return arena_format(&ctx->arena, "%s.%s", input,
                        secret_base64url(&ctx->arena, digest, size_bytes));
}
