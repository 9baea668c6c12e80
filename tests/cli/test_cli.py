# SPDX-License-Identifier: MIT
"""userauth-cli: every command, at a terminal and in scripts; its exit codes, messages, man page and completion."""
import contextlib
import http.server
import json
import os
import re
import subprocess
import threading

import pexpect
import pytest

from harness import programs
from harness.cli import Cli
from harness.ports import free_port
from harness.programs import ROOT, USERAUTH_CLI, new_password
from harness.stored import hash_prefix

COMMANDS = ["add", "find-or-create", "update", "set-password", "disable", "enable", "sessions", "revoke", "identities", "link",
            "unlink", "destroy", "find", "list-users", "password-check"]
DONE, REFUSED, USAGE, UNREACHABLE = 0, 1, 2, 3


@pytest.fixture
def cli(userauth):
    return Cli(userauth)


def assert_refused(done, *words, code=REFUSED):
    """Exit code, nothing on stdout for people to mistake, a message of a few lines that has these words."""
    assert done.returncode == code, done
    assert done.stderr.strip() and len(done.stderr.splitlines()) <= 4, done.stderr
    assert done.stderr.startswith("userauth-cli: "), done.stderr
    for word in words:
        assert word.lower() in done.stderr.lower(), (word, done.stderr)
    assert not re.search(r"[{}]|errno|null|\.c:\d", done.stderr), done.stderr


# --- add ---

def test_add_with_all_options(cli, api):
    cli.ok("add", "full", "--password", new_password(), "--family-name", "Einarsdottir", "--given-name", "Ashildr",
           "--middle-name", "TNG", "--email", "me@stolen.tardis", "--email", "second@example.com")
    assert api.get("/find/full").json() == {
        "id": "full", "username": "full", "provider": "local", "familyName": "Einarsdottir", "givenName": "Ashildr",
        "middleName": "TNG", "emails": ["me@stolen.tardis", "second@example.com"], "photos": []}


def test_add_prints_the_user_for_people_and_as_json(cli):
    text = cli.ok("add", "people", "--password", new_password(), "--family-name", "Öçalan")
    assert "people" in text and "Öçalan" in text and "{" not in text
    made = cli.json("add", "script", "--password", new_password(), "--email", "a@example.com")
    assert made["username"] == "script" and made["emails"] == ["a@example.com"] and made["familyName"] is None


@pytest.mark.parametrize("args", [["--password=PW", "eq"], ["eq2", "--password=PW"], ["--password", "PW", "eq3"],
                                  ["--password", "PW", "--", "-eq4"]])
def test_options_may_stand_anywhere(cli, api, args):
    password = new_password()
    cli.ok("add", *[arg.replace("PW", password) for arg in args])
    name = [arg for arg in args if "PW" not in arg and arg not in ("--", "--password")][0]
    assert api.check(name, password).json()["check"] is True


def test_added_password_works_and_is_hashed_as_plain(cli, api, userauth):
    text = "$2b$04$" + "abcdefghijklmnopqrstuu" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ01234"
    cli.ok("add", "literal", "--password", text)
    assert hash_prefix(userauth.database, "literal").startswith("$argon2id$")
    assert api.check("literal", text).json()["check"] is True


def test_add_of_a_user_that_exists_says_what_to_do(cli):
    cli.ok("add", "taken", "--password", new_password())
    assert_refused(cli.run("add", "TAKEN", "--password", new_password()), "TAKEN", "exists", "update")


def test_password_from_stdin(cli, api):
    for number, ending in enumerate(["\n", "", "\r\n"]):
        password = new_password()
        cli.ok("add", f"stdin{number}", "--password-stdin", stdin=password + ending)
        assert api.check(f"stdin{number}", password).json()["check"] is True


def test_password_of_stdin_keeps_its_spaces(cli, api):
    password = "  " + new_password() + " é "
    cli.ok("add", "spaced", "--password-stdin", stdin=password + "\n")
    assert api.check("spaced", password).json()["check"] is True


@pytest.mark.parametrize("text", ["", "\n"])
def test_empty_password_from_stdin_is_refused(cli, api, text):
    done = cli.run("add", "emptyin", "--password-stdin", stdin=text)
    assert done.returncode in (REFUSED, USAGE) and "password" in done.stderr.lower()
    assert api.get("/find/emptyin").status_code == 404


