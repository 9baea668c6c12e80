# SPDX-License-Identifier: MIT
"""Who a live socket is and how much it may: behind https and proxies, under the limits of writes, of sockets and of messages,
and what it has at most in the list of notes."""
import contextlib
import select
import socket

import websocket

from harness.client import Client
from harness.client import browser_session as open_session
from harness.live import Live, Raw, handshake_status
from harness.raw import exchange
from harness.wait import until
from notes_verbs import comment, create_note, destroy_note, note_titles, shown_comments, view_path

PUBLIC = "https://notes.example.org"
PAGE_COUNT = 50  # notes of the home page
NO_PING = {"LIVE_PING_INTERVAL_MS": 600_000}  # for who reads nothing for a while and is not to be taken for dead


def revision_of(client, key):
    return int(client.html(view_path(key)).by_id("note")["data-revision"])


def forwarded(address):
    return [f"X-Forwarded-For: {address}"]


# --- https ---

def test_of_an_https_site_only_the_public_origin_and_the_prefixed_cookie_count(make_site):
    site = make_site(PUBLIC_URL=PUBLIC)
    client = Client(site.url, origin=PUBLIC)
    answer = client.post("/users/login", {"username": "me", "password": site.passwords["me"]}, csrf=False)
    cookie = answer.cookies["__Host-notescookie.sid"]
    statuses = {origin: handshake_status(site.url, origin=origin, suppress_origin=False)
                for origin in (PUBLIC, site.url, "http://notes.example.org", PUBLIC + ":444", PUBLIC + ".evil.example")}
    assert [origin for origin, status in statuses.items() if status == 101] == [PUBLIC]
    assert set(statuses.values()) == {101, 403}
    for name, code in (("notescookie.sid", "InvalidCredentials"), ("__Host-notescookie.sid", "ResourceNotFound")):
        with Raw(site.url, headers=[f"Cookie: {name}={cookie}"]) as raw:
            raw.join(key="none")
            assert raw.event()[1] == "notedestroyed"
            raw.send('42/notes,1["create-message",{"message":"who am I?"}]')
            assert f'"code":"{code}"' in raw.receive(), "who is signed in is told that the note is gone"


# --- the limit of writes ---

def test_comments_over_the_socket_count_as_writes(make_site):
    site = make_site(WRITES_PER_MIN=2)
    me = open_session(site, "me")
    create_note(open_session(site, "you"), "busy")
    with Live(site.url, cookie=me.session_cookie, notes={"key": "busy"}) as live:
        assert live.call("create-message", {"message": "one"}) == "ok"
        comment(me, "busy", "two")
        answer = live.call("create-message", {"message": "three"})
        assert set(answer) == {"code", "message"} and answer["code"] == "TooManyRequests", answer
        assert live.call("snapshot") == "ok", "reading is no write"
        assert live.is_connected()
    assert len(shown_comments(me.html(view_path("busy")))) == 2


def test_writes_over_the_limit_fill_no_log(make_site):
    """One line a minute, however many there are; each is answered all the same."""
    count = 300
    site = make_site(WRITES_PER_MIN=1)
    me = open_session(site, "me")
    create_note(me, "busy")
    with Raw(site.url, cookie=me.session_cookie) as raw:
        raw.join(key="busy", revision=revision_of(me, "busy"))
        for number in range(count):
            raw.send(f'42/notes,{number}["create-message",{{"message":"x"}}]')
        answers = []
        while len(answers) < count:
            packet = raw.receive()
            if packet.startswith("43/notes,"):
                answers.append('"code":"TooManyRequests"' in packet)
    assert sum(answers) > count / 2
    site.notes.wait_log(event="request.writes_limited", user="me")
    assert len(site.notes.log_lines(event="request.writes_limited")) < 10


