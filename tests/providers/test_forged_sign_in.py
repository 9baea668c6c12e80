# SPDX-License-Identifier: MIT
"""Attacks on a sign-in that is under way: another's state, another's browser, a callback played twice, two providers mixed up.
None gives a session, and none takes one away."""
import base64

import pytest

from harness.client import Client
from harness.client import browser_session as open_session
from keys import token
from served import elsewhere, huge, says
from steps import (assert_refused, at_liar, at_twitter, begin, finish, logged, query_of, refusals_count, refused_once, sign_in, stranger, who_is,
                   with_query)

PROVIDERS = ("liar", "twitter")
COOKIE = "notesprovider"


@pytest.fixture(params=["liar", "twitter"])
def provider(request):
    one = request.getfixturevalue(request.param)
    if request.param == "liar":
        one.is_somebody(preferred_username="somebody")
    else:
        one.account("somebody")
    return one


def which(provider):
    return "twitter" if type(provider).__name__ == "Twitter" else "oidc"


def at_provider(provider, location):
    return (at_twitter if which(provider) == "twitter" else at_liar)(provider, location, "somebody")


def state_of(provider):
    return "oauth_token" if which(provider) == "twitter" else "state"


def half_way(site, provider, client=None):
    """(client, the callback's address): all but the last step."""
    client = client or Client(site.url)
    return client, at_provider(provider, begin(client, which(provider)))


def cookie_of(client):
    return client.http.cookies.get(COOKIE)


def put_cookie(client, value):
    client.http.cookies.clear()
    client.http.cookies.set(COOKIE, value, path="/users/auth", domain="127.0.0.1")


def test_without_an_attack_it_would_succeed(site, provider):
    client, back = half_way(site, provider)
    assert finish(client, back).status_code == 302 and who_is(client)


# --- state ---

@pytest.mark.parametrize("change", ["wrong", "cut", "longer", "empty", "missing", "other-case"])
def test_a_state_that_is_not_this_browsers(site, provider, change):
    client, back = half_way(site, provider)
    name = state_of(provider)
    right = query_of(back)[name]
    wrong = {"wrong": "A" * len(right), "cut": right[:-1], "longer": right + "A", "empty": "", "missing": None, "other-case": right.swapcase()}[change]
    before = refusals_count(site)
    assert_refused(client, finish(client, with_query(back, **{name: wrong})), 400)
    assert refused_once(site, before)["via"] == which(provider)
    assert cookie_of(client) is None, "the sign-in is over, whatever the outcome"
    assert_refused(client, finish(client, back), 400)


def test_a_code_without_the_cookie(site, provider):
    client, back = half_way(site, provider)
    client.http.cookies.clear()
    assert_refused(client, finish(client, back), 400)


# --- login CSRF ---

def test_a_stranger_signs_nobody_in_as_himself(site, provider):
    """The attacker goes all the way but the last step, which the victim's browser is led to."""
    _, back = half_way(site, provider)
    victim = Client(site.url)
    assert_refused(victim, finish(victim, back), 400)


def test_nor_while_the_victim_is_signing_in(site, provider):
    _, back = half_way(site, provider)
    victim, _ = half_way(site, provider)
    assert_refused(victim, finish(victim, back), 400)


def test_nor_who_is_signed_in(site, provider):
    _, back = half_way(site, provider)
    victim = open_session(site, "me")
    assert finish(victim, back).status_code == 400
    assert who_is(victim) == "me" and victim.get("/notes/add").status_code == 200


# --- played twice ---

def test_a_callback_played_twice(site, provider):
    client, back = half_way(site, provider)
    kept = cookie_of(client)
    assert finish(client, back).status_code == 302 and who_is(client)
    before = len(logged(site, "auth.login_ok"))
    again = Client(site.url)
    put_cookie(again, kept)
    assert_refused(again, finish(again, back), 400)
    assert len(logged(site, "auth.login_ok")) == before


def test_a_nonce_played_twice(site, liar):
    """An ID token of an earlier sign-in is none of this one."""
    liar.is_somebody(preferred_username="replayed")
    kept, before = [], refusals_count(site)

    def keep(header, claims, sign):
        kept.append(token(header, claims, sign))
        return kept[0]

    with liar.lying(make_token=keep):
        assert who_is(sign_in(site, liar)[0])
        client, answer = sign_in(site, liar)
        assert_refused(client, answer, 502)
    assert len(kept) == 2 and "another sign-in" in refused_once(site, before)["why"]


