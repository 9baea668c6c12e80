# SPDX-License-Identifier: MIT
"""A new password on /users/account: what is refused and where the page says so, and that whoever knew the old one is out."""
import socket
import threading

import pytest

from harness import kept_sessions
from harness.client import Client, read_page
from harness.live import Raw
from harness.programs import new_password, remember_secret
from harness.stored import prolong_waits
from harness.wait import until
from notes_verbs import check_page, error_page

NOTES_ENV = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0}
ACCOUNT = "/users/account"
PASSWORD = "/users/account/password"
FIELDS = ("password", "new-password", "new-password-again")


@pytest.fixture
def user(site, request):
    """The name of a fresh user, whose password is in site.passwords."""
    name = "p" + str(abs(hash(request.node.nodeid)))[:12]
    site.add_user(name)
    return name


def sign_in(site, name, password=None):
    client = Client(site.url)
    answer = client.login(name, password or site.passwords[name])
    assert answer.status_code == 302 and client.is_signed_in, answer.headers
    return client


def change(client, old, new, again=None, **options):
    return client.post(PASSWORD, list(zip(FIELDS, (old, new, new if again is None else again)))
                       + ([("csrf", client.csrf())] if "csrf" not in options else []), **options)


def is_in(client):
    return client.get("/notes/add").status_code == 200


def can_login(site, name, password):
    return Client(site.url).login(name, password).headers.get("Location") == "/"


def assert_refused(answer, status, place, *words):
    """The page again, with the reason at this field only; nothing that was typed comes back."""
    assert answer.status_code == status, answer.text
    page = check_page(read_page(answer))
    form = page.form(PASSWORD)
    assert [node["name"] for node in form.all("input") if node.get("aria-invalid") == "true"] == [place] if place else True
    for name in FIELDS:
        assert form.first("input", name=name).get("value") is None
    if place:
        field = form.first("input", name=place)
        said = page.by_id(field["aria-describedby"].split()[0])
        assert said["role"] == "alert" and field.get("autofocus") is not None
    else:
        said = form.first("p", class_="form-error")
    assert all(word in said.text for word in words), said.text
    return page


# --- done ---

def test_a_new_password_ends_all_other_sessions_and_sockets_and_renews_this_one(site, user):
    me, other, you = sign_in(site, user), sign_in(site, user), sign_in(site, "you")
    before, token, new = remember_secret(me.session_cookie), remember_secret(me.csrf()), new_password()
    with Raw(site.url, cookie=other.session_cookie) as ended, Raw(site.url, cookie=you.session_cookie) as kept:
        ended.join()
        kept.join()
        answer = change(me, site.passwords[user], new)
        assert answer.status_code == 302 and answer.headers["Location"] == ACCOUNT
        assert ended.is_ended()
        kept.settle()
    assert me.session_cookie not in (None, before)
    page = check_page(me.html(ACCOUNT))
    assert "Your password is changed." in page.all_text and len(page.all("li", class_="session")) == 1
    assert page.form(PASSWORD).fields()["csrf"] != token
    assert "Your password is changed." not in me.html(ACCOUNT).all_text, "it is said once"
    assert (is_in(me), is_in(other), is_in(you)) == (True, False, True)
    assert Client(site.url).get("/notes/add", headers={"Cookie": f"notescookie.sid={before}"}).status_code == 302
    assert can_login(site, user, new) and not can_login(site, user, site.passwords[user])
    line = site.notes.wait_log(event="account.password_changed", user=user)
    assert line["peer"] == "127.0.0.1"


def test_a_new_password_ends_more_sessions_than_are_listed_at_once(site, user):
    """1,001 are listed (SESSION_LIST_MAX_COUNT); a program of before made as many as came."""
    me, other = sign_in(site, user), sign_in(site, user)
    kept_sessions.multiply(site.notes, user, 1200)
    assert len([row for row in kept_sessions.rows(site.notes) if row["username"] == user]) == 1202
    assert change(me, site.passwords[user], new_password()).headers.get("Location") == ACCOUNT
    assert len([row for row in kept_sessions.rows(site.notes) if row["username"] == user]) == 1
    assert (is_in(me), is_in(other)) == (True, False)


def test_the_new_session_holds_when_its_user_is_asked_for_again(make_site):
    site = make_site(USER_CHECK_S=1)
    me, new = sign_in(site, "me"), new_password()
    assert change(me, site.passwords["me"], new).status_code == 302
    kept_sessions.age(site.notes, checked=30)
    assert is_in(me)


def test_the_device_of_the_login_is_known_when_the_password_changes(site, user):
    """A name that is closed by others' failures is open to the browser that has signed in before."""
    me = sign_in(site, user)
    for client in range(25):
        for _ in range(4):
            site.api.check(user, "wrong", f"address:{client}")
    assert site.api.check(user, site.passwords[user], "address:stranger").status_code == 429
    assert change(me, site.passwords[user], new_password()).headers.get("Location") == ACCOUNT


