# SPDX-License-Identifier: MIT
"""Several notes-svc on one MariaDB: what is done at one is seen at the others, by events through Redis, and by a look
at the database where an event was lost. An event may always be replaced by the state ("snapshot"), so tests ask for
"nothing twice, nothing missing, nothing older after newer", and for events as such where they try several times."""
import concurrent.futures
import itertools
import json

import pytest
import requests

from harness import programs
from harness.client import Client
from harness.live import Live
from harness.redis import Redis
from harness.wait import until
from notes_verbs import comment, create_note, destroy_note, edit_note, view_path

pytestmark = pytest.mark.server_only
TRIES = 6
_serial = itertools.count(1)


class Replicas:
    """notes-svc processes that share a database, and userauth-svc."""

    def __init__(self, services, state_dir=None, redis=None):
        self.services, self.redis, self.state_dir = services, redis, state_dir
        self.userauth = services.userauth(state_dir).start()
        self.password = programs.new_password("me")
        self.userauth.api().create("me", self.password)

    def add(self, redis="same", **settings):
        redis = self.redis if redis == "same" else redis
        found = redis.settings() if redis else {}
        notes = self.services.notes(self.userauth, self.state_dir, WRITES_PER_MIN=0, LOGIN_FAILURES_PER_MIN=0,
                                    **{**found, **settings}).start()
        if redis:
            notes.wait_log(event="live.bus_joined", timeout_s=30)
        return notes

    def client(self, notes):
        client = Client(notes.url)
        assert client.login("me", self.password).status_code == 302 and client.is_signed_in
        return client


@pytest.fixture(scope="module")
def redis():
    with Redis(append_only=True) as server:
        yield server


@pytest.fixture
def site(services, redis):
    return Replicas(services, redis=redis)


def revision_of(client, key):
    return int(client.html(view_path(key)).by_id("note")["data-revision"])


def is_shown(live, message):
    """Whether the listener knows this comment, by an event or by the state."""
    with live.changed:
        return any(message == data.get("message") or message in [c["message"] for c in data.get("comments", [])]
                   for name, data in live.events if name in ("newmessage", "snapshot"))


def wait_shown(live, message, timeout_s=30):
    until(lambda: is_shown(live, message), f"{message!r}, got {live.events}", timeout_s)


def check_chain(live, start):
    """Each event follows the one before it, or is the state; nothing comes twice, nothing older after newer."""
    at = start
    for name, data in list(live.events):
        if name == "notedestroyed":
            continue
        assert data["revision"] > at, (name, at, data, live.names())
        if name != "snapshot":
            assert data["previous"] == at, (name, at, data)
        at = data["revision"]
    return at


def comment_until_event(client, key, live):
    """Comments until one arrives as an event of its own; each of them arrives."""
    for number in range(TRIES):
        message = f"try {number} {next(_serial)}"
        comment(client, key, message)
        wait_shown(live, message)
        with live.changed:
            if any(name == "newmessage" and data["message"] == message for name, data in live.events):
                return
    raise AssertionError(f"none of {TRIES} comments came as an event: {live.names()}")


# --- with Redis ---

def test_everything_done_at_one_is_seen_at_all(site):
    replicas = [site.add() for _ in range(3)]
    clients = [site.client(replica) for replica in replicas]
    create_note(clients[0], "k", title="First")
    start = revision_of(clients[1], "k")
    lives = [Live(replica.url, notes={"key": "k", "revision": start}) for replica in replicas]
    with lives[0], lives[1], lives[2]:
        for client, live in zip(clients, lives[1:] + lives[:1]):
            comment_until_event(client, "k", live)
        made = [comment(client, "k", f"from {number}") for number, client in enumerate(clients)]
        for live in lives:
            for number in range(3):
                wait_shown(live, f"from {number}")
        assert clients[1].post("/notes/comment/destroy", {"key": "k", "id": made[0]["id"]}).status_code == 302
        edit_note(clients[2], "k", title="Second", body="*new*")
        last = revision_of(clients[0], "k")
        for live in lives:
            until(lambda: live.events[-1][1].get("revision") == last, f"the save, got {live.names()}")
            assert live.events[-1][1]["title"] == "Second" and "<em>new</em>" in live.events[-1][1]["html"]
            assert check_chain(live, start) == last
            names = live.names()
            assert "snapshot" in names or names.count("destroymessage") == names.count("noteupdated") == 1, names
        destroy_note(clients[0], "k")
        for live in lives:
            assert live.wait("notedestroyed") == "k"
        create_note(clients[1], "k", title="Again")
        for live in lives:
            until(lambda: live.events[-1][0] == "snapshot" and live.events[-1][1]["title"] == "Again", "the new note")
            assert live.names().count("notedestroyed") == 1
            check_chain(live, start)


