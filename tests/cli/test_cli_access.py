# SPDX-License-Identifier: MIT
"""userauth-cli: who may sign in, and who is signed in. Sessions are notes-svc's; a small stand-in answers for it here, so that each of
its answers can be forced."""
import base64
import contextlib
import http.server
import json
import re
import threading
import urllib.parse

import pytest

from harness.cli import Cli
from harness.ports import free_port
from harness.programs import new_password

DONE, REFUSED, USAGE, UNREACHABLE = 0, 1, 2, 3
SESSIONS = [
    {"id": "0a1b2c3d", "device": "Firefox on Linux", "address": "192.0.2.7", "created": "2026-11-28T09:00:00Z", "used": "2026-11-29T01:20:00Z"},
    {"id": "ffee0011", "device": None, "address": None, "created": "2026-11-28T10:00:00Z", "used": "2026-11-28T10:00:01Z"},
]


@pytest.fixture
def cli(userauth):
    return Cli(userauth)


class StandIn:
    """A notes-svc of two routes. `asked` is what came: (method, path, user, key)."""

    def __init__(self, sessions=(), status=None, body=None, kind="application/json"):
        self.sessions = {session["id"]: session for session in sessions}
        self.forced = (status, body, kind)
        self.asked = []

    def answer(self, method, path):
        """Status and JSON of a request."""
        if method == "GET":
            return 200, list(self.sessions.values())
        found = self.sessions.pop(path.rsplit("/", 1)[1], None)
        return (200, {}) if found else (404, {"code": "ResourceNotFound", "message": "There is no such thing here.", "requestId": "x"})


