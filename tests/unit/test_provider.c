/* SPDX-License-Identifier: MIT
 *
 * What both kinds of provider have in common: names, what a browser keeps on the way, and an
 * identity that waits for its owner's word. */
#include "provider/provider.h"

#include "base/arena.h"

#include "provider_peer.h"

static const struct provider_person ann = {
    .provider = "oidc",
    .issuer = "https://login.example.org",
    .subject = "s-1",
    .username = "ann",
    .given_name = "",
    .family_name = "",
    .middle_name = "",
    .email = "ann@example.org",
    .photo = "",
    .shown_name = "Ann \xc3\x96",
};

static void nothing_is_there_unless_it_is_set(void **state)
{
    struct side *side = *state;
    struct providers *providers = side->providers;
    side->config.has_twitter = side->config.has_oidc = false;
    assert_int_equal(providers_new(&side->ctx, &side->config, &side->site, &providers), ERR_OK);
    assert_null(providers);
    assert_false(provider_is_set(NULL, PROVIDER_TWITTER));
    assert_false(provider_is_set(NULL, PROVIDER_OIDC));
    assert_null(provider_name_of_issuer(NULL, "twitter"));
    providers_free(NULL);
    side->config.has_oidc = true;
    side_restart(side);
    assert_false(provider_is_set(side->providers, PROVIDER_TWITTER));
    assert_true(provider_is_set(side->providers, PROVIDER_OIDC));
}

static void providers_have_names(void **state)
{
    struct side *side = *state;
    assert_string_equal(provider_word(PROVIDER_TWITTER), "twitter");
    assert_string_equal(provider_word(PROVIDER_OIDC), "oidc");
    assert_string_equal(provider_name(side->providers, PROVIDER_TWITTER), "Twitter");
    assert_string_equal(provider_name(side->providers, PROVIDER_OIDC), "Example");
    assert_string_equal(provider_name_of_issuer(side->providers, "twitter"), "Twitter");
    assert_string_equal(provider_name_of_issuer(side->providers, side->peer.url), "Example");
    assert_null(provider_name_of_issuer(side->providers, "https://another.example"));
}

static void an_identity_waits_for_its_own_session_only(void **state)
{
    struct side *side = *state;
    struct ctx *ctx = &side->ctx;
    const char *cookie = NULL;
    struct provider_person out = {.subject = "untouched"};
    assert_int_equal(provider_pending_seal(ctx, side->providers, &ann, "session-1", &cookie),
                     ERR_OK);
    assert_false(provider_pending_open(ctx, side->providers, cookie, "session-2", &out));
    assert_false(provider_pending_open(ctx, side->providers, cookie, "", &out));
    assert_false(provider_pending_open(ctx, side->providers, NULL, "session-1", &out));
    assert_string_equal(out.subject, "untouched");
    assert_true(provider_pending_open(ctx, side->providers, cookie, "session-1", &out));
    assert_string_equal(out.provider, "oidc");
    assert_string_equal(out.issuer, ann.issuer);
    assert_string_equal(out.subject, "s-1");
    assert_string_equal(out.shown_name, ann.shown_name);
    assert_string_equal(out.email, "");
}

/* The cookie of one purpose is none of another, though it is sealed with the same key. */
static void cookies_are_not_taken_for_each_other(void **state)
{
    struct side *side = *state;
    const char *cookie = NULL;
    struct provider_arrival arrival;
    struct provider_departure departure;
    struct provider_person out;
    assert_int_equal(provider_pending_seal(&side->ctx, side->providers, &ann, "", &cookie), ERR_OK);
    assert_int_equal(
        side_finish(side, PROVIDER_TWITTER, "oauth_token=s-1&oauth_verifier=v", cookie, &arrival),
        PROVIDER_STATE);
    assert_false(arrival.is_flow_known);
    peer_page(&side->peer, "/oauth/request_token", 200,
              "oauth_token=a&oauth_token_secret=b&oauth_callback_confirmed=true");
    assert_int_equal(side_begin(side, PROVIDER_TWITTER, &departure), PROVIDER_OK);
    assert_false(provider_pending_open(&side->ctx, side->providers, departure.cookie, "", &out));
}

static void what_was_known_at_the_start_comes_back(void **state)
{
    struct side *side = *state;
    struct ctx *ctx = &side->ctx;
    struct provider_departure departure;
    struct provider_arrival arrival;
    char *next = arena_take(&ctx->arena, PROVIDER_NEXT_MAX_BYTES + 2);
    memset(next, 'x', PROVIDER_NEXT_MAX_BYTES);
    next[0] = '/';
    struct provider_flow flow = {.purpose = PROVIDER_LINK, .next = next, .bound = "session-1"};
    peer_page(&side->peer, "/oauth/request_token", 200,
              "oauth_token=a&oauth_token_secret=b&oauth_callback_confirmed=true");
    for (int is_longer = 0; is_longer < 2; is_longer++) {
        assert_int_equal(provider_begin(ctx, side->providers, PROVIDER_TWITTER, &flow, &departure),
                         PROVIDER_OK);
        assert_int_equal(
            side_finish(side, PROVIDER_TWITTER, "denied=a", departure.cookie, &arrival),
            PROVIDER_DECLINED);
        assert_true(arrival.is_flow_known);
        assert_int_equal(arrival.flow.purpose, PROVIDER_LINK);
        assert_string_equal(arrival.flow.bound, "session-1");
        assert_string_equal(arrival.flow.next, is_longer ? "" : next);
        next[PROVIDER_NEXT_MAX_BYTES] = 'x'; /* one more is too long */
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, side_setup, side_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_there_unless_it_is_set),
        TEST(providers_have_names),
        TEST(an_identity_waits_for_its_own_session_only),
        TEST(cookies_are_not_taken_for_each_other),
        TEST(what_was_known_at_the_start_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
