# SPDX-License-Identifier: MIT
"""Live events with the real Socket.IO client: who gets what, in which order, and that nothing is missed."""
import itertools
import re
import threading

import pytest

from harness import programs
from harness.client import browser_session
from harness.live import Live
from harness.wait import until
from notes_verbs import comment, create_note, destroy_note, edit_note, note_titles, view_path

NOTES_ENV = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0}
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_serial = itertools.count(1)


@pytest.fixture(scope="module")
def me(site):
    return browser_session(site, "me")


@pytest.fixture(scope="module")
def you(site):
    return browser_session(site, "you")


@pytest.fixture
def key(me):
    name = f"live-{next(_serial)} <ü>"
    create_note(me, name, title="Title & one", body="Some **text**")
    return name


def revision_of(client, key):
    return int(client.html(view_path(key)).by_id("note")["data-revision"])


def home_revision(client):
    return int(client.html("/").by_id("notetitles")["data-revision"])


# --- joining ---

def test_without_a_revision_comes_a_snapshot_with_exactly_the_members(site, me, you, key):
    comment(me, key, "first")
    comment(you, key, "second <b>")
    with Live(site.url, notes={"key": key}) as live:
        state = live.wait("snapshot")
    assert set(state) == {"key", "title", "body", "html", "author", "comments", "revision"}
    assert (state["key"], state["title"], state["body"], state["author"]) == (key, "Title & one", "Some **text**", "me")
    assert "<strong>text</strong>" in state["html"]
    assert [(c["from"], c["message"]) for c in state["comments"]] == [("you", "second <b>"), ("me", "first")]
    assert all(set(c) == {"id", "from", "message", "timestamp"} and ISO.fullmatch(c["timestamp"])
               for c in state["comments"])
    assert state["revision"] == revision_of(me, key)


def test_with_the_present_revision_comes_no_snapshot(site, me, key):
    with Live(site.url, notes={"key": key, "revision": revision_of(me, key)}) as live:
        comment(me, key, "after the join")
        assert live.wait("newmessage")["message"] == "after the join"
        assert live.names() == ["newmessage"]


def test_a_change_between_page_and_socket_is_not_missed(site, me, key):
    before = revision_of(me, key)
    comment(me, key, "meanwhile")
    with Live(site.url, notes={"key": key, "revision": before}) as live:
        assert live.wait("snapshot")["comments"][0]["message"] == "meanwhile"


def test_a_note_that_does_not_exist(site):
    with Live(site.url, notes={"key": "nobody made this"}) as live:
        assert live.wait("notedestroyed") == "nobody made this"
        assert live.names() == ["notedestroyed"]


def test_the_key_may_be_in_the_query_of_the_handshake(site, key):
    from urllib.parse import quote
    with Live(site.url, notes={}, query="/?key=" + quote(key, safe="")) as live:
        assert live.wait("snapshot")["key"] == key


def test_without_a_key_one_is_connected_but_in_no_room(site, me, key):
    with Live(site.url, cookie=me.session_cookie, notes={}) as live:
        comment(me, key, "not for you")
        answer = live.call("create-message", {"message": "where to?"})
        assert answer["code"] == "ResourceNotFound"
        assert live.names() == []


# --- events ---

def test_comments_come_and_go(site, me, you, key):
    start = revision_of(me, key)
    with Live(site.url, notes={"key": key, "revision": start}) as live:
        made = comment(you, key, "hello <i>\n\"you\"")
        event = live.wait("newmessage")
        assert set(event) == {"id", "from", "namespace", "room", "message", "timestamp", "revision", "previous"}
        assert (event["id"], event["from"], event["namespace"], event["room"]) == (made["id"], "you", "/notes", key)
        assert event["message"] == "hello <i>\n\"you\""
        assert (event["previous"], event["revision"]) == (start, made["revision"])
        assert event["timestamp"] == made["timestamp"]
        assert you.post("/notes/comment/destroy", {"key": key, "id": made["id"]}).status_code == 302
        gone = live.wait("destroymessage")
        assert set(gone) == {"id", "namespace", "room", "revision", "previous"}
        assert (gone["id"], gone["room"], gone["previous"]) == (made["id"], key, event["revision"])
        assert gone["revision"] == revision_of(me, key)


def test_a_saved_note_reaches_everybody(site, me, key):
    start = revision_of(me, key)
    with Live(site.url, notes={"key": key, "revision": start}) as live:
        edit_note(me, key, title="Second", body="*new*")
        event = live.wait("noteupdated")
    assert set(event) == {"key", "title", "body", "html", "revision", "previous"}
    assert (event["key"], event["title"], event["body"], event["previous"]) == (key, "Second", "*new*", start)
    assert "<em>new</em>" in event["html"]
    assert event["revision"] == revision_of(me, key)


