# SPDX-License-Identifier: MIT
"""Names that are not known, not answered, or moved; descriptors that are used up: what people see meanwhile, and that it ends
by itself. Other faults are in test_life.py, test_user_service_down.py, test_redis_sessions.py, test_mysql_*.py."""
import os
import re
import resource

import pytest

from harness import mariadb, names
from harness.client import Client
from harness.wait import until
import odd_service
from notes_verbs import create_note, error_page, view_path

DEADLINE_MS = 8000
pytestmark = pytest.mark.skipif(names.missing() is not None, reason=str(names.missing()))


@pytest.fixture()
def silent():
    resolver = names.SilentResolver()
    yield resolver
    resolver.close()


@pytest.fixture()
def world(services, tmp_path):
    """Makes notes-svc beside a userauth-svc that has the user "me"; its hosts are those of `Names`."""
    userauth = services.userauth().start()
    api = userauth.api()
    api.create("me", "a password of me")

    def make(resolver, **settings):
        own = names.Names(tmp_path, resolver)
        return own, userauth, services.notes(userauth, REQUEST_DEADLINE_MS=DEADLINE_MS, **settings)
    return make


def sign_in(notes):
    client = Client(notes.url)
    return client, client.login("me", "a password of me")


def test_user_service_whose_name_is_not_known_is_a_whale_until_it_is(world):
    own, userauth, notes = world("127.0.0.1")
    notes.settings["USER_SERVICE_URL"] = f"http://users.test:{userauth.port}"
    notes.start(own.wrapper)
    error_page(sign_in(notes)[1], 503)
    assert Client(notes.url).get("/").status_code == 200
    own.set(users="127.0.0.1")
    until(lambda: sign_in(notes)[0].is_signed_in, "signing in", 20, every_s=0.5)


def test_resolver_that_is_silent_holds_nobody(world, silent):
    own, userauth, notes = world(silent.address)
    notes.settings["USER_SERVICE_URL"] = f"http://users.test:{userauth.port}"
    notes.start(own.wrapper)
    error_page(sign_in(notes)[1], 503)
    assert silent.has_heard
    assert Client(notes.url).get("/").status_code == 200
    own.set(users="127.0.0.1")
    until(lambda: sign_in(notes)[0].is_signed_in, "signing in", 20, every_s=0.5)


def test_user_service_that_moves_to_another_address_is_found_there(world):
    own, userauth, notes = world("127.0.0.1")
    own.set(users="127.0.0.68")  # where nobody listens
    notes.settings["USER_SERVICE_URL"] = f"http://users.test:{userauth.port}"
    notes.start(own.wrapper)
    error_page(sign_in(notes)[1], 503)
    own.set(users="127.0.0.1")
    until(lambda: sign_in(notes)[0].is_signed_in, "signing in", 20, every_s=0.5)


def test_resolver_that_answers_nonsense_holds_nobody(world):
    resolver = names.NonsenseResolver()
    try:
        own, userauth, notes = world(resolver.address)
        notes.settings["USER_SERVICE_URL"] = f"http://users.test:{userauth.port}"
        notes.start(own.wrapper)
        error_page(sign_in(notes)[1], 503)
        assert resolver.has_heard
        assert notes.wait_log(event="http.request_done", route="/users/login", status=503)["ms"] < DEADLINE_MS
        assert Client(notes.url).get("/").status_code == 200
        own.set(users="127.0.0.1")
        until(lambda: sign_in(notes)[0].is_signed_in, "signing in", 20, every_s=0.5)
    finally:
        resolver.close()


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 14\r\n\r\n<p>Welcome</p>",
    b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
], ids=["page", "401", "redirect", "ssh"])
def test_wrong_address_of_the_user_service_signs_nobody_in(world, answer):
    """Its name leads to somebody else, who is no userauth-svc."""
    own, userauth, notes = world("127.0.0.1")
    stranger = odd_service.Odd(answer, userauth.port, "127.0.0.68")
    try:
        own.set(users="127.0.0.68")
        notes.settings["USER_SERVICE_URL"] = f"http://users.test:{userauth.port}"
        notes.start(own.wrapper)
        client, refused = sign_in(notes)
        error_page(refused, 503)
        assert not client.is_signed_in
        assert stranger.held, "the stranger was asked"
        own.set(users="127.0.0.1")
        until(lambda: sign_in(notes)[0].is_signed_in, "signing in", 20, every_s=0.5)
    finally:
        stranger.close()


@pytest.mark.server_only
def test_database_whose_resolver_is_silent_is_waited_for_within_the_deadline(world, silent):
    own, _, notes = world(silent.address)
    notes.settings["DATABASE_URL"] = re.sub(r"@[^:/]+:", "@db.test:", notes.settings["DATABASE_URL"])
    own.set(db="127.0.0.1")
    notes.start(own.wrapper)
    client, _ = sign_in(notes)
    create_note(client, "kept", "Kept", "body")
    own.set()
    mariadb.shared().kill_sessions()
    # Nothing of it is kept: it must be read.
    assert Client(notes.url).get("/notes/view?key=other").status_code == 503
    assert silent.has_heard
    assert notes.wait_log(event="http.request_done", status=503)["ms"] < DEADLINE_MS
    own.set(db="127.0.0.1")
    until(lambda: Client(notes.url).get(view_path("kept")).status_code == 200, "reading again", 20, every_s=0.5)


def first_free_descriptor(pid):
    """What the next one would be: the limit is one of numbers, not of how many there are."""
    taken = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    return min(set(range(len(taken) + 1)) - taken)


def test_used_up_descriptors_keep_who_is_there_and_end_by_themselves(world):
    _, _, notes = world("127.0.0.1")
    notes.start()
    there = Client(notes.url)
    assert there.get("/").status_code == 200
    before = resource.prlimit(notes.pid, resource.RLIMIT_NOFILE)

    def a_stranger_is_not_let_in():
        resource.prlimit(notes.pid, resource.RLIMIT_NOFILE, (first_free_descriptor(notes.pid), before[1]))
        try:
            Client(notes.url).get("/healthz", timeout=5)
        except OSError:
            return True
        return False

    until(lambda: a_stranger_is_not_let_in() and notes.log_lines(event="http.connection_refused"), "no descriptor left, and the log says so", 60)
    assert there.get("/").status_code == 200
    assert notes.log_lines(event="http.connection_refused")[0]["why"] == "no descriptor or memory left"
    resource.prlimit(notes.pid, resource.RLIMIT_NOFILE, before)
    until(lambda: Client(notes.url).get("/healthz").status_code == 200, "new connections", 20)
