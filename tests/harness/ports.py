# SPDX-License-Identifier: MIT
"""TCP ports of the loopback for what tests start. No port is given twice at a time, not to test runs beside each other either."""
import collections
import contextlib
import secrets
import socket

# Below those that the system gives to outgoing connections: between here and the start of what will listen, none can take it.
# Servers of ./dev run --local-servers have those above.
PORTS = range(10_000, 20_000)

# Ports that were given are held by a name in the namespace of abstract Unix sockets, which only one process can have, until so
# many others were given: by then what they were for listens or has ended.
HELD = 100
_held = collections.deque()


def free_port(count=1):
    """The first of `count` ports in a row where nothing listens."""
    for first in secrets.SystemRandom().sample(PORTS[:len(PORTS) - count + 1], 1000):
        with contextlib.ExitStack() as names:
            try:
                for port in range(first, first + count):
                    _hold(names, port)
            except OSError:
                continue
            _held.append(names.pop_all())
        if len(_held) > HELD:
            _held.popleft().close()
        return first
    raise AssertionError(f"of 1,000 ports in {PORTS} none is free")


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _hold(names, port):
    names.enter_context(socket.socket(socket.AF_UNIX)).bind(f"\0notes-tests-port-{port}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
