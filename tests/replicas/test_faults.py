# SPDX-License-Identifier: MIT
"""Faults that need more than one process, or many sockets: clocks that jump, a database that goes back to a backup, a user
who is removed, five thousand listeners. What one process does with hostile sockets is in tests/http/test_live_protocol.py.
"""
import contextlib
import json
import pathlib
import resource
import subprocess
import sys

import pytest

from harness import programs
from harness.live import Live, Raw
from harness.replicas import Replicas
from harness.wait import until
from notes_verbs import comment, create_note, view_path
from viewers import read_all_comments

CROWD_COUNT = 5000
CROWD_PROCESSES = 2
CROWD_S = 240


def set_clock(wall, shift):
    """In one step: half a file would be another time."""
    new = wall.with_suffix(".new")
    new.write_text(shift + "\n")
    new.rename(wall)


def revision_of(client, key):
    return int(client.html(view_path(key)).by_id("note")["data-revision"])


@pytest.fixture
def site(tmp_path):
    """Nobody is pinged: the crowd answers none while it is made, however long that takes."""
    with Replicas(tmp_path, count=2, USER_CHECK_S=2, LIVE_PING_INTERVAL_MS=600_000) as replicas:
        yield replicas


def test_rooms_that_cannot_be_read_are_one_line_of_the_log(site):
    """While the database is away, and again the next time; all are served when it is back."""
    notes = site.notes[0]
    me = site.sign_in("me")
    create_note(me, "k")
    for outage in range(1, 3):
        site.database.kill()
        with contextlib.ExitStack() as stack:
            listeners = [stack.enter_context(Raw(notes.url)) for _ in range(40)]
            for number, raw in enumerate(listeners):
                raw.join(key="k" if number == 0 else f"none-{number}")
            until(lambda: len(notes.log_lines(event="live.read_failed")) >= outage, "the failure is told", 30)
            site.database.start()
            assert listeners[0].receive().startswith('42/notes,["snapshot"')
            for raw in listeners[1:]:
                assert raw.receive().startswith('42/notes,["notedestroyed"')
            assert len(notes.log_lines(event="live.read_failed")) == outage


def test_a_clock_that_jumps_changes_no_order(site, tmp_path):
    """The second replica's clock goes 50 minutes back, then to 50 ahead: revisions never repeat and never fall, who is signed
    in stays so, and listeners get each comment once."""
    library = next(iter(sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
    if library is None:
        pytest.skip("the package faketime is not there")
    wall = tmp_path / "wall-clock"
    set_clock(wall, "+0")
    here, there = site.notes
    there.restart(LD_PRELOAD=library, FAKETIME_TIMESTAMP_FILE=wall, FAKETIME_NO_CACHE=1, FAKETIME_DONT_FAKE_MONOTONIC=1,
                  ASAN_OPTIONS=programs.SANITIZER_ENV["ASAN_OPTIONS"] + ":verify_asan_link_order=0")
    me = site.sign_in("me")
    create_note(me, "k")
    mine = site.client(me, 1)
    revisions = [revision_of(me, "k")]
    texts = []
    with Live(here.url, notes={"key": "k", "revision": revisions[0]}) as first, \
            Live(there.url, notes={"key": "k", "revision": revisions[0]}) as second:
        for shift in ("+0", "-3000", "+3000", "-60", "+0"):
            set_clock(wall, shift)
            for number, client in enumerate((mine, me, mine)):
                texts.append(f"{shift} {number}")
                revisions.append(comment(client, "k", texts[-1])["revision"])
        for live in (first, second):
            until(lambda: live.events and live.events[-1][1]["revision"] == revisions[-1], "the last comment")
            heard = [data["id"] for name, data in live.events if name == "newmessage"]
            assert len(heard) == len(set(heard)), "an event came twice"
    assert revisions == sorted(set(revisions)), revisions
    ahead_ms = revisions[-1] - revisions[0]
    assert ahead_ms > 2_000_000, "the other clock did not jump: nothing was tried"
    for url in site.urls:
        until(lambda url=url: read_all_comments(url, "k") == texts[::-1], f"all comments at {url}")


def test_a_database_that_went_back_to_a_backup_is_the_truth(site):
    """Comments vanish and the revision is an older one: all listeners show that, and follow what comes then."""
    me = site.sign_in("me")
    create_note(me, "k")
    comment(me, "k", "kept")
    table = f"{site.schema}.notes"
    kept, = site.database.root(f"SELECT revision FROM {table}")[0]
    with Live(site.urls[0], notes={"key": "k", "revision": kept}) as first, \
            Live(site.urls[1], notes={"key": "k", "revision": kept}) as second:
        comment(me, "k", "lost")
        for live in (first, second):
            assert live.wait("newmessage")["message"] == "lost"
        site.database.root(f"DELETE FROM {site.schema}.comments WHERE message = 'lost'", f"UPDATE {table} SET revision = {kept}")
        for live in (first, second):
            state = live.wait("snapshot")
            assert (state["revision"], [c["message"] for c in state["comments"]]) == (kept, ["kept"])
        after = comment(site.client(me, 1), "k", "after")
        for live in (first, second):
            until(lambda: live.events[-1][1]["revision"] == after["revision"], "the comment after it")
            name, data = live.events[-1]
            texts = [data["message"]] if name == "newmessage" else [c["message"] for c in data["comments"]]
            assert texts[0] == "after" and "lost" not in texts


def test_a_removed_user_is_out_on_every_replica(site):
    them = site.sign_in("them")
    with Live(site.urls[0], cookie=them.session_cookie, notes={"key": "k"}) as first, \
            Live(site.urls[1], cookie=them.session_cookie, notes={"key": "k"}) as second, \
            Live(site.urls[1], notes={"key": "k"}) as stranger:
        assert site.userauth.api().delete("/destroy/them").status_code == 200
        first.wait_closed(timeout_s=60)
        second.wait_closed(timeout_s=60)
        assert stranger.is_connected()
    for place in range(2):
        assert site.client(them, place).get("/notes/add").status_code == 302


@pytest.mark.slow
def test_five_thousand_sockets_hear_what_was_written_at_another_replica(site):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * CROWD_COUNT:
        pytest.skip(f"the system allows {hard} open files only")
    me = site.sign_in("me")
    create_note(me, "crowd")
    revision = revision_of(me, "crowd")
    crowds = [subprocess.Popen([sys.executable, str(pathlib.Path(__file__).with_name("crowd.py")), site.urls[0], "crowd",
                                str(revision), str(CROWD_COUNT // CROWD_PROCESSES)], stdout=subprocess.PIPE, text=True,
                               preexec_fn=programs.die_with_parent) for _ in range(CROWD_PROCESSES)]
    try:
        assert [crowd.stdout.readline() for crowd in crowds] == ["joined\n"] * CROWD_PROCESSES
        comment(site.client(me, 1), "crowd", "to all of you")
        heard = [json.loads(crowd.communicate(timeout=CROWD_S)[0]) for crowd in crowds]
        assert heard == [{"newmessage to all of you": CROWD_COUNT // CROWD_PROCESSES}] * CROWD_PROCESSES
    finally:
        for crowd in crowds:
            crowd.kill()
            crowd.wait()
