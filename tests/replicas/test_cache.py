# SPDX-License-Identifier: MIT
"""Pages and sessions that a replica keeps, while others change them: who wrote something reads it back wherever he is
sent next, news come by themselves, and what can't be known to be right is asked for.

NOTES_CACHE_ROUNDS (40) is how often it is written and read back; 10000 takes long.
"""
import itertools
import os

import pytest

from harness.client import Client
from harness.replicas import Replicas
from harness.wait import until
from notes_verbs import comment, create_note, note_titles, shown_comments, view_path

ROUNDS = int(os.environ.get("NOTES_CACHE_ROUNDS", "40"))
LATE_MS = 30  # so long after the others a late replica hears what was told
_serial = itertools.count(1)


@pytest.fixture(scope="module", name="site")
def fixture_site(tmp_path_factory):
    with Replicas(tmp_path_factory.mktemp("cache"), count=3) as replicas:
        yield replicas


@pytest.fixture(name="key")
def fixture_key():
    return f"note-{next(_serial)}"


@pytest.fixture(name="strangers")
def fixture_strangers(site):
    return [site.client(place=place) for place in range(3)]


class Roamer:
    """One browser, whose requests go to one replica after the other."""

    def __init__(self, site, user="me"):
        self.site = site
        self.client = site.sign_in(user)
        self.token = self.client.csrf()

    def get(self, place, path):
        answer = self.client.get(self.site.urls[place] + path)
        assert answer.status_code == 200, (answer.status_code, answer.text[:500])
        return answer.text

    def post(self, place, path, fields):
        url = self.site.urls[place]
        answer = self.client.post(url + path, {**fields, "csrf": self.token}, origin=url)
        assert answer.status_code == 302, (answer.status_code, answer.text[:500])

    def save(self, place, key, title, body, version):
        self.post(place, "/notes/save", {"docreate": "update", "notekey": key, "title": title, "body": body,
                                         "version": version})


def title_in_list(stranger, key):
    return dict(note_titles(stranger.html("/"))).get(key)


def title_of(stranger, key):
    return stranger.html(view_path(key)).text("notetitle")


def edit_behind(site, key, title):
    """As another program would: no replica is told."""
    name = site.schema
    site.database.root("START TRANSACTION", f"UPDATE {name}.home_list SET revision = revision + 1",
                       f"UPDATE {name}.notes SET title = '{title}', revision = revision + 1 WHERE note_key = '{key}'", "COMMIT")


def keep_everywhere(strangers, key):
    """Each replica has both pages now, and they were just confirmed."""
    for stranger in strangers:
        for _ in range(2):
            assert stranger.get(view_path(key)).status_code == 200
            assert stranger.get("/").status_code == 200


@pytest.fixture(name="late")
def fixture_late(site):
    """One replica hears everything late."""
    restart_on_the_bus(site.notes[2], NOTES_TEST_HOOK=f"bus.heard:sleep:{LATE_MS}")
    yield site
    restart_on_the_bus(site.notes[2], NOTES_TEST_HOOK=None)


def restart_on_the_bus(notes, **settings):
    joined_count = len(notes.log_lines(event="live.bus_joined"))
    notes.restart(**settings)
    until(lambda: len(notes.log_lines(event="live.bus_joined")) > joined_count, "the bus is joined anew")


