# SPDX-License-Identifier: MIT
"""Who comes to a site that is soaked, each a thread at a bounded rate: people who write (tests/replicas/writers.py), who read,
scripts at the user service, and those who send what they should not, or stand still.
"""
import random
import re
import socket
import threading
import time

import requests
import websocket

from harness.client import Client
from harness.live import Raw
from harness.programs import new_password
from harness.raw import Connection, request_bytes
from notes_verbs import view_path
from writers import NET_ERRORS, PATIENCE_S, Writer

ASSET = re.compile(r'(?:href|src)="(/assets/[^"]+)"')
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


class SoakWriter(Writer):
    rest_s = 0.25

    def __init__(self, name, site, keys, seed, log):
        super().__init__(name, site, keys, seed, log)
        self.entered_at = time.monotonic()

    def client(self):
        client = super().client()
        client.user = self.user
        return client

    def enter(self):
        self.entered_at = time.monotonic()  # before: Redis may be emptied while we sign in
        super().enter()

    def may_be_lost(self):
        return self.site.sessions_lost_at >= self.entered_at


class Visitor(threading.Thread):
    """Does `once` again and again until stop(); what it raises unforeseen is a fault."""
    rest_s = 0.1

    def __init__(self, name, site, seed, answers):
        super().__init__(name=name, daemon=True)
        self.site, self.answers = site, answers
        self.random = random.Random(f"{seed} {name}")
        self.is_over = threading.Event()

    def once(self):
        raise NotImplementedError

    def run(self):
        while not self.is_over.is_set():
            try:
                self.once()
            except NET_ERRORS:
                pass  # it was told to the observers, or is no request
            except Exception as fault:  # pylint: disable=broad-exception-caught  # the judge says what it was
                self.answers.fault(f"{self.name}: {fault!r}")
            self.is_over.wait(self.random.uniform(0, 2 * self.rest_s))

    def stop(self):
        self.is_over.set()

    def some_url(self):
        return self.random.choice(self.site.urls)


class Reader(Visitor):
    """Looks at pages at one replica after another on kept connections, signed in or not."""
    rest_s = 0.04
    READS = 30  # at one replica

    def __init__(self, name, site, seed, answers, keys, user=None):
        super().__init__(name, site, seed, answers)
        self.keys, self.user = keys, user

    def once(self):
        client = Client(self.some_url())
        if self.user is not None and client.login(self.user, self.site.passwords[self.user]).status_code != 302:
            return
        tag = None
        with client.http:
            for _ in range(self.READS):
                if self.is_over.is_set():
                    break
                note = view_path(self.random.choice(self.keys))
                path = self.random.choice(["/", note, note, "/?page=2", "/healthz", "/readyz", "/notes/view?key=none", "/users/login",
                                           "/notes/add"])
                answer = client.get(path, headers={"If-None-Match": tag} if tag and self.random.random() < 0.2 else None,
                                    timeout=PATIENCE_S)
                tag = answer.headers.get("ETag")
                assets = ASSET.findall(answer.text)
                if assets and self.random.random() < 0.1:
                    client.get(self.random.choice(assets), timeout=PATIENCE_S)
                self.is_over.wait(self.random.uniform(0, 2 * self.rest_s))
            if self.user is not None:
                client.logout()


class Steady(Visitor):
    """Asks the spared notes-svc for pages at a constant rate, on a kept connection: the more answers, the smaller the leak of
    each that can be told from noise."""
    rest_s = 0

    def __init__(self, name, site, seed, answers, keys, per_s):
        super().__init__(name, site, seed, answers)
        self.paths = ["/", *(view_path(key) for key in keys)]
        self.span_s = 1 / per_s

    def once(self):
        with Connection(self.site.notes[0].port, timeout_s=PATIENCE_S) as connection:
            due = time.monotonic()
            while not self.is_over.wait(max(0, due - time.monotonic())):
                due = max(due + self.span_s, time.monotonic() - 1)  # what was late for more than a second is left out
                begun = time.monotonic()
                connection.send(request_bytes("GET", self.random.choice(self.paths)))
                answer = connection.answer()
                self.answers.took("GET steady", begun)
                self.answers.count("GET steady", answer and answer.status)
                if answer is None:
                    self.is_over.wait(0.1)
                    return
                if answer.status not in (200, 404, 503):
                    self.answers.fault(f"steady: {answer}")


