# SPDX-License-Identifier: MIT
"""Throttle of password tries: by name and client, over restarts, the same for names that do not exist."""
import concurrent.futures

import pytest

from harness.errors import assert_error
from harness.programs import new_password
from harness.stored import prolong_waits
from harness.wait import until


def fail(api, name, client, times):
    """Wrong tries that must all be heard."""
    for _ in range(times):
        answer = api.check(name, "wrong", client)
        assert answer.status_code == 200 and answer.json()["check"] is False, answer.text


def assert_throttled(answer, name):
    """Checks a 429; returns the seconds to wait."""
    body = assert_error(answer, 429)
    assert body["check"] is False and body["username"] == name
    seconds = int(answer.headers["Retry-After"])
    assert seconds >= 1
    return seconds


def heard_again(api, name, password, client):
    """The first answer other than 429, bounded."""
    def ask():
        answer = api.check(name, password, client)
        return answer if answer.status_code != 429 else None

    return until(ask, "throttle over", 30, 0.1)


def next_wait(api, name, client, previous):
    """Tries wrongly until a try is counted again (its wait is longer than the `previous`); returns that wait."""
    def longer():
        now = assert_throttled(api.check(name, "wrong", client), name)
        return now if now > previous else None

    return until(longer, "counted again", 30, 0.05)


@pytest.fixture
def user(api, request):
    """(name, password) of a fresh user."""
    name = "u" + str(abs(hash(request.node.nodeid)))[:12]
    password = new_password()
    api.create(name, password)
    return name, password


def test_fifth_failure_in_a_row_is_429(api, user):
    name, password = user
    fail(api, name, "c", 4)
    assert assert_throttled(api.check(name, "wrong", "c"), name) == 1
    answer = api.check(name, password, "c")  # may come after the second is over
    assert answer.status_code == 429 or answer.json()["check"] is True


def test_right_password_is_not_heard_while_waiting(services):
    service = services.userauth().start()
    api, password = service.api(), new_password()
    api.create("waiting", password)
    fail(api, "waiting", "c", 4)
    waits = [assert_throttled(api.check("waiting", "wrong", "c"), "waiting")]
    waits += [next_wait(api, "waiting", "c", previous) for previous in (1, 2, 4)]
    assert waits == [1, 2, 4, 8]
    prolong_waits(service.database, 600)
    assert 1 <= assert_throttled(api.check("waiting", password, "c"), "waiting") <= 608


def test_tries_while_waiting_are_not_counted(api, user):
    name, password = user
    fail(api, name, "c", 4)
    assert assert_throttled(api.check(name, "wrong", "c"), name) == 1
    for _ in range(20):
        answer = api.check(name, password, "c")
        if answer.status_code == 200:
            break
        assert assert_throttled(answer, name) == 1
    assert heard_again(api, name, password, "c").json()["check"] is True


def test_success_resets_the_counter(api, user):
    name, password = user
    for _ in range(3):
        fail(api, name, "c", 4)
        assert api.check(name, password, "c").json()["check"] is True


def test_clients_are_counted_apart(api, user):
    name, password = user
    fail(api, name, "one", 4)
    assert_throttled(api.check(name, "wrong", "one"), name)
    fail(api, name, "two", 4)
    assert api.check(name, password, "three").json()["check"] is True
    assert api.check(name, password).json()["check"] is True


def test_missing_client_is_a_client_of_its_own(api, user):
    name, password = user
    for _ in range(4):
        assert api.check(name, "wrong").status_code == 200
    assert_throttled(api.check(name, "wrong"), name)
    assert api.check(name, password, "other").json()["check"] is True


def test_names_are_counted_apart_and_in_any_ascii_case(api, user):
    name, _ = user
    for typed in (name, name.upper(), name.capitalize(), name):
        fail(api, typed, "c", 1)
    assert_throttled(api.check(name.upper(), "wrong", "c"), name.upper())
    fail(api, name + "x", "c", 4)


def test_unknown_name_is_throttled_like_a_known_one(api, user):
    name, _ = user
    answers = {}
    for typed in (name, "nobody-" + name):
        fail(api, typed, "c", 4)
        answers[typed] = api.check(typed, "wrong", "c")
        assert assert_throttled(answers[typed], typed) == 1
    known, unknown = (answer.json() for answer in answers.values())
    for body in (known, unknown):
        body.pop("requestId")
        body.pop("username")
    assert known == unknown


def test_empty_password_counts_as_a_failure_like_any_other(api, user):
    name, _ = user
    for _ in range(4):
        answer = api.check(name, "", "c")
        assert answer.status_code == 200 and answer.json()["check"] is False
    assert_throttled(api.check(name, "", "c"), name)


def test_invalid_requests_are_not_counted(api, user):
    name, password = user
    for _ in range(10):
        assert api.check(name, "x" * 1025, "c").status_code == 400
        assert api.check(name, 5, "c").status_code == 400
    fail(api, name, "c", 4)
    assert heard_again(api, name, password, "c").json()["check"] is True


