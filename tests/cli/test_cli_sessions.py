# SPDX-License-Identifier: MIT
"""userauth-cli asks a real notes-svc for sessions and ends them. test_cli_access.py has what it does with odd answers."""
import pytest

from harness.cli import Cli
from harness.client import browser_session as open_session
from harness.live import Raw
from harness.wait import until

NOTES_ENV = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0, "USER_CHECK_S": 1}


@pytest.fixture
def cli(site):
    return Cli(site.userauth, NOTES_URL=site.notes.url)


def is_in(client):
    return client.get("/notes/add").status_code == 200


def test_a_session_is_listed_and_ended_whatever_case_the_name_is_typed_in(site, cli):
    site.add_user("Ada")
    first, second = open_session(site, "Ada"), open_session(site, "Ada")
    listed = cli.json("sessions", "ADA")
    assert len(listed) == 2 and {row["address"] for row in listed} == {"127.0.0.1"}
    assert all(row["id"] in cli.ok("sessions", "ada") for row in listed)
    with Raw(site.url, cookie=first.session_cookie) as one, Raw(site.url, cookie=second.session_cookie) as other:
        one.join()
        other.join()
        for row in listed:
            assert "has ended" in cli.ok("revoke", "aDa", row["id"])
        assert one.is_ended() and other.is_ended()
    assert not is_in(first) and not is_in(second) and cli.json("sessions", "Ada") == []
    assert cli.run("revoke", "Ada", listed[0]["id"]).returncode == 1


@pytest.mark.parametrize("command", ["revoke", "disable"])
def test_all_sessions_of_a_user_end_with_their_sockets(site, cli, command):
    site.add_user(command)
    client, you = open_session(site, command), open_session(site, "you")
    with Raw(site.url, cookie=client.session_cookie) as raw, Raw(site.url, cookie=you.session_cookie) as kept:
        raw.join()
        kept.join()
        cli.ok(command, command)
        assert raw.is_ended()
        kept.settle()
    until(lambda: not is_in(client), "the session has ended")
    assert is_in(you) and cli.json("sessions", command) == []


def test_a_wrong_key_is_told(site, cli):
    done = cli.run("sessions", "me", USER_SERVICE_KEY="x" * 43)
    assert done.returncode != 0 and done.stdout == ""
