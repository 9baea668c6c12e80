# SPDX-License-Identifier: MIT
"""A site in steady use while something is done to it: readers, signed-in people who comment, others who sign in and out, and
browsers with a live socket that come back when they lose it. What went wrong is kept and told at the end.

    with Load(site, key, people=("ann", "bob")) as load:
        load.go_on()                    # returns when everybody has done some more
        site.up(replicas=3)
        load.go_on()
        load.settle()                   # nobody writes any more, and all have seen everything
    assert load.faults() == []
    print(load.told())
"""
import itertools
import json
import random
import re
import threading
import time

import requests
import websocket

from harness.client import Client
from harness.live import Raw
from harness.page import Page
from harness.wait import until
from notes_verbs import view_path
from viewers import NoteView, read_note_page

PATIENCE_S = 20
PAUSE_S = {"reader": 0.05, "writer": 0.25, "guest": 0.25}  # a user may write 300 times a minute
MORE_COUNT = 20
MORE_TIMEOUT_S = 90
SETTLE_TIMEOUT_S = 60
NET_ERRORS = (requests.RequestException, OSError, websocket.WebSocketException, AssertionError)
JSON = {"Accept": "application/json"}


class _Person(threading.Thread):
    """Does `act` again and again until stop(). `count` is what went well; `failed` holds the rest as sentences."""
    kind = ""

    def __init__(self, site, key, name):
        super().__init__(name=name, daemon=True)
        self.site, self.key = site, key
        self.count = 0
        self.failed = []
        self.is_over = threading.Event()

    def run(self):
        while not self.is_over.is_set():
            try:
                self.act()
            except Exception as fault:  # pylint: disable=broad-exception-caught  # told at the end
                self.fail(repr(fault))
            self.is_over.wait(PAUSE_S.get(self.kind, 0))

    def fail(self, text):
        self.failed.append(f"{time.strftime('%H:%M:%S', time.gmtime())} {self.name}: {text[:300]}")

    def expect(self, client, method, path, status=200, **options):
        """The answer, or None after a failure that was noted."""
        try:
            answer = getattr(client, method)(path, timeout=PATIENCE_S, **options)
        except NET_ERRORS as error:
            self.fail(f"{method} {path}: {error!r}")
            return None
        if answer.status_code != status:
            reason = re.search(r"<title>.*?</title>", answer.text)
            self.fail(f"{method} {path}: {answer.status_code} {answer.headers.get('Location', '')} {reason[0] if reason else ''} "
                      f"{answer.headers.get('X-Request-Id', '')}")
            return None
        self.count += 1
        return answer


class Reader(_Person):
    """Pages and an asset, in turn on a connection that is kept and on a new one."""
    kind = "reader"

    def __init__(self, site, key, name):
        super().__init__(site, key, name)
        self.kept = Client(site.url)
        page = Page(self.kept.get("/").text)
        asset = page.first("link", rel="stylesheet")["href"]
        self.paths = itertools.cycle(["/", view_path(key), asset, "/users/login", view_path(key)])
        self.turns = itertools.cycle([True, True, False])

    def act(self):
        client = self.kept if next(self.turns) else Client(self.site.url)
        self.expect(client, "get", next(self.paths))
        if client is not self.kept:
            client.http.close()


class Writer(_Person):
    """Comments, and looks whether the session still holds. `answered` maps the ids of comments to their texts."""
    kind = "writer"

    def __init__(self, site, key, name, user):
        super().__init__(site, key, name)
        self.client = site.sign_in(user)
        self.client.csrf()
        self.cookie = self.client.session_cookie
        self.serials = itertools.count(1)
        self.answered = {}
        self.lost_sessions = 0

    def act(self):
        number = next(self.serials)
        text = f"{self.name} says {number}"
        answer = self.expect(self.client, "post", "/notes/comment", data={"key": self.key, "message": text}, headers=JSON)
        if answer is not None:
            self.answered[int(answer.json()["id"])] = text
        if number % 4 == 0:
            self.look()

    def look(self):
        try:
            answer = self.client.get("/notes/add", timeout=PATIENCE_S)
        except NET_ERRORS as error:
            self.fail(f"get /notes/add: {error!r}")
            return
        if answer.status_code == 302 or self.client.session_cookie != self.cookie:
            self.lost_sessions += 1
            self.fail(f"the session is lost: {answer.status_code} {answer.headers.get('Location')}")
        elif answer.status_code != 200:
            self.fail(f"get /notes/add: {answer.status_code}")
        else:
            self.count += 1


class Guest(_Person):
    """Signs in and out."""
    kind = "guest"

    def __init__(self, site, key, name, user):
        super().__init__(site, key, name)
        self.user = user

    def act(self):
        client = Client(self.site.url)
        form = {"username": self.user, "password": self.site.passwords[self.user]}
        if self.expect(client, "post", "/users/login", 302, data=form) is None:
            return
        if not client.is_signed_in:
            self.fail("the password was refused")
        self.expect(client, "post", "/users/logout", 302)
        client.http.close()


