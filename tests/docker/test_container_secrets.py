# SPDX-License-Identifier: MIT
"""Containers with secrets that are missing, empty or wrong: the log says which one it is, and no secret is ever shown."""
import contextlib
import shutil

import pytest

from harness import docker, programs
from harness.client import Client
from harness.deployment import Deployment
from harness.wait import until
from notes_verbs import error_page

NAMES = ("db_userauth_password", "db_userauth_root_password", "db_notes_password", "db_notes_root_password", "redis_password",
         "userauth_api_keys", "userauth_key")
READ_BY = [
    ("db-userauth", "db_userauth_password"), ("db-userauth", "db_userauth_root_password"),
    ("svc-userauth", "db_userauth_password"), ("svc-userauth", "userauth_api_keys"),
    ("db-notes", "db_notes_password"), ("db-notes", "db_notes_root_password"),
    ("redis", "redis_password"),
    ("svc-notes", "db_notes_password"), ("svc-notes", "redis_password"), ("svc-notes", "userauth_key"),
]
IDS = [f"{service}-{secret}" for service, secret in READ_BY]
WRONG = "wrong-but-well-formed-secret"


def remember_secrets(site):
    """From now on they are looked for in everything."""
    for name in NAMES:
        for part in site.secret(name).split(":"):
            if len(part) >= 8:
                programs.remember_secret(part)
    programs.remember_secret(WRONG)


@pytest.fixture(scope="module")
def site(deployment):
    """The running site."""
    remember_secrets(deployment)
    return deployment


@pytest.fixture
def change_secret(tmp_path):
    """change_secret(site, name, text) -> a folder with the site's secrets but this one; None: there is no such file."""
    def change(site, name, text):
        folder = tmp_path / "changed"
        shutil.copytree(site.secrets, folder)
        (folder / name).unlink()
        if text is not None:
            (folder / name).write_text(text)
            (folder / name).chmod(0o444)
        return folder

    return change


@pytest.fixture(scope="module")
def empty_site(engine, site_images, tmp_path_factory):
    """A deployment of which nothing runs: its volumes are new ones."""
    with Deployment(engine, tmp_path_factory.mktemp("empty"), **site_images) as empty:
        remember_secrets(empty)
        yield empty


def run_once(site, folder, service, *words):
    """A container of the service beside those that run, with secrets of that folder; CompletedProcess at its end."""
    before = site.settings["SECRETS_DIR"]
    site.settings["SECRETS_DIR"] = str(folder)
    try:
        return site.compose_run("run", "--rm", "--no-deps", "-T", *words, service)
    finally:
        site.settings["SECRETS_DIR"] = before


def refusal(done):
    """What a container said that has ended with an error, without compose's own messages."""
    said = done.stdout + done.stderr
    assert done.returncode not in (0, None), said
    programs.assert_no_secret(said)
    return "\n".join(line for line in said.splitlines() if not line.endswith(("Creating", "Created")))


@pytest.mark.parametrize("service, secret", READ_BY, ids=IDS)
def test_an_empty_secret_stops_the_start_and_is_named(empty_site, change_secret, service, secret):
    said = refusal(run_once(empty_site, change_secret(empty_site, secret, ""), service))
    assert f"/run/secrets/{secret}" in said and "is empty" in said


@pytest.mark.parametrize("service, secret", {pair[0]: pair for pair in READ_BY}.values(), ids=dict(READ_BY))
def test_a_missing_secret_stops_the_start_and_is_named(empty_site, change_secret, service, secret):
    """The engine says so, which has nothing to mount."""
    folder = change_secret(empty_site, secret, None)
    assert str(folder / secret) in refusal(run_once(empty_site, folder, service))
    assert not [one for one in empty_site.containers(service) if one.is_running]


@pytest.mark.parametrize("service, secret, text, says", [
    ("svc-userauth", "userauth_api_keys", "a-key-without-a-name", "API_KEYS: entry 1: it is not NAME:KEY"),
    ("redis", "redis_password", "a password > +@all", "/run/secrets/redis_password is not one of letters, digits"),
    ("svc-notes", "userauth_key", "the-first-of-two\nthe-second-of-two", "USER_SERVICE_KEY_FILE"),
], ids=lambda value: value if "-" in value or "_" in value else "")
def test_a_malformed_secret_stops_the_start_and_is_named(empty_site, change_secret, service, secret, text, says):
    for line in text.splitlines():
        programs.remember_secret(line)
    assert says in refusal(run_once(empty_site, change_secret(empty_site, secret, text + "\n"), service))


@contextlib.contextmanager
def one_more(site, folder, service):
    """A container of the service that stays, with secrets of that folder."""
    name = f"{site.name}-one-more-{service}"
    done = run_once(site, folder, service, "--detach", "--name", name)
    assert done.returncode == 0, done
    one = docker.Container(site.engine, name)
    try:
        yield one
        programs.assert_no_secret(one.logs() + str(one.inspect()))
    finally:
        site.engine.docker("rm", "--force", name)


def is_ready(one, program):
    return one.exec_run(program, "--healthcheck").returncode == 0


@pytest.mark.parametrize("service, program, secret", [
    ("svc-userauth", "userauth-svc", "db_userauth_password"), ("svc-notes", "notes-svc", "db_notes_password")])
def test_a_wrong_password_of_a_database_is_told_and_the_service_is_never_ready(site, change_secret, service, program, secret):
    with one_more(site, change_secret(site, secret, WRONG + "\n"), service) as one:
        lines = until(lambda: [line for line in one.log_lines(event="service.waiting") if "denied" in line["why"].lower()],
                      "the reason in the log", 60)
        assert lines[0]["level"] == "error"
        assert not is_ready(one, program)


def test_a_wrong_password_of_redis_is_told_and_nobody_signs_in(site, change_secret):
    """Notes can be read, as whenever Redis is away."""
    site.sign_in("me")
    with one_more(site, change_secret(site, "redis_password", WRONG + "\n"), "svc-notes") as one:
        line = until(lambda: one.log_lines(event="redis.lost"), "the reason in the log", 60)[0]
        assert "password" in line["why"].lower() and line["level"] == "error"
        client = Client(f"http://{one.address('edgenet')}:3000")
        until(lambda: is_ready(one, "notes-svc"), "it is ready", 60)
        assert client.get("/").status_code == 200
        error_page(client.login("me", site.passwords["me"]), 503)


def test_a_wrong_key_of_the_user_service_is_told_and_nobody_signs_in(site, change_secret):
    site.sign_in("me")
    with one_more(site, change_secret(site, "userauth_key", WRONG + "\n"), "svc-notes") as one:
        until(lambda: is_ready(one, "notes-svc"), "it is ready", 60)
        client = Client(f"http://{one.address('edgenet')}:3000")
        assert client.login("me", site.passwords["me"]).status_code == 503
        lines = until(lambda: [line for line in one.log_lines() if "key" in line.get("why", "")], "the reason in the log")
        assert lines[0]["level"] in ("warn", "error"), lines


def test_no_secret_is_in_any_log_environment_or_command_line(site):
    shown = site.logs() + str([one.inspect() for one in site.containers()])
    for one in site.containers():
        shown += site.engine.docker("top", one.id, "-eo", "pid,args")
    assert "notes-svc" in shown and "mysqld" in shown or "mariadbd" in shown
    programs.assert_no_secret(shown)