# --- refused ---

def test_a_wrong_old_password_is_said_at_its_field(site, user):
    me, other = sign_in(site, user), sign_in(site, user)
    assert_refused(change(me, "not the password", new_password()), 403, "password", "not your current password")
    assert is_in(me) and is_in(other) and can_login(site, user, site.passwords[user])
    site.notes.wait_log(event="account.password_refused", user=user, why="old_password", peer="127.0.0.1")


@pytest.mark.parametrize("new, word", [("short", "15"), ("x" * 1025, "1024"), ("passwordpassword", "many people"),
                                       ("{name}{name}", "name")])
def test_a_new_password_against_the_rules_is_said_at_its_field(site, user, new, word):
    me = sign_in(site, user)
    answer = change(me, site.passwords[user], new.format(name=user))
    assert_refused(answer, 400, "new-password", word)
    assert can_login(site, user, site.passwords[user])
    site.notes.wait_log(event="account.password_refused", user=user, why="new_password")


def test_what_is_typed_twice_must_agree(site, user):
    me, new = sign_in(site, user), new_password()
    assert_refused(change(me, site.passwords[user], new, new + "x"), 400, "new-password-again", "differ")
    assert_refused(change(me, site.passwords[user], new, new.upper()), 400, "new-password-again")
    assert_refused(change(me, "", new), 400, "password")
    assert_refused(change(me, site.passwords[user], site.passwords[user]), 400, "new-password", "current one")
    assert_refused(change(me, site.passwords[user], "", new), 400, "new-password")
    for left_out in FIELDS:
        fields = {name: new for name in FIELDS if name != left_out}
        error_page(me.post(PASSWORD, fields), 400)
    assert can_login(site, user, site.passwords[user])


def test_after_too_many_tries_the_name_waits(site, user):
    me = sign_in(site, user)
    for _ in range(4):
        assert change(me, "wrong", new_password()).status_code == 403

    def refused_s(password):
        answer = change(me, password, new_password())
        assert_refused(answer, 429, None, "wait")
        return int(answer.headers["Retry-After"])

    assert refused_s("wrong") >= 1
    prolong_waits(site.userauth.database, 600)
    assert refused_s(site.passwords[user]) > 60
    site.notes.wait_log(event="account.password_refused", user=user, why="wait")
    assert is_in(me)


def test_tries_count_for_the_address_as_logins_do(make_site):
    site = make_site(LOGIN_FAILURES_PER_MIN=2)
    me = sign_in(site, "me")
    for _ in range(4):
        assert change(me, site.passwords["me"], "short").status_code == 400, "refused by the rules: no failure"
    assert [change(me, "wrong", new_password()).status_code for _ in range(3)] == [403, 403, 429]
    assert Client(site.url).login("you", site.passwords["you"]).status_code == 429
    answer = change(me, site.passwords["me"], new_password())
    assert answer.status_code == 429 and 1 <= int(answer.headers["Retry-After"]) <= 60


def test_without_the_form_token_nothing_changes(site, user):
    me, new = sign_in(site, user), new_password()
    other = sign_in(site, user)
    typed = dict(zip(FIELDS, (site.passwords[user], new, new)))
    for forged in ({}, {"csrf": ""}, {"csrf": "x" * 43}, {"csrf": other.csrf()}):
        page = error_page(me.post(PASSWORD, {**typed, **forged}, csrf=False), 403)
        assert page.first("main").first("a", href=ACCOUNT) is not None
    error_page(me.post(PASSWORD, typed, origin="https://elsewhere.example"), 403)
    error_page(me.post(PASSWORD, typed, headers={"Sec-Fetch-Site": "cross-site"}), 403)
    assert Client(site.url).post(PASSWORD, typed).headers["Location"] == "/users/login"
    assert can_login(site, user, site.passwords[user])


def test_no_page_gives_a_password_back(site, user):
    me, new = sign_in(site, user), new_password()
    old = site.passwords[user]
    twice = [("csrf", me.csrf()), ("password", old), ("password", old), ("new-password", new), ("new-password-again", new)]
    answers = [change(me, "wrong", new), change(me, old, new, new + "x"), change(me, old, new, csrf=False),
               me.post(PASSWORD, twice), me.post(PASSWORD, dict(zip(FIELDS, (old, new, new * 100))))]
    for answer in answers:
        assert answer.status_code >= 400 and old not in answer.text and new not in answer.text


# --- the user service ---

def assert_not_possible(answer):
    page = error_page(answer, 503)
    assert "can’t be changed right now" in page.first("h1").text and page.first("main").first("img")["alt"]
    assert page.first("main").first("form") is None and page.first("main").first("a", href=ACCOUNT) is not None
    assert int(answer.headers["Retry-After"]) >= 1
    return page


