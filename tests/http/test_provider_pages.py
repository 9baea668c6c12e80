# SPDX-License-Identifier: MIT
"""Signing in at a provider as notes-svc's pages have it: links, the way there and back, cookies, what goes wrong, linking and
unlinking, logging out; and no trace of it where nothing is configured. What a provider says is scripted here; tests/providers
has providers that are not ours."""
import contextlib
import re
import threading
import time
import urllib.parse

import pytest

from cookies import is_removed, set_cookies
from harness.client import Client, browser_session, read_page
from harness.wait import until
from notes_verbs import check_page, create_note
from odd_service import Odd, Relay, http_answer
from scripted_provider import ScriptedProvider

# The provider is a thread of the tests: it answers as late as they stand still.
NOTES_ENV = {"LOGIN_FAILURES_PER_MIN": 0, "WRITES_PER_MIN": 0, "PROVIDER_TIMEOUT_MS": 60000, "REQUEST_DEADLINE_MS": 60000}
ACCOUNT = "/users/account"
BEGIN = {"oidc": "/users/auth/oidc", "twitter": "/users/auth/twitter"}
LINK = "/users/account/identities/link"
UNLINK = "/users/account/identities/unlink"


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    with ScriptedProvider(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture(autouse=True)
def as_at_first(provider):
    """Each test has somebody else at the provider."""
    number = getattr(provider, "number", 0) + 1
    provider.number = number
    provider.person = {**provider.person, "sub": f"sub-{number}", "preferred_username": f"jane{number}", "name": f"Jane <i>{number}</i>",
                       "email": "jane@example.com"}
    provider.tweeter = {"id_str": str(1000 + number), "screen_name": f"birdie{number}", "name": f"Birdie <b>{number}</b>"}
    provider.claims, provider.status, provider.has_logout = {}, 200, True


@pytest.fixture(scope="module")
def both(provider, tmp_path_factory):
    """A site with both providers; users `me` and `you` have passwords."""
    from harness.site import Site
    site = Site(tmp_path_factory.mktemp("both"), {**NOTES_ENV, **provider.oidc_settings(), **provider.twitter_settings()})
    site.start()
    yield site
    site.stop()


def ways(page):
    return [(node["href"], node.text) for node in page.all("a", class_="nav-way")]


def signed_in_as(client):
    node = client.html("/").first(id="signed-in-user")
    return node.text if node else None


def identities(page):
    """(name, subject, whether it can be unlinked) of each on the account page."""
    return [(node.first("p", class_="session-device").text, node.first("code").text, node.first("form") is not None)
            for node in page.all("li", class_="identity")]


# --- links ---

def test_every_page_of_a_stranger_shows_the_ways_to_sign_in(both):
    create_note(browser_session(both, "me"), "ways")
    shown = [("/users/auth/twitter", "Log in with Twitter"), ("/users/auth/oidc", "Log in with Company")]
    stranger = Client(both.url)
    for path, status in (("/", 200), ("/notes/view?key=ways", 200), ("/users/login", 200), ("/nowhere", 404)):
        page = check_page(stranger.html(path, status))
        assert ways(page) == shown, path
        assert all(node["rel"] == "nofollow" for node in page.all("a", class_="nav-way"))
    buttons = stranger.html("/users/login").all("a", class_="way")
    assert [(node["href"], node.text) for node in buttons] == shown


def test_who_is_signed_in_sees_none(both):
    assert ways(browser_session(both, "me").html("/")) == []


def test_name_of_a_provider_is_text(make_site, provider):
    site = make_site(**provider.oidc_settings(OIDC_NAME="<b>A&B</b>"))
    assert ways(Client(site.url).html("/")) == [("/users/auth/oidc", "Log in with <b>A&B</b>")]


def test_one_provider_is_no_other(make_site, provider):
    site = make_site(**provider.twitter_settings())
    stranger = Client(site.url)
    assert ways(stranger.html("/")) == [("/users/auth/twitter", "Log in with Twitter")]
    assert stranger.get("/users/auth/oidc").status_code == 404
    assert stranger.get("/users/auth/oidc/callback").status_code == 404
    assert stranger.get("/users/auth/github").status_code == 404


# --- nothing configured ---

WITHOUT_IDS = re.compile(rb'(?<=<code>)[A-Za-z0-9_-]{16,}(?=</code>)|(?<=name="csrf" value=")[^"]+|(?<=name="id" value=")[^"]+|data-revision="\d+"|<time.*?</time>'
                         rb"|\d+ \w+ \d{4}, \d\d:\d\d UTC")
WAY_LINK = re.compile(rb'\s*<a class="nav-item nav-way".*?</a>', re.DOTALL)
WAY_BUTTONS = re.compile(rb'\s*<div class="ways">.*?</div>', re.DOTALL)
WAYS_PART = re.compile(rb'\s*<section class="account-part" aria-labelledby="ways-title">.*?</section>', re.DOTALL)


def test_without_a_provider_pages_have_no_trace_and_else_the_same_bytes(site, both):
    """The pages of a site with providers, without what was added, are those of a site without any."""
    pages = {}
    for name, one in (("with", both), ("without", site)):
        one.add_user("fresh")  # whose sessions are these two
        create_note(browser_session(one, "fresh"), "same-page")
        clients = {"stranger": Client(one.url), "me": browser_session(one, "fresh")}
        pages[name] = {
            (who, path): WITHOUT_IDS.sub(b"", clients[who].get(path).content)
            for who, path in (("stranger", "/notes/view?key=same-page"), ("stranger", "/users/login"), ("stranger", "/nowhere"),
                              ("me", "/notes/view?key=same-page"), ("me", "/notes/add"), ("me", ACCOUNT), ("me", "/nowhere"))}
    for key, plain in pages["without"].items():
        for trace in (b"nav-way", b'class="ways"', b"ways-title", b"/users/auth", b"Twitter", b"identities", b"Company"):
            assert trace not in plain, key
        rest = pages["with"][key]
        for added in (WAY_LINK, WAY_BUTTONS, WAYS_PART):
            rest = added.sub(b"", rest)
        assert rest == plain, key


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("path", ["/users/auth/twitter", "/users/auth/twitter/callback", "/users/auth/oidc",
                                  "/users/auth/oidc/callback?code=a&state=b", "/users/auth/twitter?link", LINK, UNLINK])
def test_without_a_provider_its_paths_are_unknown_ones(site, method, path):
    for who in (None, "me"):
        client = browser_session(site, who)
        send = {"GET": client.get, "HEAD": client.head, "POST": client.post}[method]
        here, nowhere = send(path), send("/users/nowhere")
        assert here.status_code == nowhere.status_code == 404
        assert WITHOUT_IDS.sub(b"", here.content) == WITHOUT_IDS.sub(b"", nowhere.content)
        assert {name for name in here.headers} == {name for name in nowhere.headers}


def test_a_kept_page_is_another_one_when_other_ways_are_shown(services, provider):
    """A browser asks with the entity tag of the page that it has."""
    users = services.userauth().start()
    notes = services.notes(users).start()
    etags = []
    for settings in ({}, provider.oidc_settings(), provider.oidc_settings(OIDC_NAME="Firm"), {}):
        for name in ("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_NAME"):
            notes.settings.pop(name, None)
        notes.settings.update(settings)
        notes.restart()
        stranger = Client(notes.url)
        for etag in set(etags[-1:]):
            assert stranger.get("/", headers={"If-None-Match": etag}).status_code == 200
        etags.append(stranger.get("/").headers["ETag"])
        assert stranger.get("/", headers={"If-None-Match": etags[-1]}).status_code == 304
    assert etags[0] == etags[3] and len(set(etags)) == 3


# --- the way there and back ---

@pytest.mark.parametrize("which", ["oidc", "twitter"])
def test_a_new_person_gets_a_user_and_the_next_time_the_same_one(both, provider, which):
    first = Client(both.url)
    back = provider.sign_in(first, which)
    assert (back.status_code, back.headers["Location"]) == (302, "/")
    name = f"jane{provider.number}" if which == "oidc" else f"birdie{provider.number}"
    assert signed_in_as(first) == name
    user = both.api.get(f"/find/{name}").json()
    assert user["provider"] == which
    if which == "oidc":
        assert (user["givenName"], user["familyName"], user["emails"]) == ("Jane", "Doe", ["jane@example.com"])
        provider.person = {**provider.person, "preferred_username": "another-name"}
    else:
        provider.tweeter = {**provider.tweeter, "screen_name": "another-name"}
    second = Client(both.url)
    provider.sign_in(second, which)
    assert signed_in_as(second) == name
    assert both.api.get("/find/another-name").status_code == 404


@pytest.mark.parametrize("which", ["oidc", "twitter"])
def test_a_name_that_is_taken_takes_nobody_over(both, provider, which):
    provider.person = {**provider.person, "preferred_username": "me"}
    provider.tweeter = {**provider.tweeter, "screen_name": "ME"}
    client = Client(both.url)
    provider.sign_in(client, which)
    assert signed_in_as(client) not in ("me", None)
    assert signed_in_as(client).lower().startswith("me-")


def test_cookie_of_the_way_is_for_it_alone_and_goes_with_it(both, provider):
    client = Client(both.url)
    begun = client.get("/users/auth/oidc")
    value, attributes = set_cookies(begun)["notesprovider"]
    assert value and {"httponly", "samesite=lax", "path=/users/auth", "max-age=600"} <= attributes
    for query in ("?error=access_denied&state=x", "?code=a&state=b", ""):
        client = Client(both.url)
        client.get("/users/auth/oidc")
        answer = client.get("/users/auth/oidc/callback" + query)
        assert not client.is_signed_in
        value, attributes = set_cookies(answer)["notesprovider"]
        assert is_removed(attributes) and "path=/users/auth" in attributes


def test_behind_https_the_cookies_are_secure(make_site, provider):
    site = make_site(**provider.oidc_settings(), PUBLIC_URL="https://notes.example.org")
    begun = Client(site.url).get("/users/auth/oidc")
    assert {"secure", "path=/"} <= set_cookies(begun)["__Host-notesprovider"][1]
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(begun.headers["Location"]).query))
    assert query["redirect_uri"] == "https://notes.example.org/users/auth/oidc/callback"


