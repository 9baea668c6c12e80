# SPDX-License-Identifier: MIT
"""What `./dev up` does before it starts anything: is Docker there, are the secrets right?"""
import os
import pathlib
import shutil
import stat
import subprocess

import pytest

from harness import programs

PASSWORDS = {"db_userauth_password", "db_userauth_root_password", "db_notes_password", "db_notes_root_password", "redis_password"}
ALL = PASSWORDS | {"userauth_key", "userauth_api_keys"}


@pytest.fixture
def dev(engine, tmp_path):
    """./dev up --only-secrets with secrets in tmp_path/secrets; CompletedProcess."""
    def run(*words, **environment):
        settings = {**os.environ, **engine.settings, "COMPOSE_PROJECT_NAME": "notes-test-no-such-project",
                    "SECRETS_DIR": str(tmp_path / "secrets"), "OWN_FILE": os.devnull, **environment}
        done = subprocess.run(["./dev", *(words or ("up", "--only-secrets"))], cwd=programs.ROOT, env=settings, capture_output=True,
                              text=True, check=False, timeout=120)
        for path in filter(pathlib.Path.is_file, (tmp_path / "secrets").glob("*")):
            text = path.read_text().strip()
            assert len(text) < 16 or text not in done.stdout + done.stderr, f"{path.name} was printed"
        return done

    run.secrets = tmp_path / "secrets"
    return run


def replace(path, text):
    """As somebody with an editor: the files are not writable."""
    path.unlink()
    path.write_text(text)


def refusal(done):
    assert (done.returncode, done.stdout) == (1, ""), done
    return done.stderr


def test_missing_secrets_are_made_random_and_only_others_of_the_machine_are_kept_out(dev):
    done = dev()
    assert (done.returncode, done.stdout) == (0, f"The secrets are in {dev.secrets}\n"), done.stderr
    assert {path.name for path in dev.secrets.iterdir()} == ALL
    assert stat.S_IMODE(dev.secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in dev.secrets.iterdir()} == {0o444}
    texts = {path.name: path.read_text() for path in dev.secrets.iterdir()}
    assert texts.pop("userauth_api_keys") == "them:" + texts["userauth_key"]
    assert len(set(texts.values())) == len(texts), "each has its own"
    assert all(len(text) == 44 and text.endswith("\n") for text in texts.values()), "32 bytes as base64url"


def test_secrets_that_are_there_are_never_written_again(dev):
    dev()
    before = {path: (path.read_text(), path.stat().st_mtime_ns) for path in dev.secrets.iterdir()}
    (dev.secrets / "redis_password").unlink()
    assert dev().returncode == 0
    changed = {path.name for path, was in before.items() if (path.read_text(), path.stat().st_mtime_ns) != was}
    assert changed == {"redis_password"}


def test_two_deployments_have_different_secrets(dev, tmp_path):
    dev()
    dev(SECRETS_DIR=str(tmp_path / "others"))
    for name in sorted(ALL):
        assert (dev.secrets / name).read_text() != (tmp_path / "others" / name).read_text(), name


@pytest.mark.parametrize("text, said", [
    ("", "is empty"), ("\n", "is not one line of 16 or more"), ("short\n", "is not one line of 16 or more"),
    ("with a space in it\n", "is not one line of 16 or more"), ("sixteen_letters_1\nsixteen_letters_2\n", "is not one line of 16 or more"),
    ('quotes"in"the"middle\n', "is not one line of 16 or more"),
], ids=["nothing", "empty line", "short", "space", "two lines", "quotes"])
@pytest.mark.parametrize("name", ["db_notes_password", "redis_password"])
def test_a_password_that_can_not_be_used_is_said_by_its_file(dev, name, text, said):
    dev()
    replace(dev.secrets / name, text)
    assert f"{dev.secrets / name} {said}" in refusal(dev())


def test_a_key_that_the_user_service_does_not_know_is_said(dev):
    dev()
    replace(dev.secrets / "userauth_api_keys", "them:another-key-than-that-of-the-pages\n")
    assert "does not have the entry them:KEY" in refusal(dev())


def test_several_keys_are_allowed_while_one_is_replaced(dev):
    dev()
    key = (dev.secrets / "userauth_key").read_text().strip()
    replace(dev.secrets / "userauth_api_keys", f"them:the-key-before-this-one,them:{key}\n")
    assert dev().returncode == 0


