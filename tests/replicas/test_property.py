# SPDX-License-Identifier: MIT
"""Three replicas, random writers, browsers that come and go, and everything breaks now and then: what the site promises
holds all the same. The promises are judged by the database's own history (history.py, judge.py).

PROPERTY_SEEDS=4,5 names the seeds, PROPERTY_S how long it goes on, PROPERTY_QUIET_S how soon all must agree afterwards.
Threads meet in another order each time, so a seed repeats what was tried, not always what came of it.
"""
import os
import re
import threading
import time

import pytest

import judge
from chaos import Chaos
from harness.replicas import Replicas
from history import History, install
from notes_verbs import create_note
from viewers import HomeView, NoteView, RawViewer, SocketioViewer, read_all_comments, read_home_page, read_note_page
from writers import Writer

SEEDS = [int(seed) for seed in os.environ.get("PROPERTY_SEEDS", "1,2,3").split(",")]
CASES = [("redis", seed) for seed in SEEDS] + [("alone", SEEDS[0])]
RUN_S = float(os.environ.get("PROPERTY_S", "15"))
QUIET_S = float(os.environ.get("PROPERTY_QUIET_S", "3"))
CONNECT_S = 20
NOTES_COUNT = 3
WRITERS_COUNT = 5
FAULTS_SHOWN = 6
LINES_SHOWN = 60
NOTES_ENV = {"LIVE_PING_INTERVAL_MS": 2000, "LIVE_PING_TIMEOUT_MS": 5000, "WORKERS": 6, "REQUEST_DEADLINE_MS": 5000}


@pytest.fixture(scope="module")
def site(request, tmp_path_factory):
    """alone: without Redis; sessions are in the database, and all changes are found by asking it."""
    with Replicas(tmp_path_factory.mktemp("replicas"), count=3, has_redis=request.param == "redis", **NOTES_ENV) as replicas:
        install(replicas.database, replicas.schema)
        yield replicas


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


def run_for_a_while(site, viewers, writers, chaos):
    for thread in (*viewers, *writers):
        thread.start()
    chaos.run(RUN_S * 0.8)
    for viewer in viewers[::2]:  # these keep what connection they have, whatever happens to it
        viewer.calm()
    chaos.run(RUN_S * 0.2)
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


def wait_for_agreement(site, viewers):
    """All are connected and nothing is written any more: how long it takes until all show the same."""
    wait_for_joins(viewers)
    start = time.monotonic()
    history = History(site.database, site.schema)
    while True:
        late = [reason for reason in (judge.behind(history, viewer) for viewer in viewers) if reason]
        took_s = time.monotonic() - start
        if not late or took_s > QUIET_S:
            return took_s, [f"after {QUIET_S} s of quiet: {reason}" for reason in late]
        time.sleep(0.02)


def wait_for_pages(site, keys):
    """A replica may show what it keeps for a moment when nobody told it of a change: what is wrong after QUIET_S."""
    end_s = time.monotonic() + QUIET_S
    while True:
        faults = faults_of_pages(site, keys)
        if not faults or time.monotonic() > end_s:
            return faults
        time.sleep(0.02)


def faults_of_pages(site, keys):
    """Every page of every replica against the database."""
    history = History(site.database, site.schema)
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


@pytest.mark.slow
@pytest.mark.parametrize("site, seed", CASES, indirect=["site"])
def test_whatever_happens_all_agree_and_nothing_is_lost_or_doubled(site, seed):
    log = Log()
    keys = [f"seed{seed}-{letter} <ü>" for letter in "abcdef"[:NOTES_COUNT]]
    me = site.sign_in("me")
    for key in keys:
        create_note(me, key, body="start of " + key)
    viewers = make_viewers(site, keys, seed, log)
    writers = [Writer(f"writer{number}", site, keys, seed, log) for number in range(WRITERS_COUNT)]
    chaos = Chaos(site, seed, log)
    try:
        run_for_a_while(site, viewers, writers, chaos)
        took_s, faults = wait_for_agreement(site, viewers)
        faults += wait_for_pages(site, keys)
    finally:
        for thread in (*writers, *viewers):
            thread.stop()
        site.wake()
    for viewer in viewers:
        viewer.join(30)
    history = History(site.database, site.schema)
    ledgers = [writer.ledger for writer in writers]
    faults += [fault for viewer in viewers for fault in judge.of_viewer(history, viewer)]
    faults += [fault for ledger in ledgers for fault in judge.of_ledger(history, ledger)]
    faults += judge.of_destroys(history, ledgers, keys)
    done = sum(writer.done for writer in writers)
    print(f"seed {seed}: {done} answered writes, {sum(viewer.joins for viewer in viewers)} joins, {chaos.counts}, "
          f"{chaos.hits_count} deaths after a commit, agreement after {took_s:.2f} s")
    assert not faults, (f"PROPERTY_SEEDS={seed}: {len(faults)} faults\n" + "\n".join(faults[:FAULTS_SHOWN])
                        + "\n--- what led there\n" + log.about(faults[:FAULTS_SHOWN]))
    assert done > 20 and min(viewer.joins for viewer in viewers) > 0, "nothing was tried"
