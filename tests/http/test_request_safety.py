# SPDX-License-Identifier: MIT
"""Requests from elsewhere, response headers, and what a cache may keep."""

import itertools
import re

import pytest

from cookies import set_cookies
from harness.client import Client
from harness.client import browser_session as open_session
from harness.live import handshake_status
from harness.programs import new_password
from harness.raw import exchange
from notes_verbs import (comment, create_note, destroy_path, edit_note, edit_path, error_page, shown_comments,
                         view_path)

NOTES_ENV = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0}
JSON = {"Accept": "application/json"}
_serial = itertools.count(1)


@pytest.fixture(scope="module")
def me(site):
    client = open_session(site, "me")
    create_note(client, "safe", "Safe title", "safe body")
    return client


def write(client, token=None, origin=True, headers=None):
    """One unsafe request, with the client's own form token or another; its status. The note `safe` is there."""
    data = {"key": "safe", "message": f"m{next(_serial)}", "csrf": client.csrf() if token is None else token}
    return client.post("/notes/comment", data, origin=origin, headers=headers).status_code


# --- the form token ---

def test_right_token_is_accepted(me):
    assert write(me) == 302


@pytest.mark.parametrize("token", ["", "x", "0" * 43, "\u00e4", "a" * 5000])
def test_wrong_token_is_refused(me, token):
    before = len(shown_comments(me.html(view_path("safe"))))
    assert write(me, token) == 403
    assert len(shown_comments(me.html(view_path("safe")))) == before


def test_missing_and_double_token_are_refused(me):
    assert me.post("/notes/comment", {"key": "safe", "message": "m"}, csrf=False).status_code == 403
    fields = [("key", "safe"), ("message", "m"), ("csrf", me.csrf()), ("csrf", "x")]
    assert me.post("/notes/comment", fields).status_code in (400, 403)
    assert me.post("/notes/comment", fields[:2] + fields[:1:-1]).status_code in (400, 403)


def test_nearly_right_token_is_refused(me):
    token = me.csrf()
    other = "A" if token[-2] != "A" else "B"
    for wrong in (token[:-1], token + "x", token[:-2] + other + token[-1], token.swapcase(), token[1:]):
        assert write(me, wrong) == 403


def test_token_belongs_to_one_session(site, me, browser_session):
    again, you = browser_session(site, "me"), browser_session(site, "you")
    tokens = {me.csrf(), again.csrf(), you.csrf()}
    assert len(tokens) == 3
    for client in (me, again, you):
        for token in tokens - {client.csrf()}:
            assert write(client, token) == 403


def test_token_ends_with_its_session(site, browser_session):
    client = browser_session(site, "me")
    old = client.csrf()
    client.logout()
    client.login("me", site.passwords["me"])
    assert write(client, old) == 403
    assert write(client, client.csrf()) == 302


def test_token_in_the_query_is_no_token(me):
    answer = me.post(f"/notes/comment?csrf={me.csrf()}", {"key": "safe", "message": "m"}, csrf=False)
    assert answer.status_code == 403


@pytest.mark.parametrize("path, fields", [
    ("/notes/save", {"docreate": "create", "notekey": "forged", "title": "T", "body": "B"}),
    ("/notes/destroy/confirm", {"notekey": "safe"}), ("/notes/comment", {"key": "safe", "message": "m"}),
    ("/notes/comment/destroy", {"key": "safe", "id": "1"}), ("/users/logout", {}),
])
def test_every_form_needs_token_and_origin(me, path, fields):
    error_page(me.post(path, fields, csrf=False), 403)
    error_page(me.post(path, fields, origin="http://evil.example"), 403)
    error_page(me.post(path, fields, headers={"Sec-Fetch-Site": "cross-site"}), 403)
    assert me.get("/notes/add").status_code == 200
    assert me.get(view_path("safe")).status_code == 200
    assert me.get(view_path("forged")).status_code == 404


