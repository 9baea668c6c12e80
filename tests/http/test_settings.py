# SPDX-License-Identifier: MIT
"""Settings and the command line of the programs: help, version, checks, printing, secrets in files, older names."""
import os
import pathlib
import re
import stat

import pexpect
import pytest
import requests

from harness.api import Api
from harness.client import Client
from harness.ports import free_port
from harness.programs import USERAUTH_CLI, USERAUTH_SVC, NOTES_SVC, clean_env, new_password, run
from harness.services import StartFailed
from harness.wait import until

SERVICES = [USERAUTH_SVC, NOTES_SVC]
ALL = SERVICES + [USERAUTH_CLI]
by_name = pytest.mark.parametrize("program", SERVICES, ids=lambda path: path.name)
each_program = pytest.mark.parametrize("program", ALL, ids=lambda path: path.name)
SHARED = ["PORT", "LISTEN", "STATE_DIR", "DATABASE_URL", "HTTP_LOOPS", "WORKERS", "QUEUE_LIMIT", "CONNECTION_LIMIT",
          "HEAD_BYTES", "BODIES_BYTES", "ANSWERS_BYTES", "LOG_LEVEL", "LOG_FORMAT"]
OWN = {
    "userauth-svc": ["THROTTLE_FAILURES", "THROTTLE_WAIT_MAX_S", "THROTTLE_FAILURES_OF_NAME", "API_KEYS", "PASSWORD_MEMORY_KIB", "PASSWORD_PASSES", "PASSWORD_MIN_CHARS"],
    "notes-svc": ["USER_SERVICE_URL", "USER_SERVICE_ID", "USER_SERVICE_KEY", "PUBLIC_URL", "TRUSTED_PROXIES",
                  "LOGIN_FAILURES_PER_MIN", "WRITES_PER_MIN", "CONNECTIONS_PER_ADDRESS",
                  "TWITTER_CONSUMER_KEY", "TWITTER_CONSUMER_SECRET", "TWITTER_CALLBACK_HOST", "TWITTER_API_URL",
                  "OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_NAME", "OIDC_SCOPES", "OIDC_ALLOWED_DOMAINS",
                  "PROVIDER_CA_FILE", "PROVIDER_TIMEOUT_MS", "WRITERS", "LOGIN_WORKERS", "LOGIN_QUEUE_LIMIT"],
}
SECRET_SETTING = {"userauth-svc": "API_KEYS", "notes-svc": "USER_SERVICE_KEY"}


def secret_value(program, secret):
    return f"them:{secret}" if program == USERAUTH_SVC else secret


def fault_lines(done):
    """Lines of a refused start: on stderr, and nothing on stdout that is meant for people."""
    assert done.returncode == 2, done
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert lines, "no fault is told"
    return lines


def assert_fault(done, *names):
    """Exit 2 and one line for each of the settings."""
    lines = fault_lines(done)
    for name in names:
        assert sum(bool(re.search(rf"\b{name}\b", line)) for line in lines) == 1, (name, lines)
    return lines


# --- command line ---

@each_program
def test_help_names_the_program_and_its_options(program):
    done = run(program, "--help")
    assert done.returncode == 0 and done.stderr == ""
    for text in (program.name, "--version", "--check-config", "--print-config"):
        assert text in done.stdout
    if program in SERVICES:
        assert "--healthcheck" in done.stdout


@each_program
def test_version(program):
    done = run(program, "--version")
    assert done.returncode == 0 and done.stderr == ""
    assert re.match(rf"{program.name} \d+\.\d+\.\d+", done.stdout)


LIBRARIES = ["libmicrohttpd", "SQLite", "libcurl", "jansson", "libsodium", "libseccomp"]


@by_name
def test_version_tells_the_libraries(program):
    text = run(program, "--version").stdout
    for name in LIBRARIES:
        assert re.search(rf"{name} \d+\.\d+", text), (name, text)
    assert ("libxcrypt" if program == USERAUTH_SVC else "MD4C, cjose 0.") in text


@by_name
@pytest.mark.parametrize("args", [["--nonsense"], ["start"], ["--help=x"], ["--version", "--nonsense"], [""], ["-"], ["--port", "1"]])
def test_wrong_usage_is_exit_2_with_a_hint(program, args):
    done = run(program, *args)
    assert done.returncode == 2
    assert "--help" in done.stderr and len(done.stderr.splitlines()) <= 3


@each_program
def test_help_works_with_bad_settings(program, tmp_path):
    for option in ("--help", "--version"):
        assert run(program, option, PORT="nonsense", LOG_LEVEL="nonsense", STATE_DIR=tmp_path).returncode == 0


@by_name
def test_check_config_of_good_settings_touches_nothing(program, tmp_path):
    folder = tmp_path / "not-made"
    done = run(program, "--check-config", STATE_DIR=folder, PORT="3999")
    assert done.returncode == 0, done.stderr
    assert not folder.exists()


