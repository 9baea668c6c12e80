# SPDX-License-Identifier: MIT
"""Browsers without a browser: they follow a note or the home list by the rules of the page's script, on any replica, lose
the connection and come back with the revision that they have. Everything that they showed is kept, for a judge.

RawViewer speaks the protocol by hand over python3-websocket, SocketioViewer is the official python-socketio.
"""
import json
import random
import threading
import time
from dataclasses import dataclass

import requests
import socketio
import websocket

from harness.client import Client
from harness.live import Raw
from harness.page import Page
from history import PAGE_COMMENTS
from notes_verbs import note_titles, shown_comments, view_path

CONNECT_TIMEOUT_S = 10
NET_ERRORS = (OSError, websocket.WebSocketException, AssertionError, socketio.exceptions.SocketIOError)


@dataclass(frozen=True)
class Shown:
    """What somebody sees of a note. Of comments older than `bound` nothing is known. A page reads the comments after the
    note: they may be those of a later revision, and then the socket that comes with the page's gets the whole state."""
    when: float
    is_gone: bool
    revision: int = 0
    title: str = ""
    body: str = ""
    comments: tuple = ()
    bound: int = 0
    is_page: bool = False

    def fault_against(self, state):
        """What differs from a state of the history; None when nothing does."""
        if self.is_gone or state.is_gone:
            return None if self.is_gone == state.is_gone else f"is_gone {self.is_gone}"
        if (self.title, self.body) != (state.title, state.body):
            return f"shows {self.title!r} {self.body!r}, it was {state.title!r} {state.body!r}"
        if not self.has_comments_of(state):
            return f"comments {[c[0] for c in self.comments]}, were {[c[0] for c in state.comments]}"
        return None

    def has_comments_of(self, state):
        return self.comments == tuple(one for one in state.comments if one[0] >= self.bound)


def bound_of(comments):
    return comments[-1][0] if len(comments) >= PAGE_COMMENTS else 0


def read_note_page(url, key, cookies=None):
    """What a replica's page of the note shows to a stranger, or to the browser with these cookies, as Shown; None when it
    can't be had now."""
    client = Client(url)
    client.http.cookies.update(cookies or {})
    answer = client.get(view_path(key))
    if answer.status_code == 404:
        return Shown(time.monotonic(), True)
    if answer.status_code != 200:
        return None
    page = Page(answer.content.decode())
    assert page.faults == [], page.faults
    comments = tuple((int(name.removeprefix("note-message-")), item.first(class_="comment-author").text,
                      item.first(class_="comment-text").text) for name, item in shown_comments(page).items())
    return Shown(time.monotonic(), False, int(page.by_id("note")["data-revision"]), page.text("notetitle"),
                 page.text("notebody").strip(), comments, bound_of(comments), True)


def read_all_comments(url, key):
    """Every comment of a note, over the links to older ones: texts, newest first."""
    client, path, texts = Client(url), view_path(key), []
    while path:
        page = client.html(path)
        texts += [item.first(class_="comment-text").text for item in shown_comments(page).values()]
        older = page.first("a", rel="next")
        path = older["href"] if older is not None else None
    return texts


def read_home_page(url):
    """(revision, ((key, title), ...)) of a replica's first page; None when it can't be had now."""
    answer = Client(url).get("/")
    if answer.status_code != 200:
        return None
    page = Page(answer.content.decode())
    return int(page.by_id("notetitles")["data-revision"]), tuple(note_titles(page))


class NoteView:
    """The page's rules for one note (followNote and its handlers in notes.js)."""
    namespace = "/notes"
    events = ("noteupdated", "notedestroyed", "newmessage", "destroymessage", "snapshot")

    def __init__(self, key):
        self.key = key
        self.now = Shown(0, True)
        self.chains = [[]]  # of Shown; a new page begins a new one
        self.seen = set()
        self.twice = []

    def open_page(self, url):
        """Loads the page anew, as a person would. A page without the note has no socket; we look for it anyway."""
        shown = read_note_page(url, self.key)
        if shown is None:
            return False
        self.chains.append([])
        self._show(shown)
        return True

    def greeting(self):
        return {"key": self.key, "revision": self.now.revision}

    def _show(self, shown):
        self.now = shown
        self.chains[-1].append(shown)

    def apply(self, name, data):
        """Returns whether the whole state must be asked for."""
        identity = (name, data.get("id", data["revision"])) if isinstance(data, dict) and name != "snapshot" else None
        if identity in self.seen:
            self.twice.append(identity)
        if identity:
            self.seen.add(identity)
        when = time.monotonic()
        if name == "notedestroyed":
            self._show(Shown(when, True))
        elif name == "snapshot":
            comments = tuple((int(c["id"]), c["from"], c["message"]) for c in data["comments"])
            self._show(Shown(when, False, data["revision"], data["title"], data["body"], comments, bound_of(comments)))
        elif data["revision"] == self.now.revision:
            return False
        elif data["previous"] != self.now.revision:
            return True
        else:
            self._follow(when, name, data)
        return False

    def _follow(self, when, name, data):
        title, body, comments = self.now.title, self.now.body, self.now.comments
        if name == "noteupdated":
            title, body = data["title"], data["body"]
        elif name == "newmessage":
            made = (int(data["id"]), data["from"], data["message"])
            comments = comments if made in comments else (made, *comments)
        elif name == "destroymessage":
            comments = tuple(one for one in comments if one[0] != int(data["id"]))
        self._show(Shown(when, False, data["revision"], title, body, comments, self.now.bound))


