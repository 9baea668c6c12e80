# SPDX-License-Identifier: MIT
"""People sign in at oidc-provider and at Twitter, step by step over HTTP: who they are here, what is kept, and where they go."""
import base64
import concurrent.futures

import pytest

from cookies import is_removed, set_cookies
from harness.client import Client
from harness.client import browser_session as open_session
from harness.wait import until
from steps import (assert_refused, at_openid, at_twitter, begin, finish, query_of, refusals_count, refused_once, sign_in, stranger, who_is, with_query)

PROVIDERS = ("openid", "twitter")
CALLBACK = "/users/auth/{}/callback"


@pytest.fixture(params=["openid", "twitter"])
def provider(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def name(request):
    """A name of this test's own."""
    return "n" + str(abs(hash(request.node.nodeid)))[:12]


def word_of(provider):
    return type(provider).__name__.replace("OpenId", "oidc").lower()


def at(provider):
    return at_openid if word_of(provider) == "oidc" else at_twitter


# --- the whole way ---

def test_one_signs_in_and_is_the_same_user_ever_after(site, provider, name):
    provider.account(name)
    client, answer = sign_in(site, provider, name)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert who_is(client) == name
    line = site.notes.wait_log(event="auth.login_ok", user=name)
    assert line["via"] == word_of(provider) and line["peer"] == "127.0.0.1"
    again, _ = sign_in(site, provider, name)
    assert who_is(again) == name and again.session_cookie != client.session_cookie
    assert len([user for user in site.api.get("/list").json() if user["username"].startswith(name)]) == 1


def test_what_is_known_of_a_person_of_openid(site, openid, name):
    subject = openid.account(name, given_name="Zoë", family_name="O'Hara <b>", middle_name="\U0001f98a", email="zoe@example.org")
    client, _ = sign_in(site, openid, name)
    user = site.api.get(f"/find/{name}").json()
    assert (user["givenName"], user["familyName"], user["middleName"]) == ("Zoë", "O'Hara <b>", "\U0001f98a")
    assert user["emails"] == ["zoe@example.org"] and user["provider"] == "oidc"
    identities = site.api.get(f"/identities/{name}").json()
    assert [(one["issuer"], one["subject"], one["provider"]) for one in identities["identities"]] == [(openid.url, subject, "oidc")]
    assert identities["hasPassword"] is False and who_is(client) == name


def test_an_address_that_nobody_has_verified_is_not_kept(site, openid, name):
    openid.account(name, email="boss@example.org", email_verified=False)
    sign_in(site, openid, name)
    assert site.api.get(f"/find/{name}").json()["emails"] == []


def test_what_is_known_of_a_person_of_twitter(site, twitter, name):
    number = twitter.account(name, "Zoë O'Hara", profile_image_url_https="https://pictures.example/1.png")
    sign_in(site, twitter, name)
    user = site.api.get(f"/find/{name}").json()
    assert user["provider"] == "twitter" and user["photos"] == ["https://pictures.example/1.png"]
    identities = site.api.get(f"/identities/{name}").json()["identities"]
    assert [(one["issuer"], one["subject"]) for one in identities] == [("twitter", number)], "a number over 2^53, digit by digit"


def test_no_password_signs_such_a_user_in(site, provider, name):
    provider.account(name)
    sign_in(site, provider, name)
    for password in ("", " ", "null", name, "password"):
        client = Client(site.url)
        assert client.login(name, password).status_code in (302, 400, 429)
        assert not client.is_signed_in and who_is(client) is None


def test_the_name_there_may_change_and_the_user_stays(site, provider, name):
    provider.account(name)
    sign_in(site, provider, name)
    if word_of(provider) == "oidc":
        provider.told["accounts"][name]["preferred_username"] = name + "-renamed"
        provider.tell(accounts=provider.told["accounts"])
    else:
        provider.accounts[name]["screen_name"] = name + "-renamed"
    client, _ = sign_in(site, provider, name)
    assert who_is(client) == name


def test_a_session_of_before_ends_with_the_sign_in(site, provider, name):
    """No session is taken over: what the browser had is not what it has."""
    provider.account(name)
    client = open_session(site, "me")
    before = client.session_cookie
    sign_in(site, provider, name, client)
    assert who_is(client) == name and client.session_cookie != before
    client.http.cookies.clear()
    answer = client.get("/notes/add", headers={"Cookie": f"notescookie.sid={before}"})
    assert answer.status_code == 302, "the old one has ended"


def test_signed_in_users_can_do_what_others_can(site, provider, name):
    provider.account(name)
    client, _ = sign_in(site, provider, name)
    answer = client.post("/notes/save", {"docreate": "create", "notekey": name, "title": "T", "body": "B"})
    assert answer.status_code == 302 and client.html(f"/notes/view?key={name}").text("notetitle") == "T"
    assert client.logout().status_code == 302 and who_is(client) is None


# --- names ---

def test_a_local_user_is_not_taken_over(site, provider, name):
    site.add_user(name)
    for wish in (name, name.upper()):
        provider.account(wish)
        client, _ = sign_in(site, provider, wish)
        assert who_is(client).lower().startswith(name + "-") and who_is(client) != name
    assert site.api.check(name, site.passwords[name]).json()["check"] is True
    assert site.api.get(f"/identities/{name}").json()["identities"] == []


def test_one_provider_does_not_take_over_anothers_user(site, openid, twitter, name):
    openid.account(name)
    twitter.account(name)
    first, _ = sign_in(site, openid, name)
    second, _ = sign_in(site, twitter, name)
    assert who_is(first) == name and who_is(second) == name + "-2"
    again, _ = sign_in(site, twitter, name)
    assert who_is(again) == name + "-2"


@pytest.mark.parametrize("wish", ["a/b", "../me", "x\ty", "<script>alert(1)</script>", "é" * 300, "   ", "", "me", "ME", "-2", "\u202eme", None])
def test_any_name_there_becomes_one_that_may_be_here(site, openid, name, wish):
    openid.account(name, preferred_username=wish, email=None, name=None)
    client, answer = sign_in(site, openid, name)
    assert answer.status_code == 302
    made = who_is(client)
    assert made and made.lower() != "me" and len(made) <= 64 and "/" not in made and made == made.strip()
    assert site.api.get("/find/me").json()["provider"] == "local"


def test_a_disabled_user_stays_out(site, provider, name):
    provider.account(name)
    client, _ = sign_in(site, provider, name)
    assert site.api.post(f"/disable/{name}").status_code == 200
    again, answer = sign_in(site, provider, name)
    assert_refused(again, answer, 403)
    assert site.api.post(f"/enable/{name}").status_code == 200
    back, _ = sign_in(site, provider, name)
    assert who_is(back) == name
    assert client.session_cookie


def test_a_destroyed_user_comes_back_as_somebody_new(site, provider, name):
    provider.account(name)
    sign_in(site, provider, name)
    assert site.api.delete(f"/destroy/{name}").status_code == 200
    client, _ = sign_in(site, provider, name)
    assert who_is(client)
    assert len(site.api.get(f"/identities/{who_is(client)}").json()["identities"]) == 1


def test_two_at_once_are_one_user(site, provider, name):
    """Somebody new comes back in two browsers at the same moment."""
    for number in range(3):
        account = f"{name}-{number}"
        provider.account(account)
        clients = [Client(site.url), Client(site.url)]
        backs = [at(provider)(provider, begin(client, word_of(provider)), account) for client in clients]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(finish, clients, backs))
        assert [answer.status_code for answer in answers] == [302, 302]
        assert {who_is(client) for client in clients} == {account}


