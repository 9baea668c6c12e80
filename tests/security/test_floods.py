# SPDX-License-Identifier: MIT
"""Much for little, and harm to others: what a stranger sends by the thousand fills no log, keys that no note can have make no
rooms, and whoever asks first for a page decides nothing of what others get.

Memory of answers that nobody reads: unit/test_hub.c. Slow requests and floods of connections: ../http/test_hostile_input.py and
../http/test_limits.py. Rooms and pages by the thousand: ../http/test_resources.py.
"""
import re

import pytest

from harness.client import Client
from harness.client import browser_session as open_session
from harness.live import Raw
from harness.raw import exchange
from notes_verbs import create_note, edit_note, view_path

NOTES_ENV = {"WRITES_PER_MIN": 0}


@pytest.fixture(scope="module")
def me(site):
    client = open_session(site, "me")
    create_note(client, "k")
    return client


def test_events_that_a_stranger_may_not_send_fill_no_log(site, me):
    """One line a socket, however many there are; each is answered all the same."""
    count = 2000
    with Raw(site.url) as raw:
        raw.join(key="k", revision=int(me.html(view_path("k")).by_id("note")["data-revision"]))
        for number in range(count):
            raw.send(f'42/notes,{number}["create-message",{{"message":"x"}}]')
        for number in range(count):
            assert raw.receive().startswith(f'43/notes,{number}[{{"code":"InvalidCredentials"')
        assert me.get(view_path("k")).status_code == 200
    site.notes.wait_log(event="live.event_refused")
    assert len(site.notes.log_lines(event="live.event_refused")) == 1


@pytest.mark.parametrize("size, has_room", [(255, True), (1020, True), (1021, False), (60000, False)])
def test_a_key_that_no_note_can_have_makes_no_room(site, size, has_room):
    """Each room's key is kept, and is in a statement every few seconds for as long as somebody is in it."""
    with Raw(site.url) as raw:
        raw.join(key="x" * size)
        assert raw.event() == ("/notes", "notedestroyed", "x" * size)
        raw.send('42/notes,1["snapshot"]')
        answer = raw.receive()
        assert answer == '43/notes,1["ok"]' if has_room else '"code":"ResourceNotFound"' in answer


# --- the cache of pages ---

ODD = [("GET", {}), ("HEAD", {}), ("GET", {"If-None-Match": "*"}), ("GET", {"If-None-Match": '"x"'}), ("GET", {"Cookie": "notescookie.sid=" + "A" * 43}),
       ("GET", {"Cookie": "noteswrote=AAAAAAAA.5"}), ("GET", {"Cookie": "notescookie.sid=x; lang=<script>"}), ("GET", {"Accept": "application/json"}),
       ("GET", {"Accept-Encoding": "gzip, identity;q=0"}), ("GET", {"Range": "bytes=0-9"}), ("GET", {"Host": "evil.example"}),
       ("GET", {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example", "X-Forwarded-For": "192.0.2.1", "Forwarded": "host=evil.example"}),
       ("GET", {"X-Request-Id": "planted-by-a-stranger"}), ("GET", {"Origin": "http://evil.example"}), ("GET", {"Connection": "close"}),
       ("GET", {"X-HTTP-Method-Override": "POST"}), ("GET", {"User-Agent": "<script>", "Referer": "<script>", "Accept-Language": "<script>"})]


@pytest.mark.parametrize("path", ["/", "/notes/view?key=k"])
def test_whoever_asks_first_decides_nothing_of_what_others_get(site, me, path):
    """After each change the first request is an odd one; the page that the next gets is as if it had been the first itself."""
    seen = set()
    fresh = None
    for method, headers in ODD:
        edit_note(me, "k", title="Title")
        exchange(site.notes.port, method, path, list(headers.items()))
        if headers:
            me.request(method, path, headers=headers)
        answers = [exchange(site.notes.port, "GET", path, []) for _ in range(3)]
        for answer in answers:
            assert answer.status == 200
            assert answer.header("content-length") == str(len(answer.body))
            fields = sorted(field for field in answer.headers if field[0] not in ("date", "etag", "content-length"))  # as times and revisions do
            page = re.sub(rb'data-(revision|version)="[0-9]+"|datetime="[^"]*"|>[^<>]*</time>', b"", answer.body)
            seen.add((tuple(fields), page))
            fresh = fresh or (tuple(fields), page)
            assert (tuple(fields), page) == fresh, (method, headers)
    assert len(seen) == 1


def test_names_of_a_page_that_mean_something_else_are_pages_of_their_own(site, me):
    """Neither case, nor blanks, nor another spelling in percent, nor more parameters bring the page of another key."""
    keys = ("cache", "Cache", "cache ", " cache", "cache\u0301", "cach\u00e9", "ca%63he", "cache+", "cache&x=1", "cache#x", "cache;x")
    for key in keys:
        create_note(me, key, f"Title of {key}")
    stranger = Client(site.url)
    for _ in range(2):
        for key in keys:
            page = stranger.html(view_path(key))
            assert (page.text("notetitle"), page.text("notekey")) == (f"Title of {key}", key)
    assert stranger.html("/notes/view?key=%63ache").text("notekey") == "cache"
    assert stranger.html("/notes/view?key=cache&x=1").text("notekey") == "cache"
    assert stranger.get("/notes/view?key=cache%00").status_code == 400
