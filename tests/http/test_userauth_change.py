# SPDX-License-Identifier: MIT
"""POST /change-password: people change their own password; the old one is a try like any other, the new one has rules."""
import concurrent.futures

import bcrypt
import pytest

from harness.errors import assert_error
from harness.programs import new_password, remember_secret
from harness.stored import hash_prefix, prolong_waits

CHEAP = "$argon2id$v=19$m=64,t=1,p=1"  # what the harness sets
FALSE_MESSAGE = "Incorrect username or password"


def change(api, name, old, new, client=None):
    body = {"username": name, "password": old, "plainPassword": new}
    if client is not None:
        body["client"] = client
    return api.post("/change-password", json=body)


def tag(api, name):
    return api.get("/find/" + name).headers["ETag"]


def is_right(api, name, password, client="afterwards"):
    answer = api.check(name, password, client)
    assert answer.status_code == 200, answer.text
    return answer.json()["check"]


def assert_refused(answer, code, *words):
    """A 400 for the new password: the usual form of an error, with a code and a message of its own."""
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert set(body) == {"code", "message", "requestId", "field"} and body["code"] == code, body
    assert body["field"] == "plainPassword" and body["requestId"] == answer.headers["X-Request-Id"]
    assert all(word in body["message"] for word in words), body
    assert "ETag" not in answer.headers


def assert_wrong(answer, name):
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"changed": False, "username": name, "message": FALSE_MESSAGE}
    assert "ETag" not in answer.headers


@pytest.fixture
def user(api, request):
    """(name, password) of a fresh user."""
    name = "c" + str(abs(hash(request.node.nodeid)))[:12]
    password = new_password()
    api.create(name, password)
    return name, password


# --- done ---

def test_changed_password_is_the_only_one_and_the_answer_has_the_new_etag(userauth, api):
    old, new = new_password(), new_password()
    made = api.create("Changer", old, familyName="F")
    before = tag(api, "Changer")
    answer = change(api, "cHANGER", old, new)
    assert answer.status_code == 200 and answer.json() == {"changed": True, "username": "Changer"}
    assert answer.headers["ETag"] == tag(api, "Changer") != before
    assert is_right(api, "Changer", new) and not is_right(api, "Changer", old)
    assert hash_prefix(userauth.database, "changer") == CHEAP
    assert api.get("/find/Changer").json() == made


def test_text_like_a_hash_is_a_password(userauth, api, user):
    name, old = user
    inner = new_password()
    text = remember_secret(bcrypt.hashpw(inner.encode(), bcrypt.gensalt(4)).decode())
    assert change(api, name, old, text).json()["changed"] is True
    assert hash_prefix(userauth.database, name) == CHEAP
    assert is_right(api, name, text) and not is_right(api, name, inner)


def test_bcrypt_of_the_node_version_is_replaced_whatever_its_length(userauth, api):
    old, new = remember_secret("old password " * 8), new_password()
    stored = bcrypt.hashpw(old.encode()[:72], bcrypt.gensalt(4)).decode()
    assert api.post("/create-user", json={"username": "fromnode", "password": stored}).status_code == 200
    assert change(api, "fromnode", old, new).json()["changed"] is True
    assert hash_prefix(userauth.database, "fromnode") == CHEAP and is_right(api, "fromnode", new)


def test_same_password_again_is_taken_and_ends_sessions_too(api, user):
    name, password = user
    before = tag(api, name)
    assert change(api, name, password, password).json()["changed"] is True
    assert tag(api, name) != before and is_right(api, name, password)


def test_password_of_any_characters_is_taken_as_it_was_typed(api, user):
    name, old = user
    for new in (" lead and trail of it ", "пароль из многих букв", "😀🎈🐟🦔🌵🍄🪐🧭🎲🪁🧵🪴🛶🧊🪵", "tab\tand\nline and \u202e marks"):
        remember_secret(new)
        assert change(api, name, old, new).json()["changed"] is True, ascii(new)
        assert is_right(api, name, new) and not is_right(api, name, new.strip() + " ")
        old = new


# --- the old password ---

def test_wrong_password_unknown_user_disabled_user_and_other_provider_are_answered_alike(api):
    right, new = new_password(), new_password()
    api.create("Known", right)
    api.create("Disabled", right)
    api.post("/disable/Disabled")
    api.post("/create-user", json={"username": "Foreign", "provider": "twitter"})
    answers = {"KNOWN": change(api, "KNOWN", "not the password", new), "UNKNOWN": change(api, "UNKNOWN", right, new),
               "DISABLED": change(api, "DISABLED", right, new), "FOREIGN": change(api, "FOREIGN", "", new)}
    skipped = ("X-Request-Id", "Date", "Content-Length")
    shapes = []
    for name, answer in answers.items():
        assert_wrong(answer, name)
        shapes.append({header: value for header, value in answer.headers.items() if header not in skipped})
    assert all(shape == shapes[0] for shape in shapes)
    assert is_right(api, "Known", right)
    api.post("/enable/Disabled")
    assert is_right(api, "Disabled", right)
    assert api.get("/find/UNKNOWN").status_code == 404


