# SPDX-License-Identifier: MIT
"""userauth-cli: by which accounts elsewhere users sign in."""
import itertools
import json
import re

import pytest

from harness.cli import Cli
from harness.programs import new_password

DONE, REFUSED, USAGE = 0, 1, 2
ISSUER = "https://id.example.com/realms/notes"
_serial = itertools.count(1)
_numbers = itertools.count((1 << 60) + 1)


@pytest.fixture
def cli(userauth):
    return Cli(userauth)


@pytest.fixture
def name(api):
    """A local user's."""
    made = f"User{next(_serial)}"
    api.create(made, new_password())
    return made


def sign_in(api, subject, issuer=ISSUER):
    """Comes by an identity; the answer's JSON."""
    answer = api.post("/find-or-create", json={"username": "somebody", "provider": "oidc", "issuer": issuer, "subject": subject})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_linked_and_unlinked_as_the_service_answers(cli, api, name):
    assert cli.json("identities", name.upper()) == {"username": name, "provider": "local", "hasPassword": True, "identities": []}
    linked = cli.json("link", name.upper(), ISSUER, "subject-" + name)
    assert linked == cli.json("identities", name) == api.get("/identities/" + name).json()
    assert [(row["issuer"], row["subject"], row["provider"]) for row in linked["identities"]] == [(ISSUER, "subject-" + name, "oidc")]
    assert sign_in(api, "subject-" + name)["username"] == name
    assert cli.json("unlink", name, ISSUER, "subject-" + name)["identities"] == []
    assert sign_in(api, "subject-" + name)["username"] != name


def test_people_get_a_table_or_a_sentence(cli, name):
    assert cli.ok("identities", name.lower()) == f'The user "{name}" has no account elsewhere.\n'
    number = str(next(_numbers))
    cli.ok("link", name, "twitter", number)
    text = cli.ok("link", name, ISSUER, "2" + name)
    head, first, second = text.splitlines()
    assert re.split(" {2,}", head) == ["ISSUER", "SUBJECT", "PROVIDER", "LINKED"]
    rows = {tuple(re.split(" {2,}", line)[:3]) for line in (first, second)}
    assert rows == {("twitter", number, "twitter"), (ISSUER, "2" + name, "oidc")}
    assert cli.ok("identities", name) == text and all(line == line.rstrip() for line in text.splitlines())
    cli.ok("unlink", name, ISSUER, "2" + name)
    assert cli.ok("unlink", name, "twitter", number) == f'The user "{name}" has no account elsewhere.\n'


def test_last_account_of_a_user_without_a_password_stays(cli, api):
    name = sign_in(api, "only")["username"]
    assert "the last one can't be unlinked" in cli.ok("identities", name)
    done = cli.run("unlink", name, ISSUER, "only")
    assert done.returncode == REFUSED and done.stdout == ""
    assert done.stderr == ("userauth-cli: Without this identity the user could not sign in any more. "
                           f"See all with: userauth-cli identities {name}\n")
    assert sign_in(api, "only")["username"] == name


def test_refusals_say_what_is_wrong(cli, api, name):
    owner = sign_in(api, "held")["username"]
    for arguments, wanted in ((("link", name, ISSUER, "held"), "Another user has this identity. See the users with: userauth-cli list-users"),
                              (("unlink", name, ISSUER, "held"), "The user does not have this identity."),
                              (("link", name, ISSUER, ""), "subject: 1 to 255 bytes"),
                              (("link", name, "x" * 256, "x"), "issuer: 1 to 255 bytes"),
                              (("link", "nobody", ISSUER, "x"), 'there is no user "nobody"'),
                              (("unlink", "nobody", ISSUER, "x"), 'there is no user "nobody"'),
                              (("identities", "nobody"), 'there is no user "nobody"')):
        done = cli.run(*arguments)
        assert done.returncode == REFUSED and done.stdout == "" and wanted in done.stderr, done
    done = cli.run("--json", "unlink", name, ISSUER, "held")
    assert done.returncode == REFUSED and '"code":"IdentityNotLinked"' in done.stdout
    assert sign_in(api, "held")["username"] == owner


@pytest.mark.parametrize("arguments", [("link",), ("link", "me"), ("link", "me", "twitter"), ("unlink", "me", "twitter"), ("identities",),
                                       ("identities", "me", "more"), ("link", "me", "twitter", "1", "more"), ("link", "me", "twitter", "\udcff")])
def test_wrong_usage_sends_nothing(cli, arguments):
    done = cli.run(*arguments)
    assert done.returncode == USAGE and done.stdout == ""


@pytest.mark.parametrize("subject", ["jack", "@jack", "", "12 "])
def test_an_account_at_twitter_is_its_number(cli, name, subject):
    done = cli.run("link", name, "twitter", subject)
    assert done.returncode == USAGE and "by its number, as 783214, not by its name" in done.stderr
    assert cli.json("identities", name)["identities"] == []


@pytest.mark.parametrize("text", ["-dash", "a b", "日本", "%41", "' OR 1=1 --", "a\\b", "\u202etxt"])
def test_issuers_and_subjects_of_any_kind(cli, name, text):
    linked = cli.run("--json", "link", "--", name, text, text)
    assert linked.returncode == DONE and linked.stderr.startswith("userauth-cli: warning: the issuer is neither "), linked
    assert [(row["issuer"], row["subject"]) for row in json.loads(linked.stdout)["identities"]] == [(text, text)]
    shown = cli.ok("identities", name)
    assert "\u202e" not in shown and (text if "\u202e" not in text else "\\u202etxt") in shown
    assert cli.json("unlink", "--", name, text, text)["identities"] == []
