# SPDX-License-Identifier: MIT
"""Something else in the place of userauth-svc, or in front of it."""
import contextlib
import http.client
import http.server
import socket
import threading


class Odd:
    """A server in place of userauth-svc that gives the same bytes to everybody (or nothing at all)."""

    def __init__(self, answer, port=0, address="127.0.0.1"):
        self.answer = answer
        self.held = []
        self.listener = socket.create_server((address, port))
        self.url = f"http://{address}:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.held.append(peer)
            if self.answer is not None:
                with contextlib.suppress(OSError):  # who hangs up early is one of many
                    peer.recv(65536)
                    peer.sendall(self.answer)
                peer.close()

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


class PatientServer(http.server.ThreadingHTTPServer):
    """Who comes while it is busy waits in a queue with room for a crowd: out of one of five the kernel lets him try again in a second."""
    request_queue_size = 128


class Relay:
    """In front of a userauth-svc, whose port is told later. `before(path)` is called before a request is passed on, in a
    thread of its own; a number that it gives is answered as the status instead."""

    def __init__(self):
        self.port = None
        self.before = lambda path: None
        relay = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                relay.serve(self)

            do_POST = do_GET

        self.server = PatientServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serve(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", "0")))
        status = self.before(request.path)
        if status:
            answer, headers = b"{}", {}
        else:
            there = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            there.request(request.command, request.path, body, dict(request.headers))
            answered = there.getresponse()
            status, answer, headers = answered.status, answered.read(), dict(answered.headers)
            there.close()
        request.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
