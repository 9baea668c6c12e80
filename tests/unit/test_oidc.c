/* SPDX-License-Identifier: MIT
 *
 * A sign-in with an OpenID Connect provider, and what can go wrong on the way. That it works with a
 * real one is shown by tests/providers. */
#include "base/clock.h"
#include "base/secret.h"
#include "base/strbuf.h"
#include "provider/oidc_cache.h"

#include "http_fixture.h"
#include "provider_peer.h"
#include "token_maker.h"

#include <openssl/sha.h>

#define DISCOVERY "/.well-known/openid-configuration"
#define HEAD      "{\"alg\":\"RS256\",\"kid\":\"a\"}"

static EVP_PKEY *key;
static EVP_PKEY *newer_key;

static int keys_setup(void **state)
{
    (void)state;
    key = maker_rsa(2048);
    newer_key = maker_rsa(2048);
    return 0;
}

static int keys_teardown(void **state)
{
    (void)state;
    EVP_PKEY_free(key);
    EVP_PKEY_free(newer_key);
    return 0;
}

/* ---- what the provider answers ---- */

/* Its description, with more members; each begins with a comma. */
static void describe(struct side *side, const char *more)
{
    const char *url = side->peer.url;
    peer_page(&side->peer, DISCOVERY, 200,
              arena_format(&side->ctx.arena,
                           "{\"issuer\":\"%s\",\"authorization_endpoint\":\"%s/auth?x=1\","
                           "\"token_endpoint\":\"%s/token\",\"jwks_uri\":\"%s/keys\"%s}",
                           url, url, url, url, more));
}

static void describe_with_info(struct side *side)
{
    describe(side,
             arena_format(&side->ctx.arena, ",\"userinfo_endpoint\":\"%s/me\"", side->peer.url));
}

static void show_key(struct side *side, EVP_PKEY *shown, const char *kid)
{
    struct ctx *ctx = &side->ctx;
    const char *more = arena_format(&ctx->arena, ",\"kid\":\"%s\",\"use\":\"sig\"", kid);
    peer_page(&side->peer, "/keys", 200,
              arena_format(&ctx->arena, "{\"keys\":[%s]}", maker_jwk(ctx, shown, more)));
}

static void lay_down(struct side *side)
{
    describe(side, "");
    show_key(side, key, "a");
}

/* The tokens that belong to this departure: signed so, and with more claims. */
static void give_tokens(struct side *side,
                        const struct provider_departure *departure,
                        EVP_PKEY *signer,
                        const char *head,
                        const char *more)
{
    struct ctx *ctx = &side->ctx;
    long long now_s = clock_unix_ms() / 1000;
    const char *claims = arena_format(
        &ctx->arena,
        "{\"iss\":\"%s\",\"aud\":\"notes:1\",\"sub\":\"s-1\",\"nonce\":\"%s\",\"exp\":%lld,"
        "\"iat\":%lld%s}",
        side->peer.url, parameter_of(ctx, departure->location, "nonce"), now_s + 300, now_s, more);
    peer_page(
        &side->peer, "/token", 200,
        arena_format(&ctx->arena,
                     "{\"id_token\":\"%s\",\"access_token\":\"at-1\",\"token_type\":\"bearer\"}",
                     maker_sign(ctx, signer, MAKER_RS256, head, claims)));
}

/* The pattern with `value` for each "$". */
static const char *with(struct ctx *ctx, const char *pattern, const char *value)
{
    struct strbuf text;
    strbuf_init(&text, &ctx->arena, 512, 4096);
    for (const char *p = pattern; *p; p++) {
        if (*p == '$')
            strbuf_add(&text, value);
        else
            strbuf_add_char(&text, *p);
    }
    return text.text;
}

/* ---- there and back ---- */

static struct provider_departure depart(struct side *side)
{
    struct provider_departure departure;
    assert_int_equal(side_begin(side, PROVIDER_OIDC, &departure), PROVIDER_OK);
    return departure;
}