class Script(Visitor):
    """What userauth-cli and other programs ask of the user service. `alive` are users whose making was answered and whose end
    was not asked for: name to what they are called."""
    rest_s = 0.1

    def __init__(self, name, site, seed, answers, place):
        super().__init__(name, site, seed, answers)
        self.userauth = site.userauths[place % len(site.userauths)]
        self.serial = 0
        self.prefix = f"{name}-{seed}"
        self.alive = {}
        self.password = new_password("script")

    def ask(self, method, path, expected, **options):
        """The answer, or None for 503 and for none."""
        what = f"{method} /{path.split('/')[1].partition('?')[0]} (users)"
        begun = time.monotonic()
        try:
            with self.userauth.api() as api:
                answer = api.request(method, path, timeout=PATIENCE_S, **options)
        except requests.RequestException:
            self.answers.count(what, None)
            return None
        finally:
            self.answers.took(what, begun)
        self.answers.count(what, answer.status_code)
        if answer.status_code == 503:
            return None
        if answer.status_code not in expected:
            self.answers.fault(f"{what}: {answer.status_code} {answer.text[:300]}")
        return answer

    def once(self):
        self.random.choice((self.make, self.make, self.find, self.change, self.end, self.check, self.check_wrong, self.list,
                            self.malformed))()

    def make(self):
        self.serial += 1
        name = f"{self.prefix}-{self.serial}"
        answer = self.ask("POST", "/create-user", (200,), json={"username": name, "provider": "local", "givenName": "G",
                                                                "plainPassword": self.password})
        if answer is not None and answer.status_code == 200:
            self.alive[name] = "G"

    def some(self):
        return self.random.choice(list(self.alive)) if self.alive else None

    def find(self):
        name = self.some()
        if name is None:
            self.ask("GET", "/find/nobody-at-all", (404,))
            return
        answer = self.ask("GET", f"/find/{name}", (200,))
        called = self.alive[name]
        if answer is not None and called is not None and answer.json()["givenName"] != called:
            self.answers.fault(f"{name} is called {answer.json()}, it is {called}")

    def change(self):
        name = self.some()
        if name is None:
            return
        self.serial += 1
        called = f"G{self.serial}"
        self.alive[name] = None  # until it is answered, either
        answer = self.ask("POST", f"/update-user/{name}", (200,), json={"givenName": called})
        if answer is not None and answer.status_code == 200:
            self.alive[name] = called

    def end(self):
        name = self.some()
        if name is not None and len(self.alive) > 20:
            del self.alive[name]
            self.ask("DELETE", f"/destroy/{name}", (200,))

    def check(self):
        name = self.some()
        if name is None:
            return
        answer = self.ask("POST", "/password-check", (200, 429), json={"username": name, "password": self.password})
        if answer is not None and answer.status_code == 200 and answer.json()["check"] is not True:
            self.answers.fault(f"the password of {name} was refused")

    def check_wrong(self):
        self.serial += 1
        answer = self.ask("POST", "/password-check", (200, 429), json={"username": f"nobody-{self.serial % 50}", "password": "wrong"})
        if answer is not None and answer.json()["check"] is not False:
            self.answers.fault("a wrong password was taken")

    def list(self):
        self.ask("GET", "/list?limit=50", (200,))

    def malformed(self):
        body = self.random.choice((b"{", b'{"username":1}', b"\xff\xfe", b"[" * 500, b'{"a":1,"a":2}', b"null"))
        self.ask("POST", self.random.choice(("/create-user", "/password-check", "/update-user/me")), (400,), data=body,
                 headers={"Content-Type": "application/json"})

    def lost(self):
        """At the end: users that were made and are not there, or not as they were answered."""
        faults = []
        with self.userauth.api() as api:
            for name, called in self.alive.items():
                answer = api.get(f"/find/{name}")
                if answer.status_code != 200 or (called is not None and answer.json()["givenName"] != called):
                    faults.append(f"user {name}, called {called}: {answer.status_code} {answer.text[:200]}")
        return faults