def test_check_config_of_the_cli(tmp_path):
    assert run(USERAUTH_CLI, "--check-config", STATE_DIR=tmp_path).returncode == 0
    assert_fault(run(USERAUTH_CLI, "--check-config", USER_SERVICE_URL="nonsense"), "USER_SERVICE_URL")


BAD_VALUES = [
    ("PORT", "abc"), ("PORT", "65536"), ("PORT", "-1"), ("PORT", "3000x"), ("PORT", " 3000"), ("PORT", "0x10"), ("PORT", "1e3"),
    ("PORT", "99999999999999999999"), ("LOG_LEVEL", "loud"), ("LOG_LEVEL", "INFO "), ("LOG_FORMAT", "xml"), ("WORKERS", "-1"),
    ("WORKERS", "1.5"), ("QUEUE_LIMIT", "-5"), ("HTTP_LOOPS", "many"), ("CONNECTION_LIMIT", "0"),
    ("HEAD_BYTES", "32767"), ("BODIES_BYTES", "1000000"), ("ANSWERS_BYTES", "67108863"), ("LISTEN", "not an address"),
    ("LISTEN", "300.1.1.1"), ("DATABASE_URL", "nonsense"), ("DATABASE_URL", "postgres://x/y"), ("DATABASE_URL", "sqlite:"),
]


@by_name
@pytest.mark.parametrize("name,value", BAD_VALUES)
@pytest.mark.parametrize("args", [["--check-config"], []], ids=["check", "start"])
def test_bad_value_is_exit_2_and_named(program, name, value, args, tmp_path):
    assert_fault(run(program, *args, STATE_DIR=tmp_path / "s", **{name: value}), name)
    assert not (tmp_path / "s").exists()


@by_name
@pytest.mark.parametrize("args", [["--check-config"], []], ids=["check", "start"])
def test_all_faults_are_told_together(program, args, tmp_path):
    bad = {"PORT": "x", "WORKERS": "-1", "QUEUE_LIMIT": "no", "LOG_LEVEL": "loud", "LOG_FORMAT": "xml", "DATABASE_URL": "ftp://x"}
    assert_fault(run(program, *args, STATE_DIR=tmp_path, **bad), *bad)


@by_name
def test_fault_tells_the_allowed_range(program, tmp_path):
    lines = assert_fault(run(program, "--check-config", STATE_DIR=tmp_path, PORT="70000"), "PORT")
    assert any("65535" in line for line in lines)


NOTES_BAD = [("PUBLIC_URL", "nonsense"), ("PUBLIC_URL", "ftp://x"), ("PUBLIC_URL", "http://:80"),
             ("TRUSTED_PROXIES", "10.0.0.0/99"), ("TRUSTED_PROXIES", "x"),
             ("USER_SERVICE_URL", "nonsense"), ("USER_SERVICE_ID", "a:b"), ("WRITES_PER_MIN", "-1"), ("LOGIN_FAILURES_PER_MIN", "x"),
             ("CONNECTIONS_PER_ADDRESS", "-1")]


@pytest.mark.parametrize("name,value", NOTES_BAD)
def test_bad_value_of_notes(name, value, tmp_path):
    assert_fault(run(NOTES_SVC, "--check-config", STATE_DIR=tmp_path, **{name: value}), name)


TWITTER = {"TWITTER_CONSUMER_KEY": "key", "TWITTER_CONSUMER_SECRET": "secret"}
OIDC = {"OIDC_ISSUER": "https://login.example.org/realms/all", "OIDC_CLIENT_ID": "notes"}


@pytest.mark.parametrize("settings", [
    TWITTER, OIDC, {**TWITTER, **OIDC}, {**OIDC, "OIDC_CLIENT_SECRET": "x", "OIDC_ALLOWED_DOMAINS": "example.org, a-b.example"},
    {**OIDC, "OIDC_ISSUER": "http://127.0.0.1:4000"}, {**OIDC, "LISTEN": "::1"},
    {**OIDC, "LISTEN": "0.0.0.0", "PUBLIC_URL": "https://notes.example.org"},
    {**TWITTER, "LISTEN": "0.0.0.0", "TWITTER_CALLBACK_HOST": "https://notes.example.org/"},
    {**TWITTER, "TWITTER_API_URL": "http://localhost:4001/"}])