def test_script_is_refused_in_json(me):
    answer = me.post("/notes/comment", {"key": "safe", "message": "m"}, csrf=False, headers=JSON)
    assert answer.status_code == 403
    assert set(answer.json()) >= {"code", "message", "requestId"}


# --- Origin and Sec-Fetch-Site ---

def test_request_without_origin_and_fetch_site_is_accepted(me):
    """Both are checked when present; older browsers and scripts send neither."""
    assert write(me, origin=False) == 302


def test_foreign_origins_are_refused(site, me):
    own = site.url
    for origin in ("http://evil.example", "null", "https" + own[4:], own + ".evil.example", "http://localhost:1",
                   "http://127.0.0.1",
                   own[:-1], own + "0", own.replace("127.0.0.1", "127.0.0.2"), "evil", "file://",
                   "http://evil.example, " + own,
                   own + " http://evil.example", own.replace("http://", "http://evil.example@")):
        assert write(me, origin=origin) == 403, origin
    assert write(me, origin=own) == 302


def test_empty_origin_is_refused_or_the_same_as_none(me):
    assert write(me, headers={"Origin": ""}, origin=False) in (302, 403)


@pytest.mark.parametrize("value, allowed", [("same-origin", True), ("none", True), ("cross-site", False),
                                            ("same-site", False),
                                            ("same-origin, cross-site", False), ("nonsense", False)])
def test_fetch_site(me, value, allowed):
    status = write(me, headers={"Sec-Fetch-Site": value})
    assert status == (302 if allowed else 403)


def test_right_origin_does_not_outweigh_the_fetch_site_and_the_reverse(site, me):
    assert write(me, origin=site.url, headers={"Sec-Fetch-Site": "cross-site"}) == 403
    assert write(me, origin="http://evil.example", headers={"Sec-Fetch-Site": "same-origin"}) == 403


def test_two_origin_headers_are_refused(site, me):
    body = f"key=safe&message=two&csrf={me.csrf()}".encode()
    for pair in ((site.url, "http://evil.example"), ("http://evil.example", site.url)):
        headers = [("Host", site.url[7:]), ("Cookie", f"notescookie.sid={me.session_cookie}"),
                   ("Content-Type", "application/x-www-form-urlencoded")] + [("Origin", value) for value in pair]
        assert exchange(site.notes.port, "POST", "/notes/comment", headers, body).status in (400, 403)


def test_login_has_no_token_but_an_origin(site, browser_session):
    client = browser_session(site)
    form = {"username": "me", "password": site.passwords["me"]}
    error_page(client.post("/users/login", form, origin="http://evil.example"), 403)
    error_page(client.post("/users/login", form, headers={"Sec-Fetch-Site": "cross-site"}), 403)
    assert not client.is_signed_in
    assert client.post("/users/login", form).status_code == 302
    assert client.is_signed_in


def test_without_public_url_the_host_decides(me):
    """Origin must be the request's scheme and Host, whatever the name is under which we are reached."""
    assert write(me, origin="http://notes.example.org", headers={"Host": "notes.example.org"}) == 302
    assert write(me, origin="http://notes.example.org:8080", headers={"Host": "notes.example.org:8080"}) == 302
    assert write(me, origin="http://notes.example.org", headers={"Host": "notes.example.org:8080"}) == 403
    assert write(me, origin="https://notes.example.org", headers={"Host": "notes.example.org"}) == 403


def test_the_port_that_a_scheme_has_anyway_may_stand_in_host(me):
    """Browsers name it neither in Host nor in Origin; some proxies write it into Host."""
    assert write(me, origin="http://notes.example.org", headers={"Host": "notes.example.org:80"}) == 302
    assert write(me, origin="http://[::1]", headers={"Host": "[::1]:80"}) == 302
    for host in ("notes.example.org:443", "notes.example.org:8080", "notes.example.org.:80", "otes.example.org:80"):
        assert write(me, origin="http://notes.example.org", headers={"Host": host}) == 403, host


@pytest.mark.parametrize("public_url, origin", [("https://notes.example.org:443/", "https://notes.example.org"),
                                                ("http://Notes.example.org:80", "http://notes.example.org"),
                                                ("http://[::1]:80", "http://[::1]")])