@pytest.mark.parametrize("command", ["add", "find-or-create"])
def test_without_password_and_without_a_terminal_it_says_what_to_do(cli, api, command):
    done = cli.run(command, "noterminal", stdin="")
    assert_refused(done, "--password-stdin", code=USAGE)
    assert api.get("/find/noterminal").status_code == 404


IMPOSSIBLE = ["x" * 65, "ä" * 65, "a/b", "a\nb", "a\x7f", "\udcff", ""]


@pytest.mark.parametrize("name", [name for name in IMPOSSIBLE if name != "\udcff"], ids=ascii)
def test_name_that_cannot_be_is_refused_before_a_password_is_asked_for(cli, name):
    child = cli.at_terminal("add", name)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == USAGE and "can't be a username" in child.before, child.before
    assert "assword" not in child.before


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "list-users"])
def test_name_that_cannot_be_is_refused_by_every_command_before_anything_is_sent(cli, command):
    more = ["twitter", "1"] if command in ("link", "unlink") else []
    for name in IMPOSSIBLE:
        done = cli.run(command, name, *more, USER_SERVICE_URL="http://127.0.0.1:1")
        assert_refused(done, "can't be a username: 1 to 64 characters", "See: userauth-cli --help", code=USAGE)


@pytest.mark.parametrize("name", ["x" * 64, "ä" * 64, "😀" * 64, "a b"])
def test_name_that_can_just_be_is_taken(cli, name):
    assert cli.json("add", name, "--password", new_password())["username"] == name
    cli.ok("destroy", name)


def test_too_long_password_is_refused_and_not_shown(cli):
    password = programs.remember_secret("longlong" * 200)
    done = cli.run("add", "toolong", "--password", password)
    assert_refused(done, "password")
    assert "longlong" not in done.stderr


@pytest.mark.parametrize("password, words", [
    ("fourteen chars", "fewer than 15 characters"),
    ("Correct Horse Battery Staple", "many people use"),
    ("warned-warned-1234567", "user name"),
    ("notesnotesnotes1", "user name"),
])
def test_weak_password_is_warned_of_and_taken(cli, api, password, words):
    for command in ("add", "update", "set-password"):
        done = cli.run(command, "Warned", "--password-stdin", stdin=password)
        assert done.returncode == DONE and "Warned" in done.stdout
        assert done.stderr.startswith("userauth-cli: warning: the password ") and words in done.stderr, done.stderr
        assert password not in done.stderr
        assert api.check("warned", password).json()["check"] is True
    found = cli.run("find-or-create", "WARNED", "--password", password)
    assert found.returncode == DONE and "Warned" in found.stdout and found.stderr == "", "it was not set: who was there is found"
    cli.ok("destroy", "warned")
    made = cli.run("find-or-create", "Warned", "--password", password)
    assert made.stderr.startswith("userauth-cli: warning: the password ") and words in made.stderr, made.stderr
    cli.ok("destroy", "warned")


def test_length_that_is_warned_of_is_a_setting(cli):
    assert cli.run("add", "ninechars", "--password", "nine char", PASSWORD_MIN_CHARS=8).stderr == ""
    assert "fewer than 64" in cli.run("update", "ninechars", "--password", new_password(), PASSWORD_MIN_CHARS=64).stderr
    done = cli.run("find", "ninechars", PASSWORD_MIN_CHARS=7)
    assert done.returncode == USAGE and "PASSWORD_MIN_CHARS" in done.stderr


def test_short_password_is_warned_of_when_it_is_taken(cli, api):
    done = cli.run("add", "shortish", "--password", "short pw")
    assert done.returncode == DONE and done.stderr.startswith("userauth-cli: warning: ")
    assert api.check("shortish", "short pw").json()["check"] is True
    done = cli.run("add", "shortish", "--password", "other pw")
    assert_refused(done, "exists")
    assert "warning" not in done.stderr
    done = cli.run("update", "shortish", "--password", "third pw")
    assert done.returncode == DONE and "warning" in done.stderr
    assert cli.run("update", "shortish", "--password", new_password()).stderr == ""


# --- at a terminal ---