def test_the_list_of_notes_too(site):
    one, two = site.add(), site.add()
    me = site.client(one)
    create_note(me, "first")
    with Live(two.url, home={}) as live:
        live.wait("notetitles")
        create_note(me, "second", title="Another")
        until(lambda: "second" in [item["key"] for item in live.events[-1][1]["notelist"]], "the new title")
        edit_note(me, "second", title="Renamed")
        until(lambda: {"key": "second", "title": "Renamed"} in live.events[-1][1]["notelist"], "the other title")
        destroy_note(me, "second")
        until(lambda: "second" not in [item["key"] for item in live.events[-1][1]["notelist"]], "the end of it")
        revisions = [data["revision"] for _, data in live.events]
        assert revisions == sorted(set(revisions))


def test_a_note_too_large_for_a_message_arrives_as_the_state(site):
    one, two = site.add(), site.add()
    me = site.client(one)
    create_note(me, "large")
    start = revision_of(me, "large")
    text = "many words " * 60000
    with Live(two.url, notes={"key": "large", "revision": start}) as live:
        edit_note(me, "large", body=text)
        assert live.wait("snapshot")["body"].strip() == text.strip()
        comment_until_event(me, "large", live)
        check_chain(live, start)


def test_logout_closes_the_sockets_elsewhere(site):
    one, two = site.add(), site.add()
    mine, other = site.client(one), site.client(one)
    create_note(mine, "k")
    with Live(two.url, cookie=mine.session_cookie, notes={"key": "k"}) as live, \
            Live(two.url, cookie=other.session_cookie, notes={"key": "k"}) as kept:
        live.wait("snapshot")
        assert mine.logout().status_code == 302
        live.wait_closed()
        assert kept.call("create-message", {"message": "still here"}) == "ok"
        wait_shown(kept, "still here")


def test_what_is_no_message_does_nothing(site, redis):
    one, two = site.add(), site.add()
    me = site.client(one)
    create_note(me, "k")
    start = revision_of(me, "k")
    channel = two.log_lines(event="live.bus_joined")[0]["channel"]
    with Live(two.url, notes={"key": "k", "revision": start}) as live:
        for garbage in (b"", b"garbage", b"\0\xff" * 100, b"notes1 x event 1 2 1\nk42/notes,[]", b"x" * 3_000_000):
            assert redis.command("PUBLISH", channel, garbage) == 2
        comment_until_event(me, "k", live)
        check_chain(live, start)
    for notes in (one, two):
        notes.wait_log(event="live.message_refused")
        assert len(notes.log_lines(event="live.message_refused")) == 1


def test_a_message_of_somebody_else_does_nothing(site, redis):
    """Well formed, for the revision that the listener has, but not made by a process of this site."""
    notes = site.add()
    me = site.client(notes)
    create_note(me, "k", title="Mine")
    start = revision_of(me, "k")
    channel = notes.log_lines(event="live.bus_joined")[0]["channel"]
    data = {"key": "k", "title": "Forged", "body": "", "html": "", "revision": start + 1, "previous": start}
    packet = "42/notes," + json.dumps(["noteupdated", data])
    event = f"notes1 {'A' * 22} event {start} {start + 1} 1\nk{packet}"
    with Live(notes.url, notes={"key": "k", "revision": start}) as live:
        for forged in (event, event + "A" * 43):
            assert redis.command("PUBLISH", channel, forged) == 1
        notes.wait_log(event="live.message_refused")
        comment(me, "k", "true")
        wait_shown(live, "true")
        assert "noteupdated" not in live.names()
        check_chain(live, start)
    notes.stop()
    assert len(notes.log_lines(event="live.message_refused")) == 1
    assert notes.log_lines(event="live.messages_refused")[0]["count"] == 2


def test_sites_on_one_redis_do_not_hear_each_other(site, services, redis, tmp_path):
    notes = site.add()
    stranger = Replicas(services, tmp_path / "stranger", redis)
    theirs = stranger.add(REDIS_URL=f"redis://127.0.0.1:{redis.port}/1")
    me, them = site.client(notes), stranger.client(theirs)
    for client in (me, them):
        create_note(client, "k")
    start = revision_of(them, "k")
    with Live(theirs.url, notes={"key": "k", "revision": start}) as live:
        comment(me, "k", "not for you")
        comment(them, "k", "for you")
        wait_shown(live, "for you")
        assert not is_shown(live, "not for you")
        check_chain(live, start)
    channels = {service.log_lines(event="live.bus_joined")[0]["channel"] for service in (notes, theirs)}
    assert len(channels) == 2 and channels <= {name.decode() for name in redis.command("PUBSUB", "CHANNELS")}


def test_writers_at_two_replicas_one_of_them_slow_to_tell(site):
    """Events overtake each other: listeners at both see a chain, or the state where it broke, and in the end all."""
    quick, slow = site.add(), site.add(NOTES_TEST_HOOK="comment.committed:sleep:30")
    writers = [site.client(quick), site.client(slow)]
    create_note(writers[0], "k")
    start = revision_of(writers[0], "k")
    with Live(quick.url, notes={"key": "k", "revision": start}) as one, \
            Live(slow.url, notes={"key": "k", "revision": start}) as two:
        def write(number):
            for count in range(15):
                comment(writers[number], "k", f"{number}-{count}")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(write, range(2)))
        last = revision_of(writers[0], "k")
        for live in (one, two):
            until(lambda: live.events and live.events[-1][1]["revision"] == last, f"the last comment: {live.names()}", 30)
            assert check_chain(live, start) == last
            assert all(is_shown(live, f"{number}-{count}") for number in range(2) for count in range(15))


