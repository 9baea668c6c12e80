# SPDX-License-Identifier: MIT
"""Much for little: what a stranger sends by the thousand fills no log, and others are served meanwhile.

Memory of answers that nobody reads: unit/test_hub.c. Slow requests and floods of connections: ../http/test_hostile_input.py and
../http/test_limits.py. Rooms and pages by the thousand: ../http/test_resources.py.
"""
import pytest

from harness.client import browser_session as open_session
from harness.live import Raw
from notes_verbs import create_note, view_path


@pytest.fixture(scope="module")
def me(site):
    client = open_session(site, "me")
    create_note(client, "k")
    return client


def test_events_that_a_stranger_may_not_send_fill_no_log(site, me):
    """One line a socket, however many there are; each is answered all the same."""
    count = 2000
    with Raw(site.url) as raw:
        raw.join(key="k", revision=int(me.html(view_path("k")).by_id("note")["data-revision"]))
        for number in range(count):
            raw.send(f'42/notes,{number}["create-message",{{"message":"x"}}]')
        for number in range(count):
            assert raw.receive().startswith(f'43/notes,{number}[{{"code":"InvalidCredentials"')
        assert me.get(view_path("k")).status_code == 200
    assert len(site.notes.log_lines(event="live.event_refused")) == 1