def ended(child):
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def test_terminal_asks_twice_without_echo(cli, api):
    password = new_password()
    code, seen = cli.type_password("add", "typed", password=password)
    assert code == DONE, seen
    assert password not in seen
    assert api.check("typed", password).json()["check"] is True


def test_terminal_with_two_different_passwords_adds_nobody(cli, api):
    child = cli.at_terminal("add", "different")
    for password in (new_password(), new_password()):
        child.expect("(?i)password[^:]*: ?")
        child.waitnoecho(10)
        child.sendline(password)
    child.expect(pexpect.EOF)
    text = child.before
    child.close()
    assert child.exitstatus in (REFUSED, USAGE)
    assert re.search("(?i)differ|match|not the same", text), text
    assert api.get("/find/different").status_code == 404


def test_terminal_echo_is_back_after_an_interrupt(cli, api):
    command = f'{USERAUTH_CLI} add interrupted; echo "code=$?"; stty -a'
    child = pexpect.spawn("/bin/bash", ["--norc", "-c", "trap : INT; " + command],
                          env=programs.clean_env({**cli.settings, "TERM": "dumb"}), encoding="utf-8", timeout=20)
    child.expect("(?i)password[^:]*: ?")
    child.waitnoecho(10)
    child.sendintr()
    child.expect(r"code=(\d+)")
    assert int(child.match[1]) != 0
    child.expect(pexpect.EOF)
    assert re.search(r"(?<!-)\becho\b", child.before), "the terminal was left without echo"
    child.close()
    assert api.get("/find/interrupted").status_code == 404


def test_terminal_with_end_of_input_adds_nobody(cli, api):
    child = cli.at_terminal("add", "eofuser")
    child.expect("(?i)password[^:]*: ?")
    child.waitnoecho(10)
    child.sendeof()
    assert ended(child) in (REFUSED, USAGE)
    assert api.get("/find/eofuser").status_code == 404


def test_password_check_asks_once_at_a_terminal(cli, api):
    password = new_password()
    api.create("checked", password)
    child = cli.at_terminal("password-check", "checked")
    child.expect("(?i)password[^:]*: ?")
    child.waitnoecho(10)
    child.sendline(password)
    assert ended(child) == DONE


# --- find-or-create, update, find, destroy ---

def test_find_or_create_makes_and_then_finds(cli, api):
    password = new_password()
    made = cli.json("find-or-create", "foc", "--password", password, "--given-name", "First")
    found = cli.json("find-or-create", "FOC", "--password", new_password(), "--given-name", "Second")
    assert made == found and found["givenName"] == "First"
    assert api.check("foc", password).json()["check"] is True


def test_update_changes_what_is_given_and_asks_for_no_password(cli, api):
    password, fresh = new_password(), new_password()
    cli.ok("add", "changing", "--password", password, "--family-name", "Old", "--given-name", "Kept")
    cli.ok("update", "changing", "--family-name", "New", "--email", "x@example.com")
    user = api.get("/find/changing").json()
    assert (user["familyName"], user["givenName"], user["emails"]) == ("New", "Kept", ["x@example.com"])
    assert api.check("changing", password).json()["check"] is True
    cli.ok("update", "changing", "--password-stdin", stdin=fresh + "\n")
    assert api.check("changing", fresh).json()["check"] is True
    assert cli.json("update", "changing", "--middle-name", "M")["middleName"] == "M"


def test_update_with_nothing_to_change_is_wrong_usage(cli):
    cli.ok("add", "nothingnew", "--password", new_password())
    done = cli.run("update", "nothingnew", stdin="")
    assert done.returncode == USAGE and "--" in done.stderr


@pytest.mark.parametrize("command", ["update", "find", "destroy", "disable", "enable", "revoke", "sessions"])
def test_unknown_user_is_1_and_says_what_to_do(cli, command):
    args = ["--given-name", "x"] if command == "update" else []
    assert_refused(cli.run(command, "ghost", *args), "ghost", "list-users")


def test_find_of_an_unknown_user_as_json_is_what_the_service_says(cli):
    done = cli.run("--json", "find", "nobody-here")
    assert done.returncode == REFUSED and json.loads(done.stdout) == {}


def test_find_for_people_and_as_json(cli, api):
    api.create("Lookup", new_password(), familyName="Bäcker", emails=["l@example.com"])
    text = cli.ok("find", "lookup")
    assert all(part in text for part in ("Lookup", "Bäcker", "l@example.com", "local"))
    assert cli.json("find", "lookup") == api.get("/find/Lookup").json()


