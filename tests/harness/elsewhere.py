# SPDX-License-Identifier: MIT
"""A place outside of all container networks that this machine forwards to: what "no way out" is tried on.

    with Elsewhere(place.number) as elsewhere:
        container.reach([(elsewhere.address, elsewhere.port)])
        elsewhere.reach([(container.address("edgenet"), 8080)])     # and the other way
        with elsewhere.network():
            requests.get(f"http://{elsewhere.gateway}:{port}/")      # comes from elsewhere.address

With knows_way_back=False it can answer this machine only, as the world can that knows nothing of container networks.

A network namespace with one listener in it, behind a pair of interfaces; all of it goes when the process in it ends.
Needs root, and the engine on this machine.
"""
import contextlib
import ctypes
import os
import subprocess
import sys
import threading

from . import docker, programs

PORT = 8099
CLONE_NEWNET = 0x40000000  # sched.h
_LISTENER = """
import socket, sys
print("here", flush=True)
sys.stdin.readline()  # there is an interface now
with socket.create_server(("0.0.0.0", int(sys.argv[1]))) as listener:
    print("listening", flush=True)
    while True:
        listener.accept()[0].close()
"""


class Elsewhere:
    def __init__(self, number, knows_way_back=True):
        """`number` is a Place's: no other run has it at the same time."""
        if os.getuid() != 0:
            raise docker.Missing("a network outside of the containers needs root")
        self.gateway, self.address, self.port = f"10.215.{number}.1", f"10.215.{number}.2", PORT
        self.interface = f"notes-else{number}"
        self.knows_way_back = knows_way_back

    def __enter__(self):
        self.process = subprocess.Popen(["unshare", "--net", sys.executable, "-c", _LISTENER, str(self.port)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=programs.die_with_parent)
        try:
            self._hear("here")
            inside = self.inside
            way_back = [*inside, "ip", "route", "add", "default", "via", self.gateway]
            for words in (["ip", "link", "add", self.interface, "type", "veth", "peer", "name", "out", "netns", str(self.process.pid)],
                          ["ip", "address", "add", f"{self.gateway}/30", "dev", self.interface],
                          ["ip", "link", "set", self.interface, "up"],
                          [*inside, "ip", "address", "add", f"{self.address}/30", "dev", "out"],
                          [*inside, "ip", "link", "set", "out", "up"],
                          *([way_back] if self.knows_way_back else [])):
                subprocess.run(words, check=True, capture_output=True)
            print(file=self.process.stdin, flush=True)
            self._hear("listening")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    @property
    def inside(self):
        """The start of a command that is to run there."""
        return ["nsenter", f"--net=/proc/{self.process.pid}/ns/net"]

    def reach(self, targets):
        """What a TCP connection from there comes to, in the words of Container.reach."""
        return docker.probe([*self.inside, "bash", "-c"], targets)

    @contextlib.contextmanager
    def network(self):
        """Sockets that this thread opens meanwhile are there."""
        with open(f"/proc/{os.getpid()}/task/{threading.get_native_id()}/ns/net") as here, open(f"/proc/{self.process.pid}/ns/net") as there:
            _enter(there)
            try:
                yield
            finally:
                _enter(here)

    def _hear(self, word):
        line = self.process.stdout.readline().strip()
        assert line == word, f"the listener said {line!r}"


def _enter(namespace):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
