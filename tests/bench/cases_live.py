# SPDX-License-Identifier: MIT
"""Live sockets: how long an event takes to all of them, what one costs, and how long it takes to another process."""
import pathlib
import re
import statistics
import tempfile

from bench import figures, load, stage
from bench.measure import SMALL

SOCKETS_COUNT = 5000
IDLE_COUNT = 10000
EVENTS_COUNT = 20


def join_payload(service, key=stage.FIRST_NOTE):
    """What the page's script would send: key and revision as the page has them, so that nothing is sent at the join."""
    _, _, page = stage.ask(service.url, stage.note_path(key))
    return {"key": key, "revision": int(re.search(rb'data-revision="(\d+)"', page)[1])}


def fan_out_times(measure, service, count, rounds):
    """Pairs (ours, the epoll loop's) of {"first_ms", "last_ms", "answer_ms", "frame_bytes"}."""
    client = measure.stage.sign_in(service)
    comment = measure.stage.comment_file(service, client, stage.FIRST_NOTE)
    trigger = measure.stage.file("x")
    with load.Live(service.port, count, join_payload(service)) as live:
        frame_bytes = live.event(comment)["frame_bytes"]
        with load.BareFrames(frame_bytes, count) as bare, load.Live(bare.port, count, frame_bytes=frame_bytes) as plain:
            plain.event(trigger)
            return [(live.event(comment), plain.event(trigger)) for _ in range(rounds)]


def fan_out(measure):
    count = measure.stage.scaled(SOCKETS_COUNT, least=10)
    with measure.stage.notes(SMALL) as service:
        times = fan_out_times(measure, service, count, EVENTS_COUNT)
    pairs = [(ours["last_ms"], bare["last_ms"]) for ours, bare in times]
    # What the writing alone takes: from the first one served, which the database's commit comes before.
    spans = [(ours["last_ms"] - ours["first_ms"], bare["last_ms"] - bare["first_ms"]) for ours, bare in times]
    detail = {"sockets": count, "frame_bytes": times[0][0]["frame_bytes"],
              "answered_ms": figures.summary([ours["answer_ms"] for ours, _ in times], "ms"),
              "first_served_ms": figures.summary([ours["first_ms"] for ours, _ in times], "ms"),
              "first_to_last_ms": figures.summary([ours for ours, _ in spans], "ms"),
              "first_to_last_of_the_loop_ms": figures.summary([bare for _, bare in spans], "ms")}
    measure.add(figures.of_values("fan-out-last", [ours for ours, _ in pairs], **detail))
    measure.add(figures.of_pairs("fan-out-ratio", pairs, "ms", more_is_better=False, **detail))


def memory_socket(measure):
    """The same process before and after; what it took for the opening of so many sockets at once counts too."""
    count = measure.stage.scaled(IDLE_COUNT, least=100)
    with measure.stage.notes(SMALL) as service:
        before = load.settled_rss_anon_bytes(service.pid)
        with load.Live(service.port, count, join_payload(service)) as live:
            with_sockets = load.settled_rss_anon_bytes(service.pid)
        after = load.settled_rss_anon_bytes(service.pid)
    measure.add(figures.of_values("memory-socket", [(with_sockets - before) / count / 1000], sockets=count, before_bytes=before,
                                  with_sockets_bytes=with_sockets, after_bytes=after, opening_ms=live.ready_ms))


def latency(measure):
    """From one process to a browser at another, each with its own rows (no bound)."""
    from harness.replicas import Replicas

    from bench import live_latency
    comments_count = 100 if measure.quick else 500
    for count in (2, 3):
        with tempfile.TemporaryDirectory() as folder, Replicas(pathlib.Path(folder), count=count) as site:
            times = live_latency.measure(site, comments_count)
        for place, what in enumerate(("event at another replica", "answer to the writer")):
            values = sorted(one[place] for one in times)
            measure.more["latency"].append({"title": f"{what}, {count} replicas", "replicas": count, "comments": comments_count,
                                            "median": statistics.median(values), "p95": values[int(0.95 * len(values))],
                                            "p99": values[int(0.99 * len(values))]})