/* With the code and the right state, and more. */
static enum provider_failure come_back(struct side *side,
                                       const struct provider_departure *departure,
                                       const char *more,
                                       struct provider_arrival *arrival)
{
    struct ctx *ctx = &side->ctx;
    const char *query = arena_format(&ctx->arena, "code=c%%2F1&state=%s%s",
                                     parameter_of(ctx, departure->location, "state"), more);
    return side_finish(side, PROVIDER_OIDC, query, departure->cookie, arrival);
}

/* A whole sign-in whose ID token has these claims besides. */
static enum provider_failure
sign_in(struct side *side, const char *more, struct provider_arrival *arrival)
{
    const struct provider_departure departure = depart(side);
    give_tokens(side, &departure, key, HEAD, more);
    return come_back(side, &departure, "", arrival);
}

/* ---- tests ---- */

static void the_browser_is_sent_away_with_all_that_binds_it(void **state)
{
    struct side *side = *state;
    struct ctx *ctx = &side->ctx;
    static const struct {
        const char *name;
        const char *value;
    } rows[] = {
        {"x", "1"},
        {"response_type", "code"},
        {"client_id", "notes:1"},
        {"redirect_uri", "https://notes.example.org/users/auth/oidc/callback"},
        {"scope", "openid profile email"},
        {"code_challenge_method", "S256"},
    };
    lay_down(side);
    const struct provider_departure one = depart(side);
    const struct provider_departure other = depart(side);
    static const char *const random[] = {"state", "nonce", "code_challenge"};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_string_equal(parameter_of(ctx, one.location, rows[i].name), rows[i].value);
    for (size_t i = 0; i < ARRAY_COUNT(random); i++) {
        const char *value = parameter_of(ctx, one.location, random[i]);
        assert_true(strlen(value) >= 32);
        assert_string_not_equal(value, parameter_of(ctx, other.location, random[i]));
    }
    assert_int_equal(peer_count(&side->peer, DISCOVERY), 1); /* it is kept */
}

static void a_sign_in_ends_with_who_it_is(void **state)
{
    struct side *side = *state;
    struct ctx *ctx = &side->ctx;
    struct provider_arrival arrival;
    unsigned char digest[SHA256_DIGEST_LENGTH];
    lay_down(side);
    describe_with_info(side);
    peer_page(&side->peer, "/me", 200,
              "{\"sub\":\"s-1\",\"preferred_username\":\"ann@corp\",\"name\":\"Ann \xc3\x96\","
              "\"family_name\":\"O'Neil\",\"email\":\"ann@example.org\",\"email_verified\":true,"
              "\"picture\":\"https://p.example/a\"}");
    const struct provider_departure departure = depart(side);
    give_tokens(side, &departure, key, HEAD, ",\"given_name\":\"Ann\",\"name\":\"of the token\"");
    assert_int_equal(come_back(side, &departure, "", &arrival), PROVIDER_OK);
    assert_string_equal(arrival.flow.next, "/next");
    assert_string_equal(arrival.who.provider, "oidc");
    assert_string_equal(arrival.who.issuer, side->peer.url);
    assert_string_equal(arrival.who.subject, "s-1");
    assert_string_equal(arrival.who.username, "ann");
    assert_string_equal(arrival.who.given_name, "Ann");
    assert_string_equal(arrival.who.family_name, "O'Neil");
    assert_string_equal(arrival.who.email, "ann@example.org");
    assert_string_equal(arrival.who.shown_name, "Ann \xc3\x96");
    assert_string_equal(arrival.who.photo, "https://p.example/a");
    const char *request = peer_last(ctx, &side->peer, "/token");
    const char *body = strstr(request, "\r\n\r\n") + 4;
    const char *verifier = parameter_of(ctx, body, "code_verifier");
    (void)SHA256((const unsigned char *)verifier, strlen(verifier), digest);
    assert_string_equal(secret_base64url(&ctx->arena, digest, sizeof(digest)),
                        parameter_of(ctx, departure.location, "code_challenge"));
    assert_string_equal(parameter_of(ctx, body, "grant_type"), "authorization_code");
    assert_string_equal(parameter_of(ctx, body, "code"), "c/1");
    assert_string_equal(parameter_of(ctx, body, "redirect_uri"),
                        parameter_of(ctx, departure.location, "redirect_uri"));
    assert_null(parameter_of(ctx, body, "client_secret"));
    /* "notes%3A1:s%25cret%2F" */
    assert_non_null(strstr(request, "Authorization: Basic bm90ZXMlM0ExOnMlMjVjcmV0JTJG\r\n"));
    assert_non_null(strstr(peer_last(ctx, &side->peer, "/me"), "Authorization: Bearer at-1\r\n"));
}