class HomeView:
    """The rules for the list of notes (startHomeLive in notes.js)."""
    namespace = "/home"
    events = ("notetitles",)

    def __init__(self):
        self.revision = 0
        self.titles = ()
        self.chains = [[]]  # of (is_page, revision, titles)
        self.twice = []

    def open_page(self, url):
        page = read_home_page(url)
        if page is None:
            return False
        self.chains.append([])
        self._show(*page, is_page=True)
        return True

    def greeting(self):
        return {"revision": self.revision}

    def _show(self, revision, titles, is_page=False):
        self.revision, self.titles = revision, titles
        self.chains[-1].append((is_page, revision, titles))

    def apply(self, _, data):
        if data["revision"] != self.revision:
            self._show(data["revision"], tuple((one["key"], one["title"]) for one in data["notelist"]))
        return False


class Viewer(threading.Thread):
    """Follows until stop(); drops and comes back until calm(). `log` takes (when, who, text)."""

    def __init__(self, name, view, site, seed, log):
        super().__init__(name=name, daemon=True)
        self.view = view
        self.site = site
        self.random = random.Random(f"{seed} {name}")
        self.log = lambda text: log(name, text)
        self.is_joined = False
        self.is_calm = threading.Event()
        self.is_over = threading.Event()
        self.joins = 0
        self.heard = []  # (which connection, revision) in the order in which they came
        self.fault = None

    def run(self):
        try:
            while not self.is_over.is_set():
                self._once()
        except Exception as fault:  # pylint: disable=broad-exception-caught  # the judge says what it was
            self.fault = repr(fault)
            self.log(f"ended by {fault!r}")

    def _once(self):
        place = self.random.randrange(self.site.count)
        url = self.site.urls[place]  # asked for each time: a port that was taken meanwhile is another
        try:
            if self.random.random() < 0.2 and not self.view.open_page(url):
                return
            self.log(f"connects to {place} with {self.view.greeting()}")
            self.follow(url, self._stay_s())
        except (*NET_ERRORS, requests.RequestException) as error:
            self.log(f"lost the connection: {type(error).__name__} {str(error)[:80]}")
        finally:
            self.is_joined = False
        self.is_over.wait(self.random.uniform(0.02, 0.5))

    def _stay_s(self):
        return self.random.uniform(0.3, 6)

    def joined(self):
        self.joins += 1
        self.is_joined = True

    def hear(self, name, data):
        if isinstance(data, dict):
            self.heard.append((self.joins, data["revision"]))
        must_ask = self.view.apply(name, data)
        short = data if not isinstance(data, dict) else {n: data[n] for n in ("id", "previous", "revision") if n in data}
        self.log(f"hears {name} {short}{', asks' if must_ask else ''}")
        return must_ask

    def must_go(self, until_s):
        return self.is_over.is_set() or (not self.is_calm.is_set() and time.monotonic() > until_s)

    def calm(self):
        """Stays connected from now on, or comes back and then does."""
        self.is_calm.set()

    def stop(self):
        self.is_over.set()


class RawViewer(Viewer):
    """`frames` is everything that came, with its time."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.frames = []

    def follow(self, url, stay_s):
        namespace = self.view.namespace
        with Raw(url, timeout_s=CONNECT_TIMEOUT_S) as raw:
            raw.send(f"40{namespace},{json.dumps(self.view.greeting())}")
            raw.socket.settimeout(0.1)
            until_s = time.monotonic() + stay_s
            while not self.must_go(until_s):
                try:
                    text = raw.socket.recv()
                except websocket.WebSocketTimeoutException:
                    continue
                if text:
                    self._take(raw, text)

    def _take(self, raw, text):
        namespace = self.view.namespace
        self.frames.append((time.monotonic(), text[:200]))
        if text == "2":
            raw.send("3")
        elif text.startswith(f"40{namespace},"):
            self.joined()
        elif text.startswith(f"42{namespace},"):
            name, *data = json.loads(text[len(namespace) + 3:])
            if self.hear(name, data[0] if data else None):
                raw.send(f'42{namespace},["snapshot"]')


class SocketioViewer(Viewer):
    def follow(self, url, stay_s):
        namespace = self.view.namespace
        client = socketio.Client(reconnection=False)
        trigger = client.eio._trigger_event  # runs each message in a thread of its own, so that they overtake each other
        client.eio._trigger_event = lambda event, *args, run_async=False: trigger(event, *args, run_async=False)
        for event in self.view.events:
            client.on(event, self._hearer(client, event), namespace=namespace)
        try:
            client.connect(url, transports=["websocket"], auth=self.view.greeting(), namespaces=[namespace],
                           wait_timeout=CONNECT_TIMEOUT_S)
            self.joined()
            until_s = time.monotonic() + stay_s
            while client.connected and not self.must_go(until_s):
                time.sleep(0.05)
        finally:
            client.disconnect()

    def _hearer(self, client, event):
        def on_event(data=None):
            if self.hear(event, data):
                client.emit("snapshot", namespace=self.view.namespace)
        return on_event
