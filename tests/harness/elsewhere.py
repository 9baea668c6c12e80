# SPDX-License-Identifier: MIT
"""A place outside of all container networks that this machine forwards to: what "no way out" is tried on.

    with Elsewhere(place.number) as elsewhere:
        container.reach([(elsewhere.address, elsewhere.port)])

A network namespace with one listener in it, behind a pair of interfaces; all of it goes when the process in it ends.
Needs root, and the engine on this machine.
"""
import os
import subprocess
import sys

from . import docker, programs

PORT = 8099
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
    def __init__(self, number):
        """`number` is a Place's: no other run has it at the same time."""
        if os.getuid() != 0:
            raise docker.Missing("a network outside of the containers needs root")
        self.gateway, self.address, self.port = f"10.215.{number}.1", f"10.215.{number}.2", PORT
        self.interface = f"notes-else{number}"

    def __enter__(self):
        self.process = subprocess.Popen(["unshare", "--net", sys.executable, "-c", _LISTENER, str(self.port)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=programs.die_with_parent)
        try:
            self._hear("here")
            inside = ["nsenter", f"--net=/proc/{self.process.pid}/ns/net"]
            for words in (["ip", "link", "add", self.interface, "type", "veth", "peer", "name", "out", "netns", str(self.process.pid)],
                          ["ip", "address", "add", f"{self.gateway}/30", "dev", self.interface],
                          ["ip", "link", "set", self.interface, "up"],
                          [*inside, "ip", "address", "add", f"{self.address}/30", "dev", "out"],
                          [*inside, "ip", "link", "set", "out", "up"],
                          [*inside, "ip", "route", "add", "default", "via", self.gateway]):
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

    def _hear(self, word):
        line = self.process.stdout.readline().strip()
        assert line == word, f"the listener said {line!r}"