def test_a_destroyed_note_and_one_of_its_key_made_again(site, me, key):
    with Live(site.url, notes={"key": key, "revision": revision_of(me, key)}) as live:
        destroy_note(me, key)
        assert live.wait("notedestroyed") == key
        create_note(me, key, title="Again")
        assert live.wait("snapshot")["title"] == "Again"
        comment(me, key, "and it goes on")
        assert live.wait("newmessage")["message"] == "and it goes on"


def test_events_stay_in_their_room(site, me, key):
    other = key + " other"
    create_note(me, other)
    with Live(site.url, notes={"key": key, "revision": revision_of(me, key)}) as live:
        comment(me, other, "elsewhere")
        comment(me, key, "here")
        assert live.wait("newmessage")["message"] == "here"
        assert live.names() == ["newmessage"]


def test_what_another_program_does_to_the_database_is_found(site, me, key):
    with Live(site.url, notes={"key": key, "revision": revision_of(me, key)}) as live, Live(site.url, home={}) as home:
        destroy_note(me, key)
        assert live.wait("notedestroyed") == key
        until(lambda: key not in [item["key"] for item in home.events[-1][1]["notelist"]], "the list without it")
        done = programs.run(programs.NOTES_SVC, "--restore", key,
                            **{"STATE_DIR": site.state_dir, **site.notes.database_settings()})
        assert done.returncode == 0, done.stderr
        assert live.wait("snapshot")["title"] == "Title & one"
        until(lambda: key in [item["key"] for item in home.events[-1][1]["notelist"]], "the list with it")
        comment(me, key, "and it goes on")
        assert live.wait("newmessage")["message"] == "and it goes on"
        assert live.names() == ["notedestroyed", "snapshot", "newmessage"]


# --- the home list ---

def test_the_list_comes_at_once_when_it_is_another(site, me, key):
    with Live(site.url, home={"revision": 1}) as live:
        event = live.wait("notetitles")
    assert set(event) == {"notelist", "revision"}
    assert all(set(item) == {"key", "title"} for item in event["notelist"])
    assert [(item["key"], item["title"]) for item in event["notelist"]] == note_titles(me.html("/"))
    assert event["revision"] == home_revision(me)


def test_the_list_says_whether_there_are_older_ones(site, me):
    """Only then: a list that is all there is has the members of ever."""
    with Live(site.url, home={"revision": 1}) as live:
        count = len(live.wait("notetitles")["notelist"])
        for number in range(count, 51):
            create_note(me, f"older-{number}")
        until(lambda: live.events[-1][1].get("hasOlder") is True, "the 51st note")
        assert len(live.events[-1][1]["notelist"]) == 50
        destroy_note(me, "older-50")
        until(lambda: "hasOlder" not in live.events[-1][1], "there to be 50 again")
        assert len(live.events[-1][1]["notelist"]) == 50
        for number in range(count, 50):
            destroy_note(me, f"older-{number}")


def test_the_list_changes_by_notes_and_not_by_comments(site, me, key):
    with Live(site.url, home={"revision": home_revision(me)}) as live:
        comment(me, key, "no change of the list")
        edit_note(me, key, title="Renamed")
        event = live.wait("notetitles")
        assert event["notelist"][0] == {"key": key, "title": "Renamed"}
        assert live.names() == ["notetitles"]
        destroy_note(me, key)
        assert key not in [item["key"] for item in live.wait("notetitles", 2)["notelist"]]


# --- what clients ask for ---

def test_a_comment_over_the_socket(site, me, you, key):
    with Live(site.url, cookie=you.session_cookie, notes={"key": key, "revision": revision_of(me, key)}) as live:
        forged = {"message": "over the\r\nsocket", "from": "me", "room": "another", "namespace": "/home", "id": 1}
        assert live.call("create-message", forged) == "ok"
        event = live.wait("newmessage")
        assert (event["from"], event["room"], event["namespace"]) == ("you", key, "/notes")
        assert event["message"] == "over the\nsocket"
        assert live.call("delete-message", {"id": event["id"]}) == "ok"
        assert live.wait("destroymessage")["id"] == event["id"]
    page = me.html(view_path(key))
    assert page.by_id(f"note-message-{event['id']}") is None


@pytest.mark.parametrize("data", [{"message": ""}, {"message": " \n"}, {"message": "x" * 1025}, {"message": "a\u0007"},
                                  {"message": "a\u0000b"},
                                  {"message": 7}, {}, {"message": ["a"]}])
def test_what_may_not_be_a_comment(site, me, key, data):
    start = revision_of(me, key)
    with Live(site.url, cookie=me.session_cookie, notes={"key": key, "revision": start}) as live:
        answer = live.call("create-message", data)
        assert answer["code"] == "InvalidArgument" and answer["message"]
        assert set(answer) == {"code", "message"}
    assert revision_of(me, key) == start