def test_behind_https_a_neighbouring_site_plants_no_way_back(make_site, provider):
    """It may set cookies for its parent, but none with the prefix that ties them to a host."""
    site = make_site(**NOTES_ENV, **provider.oidc_settings(), PUBLIC_URL="https://notes.example.org")
    begun = Client(site.url).get("/users/auth/oidc")
    planted = set_cookies(begun)["__Host-notesprovider"][0]
    way_back = provider.back(begun.headers["Location"])
    victim = Client(site.url)
    failed(victim, victim.get(way_back, headers={"Cookie": f"notesprovider={planted}"}), 400, "This login can’t be finished")
    heard = victim.get(way_back, headers={"Cookie": f"__Host-notesprovider={planted}"})
    assert heard.status_code == 302 and "__Host-notescookie.sid" in set_cookies(heard)


def test_after_it_one_is_where_one_was_going(both, provider):
    client = Client(both.url)
    asked = client.get("/notes/add?a=b")
    assert asked.headers["Location"] == "/users/login"
    assert "path=/users" in set_cookies(asked)["notesnext"][1]
    back = provider.sign_in(client, "oidc")
    assert back.headers["Location"] == "/notes/add?a=b"
    assert is_removed(set_cookies(back)["notesnext"][1])
    assert provider.sign_in(client, "oidc").headers["Location"] == "/"