def test_who_saved_reads_it_back_wherever_he_is_sent(late, key, strangers):
    me = Roamer(late)
    create_note(me.client, key, "Title 0", "text 0")
    for number in range(1, ROUNDS + 1):
        here, there = number % 3, (number // 3 + number) % 3
        keep_everywhere(strangers, key)
        me.save(here, key, f"Title {number}", f"text {number}", number)
        page = me.get(there, view_path(key))
        assert f"<p>text {number}</p>" in page and f">Title {number}</h3>" in page, f"round {number}: {here} to {there}"
        me.post(here, "/notes/comment", {"key": key, "message": f"comment {number}"})
        assert f"comment {number}<" in me.get(there, view_path(key)), f"round {number}: {here} to {there}"
        assert f">Title {number}</a>" in me.get(there, "/"), f"round {number}: {here} to {there}, not undone by the comment"


def test_who_destroyed_a_note_sees_it_gone(late, strangers):
    me = Roamer(late)
    for number in range(6):
        key = f"note-{next(_serial)}"
        here, there = number % 3, 2
        create_note(me.client, key, f"Doomed {number}")
        until(lambda key=key: all(title_in_list(stranger, key) for stranger in strangers), "the note")
        keep_everywhere(strangers, key)
        me.post(here, "/notes/destroy/confirm", {"notekey": key})
        assert f">Doomed {number}<" not in me.get(there, "/")
        assert me.client.get(late.urls[there] + view_path(key)).status_code == 404


def test_what_somebody_else_changed_comes_by_itself(site, key, strangers):
    me = Roamer(site)
    create_note(me.client, key, "Title 0")
    for number in range(1, 7):
        keep_everywhere(strangers, key)
        me.save(number % 3, key, f"Title {number}", "text", number)
        for stranger in strangers:
            until(lambda stranger=stranger, number=number: title_of(stranger, key) == f"Title {number}", "the title", 10)
            until(lambda stranger=stranger, number=number: title_in_list(stranger, key) == f"Title {number}", "the list", 10)
        message = f"comment {number}"
        comment(site.client(me.client, number % 3), key, message)
        for stranger in strangers:
            until(lambda stranger=stranger, message=message: message in stranger.get(view_path(key)).text, message, 10)


def test_a_page_that_is_read_all_the_time_follows_a_change_that_nobody_told(site, key, strangers):
    create_note(site.sign_in("me"), key, "Title 0")
    for number in range(1, 4):
        keep_everywhere(strangers, key)
        edit_behind(site, key, f"Title {number}")
        until(lambda number=number: all(title_of(stranger, key) == f"Title {number}" for stranger in strangers), "the title", 20)
        until(lambda number=number: all(title_in_list(stranger, key) == f"Title {number}" for stranger in strangers), "the list", 20)


def test_a_database_that_went_back_to_a_backup_is_the_truth(site, key, strangers):
    me = site.sign_in("me")
    create_note(me, key, "Before")
    notes = f"{site.schema}.notes"
    kept, = site.database.root(f"SELECT revision FROM {notes} WHERE note_key = '{key}'")[0]
    comment(me, key, "is lost")
    until(lambda: all("is lost" in stranger.get(view_path(key)).text for stranger in strangers), "the comment")
    site.database.root("START TRANSACTION", f"DELETE FROM {site.schema}.comments WHERE message = 'is lost'",
                       f"UPDATE {notes} SET revision = {kept} WHERE note_key = '{key}'", "COMMIT")
    until(lambda: not any(shown_comments(stranger.html(view_path(key))) for stranger in strangers), "the backup's state", 20)


def test_while_the_bus_is_away_nothing_is_older_than_the_database(site, key, strangers):
    create_note(site.sign_in("me"), key, "Title 0")
    keep_everywhere(strangers, key)
    lost = [len(notes.log_lines(event="live.bus_lost")) for notes in site.notes]
    joined = [len(notes.log_lines(event="live.bus_joined")) for notes in site.notes]
    site.redis.kill()
    try:
        for notes, count in zip(site.notes, lost):
            until(lambda notes=notes, count=count: len(notes.log_lines(event="live.bus_lost")) > count, "the loss is noticed")
        for number in range(1, 31):
            edit_behind(site, key, f"Title {number}")
            for stranger in strangers:
                assert title_of(stranger, key) == f"Title {number}"
                assert title_in_list(stranger, key) == f"Title {number}"
    finally:
        site.redis.start()
    edit_behind(site, key, "Unheard")
    for notes, count in zip(site.notes, joined):
        until(lambda notes=notes, count=count: len(notes.log_lines(event="live.bus_joined")) > count, "the bus is back", 30)
    for stranger in strangers:
        assert title_of(stranger, key) == "Unheard", "what was kept before the gap was used after it"
        assert title_in_list(stranger, key) == "Unheard"


def is_in(client):
    """Whether the pages take this browser for a signed-in one."""
    return client.html("/").by_id("signed-in-user") is not None


def test_signing_out_holds_everywhere(site, key):
    create_note(site.sign_in("me"), key)
    for number in range(9):
        me = site.sign_in("me", number % 3)
        token = me.csrf()
        copies = [site.client(me, place) for place in range(3)]
        for _ in range(2):
            assert all(is_in(copy) for copy in copies)
        me.logout()
        assert not is_in(copies[number % 3]), "where it was asked for"
        for copy in copies:
            answer = copy.post("/notes/comment", {"key": key, "message": "too late", "csrf": token})
            assert (answer.status_code, answer.headers["Location"]) == (302, "/users/login"), "a request that changes something"
        for copy in copies:
            until(lambda copy=copy: not is_in(copy), "signed out", 10)
            assert not any(is_in(copy) for _ in range(3)), "signed in again"


def test_processes_that_hear_nothing_of_each_other_keep_nothing(tmp_path):
    with Replicas(tmp_path, count=2, has_redis=False) as site:
        me = Roamer(site)
        strangers = [Client(url) for url in site.urls]
        create_note(me.client, "k", "Title 0")
        for number in range(1, 16):
            keep_everywhere(strangers, "k")
            me.save(number % 2, "k", f"Title {number}", "text", number)
            for stranger in strangers:
                assert title_of(stranger, "k") == f"Title {number}"
                assert title_in_list(stranger, "k") == f"Title {number}"
        copies = [site.client(me.client, place) for place in range(2)]
        for _ in range(2):
            assert all(is_in(copy) for copy in copies)
        site.client(me.client, 0).logout()
        assert not any(is_in(copy) for copy in copies)