def test_a_public_url_with_the_port_that_its_scheme_has_anyway(tmp_path, public_url, origin):
    from harness.site import Site
    both = Site(tmp_path, {"PUBLIC_URL": public_url})
    both.start()
    try:
        form = {"username": "me", "password": both.passwords["me"]}
        assert Client(both.url, origin=origin).post("/users/login", form).headers["Location"] == "/"
        other = origin.replace("https", "http") if "https" in origin else origin.replace("http", "https")
        for stranger in (other, origin + ":8080", origin + "0"):
            error_page(Client(both.url, origin=stranger).post("/users/login", form), 403)
    finally:
        both.stop()


def test_forwarded_proto_of_a_stranger_is_not_believed(me):
    headers = {"Host": "notes.example.org", "X-Forwarded-Proto": "https"}
    assert write(me, origin="https://notes.example.org", headers=headers) == 403


def test_safe_methods_change_nothing_from_anywhere(me):
    headers = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert me.get(view_path("safe"), headers=headers).status_code == 200, "a link from another site works"
    assert me.get(destroy_path("safe"), headers=headers).status_code == 200
    assert me.get(view_path("safe")).status_code == 200


# --- headers ---

def directives(value):
    return {words[0]: set(words[1:]) for words in (part.split() for part in value.split(";")) if words}


def check_headers(answer):
    """The safety headers of one answer with a page (or a script's JSON)."""
    headers = answer.headers
    policy = directives(headers["Content-Security-Policy"])
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert policy["frame-ancestors"] == {"'none'"}
    assert policy["default-src"] <= {"'none'", "'self'"}
    for name in ("script-src", "style-src", "connect-src", "img-src", "font-src", "object-src"):
        assert policy.get(name, policy["default-src"]) <= {"'none'", "'self'"}, name
    assert policy["base-uri"] <= {"'none'", "'self'"}
    assert policy["form-action"] <= {"'none'", "'self'"}
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Permissions-Policy"]
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers
    assert "X-Powered-By" not in headers


def test_headers_of_every_page(site, me, browser_session):
    stranger = browser_session(site)
    answers = [client.get(path) for client in (stranger, me) for path in
               ("/", view_path("safe"), "/users/login", "/notes/add", edit_path("safe"), destroy_path("safe"),
                "/nowhere",
                "/notes/view", "/notes/view?key=none")]
    answers += [me.request("DELETE", "/"), me.post("/notes/save", {}), me.post("/notes/comment", {}, csrf=False),
                me.post("/notes/save", {"docreate": "create", "notekey": "safe", "title": "T", "body": "B"}),
                stranger.post("/notes/save", {}), stranger.get("/users/logout"), me.head("/")]
    assert {answer.status_code for answer in answers} == {200, 302, 400, 403, 404, 405, 409}
    for answer in answers:
        check_headers(answer)


def test_headers_of_a_cached_page_are_the_same(me):
    first, second, third = (me.get(view_path("safe")) for _ in range(3))
    for answer in (first, second, third):
        check_headers(answer)


def test_request_id_of_the_client_is_taken_when_well_formed(me):
    for name in ("abc-123", "A.b_c", "x" * 64):
        assert me.get("/nowhere", headers={"X-Request-Id": name}).headers["X-Request-Id"] == name


@pytest.mark.parametrize("name", ["x" * 65, "a b", "<script>", "a\tb", "", "ä".encode(), "a/b", "a,b", '"'])
def test_request_id_that_is_not_well_formed_is_replaced(me, name):
    made = me.get("/nowhere", headers={"X-Request-Id": name}).headers["X-Request-Id"]
    assert re.fullmatch("[A-Za-z0-9._-]{8,64}", made)


def test_request_id_is_in_the_log_and_on_the_page(site, me):
    answer = me.get("/nowhere", headers={"X-Request-Id": "find-me-in-the-log"})
    assert "find-me-in-the-log" in answer.text
    assert site.notes.wait_log(req_id="find-me-in-the-log")