static void the_client_shows_itself_as_the_provider_wants(void **state)
{
    struct side *side = *state;
    struct ctx *ctx = &side->ctx;
    struct provider_arrival arrival;
    lay_down(side);
    describe(side, ",\"token_endpoint_auth_methods_supported\":[\"client_secret_post\"]");
    assert_int_equal(sign_in(side, "", &arrival), PROVIDER_OK);
    const char *request = peer_last(ctx, &side->peer, "/token");
    const char *body = strstr(request, "\r\n\r\n") + 4;
    assert_string_equal(parameter_of(ctx, body, "client_id"), "notes:1");
    assert_string_equal(parameter_of(ctx, body, "client_secret"), "s%cret/");
    assert_null(strstr(request, "Authorization"));
    secret_done(&side->config.oidc_client_secret);
    assert_int_equal(sign_in(side, "", &arrival), PROVIDER_OK);
    request = peer_last(ctx, &side->peer, "/token");
    body = strstr(request, "\r\n\r\n") + 4;
    assert_string_equal(parameter_of(ctx, body, "client_id"), "notes:1");
    assert_null(parameter_of(ctx, body, "client_secret"));
    assert_null(strstr(request, "Authorization"));
}

static void who_comes_back_otherwise_is_turned_away(void **state)
{
    struct side *side = *state;
    struct ctx *ctx = &side->ctx;
    struct provider_arrival arrival;
    static const struct {
        const char *query; /* $ is the state */
        enum provider_failure failure;
    } rows[] = {
        {"", PROVIDER_STATE},
        {"code=c", PROVIDER_STATE},
        {"code=c&state=", PROVIDER_STATE},
        {"code=c&state=$x", PROVIDER_STATE},
        {"code=c&state=x$", PROVIDER_STATE},
        {"code=c&state=$&state=x", PROVIDER_STATE},
        {"error=access_denied&state=x$", PROVIDER_STATE},
        {"error=access_denied&state=$", PROVIDER_DECLINED},
        {"error=access_denied&code=c&state=$", PROVIDER_DECLINED},
        {"error=temporarily_unavailable&state=$", PROVIDER_UNREACHABLE},
        {"error=invalid_scope&state=$", PROVIDER_NOT_VALID},
        {"state=$", PROVIDER_NOT_VALID},
        {"code=c&code=d&state=$", PROVIDER_NOT_VALID},
        {"code=c&state=$&iss=https%3A%2F%2Fevil.example", PROVIDER_NOT_VALID},
        {"code=c&state=$&iss=", PROVIDER_NOT_VALID},
        {"code=c&state=$&iss=a&iss=b", PROVIDER_NOT_VALID},
    };
    lay_down(side);
    const struct provider_departure departure = depart(side);
    const struct provider_departure other = depart(side);
    const char *right = parameter_of(ctx, departure.location, "state");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const char *query = with(ctx, rows[i].query, right);
        enum provider_failure failure =
            side_finish(side, PROVIDER_OIDC, query, departure.cookie, &arrival);
        if (failure != rows[i].failure)
            fail_msg("%d, not %d: %s", (int)failure, (int)rows[i].failure, query);
    }
    /* The answer of one sign-in with the cookie of another, and without one: login CSRF. */
    give_tokens(side, &departure, key, HEAD, "");
    const struct provider_departure mixed = {.location = departure.location,
                                             .cookie = other.cookie};
    assert_int_equal(come_back(side, &mixed, "", &arrival), PROVIDER_STATE);
    const struct provider_departure bare = {.location = departure.location, .cookie = NULL};
    assert_int_equal(come_back(side, &bare, "", &arrival), PROVIDER_STATE);
    assert_false(arrival.is_flow_known);
    assert_int_equal(peer_count(&side->peer, "/token"), 0);
    assert_int_equal(come_back(side, &departure, "", &arrival), PROVIDER_OK);
}