@contextlib.contextmanager
def notes(stand_in):
    """The URL of a server that answers as the stand-in says."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            place = urllib.parse.urlsplit(self.path)
            name, _, key = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode().partition(":")
            user = urllib.parse.parse_qs(place.query, keep_blank_values=True).get("username", [None])[0]
            stand_in.asked.append((self.command, place.path, user, (name, key)))
            status, body, kind = stand_in.forced
            if status is None:
                status, value = stand_in.answer(self.command, place.path)
                body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_DELETE = answer

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


# --- disable, enable ---

def test_disable_and_enable_show_the_user_and_do_it(cli, api):
    password = new_password()
    api.create("Switched", password)
    text = cli.ok("disable", "sWITCHED")
    assert re.search(r"^username +Switched$", text, re.M) and re.search(r"^state +disabled$", text, re.M), text
    assert api.check("switched", password).json()["check"] is False
    assert cli.run("password-check", "switched", password).returncode == REFUSED
    assert re.search(r"^state +disabled$", cli.ok("find", "switched"), re.M)
    assert re.search(r"^Switched +local +disabled ", cli.ok("list-users"), re.M)
    assert cli.json("disable", "switched")["disabled"] is True
    text = cli.ok("enable", "switched")
    assert re.search(r"^state +active$", text, re.M), text
    assert "disabled" not in cli.json("enable", "switched")
    cli.ok("password-check", "switched", password)


@pytest.mark.parametrize("name", ["a b", "a%b", "日本", ".", "..", "-dash", "a;b'c\"d"])
def test_names_of_any_kind(cli, name):
    cli.ok("add", "--password", new_password(), "--", name)
    with notes(StandIn(SESSIONS)) as url:
        settings = {"NOTES_URL": url}
        for command in (["disable"], ["enable"], ["revoke"], ["sessions"]):
            assert cli.run(*command, "--", name, **settings).returncode == DONE, command
        assert cli.run("revoke", "--", name, "0a1b2c3d", **settings).returncode == DONE
    cli.ok("destroy", "--", name)


# --- set-password ---

def test_set_password_from_stdin(cli, api):
    password = new_password()
    api.create("Setter", new_password())
    before = api.get("/find/Setter").headers["ETag"]
    text = cli.ok("set-password", "setter", "--password-stdin", stdin=password + "\n")
    assert text == 'The password of "Setter" is set, and all sessions end within a minute.\n'
    assert api.check("setter", password).json()["check"] is True
    assert api.get("/find/Setter").headers["ETag"] != before
    assert cli.json("set-password", "setter", "--password-stdin", stdin=new_password())["username"] == "Setter"


def test_set_password_asks_twice_at_a_terminal_without_echo(cli, api):
    password = new_password()
    api.create("typist", new_password())
    code, seen = cli.type_password("set-password", "typist", password=password)
    assert code == DONE and password not in seen, seen
    assert api.check("typist", password).json()["check"] is True


def test_set_password_without_a_terminal_says_what_to_do(cli):
    done = cli.run("set-password", "anybody", stdin="")
    assert done.returncode == USAGE and "--password-stdin" in done.stderr


def test_set_password_of_nobody_and_of_another_provider_is_refused(cli, api):
    done = cli.run("set-password", "nobody-here", "--password-stdin", stdin=new_password())
    assert done.returncode == REFUSED and "list-users" in done.stderr
    api.post("/create-user", json={"username": "elsewhere", "provider": "twitter"})
    done = cli.run("set-password", "elsewhere", "--password-stdin", stdin=new_password())
    assert done.returncode == REFUSED and "only a local user has one" in done.stderr


# --- revoke, sessions ---

def test_revoke_ends_all_sessions_without_asking_notes(cli, api):
    api.create("Revoked", new_password())
    before = api.get("/find/Revoked").headers["ETag"]
    text = cli.run("revoke", "revoked", NOTES_URL="http://127.0.0.1:1")
    assert text.returncode == DONE and text.stderr == "" and '"revoked"' in text.stdout and "minute" in text.stdout
    assert api.get("/find/Revoked").headers["ETag"] != before
    assert cli.json("revoke", "revoked") == {}


def test_sessions_are_asked_with_the_stored_name_and_the_key(cli, api):
    api.create("Seen", new_password())
    stand_in = StandIn(SESSIONS)
    with notes(stand_in) as url:
        for address in (url, url + "/"):
            done = cli.run("sessions", "sEEN", NOTES_URL=address)
            assert done.returncode == DONE and done.stderr == ""
        listed = cli.run("--json", "sessions", "seen", NOTES_URL=url)
    assert json.loads(listed.stdout) == SESSIONS
    lines = done.stdout.splitlines()
    assert re.match("SESSION +SIGNED IN +LAST USED +ADDRESS +DEVICE$", lines[0])
    assert re.match("0a1b2c3d +2026-11-28T09:00:00Z +2026-11-29T01:20:00Z +192.0.2.7 +Firefox on Linux$", lines[1])
    assert re.match("ffee0011 .* +- +-$", lines[2]) and len(lines) == 3
    key = ("them", cli.settings["USER_SERVICE_KEY"])
    assert stand_in.asked == [("GET", "/users/sessions", "Seen", key)] * 3


def test_one_session_is_ended_once(cli, api):
    api.create("Single", new_password())
    stand_in = StandIn(SESSIONS)
    with notes(stand_in) as url:
        done = cli.run("revoke", "single", "0a1b2c3d", NOTES_URL=url)
        assert done.returncode == DONE and '"Single"' in done.stdout and done.stderr == ""
        assert json.loads(cli.run("--json", "revoke", "single", "ffee0011", NOTES_URL=url).stdout) == {}
        done = cli.run("revoke", "single", "0a1b2c3d", NOTES_URL=url)
        assert done.returncode == REFUSED and done.stdout == ""
        assert done.stderr == 'userauth-cli: "Single" has no session 0a1b2c3d. See all with: userauth-cli sessions Single\n'
        done = cli.run("--json", "revoke", "single", "0a1b2c3d", NOTES_URL=url)
        assert done.returncode == REFUSED and json.loads(done.stdout)["code"] == "ResourceNotFound"
        done = cli.run("sessions", "single", NOTES_URL=url)
        assert done.returncode == DONE and done.stdout == 'The user "Single" is not signed in anywhere.\n'
        assert cli.run("--json", "sessions", "single", NOTES_URL=url).stdout == "[]\n"
    assert stand_in.asked[0][:3] == ("DELETE", "/users/sessions/0a1b2c3d", "Single")


@pytest.mark.parametrize("command", [["sessions", "ghost"], ["revoke", "ghost", "0a1b"], ["revoke", "ghost"]])
def test_unknown_user_is_known_before_notes_is_asked(cli, command):
    stand_in = StandIn(SESSIONS)
    with notes(stand_in) as url:
        done = cli.run(*command, NOTES_URL=url)
    assert done.returncode == REFUSED and "ghost" in done.stderr and "list-users" in done.stderr
    assert stand_in.asked == []


@pytest.mark.parametrize("command", [["sessions", "away"], ["revoke", "away", "0a1b"]])
def test_notes_that_cannot_be_reached_is_3_and_says_what_to_do(cli, api, command):
    api.post("/find-or-create", json={"username": "away", "provider": "x"})
    done = cli.run(*command, NOTES_URL=f"http://127.0.0.1:{free_port()}")
    assert done.returncode == UNREACHABLE and done.stdout == ""
    for words in ("Is notes-svc running?", "NOTES_URL", "./dev run"):
        assert words in done.stderr, done.stderr
    done = cli.run(*command, NOTES_URL="http://no-such-host.invalid")
    assert done.returncode == UNREACHABLE and "NOTES_URL" in done.stderr and "./dev run" not in done.stderr


ERROR = json.dumps({"code": "x", "message": "A reason for people.", "requestId": "y"}).encode()


@pytest.mark.parametrize("status, body, kind, code, words", [
    (401, ERROR, "application/json", REFUSED, ["API key", "USER_SERVICE_KEY"]),
    (503, ERROR, "application/json", UNREACHABLE, ["A reason for people."]),
    (400, ERROR, "application/json", REFUSED, ["A reason for people."]),
    (404, b"<h1>Not found</h1>", "text/html", UNREACHABLE, ["not like notes-svc (status 404)", "NOTES_URL"]),
    (200, b"<h1>Hello</h1>", "text/html", UNREACHABLE, ["not like notes-svc", "NOTES_URL"]),
    (200, b"{", "application/json", UNREACHABLE, ["not like notes-svc"]),
    (302, b"", "text/html", UNREACHABLE, ["not like notes-svc (status 302)"]),
], ids=str)
@pytest.mark.parametrize("command", [["sessions", "faulty"], ["revoke", "faulty", "0a1b"]], ids=["sessions", "revoke"])
def test_each_other_answer_of_notes_is_said(cli, api, command, status, body, kind, code, words):
    api.post("/find-or-create", json={"username": "faulty", "provider": "x"})
    with notes(StandIn(status=status, body=body, kind=kind)) as url:
        done = cli.run(*command, NOTES_URL=url)
    assert done.returncode == code and done.stdout == "", done
    for word in words:
        assert word in done.stderr, done.stderr
    assert cli.settings["USER_SERVICE_KEY"] not in done.stderr


def test_a_wrong_address_is_no_missing_user(cli, api):
    """Each service answers what it does not know with 404 and JSON, as it does for a user who is not there."""
    api.post("/find-or-create", json={"username": "misled", "provider": "x"})
    with notes(StandIn(status=404, body=ERROR)) as url:
        for program, done in (("notes-svc", cli.run("sessions", "misled", NOTES_URL=url)),
                              ("userauth-svc", cli.run("--url", url, "list-users"))):
            assert done.returncode == UNREACHABLE and done.stdout == "", done
            assert f"not like {program} (status 404)" in done.stderr and "no user" not in done.stderr, done


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"[{}]", b'[{"id":5}]', b'"text"', b"null", b"[" * 50_000])
def test_list_that_is_none_is_no_success(cli, api, body):
    api.post("/find-or-create", json={"username": "nonsense", "provider": "x"})
    with notes(StandIn(status=200, body=body)) as url:
        for option in ([], ["--json"]):
            done = cli.run(*option, "sessions", "nonsense", NOTES_URL=url)
            assert done.returncode == UNREACHABLE and done.stdout == "" and "notes-svc" in done.stderr, done


def test_terminal_codes_in_sessions_do_not_reach_the_terminal(cli, api):
    """A device calls itself what it likes."""
    api.post("/find-or-create", json={"username": "coded", "provider": "x"})
    hostile = {"id": "0a\x1b[2J", "device": "red\u009b31m\u202e\ntwo", "address": "\x07", "created": "\r", "used": 5}
    with notes(StandIn([hostile])) as url:
        text = cli.run("sessions", "coded", NOTES_URL=url).stdout
    assert "red" in text and len(text.splitlines()) == 2
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text), ascii(text)


def test_address_of_notes_that_is_none_is_2(cli):
    for url in ("nonsense", "ftp://127.0.0.1", "http://user@127.0.0.1", "http://127.0.0.1:0"):
        done = cli.run("find", "x", NOTES_URL=url)
        assert done.returncode == USAGE and "NOTES_URL" in done.stderr, (url, done)