@pytest.mark.parametrize("next_path", ["//evil.example", "/\\evil.example", "https://evil.example/"])
def test_it_leads_nowhere_else(both, provider, next_path):
    import base64
    client = Client(both.url)
    client.http.cookies.set("notesnext", base64.urlsafe_b64encode(next_path.encode()).rstrip(b"=").decode(), path="/users")
    assert provider.sign_in(client, "oidc").headers["Location"] == "/"


def test_a_session_that_was_there_ends(both, provider):
    client = browser_session(both, "me")
    old = client.session_cookie
    provider.sign_in(client, "oidc")
    assert client.session_cookie != old
    forged = Client(both.url)
    forged.http.cookies.set("notescookie.sid", old)
    assert signed_in_as(forged) is None


def test_it_is_logged_with_its_way_and_nothing_secret(both, provider):
    client = Client(both.url)
    begun = client.get("/users/auth/oidc")
    client.get(provider.back(begun.headers["Location"], code="a-secret-code"))
    name = signed_in_as(client)
    line = until(lambda: [line for line in both.notes.log_lines() if line["event"] == "auth.login_ok" and line["user"] == name], "a line")[-1]
    assert line["via"] == "oidc" and line["peer"] == "127.0.0.1"
    log = both.notes.stdout_text()
    for secret in ("an-access-token", "a-secret-code", set_cookies(begun)["notesprovider"][0], "request-secret", "consumer-secret"):
        assert secret not in log


def test_a_login_by_password_names_no_way(both):
    browser_session(both, "you")
    line = until(lambda: [line for line in both.notes.log_lines() if line["event"] == "auth.login_ok" and line["user"] == "you"], "a line")[-1]
    assert "via" not in line


# --- what goes wrong ---

def failed(client, answer, status, reason):
    """A page of failure: status, reason, a way on, nobody signed in."""
    page = check_page(read_page(answer))
    assert (answer.status_code, page.first("h1").text) == (status, reason)
    assert page.first("main").first("a", class_="button-main")["href"] == (ACCOUNT if client.is_signed_in else "/users/login")
    assert answer.headers["Cache-Control"] == "no-store"
    return page


def refused(site, why):
    until(lambda: [line for line in site.notes.log_lines() if line["event"] == "auth.provider_refused" and line["why"].startswith(why)], why)


def test_somebody_who_declines_is_told_so(both, provider):
    client = Client(both.url)
    location = client.get("/users/auth/oidc").headers["Location"]
    state = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))["state"]
    answer = client.get("/users/auth/oidc/callback", params={"error": "access_denied", "error_description": "<evil>", "state": state})
    page = failed(client, answer, 403, "You were not logged in")
    assert "Company" in page.first("main").text and "evil" not in answer.text
    refused(both, "declined")


def test_twitters_denied_is_told_so(both, provider):
    client = Client(both.url)
    location = client.get("/users/auth/twitter").headers["Location"]
    token = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))["oauth_token"]
    failed(client, client.get("/users/auth/twitter/callback", params={"denied": token}), 403, "You were not logged in")


@pytest.mark.parametrize("query", ["", "?code=x&state=y", "?oauth_token=x&oauth_verifier=y"])
@pytest.mark.parametrize("which", ["oidc", "twitter"])
def test_a_way_back_that_was_not_begun_is_a_page(both, which, query):
    client = Client(both.url)
    failed(client, client.get(f"/users/auth/{which}/callback{query}"), 400, "This login can’t be finished")
    refused(both, "state")


