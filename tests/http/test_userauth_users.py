# SPDX-License-Identifier: MIT
"""Users over REST: made, changed, found, listed, destroyed; what is kept and what is refused."""
import concurrent.futures
import re
import urllib.parse

import pytest

from harness.errors import assert_error
from harness.programs import new_password
from harness.raw import basic, exchange

MEMBERS = {"id", "username", "provider", "familyName", "givenName", "middleName", "emails", "photos"}
HOSTILE_TEXTS = {
    "sql quote": "'; DROP TABLE users; --",
    "sql union": "\" OR 1=1 UNION SELECT * FROM users --",
    "sql comment": "a'/**/OR/**/'1'='1",
    "percent": "100%_%%",
    "backslash": "a\\b\\' \\\\",
    "html": "<script>alert(1)</script>&amp;<!-- -->",
    "json": '{"a":["b"]}',
    "rtl": "שלום مرحبا",
    "rtl override": "abc\u202edef",
    "four bytes": "😀𝔘𠜎",
    "combining": "e\u0301\u0302\u0303",
    "zero width": "a\u200bb",
    "spaces": " a  b ",
    "format": "%s%n%x{0}${x}",
    "no character": "\ufffe\uffff",
    "dots": "../../etc/passwd",
}


def quoted(name):
    return urllib.parse.quote(name, safe="")


# --- create and find ---

def test_created_user_is_answered_and_found(api):
    password = new_password()
    wanted = {"id": "Full", "username": "Full", "provider": "local", "familyName": "Einarsdottir", "givenName": "Ashildr",
              "middleName": "TNG", "emails": ["me@stolen.tardis"], "photos": []}
    made = api.post("/create-user", json={**wanted, "password": password})
    assert made.status_code == 200
    assert made.json() == wanted
    assert api.get("/find/Full").json() == wanted


def test_user_of_only_a_name_and_a_password(api):
    answer = api.post("/create-user", json={"username": "bare", "password": new_password()})
    assert answer.json() == {"id": "bare", "username": "bare", "provider": "local", "familyName": None, "givenName": None,
                             "middleName": None, "emails": [], "photos": []}


def test_nulls_count_as_absent(api):
    answer = api.post("/create-user", json={"username": "nulls", "password": new_password(), "provider": None,
                                            "familyName": None, "givenName": None, "middleName": None,
                                            "emails": None, "photos": None})
    assert answer.status_code == 200
    assert answer.json()["provider"] == "local" and answer.json()["emails"] == []


def test_empty_names_stay_empty(api):
    api.create("emptynames", new_password(), familyName="", givenName="")
    assert api.get("/find/emptynames").json()["familyName"] == ""


def test_emails_and_photos_may_be_objects(api):
    emails = [{"value": "a@example.com", "type": "home"}, "b@example.com"]
    photos = [{"value": "https://example.com/p.png"}]
    api.create("objects", new_password(), emails=emails, photos=photos)
    found = api.get("/find/objects").json()
    assert found["emails"] == emails and found["photos"] == photos


def test_unknown_members_are_ignored(api):
    answer = api.post("/create-user", json={"username": "unknowns", "provider": "x", "id": "other", "z": [1, {"q": None}],
                                            "createdAt": "2026-11-22"})
    assert answer.status_code == 200
    assert set(answer.json()) == MEMBERS and answer.json()["id"] == "unknowns"


@pytest.mark.parametrize("again", ["Twice", "twice", "TWICE"])
def test_second_user_of_a_name_is_409_in_any_ascii_case(api, again):
    api.post("/find-or-create", json={"username": "Twice", "provider": "x", "familyName": "First"})
    assert_error(api.post("/create-user", json={"username": again, "password": new_password()}), 409)
    assert api.get("/find/Twice").json()["familyName"] == "First"


def test_name_is_found_in_any_ascii_case_in_its_stored_spelling(api):
    api.create("MixedCase", new_password())
    for typed in ("MixedCase", "mixedcase", "MIXEDCASE"):
        assert api.get("/find/" + typed).json()["username"] == "MixedCase"


