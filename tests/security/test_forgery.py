# SPDX-License-Identifier: MIT
"""Requests that another site makes in a user's browser: every route that changes something, as the programs list them, refuses
them all, and nothing that is stored changes. A new route is attacked by being in the list.
"""
import pytest

from attack import everything, path_of, routes, unsafe_routes
from harness import programs
from harness.client import Client
from harness.client import browser_session as open_session
from harness.live import handshake_status
from notes_verbs import comment, create_note

# With a provider, which nobody needs to ask, the routes of signing in at one are there.
NOTES_ENV = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0, "OIDC_ISSUER": "http://127.0.0.1:9", "OIDC_CLIENT_ID": "notes"}
OPEN = "none"  # protection of a route that asks for no session, and so for no token
BY_KEY = "service-key"  # of one that no browser has the right to
UNSAFE = [(method, pattern) for method, pattern, protection in unsafe_routes(programs.NOTES_SVC) if protection != BY_KEY]
WITH_TOKEN = [(method, pattern) for method, pattern, protection in unsafe_routes(programs.NOTES_SVC) if protection not in (OPEN, BY_KEY)]

ELSEWHERE = ["http://evil.example", "https://evil.example", "null", "http://localhost", "file://", "chrome-extension://abc", "about:blank", ""]
FETCH_SITES = ["cross-site", "same-site", "CROSS-SITE", "cross-site, same-origin", "x"]
SIMPLE_TYPES = ["text/plain", "multipart/form-data; boundary=x", "application/json", "application/x-www-form-urlencoded; charset=utf-16", ""]


def elsewhere(site):
    own = site.url
    return ELSEWHERE[:-1] + [own + ".evil.example", own.replace("127.0.0.1", "127.0.0.1.evil.example"), own.replace("http", "https", 1), own + "0",
                             own + "/", own.replace("//", "//evil.example@"), f"{own}, http://evil.example"]


@pytest.fixture(scope="module")
def world(site):
    """A note with a comment, and two sessions of `me`; `fields` are what each form of the pages would send."""
    me = open_session(site, "me")
    create_note(me, "k")
    made = comment(me, "k", "a comment")
    fields = {"notekey": "k", "key": "k", "id": made["id"], "docreate": "create", "title": "T", "body": "B", "message": "M",
              "username": "me", "password": site.passwords["me"], "new-password": "Forged by a stranger", "new-password-again": "Forged by a stranger"}
    return me, fields


def forms(fields):
    """Fields that would make a new note, and those that would touch the old one."""
    return [fields, {**fields, "notekey": "forged"}]


@pytest.mark.parametrize("method, pattern", UNSAFE, ids=lambda value: value.strip("/") or "root")
def test_a_request_from_another_site_changes_nothing(site, world, method, pattern):
    me, fields = world
    before = everything(site.notes, site.userauth)
    token = me.csrf()
    for form in forms(fields):
        for origin in elsewhere(site):
            answer = me.request(method, path_of(pattern), data={**form, "csrf": token}, headers={"Origin": origin})
            assert answer.status_code == 403, (origin, answer.status_code)
            assert not answer.cookies, "nobody is signed in, or out"
        for value in FETCH_SITES:
            answer = me.request(method, path_of(pattern), data={**form, "csrf": token}, headers={"Sec-Fetch-Site": value})
            assert answer.status_code == 403, (value, answer.status_code)
            assert not answer.cookies
    assert everything(site.notes, site.userauth) == before


@pytest.mark.parametrize("method, pattern", WITH_TOKEN, ids=lambda value: value.strip("/") or "root")
def test_a_form_without_the_token_of_its_session_changes_nothing(site, world, method, pattern):
    me, fields = world
    again, you = open_session(site, "me"), open_session(site, "you")
    left = open_session(site, "me")
    tokens = ["", "x", "0" * 43, again.csrf(), you.csrf(), left.csrf(), me.csrf()[:-1], me.csrf() + "A", me.csrf().swapcase(), me.session_cookie]
    left.logout()
    before = everything(site.notes, site.userauth)
    for form in forms(fields):
        tries = [{**form, "csrf": token} for token in tokens] + [form, {**form, "CSRF": me.csrf()}, {**form, "csrf ": me.csrf()}, {**form, "csrf[]": me.csrf()}]
        for data in tries:
            assert me.request(method, path_of(pattern), data=data).status_code == 403, data.get("csrf")
        twice = list(form.items()) + [("csrf", me.csrf()), ("csrf", me.csrf())]
        assert me.request(method, path_of(pattern), data=twice).status_code in (400, 403)
        assert me.request(method, f"{path_of(pattern)}?csrf={me.csrf()}", data=form).status_code == 403
        assert me.request(method, path_of(pattern), data=form, headers={"X-CSRF-Token": me.csrf()}).status_code == 403
        for kind in SIMPLE_TYPES:  # what a form of another site, or fetch() without asking first, may send
            answer = me.request(method, path_of(pattern), data=f"csrf={me.csrf()}&key=k&notekey=k&message=M", headers={"Content-Type": kind})
            assert answer.status_code in (400, 403, 415), kind
    assert everything(site.notes, site.userauth) == before


