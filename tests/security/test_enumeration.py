# SPDX-License-Identifier: MIT
"""Nobody finds out who has an account: names that are known, unknown, disabled or of another provider get the same answers, byte
for byte, and take the same time.

The times are compared by ranks: kinds of names are tried in turn, many times, and how often one of a kind took longer than one
of a known name is held against chance. That has no limit in milliseconds, and a busy machine hits all kinds alike. A difference
must be there twice, far outside of what chance gives, before the test fails. That it would see one of a fifth is shown by a control.
"""
import itertools
import random
import re
import time

import pytest

from harness import programs
from harness.client import Client
from harness.raw import Connection, basic, request_bytes

NOTES_ENV = {"LOGIN_FAILURES_PER_MIN": 0}
# One try costs some ms, so that a verification that is left out is no small part of it.
USERAUTH_ENV = {"PASSWORD_MEMORY_KIB": 4096, "PASSWORD_PASSES": 1}
KINDS = ("known", "unknown", "disabled", "foreign")
ROUNDS_COUNT = 60
TRIES_COUNT = 4
Z_MAX = 5.0  # of a normal distribution: by chance once in a million
VARYING = {"date", "x-request-id", "content-length", "retry-after"}  # the last two by the time that is left to wait
IDS_AND_WAITS = re.compile(rb'"requestId":"[^"]*"|\d+ seconds?\b|[0-9a-f]{32}')
_serial = itertools.count(1)


@pytest.fixture(scope="module")
def names(site):
    """names(kind) -> a name of the kind that nobody has tried yet; all are of the same length."""
    api = site.api

    def make(kind):
        name = f"name-{next(_serial):06}"
        if kind == "foreign":
            assert api.post("/create-user", json={"username": name, "provider": "elsewhere"}).status_code == 200
        elif kind != "unknown":
            api.create(name, programs.new_password(name))
        if kind == "disabled":
            assert api.post(f"/disable/{name}").status_code == 200
        return name

    return make


def password_check(site, connection, name):
    body = b'{"username":"%s","password":"not the one","client":"x"}' % name.encode()
    connection.send(request_bytes("POST", "/password-check", [("Authorization", basic("them", site.userauth.key)), ("Content-Type", "application/json")], body))
    return connection.answer("POST")


def login(_, connection, name):
    connection.send(request_bytes("POST", "/users/login", [("Content-Type", "application/x-www-form-urlencoded")],
                                  b"username=%s&password=not+the+one" % name.encode()))
    return connection.answer("POST")


def seen(answer, name):
    """All that a stranger sees, without what differs between any two answers and the name itself."""
    return (answer.status, [field for field in answer.headers if field[0] not in VARYING], IDS_AND_WAITS.sub(b"", answer.body.replace(name.encode(), b"NAME")))


def test_password_check_answers_the_same_for_all_kinds_until_it_is_throttled_and_then(site, names):
    found = {}
    with Connection(site.userauth.port) as connection:
        for kind in KINDS:
            name = names(kind)
            found[kind] = [seen(password_check(site, connection, name), name) for _ in range(6)]
    assert found["known"][0][0] == 200 and found["known"][-1][0] == 429
    for kind in KINDS:
        assert found[kind] == found["known"], kind


def test_login_answers_the_same_for_all_kinds_until_it_is_throttled_and_then(site, names):
    found = {}
    for kind in KINDS:
        name = names(kind)
        found[kind] = []
        with Connection(site.notes.port) as connection:
            for _ in range(6):
                status, headers, body = seen(login(site, connection, name), name)
                flash = [value for field, value in headers if field == "set-cookie"]
                headers = [field for field in headers if field[0] != "set-cookie"]
                found[kind].append((status, headers, body, [len(value) for value in flash]))
    assert found["known"][0][0] == 302 and found["known"][-1][0] == 429
    for kind in KINDS:
        assert found[kind] == found["known"], kind


def test_the_page_after_a_failed_login_is_the_same_for_all_kinds(site, names):
    pages = {}
    for kind in KINDS:
        client, name = Client(site.url), names(kind)
        assert client.login(name, "not the one").headers["Location"] == "login"
        pages[kind] = client.get("/users/login").text.replace(name, "NAME")
    assert len(set(pages.values())) == 1


def test_pages_tell_nobody_who_else_is_there(site, names):
    """No page of notes-svc asks for a user by name."""
    known, unknown = names("known"), names("unknown")
    client = Client(site.url)
    client.login("me", site.passwords["me"])
    for path in ("/?user={}", "/users/account?username={}", "/users/sessions?username={}", "/users/{}", "/notes/view?key=x&author={}"):
        first, second = (client.get(path.format(name)) for name in (known, unknown))
        assert first.status_code == second.status_code
        strip = lambda answer, name: answer.text.replace(name, "NAME").replace(answer.headers.get("X-Request-Id", "\0"), "")
        assert strip(first, known) == strip(second, unknown)


# --- time ---

def differences(samples):
    """Kinds whose times are not those of known names: {kind: z} of those far outside of chance (Mann and Whitney's U)."""
    known = samples["known"]
    found = {}
    for kind in KINDS[1:]:
        others = samples[kind]
        wins = sum((other > own) + (other == own) / 2 for other in others for own in known)
        middle = len(known) * len(others) / 2
        found[kind] = (wins - middle) / (len(known) * len(others) * (len(known) + len(others) + 1) / 12) ** 0.5
    return {kind: z for kind, z in found.items() if abs(z) > Z_MAX}


def measure(site, port, ask, names):
    """Times of each kind, in turn and in random order. Each name is tried as often as no throttle speaks yet, and the quickest
    counts: what else the machine does only ever adds."""
    samples = {kind: [] for kind in KINDS}
    prepared = {kind: [names(kind) for _ in range(ROUNDS_COUNT)] for kind in KINDS}
    with Connection(port) as connection:
        for number in range(ROUNDS_COUNT):
            times = {kind: [] for kind in KINDS}
            for _ in range(TRIES_COUNT):
                for kind in random.sample(KINDS, len(KINDS)):
                    begun = time.perf_counter()
                    answer = ask(site, connection, prepared[kind][number])
                    times[kind].append(time.perf_counter() - begun)
                    assert answer.status in (200, 302)
            for kind in KINDS:
                samples[kind].append(min(times[kind]))
    return samples


@pytest.mark.parametrize("service, ask", [("userauth", password_check), ("notes", login)], ids=["password-check", "login"])
def test_no_kind_of_name_takes_longer_than_another(site, names, service, ask):
    port = getattr(site, service).port
    first = differences(measure(site, port, ask, names))
    again = differences(measure(site, port, ask, names)) if first else {}
    twice = {kind: (z, again[kind]) for kind, z in first.items() if kind in again and (z > 0) == (again[kind] > 0)}
    assert not twice, f"not as known names: {twice}"


def test_the_comparison_sees_a_difference_of_a_fifth_and_none_where_there_is_none():
    """The control, on times as a busy machine gives them: now and then ten times as long. Always the same ones."""
    source = random.Random(1)

    def times(factor):
        return [min(factor * source.lognormvariate(0, 0.15) * (10 if source.random() < 0.3 else 1) for _ in range(TRIES_COUNT))
                for _ in range(ROUNDS_COUNT)]

    for _ in range(50):
        assert differences({kind: times(1) for kind in KINDS}) == {}
        assert differences({**{kind: times(1) for kind in KINDS}, "disabled": times(1.2)}).keys() == {"disabled"}