static void an_announced_issuer_must_be_named(void **state)
{
    struct side *side = *state;
    struct provider_arrival arrival;
    lay_down(side);
    describe(side, ",\"authorization_response_iss_parameter_supported\":true");
    assert_int_equal(sign_in(side, "", &arrival), PROVIDER_NOT_VALID);
    assert_int_equal(peer_count(&side->peer, "/token"), 0);
    const struct provider_departure departure = depart(side);
    give_tokens(side, &departure, key, HEAD, "");
    const char *iss = arena_format(&side->ctx.arena, "&iss=%s", side->peer.url);
    assert_int_equal(come_back(side, &departure, iss, &arrival), PROVIDER_OK);
}

static void new_keys_are_found_but_not_asked_for_all_the_time(void **state)
{
    struct side *side = *state;
    struct provider_arrival arrival;
    static const char newer[] = "{\"alg\":\"RS256\",\"kid\":\"b\"}";
    static const char unknown[] = "{\"alg\":\"RS256\",\"kid\":\"c\"}";
    lay_down(side);
    assert_int_equal(sign_in(side, "", &arrival), PROVIDER_OK);
    assert_int_equal(sign_in(side, "", &arrival), PROVIDER_OK);
    assert_int_equal(peer_count(&side->peer, "/keys"), 1);
    show_key(side, newer_key, "b");
    struct provider_departure departure = depart(side);
    give_tokens(side, &departure, newer_key, newer, "");
    assert_int_equal(come_back(side, &departure, "", &arrival), PROVIDER_OK);
    assert_int_equal(peer_count(&side->peer, "/keys"), 2);
    /* Whoever can make tokens up can't make us ask. */
    for (int i = 0; i < 3; i++) {
        departure = depart(side);
        give_tokens(side, &departure, key, unknown, "");
        assert_int_equal(come_back(side, &departure, "", &arrival), PROVIDER_NOT_VALID);
    }
    assert_int_equal(peer_count(&side->peer, "/keys"), 2);
    assert_int_equal(sign_in(side, "", &arrival), PROVIDER_NOT_VALID); /* the old key is out */
}

static void a_token_that_is_not_good_signs_nobody_in(void **state)
{
    struct side *side = *state;
    struct provider_arrival arrival;
    lay_down(side);
    struct provider_departure departure = depart(side);
    give_tokens(side, &departure, newer_key, HEAD, "");
    assert_int_equal(come_back(side, &departure, "", &arrival), PROVIDER_NOT_VALID);
    /* A token of an earlier sign-in. */
    const struct provider_departure later = depart(side);
    give_tokens(side, &departure, key, HEAD, "");
    assert_int_equal(come_back(side, &later, "", &arrival), PROVIDER_NOT_VALID);
    assert_int_equal(sign_in(side, ",\"nbf\":9999999999", &arrival), PROVIDER_CLOCK);
    assert_int_equal(sign_in(side, ",\"azp\":\"other\"", &arrival), PROVIDER_NOT_VALID);
}

static void a_refused_code_is_told_from_a_refused_client(void **state)
{
    struct side *side = *state;
    struct provider_arrival arrival;
    static const struct {
        int status;
        const char *body;
        enum provider_failure failure;
    } rows[] = {
        {400, "{\"error\":\"invalid_grant\"}", PROVIDER_STATE},
        {401, "{\"error\":\"invalid_client\"}", PROVIDER_NOT_VALID},
        {400, "nonsense", PROVIDER_NOT_VALID},
        {302, "", PROVIDER_NOT_VALID},
        {429, "", PROVIDER_BUSY},
        {200, "{}", PROVIDER_NOT_VALID},
        {200, "{\"id_token\":\"a.b.c\",\"access_token\":\"x\",\"token_type\":\"mac\"}",
         PROVIDER_NOT_VALID},
        {200, "{\"id_token\":\"a.b.c\",\"access_token\":\"x\\r\\ny\",\"token_type\":\"Bearer\"}",
         PROVIDER_NOT_VALID},
        {200, "{\"id_token\":\"a.b.c\",\"access_token\":\"x\",\"token_type\":\"Bearer\"}",
         PROVIDER_NOT_VALID},
    };
    lay_down(side);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct provider_departure departure = depart(side);
        peer_page(&side->peer, "/token", rows[i].status, rows[i].body);
        assert_int_equal(come_back(side, &departure, "", &arrival), rows[i].failure);
    }
}