# --- the sealed cookie ---

def changed_cookies(value):
    raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    for place in sorted({0, 1, 8, 23, 24, 40, len(raw) // 2, len(raw) - 1}):
        bent = bytearray(raw)
        bent[place] ^= 1
        yield base64.urlsafe_b64encode(bytes(bent)).rstrip(b"=").decode()
    for other in ("", "x", value[:-1], value[:-4], value + "AAAA", value[::-1], "A" * len(value), "A" * 2000, value.swapcase(), "%00"):
        yield other


def test_a_cookie_of_nobodys_making(site, provider):
    client, back = half_way(site, provider)
    kept = cookie_of(client)
    for value in changed_cookies(kept):
        put_cookie(client, value)
        assert_refused(client, client.get(back[len(site.url):]), 400)
    put_cookie(client, kept)
    assert finish(client, back).status_code == 302, "none of these did the sign-in any harm"


def test_the_cookie_says_nothing(site, liar):
    client = Client(site.url)
    members = query_of(begin(client, "oidc"))
    value = cookie_of(client)
    seen = value + base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode("latin-1")
    for name in ("state", "nonce", "code_challenge"):
        assert members[name] not in seen and len(members[name]) >= 22
    assert liar.url not in seen


def test_the_cookie_of_another_site(site, liar, twitter, make_site):
    """Keys are of one site."""
    other = make_site(liar, twitter)
    client, back = half_way(site, liar)
    stranger_here = Client(other.url)
    put_cookie(stranger_here, cookie_of(client))
    answer = stranger_here.get(back[len(site.url):])
    assert_refused(stranger_here, answer, 400)


def test_a_cookie_for_something_else(site, provider):
    """What the site seals for one purpose it takes for no other."""
    client, back = half_way(site, provider)
    me = open_session(site, "me")
    for value in (me.session_cookie, *me.http.cookies.values()):
        put_cookie(client, value)
        assert_refused(client, client.get(back[len(site.url):]), 400)


def test_any_process_of_the_site_finishes_what_another_began(site, provider):
    client, back = half_way(site, provider)
    site.notes.restart()
    assert finish(client, back).status_code == 302 and who_is(client)


# --- whose identity it is ---

def test_subjects_that_look_alike_are_not_alike(site, liar):
    """Byte for byte, whatever a database's collation takes for the same."""
    names = {}
    for number, subject in enumerate(("Same", "same", "SAME", "same ", " same", "same  ", "sa me", "same%", "same_", "0", "00", "1e1", "10")):
        liar.is_somebody(preferred_username=f"alike{number}")
        liar.subject = subject
        client, answer = sign_in(site, liar)
        assert answer.status_code == 302, subject
        names[subject] = who_is(client)
    assert len(set(names.values())) == len(names), names
    for subject, name in names.items():
        liar.subject = subject
        assert who_is(sign_in(site, liar)[0]) == name


# --- mix-up ---

def test_one_providers_answer_is_not_anothers(site, liar, twitter):
    """Begun at one, answered by the other."""
    liar.is_somebody(preferred_username="mixed")
    twitter.account("somebody")
    client, back = half_way(site, liar)
    members = query_of(back)
    wrong = f"{site.url}/users/auth/twitter/callback?oauth_token={members['state']}&oauth_verifier={members['code']}"
    asked = len(twitter.requests)
    assert_refused(client, finish(client, wrong), 400)
    assert len(twitter.requests) == asked, "the code went nowhere"
    client, back = half_way(site, twitter)
    members = query_of(back)
    wrong = f"{site.url}/users/auth/oidc/callback?state={members['oauth_token']}&code={members['oauth_verifier']}"
    asked = liar.count("/token")
    assert_refused(client, finish(client, wrong), 400)
    assert liar.count("/token") == asked


def test_a_mixed_up_issuer_gets_no_code(site, liar):
    """RFC 9207: the answer names its issuer, and the code is sent only to that one."""
    liar.is_somebody(preferred_username="mixed")
    client, back = half_way(site, liar)
    asked = liar.count("/token")
    answer = finish(client, with_query(back, iss="https://honest.example"))
    assert_refused(client, answer, answer.status_code)
    assert answer.status_code in (400, 502) and liar.count("/token") == asked


def test_two_sign_ins_in_one_browser(site, provider):
    """The later one counts; the earlier one ends in a page with a way on."""
    client, first = half_way(site, provider)
    _, second = half_way(site, provider, client)
    kept = cookie_of(client)
    assert_refused(client, finish(client, first), 400)
    put_cookie(client, kept)
    assert finish(client, second).status_code == 302 and who_is(client)


# --- Twitter's own ---

def test_every_request_is_signed_anew(twitter, site):
    """oauthlib has verified each signature and refuses a nonce that it has seen."""
    twitter.account("somebody")
    before = len(twitter.validator.nonces)
    assert who_is(sign_in(site, twitter, "somebody")[0])
    assert len(twitter.validator.nonces) == before + 3
    signed = [seen for seen in twitter.requests if "oauth_nonce" in (seen.headers.get("Authorization") or "")][-1]
    answer = stranger().request(signed.command, twitter.url + signed.path, headers={"Authorization": signed.headers["Authorization"]}, timeout=30)
    assert answer.status_code == 401, "the same request again is refused: it would be seen if ours were not new each time"


@pytest.mark.parametrize("deed", ["unconfirmed", "no-token", "other-token", "no-secret", "json"])
def test_a_request_token_that_is_none(site, twitter, deed):
    bodies = {"unconfirmed": "oauth_token=a&oauth_token_secret=b&oauth_callback_confirmed=false", "no-token": "oauth_token_secret=b&oauth_callback_confirmed=true",
              "other-token": "oauth_token=&oauth_token_secret=&oauth_callback_confirmed=true", "no-secret": "oauth_token=a&oauth_callback_confirmed=true", "json": "{}"}
    with twitter.misdoing("/oauth/request_token", says(bodies[deed], "application/x-www-form-urlencoded")):
        client, before = Client(site.url), refusals_count(site)
        assert_refused(client, client.get("/users/auth/twitter"), 502)
    assert refused_once(site, before)["via"] == "twitter"


@pytest.mark.parametrize("lies", [{"id_str": None}, {"id_str": ""}, {"id_str": "x" * 300}, {"id_str": "a\nb"}, {"id_str": 7}, {"id_str": "é"}], ids=str)
def test_a_profile_of_nobody(site, twitter, lies):
    twitter.account("somebody")
    twitter.lies = lies
    try:
        client, answer = sign_in(site, twitter, "somebody")
        assert_refused(client, answer, 502)
    finally:
        twitter.lies = {}
    assert who_is(sign_in(site, twitter, "somebody")[0])


@pytest.mark.parametrize("route", ["/oauth/request_token", "/oauth/access_token", "/1.1/account/verify_credentials.json"])
def test_an_answer_of_twitter_that_is_none(site, twitter, route):
    twitter.account("somebody")
    deeds = {"text": says("hello"), "list": says("[]"), "empty": says(""), "nul": says("\x00"), "long": says("x=" + "y" * 100000), "huge": huge}
    if not route.endswith(".json"):  # apps of some plans may not read profiles: who somebody is, the access token's answer says
        deeds.update(unknown=says("{}", code=404), elsewhere=elsewhere(twitter.url + "/elsewhere"))
    for deed in deeds.values():
        with twitter.misdoing(route, deed):
            client = Client(site.url)
            answer = client.get("/users/auth/twitter")
            if answer.status_code == 302:
                answer = finish(client, at_twitter(twitter, answer.headers["Location"], "somebody"))
            assert_refused(client, answer, 502)
    assert twitter.count("/elsewhere") == 0, "redirects are not followed"
    assert who_is(sign_in(site, twitter, "somebody")[0])


def test_an_app_that_may_not_read_profiles(site, twitter):
    number = twitter.account("unread", "Not to be read")
    with twitter.misdoing("/1.1/account/verify_credentials.json", says("{}", code=403)):
        client, answer = sign_in(site, twitter, "unread")
        assert answer.status_code == 302 and who_is(client) == "unread"
    assert site.api.get("/identities/unread").json()["identities"][0]["subject"] == number


def test_a_profile_of_somebody_else(site, twitter):
    """The access token's answer says whose it is."""
    twitter.account("unlike")
    other = twitter.account("victim")
    twitter.lies = {"id": int(other), "id_str": other}
    try:
        client, answer = sign_in(site, twitter, "unlike")
        assert_refused(client, answer, 502)
    finally:
        twitter.lies = {}