def test_comments_on_a_note_that_is_gone_are_refused_by_name(make_site):
    site = make_site()
    me = open_session(site, "me")
    create_note(me, "short-lived")
    mine = comment(me, "short-lived", "mine")
    with Live(site.url, cookie=me.session_cookie, notes={"key": "short-lived"}) as live:
        live.wait("snapshot")
        destroy_note(me, "short-lived")
        live.wait("notedestroyed")
        assert live.call("create-message", {"message": "too late"})["code"] == "ResourceNotFound"
        assert live.call("delete-message", {"id": mine["id"]})["code"] == "ResourceNotFound"
        assert live.call("snapshot") == "ok"
        assert live.wait("notedestroyed", 2) == "short-lived", "what there is to see: nothing"


# --- the limit of sockets ---

def test_sockets_are_counted_by_the_address_behind_a_trusted_proxy(make_site):
    site = make_site(SOCKETS_PER_ADDRESS=2, TRUSTED_PROXIES="127.0.0.1")
    first = [Raw(site.url, headers=forwarded("203.0.113.1")) for _ in range(2)]
    assert handshake_status(site.url, headers=forwarded("203.0.113.1")) == 429
    with Raw(site.url, headers=forwarded("203.0.113.2")):
        assert handshake_status(site.url, headers=forwarded("203.0.113.1")) == 429
    for raw in first:
        raw.socket.shutdown()
    until(lambda: handshake_status(site.url, headers=forwarded("203.0.113.1")) == 101, "a place to be free again")


def test_a_socket_too_many_is_told_when_to_come_again(make_site):
    site = make_site(LIVE_SOCKETS=1)
    headers = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
               ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
    with Raw(site.url):
        answer = exchange(site.notes.port, "GET", "/socket.io/?EIO=4&transport=websocket", headers)
        assert answer.status == 429 and int(answer.header("retry-after")) >= 1
        assert set(answer.json()) == {"code", "message"}
        site.notes.wait_log(event="live.socket_refused", peer="127.0.0.1")


def test_a_session_has_so_many_sockets_wherever_they_come_from(make_site):
    site = make_site(SOCKETS_PER_SESSION=2, SOCKETS_PER_ADDRESS=0, TRUSTED_PROXIES="127.0.0.1")
    me, again = open_session(site, "me"), open_session(site, "me")
    mine = [Raw(site.url, cookie=me.session_cookie, headers=forwarded(f"203.0.113.{last}")) for last in (1, 2)]
    third = {"cookie": me.session_cookie, "headers": forwarded("203.0.113.3")}
    assert handshake_status(site.url, **third) == 429
    site.notes.wait_log(event="live.socket_refused", peer="203.0.113.3")
    with Raw(site.url, cookie=again.session_cookie), Raw(site.url), Raw(site.url):
        assert handshake_status(site.url, **third) == 429, "another session of the user, and strangers, are none of its"
    mine[0].socket.shutdown()
    until(lambda: handshake_status(site.url, **third) == 101, "a place to be free again")
    mine[1].socket.shutdown()


# --- the limit of messages ---

def pong(raw):
    """The number of the next ping that is answered; an Engine.IO ping in between is none."""
    while True:
        opcode, data = raw.socket.recv_data(control_frame=True)
        if opcode == websocket.ABNF.OPCODE_PONG:
            return int(data)


def pongs_there(raw):
    """Of the pings that are answered already."""
    found = []
    with contextlib.suppress(BlockingIOError, websocket.WebSocketTimeoutException):
        while True:
            raw.socket.settimeout(0.05)
            found.append(pong(raw))
    raw.socket.settimeout(20)
    return found


def test_who_says_too_much_is_heard_later_and_loses_nothing(make_site):
    site = make_site(LIVE_MESSAGES_PER_S=5)
    with Raw(site.url) as flood, Raw(site.url) as other:
        for number in range(400):
            flood.socket.ping(str(number))
        other.join(key="none")
        assert other.event()[1] == "notedestroyed", "others are served meanwhile"
        found = pongs_there(flood)
        assert 5 <= len(found) < 400, "the rest waits its turn"
        while len(found) < 12:
            found.append(pong(flood))
        assert found == list(range(len(found)))
    site.notes.wait_log(event="live.client_slowed")
    assert len(site.notes.log_lines(event="live.client_slowed")) == 1, "not one line a second"


