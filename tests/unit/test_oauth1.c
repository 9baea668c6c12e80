/* SPDX-License-Identifier: MIT
 *
 * Signatures of requests: those that RFC 5849 and Twitter's documentation print, and some that
 * python3-oauthlib made, where the standards print none. */
#include "provider/oauth1.h"

#include "base/secret.h"

#include "http_fixture.h"

struct row {
    const char *method;
    const char *url;
    const char *consumer_key;
    const char *consumer_secret;
    const char *token;
    const char *token_secret;
    const char *timestamp;
    const char *nonce;
    struct oauth1_parameter own[2];
    struct oauth1_parameter others[6];
    const char *signature; /* percent-encoded, as it stands in the field */
};

static const struct row rows[] = {
    /* RFC 5849 1.2: temporary credentials to a token, and a protected resource. */
    {"POST", "https://photos.example.net/token", "dpf43f3p2l4k3l03", "kd94hf93k423kf44",
     "hh5s93j4hdidpola", "hdhd0244k9j7ao03", "137131201", "walatlh",
     .own = {{"oauth_verifier", "hfdp7dh39dks9884"}},
     .signature = "gKgrFCywp7rO0OXSjdot%2FIHF7IU%3D"},
    {"GET", "http://photos.example.net/photos", "dpf43f3p2l4k3l03", "kd94hf93k423kf44",
     "nnch734d00sl2jdk", "pfkkdhi9sl3r4s00", "137131202", "chapoH",
     .others = {{"file", "vacation.jpg"}, {"size", "original"}},
     .signature = "MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D"},
    /* Twitter: "Creating a signature", as it was for version 1 and is for 1.1. */
    {"POST", "https://api.twitter.com/1/statuses/update.json", "xvz1evFS4wEEPTGEFPHBog",
     "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
     "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
     "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE", "1318622958",
     "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg", .own = {{"oauth_version", "1.0"}},
     .others = {{"status", "Hello Ladies + Gentlemen, a signed OAuth request!"},
                {"include_entities", "true"}},
     .signature = "tnnArxj06cWHq44gCs1OSKk%2FjLY%3D"},
    {"POST", "https://api.twitter.com/1.1/statuses/update.json", "xvz1evFS4wEEPTGEFPHBog",
     "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
     "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
     "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE", "1318622958",
     "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg", .own = {{"oauth_version", "1.0"}},
     .others = {{"status", "Hello Ladies + Gentlemen, a signed OAuth request!"},
                {"include_entities", "true"}},
     .signature = "hCtSmYh%2BiHYCEqBWrE7C7hYmtUk%3D"},
    /* RFC 5849 3.4.1.1's parameters, of which two have one name, and its own port. */
    {"POST", "http://EXAMPLE.COM:80/request", "9djdj82h48djs9d2", "j49sk3j29djd",
     "kkk9d7dh3k39sjv7", "dh893hdasih9", "137131201", "7d8f3e4a",
     .others = {{"b5", "=%3D"}, {"a3", "a"}, {"c@", ""}, {"a2", "r b"}, {"c2", ""}, {"a3", "2 q"}},
     .signature = "r6%2FTJjbCOr97%2F%2BUU0NsvSne7s5g%3D"},
    /* No path, the scheme's port, and secrets that must be encoded. */
    {"GET", "https://Api.Example.org:443", "k+y/=", "s%c r", "t&k", "t&s \xc3\xa9", "1", "n",
     .others = {{"z", "\xc3\xa9 ~"}}, .signature = "zTGgPq9%2BNl4jH%2BrdsNaXsXgN6MU%3D"},
};

static size_t count_of(const struct oauth1_parameter *parameters, size_t max_count)
{
    size_t count = 0;
    while (count < max_count && parameters[count].name)
        count++;
    return count;
}

