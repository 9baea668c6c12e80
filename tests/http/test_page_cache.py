# SPDX-License-Identifier: MIT
"""Pages that are kept and shown to many: they are the same as those that are not, each viewer gets his own, and what
other programs change is seen. How replicas keep each other right is in tests/replicas/test_cache.py."""
import gzip
import itertools
import random
import re
import threading

import pytest
import requests

from harness import programs
from harness.client import Client
from harness.page import Page
from harness.wait import until
from notes_verbs import comment, create_note, destroy_note, edit_note, note_titles, open_database, shown_comments, view_path

NOTES_ENV = {"WRITES_PER_MIN": 0}
HOSTILE = "<b>&\"' \u00e9 {{ frame.user }} {% end %}"
PLAIN = {"Accept-Encoding": "identity"}
PACKED = {"Accept-Encoding": "gzip, deflate, br"}
_serial = itertools.count(1)


@pytest.fixture(name="me")
def fixture_me(site, browser_session):
    return browser_session(site, "me")


@pytest.fixture(name="key")
def fixture_key():
    return f"note-{next(_serial)}"


@pytest.fixture(name="clients")
def fixture_clients(site, me, browser_session):
    return [browser_session(site), me, browser_session(site, "you"), browser_session(site, "me")]


def seen(client, path, **headers):
    """What a browser gets, without what differs each time."""
    answer = client.get(path, headers=headers)
    return answer.status_code, answer.content, {name: value for name, value in answer.headers.items() if name != "Date"}


def test_a_kept_page_is_the_same_as_a_fresh_one(me, key, clients):
    create_note(me, key, HOSTILE, HOSTILE)
    for number in range(3):
        comment(clients[number + 1], key, f"{HOSTILE} {number}")
    for path in (view_path(key), "/"):
        for client in clients:
            edit_note(me, key, body=f"text for {clients.index(client)}")
            first, *later = [seen(client, path) for _ in range(4)]
            assert first[0] == 200 and all(answer == first for answer in later)
            assert "X-Request-Id" not in first[2] and first[2]["Vary"] == "Cookie, Accept-Encoding"


def test_without_a_cache_pages_are_the_same(services, key):
    """PAGE_CACHE_BYTES and SESSION_CACHE_BYTES 0: on the same data, byte for byte but for the build and the form token."""
    userauth = services.userauth().start()
    password = programs.new_password("me")
    userauth.api().create("me", password)
    pages = []
    for settings in ({}, {"PAGE_CACHE_BYTES": 0, "SESSION_CACHE_BYTES": 0}):
        notes = services.notes(userauth, **settings).start()
        me = Client(notes.url)
        me.login("me", password)
        if not pages:
            create_note(me, key, HOSTILE, HOSTILE)
            comment(me, key, HOSTILE)
        token = me.csrf()
        pages.append([[client.get(path).text.replace(token, "TOKEN") for path in (view_path(key), view_path(key), "/", "/")]
                      for client in (me, Client(notes.url))])
        notes.stop()
    assert pages[0] == pages[1]


def test_head_of_a_kept_page_has_its_length(me, key, clients):
    create_note(me, key)
    for client in clients:
        for path in (view_path(key), "/"):
            for _ in range(2):
                get, head = client.get(path, headers=PLAIN), client.head(path, headers=PLAIN)
                assert head.content == b"" and head.headers["Content-Length"] == str(len(get.content))
                assert head.headers["ETag"] == get.headers["ETag"]


@pytest.mark.parametrize("query", ["", "&before=", "&x=1", "&key=other", "&before=1"])
def test_only_the_plain_page_is_kept(me, key, clients, query):
    """Other parameters are read as ever, also after the page itself was kept."""
    create_note(me, key)
    path = view_path(key) + query
    answers = [clients[0].get(path).status_code for _ in range(2)]
    assert clients[0].get(view_path(key)).status_code == 200
    answers.append(clients[0].get(path).status_code)
    assert len(set(answers)) == 1
    assert (answers[0] == 200) == (query in ("", "&x=1", "&before=1"))


def test_no_note_has_an_empty_key(clients):
    """The list is kept under it."""
    for client in clients:
        assert client.get("/").status_code == 200
        assert client.get("/notes/view?key=").status_code == 404


def test_changes_show_at_once_to_all(me, key, clients):
    create_note(me, key, "Title 0", "text 0")
    for number in range(1, 8):
        for client in clients:
            assert client.get(view_path(key)).status_code == client.get("/").status_code == 200
        edit_note(me, key, title=f"Title {number}", body=f"text {number}")
        for client in clients:
            assert client.html(view_path(key)).text("notebody").strip() == f"text {number}"
            assert (key, f"Title {number}") in note_titles(client.html("/"))
        made = comment(clients[2], key, f"comment {number}")
        for client in clients:
            assert f"note-message-{made['id']}" in shown_comments(client.html(view_path(key)))
        clients[2].post("/notes/comment/destroy", {"key": key, "id": made["id"]})
        for client in clients:
            assert f"note-message-{made['id']}" not in shown_comments(client.html(view_path(key)))
    destroy_note(me, key)
    for client in clients:
        assert client.get(view_path(key)).status_code == 404
        assert key not in dict(note_titles(client.html("/")))
    create_note(me, key, "Again")
    for client in clients:
        assert client.html(view_path(key)).text("notetitle") == "Again"


