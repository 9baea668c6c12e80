# SPDX-License-Identifier: MIT
"""Socket.IO's own JavaScript client connects as it is, hears events, is answered, and comes back after a loss."""
import json
import queue
import subprocess
import threading

import pytest

from harness import npm, programs
from harness.client import Client
from notes_verbs import comment, create_note, destroy_note, edit_note

EVENT_WAIT_S = 20


class Official:
    def __init__(self, place, url, namespace, auth, cookie=None):
        arguments = [url, namespace, json.dumps(auth), *([f"notescookie.sid={cookie}"] if cookie else [])]
        self.process = subprocess.Popen(["node", str(place / "client.mjs"), *arguments], stdin=subprocess.PIPE, text=True,
                                        stdout=subprocess.PIPE, preexec_fn=programs.die_with_parent)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def command(self, *words):
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()

    def next(self):
        return self.lines.get(timeout=EVENT_WAIT_S)

    def call(self, *words):
        self.command("call", *words)
        kind, answer = self.next()
        assert kind == "answer", (kind, answer)
        return answer

    def __enter__(self):
        kind, *rest = self.next()
        assert kind == "connect", (kind, rest)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(20) == 0


@pytest.fixture(scope="module")
def official(site):
    place, fault = npm.install("official_client")
    if fault:
        pytest.skip("Socket.IO's client: " + fault)

    def start(namespace, auth, cookie=None):
        return Official(place, site.url, namespace, auth, cookie)

    return start


@pytest.fixture
def me(site):
    client = Client(site.url)
    assert client.login("me", site.passwords["me"]).status_code == 302
    return client


def test_a_note_and_its_comments(me, official):
    create_note(me, "watched", title="First", body="text")
    with official("/notes", {"key": "watched"}) as client:
        kind, name, state = client.next()
        assert (kind, name, state["title"], state["comments"]) == ("event", "snapshot", "First", [])
        made = comment(me, "watched", "hello")
        _, name, heard = client.next()
        assert (name, heard["id"], heard["from"], heard["message"]) == ("newmessage", made["id"], "me", "hello")
        assert heard["previous"] == state["revision"]
        edit_note(me, "watched", title="Second")
        _, name, heard = client.next()
        assert (name, heard["title"]) == ("noteupdated", "Second")
        destroy_note(me, "watched")
        assert client.next() == ["event", "notedestroyed", "watched"]


def test_a_signed_in_client_comments_and_deletes(me, official):
    create_note(me, "spoken")
    with official("/notes", {"key": "spoken"}, me.session_cookie) as client:
        client.next()
        client.command("call", "create-message", {"message": "by socket", "from": "somebody else"})
        both = sorted((client.next() for _ in range(2)), key=lambda line: line[0])
        assert both[0] == ["answer", "ok"]
        assert (both[1][1], both[1][2]["from"], both[1][2]["message"]) == ("newmessage", "me", "by socket")
        client.command("call", "delete-message", {"id": both[1][2]["id"]})
        both = sorted((client.next() for _ in range(2)), key=lambda line: line[0])
        assert both[0] == ["answer", "ok"] and both[1][1] == "destroymessage"


def test_a_stranger_hears_but_does_not_speak(me, official):
    create_note(me, "public")
    with official("/notes", {"key": "public"}) as client:
        client.next()
        assert client.call("create-message", {"message": "anonymous"})["code"] == "InvalidCredentials"


def test_the_home_list(me, official):
    with official("/home", {}) as client:
        assert client.next()[1] == "notetitles"
        create_note(me, "listed", title="A new one")
        _, name, heard = client.next()
        assert (name, heard["notelist"][0]) == ("notetitles", {"key": "listed", "title": "A new one"})


def test_a_lost_connection_is_made_again_and_nothing_is_missed(me, official):
    create_note(me, "lost")
    with official("/notes", {"key": "lost"}) as client:
        client.next()
        client.command("drop")
        assert client.next()[0] == "disconnect"
        comment(me, "lost", "said meanwhile")
        lines = [client.next()]
        while "said meanwhile" not in json.dumps(lines[-1]):
            lines.append(client.next())
        assert lines[0][0] == "connect" and all(line[0] == "event" for line in lines[1:]), lines
        assert lines[1][1] == "snapshot"


def test_an_unknown_namespace_is_refused_by_name(official):
    client = official("/elsewhere", {})
    assert client.next() == ["connect_error", "Invalid namespace"]
    client.process.stdin.close()
    assert client.process.wait(20) == 0