@pytest.mark.parametrize("which", ["oidc", "twitter"])
def test_a_provider_that_answers_500_is_a_page(both, provider, which):
    provider.status = 500
    client = Client(both.url)
    begun = client.get(BEGIN[which])
    answer = client.get(provider.back(begun.headers["Location"])) if begun.status_code == 302 else begun
    failed(client, answer, 502, ("Company" if which == "oidc" else "Twitter") + " can’t be reached right now")
    assert int(answer.headers["Retry-After"]) > 0
    until(lambda: [line for line in both.notes.log_lines() if line["event"] == "auth.provider_unreachable" and line["via"] == which], "a line")
    provider.status = 200
    until(lambda: Client(both.url).get(BEGIN[which]).status_code == 302, "the provider is asked again")


def test_a_sentence_that_begins_with_a_name_begins_with_a_capital(make_site, provider):
    site = make_site(**provider.oidc_settings(OIDC_NAME="the company login"))
    provider.claims = {"aud": "somebody-else"}
    client = Client(site.url)
    failed(client, provider.sign_in(client, "oidc"), 502, "The answer of the company login is not valid")
    provider.status = 500
    failed(client, provider.sign_in(client, "oidc"), 502, "The company login can’t be reached right now")


def test_a_token_of_somebody_else_is_a_page(both, provider):
    provider.claims = {"aud": "somebody-else"}
    client = Client(both.url)
    failed(client, provider.sign_in(client, "oidc"), 502, "The answer of Company is not valid")
    refused(both, "not_valid")


def test_clocks_that_differ_are_told(both, provider):
    provider.claims = {"iat": 1_000_000_000, "exp": 1_000_000_300}
    client = Client(both.url)
    failed(client, provider.sign_in(client, "oidc"), 502, "Two clocks don’t agree")


def test_a_domain_that_is_not_allowed_is_a_page(make_site, provider):
    site = make_site(**NOTES_ENV, **provider.oidc_settings(OIDC_ALLOWED_DOMAINS="example.org,example.net"))
    client = Client(site.url)
    failed(client, provider.sign_in(client, "oidc"), 403, "This account may not log in here")
    provider.person = {**provider.person, "email": "jane@example.net"}
    assert provider.sign_in(client, "oidc").status_code == 302 and client.is_signed_in


def test_a_disabled_user_is_told(both, provider):
    provider.sign_in(Client(both.url), "oidc")
    assert both.api.post(f"/disable/jane{provider.number}").status_code == 200
    client = Client(both.url)
    failed(client, provider.sign_in(client, "oidc"), 403, "You may not log in here")
    refused(both, "disabled")


def test_failed_tries_of_an_address_are_limited(make_site, provider):
    site = make_site(**provider.oidc_settings(), LOGIN_FAILURES_PER_MIN=2)
    client = Client(site.url)

    def try_once():
        assert client.get("/users/auth/oidc").status_code == 302
        return client.get("/users/auth/oidc/callback?code=a&state=b")
    assert [try_once().status_code for _ in range(3)] == [400, 400, 429]
    answer = try_once()
    page = failed(client, answer, 429, "A little slower, please")
    assert answer.headers["Retry-After"] in page.first("main").text


def test_a_page_of_another_site_locks_no_address_out(make_site, provider):
    """Its pictures' addresses may be those of the way back: they come without our cookie, and count for nothing."""
    site = make_site(**provider.oidc_settings(), LOGIN_FAILURES_PER_MIN=2)
    for cookies in ({}, {"notesprovider": "AAAA"}):
        for _ in range(3):
            answer = Client(site.url).get("/users/auth/oidc/callback?code=a&state=b", cookies=cookies, headers={"Sec-Fetch-Site": "cross-site"})
            assert answer.status_code == 400
    assert signed_in_as(browser_session(site, "me")) == "me"


def begin_until_refused(client, **options):
    """With one failed login a minute: six may begin, and one more every ten seconds."""
    began_s, codes = time.monotonic(), []
    while 429 not in codes and len(codes) < 50:
        codes.append(client.get("/users/auth/oidc", **options).status_code)
    assert codes[:6] == [302] * 6 and set(codes[6:-1]) <= {302} and codes[-1] == 429
    assert len(codes) <= 7 + (time.monotonic() - began_s) / 10


def test_who_begins_over_and_over_is_limited(make_site, provider):
    site = make_site(**provider.oidc_settings(), LOGIN_FAILURES_PER_MIN=1)
    begin_until_refused(Client(site.url))


@pytest.mark.parametrize("destination, status", [("image", 403), ("iframe", 403), ("empty", 403), ("document", 302)])
def test_a_page_of_another_site_begins_nothing_by_itself(make_site, provider, destination, status):
    site = make_site(**provider.oidc_settings(), LOGIN_FAILURES_PER_MIN=1)
    client = Client(site.url)
    fields = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": destination}
    if status == 302:
        begin_until_refused(client, headers=fields)
    else:
        assert [client.get("/users/auth/oidc", headers=fields).status_code for _ in range(7)] == [status] * 7
        assert client.get("/users/auth/oidc").status_code == 302, "it counted for nothing"


