# SPDX-License-Identifier: MIT
"""A TCP relay in front of a database server that cuts a connection in the moment that a transaction
with writes is committed, once for each call of `arm`."""
import contextlib
import socket
import threading

COMMIT = b"\x03COMMIT"  # MySQL's COM_QUERY; readable as long as nobody encrypts
BEGIN = b"\x03START TRANSACTION"
CHUNK_BYTES = 65536


class CuttingProxy:
    """arm("before") loses the COMMIT on its way there, arm("after") its answer on the way back; `cuts` counts."""

    def __init__(self, port):
        self.target = ("127.0.0.1", port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.armed = None
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, how):
        with self.lock:
            self.armed = how

    def close(self):
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(self.target)
                cut = threading.Event()
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
                if how == "before":
                    break
                if how == "after":
                    cut.set()
                server.sendall(chunk)
        if not cut.is_set():
            self._end(client, server)

    def _downwards(self, client, server, cut):
        with contextlib.suppress(OSError):
            while chunk := server.recv(CHUNK_BYTES):
                if cut.is_set():
                    break
                client.sendall(chunk)
        self._end(client, server)

    @staticmethod
    def _end(*sockets):
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
