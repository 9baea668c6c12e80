# SPDX-License-Identifier: MIT
"""A process that holds many live sockets: crowd.py URL KEY REVISION COUNT. Prints "joined" when all are in the note's
room, then waits until each has heard one newmessage and prints the messages with how many heard each, as JSON.
"""
import collections
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness.live import Raw  # noqa: E402

TIMEOUT_S = 120


def main(url, key, revision, count):
    sockets = []
    for _ in range(int(count)):
        sockets.append(Raw(url, timeout_s=TIMEOUT_S))
        sockets[-1].join(key=key, revision=int(revision))
        sockets[-1].settle()
    print("joined", flush=True)
    heard = collections.Counter()
    for socket in sockets:
        _, name, data = socket.event()
        heard[f"{name} {data['message']}" if name == "newmessage" else name] += 1
    print(json.dumps(heard), flush=True)
    for socket in sockets:
        socket.socket.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