@contextlib.contextmanager
def hanging(site, provider, path, count, **options):
    """So many requests of `path` wait for the provider; ends with an answer to each."""
    answers, before = [], len(provider.asked)
    provider.can_go_on.clear()
    threads = [threading.Thread(target=lambda: answers.append(Client(site.url).get(path, timeout=120, **options))) for _ in range(count)]
    try:
        for thread in threads:
            thread.start()
        until(lambda: len(provider.asked) == before + count, "all are asked for")
        yield
        assert answers == []
    finally:
        provider.can_go_on.set()
        for thread in threads:
            thread.join(120)


def test_a_provider_that_hangs_leaves_a_turn_to_the_other(make_site, provider):
    site = make_site(**NOTES_ENV, **provider.oidc_settings(), **provider.twitter_settings())
    assert provider.sign_in(Client(site.url), "oidc").status_code == 302  # it is known from now on
    with hanging(site, provider, "/users/auth/twitter", 2):
        failed(Client(site.url), Client(site.url).get("/users/auth/twitter"), 503, "Twitter is busy")
        assert Client(site.url).get("/users/auth/oidc").status_code == 302


def test_logging_out_at_a_provider_that_hangs_keeps_no_page_waiting(make_site, provider):
    """Whoever is signed in may say that he came from there."""
    site = make_site(**NOTES_ENV, **provider.oidc_settings(), WORKERS=1)
    me = browser_session(site, "me")
    with hanging(site, provider, "/users/logout", 1, cookies={"notesoidc": "1", "notescookie.sid": me.session_cookie}):
        assert Client(site.url).get("/users/login").status_code == 200


@pytest.mark.parametrize("code", ["\u00e9", "\r\n", "\x7f"], ids=ascii)
def test_a_code_that_can_be_none_is_not_passed_on(both, provider, code):
    client, asked = Client(both.url), provider.asked
    back = provider.back(client.get("/users/auth/oidc").headers["Location"], code)
    before = asked.count("/token")
    failed(client, client.get(back), 502, "The answer of Company is not valid")
    assert asked.count("/token") == before


@pytest.mark.parametrize("which", ["oidc", "twitter"])
def test_a_code_that_breaks_the_provider_keeps_nobody_else_out(both, provider, which):
    client = Client(both.url)
    back = provider.back(client.get(f"/users/auth/{which}").headers["Location"])
    provider.status = 500
    name = "Company" if which == "oidc" else "Twitter"
    failed(client, client.get(back), 502, f"{name} can’t be reached right now")
    provider.status = 200
    assert provider.sign_in(Client(both.url), which).status_code == 302


def test_logins_by_password_go_on_while_the_provider_hangs(make_site, provider):
    """Two wait, a third is told at once, and nobody else waits."""
    site = make_site(**NOTES_ENV, **provider.twitter_settings())
    provider.can_go_on.clear()
    answers = []
    hanging = [threading.Thread(target=lambda: answers.append(Client(site.url).get("/users/auth/twitter", timeout=120)))
               for _ in range(2)]
    before = len(provider.asked)
    try:
        for thread in hanging:
            thread.start()
        until(lambda: len(provider.asked) == before + 2, "both are asked for")
        stranger = Client(site.url)
        answer = stranger.get("/users/auth/twitter")
        failed(stranger, answer, 503, "Twitter is busy")
        assert int(answer.headers["Retry-After"]) > 0
        assert signed_in_as(browser_session(site, "me")) == "me"
    finally:
        provider.can_go_on.set()
        for thread in hanging:
            thread.join(120)
    assert [answer.status_code for answer in answers] == [302, 302]


def test_the_user_service_away_is_the_whale(make_site, provider):
    site = make_site(**NOTES_ENV, **provider.oidc_settings())
    site.userauth.stop()
    client = Client(site.url)
    answer = provider.sign_in(client, "oidc")
    assert answer.status_code == 503 and read_page(answer).first("img", class_="whale") is not None
    assert not client.is_signed_in