static void answers_that_hold_no_good_tokens_are_told(void **state)
{
    struct side *side = *state;
    struct oidc_tokens tokens;
    static const char good[] =
        "{\"id_token\":\"a.b.c\",\"access_token\":\"x\",\"token_type\":\"BEARER\"}";
    static const char *const bad[] = {
        "{\"id_token\":\"a.b.c\",\"access_token\":\"x\",\"token_type\":\"mac\"}",
        "{\"id_token\":\"a.b.c\",\"access_token\":\"x\"}",
        "{\"id_token\":\"a.b.c\",\"token_type\":\"Bearer\"}",
        "{\"access_token\":\"x\",\"token_type\":\"Bearer\"}",
        "{\"id_token\":\"a b\",\"access_token\":\"x\",\"token_type\":\"Bearer\"}",
        "{\"id_token\":\"a.b.c\",\"access_token\":\"x y\",\"token_type\":\"Bearer\"}",
        "{\"id_token\":\"a.b.c\",\"access_token\":\"x\\ny\",\"token_type\":\"Bearer\"}",
        "{\"id_token\":\"a.b.c\",\"access_token\":\"\",\"token_type\":\"Bearer\"}",
        "{\"id_token\":5,\"access_token\":\"x\",\"token_type\":\"Bearer\"}",
    };
    assert_int_equal(oidc_wire_tokens(&side->ctx, bytes_of(good), &tokens), ERR_OK);
    assert_string_equal(tokens.id_token, "a.b.c");
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
        assert_int_equal(oidc_wire_tokens(&side->ctx, bytes_of(bad[i]), &tokens), ERR_INVALID);
}

static void the_user_info_is_of_the_same_person(void **state)
{
    struct side *side = *state;
    struct provider_arrival arrival;
    static const struct {
        int status;
        const char *body;
    } rows[] = {{200, "{\"sub\":\"s-2\"}"},
                {200, "{}"},
                {200, "{\"sub\":null}"},
                {200, "[]"},
                {403, "{}"},
                {200, "{\"sub\":\"s-1\",\"sub\":\"s-1\"}"},
                {302, ""}};
    lay_down(side);
    describe_with_info(side);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        peer_page(&side->peer, "/me", rows[i].status, rows[i].body);
        assert_int_equal(sign_in(side, "", &arrival), PROVIDER_NOT_VALID);
    }
}

static void only_verified_addresses_of_the_domains_are_let_in(void **state)
{
    struct side *side = *state;
    struct provider_arrival arrival;
    static const struct {
        const char *more;
        enum provider_failure failure;
    } rows[] = {
        {"", PROVIDER_DOMAIN},
        {",\"email\":\"a@example.org\"", PROVIDER_DOMAIN},
        {",\"email\":\"a@example.org\",\"email_verified\":false", PROVIDER_DOMAIN},
        {",\"email\":\"a@evil.example\",\"email_verified\":true", PROVIDER_DOMAIN},
        {",\"email\":\"a@Example.ORG\",\"email_verified\":true", PROVIDER_OK},
        {",\"email\":\"a@example.org\",\"email_verified\":\"true\"", PROVIDER_OK},
    };
    lay_down(side);
    side->config.oidc_allowed_domains = "example.net,example.org";
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        assert_int_equal(sign_in(side, rows[i].more, &arrival), rows[i].failure);
    /* The flag of the token does not vouch for the address of the user info. */
    side_restart(side);
    describe_with_info(side);
    peer_page(&side->peer, "/me", 200, "{\"sub\":\"s-1\",\"email\":\"b@example.org\"}");
    assert_int_equal(sign_in(side, rows[4].more, &arrival), PROVIDER_DOMAIN);
}

