/* SPDX-License-Identifier: MIT
 *
 * A sign-in with Twitter, and what can go wrong on the way. That Twitter would accept the
 * signatures is shown by tests/providers, where another implementation verifies them. */
#include "provider_peer.h"

#define REQUEST_TOKEN "oauth_token=rt-1&oauth_token_secret=rs-1&oauth_callback_confirmed=true"
#define ACCESS_TOKEN  "oauth_token=at-1&oauth_token_secret=as-1&user_id=42&screen_name=ann"
#define PROFILE                                                                         \
    "{\"id\":42,\"id_str\":\"42\",\"screen_name\":\"Ann_1\",\"name\":\"Ann \xc3\x96\"," \
    "\"profile_image_url_https\":\"https://pbs.example.org/a.png\"}"
#define BACK "oauth_token=rt-1&oauth_verifier=v-1"

static void lay_down(struct side *side)
{
    peer_page(&side->peer, "/oauth/request_token", 200, REQUEST_TOKEN);
    peer_page(&side->peer, "/oauth/access_token", 200, ACCESS_TOKEN);
    peer_page(&side->peer, "/1.1/account/verify_credentials.json", 200, PROFILE);
}

static const char *cookie_of(struct side *side)
{
    struct provider_departure departure;
    assert_int_equal(side_begin(side, PROVIDER_TWITTER, &departure), PROVIDER_OK);
    return departure.cookie;
}

static enum provider_failure sign_in(struct side *side, struct provider_arrival *arrival)
{
    return side_finish(side, PROVIDER_TWITTER, BACK, cookie_of(side), arrival);
}

static void a_sign_in_ends_with_who_it_is(void **state)
{
    struct side *side = *state;
    struct ctx *ctx = &side->ctx;
    struct provider_departure departure;
    struct provider_arrival arrival;
    lay_down(side);
    assert_int_equal(side_begin(side, PROVIDER_TWITTER, &departure), PROVIDER_OK);
    assert_string_equal(departure.location, arena_format(&ctx->arena, "%s%s", side->peer.url,
                                                         "/oauth/authenticate?oauth_token=rt-1"));
    const char *first = peer_last(ctx, &side->peer, "/oauth/request_token");
    assert_int_equal(strncmp(first, "POST ", 5), 0);
    assert_non_null(strstr(first, "oauth_callback=\"https%3A%2F%2Fnotes.example.org%2Fusers%2Fauth"
                                  "%2Ftwitter%2Fcallback\""));
    assert_null(strstr(first, "X-Request-Id"));
    assert_int_equal(side_finish(side, PROVIDER_TWITTER, BACK, departure.cookie, &arrival),
                     PROVIDER_OK);
    const char *second = peer_last(ctx, &side->peer, "/oauth/access_token");
    assert_non_null(strstr(second, "oauth_verifier=\"v-1\""));
    assert_non_null(strstr(second, "oauth_token=\"rt-1\""));
    const char *third = peer_last(ctx, &side->peer, "/1.1/account/verify_credentials.json");
    assert_non_null(strstr(third, "oauth_token=\"at-1\""));
    assert_true(arrival.is_flow_known);
    assert_string_equal(arrival.flow.next, "/next");
    assert_string_equal(arrival.who.provider, "twitter");
    assert_string_equal(arrival.who.issuer, "twitter");
    assert_string_equal(arrival.who.subject, "42");
    assert_string_equal(arrival.who.username, "Ann_1");
    assert_string_equal(arrival.who.family_name, "Ann \xc3\x96");
    assert_string_equal(arrival.who.shown_name, "Ann \xc3\x96");
    assert_string_equal(arrival.who.photo, "https://pbs.example.org/a.png");
    assert_string_equal(arrival.who.email, "");
}

static void who_comes_back_otherwise_is_turned_away(void **state)
{
    struct side *side = *state;
    struct provider_arrival arrival;
    static const struct {
        const char *query;
        enum provider_failure failure;
    } rows[] = {
        {"denied=rt-1", PROVIDER_DECLINED},
        {"denied=rt-2", PROVIDER_STATE},
        {"", PROVIDER_STATE},
        {"oauth_token=rt-2&oauth_verifier=v-1", PROVIDER_STATE},
        {"oauth_token=rt-1&oauth_token=rt-1&oauth_verifier=v-1", PROVIDER_STATE},
        {"oauth_token=&oauth_verifier=v-1", PROVIDER_STATE},
        {"oauth_token=rt-1", PROVIDER_STATE},
        {"oauth_token=rt-1&oauth_verifier=", PROVIDER_STATE},
    };
    lay_down(side);
    const char *cookie = cookie_of(side);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        assert_int_equal(side_finish(side, PROVIDER_TWITTER, rows[i].query, cookie, &arrival),
                         rows[i].failure);
        assert_true(arrival.is_flow_known);
    }
    assert_int_equal(side_finish(side, PROVIDER_TWITTER, BACK, NULL, &arrival), PROVIDER_STATE);
    assert_false(arrival.is_flow_known);
    assert_int_equal(side_finish(side, PROVIDER_OIDC, BACK, cookie, &arrival), PROVIDER_STATE);
    assert_false(arrival.is_flow_known);
    assert_int_equal(peer_count(&side->peer, "/oauth/access_token"), 0);
}

