# SPDX-License-Identifier: MIT
"""What a form, an address or JSON says is a value: never a part of a statement, never a member that was not asked for, never
anything that a parser breaks at. Nothing here waits: answers and all rows are compared.
"""
import itertools
from urllib.parse import quote

import pytest

from attack import everything, path_of, routes
from harness import programs
from harness.client import Client
from harness.client import browser_session as open_session
from harness.errors import INSIDE_KNOWLEDGE
from harness.live import Raw
from harness.raw import basic, exchange
from notes_verbs import comment, create_note, destroy_note, edit_note, shown_comments, view_path
from payloads import STATEMENTS

NOTES_ENV = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0}
_serial = itertools.count(1)


@pytest.fixture(scope="module")
def me(site):
    client = open_session(site, "me")
    create_note(client, "k", "Title", "body")
    comment(client, "k", "a comment")
    return client


def is_silent(answer):
    """No answer speaks of a database, and none is a fault of ours."""
    assert answer.status_code < 500, (answer.request.url, answer.text[:300])
    assert not INSIDE_KNOWLEDGE.search(answer.text.replace("sqlite_master", "").replace("SELECT", "")), answer.text[:500]
    return answer


# --- statements ---

def test_no_parameter_of_an_address_is_a_statement(site, me):
    """What is asked for with a statement in it is what is asked for with any other text that names nothing."""
    create_note(me, "quiet")
    before = everything(site.notes, site.userauth)
    for text, (_, pattern, _) in itertools.product(STATEMENTS, [row for row in routes(programs.NOTES_SVC) if row[0] == "GET"]):
        for name in ("key", "page", "before", "username", text):
            is_silent(me.get(path_of(pattern, quote(text, safe="")), params={name: text})) if pattern != "/users/logout" else None
    for text in STATEMENTS:
        for path in ("/notes/view", "/notes/edit", "/notes/destroy"):
            assert me.get(path, params={"key": text}).status_code == 404, text
            assert me.get(path, params={"key": "k" + text}).status_code == 404, text
        for name in ("page", "before"):
            assert me.get("/notes/view" if name == "before" else "/", params={"key": "k", name: "1" + text}).status_code == 404, text
    assert everything(site.notes, site.userauth) == before


def test_no_cookie_and_no_header_is_a_statement(site, me):
    before = everything(site.notes, site.userauth)
    for text in STATEMENTS:
        value = text.encode("utf-8").replace(b";", b",")
        for name in (b"notescookie.sid", b"notesdevice", b"noteswrote", b"notesflash", b"notesnext"):
            answer = exchange(site.notes.port, "GET", "/users/login", [("Cookie", name + b"=" + value), ("Connection", "close")])
            assert answer.status in (200, 400) and b"signed-in-user" not in answer.body, text
        for name in ("X-Request-Id", "User-Agent", "If-None-Match", "X-Forwarded-For", "Accept-Language"):
            answer = exchange(site.notes.port, "GET", "/", [(name, value), ("Connection", "close")])
            assert answer.status in (200, 400), text
    assert everything(site.notes, site.userauth) == before


def test_statements_are_kept_and_found_again_as_they_are(site, me):
    """Second order: what was stored goes into the next statement, of the page, the list, a save, a comment, a destruction."""
    others = everything(site.notes)
    for number, text in enumerate(STATEMENTS):
        key = "".join(char if char >= " " else " " for char in f"{text}{number}")
        title = "".join(char if char >= " " else " " for char in text) or "x"
        create_note(me, key, title, text)
        made = comment(me, key, text)
        edit_note(me, key, body=text + text)
        page = me.html(view_path(key))
        assert (page.text("notetitle"), page.text("notekey")) == (title, key)
        assert text in shown_comments(page)[f"note-message-{made['id']}"].text
        assert me.post("/notes/comment/destroy", {"key": key, "id": made["id"]}).status_code == 302
        destroy_note(me, key)
        assert me.get(view_path(key)).status_code == 404
    assert me.html(view_path("k")).text("notetitle") == "Title"
    now = everything(site.notes)
    for name, rows in others.items():
        assert len(now[name]) >= len(rows), name