@pytest.mark.parametrize("name", ["a b", "a%b", "a?b#c", "日本", "😀", "a&b=c", ".", "..", "-dash", "a;b'c\"d"])
def test_names_of_any_kind_go_through_every_command(cli, name):
    password = new_password()
    cli.ok("add", "--password", password, "--", name)
    assert cli.json("find", "--", name)["username"] == name
    assert cli.json("update", "--given-name", "g", "--", name)["givenName"] == "g"
    assert cli.json("password-check", "--", name, password)["check"] is True
    cli.ok("destroy", "--", name)
    assert cli.run("find", "--", name).returncode == REFUSED


def test_destroy(cli, api):
    cli.ok("add", "doomed", "--password", new_password())
    assert "doomed" in cli.ok("destroy", "doomed")
    assert api.get("/find/doomed").status_code == 404
    cli.ok("add", "doomed", "--password", new_password())
    assert cli.json("destroy", "doomed") == {}


def test_terminal_codes_in_answers_do_not_reach_the_terminal(cli):
    """A database that came from elsewhere may hold what this service refuses."""
    user = {"id": "codes", "username": "codes\x1b]0;x\x07", "provider": "local", "familyName": "\u009b31mred\x1b[2J",
            "givenName": "two\nlines\r", "middleName": None, "emails": ["\x1b[31m@x"], "photos": []}
    with stranger(json.dumps(user).encode()) as url:
        text = cli.run("find", "codes", USER_SERVICE_URL=url).stdout
    with stranger(json.dumps([user]).encode()) as url:
        text += cli.run("list-users", USER_SERVICE_URL=url).stdout
    assert "codes" in text and "red" in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), ascii(text)
    assert "two\nlines" not in text


# --- list-users ---

def test_list_users_for_people_and_as_json(cli, api):
    for name in ("lista", "LISTB"):
        api.create(name, new_password(), givenName="G" + name)
    text = cli.ok("list-users")
    assert text.index("lista") < text.index("LISTB")
    assert re.search(r"^lista +local +active +- +Glista +- +-$", text, re.MULTILINE), text
    users = cli.json("list-users")
    assert [user for user in users if user["username"] == "lista"] == [api.get("/find/lista").json()]
    assert len(users) == len(api.get("/list").json())


def test_empty_list_says_what_to_do(services):
    cli = Cli(services.userauth().start())
    done = cli.run("list-users")
    assert done.returncode == DONE and "add" in done.stdout + done.stderr
    assert cli.json("list-users") == []


def test_list_users_fetches_every_page(services):
    service = services.userauth().start()
    api = service.api()
    for number in range(1_010):
        assert api.post("/create-user", json={"username": f"u{number:04d}", "provider": "x"}).status_code == 200
    assert [user["username"] for user in Cli(service).json("list-users")] == [f"u{number:04d}" for number in range(1_010)]


# --- password-check ---

def test_password_check(cli, api):
    password = new_password()
    api.create("Prover", password)
    assert cli.run("password-check", "prover", password).returncode == DONE
    assert cli.run("password-check", "prover", "--password-stdin", stdin=password + "\n").returncode == DONE
    assert cli.json("password-check", "prover", password) == {"check": True, "username": "Prover"}
    done = cli.run("password-check", "prover", "wrong")
    assert done.returncode == REFUSED
    assert "incorrect" in (done.stdout + done.stderr).lower()


def test_password_check_of_an_unknown_user_is_the_same_refusal(cli, api):
    api.create("known", new_password())
    seen = [cli.run("password-check", name, "wrong") for name in ("known", "nobody-known")]
    assert seen[0].returncode == seen[1].returncode == REFUSED
    assert (seen[0].stdout + seen[0].stderr).replace("known", "") == \
        (seen[1].stdout + seen[1].stderr).replace("nobody-known", "")


def test_throttled_password_check_says_how_long_to_wait(cli, api):
    api.create("throttled", new_password())
    for _ in range(4):
        assert cli.run("password-check", "throttled", "wrong").returncode == REFUSED
    done = cli.run("password-check", "throttled", "wrong")
    assert_refused(done, "also with the right password")
    assert re.search(r"Wait \d+ s before the next one", done.stderr)


