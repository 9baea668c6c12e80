# SPDX-License-Identifier: MIT
"""Users who may not sign in, and users who are signed out everywhere: what each answers, and what it does to the ETag."""
import concurrent.futures
import json
import urllib.parse

import pytest

from harness import stored
from harness.errors import assert_error
from harness.programs import new_password
from harness.raw import basic, exchange
from harness.stored import hash_prefix

FALSE_MESSAGE = "Incorrect username or password"
# What a program that knows migration 1 only asks before it verifies a password, and how it makes a user.
FIRST_PROGRAMS_LOGIN = "SELECT CASE WHEN provider = 'local' THEN password END FROM users WHERE name_key = ?"
FIRST_PROGRAMS_INSERT = ("INSERT INTO users (name_key, username, password, generation, provider, family_name, given_name, middle_name,"
                         " emails, photos, created_unix_ms, updated_unix_ms)"
                         " VALUES ('first', 'First', NULL, 'g', 'local', NULL, NULL, NULL, '[]', '[]', 1, 1)")


def quoted(name):
    return urllib.parse.quote(name, safe="")


def tag(api, name):
    return api.get("/find/" + quoted(name)).headers["ETag"]


def found(api, name):
    return api.get("/find/" + quoted(name)).json()


# --- disable and enable ---

def test_disabled_user_is_answered_and_found_as_such_and_enabled_as_before(api):
    made = api.create("Switch", new_password(), familyName="F", emails=["s@example.com"])
    answer = api.post("/disable/sWITCH")
    assert answer.status_code == 200
    assert answer.json() == {**made, "disabled": True} == found(api, "switch")
    listed = [user for user in api.get("/list").json() if user["username"] == "Switch"]
    assert listed == [{**made, "disabled": True}]
    answer = api.post("/enable/switch")
    assert answer.status_code == 200
    assert answer.json() == made == found(api, "switch")


def test_member_stands_last_and_only_with_a_disabled_user(api):
    api.create("member", new_password())
    assert "disabled" not in api.get("/find/member").text
    assert api.post("/disable/member").text.endswith(',"photos":[],"disabled":true}')


def test_right_password_of_a_disabled_user_is_answered_like_a_wrong_one(api):
    password = new_password()
    api.create("Shut", password)
    api.post("/disable/Shut")
    right, wrong = api.check("SHUT", password, "a"), api.check("SHUT", "not the password", "b")
    assert right.status_code == wrong.status_code == 200
    assert right.json() == wrong.json() == {"check": False, "username": "SHUT", "message": FALSE_MESSAGE}
    skipped = ("X-Request-Id", "Date")
    shapes = [{name: value for name, value in answer.headers.items() if name not in skipped} for answer in (right, wrong)]
    assert shapes[0] == shapes[1]


def test_right_passwords_of_a_disabled_user_are_counted_like_wrong_ones(userauth, api):
    password = new_password()
    api.create("counted", password)
    api.post("/disable/counted")
    for _ in range(4):
        assert api.check("counted", password, "c").json()["check"] is False
    answer = api.check("counted", password, "c")
    assert_error(answer, 429)
    assert answer.headers["Retry-After"] == "1"
    userauth.wait_log(event="auth.locked", user="counted")
    events = [line["event"] for line in userauth.log_lines(user="counted") if line["event"].startswith("auth.")]
    assert events == ["auth.login_failed"] * 5 + ["auth.locked"]


def test_old_password_works_after_enabling(api):
    password = new_password()
    api.create("back", password)
    api.post("/disable/back")
    api.post("/enable/back")
    answer = api.check("back", password)
    assert answer.json() == {"check": True, "username": "back"}
    assert answer.headers["ETag"] == tag(api, "back")


def test_hash_of_a_disabled_user_stays_where_it_is(userauth, api):
    """Its own hash is verified, so that the time of an answer does not tell who is disabled."""
    password = new_password()
    api.create("costs", password)
    before = hash_prefix(userauth.database, "costs")
    api.post("/disable/costs")
    assert hash_prefix(userauth.database, "costs") == before is not None


def test_each_change_gives_another_etag_and_none_comes_again(api):
    api.create("tagged", new_password())
    tags = [tag(api, "tagged")]
    for _ in range(2):
        for path in ("/disable/tagged", "/enable/tagged"):
            assert api.post(path).status_code == 200
            tags.append(tag(api, "tagged"))
    assert len(set(tags)) == 5


