# SPDX-License-Identifier: MIT
"""Users by their accounts elsewhere: found or made by issuer and subject, linked, unlinked, and what nobody gets by a name."""
import concurrent.futures
import itertools
import re
import urllib.parse

import pytest

from harness import stored
from harness.errors import assert_error
from harness.programs import new_password

ISSUER = "https://id.example.com/realms/notes"
PER_USER_MAX = 10  # IDENTITIES_PER_USER_MAX
_serial = itertools.count(1)


def quoted(name):
    return urllib.parse.quote(name, safe="")


def new_subject():
    return f"subject-{next(_serial)}"


def come(api, username, subject, issuer=ISSUER, provider="oidc", **members):
    """Somebody comes by an identity; returns the response."""
    return api.post("/find-or-create", json={"username": username, "provider": provider, "issuer": issuer, "subject": subject, **members})


def come_in(api, username, subject, **members):
    answer = come(api, username, subject, **members)
    assert answer.status_code == 200, answer.text
    return answer.json()


def precondition(if_match):
    return {"headers": {"If-Match": if_match}} if if_match is not None else {}


def link(api, username, subject, issuer=ISSUER, provider="oidc", if_match=None):
    members = {"provider": provider, "issuer": issuer, "subject": subject}
    return api.post("/link-identity/" + quoted(username), json=members, **precondition(if_match))


def unlink(api, username, subject, issuer=ISSUER, if_match=None):
    return api.post("/unlink-identity/" + quoted(username), json={"issuer": issuer, "subject": subject}, **precondition(if_match))


def identities(api, username):
    answer = api.get("/identities/" + quoted(username))
    assert answer.status_code == 200, answer.text
    return answer.json()


def subjects(api, username):
    return [identity["subject"] for identity in identities(api, username)["identities"]]


def tag(api, name):
    return api.get("/find/" + quoted(name)).headers["ETag"]


# --- found or made ---

def test_identity_makes_a_user_once_and_finds_it_afterwards(api):
    subject = new_subject()
    first = come(api, "Nia", subject, givenName="Nia", emails=["nia@example.com"])
    assert first.status_code == 200
    assert first.json() == {"id": "Nia", "username": "Nia", "provider": "oidc", "familyName": None, "givenName": "Nia",
                            "middleName": None, "emails": ["nia@example.com"], "photos": []}
    assert first.headers["ETag"] == tag(api, "Nia")
    again = come(api, "Another Name", subject, givenName="Other")
    assert again.json() == first.json() == api.get("/find/nia").json()
    assert again.headers["ETag"] == first.headers["ETag"]


def test_user_who_came_by_an_identity_has_no_password(userauth, api):
    made = come_in(api, "passless", new_subject())
    assert stored.hash_prefix(userauth.database, "passless") is None
    assert identities(api, "passless")["hasPassword"] is False
    assert api.check(made["username"], "").json()["check"] is False


@pytest.mark.parametrize("kind", ["local", "other provider", "other subject", "case", "disabled", "destroyed"])
def test_name_that_somebody_has_or_had_is_not_given_out(api, kind):
    name = "taken-" + kind.replace(" ", "-")
    if kind == "other subject":
        come_in(api, name, new_subject())
    elif kind == "other provider":
        api.post("/find-or-create", json={"username": name, "provider": "oidc"})
    else:
        api.create(name, new_password())
    if kind == "disabled":
        api.post("/disable/" + name)
    if kind == "destroyed":
        assert api.delete("/destroy/" + name).status_code == 200
    before = api.get("/find/" + name).text
    made = come_in(api, name.upper() if kind == "case" else name, new_subject())
    assert made["username"].lower() == name + "-2" and made["provider"] == "oidc"
    assert api.get("/find/" + name).text == before
    if kind != "destroyed":
        assert tag(api, name) != tag(api, name + "-2") and identities(api, name + "-2")["identities"] != identities(api, name)["identities"]


def test_administrator_may_make_a_destroyed_user_again(api):
    api.create("phoenix", new_password())
    for _ in range(2):
        assert api.delete("/destroy/phoenix").status_code == 200
        assert api.create("Phoenix", new_password())["username"] == "Phoenix"


def test_suffixes_go_up_and_then_are_random(api):
    names = [come_in(api, "many", new_subject())["username"] for _ in range(23)]
    assert names[:20] == ["many"] + [f"many-{number}" for number in range(2, 21)]
    assert all(re.fullmatch(r"many-[A-Za-z0-9_-]{12}", name) for name in names[20:]) and len(set(names)) == 23