def test_a_statement_is_no_user_and_no_password(site):
    before = everything(site.notes)
    users = site.api.get("/list").json()
    for text in STATEMENTS:
        for name, password in ((text, "x"), ("me", text), (f"me{text}", site.passwords["me"]), (text, text), (f"{text}me", site.passwords["me"])):
            client = Client(site.url)
            answer = is_silent(client.post("/users/login", {"username": name, "password": password}))
            assert answer.status_code in (302, 400, 429) and not client.is_signed_in, (name, password)
    assert everything(site.notes) == before
    assert site.api.get("/list").json() == users


def test_a_statement_is_no_name_of_a_user_to_the_service_of_users(site):
    api = site.api
    kept = {key: rows for key, rows in everything(site.userauth).items() if key[1] != "login_throttle"}
    for text in STATEMENTS:
        path = quote(text, safe="")
        for method, pattern, _ in routes(programs.USERAUTH_SVC):
            if ":" in pattern and pattern.split("/")[1] != "create-user":
                answer = is_silent(api.request(method, path_of(pattern, path), json={} if method == "POST" else None))
                assert answer.status_code in (400, 404), (method, pattern, text)
        for members in ({"username": "me", "password": text}, {"username": text, "password": "x"}, {"username": "me", "password": "x", "client": text}):
            answer = is_silent(api.post("/password-check", json=members))
            assert answer.status_code in (200, 400, 429) and not answer.json().get("check")
        assert is_silent(api.get("/list", params={"after": text, "limit": 1})).status_code in (200, 400)
        assert is_silent(api.get("/list", params={"after": "", "limit": f"1{text}"})).status_code == 400
    assert {key: rows for key, rows in everything(site.userauth).items() if key[1] != "login_throttle"} == kept


def test_every_text_of_a_user_is_kept_as_it_is(site):
    for number, text in enumerate(STATEMENTS):
        text = "".join(char if char >= " " else " " for char in text)
        members = {"familyName": text, "givenName": text, "middleName": text, "emails": [text], "photos": [text]}
        name = f"{text.replace('/', '|')}{number}"
        made = site.api.create(name, programs.new_password("sql"), **members)
        assert {member: made[member] for member in members} == members
        assert site.api.get("/find/" + quote(name, safe="")).json() == made
        assert site.api.delete("/destroy/" + quote(name, safe="")).json() == {}
    assert site.api.get("/find/me").status_code == 200


def test_every_text_of_an_identity_is_kept_as_it_is(site):
    """Found again by exactly these texts, and unlinked by them; nobody else is found or loses one."""
    api = site.api
    api.create("bystander", programs.new_password("sql"))
    assert api.post("/link-identity/bystander", json={"provider": "oidc", "issuer": "i", "subject": "s"}).status_code == 200
    kept = api.get("/identities/bystander").json()
    for number, text in enumerate(STATEMENTS):
        text = "".join(char if char >= " " else " " for char in text)[:100]
        identity = {"issuer": text, "subject": f"{text}{number}", "provider": text}
        name = api.post("/find-or-create", json={"username": text, **identity}).json()["username"]
        path = quote(name, safe="")
        rows = api.get("/identities/" + path).json()["identities"]
        assert [{member: row[member] for member in identity} for row in rows] == [identity]
        assert api.post("/find-or-create", json={"username": "x", **identity}).json()["username"] == name != "bystander"
        assert is_silent(api.post("/unlink-identity/bystander", json=identity)).status_code == 404
        more = {**identity, "subject": f"{text}{number} more"}
        assert api.post("/link-identity/" + path, json=more).status_code == 200
        assert [row["subject"] for row in api.post("/unlink-identity/" + path, json=identity).json()["identities"]] == [more["subject"]]
        assert api.delete("/destroy/" + path).json() == {}
    assert api.get("/identities/bystander").json() == kept