def test_refused_check_as_json_is_still_json(cli, api):
    api.create("jsonno", new_password())
    done = cli.run("--json", "password-check", "jsonno", "wrong")
    assert done.returncode == REFUSED
    assert json.loads(done.stdout)["check"] is False


# --- usage ---

@pytest.mark.parametrize("args", [
    [], ["nonsense"], ["add"], ["add", "a", "b", "--password", "x"], ["find"], ["find", "a", "b"], ["destroy"], ["list-users", "x"],
    ["add", "x", "--nonsense"], ["add", "x", "--password"], ["-p"], ["-p", "abc", "list-users"], ["-p", "0", "list-users"],
    ["-p", "70000", "list-users"], ["-u", "nonsense", "list-users"], ["find", "a", "--password", "x"], ["-x", "list-users"],
    ["password-check"], ["password-check", "a", "b", "c"], ["update"], ["add", "x", "--password", "p", "--password-stdin"],
    ["disable"], ["disable", "a", "b"], ["enable"], ["sessions"], ["sessions", "a", "b"], ["revoke"], ["revoke", "a", "b", "c"],
    ["set-password"], ["set-password", "a", "b"], ["set-password", "a", "--password", "x"], ["set-password", "a", "--email", "x"],
    ["disable", "a", "--password-stdin"], ["revoke", "a", "../x"], ["revoke", "a", ""], ["revoke", "a", "12g4"], ["revoke", "a", "1" * 129],
])
def test_wrong_usage_is_2_with_a_hint(cli, args):
    done = cli.run(*args, stdin="")
    assert done.returncode == USAGE, done
    assert "--help" in done.stderr or "usage" in done.stderr.lower(), done.stderr
    assert done.stdout == ""


def test_help_lists_every_command_and_option(cli):
    text = cli.ok("--help")
    for word in COMMANDS + ["-p", "-h", "-u", "--json", "--password", "--password-stdin", "--family-name", "--given-name",
                            "--middle-name", "--email", "USER_SERVICE_URL", "USER_SERVICE_KEY", "NOTES_URL",
                            "PASSWORD_MIN_CHARS"]:
        assert word in text, word


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_fits_a_terminal(cli, command):
    assert [line for line in cli.ok(command, "--help").splitlines() if len(line) > 79] == []


def test_help_is_a_word_too(cli):
    assert cli.ok("help") == cli.ok("--help")
    assert cli.ok("help", "add") == cli.ok("add", "--help")
    assert_refused(cli.run("help", "rm"), 'there is no command "rm"', code=USAGE)


def test_help_of_a_command_is_its_own(cli):
    text = cli.ok("add", "--help")
    assert text.startswith("Usage: userauth-cli add [OPTION]... USER\n") and "--given-name" in text
    text = cli.ok("list-users", "--help")
    assert text.startswith("Usage: userauth-cli list-users [OPTION]...\n")
    assert "--json" in text and "--password" not in text and "A password" not in text and "destroy" not in text


@pytest.mark.parametrize("typed, meant", [
    ("finf", "find"), ("fnd", "find"), ("fidn", "find"), ("ADD", "add"), ("ad", "add"), ("list", "list-users"), ("users", "list-users"),
    ("session", "sessions"), ("set_password", "set-password"), ("setpasswd", "set-password"), ("find-and-create", "find-or-create"),
    ("unlnk", "unlink"), ("identites", "identities"), ("password", "set-password"), ("destory", "destroy"),
])
def test_unknown_command_suggests_the_nearest(cli, typed, meant):
    done = cli.run(typed, "me")
    assert done.returncode == USAGE
    assert done.stderr == f'userauth-cli: there is no command "{typed}"; did you mean "{meant}"?\nSee: userauth-cli --help\n'


@pytest.mark.parametrize("typed", ["x", "", "rm", "nonsense", "a" * 33, "add" * 20_000, "\x1b[2J", "日本"], ids=lambda typed: ascii(typed[:9]))
def test_unknown_command_that_is_near_none_suggests_nothing(cli, typed):
    done = cli.run(typed, "me")
    assert done.returncode == USAGE and "did you mean" not in done.stderr and "\x1b" not in done.stderr
    assert done.stderr.startswith("userauth-cli: there is no command ") and done.stderr.endswith("\nSee: userauth-cli --help\n")