def test_wrong_change_leaves_the_etag(api, user):
    name, _ = user
    before = tag(api, name)
    assert_wrong(change(api, name, "wrong", new_password()), name)
    assert tag(api, name) == before


@pytest.mark.parametrize("is_known", [True, False])
def test_tries_are_counted_together_with_logins(api, user, is_known):
    name = user[0] if is_known else "nobody-" + user[0]
    for _ in range(2):
        assert_wrong(change(api, name, "wrong", new_password(), "c"), name)
        assert api.check(name, "wrong", "c").json()["check"] is False
    answer = change(api, name, "wrong", new_password(), "c")
    assert answer.status_code == 429 and answer.headers["Retry-After"] == "1"
    body = answer.json()
    assert set(body) == {"changed", "username", "message", "code", "requestId"}
    assert body["changed"] is False and body["username"] == name and body["code"] == "TooManyRequests"
    assert body["requestId"] == answer.headers["X-Request-Id"]
    assert api.check(name, "wrong", "c").status_code == 429
    assert_wrong(change(api, name, "wrong", new_password(), "another"), name)


def test_client_that_must_wait_changes_nothing_with_the_right_password(services):
    service = services.userauth().start()
    api, old = service.api(), new_password()
    api.create("waits", old)
    assert [api.check("waits", "wrong", "c").status_code for _ in range(5)] == [200] * 4 + [429]
    prolong_waits(service.database, 600)
    assert change(api, "waits", old, new_password(), "c").status_code == 429
    assert is_right(api, "waits", old, "other")


def test_change_forgets_the_failed_tries(api, user):
    name, old = user
    for client in ("c", "d"):
        for _ in range(4):
            assert_wrong(change(api, name, "wrong", new_password(), client), name)
    new = new_password()
    assert change(api, name, old, new, "c").json()["changed"] is True
    for client in ("c", "d"):
        for _ in range(4):
            assert api.check(name, "wrong", client).status_code == 200


def test_closed_name_is_closed_for_changes_but_by_known_devices(api, user):
    name, old = user
    for number in range(25):
        for _ in range(4):
            api.check(name, "wrong", f"bot{number}")
    answer = change(api, name, old, new_password(), "stranger")
    assert answer.status_code == 429 and answer.headers["Retry-After"] == "900"
    assert change(api, name, old, new_password(), "device:known").json()["changed"] is True


def test_of_many_changes_at_once_with_the_same_old_password_one_is_made(userauth, api, user):
    name, old = user
    fresh = [new_password() for _ in range(12)]

    def attempt(new):
        with userauth.api() as own:
            return change(own, name, old, new, "device:" + new[-8:])

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(attempt, fresh))
    made = [new for new, answer in zip(fresh, answers) if answer.status_code == 200 and answer.json()["changed"]]
    assert len(made) == 1, [answer.text for answer in answers]
    assert [new for new in fresh if is_right(api, name, new, "device:" + new[-8:])] == made


# --- the new password ---

@pytest.mark.parametrize("new, code, words", [
    ("", "PasswordTooShort", ["15 characters"]),
    ("fourteen chars", "PasswordTooShort", ["15 characters"]),
    ("äöüßéèêáàâíìîñ", "PasswordTooShort", ["15 characters"]),
    ("x y z" + "w" * 1020, "PasswordTooLong", ["1024 bytes"]),
    ("é and much " + "é" * 507, "PasswordTooLong", ["1024 bytes"]),
    ("Correct Horse Battery Staple!", "PasswordCommon", ["many people"]),
    ("passwordpassword", "PasswordCommon", ["many people"]),
    ("aaaaaaaaaaaaaaaaaaaa", "PasswordCommon", ["many people"]),
    ("Ruled-ruled-ruled-2026", "PasswordIsName", ["user name"]),
    ("NotesNotesNotes", "PasswordIsName", ["user name"]),
    ("notes@ruled.12345", "PasswordIsName", ["user name"]),
], ids=lambda value: ascii(value)[:20] if isinstance(value, str) else "")
def test_new_password_that_breaks_a_rule_is_400_with_its_code(api, new, code, words):
    old = new_password()
    api.post("/find-or-create", json={"username": "ruled", "plainPassword": old})
    for name in ("Ruled", "ruled"):
        for typed in (old, "wrong"):
            assert_refused(change(api, name, typed, new), code, *words)