def test_only_ascii_letters_ignore_case(api):
    api.create("Äpfel", new_password())
    assert api.get("/find/" + quoted("äpfel")).status_code == 404
    api.create("äpfel", new_password())
    assert api.get("/find/" + quoted("äpfel")).json()["username"] == "äpfel"
    api.create("K", new_password())
    assert api.get("/find/" + quoted("\u212a")).status_code == 404  # the Kelvin sign is no k


def test_names_that_differ_in_spaces_or_normal_form_are_different(api):
    api.create("sp", new_password())
    assert api.get("/find/" + quoted("sp ")).status_code == 404
    api.create("caf\u00e9", new_password())
    assert api.get("/find/" + quoted("cafe\u0301")).status_code == 404


@pytest.mark.parametrize("kind", sorted(HOSTILE_TEXTS))
def test_hostile_text_is_kept_as_it_is_in_every_field(api, kind):
    text = HOSTILE_TEXTS[kind]
    name = text.replace("/", "|")
    before = len(api.get("/list").json())
    user = {"username": name, "provider": text, "familyName": text, "givenName": text, "middleName": text,
            "emails": [text, {"value": text}], "photos": [text]}
    made = api.post("/create-user", json=user)
    assert made.status_code == 200, made.text
    assert made.json() == {"id": name, **user}
    assert api.get("/find/" + quoted(name)).json() == {"id": name, **user}
    assert len(api.get("/list").json()) == before + 1
    changed = api.post("/update-user/" + quoted(name), json={"familyName": text * 2})
    assert changed.json()["familyName"] == text * 2
    checked = api.post("/password-check", json={"username": name, "password": text, "client": text})
    assert checked.json()["check"] is False and checked.json()["username"] == name
    assert api.delete("/destroy/" + quoted(name)).json() == {}
    assert api.get("/find/" + quoted(name)).status_code == 404
    assert len(api.get("/list").json()) == before


@pytest.mark.parametrize("name", ["a" * 64, "é" * 64, "😀" * 64, "x", "a b", "a+b", "a%b", "a?b", "a#b", "a&b=c", ".", "..", "a;b", "@"])
def test_usernames_up_to_64_characters_of_any_script(userauth, api, name):
    api.create(name, new_password())
    path = "/find/" + quoted(name).replace(".", "%2E")  # by hand: clients fold "." away
    answer = exchange(userauth.port, "GET", path, [("Authorization", basic("them", userauth.key))])
    assert answer.status == 200 and answer.json()["username"] == name


@pytest.mark.parametrize("name", [
    "", "a" * 65, "é" * 65, "😀" * 65, "a/b", "/", "a\nb", "a\tb", "\x01", "a\x7f", "a\x1f", "a\x85", "a\r", "x" * 10_000,
    None, 1, True, ["a"], {"a": 1}, 1.5,
])
@pytest.mark.parametrize("path", ["/create-user", "/find-or-create", "/password-check"])
def test_other_usernames_are_400(api, path, name):
    body = {"username": name, "password": new_password()}
    assert_error(api.post(path, json=body), 400, field="username")


@pytest.mark.parametrize("path", ["/create-user", "/find-or-create", "/password-check"])
def test_missing_username_is_400(api, path):
    assert_error(api.post(path, json={"password": new_password()}), 400, field="username")


BAD_MEMBERS = [
    ("familyName", 1), ("familyName", ["a"]), ("familyName", {}), ("familyName", False),
    ("givenName", 1.5), ("givenName", []), ("middleName", True), ("middleName", {"a": "b"}),
    ("familyName", "x" * 256), ("givenName", "é" * 256), ("middleName", "😀" * 256),
    ("familyName", "a\nb"), ("givenName", "a\x7fb"), ("middleName", "\x1b[31m"), ("familyName", "\x9b31m"),
    ("provider", ""), ("provider", "x" * 256), ("provider", 1), ("provider", "a\nb"), ("provider", []),
    ("emails", "a@example.com"), ("emails", {"a": 1}), ("emails", 1), ("emails", [1]), ("emails", [None]), ("emails", [[]]),
    ("emails", [True]), ("emails", ["x" * 2048]), ("emails", ["x"] * 1000),
    ("photos", "p"), ("photos", [1]), ("photos", ["x" * 2048]), ("photos", True),
]