def test_strangers_only_listen(site, me, key):
    with Live(site.url, notes={"key": key, "revision": revision_of(me, key)}) as live:
        assert live.call("create-message", {"message": "who am I?"})["code"] == "InvalidCredentials"
        mine = comment(me, key, "mine")
        assert live.call("delete-message", {"id": mine["id"]})["code"] == "InvalidCredentials"
        assert live.call("snapshot") == "ok"
        assert live.wait("snapshot")["comments"][0]["id"] == mine["id"]
        assert live.names() == ["newmessage", "snapshot"]


def test_nobody_deletes_anothers_comment(site, me, you, key):
    mine = comment(me, key, "mine")
    with Live(site.url, cookie=you.session_cookie, notes={"key": key, "revision": revision_of(me, key)}) as live:
        assert live.call("delete-message", {"id": mine["id"]})["code"] == "NotAuthorized"
        assert live.call("delete-message", {"id": "999999999"})["code"] == "ResourceNotFound"
        assert live.call("delete-message", {"id": "x"})["code"] == "InvalidArgument"
        assert live.names() == []
    assert me.html(view_path(key)).by_id(f"note-message-{mine['id']}") is not None


def test_a_snapshot_on_demand_when_signed_in(site, me, key):
    with Live(site.url, cookie=me.session_cookie, notes={"key": key, "revision": revision_of(me, key)}) as live:
        assert live.call("snapshot") == "ok"
        assert live.wait("snapshot")["revision"] == revision_of(me, key)


def test_an_unknown_event_is_answered(site, key, me):
    with Live(site.url, cookie=me.session_cookie, notes={"key": key}) as live:
        assert live.call("no-such-thing", {"a": 1})["code"] == "InvalidArgument"
        assert live.is_connected()


# --- sessions ---

def test_logout_closes_the_sockets_of_that_session_only(site, key):
    mine, other = browser_session(site, "me"), browser_session(site, "me")
    with Live(site.url, cookie=mine.session_cookie, notes={"key": key}) as live, \
            Live(site.url, cookie=other.session_cookie, notes={"key": key}) as kept, \
            Live(site.url, notes={"key": key}) as anonymous:
        live.wait("snapshot")
        assert mine.logout().status_code == 302
        live.wait_closed()
        comment(other, key, "still here")
        assert kept.wait("newmessage")["message"] == anonymous.wait("newmessage")["message"] == "still here"


# --- order and completeness under load ---

@pytest.mark.slow
def test_many_writers_every_event_once_and_in_a_chain(site, me, key):
    """Comments of four writers at once: a listener sees an unbroken chain, or a snapshot where it broke."""
    start = revision_of(me, key)
    writers = [browser_session(site, "me") for _ in range(4)]
    for writer in writers:
        writer.csrf()
    with Live(site.url, notes={"key": key, "revision": start}) as live:
        def write(writer, name):
            for number in range(15):
                comment(writer, key, f"{name}-{number}")
        threads = [threading.Thread(target=write, args=(writer, name)) for name, writer in enumerate(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        last = comment(me, key, "the last")
        until(lambda: any(data["revision"] == last["revision"] for _, data in live.events), "the last comment")
        events = list(live.events)
    at = start
    seen = []
    for name, data in events:
        assert data["revision"] > at, "something older came after something newer"
        if name == "newmessage":
            assert data["previous"] == at
            seen.append(data["message"])
        else:
            assert name == "snapshot"
            seen += [c["message"] for c in data["comments"] if c["message"] not in seen]
        at = data["revision"]
    if "snapshot" not in [name for name, _ in events]:
        assert len(seen) == 61 and len(set(seen)) == 61


@pytest.mark.slow
def test_two_thousand_sockets(services):
    """They are held, all hear the same comment, and all are gone at the end. None answers a ping while the others are made, however
    long that takes."""
    import json
    import resource

    from harness.live import Raw
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 8192:
        pytest.skip(f"the system allows {hard} open files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 8192), hard))
    userauth = services.userauth().start()
    userauth.api().create("me", "a password of me")
    notes = services.notes(userauth, SOCKETS_PER_ADDRESS=0, WRITES_PER_MIN=0, LIVE_PING_INTERVAL_MS=600_000).start()
    from harness.client import Client
    writer = Client(notes.url)
    assert writer.login("me", "a password of me").status_code == 302
    create_note(writer, "crowd")
    at = revision_of(writer, "crowd")
    sockets = []
    try:
        for _ in range(2000):
            sockets.append(Raw(notes.url, timeout_s=60))
            sockets[-1].join(key="crowd", revision=at)
            sockets[-1].settle()
        comment(writer, "crowd", "to all of you")
        for socket in sockets:
            _, name, data = socket.event()
            assert (name, data["message"], data["previous"]) == ("newmessage", "to all of you", at), json.dumps(data)
    finally:
        for socket in sockets:
            socket.socket.shutdown()
    assert notes.stop() == 0