static void a_profile_that_may_not_be_read_is_done_without(void **state)
{
    struct side *side = *state;
    struct provider_arrival arrival;
    lay_down(side);
    peer_page(&side->peer, "/1.1/account/verify_credentials.json", 403, "{}");
    assert_int_equal(sign_in(side, &arrival), PROVIDER_OK);
    assert_string_equal(arrival.who.subject, "42");
    assert_string_equal(arrival.who.username, "ann");
    peer_page(&side->peer, "/oauth/access_token", 200, "oauth_token=at-1&oauth_token_secret=as-1");
    assert_int_equal(sign_in(side, &arrival), PROVIDER_NOT_VALID);
    peer_page(&side->peer, "/1.1/account/verify_credentials.json", 200, PROFILE);
    assert_int_equal(sign_in(side, &arrival), PROVIDER_OK);
    assert_string_equal(arrival.who.subject, "42");
}

static void answers_that_are_none_are_not_valid(void **state)
{
    struct side *side = *state;
    struct provider_departure departure;
    struct provider_arrival arrival;
    static const char *const tokens[] = {
        "",
        "{}",
        "oauth_token=a",
        "oauth_token=a&oauth_token_secret=b",
        "oauth_token=a&oauth_token_secret=b&oauth_callback_confirmed=false",
        "oauth_token=a&oauth_token=b&oauth_token_secret=b&oauth_callback_confirmed=true",
        "oauth_token=a%0Ab&oauth_token_secret=b&oauth_callback_confirmed=true",
        "oauth_token=%zz&oauth_token_secret=b&oauth_callback_confirmed=true"};
    static const char *const profiles[] = {"",
                                           "[]",
                                           "{}",
                                           "{\"id_str\":42}",
                                           "{\"id_str\":\"\"}",
                                           "{\"id_str\":\"43\"}",
                                           "{\"id_str\":\"4x\"}",
                                           "{\"id_str\":\"123456789012345678901\"}",
                                           "{\"id_str\":\"42\",\"id_str\":\"42\"}"};
    lay_down(side);
    for (size_t i = 0; i < ARRAY_COUNT(profiles); i++) {
        peer_page(&side->peer, "/1.1/account/verify_credentials.json", 200, profiles[i]);
        assert_int_equal(sign_in(side, &arrival), PROVIDER_NOT_VALID);
    }
    peer_page(&side->peer, "/oauth/access_token", 200,
              "oauth_token=a&oauth_token_secret=b&user_id=me");
    assert_int_equal(sign_in(side, &arrival), PROVIDER_NOT_VALID);
    for (size_t i = 0; i < ARRAY_COUNT(tokens); i++) {
        peer_page(&side->peer, "/oauth/request_token", 200, tokens[i]);
        assert_int_equal(side_begin(side, PROVIDER_TWITTER, &departure), PROVIDER_NOT_VALID);
    }
}

static void a_refusal_says_whether_the_clock_is_off(void **state)
{
    struct side *side = *state;
    struct provider_departure departure;
    struct provider_arrival arrival;
    struct peer_page refusal = {.path = "/oauth/request_token",
                                .status = 401,
                                .fields = "Date: Thu, 01 Jan 2015 00:00:00 GMT\r\n",
                                .body = "no"};
    lay_down(side);
    peer_page(&side->peer, "/oauth/access_token", 401, "no");
    assert_int_equal(sign_in(side, &arrival), PROVIDER_STATE);
    peer_page_with(&side->peer, &refusal);
    assert_int_equal(side_begin(side, PROVIDER_TWITTER, &departure), PROVIDER_CLOCK);
    refusal.fields = "";
    peer_page_with(&side->peer, &refusal);
    assert_int_equal(side_begin(side, PROVIDER_TWITTER, &departure), PROVIDER_NOT_VALID);
}

static void names_are_made_fit_to_be_shown(void **state)
{
    struct side *side = *state;
    struct provider_arrival arrival;
    lay_down(side);
    peer_page(&side->peer, "/1.1/account/verify_credentials.json", 200,
              "{\"id_str\":\"42\",\"name\":\"a\\nb\\u0085c\","
              "\"profile_image_url_https\":\"javascript:alert(1)\"}");
    assert_int_equal(sign_in(side, &arrival), PROVIDER_OK);
    assert_string_equal(arrival.who.username, "42");
    assert_string_equal(arrival.who.shown_name, "a b  c");
    assert_string_equal(arrival.who.photo, "");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, side_setup, side_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sign_in_ends_with_who_it_is),
        TEST(who_comes_back_otherwise_is_turned_away),
        TEST(a_profile_that_may_not_be_read_is_done_without),
        TEST(answers_that_are_none_are_not_valid),
        TEST(a_refusal_says_whether_the_clock_is_off),
        TEST(names_are_made_fit_to_be_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