@pytest.mark.parametrize("member,value", BAD_MEMBERS, ids=lambda value: str(value)[:24])
@pytest.mark.parametrize("path", ["/create-user", "/find-or-create", "/update-user/steady"])
def test_bad_member_is_400_and_named_and_nothing_is_made(api, path, member, value):
    api.post("/find-or-create", json={"username": "steady", "password": new_password()})
    before = api.get("/find/steady").json()
    body = {"provider": "local", "password": new_password(), member: value}
    if not path.startswith("/update-user"):
        body["username"] = "never-made"
    assert_error(api.post(path, json=body), 400, field=member)
    assert api.get("/find/never-made").status_code == 404
    assert api.get("/find/steady").json() == before


@pytest.mark.parametrize("value", ["x" * 255, "é" * 255, "😀" * 255])
def test_names_up_to_255_characters(api, value):
    name = f"long{len(value.encode())}"
    api.create(name, new_password(), familyName=value, givenName=value, middleName=value)
    found = api.get("/find/" + name).json()
    assert (found["familyName"], found["givenName"], found["middleName"]) == (value, value, value)


def test_lists_up_to_2048_bytes_of_json(api):
    emails = ["x" * (2048 - 4)]
    api.create("fullmail", new_password(), emails=emails, photos=emails)
    assert api.get("/find/fullmail").json()["emails"] == emails
    too_long = {"username": "overmail", "provider": "x", "emails": ["x" * (2048 - 3)]}
    assert_error(api.post("/create-user", json=too_long), 400, field="emails")


def test_list_limit_counts_bytes_not_characters(api):
    answer = api.post("/create-user", json={"username": "widemail", "provider": "x", "photos": ["é" * 1500]})
    assert_error(answer, 400, field="photos")


@pytest.mark.parametrize("path", ["/create-user", "/find-or-create"])
def test_local_user_needs_a_password(api, path):
    for body in ({"username": "nopw"}, {"username": "nopw", "provider": "local"}, {"username": "nopw", "password": None}):
        assert_error(api.post(path, json=body), 400, field="password")
    assert api.get("/find/nopw").status_code == 404


# --- find ---

@pytest.mark.parametrize("path", [
    "/find/nobody", "/find/" + "a" * 65, "/find/a%0Ab", "/find/a%2Fb", "/find/" + "%F0%9F%98%80" * 65, "/find/" + "a" * 2000,
])
def test_find_of_a_name_that_is_not_there_is_404_with_an_empty_object(api, path):
    answer = api.get(path)
    assert answer.status_code == 404
    assert answer.json() == {}
    assert answer.text.strip() == "{}"


@pytest.mark.parametrize("path", ["%ff", "%C0%AF", "%ED%A0%80", "%F4%90%80%80", "a%e2%82", "%", "%4", "%zz", "a%g1"])
@pytest.mark.parametrize("method,route", [("GET", "/find/"), ("DELETE", "/destroy/"), ("POST", "/update-user/")])
def test_path_that_is_no_utf8_is_400(userauth, method, route, path):
    headers = [("Authorization", basic("them", userauth.key)), ("Content-Type", "application/json")]
    body = b"{}" if method == "POST" else None
    assert_error(exchange(userauth.port, method, route + path, headers, body), 400)


def test_plus_in_a_path_is_a_plus(api):
    api.create("plus+name", new_password())
    assert api.get("/find/plus+name").json()["username"] == "plus+name"


def test_query_of_find_is_no_part_of_the_name(api):
    api.create("queried", new_password())
    assert api.get("/find/queried?x=y").json()["username"] == "queried"


# --- update ---

def test_update_changes_only_what_is_present(api):
    api.create("changing", new_password(), familyName="F", givenName="G", middleName="M", emails=["e"], photos=["p"])
    answer = api.post("/update-user/changing", json={"givenName": "New", "emails": ["n1", "n2"]})
    assert answer.status_code == 200
    wanted = {"id": "changing", "username": "changing", "provider": "local", "familyName": "F", "givenName": "New",
              "middleName": "M", "emails": ["n1", "n2"], "photos": ["p"]}
    assert answer.json() == wanted
    assert api.get("/find/changing").json() == wanted