# --- no ---

def test_who_declines_gets_a_page_with_a_way_on(site, provider):
    before = refusals_count(site)
    client, answer = sign_in(site, provider, None)
    assert_refused(client, answer, 403)
    assert refused_once(site, before)["why"].startswith("declined")


# --- where to ---

def test_one_comes_back_to_where_one_was_going(site, provider, name):
    provider.account(name)
    client = Client(site.url)
    assert client.get("/notes/add?from=there").status_code == 302
    _, answer = sign_in(site, provider, name, client)
    assert answer.headers["Location"] == "/notes/add?from=there"
    again, answer = sign_in(site, provider, name)
    assert answer.headers["Location"] == "/" and who_is(again) == name


@pytest.mark.parametrize("query", ["next=//evil.example/", "next=https://evil.example/", "return_to=//evil.example", "redirect=/\\evil.example", "url=//evil.example"])
def test_a_link_leads_nobody_elsewhere_after_the_sign_in(site, provider, name, query):
    provider.account(name)
    _, answer = sign_in(site, provider, name, query="?" + query)
    assert answer.headers["Location"] == "/"
    client = Client(site.url)
    back = at(provider)(provider, begin(client, word_of(provider)), name)
    answer = finish(client, back + "&" + query)
    assert answer.status_code != 302 or answer.headers["Location"] == "/"


