# SPDX-License-Identifier: MIT
"""Somebody else's session: planted, stolen, tossed in by a neighbouring site, kept over a sign-out; and what leads a browser off
the site, frames it, or puts a line into a header.
"""
import base64
import hashlib
import itertools
import json
import threading
from urllib.parse import quote, urljoin, urlsplit

import pytest

from attack import path_of, routes
from cookies import set_cookies
from harness import kept_sessions, programs
from harness.client import Client
from harness.client import browser_session as open_session
from harness.live import Raw
from harness.raw import Connection, exchange, request_bytes
from notes_verbs import comment, create_note, shown_comments, view_path
from payloads import LINE_ENDS

NOTES_ENV = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0}
COOKIE = "notescookie.sid"


@pytest.fixture(scope="module")
def me(site):
    client = open_session(site, "me")
    create_note(client, "k")
    return client


def who(site, *cookies):
    """Who is signed in with these Cookie fields; None: nobody."""
    headers = [("Cookie", value) for value in cookies] + [("Connection", "close")]
    answer = exchange(site.notes.port, "GET", "/users/login", headers)
    assert answer.status == 200, answer
    found = answer.body.partition(b'<bdi id="signed-in-user">')[2].partition(b"</bdi>")[0]
    return found.decode() or None


# --- planted ---

@pytest.mark.parametrize("planted", ["A" * 43, "0" * 43, "x", "", "../../me", "me", "admin'--"])
def test_an_id_that_was_planted_is_not_the_one_after_sign_in(site, planted):
    client = Client(site.url)
    client.http.cookies.set(COOKIE, planted, domain="127.0.0.1", path="/")
    client.login("me", site.passwords["me"])
    values = [cookie.value for cookie in client.http.cookies if cookie.name == COOKIE]
    assert values != [planted] and planted not in values[-1:]
    assert who(site, f"{COOKIE}={planted}") is None


def test_a_session_of_the_attacker_that_was_planted_ends_at_the_victims_sign_in(site):
    """And is never given the victim's rights."""
    attacker = open_session(site, "you")
    planted = attacker.session_cookie
    victim = Client(site.url)
    victim.http.cookies.set(COOKIE, planted, domain="127.0.0.1", path="/")
    victim.login("me", site.passwords["me"])
    assert who(site, f"{COOKIE}={planted}") is None


def test_an_id_in_an_address_or_form_or_header_is_none(site, me):
    value = me.session_cookie
    stranger = Client(site.url)
    for path in (f"/users/login?{COOKIE}={value}", f"/users/login;{COOKIE}={value}", f"/users/login?sid={value}"):
        assert "signed-in-user" not in stranger.get(path, allow_redirects=True).text
    for headers in ({"Authorization": f"Bearer {value}"}, {"X-Session": value}, {COOKIE: value}, {"Cookie2": f"{COOKIE}={value}"}):
        assert "signed-in-user" not in stranger.get("/users/login", headers=headers).text
    assert stranger.post("/notes/comment", {"key": "k", "message": "m", COOKIE: value}).headers["Location"] == "/users/login"


# --- tossed ---

def test_two_cookies_of_the_name_are_nobodys(site, me):
    """A neighbouring site can set one for its own path or for both; a browser says of neither where it is from."""
    mine, theirs = (f"{COOKIE}={open_session(site, user).session_cookie}" for user in ("me", "you"))
    assert who(site, mine) == "me"
    for pair in itertools.permutations((mine, theirs)):
        assert who(site, "; ".join(pair)) is None
        assert who(site, *pair) is None, "two lines mean the same"
    for other in (f"{COOKIE}=", f"{COOKIE}=x", f"{COOKIE}=a b", f'{COOKIE}="x"'):
        assert who(site, f"{mine}; {other}") is None
        assert who(site, f"{other}; {mine}") is None
    assert who(site, f"{mine}; {mine}") == "me"
    for other in (f"{COOKIE.upper()}=x", f"{COOKIE} =x", f"x{COOKIE}=x", f"__Host-{COOKIE}=x", f"{COOKIE}", "$Path=/; $Domain=x", "notescookie_sid=x"):
        assert who(site, f"{other}; {mine}") == who(site, f"{mine}; {other}") == "me", other