# --- what is lost on the way ---

@pytest.mark.parametrize("is_note", [False, True])
def test_replica_killed_between_commit_and_publication(site, is_note):
    assert b"NOTES_TEST_HOOK" in programs.NOTES_SVC.read_bytes(), "built without -Dtest_hooks=true"
    first = site.add()
    doomed = site.add(NOTES_TEST_HOOK="note.committed:kill:2" if is_note else "comment.committed:kill")
    me = site.client(doomed)
    create_note(me, "k", title="Before")
    start = revision_of(me, "k")
    with Live(first.url, notes={"key": "k", "revision": start}) as live, Live(first.url, home={}) as home:
        home.wait("notetitles")
        with pytest.raises(requests.ConnectionError):
            if is_note:
                edit_note(me, "k", title="After")
            else:
                comment(me, "k", "last words")
        until(lambda: not doomed.is_running(), "the end of the replica")
        state = live.wait("snapshot")
        if is_note:
            assert state["title"] == "After"
            until(lambda: {"key": "k", "title": "After"} in home.events[-1][1]["notelist"], "the title in the list")
        else:
            wait_shown(live, "last words")
        check_chain(live, start)
    doomed.kill()


def test_redis_killed_and_back(services):
    """While it is away, somebody writes who needs no Redis; afterwards events come as before."""
    with Redis(append_only=True) as redis:
        site = Replicas(services, redis=redis)
        one, two = site.add(), site.add()
        outsider = site.add(redis=None)
        me, they = site.client(one), site.client(outsider)
        create_note(me, "k")
        start = revision_of(me, "k")
        with Live(two.url, notes={"key": "k", "revision": start}) as live:
            comment_until_event(me, "k", live)
            redis.kill()
            for notes in (one, two):
                notes.wait_log(event="live.bus_lost", timeout_s=30)
            comment(they, "k", "without it")
            wait_shown(live, "without it")
            redis.start()
            for notes in (one, two):
                until(lambda: len(notes.log_lines(event="live.bus_joined")) == 2, "the channel is heard again", 30)
                assert len(notes.log_lines(event="live.bus_lost")) == 1
            comment_until_event(me, "k", live)
            check_chain(live, start)


def test_redis_that_is_not_there_at_the_start_is_found_later(services):
    """Until then the database is asked, and afterwards events come as if it had always been there."""
    with Redis() as redis:
        site = Replicas(services, redis=redis)
        outsider = site.add(redis=None)
        they = site.client(outsider)
        create_note(they, "k")
        start = revision_of(they, "k")
        redis.stop()
        one, two = (services.notes(site.userauth, WRITES_PER_MIN=0, **redis.settings()).start() for _ in range(2))
        with Live(two.url, notes={"key": "k", "revision": start}) as live:
            comment(they, "k", "before it is there")
            wait_shown(live, "before it is there")
            assert one.log_lines(event="live.bus_joined") == two.log_lines(event="live.bus_joined") == []
            redis.start()
            for notes in (one, two):
                notes.wait_log(event="live.bus_joined", timeout_s=30)
            until(lambda: Client(one.url).login("me", site.password).headers.get("Location") == "/", "logging in", 30)
            comment_until_event(site.client(one), "k", live)
            check_chain(live, start)


def test_redis_that_hangs_is_noticed(services):
    """Connections stay open and nothing is answered: what others write comes all the same."""
    with Redis() as redis:
        site = Replicas(services, redis=redis)
        notes, outsider = site.add(), site.add(redis=None)
        they = site.client(outsider)
        create_note(they, "k")
        start = revision_of(they, "k")
        with Live(notes.url, notes={"key": "k", "revision": start}) as live:
            redis.pause()
            comment(they, "k", "unheard")
            wait_shown(live, "unheard")
            notes.wait_log(event="live.bus_lost", timeout_s=30)
            redis.resume()
            until(lambda: len(notes.log_lines(event="live.bus_joined")) == 2, "the channel is heard again", 30)
            check_chain(live, start)


# --- without Redis ---

def test_without_redis_all_find_it_in_the_database(services):
    site = Replicas(services)
    one, two = site.add(), site.add()
    me = site.client(one)
    create_note(me, "k")
    start = revision_of(me, "k")
    with Live(two.url, notes={"key": "k", "revision": start}) as live, Live(two.url, home={}) as home:
        home.wait("notetitles")
        comment(me, "k", "here")
        wait_shown(live, "here")
        create_note(me, "more", title="More")
        until(lambda: {"key": "more", "title": "More"} in home.events[-1][1]["notelist"], "the list")
        destroy_note(me, "k")
        assert live.wait("notedestroyed") == "k"
        create_note(me, "k", title="Again")
        until(lambda: live.events[-1][0] == "snapshot" and live.events[-1][1]["title"] == "Again", "the new note", 30)
        assert live.names().count("notedestroyed") == 1
        check_chain(live, start)