def test_providers_that_are_set_well(settings, tmp_path):
    done = run(NOTES_SVC, "--check-config", STATE_DIR=tmp_path, **settings)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("settings,names", [
    ({"TWITTER_CONSUMER_KEY": "key"}, ["TWITTER_CONSUMER_SECRET"]),
    ({"TWITTER_CONSUMER_SECRET": "key"}, ["TWITTER_CONSUMER_KEY"]),
    ({"TWITTER_CALLBACK_HOST": "https://notes.example.org"}, ["TWITTER_CONSUMER_KEY"]),
    ({**TWITTER, "TWITTER_CALLBACK_HOST": "https://notes.example.org/x"}, ["TWITTER_CALLBACK_HOST"]),
    ({**TWITTER, "TWITTER_API_URL": "http://api.twitter.com"}, ["TWITTER_API_URL"]),
    ({**TWITTER, "LISTEN": "0.0.0.0"}, ["PUBLIC_URL"]),
    ({"OIDC_ISSUER": OIDC["OIDC_ISSUER"]}, ["OIDC_CLIENT_ID"]),
    ({"OIDC_CLIENT_ID": "notes"}, ["OIDC_ISSUER"]),
    ({"OIDC_CLIENT_SECRET": "x"}, ["OIDC_ISSUER"]),
    ({"OIDC_ALLOWED_DOMAINS": "example.org"}, ["OIDC_ISSUER"]),
    ({**OIDC, "OIDC_ISSUER": "http://login.example.org"}, ["OIDC_ISSUER"]),
    ({**OIDC, "OIDC_ISSUER": "https://login.example.org/?a=b"}, ["OIDC_ISSUER"]),
    ({**OIDC, "OIDC_ISSUER": "https://me@login.example.org"}, ["OIDC_ISSUER"]),
    ({**OIDC, "OIDC_ISSUER": "https://login.example.org/" + "x" * 240}, ["OIDC_ISSUER"]),
    ({**OIDC, "OIDC_CLIENT_ID": "x" * 256}, ["OIDC_CLIENT_ID"]),
    ({**OIDC, "OIDC_NAME": "x" * 65}, ["OIDC_NAME"]),
    ({**OIDC, "OIDC_NAME": "a\tb"}, ["OIDC_NAME"]),
    ({**OIDC, "OIDC_SCOPES": "profile email"}, ["OIDC_SCOPES"]),
    ({**OIDC, "OIDC_SCOPES": "openid2 profile"}, ["OIDC_SCOPES"]),
    ({**OIDC, "OIDC_SCOPES": 'openid "x"'}, ["OIDC_SCOPES"]),
    ({**OIDC, "OIDC_ALLOWED_DOMAINS": ", ,"}, ["OIDC_ALLOWED_DOMAINS"]),
    ({**OIDC, "OIDC_ALLOWED_DOMAINS": "me@example.org"}, ["OIDC_ALLOWED_DOMAINS"]),
    ({**OIDC, "OIDC_ALLOWED_DOMAINS": ",".join(f"d{i}.example" for i in range(65))}, ["OIDC_ALLOWED_DOMAINS"]),
    ({**OIDC, "LISTEN": "0.0.0.0"}, ["PUBLIC_URL"]),
    ({"PROVIDER_TIMEOUT_MS": "0"}, ["PROVIDER_TIMEOUT_MS"])])
def test_provider_that_is_set_by_halves_or_wrong(settings, names, tmp_path):
    assert_fault(run(NOTES_SVC, "--check-config", STATE_DIR=tmp_path, **settings), *names)


@pytest.mark.parametrize("content,says", [(None, "No such file"), ("", "no certificate"), ("nonsense", "no certificate")])
def test_authorities_of_providers_that_can_not_be_used_stop_the_start(content, says, tmp_path):
    path = tmp_path / "authorities.pem"
    if content is not None:
        path.write_text(content)
    done = run(NOTES_SVC, STATE_DIR=tmp_path, PORT=free_port(), **OIDC, PROVIDER_CA_FILE=path)
    line, = assert_fault(done, "PROVIDER_CA_FILE")
    assert f"{path}: " in line and says in line


PEM_SETTINGS = [(USERAUTH_SVC, "DATABASE_TLS_CA"), (NOTES_SVC, "DATABASE_TLS_CA"), (NOTES_SVC, "PROVIDER_CA_FILE")]


@pytest.mark.parametrize("program,name", PEM_SETTINGS, ids=lambda value: getattr(value, "name", value))
@pytest.mark.parametrize("kind,says", [("missing", "No such file"), ("folder", "Is a directory"), ("pipe", "no certificate"),
                                       ("empty", "no certificate"), ("nonsense", "no certificate"), ("endless", "no certificate")])
def test_file_of_certificates_that_can_not_be_used_is_told_by_a_check(program, name, kind, says, tmp_path):
    """Beside the other faults, and before the first connection needs it."""
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "endless":
        path.symlink_to("/dev/zero")
    elif kind != "missing":
        path.write_text({"empty": "", "nonsense": "-----BEGIN PRIVATE KEY-----\n"}[kind])
    lines = assert_fault(run(program, "--check-config", STATE_DIR=tmp_path, PORT="x", **{name: path}), name, "PORT")
    assert any(f"{name}: {path}: " in line and says in line for line in lines), lines


@pytest.mark.parametrize("program,name", PEM_SETTINGS, ids=lambda value: getattr(value, "name", value))
def test_file_of_certificates_is_taken_whatever_stands_before_them(program, name, tmp_path):
    path = tmp_path / "authorities.pem"
    path.write_text("# of the company\n" * 500 + "-----BEGIN CERTIFICATE-----\n")
    assert run(program, "--check-config", STATE_DIR=tmp_path, **{name: path}).returncode == 0


