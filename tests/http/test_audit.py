# SPDX-License-Identifier: MIT
"""The log as evidence: nobody can write a line of their own into it, and who was refused stands in it (docs/EVENTS.md)."""
import re

import pytest

from harness.client import Client
from harness.live import Live
from harness.programs import new_password
from harness.raw import basic, exchange
from notes_verbs import create_note

FORGED = "forged.by_somebody"
HOSTILE = {
    "a line of JSON": '"}\n{"event":"%s","level":"info"}\n{"x":"' % FORGED,
    "a header's end": "a\r\nX-Forged: %s\r\n\r\n" % FORGED,
    "colours": "\x1b[2J\x1b[31mred\x1b]0;title\x07",
    "quotes and backslashes": '\\"\\\\"\\n\\u0000%s\\' % FORGED,
    "other line ends": "a\u2028b\u2029c\u0085d\x0b\x0ce",
    "right to left": "\u202egnp.exe\u2066",
    "percent": "%s%n%d%1000000s",
    "no character": "\ufffe\uffff",
    "NUL": "a\x00b",
}
IN_HEADERS = {
    "quotes": b'"}{"event":"%s"}' % FORGED.encode(),
    "a bare line feed": b"a\n{\"event\":\"%s\"}" % FORGED.encode(),
    "colours": b"\x1b[31m",
    "no UTF-8": b"\xff\xfe\xc3",
    "a tab": b"a\tb",
}
CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]")


def assert_unforged(*services):
    """Every line is one JSON object of this service with a known beginning, and no byte could drive a terminal."""
    for service in services:
        lines = service.log_lines()  # each is read as JSON
        assert lines and all(isinstance(line, dict) and list(line)[:4] == ["ts", "level", "svc", "event"] for line in lines)
        assert {line["svc"] for line in lines} == {service.name}
        assert FORGED not in {line["event"] for line in lines}
        assert not CONTROL.search(service.stdout_path.read_bytes())


def wait_logged(service, api_or_client, path="/healthz-of-the-end"):
    """A request that comes after all others of this test has been logged."""
    answer = api_or_client.get(path)
    service.wait_log(req_id=answer.headers["X-Request-Id"])


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_typed_forges_no_line(site, name):
    text = HOSTILE[name]
    stranger, me = Client(site.url), Client(site.url)
    stranger.login(text, text)
    me.login("me", site.passwords["me"])
    me.post("/notes/save", {"docreate": "create", "notekey": text, "title": text, "body": text})
    me.post("/notes/save", {"docreate": text, "notekey": text, "title": text, "body": text, "csrf": text})
    me.post("/notes/comment", {"key": text, "message": text})
    me.post("/notes/comment/destroy", {"key": text, "id": text})
    me.post("/notes/destroy/confirm", {"notekey": text})
    for path in ("/notes/view", "/notes/edit", "/users/login"):
        me.get(path, params={"key": text})
    wait_logged(site.notes, me)
    assert_unforged(site.notes, site.userauth)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_client_of_the_user_service_sends_forges_no_line(userauth, api, name):
    text = HOSTILE[name]
    api.post("/create-user", json={"username": text, "provider": "local", "plainPassword": new_password()})
    api.check(text, "wrong", text)
    api.post("/update-user/me", json={"givenName": text, "username": text})
    api.post("/find-or-create", json={"username": text, "password": text, "provider": text, text: text})
    api.post("/create-user", data=text.encode(), headers={"Content-Type": "application/json"})
    assert exchange(userauth.port, "GET", "/list", [("Authorization", basic(text, text))]).status == 401
    wait_logged(userauth, api)
    assert_unforged(userauth)


@pytest.mark.parametrize("name", IN_HEADERS)
@pytest.mark.parametrize("field", ["X-Request-Id", "Origin", "Cookie", "Authorization", "X-Forwarded-For", "Sec-Fetch-Site", "User-Agent"])
def test_headers_forge_no_line(site, name, field):
    for service in (site.notes, site.userauth):
        exchange(service.port, "POST", b"/users/login?" + IN_HEADERS["no UTF-8"], [(field, IN_HEADERS[name])], b"username=a&password=b")
        exchange(service.port, "GET", "/list", [(field, IN_HEADERS[name])])
    wait_logged(site.notes, Client(site.url))
    wait_logged(site.userauth, site.api)
    assert_unforged(site.notes, site.userauth)


def test_a_head_with_a_fault_names_no_client(make_site):
    """What the proxy in front adds stands behind the fault and is not read; what is before it may be the stranger's own."""
    site = make_site(TRUSTED_PROXIES="127.0.0.1")
    forwarded, referer = "X-Forwarded-For", [("Referer", "a"), ("Referer", "b")]
    bad = exchange(site.notes.port, "GET", "/", [(forwarded, "198.51.100.1"), *referer, (forwarded, "203.0.113.9")])
    good = exchange(site.notes.port, "GET", "/healthz-not", [(forwarded, "198.51.100.1"), referer[0], (forwarded, "203.0.113.9")])
    assert (bad.status, good.status) == (400, 404)
    assert site.notes.wait_log(event="http.request_done", status=400)["peer"] == "127.0.0.1"
    assert site.notes.wait_log(event="http.request_done", status=404)["peer"] == "203.0.113.9"


def test_a_name_in_the_text_format_stays_in_its_line(services):
    service = services.userauth(LOG_FORMAT="text").start()
    with service.api() as api:
        for text in HOSTILE.values():
            api.check(text, "wrong")
    service.stop()
    printed = service.stdout_path.read_bytes()
    assert b"auth.login_failed" in printed and not CONTROL.search(printed)
    assert not [line for line in printed.decode().splitlines() if line.lstrip().startswith((FORGED, "X-Forged", "{"))]


# --- who was refused ---

def test_a_sign_out_from_another_site_is_logged(site):
    me = Client(site.url)
    me.login("me", site.passwords["me"])
    answer = me.get("/users/logout", headers={"Sec-Fetch-Site": "cross-site", "Origin": "http://elsewhere.example"})
    assert answer.status_code == 403 and me.get("/notes/add").status_code == 200
    line = site.notes.wait_log(event="request.origin_refused", req_id=answer.headers["X-Request-Id"])
    assert (line["origin"], line["peer"]) == ("http://elsewhere.example", "127.0.0.1")


def test_a_stranger_who_writes_on_a_live_socket_is_logged(site):
    me = Client(site.url)
    me.login("me", site.passwords["me"])
    create_note(me, "listened-to", "T", "B")
    with Live(site.url, notes={"key": "listened-to"}) as live:
        assert live.client.call("create-message", {"message": "m"}, namespace="/notes", timeout=20) != "ok"
    assert site.notes.wait_log(event="live.event_refused")["peer"] == "127.0.0.1"


def test_a_wrong_key_is_logged_without_the_key(userauth):
    answer = exchange(userauth.port, "GET", "/list", [("Authorization", basic("them", "a-wrong-key-that-is-long"))])
    assert answer.status == 401
    assert userauth.wait_log(event="auth.key_refused", req_id=answer.header("X-Request-Id"))["why"] == "wrong"
    assert "a-wrong-key-that-is-long" not in userauth.stdout_text()