def test_doing_it_twice_changes_nothing(userauth, api):
    api.create("twice", new_password())
    before = tag(api, "twice")
    assert api.post("/enable/twice").status_code == 200
    assert tag(api, "twice") == before
    first = api.post("/disable/twice")
    after = tag(api, "twice")
    second = api.post("/disable/twice")
    assert second.status_code == 200 and second.json() == first.json()
    assert tag(api, "twice") == after != before
    api.post("/revoke/twice")
    userauth.wait_log(event="user.sessions_revoked", user="twice")  # so all before is there
    assert len(userauth.log_lines(event="user.disabled", user="twice")) == 1
    assert userauth.log_lines(event="user.enabled", user="twice") == []


def test_many_at_once_change_it_once(userauth, api):
    api.create("crowded", new_password())

    def disable(_):
        with userauth.api() as own:
            return own.post("/disable/crowded").status_code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(disable, range(16))) == {200}
    api.post("/revoke/crowded")
    userauth.wait_log(event="user.sessions_revoked", user="crowded")  # so all before is there
    assert len(userauth.log_lines(event="user.disabled", user="crowded")) == 1


def test_new_password_does_not_enable(api):
    old, new = new_password(), new_password()
    api.create("still", old)
    api.post("/disable/still")
    changed = api.post("/update-user/still", json={"plainPassword": new, "givenName": "G"})
    assert changed.status_code == 200 and changed.json()["disabled"] is True and changed.json()["givenName"] == "G"
    assert api.check("still", new, "a").json()["check"] is False
    api.post("/enable/still")
    assert api.check("still", new, "b").json()["check"] is True
    assert api.check("still", old, "b").json()["check"] is False


def test_update_and_find_or_create_leave_a_disabled_user_disabled(api):
    api.create("named", new_password())
    api.post("/disable/named")
    before = tag(api, "named")
    assert api.post("/update-user/named", json={"familyName": "New"}).json()["disabled"] is True
    assert api.post("/find-or-create", json={"username": "NAMED", "plainPassword": new_password()}).json()["disabled"] is True
    assert_error(api.post("/create-user", json={"username": "named", "plainPassword": new_password()}), 409)
    assert tag(api, "named") == before
    assert found(api, "named")["provider"] == "local"


@pytest.mark.parametrize("provider", ["twitter", "disabled"])
def test_user_of_another_provider_keeps_it(api, provider):
    name = "by-" + provider
    api.post("/create-user", json={"username": name, "provider": provider})
    assert api.post("/disable/" + name).json()["provider"] == provider
    assert found(api, name)["disabled"] is True
    assert api.post("/enable/" + name).json()["provider"] == provider
    assert "disabled" not in found(api, name)


def test_provider_of_a_disabled_user_can_be_changed(api):
    password = new_password()
    api.create("moves", password)
    api.post("/disable/moves")
    assert api.post("/update-user/moves", json={"provider": "twitter"}).json() == {**found(api, "moves"), "provider": "twitter"}
    assert api.post("/enable/moves").json()["provider"] == "twitter"
    assert api.check("moves", password).json()["check"] is False
    api.post("/disable/moves")
    fresh = new_password()
    assert api.post("/update-user/moves", json={"provider": "local", "plainPassword": fresh}).status_code == 200
    assert api.check("moves", fresh, "a").json()["check"] is False
    api.post("/enable/moves")
    assert api.check("moves", fresh, "b").json()["check"] is True


def test_disabled_user_can_be_destroyed_and_the_next_one_of_the_name_is_not_disabled(api):
    password = new_password()
    api.create("reborn", new_password())
    api.post("/disable/reborn")
    assert api.delete("/destroy/reborn").status_code == 200
    assert "disabled" not in api.create("reborn", password)
    assert api.check("reborn", password).json()["check"] is True


def test_disabled_user_stays_disabled_over_a_restart(services):
    service = services.userauth().start()
    password = new_password()
    service.api().create("kept", password)
    service.api().post("/disable/kept")
    before = tag(service.api(), "kept")
    service.kill()
    service.start()
    assert found(service.api(), "kept")["disabled"] is True and tag(service.api(), "kept") == before
    assert service.api().check("kept", password).json()["check"] is False


# --- programs of one release before ---