USERAUTH_BAD = [("PASSWORD_MEMORY_KIB", "7"), ("PASSWORD_MEMORY_KIB", "x"), ("PASSWORD_PASSES", "0"), ("PASSWORD_PASSES", "11"),
                ("PASSWORD_MIN_CHARS", "7"), ("PASSWORD_MIN_CHARS", "65"), ("PASSWORD_MIN_CHARS", "8x"),
                ("THROTTLE_FAILURES", "0"), ("THROTTLE_WAIT_MAX_S", "86401"), ("THROTTLE_FAILURES_OF_NAME", "101")]
BAD_KEYS = ["nocolon", "them:", ":abcdefghijklmnopqrstuvwxyz0123456789", ",", "them:abcdefghijklmnopqrstuvwxyz0123456789,",
            "them:abcdefghijklmnopqrstuvwxyz0123456789,nocolon"]


@pytest.mark.parametrize("name,value", USERAUTH_BAD + [("API_KEYS", value) for value in BAD_KEYS])
def test_bad_value_of_userauth(name, value, tmp_path):
    done = run(USERAUTH_SVC, "--check-config", STATE_DIR=tmp_path, **{name: value})
    assert_fault(done, name)
    assert "abcdefghijklmnopqrstuvwxyz" not in done.stderr, "a key was echoed"


@by_name
def test_bad_setting_of_a_secret_is_not_echoed(program, tmp_path):
    secret = new_password()
    done = run(program, "--check-config", STATE_DIR=tmp_path, PORT="x", DATABASE_URL=f"mysql://root:{secret}@db/notes",
               DATABASE_PASSWORD=secret)
    assert done.returncode == 2
    assert secret not in done.stdout + done.stderr


# --- mysql ---

@by_name
@pytest.mark.parametrize("url", ["mysql://root@localhost/notes", "mysql://u:pw@db:3306/notes", "mysql://u@a,b:3307/notes",
                                 "mysql://u%40x:p%2Fw@[::1]:3307/notes"])
def test_mysql_url_is_accepted_and_never_shown(program, url, tmp_path):
    for option in ("--check-config", "--print-config"):
        done = run(program, option, STATE_DIR=tmp_path / "not-made", DATABASE_URL=url)
        assert done.returncode == 0, done.stderr
        assert url not in done.stdout + done.stderr
    assert not (tmp_path / "not-made").exists()


@by_name
@pytest.mark.parametrize("url", ["mysql:", "mysql://", "mysql://db/notes", "mysql://u@/notes", "mysql://u@db", "mysql://u@db/",
                                 "mysql://@db/notes", "mysql://u:@db/notes", "mysql://u@db:0/notes", "mysql://u@db:x/notes",
                                 "mysql://u@db,/notes", "mysql://u@db/a/b", "mysql://u@db/notes?x", "mysql://u@[::1/notes",
                                 "mysql://u%zz@db/notes", "mysql://u@a,b,c,d,e,f,g,h,i/notes"])
def test_mysql_url_that_means_nothing_is_refused(program, url, tmp_path):
    lines = assert_fault(run(program, "--check-config", STATE_DIR=tmp_path, DATABASE_URL=url), "DATABASE_URL")
    assert "@" not in url or not any(url in line for line in lines), "it may hold a password"


@by_name
def test_password_of_the_database_is_given_once_and_for_mysql(program, tmp_path):
    secret = new_password()
    for settings in ({"DATABASE_URL": f"mysql://u:{secret}@db/notes"}, {}, {"DATABASE_URL": "sqlite:x"}):
        for name in ("DATABASE_PASSWORD", "SEQUELIZE_DBPASSWD"):
            done = run(program, "--check-config", STATE_DIR=tmp_path, **settings, **{name: secret})
            lines = assert_fault(done, "DATABASE_PASSWORD")
            assert "SEQUELIZE_DBPASSWD" in lines[0] and secret not in done.stderr


@by_name
def test_sequelize_settings_name_a_server(program, tmp_path):
    server = {"SEQUELIZE_DBHOST": "db", "SEQUELIZE_DBNAME": "no/tes", "SEQUELIZE_DBUSER": "u:s", "SEQUELIZE_DBPASSWD": new_password()}
    assert run(program, "--check-config", STATE_DIR=tmp_path, **server).returncode == 0
    assert run(program, "--check-config", STATE_DIR=tmp_path, SEQUELIZE_DBPORT="3307", **server).returncode == 0
    for name in ("SEQUELIZE_DBNAME", "SEQUELIZE_DBUSER"):
        assert_fault(run(program, "--check-config", STATE_DIR=tmp_path, **{**server, name: None}), name)
    for name in ("SEQUELIZE_DBNAME", "SEQUELIZE_DBUSER"):
        assert_fault(run(program, "--check-config", STATE_DIR=tmp_path, **{name: "x"}), "SEQUELIZE_DBHOST")
    assert_fault(run(program, "--check-config", STATE_DIR=tmp_path, DATABASE_URL="mysql://u@db/n", SEQUELIZE_DBHOST="db"),
                 "SEQUELIZE_DBHOST")
    assert_fault(run(program, "--check-config", STATE_DIR=tmp_path, DATABASE_TLS="maybe"), "DATABASE_TLS")


