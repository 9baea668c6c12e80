#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How long a comment takes from one replica to a browser on another: from before the request is sent to its event's arrival
at a bare socket, and to its text's being in a page of Chromium, if there is one.

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

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "http")]

from harness.browser import CHROMIUM, Browser  # noqa: E402
from harness.live import Raw  # noqa: E402
from harness.replicas import Replicas  # noqa: E402
from notes_verbs import comment, create_note, view_path  # noqa: E402

WARM_UP_COUNT = 50
PAGE_PAUSE_S = 0.05  # between two comments: what the page does with one must not wait for the one before
PAGE_KEY = "page"
# When each comment's text is there; the clock is the system's.
WATCH = """window.shown = {};
const list = document.getElementById("noteMessages");
new MutationObserver(() => {
  const now = performance.timeOrigin + performance.now();
  for (const node of list.querySelectorAll(".comment-text")) window.shown[node.textContent.trim()] ??= now;
}).observe(list, {childList: true, subtree: true});"""


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


def measure_page(site, count, profile):
    """Milliseconds of each comment until a page at the other replica has it."""
    writer = site.sign_in("me", 0)
    create_note(writer, PAGE_KEY)
    started = {}
    browser = Browser(site.notes[1], profile)
    try:
        browser.open(view_path(PAGE_KEY))
        browser.find("html[data-live=on]")
        browser.run(WATCH)
        for number in range(WARM_UP_COUNT + count):
            text = f"comment {number}"
            started[text] = 1000 * time.time()
            comment(writer, PAGE_KEY, text)
            time.sleep(PAGE_PAUSE_S)
        browser.until(lambda: text in browser.run("return window.shown"), "the last comment")
        shown = browser.run("return window.shown")
    finally:
        browser.driver.quit()
    return [shown[text] - started[text] for text in list(started)[WARM_UP_COUNT:]]


def tell(what, values):
    values = sorted(values)
    count = len(values)
    print(f"{what}: median {statistics.median(values):.2f} ms, p95 {values[int(0.95 * count)]:.2f} ms, "
          f"p99 {values[int(0.99 * count)]:.2f} ms, {count} comments")


def main(count=500):
    with tempfile.TemporaryDirectory() as folder, Replicas(pathlib.Path(folder), count=2) as site:
        times = measure(site, count)
        tell("event at the other replica", [event_ms for event_ms, _ in times])
        tell("answer to the writer", [answer_ms for _, answer_ms in times])
        if pathlib.Path(CHROMIUM).exists():
            tell("text in a page at the other replica", measure_page(site, count, pathlib.Path(folder) / "profile"))


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:2]))