def test_without_a_limit_all_is_heard_at_once(make_site):
    site = make_site(LIVE_MESSAGES_PER_S=0)
    with Raw(site.url) as flood:
        for number in range(400):
            flood.socket.ping(str(number))
        assert [pong(flood) for _ in range(400)] == list(range(400))
    assert not site.notes.log_lines(event="live.client_slowed")


# --- the list ---

def test_the_list_has_the_first_page_and_no_more(make_site):
    site = make_site(WRITES_PER_MIN=0)
    me = open_session(site, "me")
    for number in range(PAGE_COUNT + 2):
        create_note(me, f"n{number}", title=f"Note {number}")
    with Live(site.url, home={}) as live:
        listed = [(item["key"], item["title"]) for item in live.wait("notetitles")["notelist"]]
        assert len(listed) == PAGE_COUNT and listed == note_titles(me.html("/"))
        create_note(me, "newest", title="The newest")
        listed = [item["key"] for item in live.wait("notetitles", 2)["notelist"]]
        assert len(listed) == PAGE_COUNT and listed[:2] == ["newest", f"n{PAGE_COUNT + 1}"]


# --- the limit of what waits to be sent ---

LARGE = "<" * 1_000_000  # 15 MB as the state of a note
LITTLE = ((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),)
MIB = 1024 * 1024
SLOW_COUNT = 30


def private_bytes(service):
    with open(f"/proc/{service.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon:"))


def slow_reader(site, key):
    """A stranger's socket in a note's room, once the state begins to come; it reads none of it."""
    raw = Raw(site.url, sockopt=LITTLE, timeout_s=60)
    raw.join(key=key)
    assert select.select([raw.socket.sock], [], [], 30)[0]
    return raw


def shown(raw):
    """What a room's state says; from now on the socket reads as others do."""
    raw.socket.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * MIB)
    _, name, data = raw.event()
    return name, data["body"]


def test_a_large_note_that_nobody_reads_to_its_end_is_in_memory_once(make_site):
    site = make_site(**NO_PING)
    me = open_session(site, "me")
    create_note(me, "large", body=LARGE)
    with Raw(site.url, timeout_s=60) as healthy, contextlib.ExitStack() as held:
        healthy.join(key="large")
        assert shown(healthy) == ("snapshot", LARGE)
        before_bytes = private_bytes(site.notes)
        slow = [held.enter_context(slow_reader(site, "large")) for _ in range(SLOW_COUNT)]
        assert private_bytes(site.notes) - before_bytes < 200 * MIB, "it was 450 with a copy for each"
        assert shown(slow[0]) == ("snapshot", LARGE), "who begins to read gets everything"
        comment(me, "large", "after the flood")
        assert healthy.event()[1] == slow[0].event()[1] == "newmessage"


def test_large_notes_that_nobody_reads_are_let_go_and_who_reads_gets_all(make_site):
    site = make_site(WRITES_PER_MIN=0, **NO_PING)
    me = open_session(site, "me")
    for number in range(8):
        create_note(me, f"large-{number}", body=LARGE)
    with Raw(site.url, timeout_s=60) as healthy, contextlib.ExitStack() as held:
        healthy.join(key="large-7")
        assert shown(healthy) == ("snapshot", LARGE)
        slow = [held.enter_context(slow_reader(site, f"large-{number}")) for number in range(7)]
        site.notes.wait_log(event="live.queues_full", peer="127.0.0.1")
        assert slow[0].is_ended(), "who stood still longest"
        assert shown(slow[-1]) == ("snapshot", LARGE)
        healthy.send('42/notes,["snapshot"]')
        assert shown(healthy) == ("snapshot", LARGE)
        with Raw(site.url, timeout_s=60) as back:
            back.join(key="large-0")
            assert shown(back) == ("snapshot", LARGE), "who was cut catches up"