# --- printing ---

@by_name
def test_print_config_lists_every_setting_with_its_value(program, tmp_path):
    done = run(program, "--print-config", STATE_DIR=tmp_path, WORKERS="3", LOG_LEVEL="warn", PORT="3123")
    assert done.returncode == 0 and done.stderr == ""
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if line.split()}
    for name in SHARED + OWN[program.name]:
        assert name in rows, name
    assert re.search(r"\b3123\b", rows["PORT"]) and re.search(r"\b3\b", rows["WORKERS"])
    assert "warn" in rows["LOG_LEVEL"] and str(tmp_path) in rows["STATE_DIR"]


@each_program
def test_help_and_settings_fit_a_terminal(program, tmp_path):
    """In 80 columns nothing is broken within a word. There settings are no table, but stand as they would be set."""
    assert [line for line in run(program, "--help").stdout.splitlines() if len(line) > 79] == []
    child = pexpect.spawn(str(program), ["--print-config"], env=clean_env({"STATE_DIR": "/srv/notes", "LOG_LEVEL": "warn"}),
                          encoding="utf-8", timeout=30, dimensions=(24, 80))
    shown = child.read().replace("\r\n", "\n")
    child.wait()
    assert child.exitstatus == 0
    assert [line for line in shown.splitlines() if len(line) > 79] == []
    assert "\nSTATE_DIR=/srv/notes\n    folder of the " in shown
    names = [line.split()[0] for line in run(program, "--print-config", STATE_DIR=tmp_path).stdout.splitlines()[1:]]
    assert [re.split("[ =]", line)[0] for line in shown.splitlines() if not line.startswith(" ")] == names
    if program != USERAUTH_CLI:
        assert "\nREQUEST_DEADLINE_MS=10000\n    longest work on one request\n    100..120000 ms, default 10000\n" in shown
        assert "\nDATABASE_URL (not set)\n" in shown and "\nLOG_LEVEL=warn\n" in shown


@by_name
def test_print_config_shows_the_defaults(program):
    rows = {line.split()[0]: line for line in run(program, "--print-config").stdout.splitlines() if line.split()}
    assert ("5858" if program == USERAUTH_SVC else "3000") in rows["PORT"]
    assert "127.0.0.1" in rows["LISTEN"] and "./var" in rows["STATE_DIR"]
    if program == USERAUTH_SVC:
        assert "19456" in rows["PASSWORD_MEMORY_KIB"]
    else:
        assert "them" in rows["USER_SERVICE_ID"] and "http://127.0.0.1:5858" in rows["USER_SERVICE_URL"]
        assert "300" in rows["WRITES_PER_MIN"]


DEFAULTS = {
    "LOGIN_FAILURES_PER_MIN": "10", "WRITES_PER_MIN": "300", "CONNECTIONS_PER_ADDRESS": "256", "SOCKETS_PER_ADDRESS": "256",
    "SOCKETS_PER_SESSION": "64", "LIVE_MESSAGES_PER_S": "50",
    "LIVE_PING_INTERVAL_MS": "25000", "LIVE_PING_TIMEOUT_MS": "20000", "LIVE_CONNECT_TIMEOUT_MS": "45000",
    "SESSION_IDLE_S": "7200", "SESSION_ABSOLUTE_S": "86400", "SESSIONS_PER_USER": "50", "USER_CHECK_S": "60",
    "USER_CHECK_GRACE_S": "900", "DESTROYED_KEEP_DAYS": "30",
}
SIZE_DEFAULTS = {"HEAD_BYTES": "32768", "BODIES_BYTES": "268435456", "ANSWERS_BYTES": "268435456"}
THROTTLE_DEFAULTS = {"THROTTLE_FAILURES": "5", "THROTTLE_WAIT_MAX_S": "900", "THROTTLE_FAILURES_OF_NAME": "100"}


@pytest.mark.parametrize("program, defaults", [(NOTES_SVC, DEFAULTS | SIZE_DEFAULTS), (USERAUTH_SVC, SIZE_DEFAULTS | THROTTLE_DEFAULTS)],
                         ids=["notes", "userauth"])
def test_limits_and_lives_have_the_promised_defaults(program, defaults):
    rows = {line.split()[0]: line.split() for line in run(program, "--print-config").stdout.splitlines() if line.split()}
    assert {name: rows[name][1] for name in defaults} == defaults


@by_name
def test_print_config_masks_secrets(program, tmp_path):
    secret = new_password("masked")
    name = SECRET_SETTING[program.name]
    done = run(program, "--print-config", STATE_DIR=tmp_path, **{name: secret_value(program, secret)})
    assert done.returncode == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith(name))
    assert secret not in done.stdout and "****" in row
    path = tmp_path / "secret"
    path.write_text(secret_value(program, secret))
    done = run(program, "--print-config", STATE_DIR=tmp_path, **{name + "_FILE": path})
    assert done.returncode == 0 and secret not in done.stdout and "****" in done.stdout