def test_behind_https_only_the_cookie_of_this_host_counts(make_site):
    """A browser takes "__Host-" from nobody but the host itself over https, and so does the service."""
    public = "https://notes.example.org"
    site = make_site(PUBLIC_URL=public)
    client = Client(site.url, origin=public)
    answer = client.post("/users/login", {"username": "me", "password": site.passwords["me"]}, csrf=False)
    for name, (_, attributes) in set_cookies(answer).items():
        assert {"secure", "httponly"} <= attributes and not [one for one in attributes if one.startswith("domain")], name
    (value, attributes), = [set_cookies(answer)[f"__Host-{COOKIE}"]]
    assert {"path=/", "samesite=lax"} <= attributes
    assert who(site, f"__Host-{COOKIE}={value}") == "me"
    for name in (COOKIE, f"__Secure-{COOKIE}", f"__host-{COOKIE}", f" __Host-{COOKIE}".replace(" ", "%20")):
        assert who(site, f"{name}={value}") is None, name
        assert who(site, f"{name}=x; __Host-{COOKIE}={value}") == "me", name


def test_no_device_of_somebody_else_is_told_from_none(site):
    """The device's cookie of one name gives nothing for another; what is forged harms no sign-in."""
    you = open_session(site, "you")
    device = next(cookie.value for cookie in you.http.cookies if cookie.name == "notesdevice")
    for value in (device, device[:-2], "A" * len(device), "", "x" * 3999):
        client = Client(site.url)
        client.http.cookies.set("notesdevice", value, domain="127.0.0.1", path="/users/login")
        client.login("me", site.passwords["me"])
        assert client.get("/notes/add").status_code == 200
        assert who(site, f"notesdevice={value}") is None


@pytest.mark.parametrize("size", [3999, 4001, 7000, 9000, 40000])
def test_cookies_of_many_kib_are_refused_or_passed_over(site, me, size):
    answer = exchange(site.notes.port, "GET", "/", [("Cookie", f"junk={'x' * size}; {COOKIE}={me.session_cookie}"), ("Connection", "close")])
    assert answer is None or answer.status in (200, 400, 431)


# --- stolen ---

def test_what_is_stored_is_no_key(site, me):
    """Neither a digest, nor a handle of the account's page, nor a form token, is taken for an id."""
    for row in kept_sessions.rows(site.notes):
        for form in (row["digest"].hex(), base64.urlsafe_b64encode(row["digest"]).decode().rstrip("=")):
            assert who(site, f"{COOKIE}={form}") is None
    assert who(site, f"{COOKIE}={me.csrf()}") is None
    page = me.html("/users/account")
    for field in page.all("input", name="id"):
        assert who(site, f"{COOKIE}={field['value']}") is None
    assert me.session_cookie not in page.source


def test_nobody_ends_sessions_of_somebody_else(site):
    site.add_user("mallory")
    me, you, again = open_session(site, "mallory"), open_session(site, "you"), open_session(site, "you")
    handles = [field["value"] for field in you.html("/users/account").all("input", name="id")]
    assert handles
    for handle in handles + ["", "0", "%", "' OR '1'='1", "../x", handles[0].upper(), handles[0][:-1], handles[0] + "0"]:
        me.post("/users/account/sessions/end", {"id": handle})
    me.post("/users/account/sessions/end-others", {"username": "you", "user": "you"})
    for client in (you, again):
        assert client.get("/notes/add").status_code == 200
    for path in ("/users/sessions?username=you", "/users/sessions"):
        assert me.get(path).status_code == 401
    assert me.request("DELETE", f"/users/sessions/{handles[0]}", headers={"Origin": site.url}).status_code in (401, 403)


