# SPDX-License-Identifier: MIT
"""Names of hosts as one process sees them: /etc/hosts and /etc/resolv.conf in a mount namespace of its own.

    names = Names(tmp_path, resolver="127.0.0.1")
    service.start(names.wrapper)
    names.set(users="127.0.0.1")      # at once, as the files are read for each look-up
"""
import contextlib
import itertools
import os
import secrets
import socket
import subprocess
import threading

SCRIPT = 'mount --bind "$0" /etc/hosts && mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'


def missing():
    """Why it can't be used here; None: it can."""
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", "true"], stderr=subprocess.DEVNULL, check=False)
    return None if os.geteuid() == 0 and done.returncode == 0 else "a mount namespace needs root"


class Names:
    def __init__(self, folder, resolver):
        self.hosts = folder / "hosts"
        self.resolv_conf = folder / "resolv.conf"
        self.resolv_conf.write_text(f"nameserver {resolver}\n")
        self.set()
        self.wrapper = ["unshare", "--mount", "--propagation", "private", "sh", "-c", SCRIPT, str(self.hosts), str(self.resolv_conf)]

    def set(self, **addresses):
        """Into the same file: it is mounted, not its name."""
        lines = ["127.0.0.1 localhost", *(f"{address} {name}.test" for name, address in addresses.items())]
        self.hosts.write_text("\n".join(lines) + "\n")


def _resolver_socket():
    """On port 53, as resolv.conf names no other, of an address of its own: test runs beside each other have resolvers too."""
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for last in secrets.SystemRandom().sample(range(1, 255), 254):
        with contextlib.suppress(OSError):
            one.bind((f"127.0.67.{last}", 53))
            return one
    one.close()
    raise AssertionError("no address of 127.0.67.0/24 is free")


class SilentResolver:
    """A name server that hears every question and answers none."""

    def __init__(self):
        self.socket = _resolver_socket()
        self.address = self.socket.getsockname()[0]
        self.socket.setblocking(False)

    @property
    def has_heard(self):
        try:
            return bool(self.socket.recv(4096))
        except BlockingIOError:
            return False

    def close(self):
        self.socket.close()


class NonsenseResolver:
    """A name server that answers every question at once with bytes that are no answer: none, too few, or random ones behind
    the question's number."""

    def __init__(self):
        self.socket = _resolver_socket()
        self.address = self.socket.getsockname()[0]
        self.has_heard = False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        for size in itertools.cycle([0, 1, 10, 100, 1000]):
            question, asker = self.socket.recvfrom(4096)
            if asker is None:  # closed
                return
            self.has_heard = True
            self.socket.sendto((question[:2] + b"\x81\x80" + os.urandom(size))[:max(size, 2)], asker)

    def close(self):
        with contextlib.suppress(OSError):  # nobody is connected, says it, and wakes the thread
            self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()