def test_redis_is_named_once_and_its_password_is_masked(tmp_path):
    secret = new_password("redis")
    where = {"REDIS_URL": f"redis://app:{secret}@cache:6380/3"}
    for settings in (where, {"REDIS_ENDPOINT": "cache", "REDIS_PASSWORD": secret},
                     {"REDIS_SENTINELS": "a,b:26380", "REDIS_PASSWORD": secret, "REDIS_SENTINEL_PASSWORD": secret}):
        done = run(NOTES_SVC, "--print-config", STATE_DIR=tmp_path, **settings)
        assert done.returncode == 0, done.stderr
        assert secret not in done.stdout and "****" in done.stdout
    for more, name in (({"REDIS_ENDPOINT": "cache"}, "REDIS_ENDPOINT"), ({"REDIS_PASSWORD": secret}, "REDIS_PASSWORD"),
                       ({"REDIS_TIMEOUT_MS": "0"}, "REDIS_TIMEOUT_MS")):
        done = run(NOTES_SVC, "--check-config", STATE_DIR=tmp_path, **where, **more)
        assert_fault(done, name)
        assert secret not in done.stderr
    for settings, name in (({"REDIS_URL": f"rediss://:{secret}@cache"}, "REDIS_URL"), ({"REDIS_PASSWORD": secret}, "REDIS_PASSWORD"),
                           ({"REDIS_URL": f"redis://:{secret}@cache/x"}, "REDIS_URL")):
        done = run(NOTES_SVC, "--check-config", STATE_DIR=tmp_path, **settings)
        assert_fault(done, name)
        assert secret not in done.stderr


@by_name
def test_print_config_with_bad_settings_is_exit_2(program):
    done = run(program, "--print-config", PORT="abc", LOG_FORMAT="xml", LISTEN="300.1.1.1")
    assert_fault(done, "PORT", "LOG_FORMAT", "LISTEN")
    invalid = {line.split()[0] for line in done.stdout.splitlines() if "(invalid)" in line}
    assert invalid == {"PORT", "LOG_FORMAT", "LISTEN"}, "a fallback must not look as if it were in force"


@by_name
def test_empty_setting_counts_as_unset(program, tmp_path):
    done = run(program, "--print-config", STATE_DIR=tmp_path, PORT="", WORKERS="", LOG_LEVEL="", DATABASE_URL="")
    assert done.returncode == 0, done.stderr


def test_print_config_of_the_cli_masks_the_key(tmp_path):
    secret = new_password("masked")
    done = run(USERAUTH_CLI, "--print-config", STATE_DIR=tmp_path, USER_SERVICE_KEY=secret)
    assert done.returncode == 0
    assert secret not in done.stdout and "USER_SERVICE_KEY" in done.stdout and "USER_SERVICE_URL" in done.stdout


@pytest.mark.parametrize("args,url", [
    ([], "http://127.0.0.1:5858"), (["-p", "99"], "http://127.0.0.1:99"), (["-h", "users.example"], "http://users.example:5858"),
    (["-u", "https://users.example/x/"], "https://users.example/x"), (["-h", "::1", "-p", "7"], "http://[::1]:7"),
])
def test_print_config_of_the_cli_shows_the_address_that_is_used(args, url, tmp_path):
    done = run(USERAUTH_CLI, *args, "--print-config", STATE_DIR=tmp_path)
    assert done.returncode == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith("USER_SERVICE_URL"))
    assert row.split()[1] == url


def test_print_config_of_the_cli_with_wrong_addresses_is_exit_2(tmp_path):
    done = run(USERAUTH_CLI, "--print-config", USER_SERVICE_URL="nonsense", STATE_DIR=tmp_path)
    assert_fault(done, "USER_SERVICE_URL")
    assert "(invalid)" in done.stdout
    for option in ("--print-config", "--check-config"):
        done = run(USERAUTH_CLI, "-p", "abc", option, STATE_DIR=tmp_path)
        assert done.returncode == 2 and "--port" in done.stderr and done.stdout == ""


# --- a start that fails ---

@by_name
def test_failed_start_is_told_once_on_a_terminal_and_logged_otherwise(program, tmp_path):
    (tmp_path / "file").write_text("")
    settings = {"STATE_DIR": tmp_path / "file" / "state"}
    done = run(program, **settings)
    assert done.returncode == 1 and "can't start" in done.stderr and "service.start_failed" in done.stdout
    child = pexpect.spawn(str(program), env=clean_env(settings), encoding="utf-8", timeout=20)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    lines = child.before.splitlines()
    assert len(lines) == 1 and lines[0].startswith(f"{program.name}: can't start: "), lines
    child = pexpect.spawn("/bin/sh", ["-c", f"'{program}' 2>/dev/null"], env=clean_env(settings), encoding="utf-8", timeout=20)
    child.expect(pexpect.EOF)
    child.close()
    assert "service.start_failed" in child.before, "standard error goes elsewhere: the log must tell it"


# --- secrets in files ---