def test_update_with_null_clears(api):
    api.create("clearing", new_password(), familyName="F", emails=["e"])
    changed = api.post("/update-user/clearing", json={"familyName": None, "emails": None}).json()
    assert changed["familyName"] is None and changed["emails"] == []


def test_update_with_an_empty_object_changes_nothing(api):
    made = api.create("still", new_password(), familyName="F")
    before = api.get("/find/still").headers["ETag"]
    answer = api.post("/update-user/still", json={})
    assert answer.status_code == 200 and answer.json() == made
    assert api.get("/find/still").headers["ETag"] == before


def test_username_in_an_update_must_be_the_paths(api):
    api.create("Named", new_password())
    assert api.post("/update-user/Named", json={"username": "Named", "familyName": "1"}).json()["familyName"] == "1"
    assert api.post("/update-user/named", json={"username": "NAMED", "familyName": "2"}).json()["username"] == "Named"
    answer = api.post("/update-user/Named", json={"username": "Other", "familyName": "3"})
    assert_error(answer, 400, field="username")
    assert api.get("/find/Named").json()["familyName"] == "2"
    assert api.get("/find/Other").status_code == 404


def test_update_of_an_unknown_user_is_404(api):
    assert_error(api.post("/update-user/ghost", json={"familyName": "x"}), 404)
    assert api.get("/find/ghost").status_code == 404


# --- find-or-create ---

def test_find_or_create_makes_once_and_then_finds_unchanged(api):
    first = api.post("/find-or-create", json={"username": "Foc", "provider": "local", "plainPassword": new_password(),
                                              "familyName": "First"})
    assert first.status_code == 200
    tag = api.get("/find/Foc").headers["ETag"]
    second = api.post("/find-or-create", json={"username": "foc", "provider": "other", "familyName": "Second"})
    assert second.status_code == 200 and second.json() == first.json()
    assert api.get("/find/Foc").headers["ETag"] == tag


def test_find_or_create_of_a_found_user_needs_no_password_and_keeps_the_old_one(api):
    password = new_password()
    api.create("kept", password)
    assert api.post("/find-or-create", json={"username": "kept", "plainPassword": new_password()}).status_code == 200
    assert api.post("/find-or-create", json={"username": "kept"}).status_code == 200
    assert api.check("kept", password).json()["check"] is True


def test_many_creates_of_one_name_at_once_make_one_user(userauth):
    def create(number):
        with userauth.api() as api:
            return api.post("/create-user", json={"username": "raced", "provider": "x", "familyName": str(number)})

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(create, range(40)))
    winners = [answer for answer in answers if answer.status_code == 200]
    assert len(winners) == 1
    assert {answer.status_code for answer in answers} == {200, 409}
    assert userauth.api().get("/find/raced").json() == winners[0].json()


def test_many_find_or_creates_at_once_give_the_same_user(userauth):
    def ask(number):
        with userauth.api() as api:
            return api.post("/find-or-create", json={"username": "together", "provider": "x", "familyName": str(number)})

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(40)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1


def test_of_many_finds_at_once_each_gets_its_own_answer(userauth, api):
    """Those that wait are looked up together."""
    names = [f"Person {number}" for number in range(12)]
    for name in names:
        api.create(name, new_password(), familyName=f"Family of {name}")
    api.post(f"/disable/{quoted(names[3])}")
    wanted = [*names, "nobody", "nobody else", *(name.upper() for name in names)]
    alone = {name: api.get(f"/find/{quoted(name)}") for name in wanted}
    assert {answer.status_code for answer in alone.values()} == {200, 404}

    def ask(number):
        with userauth.api(key=None if number % 5 else "wrong") as mine:
            return [(number, name, mine.get(f"/find/{quoted(name)}")) for name in wanted[number:] + wanted[:number]]

    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        answers = [answer for several in pool.map(ask, range(24)) for answer in several]
    assert len(answers) == 24 * len(wanted)
    for number, name, answer in answers:
        if number % 5 == 0:
            assert answer.status_code == 401, name
        else:
            expected = alone[name]
            found = answer.status_code, answer.text, answer.headers.get("ETag")
            assert found == (expected.status_code, expected.text, expected.headers.get("ETag")), name


# --- destroy ---