@pytest.mark.parametrize("wished, name", [
    ("a/b", "a-b"), ("  two  words ", "two-words"), ("line\nend\ttab", "line-end-tab"), ("c\u200bd", "c-d"), ("abc\u202edef", "abc-def"),
    ("x\u0085y", "x-y"), ("", "user"), ("///", "user-2"), ("日本", "日本"), ("😀", "😀"), ("--e--f--", "e-f"),
    ("x" * 70, "x" * 64), ("x" * 64, "x" * 62 + "-2"), ("é" * 1000, "é" * 64), ("me@example.com", "me@example.com"),
])
def test_wished_name_is_made_one_that_is_allowed(api, wished, name):
    assert come_in(api, wished, new_subject())["username"] == name


def test_issuer_and_subject_are_compared_as_they_are(api):
    rows = [(ISSUER, "Bytes"), (ISSUER, "bytes"), (ISSUER, "bytes "), (ISSUER, "byt\u00e9s"), (ISSUER, "byte\u0301s"), (ISSUER + "/", "bytes"),
            (ISSUER.upper(), "bytes"), ("twitter", "bytes"), ("twitter ", "bytes")]
    names = [come_in(api, "bytewise", subject, issuer=issuer)["username"] for issuer, subject in rows]
    assert len(set(names)) == len(rows)
    assert [come_in(api, "else", subject, issuer=issuer)["username"] for issuer, subject in rows] == names


def test_disabled_user_is_refused_and_enabled_as_before(api):
    subject = new_subject()
    made = come_in(api, "barred", subject)
    api.post("/disable/barred")
    body = assert_error(come(api, "barred", subject), 403, code="UserDisabled")
    assert body["message"] == "This user is disabled."
    assert "ETag" not in come(api, "barred", subject).headers
    api.post("/enable/barred")
    assert come_in(api, "barred", subject) == made


def test_destroyed_users_identities_go_too(userauth, api):
    subject = new_subject()
    come_in(api, "leaver", subject)
    assert api.delete("/destroy/leaver").status_code == 200
    with stored.opened(userauth.database) as connection:
        assert connection.execute("SELECT count(*) FROM identities WHERE subject = ?", (subject,)).fetchone()[0] == 0
    assert come_in(api, "comes again", subject)["username"] == "comes-again"


def test_without_an_identity_it_goes_by_the_name_as_ever(api):
    api.create("old-way", new_password())
    for members in ({}, {"issuer": None, "subject": None}):
        answer = api.post("/find-or-create", json={"username": "OLD-WAY", "provider": "twitter", **members})
        assert answer.json()["provider"] == "local" and "ETag" not in answer.headers


def test_names_and_addresses_make_nobody_somebody_else(api):
    """All that somebody can choose elsewhere is chosen as another user has it."""
    mine = come_in(api, "victim", new_subject(), givenName="V", familyName="M", emails=["v@example.com"], photos=["p"])
    theirs = come_in(api, "victim", new_subject(), givenName="V", familyName="M", emails=["v@example.com"], photos=["p"])
    assert theirs["username"] == "victim-2" != mine["username"]
    assert len(identities(api, "victim")["identities"]) == len(identities(api, "victim-2")["identities"]) == 1


# --- at once ---

def at_once(userauth, count, work):
    def run(number):
        with userauth.api() as own:
            return work(own, number)

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_one_identity_at_once_makes_one_user(userauth, api):
    subject = new_subject()
    answers = at_once(userauth, 8, lambda own, number: come(own, f"racer-{number}", subject))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["username"] for answer in answers}) == 1 and len({answer.headers["ETag"] for answer in answers}) == 1
    made = [user for user in api.get("/list").json() if user["username"].startswith("racer-")]
    assert made == [answers[0].json()]


def test_one_name_at_once_makes_a_user_for_each(userauth, api):
    answers = at_once(userauth, 8, lambda own, number: come(own, "crowd", f"crowd-{number}"))
    names = [answer.json()["username"] for answer in answers]
    assert sorted(names, key=lambda name: (len(name), name)) == ["crowd"] + [f"crowd-{number}" for number in range(2, 9)]
    for number, name in enumerate(names):
        assert subjects(api, name) == [f"crowd-{number}"]