static const char *authorization_of(struct ctx *ctx, const struct row *row)
{
    struct secret key = secret_new(row->consumer_key, strlen(row->consumer_key));
    struct secret secret = secret_new(row->consumer_secret, strlen(row->consumer_secret));
    const struct oauth1_credentials credentials = {
        .consumer_key = &key,
        .consumer_secret = &secret,
        .token = row->token,
        .token_secret = row->token_secret,
    };
    const struct oauth1_request request = {
        .method = row->method,
        .url = row->url,
        .own = row->own,
        .own_count = count_of(row->own, ARRAY_COUNT(row->own)),
        .others = row->others,
        .others_count = count_of(row->others, ARRAY_COUNT(row->others)),
        .nonce = row->nonce,
        .timestamp = row->timestamp,
    };
    const char *value = NULL;
    assert_int_equal(oauth1_authorization(ctx, &credentials, &request, &value), ERR_OK);
    secret_done(&key);
    secret_done(&secret);
    return value;
}

static void signatures_are_those_of_the_standards(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *value = authorization_of(*state, &rows[i]);
        const char *signature = strstr(value, "oauth_signature=\"");
        assert_non_null(signature);
        assert_int_equal(strncmp(signature + 17, rows[i].signature, strlen(rows[i].signature)), 0);
    }
}

static void the_field_has_what_is_of_oauth_and_nothing_else(void **state)
{
    const char *value = authorization_of(*state, &rows[3]);
    assert_string_equal(
        value, "OAuth oauth_consumer_key=\"xvz1evFS4wEEPTGEFPHBog\", "
               "oauth_signature_method=\"HMAC-SHA1\", oauth_timestamp=\"1318622958\", "
               "oauth_nonce=\"kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg\", "
               "oauth_token=\"370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb\", "
               "oauth_version=\"1.0\", oauth_signature=\"hCtSmYh%2BiHYCEqBWrE7C7hYmtUk%3D\"");
    struct row first = rows[3];
    first.token = first.token_secret = NULL;
    assert_null(strstr(authorization_of(*state, &first), "oauth_token"));
}

static void too_much_is_refused(void **state)
{
    struct ctx *ctx = *state;
    struct secret secret = secret_new("s", 1);
    struct oauth1_parameter many[OAUTH1_PARAMETERS_MAX_COUNT];
    for (size_t i = 0; i < ARRAY_COUNT(many); i++)
        many[i] = (struct oauth1_parameter){"a", "b"};
    const struct oauth1_credentials credentials = {.consumer_key = &secret,
                                                   .consumer_secret = &secret};
    struct oauth1_request request = {.method = "GET",
                                     .url = "https://a/",
                                     .others = many,
                                     .others_count = ARRAY_COUNT(many),
                                     .nonce = "n",
                                     .timestamp = "1"};
    const char *value = NULL;
    assert_int_equal(oauth1_authorization(ctx, &credentials, &request, &value), ERR_TOO_LARGE);
    char *large = arena_take(&ctx->arena, OAUTH1_TEXT_MAX_BYTES + 2);
    memset(large, 'x', OAUTH1_TEXT_MAX_BYTES + 1);
    many[0].value = large;
    request.others_count = 1;
    assert_int_equal(oauth1_authorization(ctx, &credentials, &request, &value), ERR_TOO_LARGE);
    large[OAUTH1_TEXT_MAX_BYTES / 2] = '\0'; /* fits alone, but not with the rest */
    many[1].value = large;
    many[2].value = large;
    request.others_count = 3;
    assert_int_equal(oauth1_authorization(ctx, &credentials, &request, &value), ERR_TOO_LARGE);
    assert_null(value);
    secret_done(&secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(signatures_are_those_of_the_standards, ctx_setup,
                                        ctx_teardown),
        cmocka_unit_test_setup_teardown(the_field_has_what_is_of_oauth_and_nothing_else, ctx_setup,
                                        ctx_teardown),
        cmocka_unit_test_setup_teardown(too_much_is_refused, ctx_setup, ctx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
