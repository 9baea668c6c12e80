#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How long a comment takes from one replica to a browser on another: from before the request is sent to its event's arrival.

Starts MariaDB, Redis, userauth-svc and two notes-svc on loopback, all with durable defaults. A program, no test: it
prints figures and judges none.

    NOTES_BUILD=build /usr/bin/python3 tests/bench/live_latency.py [COMMENTS]
"""
import pathlib
import queue
import statistics
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))

from harness.live import Raw  # noqa: E402
from harness.replicas import Replicas  # noqa: E402
from notes_verbs import comment, create_note  # noqa: E402

WARM_UP_COUNT = 50


def listen(reader, count, arrivals):
    for _ in range(count):
        _, name, data = reader.event()
        if name == "newmessage":
            arrivals.put((data["message"], time.perf_counter()))


def measure(site, count):
    """Milliseconds of each comment: (to the event at the other replica, to the answer of the request)."""
    writer = site.sign_in("me", 0)
    create_note(writer, "bench")
    total, arrivals, times = WARM_UP_COUNT + count, queue.Queue(), []
    with Raw(site.notes[1].url) as reader:
        reader.join(key="bench")
        assert reader.event()[1] == "snapshot"
        threading.Thread(target=listen, args=(reader, total, arrivals), daemon=True).start()
        for number in range(total):
            text = f"comment {number}"
            started = time.perf_counter()
            comment(writer, "bench", text)
            answered = time.perf_counter()
            message, arrived = arrivals.get(timeout=20)
            assert message == text
            times.append((1000 * (arrived - started), 1000 * (answered - started)))
    return times[WARM_UP_COUNT:]


def main(count=500):
    with tempfile.TemporaryDirectory() as folder, Replicas(pathlib.Path(folder), count=2) as site:
        times = measure(site, count)
    for place, what in enumerate(("event at the other replica", "answer to the writer")):
        values = sorted(one[place] for one in times)
        print(f"{what}: median {statistics.median(values):.2f} ms, p95 {values[int(0.95 * count)]:.2f} ms, "
              f"p99 {values[int(0.99 * count)]:.2f} ms, {count} comments")


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:2]))