def test_one_identity_linked_at_once_is_one_users(userauth, api):
    subject = new_subject()
    for number in range(6):
        api.create(f"grabber-{number}", new_password())
    statuses = [answer.status_code for answer in at_once(userauth, 6, lambda own, number: link(own, f"grabber-{number}", subject))]
    assert sorted(statuses) == [200] + [409] * 5
    owner = f"grabber-{statuses.index(200)}"
    assert [name for name in (f"grabber-{number}" for number in range(6)) if subjects(api, name)] == [owner]


def test_last_way_stays_when_both_are_unlinked_at_once(userauth, api):
    pair = [new_subject(), new_subject()]
    come_in(api, "cautious", pair[0])
    assert link(api, "cautious", pair[1]).status_code == 200
    answers = at_once(userauth, 2, lambda own, number: unlink(own, "cautious", pair[number]))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(subjects(api, "cautious")) == 1


def test_limit_holds_when_many_are_linked_at_once(userauth, api):
    api.create("collector", new_password())
    answers = at_once(userauth, PER_USER_MAX + 4, lambda own, number: link(own, "collector", f"collected-{number}"))
    assert sorted(answer.status_code for answer in answers) == [200] * PER_USER_MAX + [409] * 4
    assert len(subjects(api, "collector")) == PER_USER_MAX


# --- link, unlink, list ---

def test_linked_identity_finds_the_local_user(api):
    password, subject = new_password(), new_subject()
    api.create("Both", password)
    before = tag(api, "Both")
    answer = link(api, "bOTH", subject)
    assert answer.status_code == 200
    body = answer.json()
    created = body["identities"][0].pop("createdAt")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", created)
    assert body == {"username": "Both", "provider": "local", "hasPassword": True,
                    "identities": [{"issuer": ISSUER, "subject": subject, "provider": "oidc"}]}
    assert identities(api, "both") == answer.json()
    found = come(api, "whatever", subject)
    assert found.json()["username"] == "Both" and found.headers["ETag"] == tag(api, "Both") == before
    assert api.check("both", password).json()["check"] is True


def test_user_without_identities_has_an_empty_list(api):
    api.create("plain", new_password())
    assert identities(api, "PLAIN") == {"username": "plain", "provider": "local", "hasPassword": True, "identities": []}


def test_own_identity_can_be_linked_again(userauth, api):
    subject = new_subject()
    api.create("again", new_password())
    first = link(api, "again", subject)
    second = link(api, "again", subject, provider="called otherwise")
    assert second.status_code == 200 and second.json() == first.json()
    unlink(api, "again", subject)
    userauth.wait_log(event="user.identity_unlinked", user="again")  # so all before is there
    assert len(userauth.log_lines(event="user.identity_linked", user="again")) == 1


def test_identity_of_another_user_is_409(api):
    subject = new_subject()
    come_in(api, "holder", subject)
    api.create("wanter", new_password())
    assert_error(link(api, "wanter", subject), 409, code="IdentityTaken")
    assert subjects(api, "holder") == [subject] and subjects(api, "wanter") == []


def test_eleventh_identity_is_409(api):
    api.create("full", new_password())
    wanted = [new_subject() for _ in range(PER_USER_MAX)]
    assert {link(api, "full", subject).status_code for subject in wanted} == {200}
    assert_error(link(api, "full", new_subject()), 409, code="TooManyIdentities")
    assert link(api, "full", wanted[0]).status_code == 200
    assert subjects(api, "full") == wanted
    assert unlink(api, "full", wanted[3]).status_code == 200
    assert link(api, "full", new_subject()).status_code == 200


def test_unlinked_identity_finds_nobody_any_more(api):
    subject = new_subject()
    api.create("parted", new_password())
    link(api, "parted", subject)
    answer = unlink(api, "PARTED", subject)
    assert answer.status_code == 200 and answer.json() == identities(api, "parted")
    assert answer.json()["identities"] == []
    assert_error(unlink(api, "parted", subject), 404, code="IdentityNotLinked")
    assert come_in(api, "parted", subject)["username"] == "parted-2"


def test_identity_of_another_user_is_not_unlinked(api):
    subject = new_subject()
    come_in(api, "keeper", subject)
    api.create("taker", new_password())
    assert_error(unlink(api, "taker", subject), 404, code="IdentityNotLinked")
    assert subjects(api, "keeper") == [subject]


def test_last_way_to_sign_in_is_not_unlinked(api):
    first, second = new_subject(), new_subject()
    come_in(api, "lonely", first)
    assert_error(unlink(api, "lonely", first), 409, code="LastIdentity")
    assert link(api, "lonely", second).status_code == 200
    assert unlink(api, "lonely", first).status_code == 200
    assert_error(unlink(api, "lonely", second), 409, code="LastIdentity")
    assert subjects(api, "lonely") == [second]


