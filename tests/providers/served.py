# SPDX-License-Identifier: MIT
"""Providers in the test's own process: an HTTP server in threads, and what a bad one may do instead of an answer.

    class Mine(Served):
        def answer(self, rq): return Answer(200, "text/plain", "hello")

    mine = Served().start()
    mine.misdeeds["/token"] = hang          # each is a function of the Request, instead of answer()
    mine.release()                          # ends what hangs
"""
import contextlib
import json
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from harness.ports import free_port
from harness.wait import until

REQUEST_TIMEOUT_S = 60
CHUNK = b"x" * 65536
HUGE_BYTES = 2 << 20


@dataclass
class Answer:
    status: int
    type: str
    body: str | bytes
    headers: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """What a request was; a Request itself goes on to the next one of its connection."""
    command: str
    path: str
    route: str
    headers: object
    text: str


def as_json(value, status=200):
    return Answer(status, "application/json", json.dumps(value))


def redirect(url):
    return Answer(302, "text/plain", "", {"Location": url})


def page(main):
    return Answer(200, "text/html; charset=utf-8",
                  f'<!DOCTYPE html><html lang="en"><head><title>Provider</title></head><body><main>{main}</main></body></html>')


class Request(BaseHTTPRequestHandler):
    """One request; `fields` are its query's and its form's, `text` is its body."""
    protocol_version = "HTTP/1.1"
    timeout = REQUEST_TIMEOUT_S

    def setup(self):
        """The handshake belongs to this thread, not to the one that accepts."""
        if self.server.served.context:
            self.request = self.server.served.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle_any(self):
        served = self.server.served
        self.text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        parts = urlsplit(self.path)
        self.query = parse_qsl(parts.query, keep_blank_values=True)
        is_form = (self.headers.get("Content-Type") or "").startswith("application/x-www-form-urlencoded")
        self.fields = dict(self.query + (parse_qsl(self.text, keep_blank_values=True) if is_form else []))
        self.route = parts.path
        served.requests.append(Seen(self.command, self.path, self.route, self.headers, self.text))
        misdeed = served.misdeeds.get(self.route)
        done = misdeed(self) if misdeed else served.answer(self)
        if done:
            self.send(done)

    do_GET = do_POST = handle_any

    def send(self, answer):
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        self.begin(answer.status, answer.type, len(body), answer.headers)
        self.wfile.write(body)

    def begin(self, status=200, kind="application/json", length=None, headers=None):
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Cache-Control": "no-store", **(headers or {})}.items():
            self.send_header(name, value)
        if length is None:
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_):
        """Quiet."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    served = None

    def handle_error(self, request, client_address):
        """A client that goes away, or refuses a certificate, is no matter here; what a test wants to know it asks."""


class Served:
    """An HTTP server on 127.0.0.1, named by `host` in its URL. The port stays over stop() and start()."""

    def __init__(self, host="localhost", key=None, certificate=None):
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate, key)
        self.port = free_port()
        self.url = f"{'https' if certificate else 'http'}://{host}:{self.port}"
        self.requests = []
        self.misdeeds = {}
        self.released = threading.Event()
        self.server = None

    def start(self):
        self.server = Server(("127.0.0.1", self.port), Request)
        self.server.served = self
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self):
        self.release()
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def answer(self, rq):
        raise NotImplementedError

    # --- misdeeds ---

    @contextlib.contextmanager
    def misdoing(self, route, misdeed):
        self.misdeeds[route] = misdeed
        try:
            yield self
        finally:
            del self.misdeeds[route]
            self.release()

    def release(self):
        """Ends what hangs now."""
        released, self.released = self.released, threading.Event()
        released.set()

    def count(self, route):
        return sum(seen.route == route for seen in self.requests)

    def wait_for(self, route, count=1):
        """Until this route was asked so often."""
        until(lambda: self.count(route) >= count, f"{count} requests of {route}")


def hang(rq):
    """No answer until released."""
    rq.server.served.released.wait(REQUEST_TIMEOUT_S)
    rq.close_connection = True


def drip(rq):
    """A byte now and then, never the end."""
    released = rq.server.served.released
    rq.begin(length=1 << 10)
    while not released.wait(0.2):
        rq.wfile.write(b" ")


def endless(rq):
    """JSON without an end, as fast as it is read."""
    rq.begin()
    rq.wfile.write(b'{"x":"')
    while not rq.server.served.released.is_set():
        rq.wfile.write(CHUNK)


def huge(rq):
    """The right answer, with two megabytes that mean nothing: only its size is wrong."""
    answer = rq.server.served.answer(rq)
    answer.body += " " * HUGE_BYTES if answer.type == "application/json" else "&x=" + "y" * HUGE_BYTES
    return answer


def status(number):
    """The right answer with another status."""
    def answer(rq):
        right = rq.server.served.answer(rq)
        right.status = number
        return right
    return answer


def cut(rq):
    """The connection ends in the middle of what was announced."""
    rq.begin(length=1000)
    rq.wfile.write(b'{"x":"')
    rq.close_connection = True


def not_http(rq):
    rq.wfile.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    rq.close_connection = True


def closed(rq):
    """The connection ends without a word."""
    rq.close_connection = True


def elsewhere(url):
    """A redirect, which is not to be followed."""
    return lambda rq: redirect(url)


def says(body, kind="application/json", code=200):
    return lambda rq: Answer(code, kind, body)