static void a_description_that_misleads_is_not_valid(void **state)
{
    struct side *side = *state;
    struct provider_departure departure;
    const char *url = side->peer.url;
    static const char *const bodies[] = {
        "",
        "[]",
        "{}",
        "{\"issuer\":\"https://evil.example\"}",
        "{\"issuer\":\"$/\",\"authorization_endpoint\":\"$/a\",\"token_endpoint\":\"$/t\","
        "\"jwks_uri\":\"$/k\"}",
        "{\"issuer\":\"$\",\"authorization_endpoint\":\"http://evil.example/a\","
        "\"token_endpoint\":\"$/t\",\"jwks_uri\":\"$/k\"}",
        "{\"issuer\":\"$\",\"authorization_endpoint\":\"javascript:alert(1)\","
        "\"token_endpoint\":\"$/t\",\"jwks_uri\":\"$/k\"}",
        "{\"issuer\":\"$\",\"authorization_endpoint\":\"$/a\",\"jwks_uri\":\"$/k\"}",
        "{\"issuer\":\"$\",\"authorization_endpoint\":\"$/a\",\"token_endpoint\":\"$/t\"}",
        "{\"issuer\":\"$\",\"authorization_endpoint\":\"$/a\",\"token_endpoint\":\"file:///x\","
        "\"jwks_uri\":\"$/k\"}",
        "{\"issuer\":\"$\",\"issuer\":\"$\",\"authorization_endpoint\":\"$/a\","
        "\"token_endpoint\":\"$/t\",\"jwks_uri\":\"$/k\"}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
        peer_page(&side->peer, DISCOVERY, 200, with(&side->ctx, bodies[i], url));
        assert_int_equal(side_begin(side, PROVIDER_OIDC, &departure), PROVIDER_NOT_VALID);
    }
    peer_page(&side->peer, DISCOVERY, 302, "");
    assert_int_equal(side_begin(side, PROVIDER_OIDC, &departure), PROVIDER_NOT_VALID);
    assert_null(side->providers->discovery.text); /* nothing of it is kept */
}

static void a_provider_that_is_away_is_left_alone_for_a_while(void **state)
{
    struct side *side = *state;
    struct provider_departure departure;
    lay_down(side);
    peer_page(&side->peer, DISCOVERY, 503, "");
    assert_int_equal(side_begin(side, PROVIDER_OIDC, &departure), PROVIDER_UNREACHABLE);
    assert_int_equal(side_begin(side, PROVIDER_OIDC, &departure), PROVIDER_BUSY);
    assert_int_equal(peer_count(&side->peer, DISCOVERY), 1);
    peer_page(&side->peer, "/oauth/request_token", 200, ""); /* Twitter is somebody else */
    assert_int_equal(side_begin(side, PROVIDER_TWITTER, &departure), PROVIDER_NOT_VALID);
    side->providers->rest_until_ms[PROVIDER_OIDC] = 0;
    lay_down(side);
    assert_int_equal(side_begin(side, PROVIDER_OIDC, &departure), PROVIDER_OK);
    side_restart(side);
    side->config.oidc_issuer = "http://127.0.0.1:1";
    assert_int_equal(side_begin(side, PROVIDER_OIDC, &departure), PROVIDER_UNREACHABLE);
}

static void a_provider_that_hangs_is_slow(void **state)
{
    struct side *side = *state;
    struct provider_departure departure;
    side->config.provider_timeout_ms = 100;
    peer_page(&side->peer, DISCOVERY, PEER_SILENT, "");
    assert_int_equal(side_begin(side, PROVIDER_OIDC, &departure), PROVIDER_SLOW);
    assert_int_equal(side_begin(side, PROVIDER_OIDC, &departure), PROVIDER_BUSY);
}

/* It would be a good description, but for its size. */
static void a_huge_answer_is_not_valid(void **state)
{
    struct side *side = *state;
    struct provider_departure departure;
    char *padding = malloc(PROVIDER_ANSWER_MAX_BYTES + 1);
    assert_non_null(padding);
    memset(padding, ' ', PROVIDER_ANSWER_MAX_BYTES);
    padding[PROVIDER_ANSWER_MAX_BYTES] = '\0';
    describe(side, padding);
    assert_int_equal(side_begin(side, PROVIDER_OIDC, &departure), PROVIDER_NOT_VALID);
    assert_non_null(strstr(side->ctx.why.text, "larger than"));
    padding[PROVIDER_ANSWER_MAX_BYTES / 2] = '\0';
    describe(side, padding);
    assert_int_equal(side_begin(side, PROVIDER_OIDC, &departure), PROVIDER_OK);
    free(padding);
}