def test_rules_are_the_same_for_names_that_nobody_has(api):
    assert_refused(change(api, "nobody-here", "wrong", "nobody-here2026"), "PasswordIsName")
    assert_refused(change(api, "nobody-here", "wrong", "short"), "PasswordTooShort")


def test_refused_new_password_costs_no_try_and_changes_nothing(userauth, api, user):
    name, old = user
    before = tag(api, name)
    for _ in range(12):
        assert_refused(change(api, name, "wrong", "short", "c"), "PasswordTooShort")
    assert is_right(api, name, old, "c") and tag(api, name) == before


@pytest.mark.parametrize("new", ["fifteen chars ok", "ä" + "bcdefghijklmnop"[:13] + "😀", "x y z" + "wv" * 509 + "q"])
def test_password_at_the_limits_is_taken(api, user, new):
    name, old = user
    remember_secret(new)
    assert change(api, name, old, new).json() == {"changed": True, "username": name}
    assert is_right(api, name, new)


@pytest.mark.parametrize("least", [8, 64])
def test_least_length_is_a_setting(services, least):
    service = services.userauth(PASSWORD_MIN_CHARS=least).start()
    api, old = service.api(), new_password()
    api.create("set", old)
    text = remember_secret("many words of which the first ones are enough for any setting of it")
    assert_refused(change(api, "set", old, text[:least - 1]), "PasswordTooShort", f"{least} characters")
    assert change(api, "set", old, text[:least]).json()["changed"] is True


def test_who_has_a_key_may_set_any_password(api):
    for number, weak in enumerate(["x", "notesnotesnotes", "aaaaaaaaaaaaaaa"]):
        api.post("/create-user", json={"username": f"weak{number}", "plainPassword": new_password()})
        assert api.post(f"/update-user/weak{number}", json={"plainPassword": weak}).status_code == 200
        assert change(api, f"weak{number}", weak, new_password()).json()["changed"] is True


# --- requests that are none ---

@pytest.mark.parametrize("member", ["username", "password", "plainPassword"])
@pytest.mark.parametrize("value", [None, 1, True, ["a"], {"a": 1}])
def test_member_of_a_wrong_type_or_missing_is_400(api, member, value):
    body = {"username": "typed", "password": "something", "plainPassword": new_password()}
    assert_error(api.post("/change-password", json={**body, member: value}), 400, field=member)
    del body[member]
    assert_error(api.post("/change-password", json=body), 400, field=member)


@pytest.mark.parametrize("value", ["", 1, ["a"], {}, True, "x" * 256])
def test_bad_client_is_400(api, value):
    body = {"username": "x", "password": "y", "plainPassword": new_password(), "client": value}
    assert_error(api.post("/change-password", json=body), 400, field="client")


@pytest.mark.parametrize("name", ["", "a" * 65, "a/b", "a\nb", "\x01", "x" * 10_000])
def test_name_that_cannot_be_is_400(api, name):
    assert_error(change(api, name, "y", new_password()), 400, field="username")


def test_too_long_old_password_is_400(api):
    assert_error(change(api, "x", "x" * 1025, new_password()), 400, field="password")


def test_other_members_change_nothing(api, user):
    name, old = user
    new = new_password()
    answer = api.post("/change-password", json={"username": name, "password": old, "plainPassword": new, "provider": "twitter",
                                                "familyName": "Mass", "disabled": True, "id": "other", "newPassword": "x"})
    assert answer.json() == {"changed": True, "username": name}
    found = api.get("/find/" + name).json()
    assert found["provider"] == "local" and found["familyName"] is None and "disabled" not in found


# --- events ---

def test_events_tell_who_and_through_which_key_and_no_password(userauth, api, user):
    name, old = user
    change(api, name, old, "short", "dev")
    change(api, name, "wrong", new_password(), "dev")
    change(api, name, old, new_password(), "dev")
    for _ in range(5):
        change(api, name, "wrong", new_password(), "locked")
    userauth.wait_log(event="auth.locked", user=name)
    lines = [line for line in userauth.log_lines(user=name) if line["event"].startswith(("auth.", "user."))]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("user.created", "info"), ("auth.change_refused", "info"), ("auth.change_failed", "warn"),
        ("user.password_changed", "info"), *[("auth.change_failed", "warn")] * 5, ("auth.locked", "warn")]
    assert lines[1]["why"] == "PasswordTooShort" and lines[-1]["wait_s"] == 1
    for line in lines[1:]:
        assert line["key"] == "them" and line["peer"] == "127.0.0.1" and line["client"] in ("dev", "locked")
