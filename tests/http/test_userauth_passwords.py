# SPDX-License-Identifier: MIT
"""Passwords: bcrypt of the Node clients, plain ones, limits, and hashes that get stronger at the next login."""
import concurrent.futures

import bcrypt
import pytest

from harness import stored
from harness.errors import assert_error
from harness.programs import new_password
from harness.stored import hash_prefix

CHEAP = "$argon2id$v=19$m=64,t=1,p=1"  # what the harness sets
FALSE_MESSAGE = "Incorrect username or password"
GOOD_TAIL = "abcdefghijklmnopqrstuu" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ01234"  # 22 of salt, 31 of digest


def bcrypt_hash(password, cost=4, kind="b"):
    """A hash as the Node clients send it. The three kinds are the same algorithm for passwords without NUL."""
    made = bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost, b"2b")).decode()
    return f"$2{kind}$" + made[4:]


def create_hashed(api, name, stored):
    answer = api.post("/create-user", json={"username": name, "provider": "local", "password": stored})
    assert answer.status_code == 200, answer.text


def is_right(api, name, password):
    answer = api.check(name, password)
    assert answer.status_code == 200, answer.text
    return answer.json()["check"]


# --- answers ---

def test_right_password_is_answered_with_the_stored_spelling(api):
    password = new_password()
    api.create("Speller", password)
    answer = api.check("sPELLER", password)
    assert answer.status_code == 200
    assert answer.json() == {"check": True, "username": "Speller"}


