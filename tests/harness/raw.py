# SPDX-License-Identifier: MIT
"""HTTP/1.1 by hand, for requests that no decent client would send."""
import base64
import json
import socket


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # list of (lower-case name, value)
        self.body = body

    def header(self, name, default=None):
        return dict(self.headers).get(name.lower(), default)

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:300]!r}"


class Connection:
    """One TCP connection to a service."""

    def __init__(self, port, host="127.0.0.1", timeout_s=30):
        self.socket = socket.create_connection((host, port), timeout_s)
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data)

    def try_send(self, data):
        """As send, but a peer that has closed is no failure. Returns whether all went out."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def _fill(self):
        data = self.socket.recv(65536)
        self.buffer += data
        return bool(data)

    def answer(self, method="GET"):
        """Reads one whole answer; None when the peer closed without one."""
        try:
            while b"\r\n\r\n" not in self.buffer:
                if not self._fill():
                    assert not self.buffer, f"cut in the headers: {self.buffer[:200]!r}"
                    return None
            head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
            lines = head.decode("latin-1").split("\r\n")
            status = int(lines[0].split(" ")[1])
            headers = [(name.strip().lower(), value.strip())
                       for name, _, value in (line.partition(":") for line in lines[1:])]
            if 100 <= status < 200:
                return self.answer(method)
            fields = dict(headers)
            if method == "HEAD" or status in (204, 304):
                body = b""
            elif "content-length" in fields:
                body = self._take(int(fields["content-length"]))
            elif fields.get("transfer-encoding", "").lower() == "chunked":
                body = self._chunks()
            else:
                while self._fill():
                    pass
                body, self.buffer = self.buffer, b""
            return Answer(status, headers, body)
        except ConnectionError:
            return None

    def _take(self, count):
        while len(self.buffer) < count:
            assert self._fill(), "cut in the body"
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def _chunks(self):
        body = b""
        while True:
            while b"\r\n" not in self.buffer:
                assert self._fill(), "cut in the chunks"
            line, self.buffer = self.buffer.split(b"\r\n", 1)
            size = int(line.split(b";")[0], 16)
            body += self._take(size)
            self._take(2)
            if size == 0:
                return body

    def is_closed(self):
        """Waits (within the time-out) until the peer closes; False when it sends data instead."""
        try:
            return not self._fill()
        except ConnectionError:
            return True
        except socket.timeout:
            return False

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def basic(name, key):
    """Value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{name}:{key}".encode()).decode()


def request_bytes(method, path, headers=(), body=None):
    """A request as bytes. `path` and header values may be bytes; Content-Length is added when there is a body."""
    as_bytes = lambda text: text if isinstance(text, bytes) else text.encode()
    out = as_bytes(method) + b" " + as_bytes(path) + b" HTTP/1.1\r\n"
    names = [as_bytes(name).lower() for name, _ in headers]
    if b"host" not in names:
        out += b"Host: localhost\r\n"
    for name, value in headers:
        out += as_bytes(name) + b": " + as_bytes(value) + b"\r\n"
    if body is not None and b"content-length" not in names and b"transfer-encoding" not in names:
        out += b"Content-Length: %d\r\n" % len(body)
    return out + b"\r\n" + (body or b"")


def exchange(port, method, path, headers=(), body=None, timeout_s=30):
    """One request on a connection of its own; the Answer, or None when the peer just closed."""
    with Connection(port, timeout_s=timeout_s) as connection:
        connection.try_send(request_bytes(method, path, headers, body))
        return connection.answer(method)
