# SPDX-License-Identifier: MIT
"""The live protocol by hand: handshake, packets that no decent client sends, silence, slowness, the end of a session
and of the service."""
import concurrent.futures
import contextlib
import json
import signal
import socket
import struct

import pytest
import requests
import websocket

from harness import kept_sessions
from harness.client import Client, browser_session
from harness.live import Live, Raw, handshake_status
from harness.raw import exchange
from harness.wait import until
from notes_verbs import comment, create_note, view_path

NOTES_ENV = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0}
QUERY = "EIO=4&transport=websocket"
UPGRADE = [("Connection", "keep-alive, Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
           ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]


@pytest.fixture(scope="module")
def me(site):
    return browser_session(site, "me")


@pytest.fixture(scope="module")
def key(me):
    create_note(me, "protocol")
    return "protocol"


def revision_of(client, key):
    return int(client.html(view_path(key)).by_id("note")["data-revision"])


# --- the handshake ---

@pytest.mark.parametrize("path,code,message", [
    ("", 0, "Transport unknown"),
    ("?EIO=4&transport=polling", 0, "Transport unknown"),
    ("?EIO=4&transport=websocket&sid=abc", 1, "Session ID unknown"),
    ("?EIO=4&transport=websocket", 3, "Bad request"),
    ("?EIO=4&transport=websocket&sid=", 3, "Bad request"),
    ("?EIO=4&transport=websocket&transport=websocket", 3, "Bad request"),
])
def test_plain_http_is_told_what_is_wrong(site, path, code, message):
    answer = requests.get(site.url + "/socket.io/" + path, timeout=20)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {"code": code, "message": message}


@pytest.mark.parametrize("more", ["&key=a&key=b", "&key=a%00b", "&key=%ff"])
def test_a_query_that_means_nothing_is_told_in_json(site, more):
    answer = exchange(site.notes.port, "GET", f"/socket.io/?{QUERY}{more}", UPGRADE)
    assert (answer.status, answer.header("content-type")) == (400, "application/json")
    assert set(answer.json()) >= {"code", "message"}


def test_other_methods(site):
    assert requests.post(site.url + "/socket.io/?EIO=4&transport=polling", timeout=20).json()["code"] == 0
    answer = requests.post(site.url + "/socket.io/?" + QUERY, timeout=20)
    assert (answer.status_code, answer.json()) == (400, {"code": 2, "message": "Bad handshake method"})
    assert requests.head(site.url + "/socket.io/?" + QUERY, timeout=20).status_code == 400
    answer = requests.delete(site.url + "/socket.io/?" + QUERY, timeout=20)
    assert answer.status_code == 405 and "GET" in answer.headers["Allow"] and set(answer.json()) >= {"code", "message"}


def test_an_older_protocol_is_refused(site):
    answer = exchange(site.notes.port, "GET", "/socket.io/?EIO=3&transport=websocket", UPGRADE)
    assert (answer.status, answer.json()) == (400, {"code": 5, "message": "Unsupported protocol version"})


@pytest.mark.parametrize("name,value", [("Sec-WebSocket-Key", "short"), ("Sec-WebSocket-Version", "8"),
                                        ("Upgrade", "h2c"), ("Connection", "keep-alive")])
def test_a_handshake_that_is_none(site, name, value):
    headers = [(field, value if field == name else given) for field, given in UPGRADE]
    answer = exchange(site.notes.port, "GET", "/socket.io/?" + QUERY, headers)
    assert (answer.status, answer.json()) == (400, {"code": 3, "message": "Bad request"})
    assert answer.header("sec-websocket-version") == "13", "RFC 6455: the one that is spoken here"


def test_the_accept_key_is_the_one_of_the_rfc(site):
    with socket.create_connection(("127.0.0.1", site.notes.port), 20) as connection:
        fields = "".join(f"{name}: {value}\r\n" for name, value in UPGRADE)
        connection.sendall(f"GET /socket.io/?{QUERY} HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(4096)
        head = data.split(b"\r\n\r\n")[0].decode().lower()
    assert head.startswith("http/1.1 101 ")
    assert "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in head
    assert "upgrade: websocket" in head


def test_a_foreign_origin_is_refused_none_is_let_in(site):
    options = {"suppress_origin": False}
    assert handshake_status(site.url, origin="http://evil.example", **options) == 403
    assert handshake_status(site.url, origin="null", **options) == 403
    assert handshake_status(site.url, origin=site.url, **options) == 101
    assert handshake_status(site.url) == 101
    assert handshake_status(site.url, headers=["Sec-Fetch-Site: cross-site"]) == 403


def test_the_first_packet(site):
    with Raw(site.url) as raw:
        first = raw.open_packet
    assert set(first) == {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}
    assert (first["upgrades"], first["pingInterval"], first["pingTimeout"], first["maxPayload"]) == \
        ([], 25000, 20000, 65536)
    assert len(first["sid"]) >= 20


def test_bytes_right_behind_the_handshake_are_read(site):
    """A client may not wait for the 101: what it sends with the request belongs to the socket."""
    payload = b"40/home,{}"
    frame = bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload
    with socket.create_connection(("127.0.0.1", site.notes.port), 20) as connection:
        fields = "".join(f"{name}: {value}\r\n" for name, value in UPGRADE)
        connection.sendall(f"GET /socket.io/?{QUERY} HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode() + frame)
        data = b""
        while b"40/home,{\"sid\"" not in data:
            piece = connection.recv(4096)
            assert piece, data
            data += piece


# --- namespaces ---

def test_namespaces(site, key):
    with Raw(site.url) as raw:
        raw.send("40/nowhere,")
        assert raw.receive() == '44/nowhere,{"message":"Invalid namespace"}'
        raw.send("40")
        root = raw.receive()
        assert root.startswith('40{"sid":"')
        raw.send("40/notes")
        notes = raw.receive()
        assert json.loads(notes[9:])["sid"] != raw.open_packet["sid"]
        raw.send('40/home,{"revision":1}')
        assert raw.receive().startswith("40/home,")
        assert raw.event()[1] == "notetitles"
        raw.send("41/home,")
        raw.join("/home", revision=1)
        assert raw.event()[1] == "notetitles"


def test_leaving_a_namespace_ends_its_events(site, me, key):
    with Raw(site.url) as raw:
        raw.join(key=key, revision=revision_of(me, key))
        raw.send("41/notes,")
        raw.join("/home", revision=1)
        assert raw.event()[1] == "notetitles"
        comment(me, key, "unheard")
        raw.send("41/home,")
        raw.join("/home", revision=1)
        assert raw.event()[0] == "/home"


@pytest.mark.parametrize("packets", [
    ['42/notes,["snapshot"]'],  # before CONNECT
    ["40/notes,", "40/notes,"],  # twice
    ["40", "40"],
    ["41/notes,"],
    ["40/home,", '42/notes,["snapshot"]'],
    ["40/notes,[]"],
    ["40/notes,{"],
    ['40/notes,{"key":"a","key":"b"}'],
    ['40/notes,{"key":"\\u0000"}'],
    ["407{}"],
    ["40/notes,", "42/notes,"],
    ["40/notes,", "42/notes,[]"],
    ["40/notes,", "42/notes,{}"],
    ["40/notes,", "42/notes,[null]"],
    ["40/notes,", '42/notes,[["snapshot"]]'],
    ["40/notes,", '42/notes,["snapshot"'],
    ["40/notes,", '42/notes,["snapshot"]x'],
    ["40/notes,", '42/notes,99999999999999999999["snapshot"]'],
    ["40/notes,", "41/notes,{}"],
    ["40/notes,", "43/notes,[]"],
    ["40/notes,", '44/notes,{"message":"x"}'],
    ["40/notes,", '451-/notes,["x",{"_placeholder":true,"num":0}]'],
    ["40/notes,", '461-/notes,1[{"_placeholder":true,"num":0}]'],
    ["40/notes,", "47"],
    ["40/notes,", "4"],
    ["40/" + "n" * 300 + ","],
    [""], ["0{}"], ["2"], ["5"], ["7"], ["x"], ["1x"], ["\u00fc"],
    ['40/notes,' + "[" * 5000],
] + [["40/notes,", f'42/notes,["{name}"]'] for name in (
    "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")])
def test_malformed_packets_close_the_connection(site, packets):
    with Raw(site.url) as raw:
        for packet in packets:
            raw.send(packet)
        assert raw.is_ended()
        assert raw.close_code == 1002


def test_a_number_may_name_an_event(site, key):
    with Raw(site.url) as raw:
        raw.send("40/notes,")
        raw.receive()
        raw.send("42/notes,5[17]")
        assert json.loads(raw.receive()[len("43/notes,5"):])[0]["code"] == "InvalidArgument"


def test_the_client_may_close(site):
    with Raw(site.url) as raw:
        raw.send("1")
        assert raw.is_ended() and raw.close_code == 1000


# --- frames ---

def test_binary_frames_close(site):
    with Raw(site.url) as raw:
        raw.socket.send_binary(b"4\x01")
        assert raw.is_ended() and raw.close_code == 1003


def test_the_limit_of_a_message(site):
    """64 KiB are read, one byte more closes; so do fragments that are too much together."""
    with Raw(site.url) as raw:
        raw.join()
        shell = len('42/notes,7["x",""]')
        raw.send('42/notes,7["x","' + "a" * (65536 - shell) + '"]')
        assert raw.receive().startswith("43/notes,7[")
        raw.send("a" * 65537)
        assert raw.is_ended() and raw.close_code == 1009
    with Raw(site.url) as raw:
        for number in range(9):
            raw.socket.send_frame(websocket.ABNF.create_frame("4" * 8000, 1 if number == 0 else 0, 0))
        assert raw.is_ended() and raw.close_code == 1009


def test_a_message_in_fragments_with_a_ping_between(site):
    with Raw(site.url) as raw:
        raw.socket.send_frame(websocket.ABNF.create_frame("40/no", 1, 0))
        raw.socket.ping("are you there")
        raw.socket.send_frame(websocket.ABNF.create_frame("tes,{", 0, 0))
        raw.socket.send_frame(websocket.ABNF.create_frame("}", 0, 1))
        opcode, frame = raw.socket.recv_data_frame(True)
        assert (opcode, frame.data) == (websocket.ABNF.OPCODE_PONG, b"are you there")
        assert raw.receive().startswith("40/notes,")


@pytest.mark.parametrize("data", [
    b"\x81\x02ab",  # not masked
    b"\xc1\x82\0\0\0\0ab",  # a reserved bit
    b"\x83\x82\0\0\0\0ab",  # an unknown opcode
    b"\x80\x82\0\0\0\0ab",  # a continuation of nothing
    b"\x81\xfe\x00\x02\0\0\0\0ab",  # a length that is not the shortest
    b"\x09\x80\0\0\0\0",  # a fragmented ping
    b"\x89\xfe\x00\x7e\0\0\0\0" + b"a" * 126,  # a ping that is too long
    b"\x81\x82\0\0\0\0\xc3\x28",  # no UTF-8
    b"\x81\x82\0\0\0\0" + b"4\0",  # a NUL
    b"\x01\x81\0\0\0\0" + b"4" + b"\x81\x81\0\0\0\0" + b"4",  # a new message amid another
    b"\x81\xff\x7f" + b"\xff" * 7 + b"\0\0\0\0abcd",  # an absurd length
])
def test_broken_frames_close(site, data):
    with Raw(site.url) as raw:
        raw.socket.sock.sendall(data)
        assert raw.is_ended()
        assert raw.close_code in (1002, 1007, 1009)


def test_a_frame_byte_by_byte(site):
    payload = b"40/home,"
    with Raw(site.url) as raw:
        for byte in bytes([0x81, 0x80 | len(payload), 1, 2, 3, 4]) + bytes(
                value ^ (1, 2, 3, 4)[place % 4] for place, value in enumerate(payload)):
            raw.socket.sock.sendall(struct.pack("B", byte))
        assert raw.receive().startswith("40/home,")


def test_many_events_at_once_are_answered_in_order(site, me, key):
    """A client that does not wait: one job at a time, in order, none lost."""
    with Raw(site.url, cookie=me.session_cookie) as raw:
        raw.join(key=key, revision=revision_of(me, key))
        raw.settle()
        for number in range(40):
            raw.send(f'42/notes,{number}["create-message",{{"message":"n{number}"}}]')
        answers, messages = [], []
        while len(answers) < 40 or len(messages) < 40:
            text = raw.receive()
            if text.startswith("43"):
                answers.append(int(text[len("43/notes,"):].split("[")[0]))
                assert text.endswith('["ok"]')
            else:
                messages.append(json.loads(text[len("42/notes,"):])[1]["message"])
        assert answers == list(range(40))
        assert messages == [f"n{number}" for number in range(40)]


# --- silence, slowness, numbers ---

def one_site(services, **settings):
    userauth = services.userauth().start()
    userauth.api().create("me", "a password of me")
    notes = services.notes(userauth, WRITES_PER_MIN=0, **settings).start()
    client = Client(notes.url)
    assert client.login("me", "a password of me").status_code == 302
    create_note(client, "k")
    return userauth, notes, client


def test_no_pong_closes_and_a_pong_keeps(services):
    _, notes, _ = one_site(services, LIVE_PING_INTERVAL_MS=200, LIVE_PING_TIMEOUT_MS=12_000)
    with Raw(notes.url) as silent, Raw(notes.url) as talking, concurrent.futures.ThreadPoolExecutor(1) as pool:
        silent.join("/home", revision=1)
        talking.join("/home", revision=1)
        talking.event()
        ended = pool.submit(silent.is_ended)
        pongs_count = 0
        while pongs_count < 5 or not ended.done():
            assert talking.socket.recv() == "2"
            talking.send("3")
            pongs_count += 1
        assert ended.result()
        assert "2" in silent.last
        talking.send("41/home,")
        talking.join("/home")


def test_a_client_that_sends_no_more_is_closed(site):
    """It has shut down its side and still reads: nothing that it could ask for or answer will come."""
    with Raw(site.url) as raw:
        raw.join("/home", revision=1)
        raw.event()
        raw.socket.sock.shutdown(socket.SHUT_WR)
        assert raw.is_ended()


def test_no_namespace_closes(services):
    _, notes, _ = one_site(services, LIVE_CONNECT_TIMEOUT_MS=10_000)
    with Raw(notes.url) as joined:
        joined.join("/home")
        assert joined.event()[1] == "notetitles"
        with Raw(notes.url) as lurking, Raw(notes.url) as lost:
            lost.send("40/nowhere,")
            lost.receive()
            assert lurking.is_ended()
            assert lost.is_ended()
        joined.send("41/home,")
        joined.join("/home")


def test_a_client_that_does_not_read_is_cut_and_catches_up(services):
    _, notes, me = one_site(services, LIVE_QUEUE_BYTES=1)
    at = revision_of(me, "k")
    with Raw(notes.url, sockopt=((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),)) as slow, Raw(notes.url) as quick:
        for raw in (slow, quick):
            raw.join(key="k", revision=at)
            raw.settle()
        fields = me.html("/notes/edit?key=k").form("/notes/save").fields()
        for number in range(40):
            answer = me.post("/notes/save", {**fields, "version": 1 + number, "body": f"{number} " + "word " * 100_000})
            assert answer.status_code == 302
            _, name, data = quick.event()
            assert name in ("noteupdated", "snapshot") and data["body"].split()[0] == str(number)
            if notes.log_lines(event="live.client_cut"):
                break
        notes.wait_log(event="live.client_cut")
    with Raw(notes.url) as back:
        back.join(key="k", revision=at)
        _, name, data = back.event()
        assert (name, data["revision"]) == ("snapshot", revision_of(me, "k"))


def test_one_large_frame_fits_whatever_the_limit(services):
    _, notes, me = one_site(services, LIVE_QUEUE_BYTES=1)
    fields = me.html("/notes/edit?key=k").form("/notes/save").fields()
    body = "<" * 1_000_000
    assert me.post("/notes/save", {**fields, "body": body}).status_code == 302
    with Raw(notes.url, timeout_s=60) as raw:
        raw.join(key="k")
        _, name, data = raw.event()
        assert name == "snapshot" and data["body"] == body


def test_sockets_per_address(services):
    _, notes, _ = one_site(services, SOCKETS_PER_ADDRESS=2)
    first, second = Raw(notes.url), Raw(notes.url)
    assert handshake_status(notes.url) == 429
    first.socket.shutdown()
    until(lambda: handshake_status(notes.url) == 101, "a place to be free again")
    second.socket.shutdown()


# --- sessions and the end ---

def test_a_destroyed_user_is_out_within_the_check(services):
    userauth, notes, me = one_site(services, USER_CHECK_S=2)
    with Live(notes.url, cookie=me.session_cookie, notes={"key": "k"}) as live, Live(notes.url, notes={"key": "k"}) as other:
        live.wait("snapshot")
        assert userauth.api().delete("/destroy/me").status_code == 200
        live.wait_closed(timeout_s=30)
        assert other.is_connected()


def test_a_changed_password_ends_the_session_at_the_next_event(services):
    userauth, notes, me = one_site(services, USER_CHECK_S=1)
    with Raw(notes.url, cookie=me.session_cookie) as raw:
        raw.join(key="k", revision=revision_of(me, "k"))
        userauth.api().post("/update-user/me", json={"plainPassword": "another password"})
        assert raw.is_ended() and raw.close_code == 1008


def test_a_comment_after_the_session_was_lost_is_refused(services):
    """It is gone without anybody telling the hub: the event itself must notice."""
    _, notes, me = one_site(services, USER_CHECK_S=3600)
    with Raw(notes.url, cookie=me.session_cookie) as raw:
        raw.join(key="k", revision=revision_of(me, "k"))
        kept_sessions.clear(notes)
        raw.send('42/notes,1["create-message",{"message":"am I still here?"}]')
        assert raw.is_ended()
        assert "am I still here?" not in "".join(raw.last)
    page = Client(notes.url).html(view_path("k"))
    assert "am I still here?" not in page.source


@contextlib.contextmanager
def nobody_notes(userauth, notes):
    """Meanwhile no look at a session notes anything of it, as userauth-svc stands still. One that had begun has ended: it would note
    the time of use that it had read."""
    userauth.signal(signal.SIGSTOP)
    postponed_count = len(notes.log_lines(event="session.check_postponed"))
    until(lambda: len(notes.log_lines(event="session.check_postponed")) > postponed_count, "a look that nobody answers")
    try:
        yield
    finally:
        userauth.signal(signal.SIGCONT)


@pytest.mark.parametrize("end", [kept_sessions.clear, lambda notes: kept_sessions.age(notes, used=7201),
                                 lambda notes: kept_sessions.age(notes, created=86401)], ids=["removed", "idle", "old"])
def test_a_session_that_is_over_closes_its_silent_sockets(services, end):
    """Nobody told the hub, and the client says nothing: it is found by looking."""
    userauth, notes, me = one_site(services, USER_CHECK_S=2, LOG_LEVEL="debug")
    with Raw(notes.url, cookie=me.session_cookie) as raw, Live(notes.url, notes={"key": "k"}) as stranger:
        raw.join(key="k", revision=revision_of(Client(notes.url), "k"))
        with nobody_notes(userauth, notes):
            end(notes)
        assert raw.is_ended() and raw.close_code == 1008
        assert stranger.is_connected()


def test_an_open_socket_is_no_use_of_its_session(services):
    """Else a forgotten window would keep somebody signed in."""
    userauth, notes, me = one_site(services, USER_CHECK_S=1, LOG_LEVEL="debug")
    with Raw(notes.url, cookie=me.session_cookie) as raw:
        raw.join(key="k", revision=revision_of(Client(notes.url), "k"))
        raw.settle()
        with nobody_notes(userauth, notes):
            kept_sessions.age(notes, used=3600, checked=100)
            before, = kept_sessions.rows(notes)
        until(lambda: kept_sessions.rows(notes)[0]["checked_unix_ms"] > before["checked_unix_ms"], "a look at the session")
        assert kept_sessions.rows(notes)[0]["used_unix_ms"] == before["used_unix_ms"]


def test_the_end_of_the_service_is_a_proper_goodbye(services):
    _, notes, me = one_site(services)
    with Raw(notes.url, cookie=me.session_cookie) as raw, Raw(notes.url) as idle:
        raw.join(key="k", revision=revision_of(me, "k"))
        assert notes.stop() == 0
        assert raw.is_ended() and raw.close_code == 1001
        assert idle.is_ended() and idle.close_code == 1001
    notes.start()
    with Raw(notes.url) as raw:
        raw.join(key="k", revision=revision_of(me, "k"))
        raw.settle()
        comment(me, "k", "after the restart")
        assert raw.event()[2]["message"] == "after the restart"


def test_no_secret_and_no_text_in_the_log(services):
    _, notes, me = one_site(services)
    with Live(notes.url, cookie=me.session_cookie, notes={"key": "k"}) as live:
        assert live.call("create-message", {"message": "a text for no log"}) == "ok"
    notes.wait_log(event="comment.created", user="me", peer="127.0.0.1")
    text = notes.stdout_text()
    assert "a text for no log" not in text and me.session_cookie not in text