def test_counter_holds_over_a_restart_and_a_crash(services):
    service = services.userauth().start()
    password = new_password()
    service.api().create("holds", password)
    fail(service.api(), "holds", "c", 2)
    service.restart()
    fail(service.api(), "holds", "c", 2)
    service.kill()
    service.start()
    assert assert_throttled(service.api().check("holds", "wrong", "c"), "holds") == 1
    assert next_wait(service.api(), "holds", "c", 1) == 2
    service.restart()
    assert heard_again(service.api(), "holds", password, "c").json()["check"] is True


def test_new_password_lifts_the_throttle(api, user):
    name, _ = user
    for client in ("c", "d"):
        fail(api, name, client, 4)
        assert_throttled(api.check(name, "wrong", client), name)
    fresh = new_password()
    assert api.post("/update-user/" + name, json={"plainPassword": fresh}).status_code == 200
    for client in ("c", "d"):
        assert api.check(name, fresh, client).json()["check"] is True


def test_update_without_a_password_lifts_nothing(services):
    service = services.userauth().start()
    api = service.api()
    api.create("namechange", new_password())
    fail(api, "namechange", "c", 4)
    assert assert_throttled(api.check("namechange", "wrong", "c"), "namechange") == 1
    assert [next_wait(api, "namechange", "c", previous) for previous in (1, 2)] == [2, 4]
    api.post("/update-user/namechange", json={"familyName": "New"})
    assert next_wait(api, "namechange", "c", 4) == 8


def test_concurrent_tries_get_no_more_than_four_heard(userauth, api, user):
    name, _ = user

    def attempt(_):
        with userauth.api() as own:
            return own.check(name, "wrong", "burst")

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(attempt, range(48)))
    assert {answer.status_code for answer in answers} == {200, 429}
    assert sum(answer.status_code == 200 for answer in answers) <= 4


def test_concurrent_failures_of_many_names_and_clients_stay_apart(userauth):
    def attempt(number):
        with userauth.api() as own:
            return [own.check(f"crowd{number}", "wrong", "c").status_code for _ in range(5)]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert list(pool.map(attempt, range(32))) == [[200, 200, 200, 200, 429]] * 32


def hundred_failures(api, name):
    for number in range(25):
        fail(api, name, f"bot{number}", 4)


def test_after_100_failures_of_a_name_only_known_clients_are_heard(api, user):
    name, password = user
    assert api.check(name, password, "laptop").json()["check"] is True
    hundred_failures(api, name)
    assert assert_throttled(api.check(name, password, "stranger"), name) == 900
    assert assert_throttled(api.check(name, password), name) == 900
    assert assert_throttled(api.check(name, "wrong", "stranger"), name) == 900
    fail(api, name, "laptop", 1)
    assert api.check(name, password, "laptop").json()["check"] is True
    assert api.check(name, password, "stranger").json()["check"] is True


def test_99_failures_of_a_name_are_not_100(api, user):
    name, password = user
    for number in range(24):
        fail(api, name, f"bot{number}", 4)
    fail(api, name, "last", 3)
    assert api.check(name, password, "stranger").json()["check"] is True


def test_unknown_name_is_closed_after_100_failures_too(api):
    hundred_failures(api, "nobody-at-all")
    assert assert_throttled(api.check("nobody-at-all", "wrong", "stranger"), "nobody-at-all") == 900


def test_closed_name_opens_with_a_new_password(services):
    service = services.userauth().start()
    api = service.api()
    api.create("closed", new_password())
    hundred_failures(api, "closed")
    service.restart()
    api = service.api()
    assert assert_throttled(api.check("closed", "wrong", "stranger"), "closed") == 900
    fresh = new_password()
    api.post("/update-user/closed", json={"plainPassword": fresh})
    assert api.check("closed", fresh, "stranger").json()["check"] is True


def test_known_client_of_one_name_is_no_known_client_of_another(api, user):
    name, password = user
    other, other_password = name + "o", new_password()
    api.create(other, other_password)
    assert api.check(other, other_password, "laptop").json()["check"] is True
    hundred_failures(api, name)
    assert assert_throttled(api.check(name, password, "laptop"), name) == 900


def test_flood_of_invented_names_forgets_no_user_that_is_being_guessed(services):
    """The table is bounded; a flood of other names must not be the way around the counter of one."""
    service = services.userauth().start()
    api = service.api()
    api.create("target", new_password())
    fail(api, "target", "c", 4)
    assert_throttled(api.check("target", "wrong", "c"), "target")

    def flood(part):
        with service.api() as own:
            for number in range(75):
                assert own.check(f"flood{part}-{number}", "wrong", "c").status_code == 200

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(flood, range(4)))
    assert next_wait(api, "target", "c", 1) >= 2


def test_limits_are_settings(services):
    service = services.userauth(THROTTLE_FAILURES=2, THROTTLE_WAIT_MAX_S=600, THROTTLE_FAILURES_OF_NAME=10).start()
    api, password = service.api(), new_password()
    api.create("guessed", password)
    fail(api, "guessed", "first", 1)
    assert_throttled(api.check("guessed", "wrong", "first"), "guessed")
    for client in range(8):
        fail(api, "guessed", f"bot{client}", 1)
    assert assert_throttled(api.check("guessed", password, "stranger"), "guessed") == 600, "the tenth closed the name"