@pytest.mark.parametrize("place", ["//evil.example/", "https://evil.example/", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)", "http:/x"])
def test_a_planted_cookie_leads_nobody_elsewhere(site, provider, name, place):
    provider.account(name)
    client = Client(site.url)
    planted = base64.urlsafe_b64encode(place.encode()).rstrip(b"=").decode()
    client.http.cookies.set("notesnext", planted, path="/")
    _, answer = sign_in(site, provider, name, client)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/") and who_is(client) == name


# --- codes ---

def test_a_callback_is_good_once(site, provider, name):
    provider.account(name)
    client = Client(site.url)
    back = at(provider)(provider, begin(client, word_of(provider)), name)
    cookies = client.http.cookies.copy()
    assert finish(client, back).status_code == 302
    stolen = Client(site.url)
    assert_refused(stolen, finish(stolen, back), 400)
    stolen = Client(site.url)
    stolen.http.cookies.update(cookies)
    assert_refused(stolen, finish(stolen, back), 400)  # even with the cookie of then: the provider takes no code twice


def test_an_expired_code_is_refused(site, openid, name):
    openid.account(name)
    client = Client(site.url)
    location = begin(client, "oidc")
    openid.tell(codeSeconds=1)
    back = at_openid(openid, location, name)
    openid.tell(codeSeconds=60)
    code = query_of(back)["code"]
    until(lambda: not openid.is_code_good(code), "the code to expire")
    assert_refused(client, finish(client, back), 400)
    client, _ = sign_in(site, openid, name)
    assert who_is(client) == name


def test_anothers_code_is_refused(site, provider, name):
    """Code injection: my code, stolen, in the thief's own callback. PKCE and the token's secret are of my browser."""
    provider.account(name)
    mine, thief = Client(site.url), Client(site.url)
    my_back = at(provider)(provider, begin(mine, word_of(provider)), name)
    theirs = begin(thief, word_of(provider))
    if word_of(provider) == "oidc":
        forged = with_query(my_back, state=query_of(theirs)["state"])
    else:
        forged = with_query(my_back, oauth_token=query_of(theirs)["oauth_token"])
    assert_refused(thief, finish(thief, forged), 400)


# --- the end ---

def test_signing_out_goes_on_to_the_provider(site, openid, name):
    openid.account(name)
    client, _ = sign_in(site, openid, name)
    answer = client.logout()
    place = answer.headers["Location"]
    assert answer.status_code == 302 and place.startswith(openid.url + "/session/end?")
    assert query_of(place)["client_id"] == "notes" and query_of(place)["post_logout_redirect_uri"] == site.url + "/"
    assert who_is(client) is None
    assert openid.http().get(place).status_code == 200, "the provider knows the client and where to go on to"
    assert client.logout().headers["Location"] == "/"


def test_signing_out_by_a_form_stays_here(site, openid, name):
    openid.account(name)
    client, _ = sign_in(site, openid, name)
    assert client.post("/users/logout").headers["Location"] == "/"
    assert who_is(client) is None


def test_who_has_a_password_signs_out_here_only(site):
    client = open_session(site, "me")
    assert client.logout().headers["Location"] == "/"


def test_who_came_from_twitter_signs_out_here_only(site, twitter, name):
    twitter.account(name)
    client, _ = sign_in(site, twitter, name)
    assert client.logout().headers["Location"] == "/"


# --- pages and cookies ---

def test_the_login_page_offers_both(site):
    page = Client(site.url).html("/users/login")
    links = {link["href"]: link.text for link in page.all("a") if link["href"].startswith("/users/auth/")}
    assert "Twitter" in links["/users/auth/twitter"] and "OpenID" in links["/users/auth/oidc"]


def test_the_cookie_of_a_sign_in_is_bound_and_short(site, provider, name):
    provider.account(name)
    client = Client(site.url)
    answer = client.get(f"/users/auth/{word_of(provider)}")
    _, attributes = set_cookies(answer)["notesprovider"]
    assert {"httponly", "samesite=lax", "path=/users/auth", "max-age=600"} <= attributes
    assert answer.headers.get("Cache-Control", "no-store") == "no-store", "nobody keeps a 302 that does not say how long"
    members = query_of(answer.headers["Location"])
    for secret in (members.get("state"), members.get("nonce")):
        assert secret is None or secret not in client.http.cookies.get("notesprovider")
    answer = finish(client, at(provider)(provider, answer.headers["Location"], name))
    assert is_removed(set_cookies(answer)["notesprovider"][1])


def test_no_two_sign_ins_are_alike(site, provider):
    seen = [query_of(begin(Client(site.url), word_of(provider))) for _ in range(4)]
    for member in ("state", "nonce", "code_challenge") if word_of(provider) == "oidc" else ("oauth_token",):
        assert len({members[member] for members in seen}) == 4, member


def test_head_begins_nothing(site, provider):
    answer = Client(site.url).head(f"/users/auth/{word_of(provider)}")
    assert answer.status_code in (302, 405)


def test_a_stranger_of_the_site_gets_no_callback(site):
    for which in ("oidc", "twitter"):
        for query in ("", "?code=x&state=y", "?oauth_token=x&oauth_verifier=y", "?error=access_denied", "?denied=x"):
            client = Client(site.url)
            assert_refused(client, client.get(CALLBACK.format(which) + query), 400)
    assert stranger().post(site.url + CALLBACK.format("oidc"), timeout=30, allow_redirects=False).status_code in (403, 405)