def test_what_another_program_changes_is_seen(site, me, key, clients):
    """Nobody told of it."""
    create_note(me, key, "Title 0")
    for number in range(1, 3):
        for client in clients:
            assert client.get(view_path(key)).status_code == client.get("/").status_code == 200
        database = open_database(site.notes)
        try:
            database.execute("BEGIN")
            database.execute("UPDATE home_list SET revision = revision + 1")
            database.execute("UPDATE notes SET title = ?, revision = revision + 1 WHERE note_key = ?",
                             (f"Title {number}", key))
            database.execute("COMMIT")
        finally:
            database.close()
        for client in clients:
            until(lambda client=client, number=number: client.html(view_path(key)).text("notetitle") == f"Title {number}",
                  "the title", 20)
            until(lambda client=client, number=number: (key, f"Title {number}") in note_titles(client.html("/")), "the list", 20)


def test_signing_out_ends_the_pages_at_once(site, me, key, browser_session):
    create_note(me, key)
    for _ in range(5):
        client = browser_session(site, "you")
        cookie = client.session_cookie
        for _ in range(3):
            assert client.html(view_path(key)).text("signed-in-user") == "you"
        client.logout()
        answer = browser_session(site).get(view_path(key), headers={"Cookie": f"notescookie.sid={cookie}"})
        page = Page(answer.text)
        assert page.by_id("signed-in-user") is None and "csrf" not in answer.text


# --- packed ---

def as_sent(client, path, method="GET", **headers):
    """Status, fields and the body as it was on the wire."""
    answer = client.request(method, path, headers=headers, stream=True)
    return answer.status_code, answer.headers, answer.raw.read(decode_content=False)


def is_packed(fields):
    assert fields.get("Content-Encoding") in (None, "gzip")
    return "Content-Encoding" in fields


def test_strangers_get_pages_packed_and_they_are_the_same(me, key, clients):
    """A page that was just made, one that was asked for plain before, one that is kept packed; one that never is kept."""
    create_note(me, key, HOSTILE, HOSTILE * 30)
    last = [comment(me, key, f"{HOSTILE} {number}")["id"] for number in range(25)][-1]
    for path in (view_path(key), "/", f"{view_path(key)}&before={last}"):
        for first in (PLAIN, PACKED):
            comment(me, key, "another state")
            edit_note(me, key, body=HOSTILE * 30)
            answers = [as_sent(clients[0], path, **headers) for headers in (first, PACKED, PLAIN, PACKED, PLAIN)]
            plain = answers[2][2]
            for status, fields, body in answers:
                assert status == 200 and fields["Vary"] == "Cookie, Accept-Encoding"
                assert int(fields["Content-Length"]) == len(body)
                assert (gzip.decompress(body) if is_packed(fields) else body) == plain
            assert [is_packed(fields) for _, fields, _ in answers] == [first is PACKED, True, False, True, False]
            assert len(answers[3][2]) < len(plain)


def test_a_page_of_somebody_signed_in_is_never_packed(me, key, clients):
    """It holds the form token beside what others wrote: its packed length would tell about the token."""
    create_note(me, key, body="x " * 2000)
    for path in (view_path(key), "/", "/notes/add", "/users/account", f"/notes/edit?key={key}", f"{view_path(key)}&before=9", "/nowhere"):
        for client in (clients[0], *clients):
            fields = as_sent(client, path, **PACKED)[1]
            assert client.user is None or not is_packed(fields)
    assert is_packed(as_sent(clients[0], view_path(key), **PACKED)[1])


@pytest.mark.parametrize("codings, wants", [
    ("gzip", True), ("GZIP", True), ("x-gzip", True), ("*", True), ("br;q=1, gzip;q=0.2", True),
    ("gzip;q=0", False), ("gzip;q=0.000, *", False), ("*;q=0", False), ("identity", False), ("br", False), ("", False), ("xgzip", False)])
def test_packed_only_for_those_who_take_it(me, key, clients, codings, wants):
    create_note(me, key, body="x " * 2000)
    for _ in range(3):
        assert is_packed(as_sent(clients[0], view_path(key), **{"Accept-Encoding": codings})[1]) is wants