def test_a_folder_in_the_place_of_a_secret_is_said(dev):
    """Older engines make one there when the file is missing."""
    dev()
    (dev.secrets / "redis_password").unlink()
    (dev.secrets / "redis_password").mkdir()
    assert "redis_password is no file" in refusal(dev())


def test_a_folder_of_secrets_is_named_from_the_root_on(dev):
    assert "SECRETS_DIR is no path from / on: some/where" in refusal(dev(SECRETS_DIR="some/where"))


@pytest.mark.parametrize("subnet, said", [
    ("banana", "is no IPv4 network such as 10.213.80.0/24: banana"), ("10.1.2.0", "is no IPv4 network"), ("fd00::/64", "is no IPv4 network"),
    ("10.1.2.300/24", "300 is too large"), ("10.1.2.1/24", "is an address in a network"), ("10.1.2.0/33", "from 8 to 29"), ("10.1.2.0/08", "is no IPv4 network"),
])
def test_a_subnet_that_is_no_network_is_said_before_anything_is_done(dev, subnet, said):
    assert said in refusal(dev(EDGENET_SUBNET=subnet))
    assert not dev.secrets.exists()
    assert dev(EDGENET_SUBNET="10.1.2.128/25").returncode == 0


def test_a_compose_file_of_ones_own_has_the_last_word(dev, tmp_path):
    """Seen in the folder of secrets, which is a path of the configuration."""
    own = tmp_path / "own.yaml"
    own.write_text(f"secrets:\n  userauth_key: {{file: {tmp_path}/own-secrets/userauth_key}}\n")
    done = dev(OWN_FILE=str(own))
    assert (done.returncode, done.stdout) == (0, f"The secrets are in {tmp_path}/own-secrets\n"), done.stderr
    own.write_text("services: nonsense\n")
    assert "not valid" in refusal(dev(OWN_FILE=str(own)))
    own.unlink()
    assert f"there is no file {own}" in refusal(dev(OWN_FILE=str(own)))


# ---- is Docker there? ----


@pytest.fixture
def tools(tmp_path):
    """A folder of programs with all that ./dev needs but docker, which a test may put there as a script."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("bash", "dirname", "env", "sed"):
        (folder / name).symlink_to(shutil.which(name))

    def put(script):
        path = folder / "docker"
        path.write_text("#!/bin/bash\n" + script)
        path.chmod(0o755)

    return folder, put


@pytest.mark.parametrize("command", [("up",), ("down",), ("backup", "somewhere-new")])
def test_without_docker_it_is_said_how_to_get_it(dev, tools, command):
    said = refusal(dev(*command, PATH=str(tools[0])))
    assert "Docker is not here" in said and "docker.io" in said


def test_an_engine_that_can_not_be_reached_is_told_from_a_missing_one(dev, tools):
    folder, put = tools
    put("echo 'Cannot connect to the Docker daemon. Is it running?' >&2; exit 1\n")
    said = refusal(dev("up", PATH=str(folder)))
    assert "the Docker engine can't be reached: Cannot connect to the Docker daemon." in said


@pytest.mark.parametrize("version, said", [("exit 1", "docker compose is not here"), ("echo 1.29.2", "docker compose 1.29.2 is too old")])
def test_without_compose_2_it_is_said(dev, tools, version, said):
    folder, put = tools
    put(f'[ "$1" = compose ] || exit 0\n{version}\n')
    assert said in refusal(dev("up", PATH=str(folder)))


@pytest.mark.parametrize("words, said", [
    (("up", "--replicas", "0"), "--replicas needs a number from 1 to 20"), (("up", "--replicas", "21"), "--replicas needs a number from 1 to 20"),
    (("up", "--replicas"), "--replicas needs a number"), (("up", "--wrong"), "up does not know --wrong"), (("down", "now"), "down takes no arguments"),
    (("backup",), "usage: ./dev backup DIR"), (("restore",), "usage: ./dev restore DIR"), (("restore", "a", "b"), "usage: ./dev restore DIR"),
    (("restore", "/nowhere"), "/nowhere is no backup"),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_wrong_usage_is_answered_before_anything_is_done(dev, words, said):
    done = dev(*words)
    assert done.returncode == 1 and said in done.stderr
    assert not dev.secrets.exists()


def test_each_option_of_up_is_in_its_help(dev):
    done = dev("up", "--help")
    assert done.returncode == 0
    assert all(option in done.stdout for option in ("--replicas", "--tls", "--dev", "--only-secrets", "HTTP_PORT", "PUBLIC_URL"))