class Rude(Visitor):
    """Malformed requests, clients that send or read slowly, or not at all, and live sockets that break the protocol."""
    rest_s = 0.15
    HOLD_S = 7  # longer than READ_TIMEOUT_S
    MALFORMED = (
        b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"BREW /notes/add HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 60_000 + b"\r\n\r\n",
        b"POST /users/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\nzz\r\n",
        b"GET /notes/view?key=%ff%fe%00 HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /notes/save HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx=%zz&y=1",
        b"GET /notes/view?key=k HTTP/1.1\r\nHost: a\r\nCookie: notescookie.sid=" + b"a" * 500 + b"\r\n\r\n")
    PACKETS = ("4", "42[]", "40/none,", '42/notes,["connect"]', "9", "451-", '40/notes,{"key":', "x" * 70_000, "3", "41/notes,",
               '42/notes,1["create-message",{"message":"m"}]', '42/notes,2["delete-message",{"id":"x"}]')

    def once(self):
        self.random.choice((self.malformed, self.malformed, self.slow_headers, self.slow_body, self.slow_reader, self.silent,
                            self.cut_short, self.bad_packets, self.bad_packets, self.binary_packet, self.foreign_socket,
                            self.deaf_socket, self.foreign_form, self.stranger_writes, self.wrong_password))()

    def connection(self):
        return Connection(self.random.choice(self.site.notes).port, timeout_s=PATIENCE_S)

    def hold(self):
        self.is_over.wait(self.random.choice((0.1, 0.5, 1, self.HOLD_S)))

    def take(self, connection, what):
        """What came, if anything, is no failure of the service."""
        try:
            status = STATUS.match(connection.socket.recv(65536))
        except socket.timeout:
            self.answers.fault(f"{what}: neither answer nor end in {PATIENCE_S} s")
            return
        status = status and int(status[1])
        self.answers.count(what, status)
        if status is not None and status >= 500 and status not in (503, 505, 501):
            self.answers.fault(f"{what}: {status}")

    def malformed(self):
        with self.connection() as connection:
            connection.try_send(self.random.choice(self.MALFORMED))
            connection.socket.shutdown(socket.SHUT_WR)
            self.take(connection, "malformed request")

    def slow_headers(self):
        with self.connection() as connection:
            for part in (b"GET / HT", b"TP/1.1\r\nHo", b"st: a\r\nX-A: b\r\n"):
                connection.try_send(part)
                self.hold()
            connection.try_send(b"\r\n")
            self.take(connection, "slow headers")

    def slow_body(self):
        with self.connection() as connection:
            connection.try_send(request_bytes("POST", "/users/login", [("Content-Length", "1000"),
                                                                       ("Content-Type", "application/x-www-form-urlencoded")]))
            for _ in range(3):
                connection.try_send(b"username=")
                self.hold()
            connection.socket.shutdown(socket.SHUT_WR)
            self.take(connection, "slow body")

    def slow_reader(self):
        with self.connection() as connection:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.try_send(request_bytes("GET", "/") * 20)
            self.hold()
            self.take(connection, "slow reader")

    def silent(self):
        with self.connection():
            self.hold()
        self.answers.count("silent connection", None)

    def cut_short(self):
        with self.connection() as connection:
            connection.try_send(request_bytes("POST", "/users/login", [("Content-Length", "500")], None) + b"username=me&pass")
        self.answers.count("request cut short", None)

    # --- live sockets ---

    def raw(self, **options):
        return Raw(self.some_url(), timeout_s=PATIENCE_S, **options)

    def bad_packets(self):
        with self.raw() as raw:
            raw.send(self.random.choice(("40/notes,{}", "40/home,", "40")))
            for _ in range(3):
                raw.send(self.random.choice(self.PACKETS))
            self.answers.count("malformed live packets", 200)

    def binary_packet(self):
        with self.raw() as raw:
            raw.socket.send_binary(b"\x04abc")
            self.answers.count("malformed live packets", 200)
            if not raw.is_ended():
                self.answers.fault("a binary packet did not end its socket")

    def foreign_socket(self):
        try:
            self.raw(origin="http://evil.example", suppress_origin=False)
        except websocket.WebSocketBadStatusException as refusal:
            self.answers.count("live socket of a foreign site", refusal.status_code)
            return
        self.answers.fault("a socket of a foreign origin was let in")

    def deaf_socket(self):
        """Joins a note, and reads nothing any more."""
        with self.raw() as raw:
            raw.send('40/notes,{"key":"%s"}' % "deaf")
            self.hold()
            self.answers.count("live socket that reads nothing", 200)

    # --- forms ---

    def foreign_form(self):
        """A page elsewhere sends a form of ours with the cookies of somebody who is signed in here."""
        client = Client(self.some_url())
        if client.login("them", self.site.passwords["them"]).status_code != 302 or not client.is_signed_in:
            return
        for origin, fields in (("http://evil.example", {}), (True, {"csrf": "0" * 43})):
            answer = client.post("/notes/save", {"docreate": "create", "notekey": "foreign", "title": "t", "body": "b", **fields},
                                 csrf=False, origin=origin, timeout=PATIENCE_S)
            if answer.status_code not in (302, 401, 403, 503) or (answer.status_code == 302 and "login" not in answer.headers["Location"]):
                self.answers.fault(f"a foreign form was answered {answer.status_code} {answer.headers}")

    def stranger_writes(self):
        answer = Client(self.some_url()).post("/notes/save", {"docreate": "create", "notekey": "foreign", "title": "t", "body": "b"},
                                              timeout=PATIENCE_S)
        if answer.status_code not in (302, 401, 403, 503) or (answer.status_code == 302 and "login" not in answer.headers["Location"]):
            self.answers.fault(f"a stranger's note was answered {answer.status_code} {answer.headers}")

    def wrong_password(self):
        client = Client(self.some_url())
        client.login(f"nobody-{self.random.randrange(50)}", "wrong")
        if client.is_signed_in:
            self.answers.fault("a wrong password was taken")