class Watcher(_Person):
    """A browser with the note's page open. It follows by the rules of the page's script and keeps all that it showed."""

    def __init__(self, site, key, name):
        super().__init__(site, key, name)
        self.view = NoteView(key)
        assert self.view.open_page(site.url)
        self.first = max((one[0] for one in self.view.now.comments), default=0)
        self.is_joined = False
        self.sockets = 0
        self.random = random.Random(name)

    def act(self):
        try:
            raw = Raw(self.site.url, timeout_s=PATIENCE_S)
        except NET_ERRORS as error:
            self.fail(f"no socket: {error!r}")
            self.is_over.wait(0.2)
            return
        self.sockets += 1
        try:
            with raw:
                self.follow(raw)
        except NET_ERRORS:
            pass  # an open socket may end at any time: one comes back
        finally:
            self.is_joined = False
        self.is_over.wait(self.random.uniform(0.05, 0.3))

    def follow(self, raw):
        raw.send("40/notes," + json.dumps(self.view.greeting()))
        raw.socket.settimeout(0.2)
        while not self.is_over.is_set():
            try:
                text = raw.socket.recv()
            except websocket.WebSocketTimeoutException:
                continue
            if not text:
                return
            if text == "2":
                raw.send("3")
            elif text.startswith("40/notes,"):
                self.is_joined = True
            elif text.startswith("42/notes,"):
                name, *data = json.loads(text[len("42/notes,"):])
                self.count += 1
                if self.view.apply(name, data[0] if data else None):
                    raw.send('42/notes,["snapshot"]')

    @property
    def seen(self):
        """Ids of all comments that this one has shown at some time."""
        return {one[0] for chain in self.view.chains for shown in chain for one in shown.comments}

    def shows_twice(self):
        ids = [[one[0] for one in shown.comments] for chain in self.view.chains for shown in chain]
        return any(len(set(shown)) != len(shown) for shown in ids)


class Load:
    def __init__(self, site, key, people=("ann", "bob"), readers=2, watchers=6):
        """`key` is the key of a note that is there."""
        self.site, self.key = site, key
        self.readers = [Reader(site, key, f"reader-{number}") for number in range(readers)]
        self.writers = [Writer(site, key, f"writer-{user}", user) for user in people]
        self.guest = Guest(site, key, "guest", people[0])
        self.watchers = [Watcher(site, key, f"watcher-{number}") for number in range(watchers)]

    @property
    def everybody(self):
        return [*self.readers, *self.writers, self.guest, *self.watchers]

    def __enter__(self):
        for person in self.everybody:
            person.start()
        return self

    def __exit__(self, *_):
        self._stop(self.everybody)

    def more_watchers(self, count):
        """So many browsers more open the page."""
        for _ in range(count):
            self.watchers.append(Watcher(self.site, self.key, f"watcher-{len(self.watchers)}"))
            self.watchers[-1].start()

    def sockets(self):
        """How many sockets were opened until now."""
        return sum(watcher.sockets for watcher in self.watchers)

    @staticmethod
    def _stop(people):
        for person in people:
            person.is_over.set()
        for person in people:
            person.join(PATIENCE_S * 2)
            assert not person.is_alive(), f"{person.name} does not end"

    def go_on(self, more=MORE_COUNT):
        """Waits until everybody has done so many things more, and every socket is open."""
        start = {person: person.count for person in self.everybody}
        until(lambda: all(person.count >= start[person] + more for person in self.everybody)
              and all(watcher.is_joined for watcher in self.watchers), f"the site goes on\n{self.told()}", MORE_TIMEOUT_S)

    def settle(self):
        """Nobody writes any more; returns when all browsers show what the page has then. A replica may send the page that it keeps
        until it has heard of the last comment."""
        self._stop([*self.readers, *self.writers, self.guest])
        page = until(self._page_with_all, "a page with the last comment that was answered")
        for watcher in self.watchers:
            until(lambda: watcher.view.now.revision == page.revision, f"{watcher.name} to show the last change", SETTLE_TIMEOUT_S)
            shown = watcher.view.now
            newest = shown.comments[:len(page.comments)]  # a page has only those
            assert (shown.title, shown.body, newest) == (page.title, page.body, page.comments), watcher.name

    def _page_with_all(self):
        page = read_note_page(self.site.url, self.key)
        return page if page and max((one[0] for one in page.comments), default=0) >= max(self.answered, default=0) else None

    @property
    def answered(self):
        """Ids and texts of all comments that were answered."""
        return {number: text for writer in self.writers for number, text in writer.answered.items()}

    def missed(self):
        """Pairs of a browser and a comment that it never showed, although it was there when the comment was made."""
        return [(one.name, number) for one in self.watchers for number in sorted({*self.answered} - one.seen) if number > one.first]

    def lost_sessions(self):
        return sum(writer.lost_sessions for writer in self.writers)

    def failed(self):
        return [text for person in self.everybody for text in person.failed]

    def faults(self):
        """All that may not be, as sentences."""
        twice = [f"{one.name} was told twice: {one.view.twice}" for one in self.watchers if one.view.twice]
        twice += [f"{one.name} showed a comment twice" for one in self.watchers if one.shows_twice()]
        return self.failed() + [f"{name} missed comment {number}" for name, number in self.missed()] + twice

    def told(self):
        count = sum(person.count for person in (*self.readers, *self.writers, self.guest))
        return (f"{count} requests ({self.guest.count // 2} logins), {len(self.answered)} comments, {len(self.watchers)} browsers "
                f"({self.sockets()} sockets): {len(self.failed())} failed, "
                f"{self.lost_sessions()} sessions lost, {len(self.missed())} events missed")
