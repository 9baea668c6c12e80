# SPDX-License-Identifier: MIT
"""Nobody finds out who has an account: names that are known, unknown, disabled or of another provider get the same answers, byte
for byte, and take the same time.

The times are compared by ranks: kinds of names are tried in turn, many times, and the median rank of each kind among all is
looked at. That has no limit in milliseconds, and a busy machine hits all kinds alike. A difference must be there twice, far
outside of what chance gives, before the test fails. That it would see one of a fifth is shown by a control.
"""
import itertools
import random
import re
import statistics
import time

import pytest

from harness import programs
from harness.client import Client
from harness.raw import Connection, basic, request_bytes

NOTES_ENV = {"LOGIN_FAILURES_PER_MIN": 0}
# One try costs some ms, so that a verification that is left out is no small part of it.
USERAUTH_ENV = {"PASSWORD_MEMORY_KIB": 4096, "PASSWORD_PASSES": 1}
KINDS = ("known", "unknown", "disabled", "foreign")
ROUNDS_COUNT = 100
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

def farthest(samples):
    """For kinds of numbers, taken in turn: the z of the kind whose ranks among all are farthest from the middle (Kruskal and
    Wallis' ranks, kind by kind)."""
    order = sorted(((value, kind) for kind, values in samples.items() for value in values))
    ranks = {kind: [] for kind in samples}
    for rank, (_, kind) in enumerate(order, 1):
        ranks[kind].append(rank)
    total = len(order)
    found = {}
    for kind, own in ranks.items():
        count = len(own)
        deviation = ((total + 1) * (total - count) / (12 * count)) ** 0.5
        found[kind] = (statistics.mean(own) - (total + 1) / 2) / deviation
    return max(found.items(), key=lambda one: abs(one[1]))


def measure(site, port, ask, names):
    """Times of each kind, in turn and in random order, each on a name of its own so that no throttle speaks."""
    samples = {kind: [] for kind in KINDS}
    prepared = {kind: [names(kind) for _ in range(ROUNDS_COUNT)] for kind in KINDS}
    with Connection(port) as connection:
        for _ in range(5):
            ask(site, connection, names("unknown"))
        for number in range(ROUNDS_COUNT):
            for kind in random.sample(KINDS, len(KINDS)):
                begun = time.perf_counter()
                answer = ask(site, connection, prepared[kind][number])
                samples[kind].append(time.perf_counter() - begun)
                assert answer.status in (200, 302)
    return samples


@pytest.mark.parametrize("service, ask", [("userauth", password_check), ("notes", login)], ids=["password-check", "login"])
def test_no_kind_of_name_takes_longer_than_another(site, names, service, ask):
    port = getattr(site, service).port
    kind, z = farthest(measure(site, port, ask, names))
    if abs(z) > Z_MAX:
        again, z_again = farthest(measure(site, port, ask, names))
        assert abs(z_again) <= Z_MAX or (again, z_again > 0) != (kind, z > 0), f"{kind} names differ: z = {z:.1f}, then {z_again:.1f}"


def test_the_comparison_sees_a_difference_of_a_fifth(site, names):
    """The control: real times, those of one kind made longer by a fifth of the median."""
    for _ in range(2):  # as often as the test above looks
        samples = measure(site, site.userauth.port, password_check, names)
        fifth = statistics.median(itertools.chain(*samples.values())) / 5
        kind, z = farthest({**samples, "disabled": [value + fifth for value in samples["disabled"]]})
        print(f"z of the same: {farthest(samples)}; of a fifth more: {kind} {z:.1f}")
        if kind == "disabled" and z > Z_MAX:
            return
    pytest.fail(f"z is only {z:.1f}")