# --- members and fields that nobody asked for ---

FIELDS = ["id", "note_id", "author", "user", "username", "from", "created", "created_unix_ms", "changed_unix_ms", "revision", "html", "html_size", "title_html",
          "is_destroyed", "destroyed_unix_ms", "is_admin", "admin", "role", "session", "namespace", "room", "timestamp", "__proto__", "constructor"]


def test_extra_fields_of_a_form_are_not_stored(site, me):
    extra = [(name, value) for name in FIELDS for value in ("you",)]
    for number, more in enumerate((extra, [(name + "[]", value) for name, value in extra], [(f"note[{name}]", value) for name, value in extra])):
        key = f"extra-{number}"
        fields = [("docreate", "create"), ("notekey", key), ("title", "T"), ("body", "B")]
        assert me.post("/notes/save", fields + more).status_code == 302
        page = me.html(view_path(key))
        assert page.by_id("note")["data-author"] == "me" and page.text("notebody").strip() == "B"
        assert me.post("/notes/comment", [("key", key), ("message", "m")] + more).status_code == 302
        (node,) = shown_comments(me.html(view_path(key))).values()
        assert node.first("bdi", class_="comment-author").text == "me"
        version = me.html("/notes/edit?key=" + key).form("/notes/save").fields()["version"]
        assert me.post("/notes/save", fields[1:] + [("docreate", "update"), ("version", version)] + more).status_code == 302
        assert me.html(view_path(key)).by_id("note")["data-author"] == "me"


def test_a_field_that_comes_twice_is_refused(site, me):
    """Which of the two was checked and which is used can't differ."""
    before = everything(site.notes)
    forms = {"/notes/save": {"docreate": "create", "notekey": "twice", "title": "T", "body": "B"},
             "/notes/comment": {"key": "k", "message": "m"}, "/notes/comment/destroy": {"key": "k", "id": "1"}, "/notes/destroy/confirm": {"notekey": "k"}}
    for path, fields in forms.items():
        for name, value in fields.items():
            for pair in ((value, "other"), ("other", value), (value, value)):
                data = [(one, text) for one, text in fields.items() if one != name] + [(name, text) for text in pair]
                assert me.post(path, data).status_code == 400, (path, name)
    assert everything(site.notes) == before
    for path in ("/notes/view?key=k&key=none", "/notes/view?key=none&key=k", "/notes/edit?key=k&key=k", "/?page=1&page=1"):
        assert me.get(path).status_code == 400, path
    for data in ([("username", "me"), ("username", "you")], [("password", site.passwords["me"]), ("password", "x")]):
        client = Client(site.url)
        client.post("/users/login", data + [("username", "me"), ("password", site.passwords["me"])])
        assert not client.is_signed_in


MEMBERS = {"id": "root", "user_id": 1, "generation": 99, "password_hash": "x", "hash": "$2b$04$" + "a" * 53, "disabled": False, "is_disabled": False, "disabled_unix_ms": 0,
           "account": 1, "created": 0, "etag": "x", "is_admin": True, "admin": True, "role": "admin", "name_key": "me", "username_key": "me", "__proto__": {"admin": True}}


def test_extra_members_of_json_are_not_stored(site):
    api = site.api
    password = programs.new_password("mass")
    made = api.create("mass", password, **MEMBERS)
    plain = api.create("plain", programs.new_password("plain"))
    assert set(made) == set(plain) and made["id"] == "mass"
    assert api.post("/disable/mass").status_code == 200
    etag = api.get("/find/mass").headers["ETag"]
    assert api.post("/update-user/mass", json={**MEMBERS, "givenName": "G"}).json()["id"] == "mass"
    assert api.check("mass", password).json()["check"] is False, "still disabled"
    assert api.get("/find/mass").headers["ETag"] == etag, "nor did its generation change"
    assert api.post("/find-or-create", json={"username": "mass", "provider": "local", "plainPassword": programs.new_password("other"), **MEMBERS}).json()["id"] == "mass"
    assert api.post("/enable/mass").status_code == 200
    assert api.check("mass", password).json()["check"] is True, "the old password is still the one"


