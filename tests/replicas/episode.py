# SPDX-License-Identifier: MIT
"""One go at a site that breaks: viewers and writers run beside a Chaos, then everything must agree. test_property.py and
tests/soak begin one after another.
"""
import re
import threading
import time

import judge
from history import History
from viewers import HomeView, NoteView, RawViewer, SocketioViewer, read_all_comments, read_home_page, read_note_page

CONNECT_S = 20
FAULTS_SHOWN = 6
LINES_SHOWN = 60


class Log:
    """Who did what when; a failure shows the lines that name what failed."""

    def __init__(self):
        self.lock = threading.Lock()
        self.start = time.monotonic()
        self.lines = []

    def __call__(self, who, text):
        with self.lock:
            self.lines.append(f"{time.monotonic() - self.start:7.3f} {who}: {text}")

    def about(self, faults):
        words = set(re.findall(r"[\w-]+", " ".join(faults)))
        named = [line for line in self.lines
                 if " chaos: " in line or words & {word for word in re.findall(r"[\w-]+", line) if len(word) > 5}]
        return "\n".join(named[-LINES_SHOWN:])


def make_viewers(site, keys, seed, log):
    follow = [(kind, key) for key in keys for kind in (RawViewer, RawViewer, SocketioViewer)] + [
        (RawViewer, None), (SocketioViewer, None)]
    return [kind(f"{kind.__name__}{number}", NoteView(key) if key else HomeView(), site, seed, log)
            for number, (kind, key) in enumerate(follow)]


def run_for_a_while(site, viewers, writers, chaos, run_s):
    for thread in (*viewers, *writers):
        thread.start()
    chaos.run(run_s * 0.8)
    for viewer in viewers[::2]:  # these keep what connection they have, whatever happens to it
        viewer.calm()
    chaos.run(run_s * 0.2)
    site.wake()
    for viewer in viewers:
        viewer.calm()
    wait_for_joins(viewers)
    chaos.last_act()
    end(writers)
    site.wake()


def end(threads):
    for thread in threads:
        thread.stop()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), f"{thread.name} does not end"


def wait_for_joins(viewers):
    """Who can't connect is found later: nobody is behind by more."""
    end_s = time.monotonic() + CONNECT_S
    while time.monotonic() < end_s and not all(viewer.is_joined or viewer.fault for viewer in viewers):
        time.sleep(0.02)


def wait_for_agreement(site, viewers, quiet_s, since=None):
    """All are connected and nothing is written any more: how long it takes until all show the same."""
    wait_for_joins(viewers)
    start = time.monotonic()
    history = History(site.database, site.schema, since)
    while True:
        late = [reason for reason in (judge.behind(history, viewer) for viewer in viewers) if reason]
        took_s = time.monotonic() - start
        if not late or took_s > quiet_s:
            return took_s, [f"after {quiet_s} s of quiet: {reason}" for reason in late]
        time.sleep(0.02)


def wait_for_pages(site, keys, quiet_s, since=None):
    """A replica may show what it keeps for a moment when nobody told it of a change: what is wrong after quiet_s."""
    end_s = time.monotonic() + quiet_s
    while True:
        faults = faults_of_pages(site, keys, since)
        if not faults or time.monotonic() > end_s:
            return faults
        time.sleep(0.02)


def faults_of_pages(site, keys, since):
    """Every page of every replica against the database."""
    history = History(site.database, site.schema, since)
    faults = []
    for place, url in enumerate(site.urls):
        if read_home_page(url) != history.homes[-1]:
            faults.append(f"replica {place} shows the list {read_home_page(url)}, it is {history.homes[-1]}")
        for key in keys:
            state, shown = history.timeline(key)[-1], read_note_page(url, key)
            fault = "no page" if shown is None else shown.fault_against(state)
            if not fault and not state.is_gone and (shown.revision, read_all_comments(url, key)) != (
                    state.revision, [message for _, _, message in state.comments]):
                fault = f"revision {shown.revision} of {state.revision}, or other comments"
            if fault:
                faults.append(f"replica {place}, page {key}: {fault}")
    return faults