def test_head_of_a_packed_page_has_the_same_fields(me, key, clients):
    create_note(me, key, body="x " * 2000)
    for path in (view_path(key), "/"):
        edit_note(me, key)
        heads = [as_sent(clients[0], path, "HEAD", **PACKED) for _ in range(2)]
        get = as_sent(clients[0], path, **PACKED)
        for status, fields, body in heads:
            assert status == 200 and body == b"" and is_packed(fields)
            assert {**fields, "Date": ""} == {**get[1], "Date": ""}


def test_one_tag_for_both_forms(me, key, clients):
    """A weak one: who has either form is told that nothing changed, whichever it takes now."""
    create_note(me, key, body="x " * 2000)
    for path in (view_path(key), "/"):
        for _ in range(2):
            tags = {as_sent(clients[0], path, **headers)[1]["ETag"] for headers in (PLAIN, PACKED)}
            assert len(tags) == 1
            tag = tags.pop()
            assert tag.startswith('W/"')
            for headers in (PLAIN, PACKED):
                for sent in (tag, tag[2:]):
                    status, fields, body = as_sent(clients[0], path, **headers, **{"If-None-Match": sent})
                    assert (status, body, fields["ETag"], is_packed(fields)) == (304, b"", tag, False)
                    assert fields["Vary"] == "Cookie, Accept-Encoding"
                assert as_sent(clients[0], path, **headers, **{"If-None-Match": '"other"'})[0] == 200
            edit_note(me, key)


def test_a_first_visit_is_below_30_kb(me, clients):
    """A full list of long titles, and of the keys that are made of them, with all that its page loads."""
    dice = random.Random(5)
    words = ["".join(dice.choices("etaoinshrdlucmfwyp", k=dice.randint(2, 10))) for _ in range(600)]
    for number in range(50):
        saved = {"docreate": "create", "notekey": "", "title": f"{number} " + " ".join(dice.choices(words, k=80))[:246], "body": "x"}
        assert me.post("/notes/save", saved).status_code == 302
    stranger = clients[0]
    page = as_sent(stranger, "/", **PACKED)
    text = gzip.decompress(page[2]).decode()
    assert len(note_titles(Page(text))) == 50 and len(text) > 30_000
    linked = set(re.findall(r'"(/assets/[^"]+|/favicon[^"]*)"', text))
    assert any(path.endswith(".css") for path in linked) and any(path.endswith(".js") for path in linked)
    total = len(page[2]) + sum(len(as_sent(stranger, path, **PACKED)[2]) for path in linked | {"/favicon.ico"})
    assert total < 30_000, f"{total} bytes, {len(page[2])} of them the page"


# --- whose page it is ---

class Viewer:
    """What one browser must be shown, whoever else asks."""

    def __init__(self, client, key):
        self.user, self.key = client.user, key
        self.cookie = f"notescookie.sid={client.session_cookie}" if self.user else ""
        self.token = client.csrf() if self.user else None

    def faults(self, text):
        page = Page(text)
        found = []
        user = page.by_id("signed-in-user")
        if (user.text if user else None) != self.user:
            found.append(f"{self.user} was shown the page of {user and user.text}")
        tokens = set(re.findall(r'name="csrf" value="([^"]*)"', text))
        if tokens - {self.token}:
            found.append(f"{self.user} was given another's form token")
        for node in shown_comments(page).values() if page.by_id("noteMessages") else ():
            author = node.first("bdi").text
            may = self.user is not None and self.user in (author, page.by_id("note")["data-author"])
            if (node.first("form") is not None) != may:
                found.append(f"{self.user} at a comment of {author}: delete is {'not ' if may else ''}offered")
        return found


def look_around(site, viewers, key, rounds, has_changed, found):
    """One connection for all viewers in turn: what belongs to a connection must not cling to it. So many rounds, and on until
    the note has changed often enough meanwhile: a disk may be slow."""
    with requests.Session() as session:
        session.trust_env = False
        dice = random.Random(rounds)
        for turn in itertools.count():
            if turn >= rounds and has_changed.is_set():
                return
            viewer = dice.choice(viewers)
            path = dice.choice(["/", view_path(key)])
            headers = {"Cookie": viewer.cookie} if viewer.cookie else {}
            answer = session.get(site.url + path, headers=headers, timeout=30)
            found += viewer.faults(answer.text) if answer.status_code == 200 else [f"{path}: {answer.status_code}"]


def test_nobody_is_shown_the_page_of_somebody_else(site, me, key, clients):
    create_note(me, key, body="x " * 2000)
    viewers = [Viewer(client, key) for client in clients]
    found, has_changed = [], threading.Event()
    threads = [threading.Thread(target=look_around, args=(site, viewers, key, 150 + number, has_changed, found)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for number in itertools.count(1):
            comment(clients[1 + number % 3], key, f"comment {number}")
            if number % 5 == 0:
                edit_note(me, key, title=f"Title {number}")
            if number > 5:
                has_changed.set()
            if not any(thread.is_alive() for thread in threads):
                break
    finally:
        has_changed.set()
        for thread in threads:
            thread.join()
    assert found == []