ODD = {
    "is of a release that goes by the name": http_answer('{"id":"me","username":"me","provider":"local"}'),
    "has no name": http_answer('{"provider":"oidc"}', etag='"a"'),
    "has an empty name": http_answer('{"username":""}', etag='"a"'),
    "has a number for a name": http_answer('{"username":7}', etag='"a"'),
    "is no json": http_answer("me", etag='"a"'),
    "is 404": http_answer("{}", "404 Not Found"),
    "is a conflict of another kind": http_answer('{"code":"Other","message":"x"}', "409 Conflict"),
    "is a 403 of somebody else": http_answer("<html>", "403 Forbidden", "text/html"),
    "is 500": http_answer('{"code":"InternalError","message":"x"}', "500 Internal Server Error"),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_answer_of_the_user_service_signs_nobody_in(services, provider, name):
    odd = Odd(ODD[name])
    try:
        notes = services.notes(odd.url, USER_SERVICE_KEY="a key of some service", **provider.oidc_settings()).start()
        client = Client(notes.url)
        answer = provider.sign_in(client, "oidc")
        assert answer.status_code == 503 and not client.is_signed_in
        assert read_page(answer).first("img", class_="whale") is not None
    finally:
        odd.close()


def test_when_no_name_is_free_the_page_says_so(services, provider):
    odd = Odd(http_answer('{"code":"NoFreeName","message":"x"}', "409 Conflict"))
    try:
        notes = services.notes(odd.url, USER_SERVICE_KEY="a key of some service", **provider.oidc_settings()).start()
        client = Client(notes.url)
        failed(client, provider.sign_in(client, "oidc"), 409, "No user could be made for you")
    finally:
        odd.close()


# --- one's account ---

def link(provider, client, which):
    """Sets out, comes back, and is asked."""
    back = provider.sign_in(client, which, link=True)
    assert (back.status_code, back.headers["Location"]) == (302, LINK)
    return check_page(client.html(LINK))


@pytest.mark.parametrize("which", ["oidc", "twitter"])
def test_an_account_is_linked_after_a_question_and_signs_in_its_user(make_site, provider, which):
    site = make_site(**NOTES_ENV, **provider.oidc_settings(), **provider.twitter_settings())
    me = browser_session(site, "me")
    page = check_page(me.html(ACCOUNT))
    assert [(node["href"], node.text) for node in page.all("a", class_="button") if "link" in node["href"]] == [
        ("/users/auth/twitter?link", "Link Twitter"), ("/users/auth/oidc?link", "Link Company")]
    question = link(provider, me, which)
    name, subject, there = (("Company", provider.person["sub"], provider.person["name"]) if which == "oidc" else
                            ("Twitter", provider.tweeter["id_str"], provider.tweeter["name"]))
    assert question.first("h1").text == f"Link your account at {name}?"
    assert there in question.first(id="link-there").text and question.first(id="link-here").text == "me"
    assert identities(me.html(ACCOUNT)) == []
    answer = me.post(LINK)
    assert (answer.status_code, answer.headers["Location"]) == (302, ACCOUNT)
    assert is_removed(set_cookies(answer)["noteslink"][1])
    page = check_page(me.html(ACCOUNT))
    assert "linked" in page.first(class_="notice").text
    assert identities(page) == [(name, subject, True)]
    assert [node["href"] for node in page.all("a", class_="button") if "link" in node["href"]] == [
        "/users/auth/oidc?link" if which == "twitter" else "/users/auth/twitter?link"]
    other = Client(site.url)
    provider.sign_in(other, which)
    assert signed_in_as(other) == "me"
    site.notes.wait_log(event="account.identity_linked")
    lines = site.notes.log_lines(event="account.identity_linked")
    assert [(line["user"], line["via"]) for line in lines] == [("me", which)]
    form = page.first("li", class_="identity").first("form")
    answer = me.post(form["action"], {node["name"]: node["value"] for node in form.all("input")})
    assert answer.status_code == 302
    page = me.html(ACCOUNT)
    assert identities(page) == [] and "unlinked" in page.first(class_="notice").text
    third = Client(site.url)
    provider.sign_in(third, which)
    assert signed_in_as(third) not in ("me", None)
    site.notes.wait_log(event="account.identity_unlinked")
    assert [line["user"] for line in site.notes.log_lines(event="account.identity_unlinked")] == ["me"]


def test_linking_needs_a_session_and_leads_back(both, provider):
    client = Client(both.url)
    answer = client.get("/users/auth/oidc?link")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/users/login")
    client.login("me", both.passwords["me"])
    for path in (LINK, UNLINK):
        assert Client(both.url).post(path).status_code == 302


def test_what_another_session_began_is_not_linked(both, provider):
    """Who plants his own way back in a browser links nothing to its user."""
    attacker, victim = browser_session(both, "you"), browser_session(both, "me")
    location = attacker.get("/users/auth/oidc?link").headers["Location"]
    way_back = provider.back(location)
    victim.http.cookies.set("notesprovider", attacker.http.cookies.get("notesprovider"), path="/users/auth")
    failed(victim, victim.get(way_back), 403, "Nothing was linked")
    refused(both, "session")


def test_an_account_that_waits_is_for_its_session_only(both, provider):
    attacker, victim = browser_session(both, "you"), browser_session(both, "me")
    link(provider, attacker, "oidc")
    victim.http.cookies.set("noteslink", attacker.http.cookies.get("noteslink"), path=LINK)
    failed(victim, victim.get(LINK), 400, "Nothing was linked")
    failed(victim, victim.post(LINK), 400, "Nothing was linked")
    assert identities(victim.html(ACCOUNT)) == []


def test_linking_wants_the_form_token(both, provider):
    me = browser_session(both, "me")
    link(provider, me, "oidc")
    assert me.post(LINK, csrf=False).status_code == 403
    assert me.post(UNLINK, {"issuer": provider.url, "subject": "x"}, csrf=False).status_code == 403
    assert identities(me.html(ACCOUNT)) == []


@pytest.mark.parametrize("deed", ["made anew", "disabled"])
def test_a_session_whose_user_is_another_links_and_unlinks_nothing(make_site, provider, deed):
    """USER_CHECK_S would let it go on for a while: what is linked would stay, with whoever has the name now."""
    site = make_site(**NOTES_ENV, **provider.oidc_settings(), USER_CHECK_S=3600)
    clients = [browser_session(site, "me") for _ in range(2)]
    link(provider, clients[0], "oidc")
    kept = {"provider": "oidc", "issuer": "https://kept.example", "subject": "1"}
    forms = [(LINK, {}), (UNLINK, {"issuer": kept["issuer"], "subject": kept["subject"]})]
    if deed == "disabled":
        assert site.api.post("/disable/me").status_code == 200
    else:
        assert site.api.request("DELETE", "/destroy/me").status_code == 200
        site.add_user("me")
    assert site.api.post("/link-identity/me", json=kept).status_code == 200
    for client, (path, fields) in zip(clients, forms):
        answer = client.post(path, fields)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/users/login")
        assert signed_in_as(client) is None
    assert [one["subject"] for one in site.api.get("/identities/me").json()["identities"]] == ["1"]


@pytest.fixture
def relay():
    one = Relay()
    yield one
    one.close()


@pytest.fixture
def relayed(make_site, provider, relay):
    """A site that reaches its userauth-svc through `relay`."""
    site = make_site(**NOTES_ENV, **provider.oidc_settings(), USER_CHECK_S=3600, USER_SERVICE_URL=relay.url)
    relay.port = site.userauth.port
    return site


KEPT = {"provider": "oidc", "issuer": "https://kept.example", "subject": "1"}
FORMS = {"link": (LINK, {}), "unlink": (UNLINK, {"issuer": KEPT["issuer"], "subject": KEPT["subject"]})}


def subjects_of_me(site):
    return [one["subject"] for one in site.api.get("/identities/me").json()["identities"]]


@pytest.mark.parametrize("deed", FORMS)
def test_without_an_answer_about_the_user_nothing_is_linked_or_unlinked(relayed, relay, provider, deed):
    """For reading the last answer would do."""
    client = browser_session(relayed, "me")
    link(provider, client, "oidc")
    client.csrf()
    assert relayed.api.post("/link-identity/me", json=KEPT).status_code == 200
    relay.before = lambda path: 503 if path.startswith("/find/") else None
    assert client.post(*FORMS[deed]).status_code == 503
    assert subjects_of_me(relayed) == ["1"]
    assert client.get("/notes/add").status_code == 200
    relay.before = lambda path: None
    until(lambda: client.post(*FORMS[deed]).status_code == 302, "it is done when there is an answer again", 30)
    assert subjects_of_me(relayed) == (["1", provider.person["sub"]] if deed == "link" else [])


@pytest.mark.parametrize("deed", FORMS)
def test_a_name_that_changes_hands_after_the_look_keeps_its_accounts(relayed, relay, provider, deed):
    """Between the answer about the user and the change of his accounts the name becomes somebody else's."""
    client = browser_session(relayed, "me")
    link(provider, client, "oidc")
    client.csrf()

    def hand_over(path):
        if path == f"/{deed}-identity/me":
            assert relayed.api.delete("/destroy/me").status_code == 200
            relayed.add_user("me")
            assert relayed.api.post("/link-identity/me", json=KEPT).status_code == 200

    relay.before = hand_over
    answer = client.post(*FORMS[deed])
    assert (answer.status_code, answer.headers["Location"]) == (302, "/users/login")
    assert subjects_of_me(relayed) == ["1"]
    assert signed_in_as(client) is None


@pytest.mark.parametrize("deed", FORMS)
def test_a_name_that_goes_after_the_look_is_no_failure(relayed, relay, provider, deed):
    client = browser_session(relayed, "me")
    link(provider, client, "oidc")
    client.csrf()

    def destroy(path):
        if path == f"/{deed}-identity/me":
            assert relayed.api.delete("/destroy/me").status_code == 200

    relay.before = destroy
    answer = client.post(*FORMS[deed])
    assert (answer.status_code, answer.headers["Location"]) == (302, "/users/login")
    assert signed_in_as(client) is None


def test_an_account_of_somebody_else_is_not_linked(both, provider):
    provider.sign_in(Client(both.url), "oidc")
    me = browser_session(both, "me")
    link(provider, me, "oidc")
    failed(me, me.post(LINK), 409, "This account belongs to another user")
    assert identities(me.html(ACCOUNT)) == []


def test_the_only_way_in_stays_and_there_is_no_password_to_change(both, provider):
    client = Client(both.url)
    provider.sign_in(client, "oidc")
    page = check_page(client.html(ACCOUNT))
    assert identities(page) == [("Company", provider.person["sub"], False)]
    assert page.first(id="password-title") is None and page.first("input", type="password") is None
    answer = client.post(UNLINK, {"issuer": provider.url, "subject": provider.person["sub"]})
    failed(client, answer, 409, "This is your only way to sign in")
    assert identities(client.html(ACCOUNT)) == [("Company", provider.person["sub"], False)]


def test_no_more_than_ten_are_linked(both, provider):
    me = browser_session(both, "you")
    for number in range(10):
        identity = {"provider": "oidc", "issuer": f"https://{number}.example", "subject": "1"}
        assert both.api.post("/link-identity/you", json=identity).status_code == 200
    link(provider, me, "oidc")
    failed(me, me.post(LINK), 409, "Nothing was linked")
    assert len(identities(me.html(ACCOUNT))) == 10


def test_what_is_not_linked_is_not_unlinked(both, provider):
    me = browser_session(both, "me")
    for subject in ("nobody", "", "x" * 300):
        failed(me, me.post(UNLINK, {"issuer": provider.url, "subject": subject}), 404, "It is not linked")
    assert me.post(UNLINK, {"issuer": provider.url}).status_code == 400


def test_an_account_of_a_provider_that_is_gone_is_shown_as_such(services, provider):
    users = services.userauth().start()
    notes = services.notes(users, **NOTES_ENV, **provider.oidc_settings()).start()
    client = Client(notes.url)
    provider.sign_in(client, "oidc")
    provider.sign_in(client, "oidc")
    api = users.api()
    name = f"jane{provider.number}"
    assert api.post(f"/link-identity/{name}", json={"provider": "oidc", "issuer": "https://old.example", "subject": "7"}).status_code == 200
    page = check_page(client.html(ACCOUNT))
    assert identities(page) == [("Company", provider.person["sub"], True), ("https://old.example", "7", True)]
    assert "not in use here now" in page.all("li", class_="identity")[1].text


def test_account_page_while_the_user_service_is_away(make_site, provider):
    site = make_site(**NOTES_ENV, **provider.oidc_settings())
    me = browser_session(site, "me")
    site.userauth.stop()
    page = check_page(me.html(ACCOUNT))
    assert "can’t be shown right now" in page.first("section", aria_labelledby="ways-title").text
    assert page.first(id="password-title") is not None


# --- logging out ---

def test_logging_out_leads_to_the_provider_for_who_came_from_there(both, provider):
    client = Client(both.url)
    back = provider.sign_in(client, "oidc")
    assert {"httponly", "path=/users"} <= set_cookies(back)["notesoidc"][1]
    answer = client.logout()
    place, _, query = answer.headers["Location"].partition("?")
    assert answer.status_code == 302 and place == provider.url + "/logout"
    assert dict(urllib.parse.parse_qsl(query)) == {"client_id": "notes", "post_logout_redirect_uri": both.url + "/"}
    assert is_removed(set_cookies(answer)["notesoidc"][1])
    assert signed_in_as(client) is None
    assert client.logout().headers["Location"] == "/"


def test_logging_out_by_the_form_stays_here(both, provider):
    client = Client(both.url)
    provider.sign_in(client, "oidc")
    answer = client.post("/users/logout")
    assert answer.headers["Location"] == "/" and is_removed(set_cookies(answer)["notesoidc"][1])


@pytest.mark.parametrize("how", ["password", "twitter"])
def test_who_came_in_by_another_way_logs_out_here(both, provider, how):
    client = Client(both.url)
    provider.sign_in(client, "oidc")
    if how == "password":
        client.login("me", both.passwords["me"])
    else:
        provider.sign_in(client, "twitter")
    assert client.logout().headers["Location"] == "/"


def test_logging_out_where_the_provider_offers_nothing(make_site, provider):
    provider.has_logout = False
    site = make_site(**NOTES_ENV, **provider.oidc_settings())
    client = Client(site.url)
    provider.sign_in(client, "oidc")
    assert client.logout().headers["Location"] == "/"


def test_logging_out_while_the_provider_is_away_logs_out_here(services, provider, tmp_path):
    users = services.userauth().start()
    with ScriptedProvider(tmp_path / "another") as other:
        notes = services.notes(users, **NOTES_ENV, **other.oidc_settings()).start()
        client = Client(notes.url)
        other.sign_in(client, "oidc")
        assert client.is_signed_in
    notes.restart()
    assert signed_in_as(client) is not None
    assert client.logout().headers["Location"] == "/"
    assert signed_in_as(client) is None


def test_a_user_who_came_from_a_provider_may_be_given_a_password(both, provider):
    client = Client(both.url)
    provider.sign_in(client, "oidc")
    name, password = f"jane{provider.number}", "words that only Jane would put together"
    answer = both.api.post(f"/update-user/{name}", json={"provider": "local", "plainPassword": password})
    assert answer.status_code == 200
    client = Client(both.url)
    client.login(name, password)
    page = check_page(client.html(ACCOUNT))
    assert identities(page) == [("Company", provider.person["sub"], True)] and page.first(id="password-title") is not None
