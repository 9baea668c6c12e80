# SPDX-License-Identifier: MIT
"""A TCP relay in front of a database server that cuts a connection in the moment that a transaction
with writes is committed, once for each call of `arm`."""
import contextlib
import socket
import threading

COMMIT = b"\x03COMMIT"  # MySQL's COM_QUERY; readable as long as nobody encrypts
BEGIN = b"\x03START TRANSACTION"
CHUNK_BYTES = 65536


class _Cut:
    how = None  # of one connection


class CuttingProxy:
    """arm("before") loses the COMMIT on its way there, arm("after") its answer on the way back; arm("freeze") passes it on and is
    silent from then on, with the connection open; `cuts` counts. A connection on which `refused` is said, if set, is ended. `misspelt`, if set,
    is a word that reaches the server with its last letter doubled for the one before: one that it doesn't know."""

    def __init__(self, port):
        self.target = ("127.0.0.1", port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.armed = None
        self.refused = None
        self.misspelt = None
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, how):
        with self.lock:
            self.armed = how

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # or an accept() that goes on takes one more
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                try:
                    server = socket.create_connection(self.target)
                except OSError:  # it is away: so are we, for this one
                    client.close()
                    continue
                cut = _Cut()
                threading.Thread(target=self._upwards, args=(client, server, cut), daemon=True).start()
                threading.Thread(target=self._downwards, args=(client, server, cut), daemon=True).start()

    def _take(self):
        with self.lock:
            how, self.armed = self.armed, None
            self.cuts += how is not None
            return how

    def _upwards(self, client, server, cut):
        is_write = False
        with contextlib.suppress(OSError):
            while chunk := client.recv(CHUNK_BYTES):
                if BEGIN in chunk:
                    is_write = b"READ ONLY" not in chunk
                how = self._take() if is_write and COMMIT in chunk else None
                if how == "before" or (self.refused and self.refused in chunk):
                    break
                cut.how = how or cut.how
                if self.misspelt:
                    chunk = chunk.replace(self.misspelt, self.misspelt[:-2] + 2 * self.misspelt[-1:])
                server.sendall(chunk)
        if not cut.how:
            self._end(client, server)

    def _downwards(self, client, server, cut):
        with contextlib.suppress(OSError):
            while chunk := server.recv(CHUNK_BYTES):
                if cut.how == "after":
                    break
                if not cut.how:
                    client.sendall(chunk)
        if cut.how != "freeze":
            self._end(client, server)

    @staticmethod
    def _end(*sockets):
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
