# SPDX-License-Identifier: MIT
"""People who write: each is signed in and does random things at random replicas, by HTTP and over sockets. A ledger keeps
what each write was answered: done (it must be there, once), refused (it must not), unknown (once at most).
"""
import json
import random
import threading
import time
from dataclasses import dataclass, field

import requests
import websocket

from harness.client import Client
from harness.live import Raw
from harness.page import Page
from notes_verbs import edit_path, view_path
from viewers import read_note_page

JSON = {"Accept": "application/json"}
PATIENCE_S = 20
NET_ERRORS = (requests.RequestException, OSError, websocket.WebSocketException)


@dataclass
class Ledger:
    """texts and comments: {token: outcome}; unmade: {comment id: outcome}; destroys: [(key, outcome)];
    reads: (key, revision written, Shown by a replica afterwards); answers: (comment's JSON, key)."""
    texts: dict = field(default_factory=dict)
    comments: dict = field(default_factory=dict)
    unmade: dict = field(default_factory=dict)
    destroys: list = field(default_factory=list)
    reads: list = field(default_factory=list)
    answers: list = field(default_factory=list)
    faults: list = field(default_factory=list)


class Lost(Exception):
    """This writer's session was refused although nobody ended it."""


class Writer(threading.Thread):
    """Writes until stop(). `users` maps names to passwords; `keys` are the notes."""
    rest_s = 0.06  # at most, between two acts

    def __init__(self, name, site, keys, seed, log):
        super().__init__(name=name, daemon=True)
        self.site = site
        self.keys = keys
        self.random = random.Random(f"{seed} {name}")
        self.log = lambda text: log(name, text)
        self.token = f"{seed}-{name}"
        self.ledger = Ledger()
        self.is_over = threading.Event()
        self.serial = 0
        self.done = 0
        self.user = self.random.choice(list(site.passwords))
        self.cookies = None
        self.csrf = None
        self.mine = []  # (key, id) of comments that are ours
        self.owned = set()

    def run(self):
        acts = ((self.comment, 34), (self.comment_by_socket, 14), (self.uncomment, 12), (self.edit, 14), (self.create, 9),
                (self.destroy, 5), (self.look, 8), (self.leave, 4))
        try:
            while not self.is_over.is_set():
                act, = self.random.choices([act for act, _ in acts], [weight for _, weight in acts])
                try:
                    if self.cookies is None:
                        self.enter()
                        continue
                    act()
                except Lost as lost:
                    if not self.may_be_lost():
                        raise
                    self.log(f"signs in again: {lost}")
                    self.cookies = None
                self.is_over.wait(self.random.uniform(0, self.rest_s))
        except Exception as fault:  # pylint: disable=broad-exception-caught  # the judge says what it was
            self.ledger.faults.append(f"{self.name}: {fault!r}")
            self.log(f"ended by {fault!r}")

    def may_be_lost(self):
        """Has something ended this session that may?"""
        return False

    def stop(self):
        self.is_over.set()

    # --- at a replica ---

    def client(self):
        self.place = self.random.randrange(len(self.site.urls))
        client = Client(self.site.urls[self.place])
        if self.cookies is not None:
            client.http.cookies.update(self.cookies)
        return client

    def new_token(self):
        self.serial += 1
        return f"{self.token}-{self.serial}"

    def send(self, path, fields, headers=None):
        """POSTs; (outcome, answer). No answer and 503 are unknown; a refused session is a fault."""
        with_token = {**fields, "csrf": self.csrf}
        client = self.client()
        try:
            answer = client.post(path, with_token, headers=headers, timeout=PATIENCE_S)
        except NET_ERRORS as error:
            self.log(f"POST {path} {fields} at {self.place}: {type(error).__name__}")
            return "unknown", None
        self.log(f"POST {path} {fields} at {self.place}: {answer.status_code}")
        if answer.status_code == 401 or answer.headers.get("Location") in ("/users/login", "login"):
            raise Lost(f"{path} at {self.place}: {answer.status_code} {answer.headers.get('Location')}")
        if answer.status_code in (200, 302):
            self.done += 1
            self.cookies.update(client.http.cookies)
            return "done", answer
        if answer.status_code == 503:
            return "unknown", answer
        if answer.status_code in (403, 404, 409):
            return "refused", answer
        raise AssertionError(f"{path}: {answer.status_code} {answer.text[:300]}")

    def get(self, path):
        """The page, or None when it can't be had."""
        try:
            answer = self.client().get(path, timeout=PATIENCE_S)
        except NET_ERRORS:
            return None
        if answer.headers.get("Location") in ("/users/login", "login"):
            raise Lost(f"{path} at {self.place} leads to the login")
        assert answer.status_code in (200, 404, 503), (path, answer.status_code, answer.text[:300])
        return Page(answer.text) if answer.status_code == 200 else None

    # --- coming and going ---

    def enter(self):
        client = self.client()
        try:
            answer = client.login(self.user, self.site.passwords[self.user])
        except NET_ERRORS:
            answer = None
        if answer is None or answer.status_code != 302 or not client.is_signed_in:
            self.is_over.wait(0.2)
            return
        self.cookies = client.http.cookies
        self.log(f"signs in as {self.user} at {self.place}")
        while not self.is_over.is_set():
            page = self.get("/notes/add")
            if page is not None:
                self.csrf = page.first("input", name="csrf")["value"]
                return
            self.is_over.wait(0.2)

    def leave(self):
        """Logs out at one replica; when that was answered, no replica may know the session any more."""
        old = self.cookies
        client = self.client()
        self.cookies = None  # whatever is answered: without an answer the session may have ended or not
        try:
            answer = client.logout()
        except NET_ERRORS:
            return
        self.log(f"logs out at {self.place}: {answer.status_code}")
        if answer.status_code != 302:
            return
        client = self.client()
        client.http.cookies.update(old)
        try:
            after = client.get("/notes/add")
        except NET_ERRORS:
            return
        if after.status_code == 200:
            self.ledger.faults.append(f"{self.name}: still signed in at {self.place} after a logout")

    # --- writing ---

    def comment(self):
        key, message = self.random.choice(self.keys), self.new_token()
        outcome, answer = self.send("/notes/comment", {"key": key, "message": message}, JSON)
        self.ledger.comments[message] = outcome
        if outcome != "done":
            return
        made = answer.json()
        self.mine.append((key, int(made["id"])))
        self.ledger.answers.append((made, key))
        if self.random.random() < 0.3:
            self.read_own(key, made["revision"])

    def read_own(self, key, revision):
        """What this browser wrote is on any replica's page, or something that came after it."""
        try:
            shown = read_note_page(self.random.choice(self.site.urls), key, self.cookies)
        except NET_ERRORS:
            return
        if shown is not None:
            self.ledger.reads.append((key, revision, shown))

    def comment_by_socket(self):
        key, count = self.random.choice(self.keys), self.random.randint(1, 4)
        cookie = self.client().session_cookie
        messages = [self.new_token() for _ in range(count)]
        self.ledger.comments.update(dict.fromkeys(messages, "unknown"))
        try:
            with Raw(self.site.urls[self.place], cookie=cookie, timeout_s=PATIENCE_S) as raw:
                raw.send("40/notes," + json.dumps({"key": key}))
                for number, message in enumerate(messages):
                    raw.send(f"42/notes,{number}" + json.dumps(["create-message", {"message": message}]))
                for number, message in enumerate(messages):
                    self.ledger.comments[message] = self.acknowledged(raw, number)
        except (*NET_ERRORS, AssertionError) as error:
            self.log(f"socket at {self.place}: {type(error).__name__} {str(error)[:80]}")
        self.log(f"by socket at {self.place} in {key}: " + str({m: self.ledger.comments[m] for m in messages}))

    def acknowledged(self, raw, number):
        start = f"43/notes,{number}["
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            text = raw.receive()
            if not text.startswith(start):
                continue
            answer = json.loads(text[len(start) - 1:])[0]
            if answer == "ok":
                self.done += 1
                return "done"
            if answer["code"] == "ServiceUnavailable":
                return "unknown"
            if answer["code"] == "InvalidCredentials" and self.may_be_lost():
                raise Lost(f"socket at {self.place}")
            if answer["code"] != "ResourceNotFound":
                self.ledger.faults.append(f"{self.name}: a comment by socket was answered {answer}")
            return "refused"
        return "unknown"

    def uncomment(self):
        if not self.mine:
            return
        key, number = self.mine.pop(self.random.randrange(len(self.mine)))
        self.ledger.unmade[number], _ = self.send("/notes/comment/destroy", {"key": key, "id": number}, JSON)

    def create(self):
        key, body = self.random.choice(self.keys), self.new_token()
        fields = {"docreate": "create", "notekey": key, "title": "T " + body, "body": body}
        self.ledger.texts[body], _ = self.send("/notes/save", fields)

    def edit(self):
        key, body = self.random.choice(self.keys), self.new_token()
        page = self.get(edit_path(key))
        form = page.form("/notes/save") if page is not None else None
        if form is None:
            return
        fields = {**form.fields(), "title": "T " + body, "body": body}
        fields.pop("csrf")
        self.ledger.texts[body], _ = self.send("/notes/save", fields)

    def destroy(self):
        key = self.random.choice(self.keys)
        outcome, _ = self.send("/notes/destroy/confirm", {"notekey": key})
        self.ledger.destroys.append((key, outcome))

    def look(self):
        self.get(self.random.choice(["/", view_path(self.random.choice(self.keys))]))