def test_a_password_is_not_changed_without_the_old_one_nor_for_somebody_else(site):
    me, you = open_session(site, "me"), open_session(site, "you")
    new = programs.new_password("stolen")
    fields = {"new-password": new, "new-password-again": new}
    for more in ({}, {"password": ""}, {"password": "x"}, {"password": site.passwords["you"]}, {"password": site.passwords["you"], "username": "you"},
                 {"password[]": site.passwords["me"]}, {"password": new}):
        assert me.post("/users/account/password", {**fields, **more}).status_code in (400, 403, 409, 422, 429), more.keys()
    for user in ("me", "you"):
        assert Client(site.url).login(user, new).headers["Location"] == "login"
    assert you.get("/notes/add").status_code == 200


def test_after_sign_out_nothing_is_changed_by_what_was_under_way(site, me):
    """Saves race with the sign-out: what is answered after it is refused, and none signs in again."""
    for _ in range(5):
        client = open_session(site, "me")
        cookie, token = client.session_cookie, client.csrf()
        headers = [("Cookie", f"{COOKIE}={cookie}"), ("Content-Type", "application/x-www-form-urlencoded")]
        done, answers = threading.Event(), []

        def write(mine=answers, over=done, fields=headers, csrf=token):
            with Connection(site.notes.port) as connection:
                while not over.is_set():
                    connection.send(request_bytes("POST", "/notes/comment", fields, f"key=k&message=m&csrf={csrf}".encode()))
                    mine.append(connection.answer("POST").header("location"))

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        client.logout()
        after = len(shown_comments(client.html(view_path("k"))))
        done.set()
        for thread in threads:
            thread.join()
        assert after <= 20
        assert who(site, f"{COOKIE}={cookie}") is None
        answer = exchange(site.notes.port, "POST", "/notes/comment", headers, f"key=k&message=late&csrf={token}".encode())
        assert answer.header("location") == "/users/login"
        assert not [row for row in kept_sessions.rows(site.notes) if row["username"] == "me" and row["digest"] == digest_of(cookie)]


def digest_of(cookie):
    """BLAKE2b of the id, as it is stored."""
    return hashlib.blake2b(base64.urlsafe_b64decode(cookie + "="), digest_size=32).digest()


# --- a session of one user, a room of another ---

def test_a_socket_writes_as_its_session_and_in_its_room_only(site, me):
    you = open_session(site, "you")
    create_note(you, "other")
    theirs = comment(you, "other", "of you")["id"]
    with Raw(site.url, cookie=me.session_cookie) as raw:
        raw.join(key="k", user="you", username="you", session=you.session_cookie, room="other")
        raw.event()
        raw.send('42/notes,1["create-message",{"message":"forged","from":"you","author":"you","key":"other","room":"other","namespace":"/home"}]')
        packets = [raw.receive(), raw.receive()]
        assert '43/notes,1["ok"]' in packets
        raw.send(f'42/notes,2["delete-message",{{"id":{theirs},"key":"other","room":"other","user":"you"}}]')
        assert raw.receive().startswith('43/notes,2[{"code":"ResourceNotFound"')
    for key, author in (("k", "me"), ("other", "you")):
        newest = list(shown_comments(me.html(view_path(key))).values())[0]
        assert newest.first("bdi").text == author
        assert ("forged" in newest.text) == (key == "k")


@pytest.mark.parametrize("cookie", [None, "", "x", "A" * 43])
def test_a_socket_of_a_stranger_changes_nothing(site, me, cookie):
    made = comment(me, "k", "stays")["id"]
    with Raw(site.url, cookie=cookie) as raw:
        raw.join(key="k", cookie=me.session_cookie, csrf=me.csrf(), user="me")
        raw.event()
        for number, event in enumerate((["create-message", {"message": "m", "from": "me", "csrf": me.csrf()}], ["delete-message", {"id": made}])):
            raw.send(f"42/notes,{number}{json.dumps(event)}")
            assert raw.receive().startswith(f'43/notes,{number}[{{"code":"InvalidCredentials"')
    assert f"note-message-{made}" in shown_comments(me.html(view_path("k")))