def test_password_makes_the_last_identity_dispensable(api):
    subject = new_subject()
    come_in(api, "settled", subject)
    assert api.post("/update-user/settled", json={"provider": "local", "plainPassword": new_password()}).status_code == 200
    assert identities(api, "settled")["hasPassword"] is True
    assert unlink(api, "settled", subject).status_code == 200


def test_disabled_users_identities_are_shown_and_changed(api):
    api.create("asleep", new_password())
    api.post("/disable/asleep")
    subject = new_subject()
    assert link(api, "asleep", subject).json()["hasPassword"] is True
    assert_error(come(api, "asleep", subject), 403, code="UserDisabled")
    assert unlink(api, "asleep", subject).status_code == 200


def test_identities_stay_over_a_restart(services):
    service = services.userauth().start()
    subject = new_subject()
    made = come_in(service.api(), "stays", subject)
    service.kill()
    service.start()
    assert come_in(service.api(), "other", subject) == made


# --- what is refused ---

@pytest.mark.parametrize("name", ["nobody", "a" * 65, "a%0Ab", "a%2Fb", "'%20OR%201=1%20--"])
def test_unknown_user_is_404(api, name):
    body = {"provider": "oidc", "issuer": ISSUER, "subject": "x"}
    assert_error(api.get("/identities/" + name), 404)
    assert_error(api.post("/link-identity/" + name, json=body), 404)
    assert_error(api.post("/unlink-identity/" + name, json=body), 404)


@pytest.mark.parametrize("member", ["issuer", "subject"])
@pytest.mark.parametrize("value", ["", "x" * 256, "é" * 128, "a\nb", "a\x7fb", "\u0085"])
def test_issuer_and_subject_have_limits(api, member, value):
    api.create(f"limits-{next(_serial)}", new_password())
    name = api.get("/list").json()[-1]["username"]
    body = {"username": "unmade", "provider": "oidc", "issuer": ISSUER, "subject": "s", member: value}
    for path in ("/find-or-create", "/link-identity/" + quoted(name), "/unlink-identity/" + quoted(name)):
        assert_error(api.post(path, json=body), 400, field=member)
    assert api.get("/find/unmade").status_code == 404


@pytest.mark.parametrize("value", ["x" * 255, "é" * 127, " ", "a/b?c#d", "' OR 1=1 --", "😀", "100%_"])
def test_issuer_and_subject_are_kept_as_they_are(api, value):
    made = come_in(api, "kept", value, issuer=value)
    assert identities(api, made["username"])["identities"][0]["issuer"] == value
    assert subjects(api, made["username"]) == [value]
    assert come_in(api, "kept", value, issuer=value) == made


@pytest.mark.parametrize("members, field", [
    ({"subject": None}, "subject"), ({"issuer": None}, "issuer"), ({"subject": 5}, "subject"), ({"issuer": ["x"]}, "issuer"),
    ({"provider": None}, "provider"), ({"provider": 5}, "provider"), ({"provider": ""}, "provider"), ({"provider": "local"}, "provider"),
    ({"provider": "LOCAL"}, "provider"), ({"provider": "x" * 256}, "provider"), ({"provider": "a\nb"}, "provider"),
])
def test_bad_members_are_400(api, members, field):
    api.post("/find-or-create", json={"username": "judged", "provider": "x"})
    body = {"username": "never-made", "provider": "oidc", "issuer": ISSUER, "subject": "never", **members}
    assert_error(api.post("/find-or-create", json=body), 400, field=field)
    assert_error(api.post("/link-identity/judged", json=body), 400, field=field)
    assert api.get("/find/never-made").status_code == 404
    assert subjects(api, "judged") == []


@pytest.mark.parametrize("members, field", [
    ({"username": None}, "username"), ({"username": 5}, "username"), ({"password": "something"}, "password"),
    ({"plainPassword": "something"}, "plainPassword"), ({"givenName": "x" * 256}, "givenName"), ({"emails": "x"}, "emails"),
])
def test_bad_members_of_a_new_user_are_400(api, members, field):
    body = {"username": "never-made", "provider": "oidc", "issuer": ISSUER, "subject": "never", **members}
    assert_error(api.post("/find-or-create", json=body), 400, field=field)
    assert api.get("/find/never-made").status_code == 404