def test_request_ids_are_different(me):
    names = {me.get("/users/login").headers["X-Request-Id"] for _ in range(20)}
    assert len(names) == 20


# --- caching ---

def cached(client, path, **headers):
    return client.get(path, headers=headers)


@pytest.mark.parametrize("path", ["/", view_path("safe")])
def test_etag_answers_304(me, path):
    first = me.get(path)
    tag = first.headers["ETag"]
    for value in (tag, f'"other", {tag}', f"W/{tag}" if not tag.startswith("W/") else tag):
        answer = cached(me, path, **{"If-None-Match": value})
        assert (answer.status_code, answer.content) == (304, b""), value
        assert answer.headers["ETag"] == tag
        assert answer.headers["Cache-Control"] == first.headers["Cache-Control"]
        assert "Cookie" in answer.headers["Vary"]
    for value in ('"other"', "", tag.strip('"'), tag[:-2] + '"', '"' + tag):
        assert cached(me, path, **{"If-None-Match": value}).status_code == 200, value
    assert me.head(path, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("path", ["/", view_path("safe")])
def test_pages_are_private_and_asked_for_again(site, me, path, browser_session):
    for client in (me, browser_session(site)):
        headers = client.get(path).headers
        assert {part.strip() for part in headers["Cache-Control"].split(",")} == {"private", "no-cache"}
        assert "cookie" in headers["Vary"].lower()


def test_forms_login_and_errors_are_never_stored(site, me, browser_session):
    stranger = browser_session(site)
    for answer in (me.get("/notes/add"), me.get(edit_path("safe")), me.get(destroy_path("safe")),
                   me.get("/users/login"),
                   stranger.get("/users/login"), stranger.get("/nowhere"), me.get("/notes/view"),
                   me.post("/notes/save", {}),
                   stranger.get("/nowhere", headers={"Accept": "application/json"}), stranger.get("/socket.io/"),
                   me.get(view_path("nowhere"), headers={"Accept": "application/json"})):
        assert answer.headers["Cache-Control"] == "no-store"
        assert "ETag" not in answer.headers


@pytest.mark.parametrize("path", ["/", view_path("safe")])
def test_one_viewers_page_is_never_anothers(site, me, path, browser_session):
    """The same revision looks different to a stranger, to each user and to each session (its form token)."""
    clients = [me, browser_session(site), browser_session(site, "you"), browser_session(site, "me")]
    tags = [client.get(path).headers["ETag"] for client in clients]
    assert len(set(tags)) == 4
    for client in clients:
        for tag in tags:
            expected = 304 if tag == tags[clients.index(client)] else 200
            assert cached(client, path, **{"If-None-Match": tag}).status_code == expected
    page = clients[1].get(path)
    assert me.csrf() not in page.text and "csrf" not in page.text


def test_page_after_logout_is_not_the_one_before(site, browser_session):
    client = browser_session(site, "me")
    tag = client.get(view_path("safe")).headers["ETag"]
    client.logout()
    answer = cached(client, view_path("safe"), **{"If-None-Match": tag})
    assert answer.status_code == 200
    assert "notedestroy" not in answer.text


def test_every_change_shows_at_once_to_everybody(site, me, browser_session):
    create_note(me, "fresh", "Title 0", "body 0")
    clients = [me, browser_session(site), browser_session(site, "you")]
    for number in range(1, 6):
        tags = [(client.get(view_path("fresh")).headers["ETag"],
                 client.get("/").headers["ETag"]) for client in clients]
        edit_note(me, "fresh", title=f"Title {number}", body=f"body {number}")
        for client, (view_tag, home_tag) in zip(clients, tags):
            answer = cached(client, view_path("fresh"), **{"If-None-Match": view_tag})
            assert answer.status_code == 200 and f"body {number}" in answer.text
            answer = cached(client, "/", **{"If-None-Match": home_tag})
            assert answer.status_code == 200 and f"Title {number}" in answer.text
        tags = [client.get(view_path("fresh")).headers["ETag"] for client in clients]
        comment(clients[2], "fresh", f"comment {number}")
        for client, tag in zip(clients, tags):
            answer = cached(client, view_path("fresh"), **{"If-None-Match": tag})
            assert answer.status_code == 200 and f"comment {number}" in answer.text


def test_cookies_of_a_write_are_short_lived_and_hidden_from_script(me):
    answer = me.post("/notes/comment", {"key": "safe", "message": "cookie"})
    for name, (_, attributes) in set_cookies(answer).items():
        assert "httponly" in attributes and "samesite=lax" in attributes, name
        ages = [int(part.split("=")[1]) for part in attributes if part.startswith("max-age=")]
        assert ages and ages[0] <= 600, name


@pytest.mark.parametrize("value", ["x", "safe:99999999999999", "safe:0", "%00", "\"x", "a" * 3000,
                                   "safe.99999999999999.99999999999999", "-1", ";;;="])
def test_forged_cookies_harm_nothing(site, me, value, browser_session):
    """Whatever a browser says it wrote, it gets the right page and nobody else is concerned."""
    names = set(set_cookies(me.post("/notes/comment", {"key": "safe", "message": "names"}))) | {"notesflash",
                                                                                                "notesnext"}
    stranger = browser_session(site)
    for name in sorted(names):
        answer = stranger.get(view_path("safe"), headers={"Cookie": f"{name}={value}"})
        assert answer.status_code == 200 and "Safe title" in answer.text
        assert stranger.get("/users/login", headers={"Cookie": f"{name}={value}"}).status_code == 200
    assert "Safe title" in browser_session(site).get(view_path("safe")).text


# --- assets ---

def asset_paths(client):
    page = client.html("/")
    found = [node["href"] for node in page.all("link") if node["href"].startswith("/assets/")]
    return found + [node["src"] for node in page.all("script")]


def test_assets_are_immutable_and_compressed(me):
    paths = asset_paths(me)
    kinds = {path.rpartition(".")[2] for path in paths}
    assert {"css", "js"} <= kinds
    for path in paths:
        assert re.fullmatch(r"/assets/[A-Za-z0-9_.-]+\.[0-9a-f]{10}\.[a-z0-9]+", path)
        answer = me.get(path, headers={"Accept-Encoding": "identity"})
        assert answer.status_code == 200
        policy = {part.strip() for part in answer.headers["Cache-Control"].split(",")}
        assert {"immutable", "public"} <= policy and "max-age=31536000" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "X-Request-Id" not in answer.headers
        assert "Set-Cookie" not in answer.headers
        assert me.head(path).status_code == 200


TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


def test_assets_have_their_types(me):
    for path in asset_paths(me):
        assert me.get(path).headers["Content-Type"] == TYPES[path.rpartition(".")[2]], path


def test_pages_and_json_have_their_types(me):
    pages = [me.get("/"), me.get(view_path("safe")), me.get("/users/account"), me.get("/notes/view?key=none"), me.get("/nowhere"), me.get("/%zz"),
             me.request("PUT", "/"), me.post("/notes/comment", {"key": "safe", "message": "m"}, csrf=False)]
    assert {200, 403, 404, 405} <= {page.status_code for page in pages}
    for page in pages:
        assert page.headers["Content-Type"] == "text/html; charset=utf-8" and page.text.startswith("<!doctype html>"), page.url
    script = {"Accept": "application/json"}
    answers = [me.get("/healthz"), me.post("/notes/comment", {"key": "safe", "message": "m"}, headers=script),
               me.post("/notes/comment", {"key": "safe", "message": "m"}, csrf=False, headers=script)]
    for answer in answers:  # JSON is UTF-8 by its definition: its type has no charset (RFC 8259, 11)
        assert answer.headers["Content-Type"] == "application/json" and answer.json(), answer.url


def test_gzip_only_for_those_who_take_it(me):
    for path in (path for path in asset_paths(me) if path.endswith((".css", ".js"))):
        plain = me.get(path, headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        zipped = me.get(path, headers={"Accept-Encoding": "br, gzip"})
        assert zipped.headers["Content-Encoding"] == "gzip"
        assert zipped.content == plain.content
        assert int(zipped.headers["Content-Length"]) < len(plain.content)
        for answer in (plain, zipped):
            assert "accept-encoding" in answer.headers["Vary"].lower()
        for value in ("gzip;q=0", "br", "", "xgzip", "identity;q=1, gzip;q=0.0"):
            answer = me.get(path, headers={"Accept-Encoding": value})
            assert "Content-Encoding" not in answer.headers, value


def test_outdated_asset_name_gets_the_current_one_and_is_not_stored(me):
    for path in asset_paths(me):
        old = re.sub(r"\.[0-9a-f]{10}\.", ".0123456789.", path)
        answer = me.get(old)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.content == me.get(path).content


@pytest.mark.parametrize("path", ["/assets/none.0123456789.css", "/assets/notes.css.map", "/assets/.css",
                                  "/assets/notes.0123456789.js.exe",
                                  "/assets/../notes.css", "/assets/%2e%2e/notes.sqlite",
                                  "/assets/x/notes.0123456789.css"])
def test_unknown_asset_is_404(site, me, path):
    assert exchange(site.notes.port, "GET", path).status == 404


def test_favicon(me):
    answer = me.get("/favicon.ico")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("image/")
    assert answer.content


# --- https ---

@pytest.fixture(scope="module")
def https_site(tmp_path_factory):
    from harness.site import Site
    both = Site(tmp_path_factory.mktemp("https"), {"PUBLIC_URL": "https://notes.example.org"})
    both.start()
    yield both
    both.stop()


PUBLIC = "https://notes.example.org"


def https_login(https_site):
    client = Client(https_site.url, origin=PUBLIC)
    answer = client.post("/users/login", {"username": "me", "password": https_site.passwords["me"]})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    return answer


def test_session_cookie_of_an_https_site(https_site):
    cookies = set_cookies(https_login(https_site))
    assert "notescookie.sid" not in cookies
    _, attributes = cookies["__Host-notescookie.sid"]
    assert {"secure", "httponly", "samesite=lax", "path=/"} <= attributes
    assert not [part for part in attributes if part.startswith("domain")]


def test_every_cookie_of_an_https_site_is_secure(https_site):
    client = Client(https_site.url, origin=PUBLIC)
    answers = [https_login(https_site), client.get("/notes/add"),
               client.post("/users/login", {"username": "nobody", "password": "x"})]
    for answer in answers:
        assert set_cookies(answer)
        for name, (_, attributes) in set_cookies(answer).items():
            assert "secure" in attributes, name


def test_https_site_takes_only_the_prefixed_cookie(https_site):
    value, _ = set_cookies(https_login(https_site))["__Host-notescookie.sid"]
    client = Client(https_site.url, origin=PUBLIC)
    assert client.get("/notes/add", headers={"Cookie": f"__Host-notescookie.sid={value}"}).status_code == 200
    assert client.get("/notes/add", headers={"Cookie": f"notescookie.sid={value}"}).status_code == 302


def test_https_site_says_hsts_on_every_page(https_site):
    client = Client(https_site.url)
    for path in ("/", "/users/login", "/nowhere"):
        value = client.get(path).headers["Strict-Transport-Security"]
        assert int(re.search(r"max-age=(\d+)", value)[1]) >= 15552000


def test_public_url_is_the_only_origin(https_site):
    client = Client(https_site.url)
    for origin in (https_site.url, "http://notes.example.org", PUBLIC + ":444", PUBLIC + ".evil.example", "null"):
        answer = client.post("/users/login", {"username": "nobody", "password": "x"}, origin=origin,
                             headers={"Host": "notes.example.org"})
        assert answer.status_code == 403, origin
    assert client.post("/users/login", {"username": "nobody", "password": "x"}, origin=PUBLIC).status_code == 302


# --- what is logged ---

def test_security_events_are_logged_with_user_and_address(site, browser_session):
    client = browser_session(site)
    client.login("me", "wrong password that is typed")
    client.login("me", site.passwords["me"])
    for event in ("auth.login_failed", "auth.login_ok"):
        line = site.notes.wait_log(event=event)
        assert "me" in line.values()
        assert "127.0.0.1" in line.values()
    assert "wrong password that is typed" not in site.notes.stdout_text() + site.userauth.stdout_text()


def test_writes_are_logged_with_user_and_address(site, browser_session):
    me = browser_session(site, "me")
    create_note(me, "written")
    edit_note(me, "written", body="anew")
    mine = comment(me, "written", "four")
    for event, members in (("note.created", {"version": 1}), ("note.changed", {"version": 2}),
                           ("comment.created", {"id": mine["id"], "text_chars": 4})):
        line = site.notes.wait_log(event=event, note="written")
        assert line.items() >= {"level": "info", "user": "me", "peer": "127.0.0.1", **members}.items()


def test_refused_rights_and_ends_of_sessions_are_logged_with_user_and_address(site, browser_session):
    me, you = browser_session(site, "me"), browser_session(site, "you")
    create_note(me, "guarded")
    mine = comment(me, "guarded", "mine")
    assert you.post("/notes/comment/destroy", {"key": "guarded", "id": mine["id"]}).status_code == 403
    assert you.post("/notes/comment", {"key": "guarded", "message": "m", "csrf": "wrong"}).status_code == 403
    assert you.post("/notes/comment", {"key": "guarded", "message": "m"}, origin="http://evil.example").status_code == 403
    assert handshake_status(site.url, origin="http://evil.example", suppress_origin=False) == 403
    assert you.logout().status_code == 302
    assert me.post("/notes/comment/destroy", {"key": "guarded", "id": mine["id"]}).status_code == 302
    assert me.post("/notes/destroy/confirm", {"notekey": "guarded"}).status_code == 302
    for event, members in (("comment.destroy_refused", {"user": "you", "note": "guarded"}), ("request.token_refused", {"user": "you"}),
                           ("request.origin_refused", {"origin": "http://evil.example"}),
                           ("live.origin_refused", {"origin": "http://evil.example"}), ("auth.logout", {"user": "you"}),
                           ("comment.destroyed", {"user": "me", "note": "guarded"}), ("note.destroyed", {"user": "me", "note": "guarded"})):
        site.notes.wait_log(event=event, peer="127.0.0.1", **members)


def test_what_happens_to_users_is_logged_with_name_and_address(site):
    api = site.userauth.api()
    api.create("short-lived", new_password())
    assert api.post("/update-user/short-lived", json={"givenName": "Ann"}).status_code == 200
    assert api.delete("/destroy/short-lived").status_code == 200
    with site.userauth.api(key="not the key") as stranger:
        assert stranger.get("/list").status_code == 401
    for event in ("user.created", "user.updated", "user.destroyed"):
        site.userauth.wait_log(event=event, user="short-lived", key="them", peer="127.0.0.1")
    site.userauth.wait_log(event="auth.key_refused", peer="127.0.0.1")


def test_no_session_id_token_or_text_is_logged(site, browser_session):
    client = browser_session(site, "me")
    token, cookie = client.csrf(), client.session_cookie
    create_note(client, "unlogged-key-1", "unlogged title 77", "unlogged body 77")
    comment(client, "unlogged-key-1", "unlogged comment 77")
    client.post("/notes/comment", {"key": "unlogged-key-1", "message": "unlogged comment 78", "csrf": "wrong"})
    client.get(f"/nowhere?cookie={cookie}&token={token}", headers={"X-Request-Id": "after-unlogged"})
    site.notes.wait_log(req_id="after-unlogged")
    printed = site.notes.stdout_text() + site.notes.stderr_text() + site.userauth.stdout_text()
    for secret in (token, cookie, "unlogged title 77", "unlogged body 77", "unlogged comment"):
        assert secret not in printed