def test_while_the_user_service_is_away_the_page_says_so(make_site):
    site = make_site()
    me, other, new = sign_in(site, "me"), sign_in(site, "me"), new_password()
    me.csrf()
    site.userauth.kill()
    page = assert_not_possible(change(me, site.passwords["me"], new))
    assert new not in page.source and site.passwords["me"] not in page.source
    assert check_page(me.html(ACCOUNT)).form(PASSWORD) is not None
    site.userauth.start()
    assert is_in(me) and is_in(other)
    until(lambda: change(me, site.passwords["me"], new).status_code == 302, "it can be changed again")


class Between:
    """Stands before userauth-svc and answers /change-password itself with `answer`; all else goes through."""

    def __init__(self, port):
        self.port = port
        self.answer = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.pass_on, args=(peer,), daemon=True).start()

    @staticmethod
    def read_request(peer):
        text = b""
        while b"\r\n\r\n" not in text:
            piece = peer.recv(65536)
            if not piece:
                return None
            text += piece
        head, _, body = text.partition(b"\r\n\r\n")
        sizes = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        while sizes and len(body) < sizes[0]:
            body += peer.recv(65536)
        return head + b"\r\nConnection: close\r\n\r\n" + body

    def pass_on(self, peer):
        with peer:
            request = self.read_request(peer)
            if request is None:
                return
            if request.startswith(b"POST /change-password"):
                peer.sendall(self.answer)
                return
            with socket.create_connection(("127.0.0.1", self.port), 20) as there:
                there.sendall(request)
                while piece := there.recv(65536):
                    peer.sendall(piece)

    def close(self):
        self.listener.close()


def http(status, body, *headers):
    lines = [f"HTTP/1.1 {status} x", "Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body.encode()


@pytest.mark.parametrize("answer", [
    b"",
    http(200, "{}"),
    http(200, '{"changed":"true","username":"me"}', 'ETag: "x"'),
    http(200, '{"changed":true,"username":"me"}'),
    http(200, '{"changed":true', 'ETag: "x"'),
    http(404, '{"code":"ResourceNotFound","message":"no such path","requestId":"x"}'),
    http(401, "{}"),
    http(302, "", "Location: https://elsewhere.example/"),
    http(500, "<b>oops</b>"),
], ids=range(9))
def test_an_answer_that_is_none_changes_nothing_here(site, services, user, answer):
    between = Between(site.userauth.port)
    try:
        notes = services.notes(between.url, USER_SERVICE_KEY=site.userauth.key, **NOTES_ENV).start()
        site_there = type("Site", (), {"url": notes.url, "passwords": site.passwords, "notes": notes})
        me, other = sign_in(site_there, user), sign_in(site_there, user)
        between.answer = answer
        page = assert_not_possible(change(me, site.passwords[user], new_password()))
        assert "oops" not in page.source
        assert is_in(me) and is_in(other)
    finally:
        between.close()


@pytest.mark.parametrize("body, status, place, word", [
    ('{"code":"PasswordCommon","message":"<img src=x onerror=alert(1)> & more"}', 400, "new-password", "<img src=x"),
    ('{"code":"PasswordOfTomorrow","message":"A rule of a later release."}', 400, "new-password", "later release"),
    ('{"code":"PasswordCommon","message":" "}', 403, "password", "current"),
    ('{"code":"InvalidArgument","message":"password: too long"}', 403, "password", "current"),
    ("not json", 403, "password", "current"),
], ids=range(5))
def test_a_reason_is_shown_as_text_whatever_it_holds(site, services, user, body, status, place, word):
    between = Between(site.userauth.port)
    try:
        notes = services.notes(between.url, USER_SERVICE_KEY=site.userauth.key, **NOTES_ENV).start()
        me = sign_in(type("Site", (), {"url": notes.url, "passwords": site.passwords}), user)
        between.answer = http(400, body)
        assert_refused(change(me, "old", new_password()), status, place, word)
    finally:
        between.close()


# --- disabled ---

def test_a_disabled_user_is_signed_out_everywhere_sockets_too(make_site):
    site = make_site(USER_CHECK_S=1)
    me, other, you = sign_in(site, "me"), sign_in(site, "me"), sign_in(site, "you")
    with Raw(site.url, cookie=me.session_cookie) as raw, Raw(site.url, cookie=you.session_cookie) as kept:
        raw.join()
        kept.join()
        assert site.api.post("/disable/me").status_code == 200
        assert raw.is_ended()
        kept.settle()
    until(lambda: not is_in(me) and not is_in(other), "both sessions have ended")
    assert is_in(you)
    assert Client(site.url).login("me", site.passwords["me"]).headers["Location"] == "login"
    assert site.notes.wait_log(event="session.ended", user="me")["reason"] == "user_changed"