def test_wrong_password_and_unknown_user_are_answered_alike(api):
    api.create("Known", new_password())
    answers = [api.check(name, "not the password") for name in ("KNOWN", "UNKNOWN")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == {"check": False, "username": "KNOWN", "message": FALSE_MESSAGE}
    assert answers[1].json() == {"check": False, "username": "UNKNOWN", "message": FALSE_MESSAGE}
    skipped = ("X-Request-Id", "Date", "Content-Length")
    shapes = [{name: value for name, value in answer.headers.items() if name not in skipped} for answer in answers]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("kind", ["local", "hashed", "foreign"])
def test_empty_password_never_matches(api, kind):
    name = "empty-" + kind
    if kind == "hashed":
        create_hashed(api, name, bcrypt_hash(""))  # the Node version stored such hashes
    else:
        body = {"username": name, "provider": "local" if kind == "local" else "twitter", "plainPassword": new_password()}
        assert api.post("/create-user", json=body).status_code == 200
    assert api.check(name, "").json() == {"check": False, "username": name, "message": FALSE_MESSAGE}


@pytest.mark.parametrize("value", [None, 1, True, ["a"], {"a": 1}])
def test_password_of_a_wrong_type_is_400(api, value):
    body = {"username": "typed", "password": value}
    assert_error(api.post("/password-check", json=body), 400, field="password")
    if value is not None:
        assert_error(api.post("/create-user", json=body), 400, field="password")
        assert_error(api.post("/create-user", json={"username": "typed", "plainPassword": value}), 400)


def test_password_check_without_password_is_400(api):
    assert_error(api.post("/password-check", json={"username": "x"}), 400, field="password")


@pytest.mark.parametrize("value", ["", 1, ["a"], {}, True, "x" * 256])
def test_bad_client_is_400(api, value):
    body = {"username": "x", "password": "y", "client": value}
    assert_error(api.post("/password-check", json=body), 400, field="client")


def test_client_of_255_characters_is_taken(api):
    assert api.check("clienttest", "y", "é" * 255).status_code == 200


@pytest.mark.parametrize("password", [
    "x", "x" * 1024, "é" * 512, "😀" * 256, "pass\u202eword", "\t\n\x01 \x7f", "'; DROP TABLE users; --", " lead and trail ",
    "$1$notbcrypt", "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaA", "$2", "$2$10$" + GOOD_TAIL, "$2a", "$3b$10$" + GOOD_TAIL,
], ids=lambda value: ascii(value)[:24])
@pytest.mark.parametrize("member", ["password", "plainPassword"])
def test_plain_passwords_of_1_to_1024_bytes(api, member, password):
    name = "plain"
    api.delete("/destroy/" + name)
    assert api.post("/create-user", json={"username": name, member: password}).status_code == 200
    assert is_right(api, name, password)
    assert not is_right(api, name, password[:-1] + "?")
    api.delete("/destroy/" + name)


@pytest.mark.parametrize("password", ["", "x" * 1025, "é" * 513, "x" * 60_000])
@pytest.mark.parametrize("member", ["password", "plainPassword"])
def test_other_plain_passwords_are_400(api, member, password):
    assert_error(api.post("/create-user", json={"username": "toolong", member: password}), 400, field=member)
    api.post("/find-or-create", json={"username": "longupdate", "plainPassword": new_password()})
    assert_error(api.post("/update-user/longupdate", json={member: password}), 400, field=member)
    assert api.get("/find/toolong").status_code == 404


def test_too_long_password_in_a_check_is_400(api):
    assert_error(api.check("x", "x" * 1025), 400, field="password")
    assert_error(api.check("x", "é" * 513), 400, field="password")


def test_both_kinds_of_password_at_once_are_400(api):
    body = {"username": "both", "password": new_password(), "plainPassword": new_password()}
    assert_error(api.post("/create-user", json=body), 400)
    api.post("/find-or-create", json={"username": "both2", "plainPassword": new_password()})
    del body["username"]
    assert_error(api.post("/update-user/both2", json=body), 400)


# --- bcrypt ---

@pytest.mark.parametrize("kind", ["a", "b", "y"])
@pytest.mark.parametrize("cost", [4, 5, 10, 12])
def test_bcrypt_of_every_kind_is_kept_as_it_is_and_verified(userauth, api, kind, cost):
    password = new_password("bcrypt")
    name = f"b{kind}{cost}"
    create_hashed(api, name, bcrypt_hash(password, cost, kind))
    assert hash_prefix(userauth.database, name) == f"$2{kind}${cost:02d}$"
    assert not is_right(api, name, password + "x")
    assert hash_prefix(userauth.database, name) == f"$2{kind}${cost:02d}$"
    assert is_right(api, name, password)


BAD_BCRYPT = {
    "cost 3": "$2b$03$" + GOOD_TAIL,
    "cost 0": "$2b$00$" + GOOD_TAIL,
    "cost 13": "$2b$13$" + GOOD_TAIL,
    "cost 31": "$2b$31$" + GOOD_TAIL,
    "cost of one digit": "$2b$4$" + GOOD_TAIL,
    "cost of three digits": "$2b$010$" + GOOD_TAIL,
    "cost no number": "$2b$1x$" + GOOD_TAIL,
    "no cost": "$2b$$" + GOOD_TAIL,
    "kind x": "$2x$10$" + GOOD_TAIL,
    "kind c": "$2c$10$" + GOOD_TAIL,
    "kind B": "$2B$10$" + GOOD_TAIL,
    "short": "$2b$10$" + GOOD_TAIL[:-1],
    "long": "$2b$10$" + GOOD_TAIL + "a",
    "only the start": "$2b$",
    "bad character": "$2b$10$" + GOOD_TAIL[:-1] + "!",
    "base64 character": "$2b$10$" + GOOD_TAIL[:-1] + "+",
    "line end": "$2b$10$" + GOOD_TAIL + "\n",
    "space": "$2b$10$" + GOOD_TAIL[:-1] + " ",
    "not ascii": "$2b$10$" + GOOD_TAIL[:-1] + "é",
}


@pytest.mark.parametrize("kind", sorted(BAD_BCRYPT))
def test_broken_bcrypt_is_400_everywhere(api, kind):
    api.post("/find-or-create", json={"username": "stays", "plainPassword": new_password()})
    body = {"password": BAD_BCRYPT[kind]}
    for path in ("/create-user", "/find-or-create"):
        assert_error(api.post(path, json={"username": "broken", **body}), 400, field="password")
    assert_error(api.post("/update-user/stays", json=body), 400, field="password")
    assert api.get("/find/broken").status_code == 404


def test_bcrypt_through_update_and_find_or_create(userauth, api):
    first, second = new_password(), new_password()
    answer = api.post("/find-or-create", json={"username": "viafoc", "password": bcrypt_hash(first)})
    assert answer.status_code == 200 and is_right(api, "viafoc", first)
    assert api.post("/update-user/viafoc", json={"password": bcrypt_hash(second, 6, "y")}).status_code == 200
    assert hash_prefix(userauth.database, "viafoc") == "$2y$06$"
    assert is_right(api, "viafoc", second) and not is_right(api, "viafoc", first)


def test_plain_password_member_is_never_read_as_a_hash(userauth, api):
    inner = new_password()
    text = bcrypt_hash(inner)
    api.create("literal", text)
    assert hash_prefix(userauth.database, "literal") == CHEAP
    assert is_right(api, "literal", text) and not is_right(api, "literal", inner)
    second = bcrypt_hash(inner, 5)
    api.post("/update-user/literal", json={"plainPassword": second})
    assert is_right(api, "literal", second) and not is_right(api, "literal", inner)


# --- the 72-byte rule and the upgrade ---

@pytest.mark.parametrize("length,is_upgraded", [(1, True), (71, True), (72, False), (73, False), (200, False), (1024, False)])
def test_login_upgrades_bcrypt_only_when_the_password_is_whole(userauth, api, length, is_upgraded):
    password = "p" * length
    name = f"upgrade{length}"
    create_hashed(api, name, bcrypt_hash(password))
    tag = api.get("/find/" + name).headers["ETag"]
    assert hash_prefix(userauth.database, name) == "$2b$04$"
    assert is_right(api, name, password)
    assert hash_prefix(userauth.database, name) == (CHEAP if is_upgraded else "$2b$04$")
    assert is_right(api, name, password)
    assert api.get("/find/" + name).headers["ETag"] == tag


def test_bcrypt_reads_72_bytes_and_no_more(userauth, api):
    create_hashed(api, "cut", bcrypt_hash("q" * 72))
    assert is_right(api, "cut", "q" * 72 + "anything")
    assert not is_right(api, "cut", "q" * 71)
    assert not is_right(api, "cut", "q" * 71 + "r")
    create_hashed(api, "cut2", bcrypt_hash("r" * 80))
    assert is_right(api, "cut2", "r" * 72)
    assert hash_prefix(userauth.database, "cut2") == "$2b$04$"
    assert is_right(api, "cut2", "r" * 80)


def test_72_bytes_are_counted_in_utf8(userauth, api):
    create_hashed(api, "wide36", bcrypt_hash("é" * 36))
    assert is_right(api, "wide36", "é" * 36 + "x")
    create_hashed(api, "wide35", bcrypt_hash("é" * 35))
    assert is_right(api, "wide35", "é" * 35)
    assert hash_prefix(userauth.database, "wide35") == CHEAP


def test_wrong_password_upgrades_nothing(userauth, api):
    create_hashed(api, "unmoved", bcrypt_hash(new_password()))
    assert not is_right(api, "unmoved", "wrong")
    assert hash_prefix(userauth.database, "unmoved") == "$2b$04$"


def test_argon2_hash_weaker_than_the_settings_is_made_stronger_at_the_next_login(services):
    service = services.userauth(PASSWORD_MEMORY_KIB=8, PASSWORD_PASSES=1).start()
    password = new_password()
    service.api().create("growing", password)
    assert hash_prefix(service.database, "growing") == "$argon2id$v=19$m=8,t=1,p=1"
    tag = service.api().get("/find/growing").headers["ETag"]
    service.restart(PASSWORD_MEMORY_KIB=128, PASSWORD_PASSES=2)
    api = service.api()
    assert not is_right(api, "growing", "wrong")
    assert hash_prefix(service.database, "growing") == "$argon2id$v=19$m=8,t=1,p=1"
    assert is_right(api, "growing", password)
    assert hash_prefix(service.database, "growing") == "$argon2id$v=19$m=128,t=2,p=1"
    assert is_right(api, "growing", password)
    assert api.get("/find/growing").headers["ETag"] == tag


@pytest.mark.sqlite_only(reason="a trigger in the words of SQLite")
def test_a_hash_that_cannot_be_made_stronger_stops_no_login_and_is_logged(services):
    service = services.userauth(PASSWORD_MEMORY_KIB=8).start()
    password = new_password()
    service.api().create("stuck", password)
    with stored.opened(service.database, is_writable=True) as database:
        database.execute("CREATE TRIGGER refusing BEFORE UPDATE ON users BEGIN SELECT RAISE(ABORT, 'refused'); END")
    service.restart(PASSWORD_MEMORY_KIB=128)
    assert is_right(service.api(), "stuck", password)
    line = service.wait_log(event="auth.renew_failed", user="stuck")
    assert line["level"] == "warn" and password not in str(service.log_lines())


def test_default_cost_is_owasps(services):
    service = services.userauth(PASSWORD_MEMORY_KIB=None, PASSWORD_PASSES=None).start()
    password = new_password()
    service.api().create("costly", password)
    assert hash_prefix(service.database, "costly") == "$argon2id$v=19$m=19456,t=2,p=1"
    assert is_right(service.api(), "costly", password)


def test_upgrade_never_undoes_a_password_change(userauth):
    """Logins with the old bcrypt password run while it is changed: the new one must hold afterwards."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for turn in range(8):
            name, old, new = f"turn{turn}", new_password(), new_password()
            with userauth.api() as api:
                create_hashed(api, name, bcrypt_hash(old, 6))
                checks = [pool.submit(userauth.api().check, name, old, f"c{n}") for n in range(7)]
                changed = api.post("/update-user/" + name, json={"plainPassword": new})
                assert changed.status_code == 200
                concurrent.futures.wait(checks)
                assert api.check(name, new, "afterwards").json()["check"] is True
                assert api.check(name, old, "afterwards").json()["check"] is False


def test_no_plain_password_is_in_the_state_folder(userauth, api):
    password = new_password()
    api.create("onfile", password)
    assert is_right(api, "onfile", password)
    api.check("onfile", password + "wrong")
    for path in userauth.state_dir.iterdir():
        if path.is_file():
            assert password.encode() not in path.read_bytes(), path.name