@pytest.mark.parametrize("method, pattern", WITH_TOKEN, ids=lambda value: value.strip("/") or "root")
def test_with_the_right_token_the_same_form_is_heard(site, world, method, pattern):
    """Else what is above could not fail."""
    _, fields = world
    user = "heard " + pattern.replace("/", "-")
    site.add_user(user)
    client = open_session(site, user)
    fields = {**fields, "password": site.passwords[user]}
    answer = client.request(method, path_of(pattern), data={**fields, "notekey": "own", "key": "own", "csrf": client.csrf()}, headers={"Origin": site.url})
    assert answer.status_code != 403


@pytest.mark.parametrize("method, pattern", [row[:2] for row in routes(programs.NOTES_SVC) if row[0] == "GET"], ids=lambda value: value.strip("/") or "root")
def test_a_link_or_an_image_of_another_site_changes_nothing(site, world, method, pattern):
    me, fields = world
    before = everything(site.notes, site.userauth)
    headers = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site", "X-HTTP-Method-Override": "POST", "X-Method-Override": "DELETE",
               "X-HTTP-Method": "DELETE", "Referer": "http://evil.example/"}
    for more in ({}, {"_method": "POST"}, {"_method": "DELETE"}):
        answer = me.get(path_of(pattern), params={**fields, **more, "csrf": me.csrf()}, headers=headers)
        assert answer.status_code < 500
        assert not answer.cookies
    answer = me.get(path_of(pattern), data={**fields, "csrf": me.csrf()}, headers=headers)
    assert answer.status_code < 500
    assert everything(site.notes, site.userauth) == before
    assert me.get("/notes/add").status_code == 200, "still signed in"


def test_a_page_of_a_neighbouring_site_signs_nobody_out(site):
    me = open_session(site, "me")
    for value in ("cross-site", "same-site", "x"):
        assert me.get("/users/logout", headers={"Sec-Fetch-Site": value}).status_code == 403, value
    assert me.get("/notes/add").status_code == 200
    assert me.get("/users/logout", headers={"Sec-Fetch-Site": "none"}).status_code == 302
    assert me.get("/notes/add").status_code == 302


def test_no_route_of_another_site_gets_an_answer_that_it_may_read(site, world):
    """No header of CORS anywhere, also not for a question before the request."""
    me, _ = world
    for method, pattern, _ in routes(programs.NOTES_SVC):
        asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": method, "Access-Control-Request-Headers": "x"}
        for verb in ("OPTIONS", method):
            answer = me.request(verb, path_of(pattern), headers=asked)
            assert not [name for name in answer.headers if name.lower().startswith("access-control")], (verb, pattern)


@pytest.mark.parametrize("method, pattern, protection", routes(programs.USERAUTH_SVC))
def test_the_service_of_the_users_hears_no_browser(site, method, pattern, protection):
    """It takes no cookie and no form: a page of another site has no key, and what it could send is refused."""
    if protection == OPEN:
        return
    before = everything(site.userauth)
    stranger = Client(site.userauth.url)
    for headers in ({}, {"Content-Type": "application/json"}, {"Authorization": "Basic"}, {"Authorization": "Basic Og=="},
                    {"Authorization": "Bearer x"}, {"Authorization": "Basic dGhlbTo="}, {"Cookie": "notescookie.sid=x"}):
        answer = stranger.request(method, path_of(pattern, "me"), data='{"username":"me","password":"x","plainPassword":"Forged by a stranger"}',
                                  headers=headers)
        assert answer.status_code == 401, (headers, answer.status_code)
    assert everything(site.userauth) == before


# --- live sockets ---

def test_no_page_of_another_site_opens_a_socket(site, world):
    me, _ = world
    own = site.url
    origins = elsewhere(site) + ["ws" + own[4:], own.replace("127.0.0.1", "127.0.0.1."), own.replace("127.0.0.1", "0x7f.1"), own.rpartition(":")[0],
                                 own + "#", own + "?x", own + "\\", "//" + own[7:], own[7:], "http://[::1]"]
    for origin in origins:
        assert handshake_status(own, cookie=me.session_cookie, origin=origin, suppress_origin=False) in (400, 403), origin
    for value in FETCH_SITES:
        assert handshake_status(own, cookie=me.session_cookie, headers=[f"Sec-Fetch-Site: {value}"]) == 403, value
    assert handshake_status(own, cookie=me.session_cookie, origin=own.upper().replace("HTTP", "http"), suppress_origin=False) == 101
    assert handshake_status(own, cookie=me.session_cookie, origin=own, suppress_origin=False) == 101