def test_program_of_the_first_migration_lets_no_disabled_user_in(userauth, api):
    for name in ("open", "closed"):
        api.create("first-" + name, new_password())
    api.post("/disable/first-closed")
    connection = stored.connect(userauth.database)
    try:
        hashes = [connection.execute(FIRST_PROGRAMS_LOGIN, (key,)).fetchone()[0] for key in ("first-open", "first-closed")]
    finally:
        connection.close()
    assert hashes[0] is not None and hashes[1] is None


def test_program_of_the_first_migration_makes_users_that_are_not_disabled(services):
    service = services.userauth().start()
    connection = stored.connect(service.database, is_writable=True)
    try:
        connection.execute(FIRST_PROGRAMS_INSERT)
        connection.commit()
    finally:
        connection.close()
    assert found(service.api(), "first")["username"] == "First" and "disabled" not in found(service.api(), "first")
    assert service.api().post("/disable/first").json()["disabled"] is True


# --- revoke ---

def test_revoke_answers_nothing_and_changes_the_etag_and_nothing_else(api):
    password = new_password()
    made = api.create("Gone", password)
    tags = [tag(api, "gone")]
    for _ in range(2):
        answer = api.post("/revoke/gONE")
        assert answer.status_code == 200 and answer.json() == {}
        tags.append(tag(api, "gone"))
    assert len(set(tags)) == 3
    assert found(api, "gone") == made
    assert api.check("gone", password).headers["ETag"] == tags[-1]


def test_revoke_of_a_disabled_user_leaves_it_disabled(api):
    api.create("both", new_password())
    api.post("/disable/both")
    before = tag(api, "both")
    assert api.post("/revoke/both").status_code == 200
    assert found(api, "both")["disabled"] is True and tag(api, "both") != before


def test_revoke_forgets_no_failed_try(api):
    api.create("guessed", new_password())
    for _ in range(4):
        api.check("guessed", "wrong", "c")
    api.post("/revoke/guessed")
    assert_error(api.check("guessed", "wrong", "c"), 429)


# --- all three ---

@pytest.mark.parametrize("route", ["/disable/", "/enable/", "/revoke/"])
@pytest.mark.parametrize("name", ["nobody", "a" * 65, "a%0Ab", "a%2Fb", "'%20OR%201=1%20--"])
def test_unknown_user_is_404(api, route, name):
    assert_error(api.post(route + name), 404)


@pytest.mark.parametrize("route", ["/disable/", "/enable/", "/revoke/"])
def test_name_that_is_no_utf8_is_400(api, route):
    assert_error(api.post(route + "%ff"), 400)


@pytest.mark.parametrize("route", ["/disable/", "/enable/", "/revoke/"])
@pytest.mark.parametrize("kind,body", [(None, None), ("application/json", b"{}"), ("application/json", b"{nonsense"),
                                       ("text/plain", b"\xff\x00"), (None, json.dumps({"username": "other"}).encode())])
def test_body_is_not_looked_at(api, route, kind, body):
    api.post("/find-or-create", json={"username": "bodied", "provider": "x"})
    assert api.post(route + "bodied", data=body, headers={"Content-Type": kind} if kind else {}).status_code == 200


@pytest.mark.parametrize("route,event", [("/disable/", "user.disabled"), ("/revoke/", "user.sessions_revoked"),
                                         ("/enable/", "user.enabled")])
def test_event_names_the_user_and_the_key(userauth, api, route, event):
    name = "Event-" + event
    api.create(name, new_password())
    if route == "/enable/":
        api.post("/disable/" + name)
    assert api.post(route + name.upper()).status_code == 200
    line = userauth.wait_log(event=event, user=name)
    assert line["level"] == "info" and line["key"] == "them" and line["peer"] == "127.0.0.1"
    assert_error(api.post(route + "nobody-" + name), 404)
    assert userauth.log_lines(event=event, user="nobody-" + name) == []


@pytest.mark.parametrize("name", [".", "..", "a b", "日本", "😀", "a%b", "a?b#c"])
def test_names_of_any_kind(userauth, api, name):
    path = quoted(name).replace(".", "%2E")  # by hand: clients fold "." away
    api.post("/find-or-create", json={"username": name, "provider": "x"})
    for route in ("/disable/", "/enable/", "/revoke/"):
        assert exchange(userauth.port, "POST", route + path, [("Authorization", basic("them", userauth.key))]).status == 200, route
