# SPDX-License-Identifier: MIT
"""Pages that are kept and shown to many: they are the same as those that are not, each viewer gets his own, and what
other programs change is seen. How replicas keep each other right is in tests/replicas/test_cache.py."""
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
            assert "X-Request-Id" not in first[2] and first[2]["Vary"] == "Cookie"


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
                get, head = client.get(path), client.head(path)
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


def look_around(site, viewers, key, rounds, found):
    """One connection for all viewers in turn: what belongs to a connection must not cling to it."""
    with requests.Session() as session:
        session.trust_env = False
        dice = random.Random(rounds)
        for _ in range(rounds):
            viewer = dice.choice(viewers)
            path = dice.choice(["/", view_path(key)])
            headers = {"Cookie": viewer.cookie} if viewer.cookie else {}
            answer = session.get(site.url + path, headers=headers, timeout=30)
            found += viewer.faults(answer.text) if answer.status_code == 200 else [f"{path}: {answer.status_code}"]


def test_nobody_is_shown_the_page_of_somebody_else(site, me, key, clients):
    create_note(me, key, body="x " * 2000)
    viewers = [Viewer(client, key) for client in clients]
    found = []
    threads = [threading.Thread(target=look_around, args=(site, viewers, key, 150 + number, found)) for number in range(4)]
    for thread in threads:
        thread.start()
    number = 0
    while any(thread.is_alive() for thread in threads):
        number += 1
        comment(clients[1 + number % 3], key, f"comment {number}")
        if number % 5 == 0:
            edit_note(me, key, title=f"Title {number}")
    for thread in threads:
        thread.join()
    assert found == []
    assert number > 5, "nothing changed meanwhile"
