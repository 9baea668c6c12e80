# SPDX-License-Identifier: MIT
"""Three replicas, random writers, browsers that come and go, and everything breaks now and then: what the site promises
holds all the same. The promises are judged by the database's own history (history.py, judge.py).

PROPERTY_SEEDS=4,5 names the seeds, PROPERTY_S how long it goes on. The last fault comes right before the writers end: no
later event tells of what was missed, so the replicas have to find it themselves. They look every 2 s, and up to 5 s later
after a read that failed; QUIET_S is many times that, and ends the wait for what never comes only.
Threads meet in another order each time, so a seed repeats what was tried, not always what came of it.
"""
import os

import pytest

import judge
from chaos import Chaos
from episode import FAULTS_SHOWN, Log, make_viewers, run_for_a_while, wait_for_agreement, wait_for_pages
from harness.replicas import Replicas
from history import History, install
from notes_verbs import create_note
from writers import Writer

SEEDS = [int(seed) for seed in os.environ.get("PROPERTY_SEEDS", "1,2,3").split(",")]
CASES = [("redis", seed) for seed in SEEDS] + [("alone", SEEDS[0])]
RUN_S = float(os.environ.get("PROPERTY_S", "15"))
QUIET_S = 30
NOTES_COUNT = 3
WRITERS_COUNT = 5
NOTES_ENV = {"LIVE_PING_INTERVAL_MS": 2000, "LIVE_PING_TIMEOUT_MS": 5000, "WORKERS": 6, "REQUEST_DEADLINE_MS": 5000,
             "REDIS_TIMEOUT_MS": 500}  # a Redis that stands still is to be noticed


@pytest.fixture(scope="module")
def site(request, tmp_path_factory):
    """alone: without Redis; sessions are in the database, and all changes are found by asking it."""
    with Replicas(tmp_path_factory.mktemp("replicas"), count=3, has_redis=request.param == "redis", **NOTES_ENV) as replicas:
        install(replicas.database, replicas.schema)
        yield replicas


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
        run_for_a_while(site, viewers, writers, chaos, RUN_S)
        took_s, faults = wait_for_agreement(site, viewers, QUIET_S)
        faults += wait_for_pages(site, keys, QUIET_S)
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
