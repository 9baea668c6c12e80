# SPDX-License-Identifier: MIT
"""Live sockets: the real Socket.IO client, and a WebSocket that says each packet by hand."""
import json
import threading

import socketio
import websocket

from .wait import until


class Live:
    """python-socketio over WebSocket. Events are kept in the order in which they came.

        with Live(site.url, cookie=me.session_cookie, notes={"key": "k"}) as live:
            live.wait("newmessage")
    """
    EVENTS = {"/notes": ("noteupdated", "notedestroyed", "newmessage", "destroymessage", "snapshot"),
              "/home": ("notetitles",)}

    def __init__(self, url, cookie=None, notes=None, home=None, query="", origin=None):
        self.url, self.query = url, query
        self.headers = {}
        if cookie:
            self.headers["Cookie"] = f"notescookie.sid={cookie}"
        if origin:
            self.headers["Origin"] = origin
        self.auth = {"/notes": notes, "/home": home}
        self.namespaces = [name for name, auth in self.auth.items() if auth is not None]
        self.events = []
        self.changed = threading.Condition()
        self.client = socketio.Client(reconnection=False)
        trigger = self.client.eio._trigger_event  # runs each message in a thread of its own, so that they overtake each other
        self.client.eio._trigger_event = lambda event, *args, run_async=False: trigger(event, *args, run_async=False)
        for namespace in self.namespaces:
            for event in self.EVENTS[namespace]:
                self.client.on(event, self._keeper(event), namespace=namespace)

    def _keeper(self, event):
        def keep(data=None):
            with self.changed:
                self.events.append((event, data))
                self.changed.notify_all()
        return keep

    def __enter__(self):
        auth = {name: value for name, value in self.auth.items() if value is not None}
        same = list(auth.values())[0] if len(auth) == 1 else None
        assert len(auth) == 1, "one namespace a client: the client library has one auth for all"
        self.client.connect(self.url + self.query, headers=self.headers, transports=["websocket"], auth=same,
                            namespaces=self.namespaces, wait_timeout=20)
        # An answered event comes after what the join brings: from here on a change is an event of its own.
        self.client.call("are-we-settled", {}, namespace=self.namespaces[0], timeout=20)
        return self

    def __exit__(self, *_):
        self.client.disconnect()

    def names(self):
        with self.changed:
            return [name for name, _ in self.events]

    def wait(self, name, count=1, timeout_s=20):
        """The data of the count-th event of this name."""
        def found():
            with self.changed:
                return [data for event, data in self.events if event == name]
        until(lambda: len(found()) >= count, f"{count} {name}, got {self.names()}", timeout_s)
        return found()[count - 1]

    def call(self, event, data=None, timeout_s=20):
        """Emits on /notes and returns the acknowledgement."""
        return self.client.call(event, data if data is not None else {}, namespace="/notes", timeout=timeout_s)

    def is_connected(self):
        return self.client.connected

    def wait_closed(self, timeout_s=20):
        until(lambda: not self.client.connected, "the socket to be closed", timeout_s)


class Raw:
    """A WebSocket to /socket.io/ without any help. `open_packet` is the server's first packet."""

    def __init__(self, url, cookie=None, query="EIO=4&transport=websocket", headers=(), timeout_s=20, **options):
        fields = list(headers)
        if cookie:
            fields.append(f"Cookie: notescookie.sid={cookie}")
        self.socket = websocket.WebSocket()
        self.socket.settimeout(timeout_s)
        options.setdefault("suppress_origin", True)
        self.socket.connect(url.replace("http", "ws", 1) + "/socket.io/?" + query, header=fields, **options)
        first = self.socket.recv()
        assert first[0] == "0", first
        self.open_packet = json.loads(first[1:])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.shutdown()

    def send(self, text):
        self.socket.send(text)

    def receive(self):
        """The next packet but pings, which are answered."""
        while True:
            text = self.socket.recv()
            if text != "2":
                return text
            self.socket.send("3")

    def join(self, namespace="/notes", **auth):
        """Connects to a namespace; returns the answer, before which nothing may come."""
        self.send(f"40{namespace},{json.dumps(auth)}")
        answer = self.receive()
        assert answer.startswith(f"40{namespace},{{\"sid\":"), answer
        return answer

    def settle(self, namespace="/notes"):
        """Waits until the join is through, when it brings nothing: a change after this is an event of its own."""
        self.send(f'42{namespace},99["are-we-settled"]')
        answer = self.receive()
        assert answer.startswith(f"43{namespace},99["), answer

    def event(self):
        """The next EVENT as (namespace, name, data)."""
        text = self.receive()
        assert text.startswith("42/"), text
        namespace, _, rest = text[2:].partition(",")
        name, *data = json.loads(rest)
        return namespace, name, data[0] if data else None

    def is_ended(self):
        """Reads to the end: whether the server closed, not the time-out. What came first is in `last`."""
        self.last = []
        self.close_code = None
        try:
            while True:
                opcode, data = self.socket.recv_data()
                if opcode == websocket.ABNF.OPCODE_CLOSE:
                    self.close_code = int.from_bytes(data[:2], "big") if len(data) >= 2 else None
                    return True
                self.last.append(data.decode())
        except websocket.WebSocketTimeoutException:
            return False
        except (websocket.WebSocketConnectionClosedException, ConnectionError, OSError):
            return True


def handshake_status(url, **options):
    """The HTTP status with which a handshake is refused."""
    try:
        Raw(url, **options).socket.shutdown()
    except websocket.WebSocketBadStatusException as refusal:
        return refusal.status_code
    return 101


__all__ = ["Live", "Raw", "handshake_status"]