# --- off the site ---

@pytest.mark.parametrize("target", ["/users/logout", "/users/logout?x", "/users/%6cogout", "/users/logout#x", "/notes/../users/logout",
                                    "/notes/%2e%2e/users/logout", "/./users/logout", "/users/login", "/users/auth/oidc", "/users/sessions"])
def test_no_planted_way_back_signs_people_out_again(site, target):
    """Or in as somebody else. The cookie is one that a neighbouring site may set."""
    client = Client(site.url)
    packed = base64.urlsafe_b64encode(target.encode()).decode().rstrip("=")
    client.http.cookies.set("notesnext", packed, domain="127.0.0.1", path="/users/login")
    answer = client.post("/users/login", {"username": "me", "password": site.passwords["me"]})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


OFF = ["//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "http://evil.example", "https:evil.example", "javascript:alert(1)",
       "/\t/evil.example", "/\n/evil.example", "/%0d%0aLocation:%20http://evil.example", "/..//evil.example", "/.//evil.example", "//evil.example/%2e%2e",
       "/%2f/evil.example", "/%5cevil.example", "@evil.example", ".evil.example", "data:text/html,x", "/\u2028/evil.example", "/\uff0fevil.example",
       "http:/evil.example", "/;@evil.example", "?//evil.example", "#//evil.example", " //evil.example", "/ /evil.example", "/\x00/evil.example"]


def leads_off(site, location):
    """Whether a browser would leave the site, reading as leniently as browsers do."""
    seen = location.replace("\\", "/").replace("\t", "").replace("\n", "").strip()
    target = urlsplit(urljoin(site.url + "/users/login", seen))
    return (target.scheme, target.netloc) != ("http", site.url[7:])


@pytest.mark.parametrize("target", OFF)
def test_nothing_leads_off_the_site(site, target):
    client = Client(site.url)
    packed = base64.urlsafe_b64encode(target.encode()).decode().rstrip("=")
    client.http.cookies.set("notesnext", packed, domain="127.0.0.1", path="/users/login")
    query = "&".join(f"{name}={quote(target, safe='')}" for name in ("next", "url", "redirect", "return", "returnTo", "continue", "goto", "key"))
    answer = client.post(f"/users/login?{query}", {"username": "me", "password": site.passwords["me"], "next": target, "redirect": target})
    assert answer.status_code == (400 if "\0" in target else 302), "what has a NUL is no form"
    assert not leads_off(site, answer.headers.get("Location", "/")), answer.headers
    for method, pattern, _ in routes(programs.NOTES_SVC):
        if method == "GET":
            answer = client.get(f"{path_of(pattern)}?{query}", headers={"X-Forwarded-Host": "evil.example", "X-Original-URL": quote(target), "Forwarded": "host=evil.example",
                                                                       "Referer": "http://evil.example/"})
            assert not leads_off(site, answer.headers.get("Location", "/")), (pattern, answer.headers)
            assert "evil.example" not in str(answer.headers), (pattern, answer.headers)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost", "[::1]"])
def test_another_host_is_in_no_answer(site, me, host):
    for path in ("/", "/notes/add", view_path("k"), "/nowhere", "/users/login", "/assets/x"):
        for cookie in (None, me.session_cookie):
            headers = [("Host", host), ("Connection", "close")] + ([("Cookie", f"{COOKIE}={cookie}")] if cookie else [])
            answer = exchange(site.notes.port, "GET", path, headers)
            assert host.encode() not in answer.body + repr(answer.headers).encode()
    assert b"evil.example" not in exchange(site.notes.port, "GET", "http://evil.example/", [("Connection", "close")]).body


# --- frames and headers ---