def test_destroyed_user_is_gone(api):
    password = new_password()
    api.create("doomed", password)
    answer = api.delete("/destroy/DOOMED")
    assert answer.status_code == 200 and answer.json() == {}
    assert api.get("/find/doomed").json() == {}
    assert api.check("doomed", password).json()["check"] is False
    assert_error(api.delete("/destroy/doomed"), 404)


@pytest.mark.parametrize("path", ["/destroy/nobody", "/destroy/" + "a" * 65, "/destroy/a%0Ab"])
def test_destroy_of_an_unknown_user_is_404(api, path):
    assert_error(api.delete(path), 404)


def test_name_of_a_destroyed_user_can_be_used_again_without_its_past(api):
    old = new_password()
    api.create("again", old, familyName="Old")
    api.delete("/destroy/again")
    api.create("again", new_password())
    assert api.get("/find/again").json()["familyName"] is None
    assert api.check("again", old).json()["check"] is False


# --- ETag ---

def test_etag_is_the_same_on_find_and_on_a_true_check(api):
    password = new_password()
    api.create("tagged", password)
    tag = api.get("/find/tagged").headers["ETag"]
    assert re.fullmatch(r'"[^"\s]+"', tag)
    assert api.check("tagged", password).headers["ETag"] == tag
    assert api.get("/find/TAGGED").headers["ETag"] == tag
    assert "ETag" not in api.check("tagged", "wrong password").headers
    assert "ETag" not in api.get("/find/nobody").headers


def test_etag_changes_with_the_password_and_only_with_it(api):
    api.create("turning", new_password())
    tags = [api.get("/find/turning").headers["ETag"]]
    api.post("/update-user/turning", json={"familyName": "Other", "emails": ["x"]})
    assert api.get("/find/turning").headers["ETag"] == tags[0]
    for member in ("password", "plainPassword"):
        api.post("/update-user/turning", json={member: new_password()})
        tags.append(api.get("/find/turning").headers["ETag"])
    assert len(set(tags)) == 3


def test_etag_changes_even_when_the_same_password_is_set_again(api):
    password = new_password()
    api.create("same", password)
    tag = api.get("/find/same").headers["ETag"]
    api.post("/update-user/same", json={"plainPassword": password})
    assert api.get("/find/same").headers["ETag"] != tag


def test_another_account_of_the_same_name_has_another_etag(api):
    password = new_password()
    tags = set()
    for _ in range(3):
        api.create("reborn", password)
        tags.add(api.get("/find/reborn").headers["ETag"])
        api.delete("/destroy/reborn")
    assert len(tags) == 3


def test_users_have_different_etags(api):
    tags = set()
    for number in range(5):
        api.post("/create-user", json={"username": f"tag{number}", "provider": "x"})
        tags.add(api.get(f"/find/tag{number}").headers["ETag"])
    assert len(tags) == 5


# --- provider ---

def test_user_of_another_provider_has_no_password(api):
    password = new_password()
    answer = api.post("/create-user", json={"username": "foreign", "provider": "twitter", "password": password})
    assert answer.status_code == 200 and answer.json()["provider"] == "twitter"
    for typed in (password, ""):
        assert api.check("foreign", typed).json()["check"] is False


@pytest.mark.parametrize("member", ["password", "plainPassword"])
def test_password_for_a_user_of_another_provider_is_400(api, member):
    api.post("/find-or-create", json={"username": "outside", "provider": "twitter"})
    assert_error(api.post("/update-user/outside", json={member: new_password()}), 400, field="password")


def test_provider_can_become_local_together_with_a_password(api):
    password = new_password()
    api.post("/create-user", json={"username": "homecoming", "provider": "twitter"})
    answer = api.post("/update-user/homecoming", json={"provider": "local", "plainPassword": password})
    assert answer.status_code == 200 and answer.json()["provider"] == "local"
    assert api.check("homecoming", password).json()["check"] is True


def test_leaving_the_local_provider_drops_the_password(api):
    password = new_password()
    api.create("leaving", password)
    assert api.post("/update-user/leaving", json={"provider": "twitter"}).json()["provider"] == "twitter"
    assert api.check("leaving", password).json()["check"] is False
    back = api.post("/update-user/leaving", json={"provider": "local"})
    assert back.status_code in (200, 400)
    assert api.check("leaving", password).json()["check"] is False