@by_name
def test_secret_and_its_file_both_set_is_a_fault(program, tmp_path):
    name, secret = SECRET_SETTING[program.name], new_password()
    path = tmp_path / "secret"
    path.write_text(secret_value(program, secret))
    done = run(program, "--check-config", STATE_DIR=tmp_path, **{name: secret_value(program, secret), name + "_FILE": path})
    lines = fault_lines(done)
    assert any(name in line and name + "_FILE" in line for line in lines), lines
    assert secret not in done.stderr


def secrets_of(program):
    """Every setting that the table calls a secret, and the older names of them."""
    table = run(program, "--print-config").stdout
    names = re.findall(r"\(secret: also as ([A-Z_]+)_FILE\)(?: \(alias ([A-Z_]+)\))?", table)
    return [name for pair in names for name in pair if name]


@by_name
def test_every_secret_may_be_in_a_file_and_not_in_both_places(program, tmp_path):
    path = tmp_path / "secret"
    path.write_text(new_password())
    path.chmod(0o600)
    names = secrets_of(program)
    assert {"DATABASE_URL", "DATABASE_PASSWORD", "SEQUELIZE_DBPASSWD", "FROM_NODE_PASSWORD", SECRET_SETTING[program.name]} <= set(names)
    for name in names:
        missing = run(program, "--check-config", STATE_DIR=tmp_path, **{name + "_FILE": tmp_path / "none"})
        assert any(f"{name}_FILE: " in line and "No such file" in line for line in fault_lines(missing)), name
        both = run(program, "--check-config", STATE_DIR=tmp_path, **{name: "in the environment", name + "_FILE": path})
        assert any(f"{name}_FILE too; set one of them" in line for line in fault_lines(both)), name


@by_name
def test_password_of_the_older_name_may_be_in_a_file(program, tmp_path):
    secret = new_password()
    path = tmp_path / "secret"
    path.write_text(secret + "\n")
    server = {"SEQUELIZE_DBHOST": "db", "SEQUELIZE_DBNAME": "notes", "SEQUELIZE_DBUSER": "app", "SEQUELIZE_DBPASSWD_FILE": path}
    done = run(program, "--print-config", STATE_DIR=tmp_path, **server)
    assert done.returncode == 0, done.stderr
    assert "****" in next(line for line in done.stdout.splitlines() if line.startswith("DATABASE_PASSWORD "))
    assert secret not in done.stdout


def bad_files(folder):
    folder.joinpath("empty").write_bytes(b"")
    folder.joinpath("only-newline").write_bytes(b"\n")
    folder.joinpath("large").write_bytes(b"them:" + b"k" * 5000)
    folder.joinpath("nul").write_bytes(b"them:abcdefghijklmnopqr\0stuvwxyz0123456789")
    folder.joinpath("folder").mkdir()
    return ["missing", "empty", "only-newline", "large", "nul", "folder"]


@by_name
def test_bad_secret_file_is_a_fault(program, tmp_path):
    name = SECRET_SETTING[program.name]
    for kind in bad_files(tmp_path):
        done = run(program, "--check-config", STATE_DIR=tmp_path, **{name + "_FILE": tmp_path / kind})
        lines = fault_lines(done)
        assert any(name in line for line in lines), (kind, lines)
        assert "abcdefghijklmnopqr" not in done.stderr, kind


def test_bad_and_good_secret_files_do_not_hide_other_faults(tmp_path):
    done = run(USERAUTH_SVC, "--check-config", STATE_DIR=tmp_path, API_KEYS_FILE=tmp_path / "missing", PORT="x")
    assert_fault(done, "PORT")
    assert "API_KEYS" in done.stderr


@pytest.mark.parametrize("ending,is_kept", [("", True), ("\n", True), ("\n\n", False), (" ", False)])
def test_key_file_loses_one_newline_and_nothing_else(services, tmp_path, ending, is_kept):
    key = new_password("filekey")
    path = tmp_path / "keys"
    path.write_text(f"them:{key}{ending}")
    service = services.userauth(API_KEYS_FILE=path)
    try:
        service.start()
    except StartFailed as failed:
        assert not is_kept and failed.code == 2
        return
    assert service.api(key=key).get("/list").status_code == (200 if is_kept else 401)


def test_second_line_of_a_key_file_is_not_dropped_in_silence(services, tmp_path):
    """Two keys on two lines: refused, or both valid; never the first one only."""
    first, second = new_password("first"), new_password("second")
    path = tmp_path / "keys"
    path.write_text(f"them:{first}\nother:{second}\n")
    service = services.userauth(API_KEYS_FILE=path)
    try:
        service.start()
    except StartFailed as failed:
        assert failed.code == 2 and "API_KEYS" in failed.stderr
        return
    assert service.api("other", second).get("/list").status_code == 200


def test_notes_takes_its_key_from_a_file(services, tmp_path):
    userauth = services.userauth(tmp_path / "users").start()
    password = new_password()
    userauth.api().create("filed", password)
    path = tmp_path / "key"
    path.write_text(userauth.key + "\n")
    notes = services.notes(userauth, tmp_path / "notes", USER_SERVICE_KEY=None, USER_SERVICE_KEY_FILE=path).start()
    client = Client(notes.url)
    assert client.login("filed", password).headers["Location"] != "login"
    assert client.is_signed_in