def test_every_answer_of_every_kind_forbids_frames_and_guessing(site, me):
    answers = []
    for client in (Client(site.url), me):
        for method, pattern, _ in routes(programs.NOTES_SVC):
            if pattern in ("/users/logout", "/users/account/sessions/end-others"):
                continue
            for path in (path_of(pattern), path_of(pattern) + "/", path_of(pattern) + "?key=none&page=x"):
                answers += [client.request(verb, path) for verb in (method, "HEAD", "PUT", "TRACE")]
    for path in ("/%", "/%zz", "/" + "x" * 9000, "/?" + "&" * 5000):
        answers.append(me.get(path))
    answers.append(me.post("/notes/comment", {}, csrf=False))
    statuses = {answer.status_code for answer in answers}
    assert {200, 302, 400, 401, 403, 404, 405} <= statuses and not {status for status in statuses if status >= 500}
    for answer in answers:
        headers = answer.headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], (answer.request.method, answer.url, headers)
        assert headers["X-Content-Type-Options"] == "nosniff", (answer.request.method, answer.url)
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert not {"Server", "X-Powered-By"} & set(headers)


@pytest.mark.parametrize("end", LINE_ENDS, ids=repr)
def test_no_line_end_gets_into_a_header(site, me, end):
    """Through a key (Location), a name (cookie), an id of a request, a page's number, a method's name."""
    hostile = f"x{end}Set-Cookie: planted=1{end}X-Planted: 1{end}{end}<p>"
    answers = [me.get("/notes/view", params={"key": hostile}), me.get("/", params={"page": hostile}), me.get("/notes/edit", params={"key": hostile}),
               me.get("/" + quote(hostile)), me.get("/assets/" + quote(hostile)), me.get("/users/account", params={"x": hostile}),
               me.post("/notes/save", {"docreate": "create", "notekey": hostile, "title": "T", "body": "B"}),
               me.post("/notes/save", {"docreate": "create", "notekey": "", "title": hostile, "body": "B"}),
               me.post("/notes/comment", {"key": hostile, "message": "m"}), me.post("/notes/destroy/confirm", {"notekey": hostile}),
               Client(site.url).login(hostile, "x"), Client(site.url).login("me", hostile), Client(site.url).get("/notes/edit", params={"key": hostile})]
    for answer in answers:
        assert "x-planted" not in {name.lower() for name in answer.headers}
        assert "planted" not in str(set_cookies(answer).keys())
        assert "\n" not in answer.headers.get("Location", "") and "\r" not in answer.headers.get("Location", "")
        assert answer.status_code < 500
    raw = hostile.encode("utf-8").replace(b"\r", b"").replace(b"\n", b"")
    for name in ("X-Request-Id", "Origin", "Cookie", "User-Agent", "If-None-Match", "X-Forwarded-For", "X-Forwarded-Proto", "Accept", "Host"):
        answer = exchange(site.notes.port, "GET", "/", [(name, raw), ("Connection", "close")])
        assert answer is None or b"planted" not in repr(answer.headers).lower().encode(), (name, answer)


# --- files ---

STEPS = ["..", "%2e%2e", "%252e%252e", ".%2e", "%c0%ae%c0%ae", "..%00", "..;", "..%5c..", "....", "%2e%2e%2f%2e%2e", "\uff0e\uff0e"]
ENDS = ["/etc/passwd", "%2fetc%2fpasswd", "%5cetc%5cpasswd", "/../userauth.key", "%252fuserauth.key", "/notes.sqlite", "%00.css", "/notes.js"]


def test_no_path_reads_a_file(site):
    secrets = [site.notes.key.encode(), b"root:", b"SQLite format"]
    for step, end in itertools.product(STEPS, ENDS):
        for count in (1, 3, 8):
            for start in ("/assets/", "/", "/assets/notes.css/", "/favicon.ico/", "//assets/"):
                with_steps = "/".join([step] * count)
                answer = exchange(site.notes.port, "GET", start + with_steps + end, [("Connection", "close")])
                assert answer.status in (400, 404), (start, with_steps, end, answer)
                assert not [one for one in secrets if one in answer.body]
