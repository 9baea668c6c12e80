# SPDX-License-Identifier: MIT
"""Something else in the place of userauth-svc."""
import socket
import threading


class Odd:
    """A server in place of userauth-svc that gives the same bytes to everybody (or nothing at all)."""

    def __init__(self, answer, port=0):
        self.answer = answer
        self.held = []
        self.listener = socket.create_server(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
                self.held.append(peer)
                if self.answer is not None:
                    peer.recv(65536)
                    peer.sendall(self.answer)
                    peer.close()
            except OSError:
                return

    def asked(self, start):
        """How many of the connections that were left open began with `start`."""
        count = 0
        for peer in self.held:
            peer.setblocking(False)
            try:
                count += peer.recv(65536, socket.MSG_PEEK).startswith(start)
            except BlockingIOError:
                pass
        return count

    def close(self):
        self.listener.close()
        for peer in self.held:
            peer.close()


def http_answer(body, status="200 OK", kind="application/json", etag=None):
    tag = f"ETag: {etag}\r\n" if etag else ""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{tag}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return (head + body).encode()