# --- JSON made to hurt ---

DEEP = 100_000
HOSTILE = {
    "deep arrays": "[" * DEEP + "]" * DEEP, "deep objects": '{"a":' * DEEP + "1" + "}" * DEEP, "open arrays": "[" * DEEP, "deep in a member": '{"username":' + "[" * DEEP,
    "twice": '{"username":"me","username":"you","password":"x"}', "twice, escaped": '{"username":"me","\\u0075sername":"you","password":"x"}',
    "twice inside": '{"username":"a","password":"x","emails":[{"a":1,"a":2}]}', "lone high": '{"username":"\\ud800","password":"x"}',
    "lone low": '{"username":"\\udc00","password":"x"}', "wrong order": '{"username":"\\udc00\\ud800","password":"x"}',
    "NUL": '{"username":"me\\u0000x","password":"x"}', "NUL in a name": '{"username\\u0000":"me"}', "raw NUL": '{"username":"a\0b"}', "huge number": '{"username":1' + "0" * 5000 + "}",
    "huge exponent": '{"username":"a","password":"x","client":1e999999}', "negative zero": '{"username":-0}', "NaN": '{"username":NaN}', "infinity": "Infinity",
    "hex": '{"username":0x10}', "comment": '/**/{"username":"me"}', "trailing": '{"username":"me"}{}', "comma": '{"username":"me",}', "single quotes": "{'username':'me'}",
    "not UTF-8": b'{"username":"\xff"}', "UTF-16": '{"username":"me"}'.encode("utf-16"), "BOM": b'\xef\xbb\xbf{"username":"me"}', "many members": "{" + ",".join(f'"m{n}":1' for n in range(9000)) + "}",
    "array": '["me","x"]', "text": '"me"', "null": "null", "nothing": "", "blanks": " " * 9000,
    "an object for a text": '{"username":{"$ne":null},"password":{"$ne":null}}', "an array for a text": '{"username":["me"],"password":["x"]}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_json_is_refused_and_harms_nothing(site, name):
    body = HOSTILE[name] if isinstance(HOSTILE[name], bytes) else HOSTILE[name].encode()
    kept = everything(site.userauth)
    headers = [("Authorization", basic("them", site.userauth.key)), ("Content-Type", "application/json"), ("Connection", "close")]
    for method, pattern, _ in routes(programs.USERAUTH_SVC):
        if method == "POST" and pattern not in ("/disable/:username", "/enable/:username", "/revoke/:username"):
            answer = exchange(site.userauth.port, method, path_of(pattern, "me"), headers, body)
            assert answer.status in (400, 413), (pattern, answer)
            assert not INSIDE_KNOWLEDGE.search(answer.body.decode()), answer
    assert everything(site.userauth) == kept
    assert site.api.get("/find/me").json()["givenName"] is None


@pytest.mark.parametrize("name", [name for name in HOSTILE if isinstance(HOSTILE[name], str)])
def test_hostile_json_over_a_socket_ends_that_socket_only(site, me, name):
    text = HOSTILE[name][:60000]
    with Raw(site.url, cookie=me.session_cookie) as watching, Raw(site.url, cookie=me.session_cookie) as raw:
        watching.join(key="k")
        watching.event()
        raw.join(key="k")
        raw.event()
        raw.send(f'42/notes,["create-message",{text}]')
        made = comment(me, "k", f"after {next(_serial)}")
        assert watching.event()[2]["id"] == made["id"], "nothing came of the hostile one, and others are served"
