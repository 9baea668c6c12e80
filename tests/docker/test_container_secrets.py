# SPDX-License-Identifier: MIT
"""Containers with secrets that are missing, empty or wrong: nothing starts to work with them, the log says which one it is, and no secret
is ever shown."""
import shutil

import pytest

from harness import docker, programs
from harness.deployment import Deployment
from harness.wait import until

NAMES = ("db_userauth_password", "db_userauth_root_password", "db_notes_password", "db_notes_root_password", "redis_password",
         "userauth_api_keys", "userauth_key")
READ_BY = [
    ("db-userauth", "db_userauth_password"), ("db-userauth", "db_userauth_root_password"),
    ("svc-userauth", "db_userauth_password"), ("svc-userauth", "userauth_api_keys"),
    ("db-notes", "db_notes_password"), ("db-notes", "db_notes_root_password"),
    ("redis", "redis_password"),
    ("svc-notes", "db_notes_password"), ("svc-notes", "redis_password"), ("svc-notes", "userauth_key"),
]
WRONG = "wrong-but-well-formed-secret"


@pytest.fixture(scope="module")
def site(deployment):
    """The running site, whose secrets are from now on looked for in everything."""
    for name in NAMES:
        for part in deployment.secret(name).split(":"):
            if len(part) >= 8:
                programs.remember_secret(part)
    programs.remember_secret(WRONG)
    return deployment


@pytest.fixture
def change_secret(site, tmp_path):
    """change_secret(name, text) -> environment of a site that has this text for the secret; None: there is no such file."""
    folder = tmp_path / "secrets"
    shutil.copytree(site.secrets, folder)

    def change(name, text):
        file = folder / name
        file.unlink()
        if text is not None:
            file.write_text(text)
            file.chmod(0o444)
        return folder

    return change


@pytest.fixture
def empty_site(engine, site_images, tmp_path):
    """A deployment of which nothing runs: its volumes are new ones."""
    with Deployment(engine, tmp_path, **site_images) as empty:
        yield empty


def run_once(site, folder, service, *words):
    """A container of the service beside the one that runs, with secrets of that folder; CompletedProcess at its end."""
    before = site.settings["SECRETS_DIR"]
    site.settings["SECRETS_DIR"] = str(folder)
    try:
        return site.compose_run("run", "--rm", "--no-deps", "-T", *words, service)
    finally:
        site.settings["SECRETS_DIR"] = before


@pytest.mark.parametrize("service, secret", READ_BY, ids=[f"{service}-{secret}" for service, secret in READ_BY])
def test_an_empty_secret_stops_the_start_and_is_named(empty_site, service, secret):
    for name in NAMES:
        empty_site.secret(name) if name != "userauth_api_keys" else None
    file = empty_site.secrets / secret
    file.unlink()
    file.write_text("")
    file.chmod(0o444)
    done = run_once(empty_site, empty_site.secrets, service)
    said = done.stdout + done.stderr
    print(said[-400:])
    assert done.returncode not in (0, None), said
    assert secret in said and "empty" in said or "no password" in said, said
    programs.assert_no_secret(said)


@pytest.mark.parametrize("service, secret", READ_BY, ids=[f"{service}-{secret}" for service, secret in READ_BY])
def test_a_missing_secret_stops_the_start_and_is_named(empty_site, service, secret):
    (empty_site.secrets / secret).unlink()
    done = run_once(empty_site, empty_site.secrets, service)
    said = done.stdout + done.stderr
    assert done.returncode not in (0, None) and secret in said, said
    assert not [one for one in empty_site.containers(service) if one.is_running]


@pytest.mark.parametrize("service, secret, text", [
    ("svc-userauth", "userauth_api_keys", "a-key-without-a-name"),
    ("redis", "redis_password", "a password > +@all"),
])
def test_a_malformed_secret_stops_the_start_and_is_named(site, change_secret, service, secret, text):
    programs.remember_secret(text)
    done = run_once(site, change_secret(secret, text + "\n"), service)
    said = done.stdout + done.stderr
    print(said[-400:])
    assert done.returncode not in (0, None), said
    assert secret in said or secret.removeprefix("userauth_").upper() in said, said
    programs.assert_no_secret(said)


@pytest.mark.parametrize("service, secret, event, says", [
    ("svc-userauth", "db_userauth_password", "service.waiting", "denied"),
    ("svc-notes", "db_notes_password", "service.waiting", "denied"),
    ("svc-notes", "redis_password", "redis.lost", "password"),
])
def test_a_wrong_password_is_told_in_the_log_and_the_service_is_not_ready(site, change_secret, service, secret, event, says):
    folder = change_secret(secret, WRONG + "\n")
    name = f"{site.name}-wrong-{service}"
    done = run_once(site, folder, service, "--detach", "--name", name)
    assert done.returncode == 0, done
    one = docker.Container(site.engine, name)
    try:
        lines = until(lambda: one.log_lines(event=event), f"{event} in the log", 60)
        print(lines[0])
        assert says in lines[0]["why"].lower(), lines
        assert one.exec_run(service_program(service), "--healthcheck").returncode != 0
        programs.assert_no_secret(one.logs() + str(one.inspect()))
    finally:
        site.engine.docker("rm", "--force", name)


def service_program(service):
    return {"svc-notes": "notes-svc", "svc-userauth": "userauth-svc"}[service]


def test_no_secret_is_in_any_log_environment_or_command_line(site):
    shown = site.logs() + str([one.inspect() for one in site.containers()])
    for one in site.containers():
        shown += site.engine.docker("top", one.id, "-eo", "args")
    assert site.name in shown
    programs.assert_no_secret(shown)