# --- keys ---

def test_generated_key_is_private_long_and_kept(services):
    service = services.userauth().start()
    path = service.state_dir / "userauth.key"
    text = path.read_text()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}\n", text)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(service.state_dir.stat().st_mode) == 0o700
    if isinstance(service.database, pathlib.Path):
        assert stat.S_IMODE(service.database.stat().st_mode) == 0o600
    service.restart()
    assert path.read_text() == text
    assert service.api().get("/list").status_code == 200


def test_generated_keys_differ(services, tmp_path):
    keys = [services.userauth(tmp_path / name).start().key for name in ("a", "b")]
    assert keys[0] != keys[1]


def test_keys_of_api_keys_are_all_valid_at_once(services):
    keys = [new_password("key") for _ in range(4)]
    value = f"them:{keys[0]},them:{keys[1]},other:{keys[2]},third:{keys[3]}"
    service = services.userauth(API_KEYS=value).start()
    assert not (service.state_dir / "userauth.key").exists()
    for name, key in (("them", keys[0]), ("them", keys[1]), ("other", keys[2]), ("third", keys[3])):
        assert service.api(name, key).get("/list").status_code == 200
    for name, key in (("them", keys[2]), ("other", keys[0]), ("third", keys[2]), ("nobody", keys[0]), ("", keys[0])):
        assert service.api(name, key).get("/list").status_code == 401


def test_rotation_of_a_key(services):
    old, new = new_password("old"), new_password("new")
    service = services.userauth(API_KEYS=f"them:{old}").start()
    assert service.api(key=old).get("/list").status_code == 200
    service.restart(API_KEYS=f"them:{old},them:{new}")
    assert [service.api(key=key).get("/list").status_code for key in (old, new)] == [200, 200]
    service.restart(API_KEYS=f"them:{new}")
    assert [service.api(key=key).get("/list").status_code for key in (old, new)] == [401, 200]


def test_key_with_colons_is_a_key(services):
    key = new_password("a:b:") + ":c"
    service = services.userauth(API_KEYS=f"them:{key}").start()
    assert service.api(key=key).get("/list").status_code == 200


def test_broken_generated_key_file_is_refused(services, tmp_path):
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    (folder / "userauth.key").write_text("")
    service = services.userauth(folder)
    with pytest.raises(StartFailed) as failed:
        service.start()
    assert failed.value.code in (1, 2)
    assert "userauth.key" in failed.value.stderr


# --- older names and places ---

def answers(url):
    try:
        return Api(url).get("/healthz").status_code == 200
    except requests.RequestException:
        return False


def test_rest_listen_is_an_alias_of_listen(services):
    service = services.userauth(LISTEN=None, REST_LISTEN="127.0.0.7").spawn()
    until(lambda: answers(f"http://127.0.0.7:{service.port}"), "answers on 127.0.0.7", 40)
    with pytest.raises(requests.RequestException):
        Api(service.url).get("/healthz")


def test_listens_on_ipv6(services):
    service = services.userauth(LISTEN="::1").spawn()
    until(lambda: answers(f"http://[::1]:{service.port}"), "answers on ::1", 40)


@pytest.mark.sqlite_only(reason="is about the file")
def test_database_url_says_where_the_file_is(services, tmp_path):
    path = tmp_path / "elsewhere.sqlite"
    service = services.userauth(DATABASE_URL=f"sqlite:{path}").start()
    service.api().create("placed", new_password())
    service.stop()
    assert path.exists() and not service.database.exists()
    service.start()
    assert service.api().get("/find/placed").status_code == 200


def test_relative_state_dir_and_default_need_no_home(tmp_path):
    done = run("/usr/bin/env", "-C", tmp_path, USERAUTH_SVC, "--check-config", HOME=None)
    assert done.returncode == 0, done.stderr


def test_no_program_prints_a_default_secret():
    for program in ALL:
        text = run(program, "--print-config").stdout
        assert not re.search(r"D4ED43C0|w0rd|changeme", text, re.I)


def test_the_key_that_a_service_makes_itself_is_told_once(services):
    service = services.userauth().start()
    line = service.wait_log(event="key.created")
    assert (line["level"], line["name"], line["path"]) == ("info", "them", str(service.state_dir / "userauth.key"))
    service.restart()
    service.stop()  # so all is there
    assert len(service.log_lines(event="key.created")) == 1
    assert service.key not in service.stdout_text()


def test_short_api_key_works_and_is_warned_of(services):
    """A deployment of the Node version may have one: it must start, and somebody should notice."""
    service = services.userauth(API_KEYS="them:short-one").start()
    assert service.api("them", "short-one").get("/list").status_code == 200
    service.stop()  # so all is there
    warned = [line for line in service.log_lines() if line["event"] == "key.is_short"]
    assert [(line["level"], line["name"]) for line in warned] == [("warn", "them")]
    assert "short-one" not in str(service.log_lines())