@pytest.mark.parametrize("path", ["/link-identity/", "/unlink-identity/"])
def test_link_and_unlink_need_an_identity(api, path):
    api.post("/find-or-create", json={"username": "bodied", "provider": "x"})
    assert_error(api.post(path + "bodied", json={}), 400, field="issuer")


# --- the log ---

def test_events_name_user_identity_and_key(userauth, api):
    subject = new_subject()
    come_in(api, "Logged", subject)
    wanted = {"level": "info", "user": "Logged", "issuer": ISSUER, "key": "them", "peer": "127.0.0.1"}
    line = userauth.wait_log(event="user.identity_linked", subject=subject)
    assert {name: line[name] for name in wanted} == wanted
    userauth.wait_log(event="user.created", user="Logged")
    extra = new_subject()
    link(api, "logged", extra)
    unlink(api, "logged", extra)
    for event in ("user.identity_linked", "user.identity_unlinked"):
        line = userauth.wait_log(event=event, subject=extra)
        assert {name: line[name] for name in wanted} == wanted
    come_in(api, "Logged", subject)
    assert_error(unlink(api, "logged", extra), 404, code="IdentityNotLinked")
    assert_error(link(api, "logged", ""), 400)
    for event in ("user.identity_linked", "user.identity_unlinked"):
        assert len(userauth.log_lines(event=event, subject=extra)) == 1
    assert len(userauth.log_lines(event="user.identity_linked", subject=subject)) == 1


# --- programs of one release before ---

# How a program that knows migrations 1 and 2 removes a user.
EARLIER_DESTROY = "DELETE FROM users WHERE name_key = ?"


def test_program_of_the_release_before_destroys_a_user_with_identities(services):
    service = services.userauth().start()
    api = service.api()
    subject = new_subject()
    come_in(api, "earlier", subject)
    with stored.opened(service.database, is_writable=True) as connection:
        if not isinstance(service.database, stored.Database):
            connection.execute("PRAGMA foreign_keys = ON")  # as every program of ours does
        connection.execute(EARLIER_DESTROY, ("earlier",))
        connection.commit()
    assert come_in(api, "next", subject)["username"] == "next"


# --- only for the account that is meant ---

def test_with_its_entity_tag_an_account_is_linked_and_unlinked(api):
    api.create("tagged", new_password())
    subject = new_subject()
    for if_match in (tag(api, "tagged"), "*"):
        assert link(api, "tagged", subject, if_match=if_match).status_code == 200
        assert link(api, "TAGGED", subject, if_match=if_match).status_code == 200, "again, in another spelling"
        assert unlink(api, "tagged", subject, if_match=if_match).status_code == 200
    assert subjects(api, "tagged") == []


@pytest.mark.parametrize("deed", ["made anew", "disabled", "another password", "signed out"])
def test_with_the_entity_tag_of_before_nothing_is_linked_or_unlinked(api, deed):
    name = "tagged-" + deed.replace(" ", "-")
    api.create(name, new_password())
    old = tag(api, name)
    if deed == "made anew":
        assert api.delete("/destroy/" + name).status_code == 200
        api.create(name, new_password())
    elif deed == "another password":
        assert api.post("/update-user/" + name, json={"plainPassword": new_password()}).status_code == 200
    else:
        assert api.post({"disabled": "/disable/", "signed out": "/revoke/"}[deed] + name).status_code == 200
    mine = new_subject()
    assert link(api, name, mine).status_code == 200
    for answer in (link(api, name, new_subject(), if_match=old), link(api, name, mine, if_match=old), unlink(api, name, mine, if_match=old),
                   unlink(api, name, "not linked", if_match=old), unlink(api, name, mine, if_match='""')):
        assert_error(answer, 412, code="PreconditionFailed")
    assert subjects(api, name) == [mine]
    assert unlink(api, name, mine, if_match=tag(api, name)).status_code == 200


@pytest.mark.parametrize("if_match", ["x", '"', '"a", "b"', 'W/"a"', '"a"b', "*, *", ""])
def test_what_is_not_one_strong_entity_tag_is_refused(api, if_match):
    name = come_in(api, "oddly tagged", "odd-first")["username"]
    for answer in (link(api, name, "odd", if_match=if_match), unlink(api, name, "odd", if_match=if_match)):
        assert_error(answer, 400)
    assert subjects(api, name) == ["odd-first"]


def test_a_tag_for_nobody_is_a_404(api):
    assert_error(link(api, "no such user", "x", if_match='"a"'), 404)
    assert_error(unlink(api, "no such user", "x", if_match='"a"'), 404)