@pytest.mark.parametrize("typed, meant", [("--jsn", "--json"), ("--pasword=x", "--password"), ("--mail", "--email"), ("-x", None),
                                          ("--nonsense", None)])
def test_unknown_option_suggests_the_nearest(cli, typed, meant):
    done = cli.run(typed, "list-users")
    assert done.returncode == USAGE and "See: userauth-cli --help" in done.stderr
    assert (f'; did you mean "{meant}"?' in done.stderr) == (meant is not None)
    assert "=x" not in done.stderr


def test_one_word_too_many_is_said_without_a_gap(cli):
    assert cli.run("list-users", "extra").stderr.startswith("userauth-cli: list-users: one word too many\n")
    assert cli.run("find", "a", "b").stderr.startswith("userauth-cli: find USER: one word too many\n")


def test_wrong_usage_reaches_nobody(services, tmp_path):
    """Usage is checked before the service is asked: also when it is away."""
    done = programs.run(USERAUTH_CLI, "find", USER_SERVICE_URL="http://127.0.0.1:1", USER_SERVICE_KEY="key-of-nothing")
    assert done.returncode == USAGE


# --- where the service is ---

def test_ways_to_name_the_service(cli, userauth, api):
    api.create("somewhere", new_password())
    bare = {"USER_SERVICE_URL": None}
    for args in (["-p", userauth.port], ["-h", "127.0.0.1", "-p", userauth.port], ["-u", userauth.url],
                 ["-h", "localhost", "-p", userauth.port], ["-u", userauth.url + "/"]):
        assert cli.run(*args, "find", "somewhere", **bare).returncode == DONE, args
    assert cli.run("-u", userauth.url, "find", "somewhere", USER_SERVICE_URL="http://127.0.0.1:1").returncode == DONE
    assert cli.run("find", "somewhere").returncode == DONE


def test_key_is_read_from_the_state_folder(cli, userauth, api):
    api.create("keyed", new_password())
    done = cli.run("find", "keyed", USER_SERVICE_KEY=None, USER_SERVICE_ID=None, STATE_DIR=userauth.state_dir)
    assert done.returncode == DONE, done.stderr


def test_key_from_a_file(cli, userauth, api, tmp_path):
    api.create("filekeyed", new_password())
    (tmp_path / "key").write_text(userauth.key + "\n")
    done = cli.run("find", "filekeyed", USER_SERVICE_KEY=None, USER_SERVICE_KEY_FILE=tmp_path / "key")
    assert done.returncode == DONE, done.stderr


def test_missing_key_says_what_to_do(cli, tmp_path):
    done = cli.run("list-users", USER_SERVICE_KEY=None, STATE_DIR=tmp_path)
    assert done.returncode in (REFUSED, USAGE)
    assert "USER_SERVICE_KEY" in done.stderr and f"{tmp_path}/userauth.key: No such file" in done.stderr
    assert "\nwrote its userauth.key at its first start.\n" in done.stderr


def test_refused_key_says_what_to_do_and_is_not_shown(cli):
    key = new_password("wrongkey")
    done = cli.run("list-users", USER_SERVICE_KEY=key)
    assert_refused(done, "key")
    assert key not in done.stderr


@pytest.mark.parametrize("args", [["list-users"], ["find", "x"], ["add", "x", "--password", "pw"], ["destroy", "x"],
                                  ["password-check", "x", "y"], ["update", "x", "--given-name", "y"], ["disable", "x"],
                                  ["enable", "x"], ["revoke", "x"], ["revoke", "x", "12ab"], ["sessions", "x"]])
def test_unreachable_service_is_3_and_says_what_to_do(cli, args):
    url = f"http://127.0.0.1:{free_port()}"
    done = cli.run(*args, USER_SERVICE_URL=url)
    assert_refused(done, url, "running?", "./dev run", "--url", code=UNREACHABLE)
    assert not re.search("GET|POST|DELETE", done.stderr), done.stderr


@pytest.mark.parametrize("host", ["no-such-host.invalid", "127.no-such-host.invalid"])
def test_unknown_host_is_3_and_is_not_started_here(cli, host):
    done = cli.run("list-users", USER_SERVICE_URL=f"http://{host}:5858")
    assert_refused(done, host, "--url", code=UNREACHABLE)
    assert "./dev run" not in done.stderr


