# SPDX-License-Identifier: MIT
"""Log lines: their members, one access line a request, the request id on its way, security events."""
import datetime
import re

import pytest

from harness import programs
from harness.api import Api
from harness.client import Client
from harness.programs import new_password
from harness.raw import exchange

LEVELS = {"error", "warn", "info", "debug"}
TS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
EVENT = re.compile(r"[a-z_]+\.[a-z_]+")


def assert_standard_members(line, service):
    assert TS.fullmatch(line["ts"]), line
    moment = datetime.datetime.strptime(line["ts"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    assert abs((datetime.datetime.now(datetime.timezone.utc) - moment).total_seconds()) < 3600
    assert line["level"] in LEVELS and line["svc"] == service.name
    assert EVENT.fullmatch(line["event"]), line


# --- every line ---

def test_every_line_of_a_run_is_json_with_the_standard_members(services):
    userauth = services.userauth(LOG_LEVEL="debug").start()
    notes = services.notes(userauth, LOG_LEVEL="debug").start()
    password = new_password()
    userauth.api().create("me", password)
    client = Client(notes.url)
    client.login("me", "wrong")
    client.login("me", password)
    for path in ("/", "/notes/view?key=none", "/nothing", "/notes/add", "/assets/none.css", "/healthz"):
        client.get(path)
    client.post("/notes/save", {"docreate": "create", "notekey": "k", "title": "T", "body": "B"})
    notes.stop()
    userauth.stop()
    for service in (userauth, notes):
        lines = service.log_lines()  # every line must be JSON
        assert len(lines) >= 5
        for line in lines:
            assert_standard_members(line, service)
        assert service.stderr_text() == ""
        assert service.stdout_text().endswith("\n")


def test_start_and_stop_are_logged(services):
    service = services.userauth().start()
    service.stop()
    events = [line["event"] for line in service.log_lines()]
    assert "service.started" in events and events[-1] == "service.stopped", events


# --- access lines ---

CASES = [
    ("GET", "/find/someone-unknown", "/find/:username", 404),
    ("GET", "/list", "/list", 200),
    ("GET", "/list?limit=0", "/list", 400),
    ("DELETE", "/destroy/nobody%20here", "/destroy/:username", 404),
    ("POST", "/create-user", "/create-user", 400),
    ("POST", "/update-user/nobody", "/update-user/:username", 400),
    ("GET", "/password-check", "/password-check", 405),
]


@pytest.mark.parametrize("method,path,route,status", CASES)
def test_one_access_line_a_request_with_the_route_pattern(userauth, api, method, path, route, status):
    answer = api.request(method, path)
    assert answer.status_code == status
    line = userauth.wait_log(req_id=answer.headers["X-Request-Id"], status=status)
    assert line["method"] == method
    assert line.get("route") == route or (status == 405 and "route" in line), line
    assert line["bytes"] == len(answer.content)
    assert isinstance(line["ms"], (int, float)) and line["ms"] >= 0
    if status >= 400 and route != "/find/:username":  # whose 404 is an answer like any other, not an error
        assert line["err"] and isinstance(line["err"], str), line
        assert line["why"] and isinstance(line["why"], str), line
    lines = [line for line in userauth.log_lines(req_id=answer.headers["X-Request-Id"]) if "status" in line]
    assert len(lines) == 1


def test_unknown_path_is_logged_without_the_path_as_route(userauth, api):
    answer = api.get("/secret-place/with/a/name")
    line = userauth.wait_log(req_id=answer.headers["X-Request-Id"], status=404)
    assert "/secret-place" not in str(line.get("route"))


def test_good_request_has_no_err(userauth, api):
    answer = api.get("/list")
    line = userauth.wait_log(req_id=answer.headers["X-Request-Id"], status=200)
    assert not line.get("err") and not line.get("why")


def test_head_is_logged_as_head(userauth, api):
    answer = api.head("/list")
    line = userauth.wait_log(req_id=answer.headers["X-Request-Id"], status=200)
    assert line["method"] == "HEAD" and line["bytes"] == 0


def test_access_lines_of_notes(site):
    client = Client(site.url)
    client.login("me", site.passwords["me"])
    for path, route, status in (("/notes/view?key=none", "/notes/view", 404), ("/notes/add", "/notes/add", 200),
                                ("/notes/view", "/notes/view", 400)):
        answer = client.get(path, headers={"X-Request-Id": f"probe-{status}"})
        assert answer.status_code == status
        line = site.notes.wait_log(req_id=f"probe-{status}", status=status)
        assert line["route"] == route and line["method"] == "GET"
        assert isinstance(line["bytes"], int) and isinstance(line["ms"], (int, float))
        if status == 200:
            assert line["bytes"] == len(answer.content) or "Content-Encoding" in answer.headers


def test_access_line_names_the_user(site):
    client = Client(site.url)
    client.login("me", site.passwords["me"])
    client.get("/notes/add", headers={"X-Request-Id": "whose"})
    assert "me" in site.notes.wait_log(req_id="whose", status=200).values()


# --- request ids ---

def test_request_id_travels_from_client_over_notes_to_userauth_and_back(site):
    client = Client(site.url)
    answer = client.post("/users/login", {"username": "me", "password": site.passwords["me"]},
                         headers={"X-Request-Id": "travel-1"})
    assert answer.headers["X-Request-Id"] == "travel-1"
    assert site.notes.wait_log(req_id="travel-1", status=302)["method"] == "POST"
    assert site.userauth.wait_log(req_id="travel-1", status=200)["route"] == "/password-check"


def test_made_up_request_id_travels_too(site):
    answer = Client(site.url).post("/users/login", {"username": "me", "password": "wrong"})
    request_id = answer.headers["X-Request-Id"]
    assert site.userauth.wait_log(req_id=request_id, status=200)["route"] == "/password-check"


def test_malformed_request_id_is_not_logged(userauth):
    evil = "x" * 65
    answer = exchange(userauth.port, "GET", "/healthz", [("X-Request-Id", evil)])
    Api(userauth.url).get("/nothing", headers={"X-Request-Id": "afterwards"})
    userauth.wait_log(req_id="afterwards", status=404)
    assert answer.header("x-request-id") != evil
    assert userauth.log_lines(req_id=evil) == []


# --- security events ---

def test_login_events_of_userauth_name_user_and_peer(userauth, api):
    password = new_password()
    api.create("Watched", password)
    assert api.check("watched", password, "10.9.8.7").json()["check"] is True
    ok = userauth.wait_log(event="auth.login_ok", user="watched")
    assert ok["level"] == "info" and "127.0.0.1" in str(ok["peer"])
    for _ in range(4):
        api.check("watched", "wrong", "10.9.8.7")
    failed = userauth.wait_log(event="auth.login_failed", user="watched")
    assert failed["level"] in ("info", "warn") and "127.0.0.1" in str(failed["peer"])
    answer = api.check("watched", "wrong", "10.9.8.7")
    assert answer.status_code == 429
    locked = userauth.wait_log(event="auth.locked", user="watched")
    assert "127.0.0.1" in str(locked["peer"])


def test_failed_login_of_an_unknown_user_is_an_event_too(userauth, api):
    api.check("stranger-here", "wrong")
    assert userauth.wait_log(event="auth.login_failed", user="stranger-here")["peer"]


def test_login_events_of_notes_name_user_and_browser_address(site):
    client = Client(site.url)
    client.login("you", "wrong password")
    failed = site.notes.wait_log(event="auth.login_failed", user="you")
    assert failed["peer"] == "127.0.0.1" and failed["req_id"]
    client.login("you", site.passwords["you"])
    ok = site.notes.wait_log(event="auth.login_ok", user="you")
    assert ok["peer"] == "127.0.0.1"
    for _ in range(6):
        client.login("victim", "wrong password")
    locked = site.notes.wait_log(event="auth.locked", user="victim")
    assert locked["peer"] == "127.0.0.1"


def test_refused_key_is_an_event(userauth):
    Api(userauth.url, "them", "wrongwrongwrong").get("/list", headers={"X-Request-Id": "badkey"})
    line = userauth.wait_log(req_id="badkey", status=401)
    assert line["err"] and line["why"]
    assert "wrongwrongwrong" not in str(userauth.log_lines(req_id="badkey"))


def test_no_password_key_session_or_note_text_is_logged(services):
    userauth = services.userauth(LOG_LEVEL="debug").start()
    notes = services.notes(userauth, LOG_LEVEL="debug").start()
    password, text = new_password(), new_password("notetext")
    userauth.api().create("me", password)
    client = Client(notes.url)
    client.login("me", password)
    session = programs.remember_secret(client.session_cookie)
    token = programs.remember_secret(client.csrf())
    client.post("/notes/save", {"docreate": "create", "notekey": "k", "title": text, "body": text})
    client.post("/notes/comment", {"key": "k", "message": text})
    client.post("/notes/save", {"docreate": "create", "notekey": "k", "title": text, "body": text})
    client.post("/notes/comment", {"key": "k", "message": text * 200})
    client.post("/notes/save", {"docreate": "x", "notekey": "k", "title": text, "body": text, "csrf": "wrong"})
    client.get("/notes/view?key=" + text)
    client.logout()
    notes.stop()
    userauth.stop()
    for service in (userauth, notes):
        printed = service.stdout_text() + service.stderr_text()
        for secret in (session, token, userauth.key, text, password):
            assert secret not in printed


# --- levels and formats ---

@pytest.mark.parametrize("level,wanted", [("error", {"error"}), ("warn", {"error", "warn"}), ("info", {"error", "warn", "info"})])
def test_log_level_leaves_out_what_is_less(services, level, wanted):
    service = services.userauth(LOG_LEVEL=level).start()
    service.api().get("/list")
    service.stop()
    assert {line["level"] for line in service.log_lines()} <= wanted
    if level == "info":
        assert service.log_lines(route="/list")


def test_text_format_is_for_people(services):
    service = services.userauth(LOG_FORMAT="text").start()
    service.api().get("/find/nobody")
    service.stop()
    lines = service.stdout_text().splitlines()
    assert any("/find/:username" in line and "404" in line for line in lines)
    assert not any(line.startswith("{") for line in lines)