static void turns_leave_threads_to_local_sign_ins(void **state)
{
    struct side *side = *state;
    struct ctx *ctx = &side->ctx;
    static const struct {
        int64_t threads_count;
        int turns_count; /* of both providers together */
        int each_count;
    } rows[] = {{1, 1, 1}, {2, 1, 1}, {3, 2, 1}, {4, 3, 2}, {64, 3, 2}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        side->config.login_workers = rows[i].threads_count;
        side_restart(side);
        for (int turn = 0; turn < rows[i].each_count; turn++)
            assert_int_equal(provider_turn_take(ctx, side->providers, PROVIDER_OIDC), PROVIDER_OK);
        assert_int_equal(provider_turn_take(ctx, side->providers, PROVIDER_OIDC), PROVIDER_BUSY);
        for (int turn = rows[i].each_count; turn < rows[i].turns_count; turn++)
            assert_int_equal(provider_turn_take(ctx, side->providers, PROVIDER_TWITTER),
                             PROVIDER_OK);
        assert_int_equal(provider_turn_take(ctx, side->providers, PROVIDER_TWITTER), PROVIDER_BUSY);
        provider_turn_end(side->providers, PROVIDER_OIDC, PROVIDER_OK);
        assert_int_equal(provider_turn_take(ctx, side->providers, PROVIDER_OIDC), PROVIDER_OK);
    }
}

static void logging_out_goes_on_at_the_provider_when_it_offers_that(void **state)
{
    struct side *side = *state;
    struct ctx *ctx = &side->ctx;
    assert_null(provider_logout_url(ctx, NULL));
    assert_null(provider_logout_url(ctx, side->providers)); /* there is no description */
    assert_string_equal(ctx->why.text, "");
    lay_down(side);
    assert_null(provider_logout_url(ctx, side->providers));
    side_restart(side);
    describe(side,
             arena_format(&ctx->arena, ",\"end_session_endpoint\":\"%s/end\"", side->peer.url));
    const char *url = provider_logout_url(ctx, side->providers);
    assert_non_null(url);
    assert_int_equal(strncmp(url, arena_format(&ctx->arena, "%s/end?", side->peer.url),
                             strlen(side->peer.url) + 5),
                     0);
    assert_string_equal(parameter_of(ctx, url, "client_id"), "notes:1");
    assert_string_equal(parameter_of(ctx, url, "post_logout_redirect_uri"),
                        "https://notes.example.org/");
    assert_null(parameter_of(ctx, url, "id_token_hint"));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, side_setup, side_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_browser_is_sent_away_with_all_that_binds_it),
        TEST(a_sign_in_ends_with_who_it_is),
        TEST(the_client_shows_itself_as_the_provider_wants),
        TEST(who_comes_back_otherwise_is_turned_away),
        TEST(an_announced_issuer_must_be_named),
        TEST(new_keys_are_found_but_not_asked_for_all_the_time),
        TEST(a_token_that_is_not_good_signs_nobody_in),
        TEST(a_refused_code_is_told_from_a_refused_client),
        TEST(answers_that_hold_no_good_tokens_are_told),
        TEST(the_user_info_is_of_the_same_person),
        TEST(only_verified_addresses_of_the_domains_are_let_in),
        TEST(a_description_that_misleads_is_not_valid),
        TEST(a_provider_that_is_away_is_left_alone_for_a_while),
        TEST(a_provider_that_hangs_is_slow),
        TEST(a_huge_answer_is_not_valid),
        TEST(turns_leave_threads_to_local_sign_ins),
        TEST(logging_out_goes_on_at_the_provider_when_it_offers_that),
    };
    return cmocka_run_group_tests(tests, keys_setup, keys_teardown);
}