@contextlib.contextmanager
def stranger(body):
    """The URL of a server that answers every GET with this body."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"", b"[", b"{}", b"[1]", b'"text"', b"[{}]", b'[{"username":5}]', b"\xff\xfe",
                                  b"[" * 50_000])
@pytest.mark.parametrize("command", [["list-users"], ["find", "x"]], ids=lambda command: command[0])
def test_stranger_that_answers_nonsense_is_no_success(cli, command, body):
    with stranger(body) as url:
        for option in ([], ["--json"]):
            done = cli.run(*option, *command, USER_SERVICE_URL=url)
            assert done.returncode in (REFUSED, UNREACHABLE) and done.stderr.strip(), (option, done)


def test_list_whose_pages_lead_in_a_circle_ends(cli):
    """A Link that always leads on must not make the command run for ever."""
    user = {"id": "a", "username": "a", "provider": "x", "familyName": None, "givenName": None, "middleName": None,
            "emails": [], "photos": []}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps([user]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Link", '</list?after=a&limit=1>; rel="next"')
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        done = cli.run("list-users", USER_SERVICE_URL=f"http://127.0.0.1:{server.server_port}")
        assert done.returncode in (DONE, REFUSED, UNREACHABLE)
    finally:
        server.shutdown()
        server.server_close()


# --- man page and completion ---

def one_file(pattern):
    found = list((ROOT / "userauth-svc").rglob(pattern))
    assert len(found) == 1, found
    return found[0]


def test_man_page_renders_without_warnings_and_tells_everything():
    page = one_file("userauth-cli.1")
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", str(page)], capture_output=True, text=True, check=False,
                          env={"PATH": os.environ["PATH"], "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANPAGER": "cat", "MANROFFSEQ": ""})
    assert done.returncode == 0 and done.stderr == "", done.stderr
    text = re.sub(r".\x08", "", done.stdout)
    for word in COMMANDS + ["NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "EXAMPLES", "--json", "--password-stdin",
                            "--family-name", "--given-name", "--middle-name", "--email", "USER_SERVICE_URL", "USER_SERVICE_KEY",
                            "USER_SERVICE_ID", "STATE_DIR", "NOTES_URL", "PASSWORD_MIN_CHARS", "SESSION-ID", "ISSUER", "SUBJECT"]:
        assert word in text, word


def complete(*words):
    """What bash would offer at the end of these words."""
    script = one_file("*.bash")
    line = " ".join(words)
    code = (f"source '{script}'; COMP_WORDS=(" + " ".join(f"'{word}'" for word in words) + f"); COMP_CWORD={len(words) - 1}; "
            f"COMP_LINE='{line}'; COMP_POINT={len(line)}; "
            "handler=$(complete -p userauth-cli | sed 's/.*-F \\([^ ]*\\).*/\\1/'); "
            f"$handler userauth-cli '{words[-1]}' '{words[-2]}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    done = subprocess.run(["bash", "--norc", "-c", code], capture_output=True, text=True, check=False,
                          env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"})
    assert done.stderr == "", done.stderr
    return {word.strip() for word in done.stdout.split()}


def test_completion_of_commands():
    assert set(COMMANDS) <= complete("userauth-cli", "")
    assert complete("userauth-cli", "li") == {"link", "list-users"}
    assert complete("userauth-cli", "find") == {"find", "find-or-create"}
    assert complete("userauth-cli", "--json", "des") == {"destroy"}
    assert complete("userauth-cli", "se") == {"set-password", "sessions"}


def test_completion_of_options():
    assert {"--password", "--password-stdin", "--family-name", "--given-name", "--middle-name", "--email"} \
        <= complete("userauth-cli", "add", "me", "--")
    assert complete("userauth-cli", "update", "me", "--fam") == {"--family-name"}
    assert "--json" in complete("userauth-cli", "--")
    assert "--email" not in complete("userauth-cli", "find", "--")
    assert complete("userauth-cli", "set-password", "me", "--pass") == {"--password-stdin"}
    assert not {"--email", "--password", "--password-stdin"} & complete("userauth-cli", "disable", "me", "--")
