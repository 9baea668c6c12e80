# SPDX-License-Identifier: MIT
"""`./dev up`, `down`, `backup` and `restore` on a deployment of this module's own."""
import gzip
import os
import re
import shutil
import signal
import stat
import subprocess

import pytest

from harness import programs
from harness.client import Client
from harness.deployment import Deployment
from harness.docker import CommandFailed
from harness.wait import until

NAME = "alice"


@pytest.fixture(scope="module")
def site(engine, images, tmp_path_factory):
    with Deployment(engine, tmp_path_factory.mktemp("dev-up"), **images) as site:
        site.told = site.dev("up")
        yield site


def refusal(site, *command):
    with pytest.raises(CommandFailed) as failed:
        site.dev(*map(str, command))
    assert failed.value.code == 1
    return failed.value.stderr


def sign_in(site):
    client = Client(site.url)
    answer = client.login(NAME, site.passwords[NAME])
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    return client


def save(client, key, title):
    answer = client.post("/notes/save", {"docreate": "create", "notekey": key, "title": title, "body": "B"})
    assert answer.status_code == 302, answer.text


def titles(site):
    return re.findall(r'<a href="/notes/view\?key=[^"]*"[^>]*>([^<]*)</a>', Client(site.url).get("/").text)


def users(site):
    return [user["username"] for user in site.cli("list-users")]


# In the order of a deployment's life; each says itself what it needs.


def test_the_first_start_says_the_address_and_how_to_make_a_user(site):
    assert f"http://localhost:{site.port}/" in site.told
    command = re.search(r"First user +(docker compose .*) userauth-cli add NAME", site.told)[1]
    assert command == "docker compose -f docker/compose.yaml exec svc-userauth"
    assert Client(site.url).get("/").status_code == 200, "it is there when the address is printed"


def test_once_there_is_a_user_nobody_is_asked_for_one_and_down_and_up_keep_all(site):
    if NAME not in users(site):
        site.add_user(NAME)
    client = sign_in(site)
    save(client, "kept", "Kept over down and up")
    site.dev("down")
    assert site.containers() == []
    assert site.engine.names("network", f"label=com.docker.compose.project={site.name}") == []
    assert "First user" not in site.dev("up")
    assert "Kept over down and up" in titles(site)
    assert client.get("/notes/add").status_code == 200, "Redis keeps who was signed in"


def test_up_keeps_the_number_of_replicas_and_changes_it_when_asked(site):
    site.dev("up", "--replicas", "2")
    assert len(site.wait_healthy("svc-notes", 2)) == 2
    site.dev("up")
    assert len(site.wait_healthy("svc-notes", 2)) == 2
    site.dev("up", "--replicas", "1")
    assert len(site.wait_healthy("svc-notes", 1)) == 1


def test_the_address_is_the_one_that_browsers_are_to_use(site):
    """At http://localhost forms would be refused then."""
    site.settings["PUBLIC_URL"] = "https://notes.example.org"
    try:
        told = site.dev("up")
    finally:
        del site.settings["PUBLIC_URL"]
    assert f"Notes is at   https://notes.example.org/   (port {site.port} of this machine)\n" in told and "localhost" not in told
    assert f"Notes is at   http://localhost:{site.port}/\n" in site.dev("up")


def test_a_backup_brings_back_what_was_there_and_the_services_notice(site, tmp_path):
    if NAME not in users(site):
        site.add_user(NAME)
    client = sign_in(site)
    save(client, "before", "Before the backup")
    site.dev("backup", tmp_path / "b")
    save(client, "after", "After the backup")
    site.add_user("late")
    started = {one.id: one.inspect()["State"]["StartedAt"] for one in site.containers()}
    site.dev("restore", tmp_path / "b", "--yes")
    until(lambda: "After the backup" not in titles(site), "the pages show what was restored")
    assert "Before the backup" in titles(site)
    assert users(site) == [NAME]
    assert client.get("/notes/add").status_code == 200, "who was signed in still is"
    assert {one.id: one.inspect()["State"]["StartedAt"] for one in site.containers()} == started, "nothing was restarted"


def test_a_backup_is_its_owners_only_and_holds_no_secret_of_the_deployment(site, tmp_path):
    site.dev("backup", tmp_path / "b")
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o700
    assert {path.name for path in (tmp_path / "b").iterdir()} == {"SHA256SUMS", "db-notes.sql.gz", "db-userauth.sql.gz"}
    text = b"".join(gzip.decompress(path.read_bytes()) for path in (tmp_path / "b").glob("*.gz"))
    assert b"CREATE TABLE" in text
    assert not [path.name for path in site.secrets.iterdir() if path.read_bytes().strip() in text]


def test_a_backup_never_takes_the_place_of_what_is_there(site, tmp_path):
    assert "exists" in refusal(site, "backup", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_replacing_data_is_only_done_when_it_is_meant(site, tmp_path):
    site.dev("backup", tmp_path / "b")
    before = titles(site), users(site)
    if before == ([], []):
        site.add_user(NAME)
        before = titles(site), users(site)
    assert "add --yes" in refusal(site, "restore", tmp_path / "b")
    assert (titles(site), users(site)) == before


@pytest.mark.parametrize("is_known", [False, True], ids=["with the old sums", "with its own sums"])
def test_a_damaged_backup_changes_nothing(site, tmp_path, is_known):
    """The sums find it; and if somebody made new ones, the database does, before anything live is touched."""
    site.dev("backup", tmp_path / "b")
    before = titles(site), users(site)
    file = tmp_path / "b" / "db-notes.sql.gz"
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()) + b"\nINSERT INTO no_such_table VALUES (1);\n"))
    if is_known:
        sums = subprocess.run(["sha256sum", "db-notes.sql.gz", "db-userauth.sql.gz"], cwd=tmp_path / "b", capture_output=True, text=True, check=True)
        (tmp_path / "b" / "SHA256SUMS").write_text(sums.stdout)
    assert "nothing was changed" in refusal(site, "restore", tmp_path / "b", "--yes")
    assert (titles(site), users(site)) == before
    for service in ("db-notes", "db-userauth"):
        left = [name for name in databases(site, service) if name.endswith(("_loaded", "_former"))]
        assert left == [], "what was loaded is forgotten"


def databases(site, service):
    script = """printf '[client]\\nuser=root\\npassword=%s\\n' "$(cat "$MYSQL_ROOT_PASSWORD_FILE")" |
        "$(command -v mysql || command -v mariadb)" --defaults-extra-file=/dev/stdin --socket=/tmp/mysql.sock -N -e 'SHOW DATABASES'"""
    return site.one(service).exec("sh", "-c", script).split()


def test_an_interrupted_backup_leaves_nothing(site, tmp_path):
    """Stopped for certain in the midst of a dump: the docker that ./dev finds first stands still there."""
    tools, reached = tmp_path / "tools", tmp_path / "reached"
    tools.mkdir()
    (tools / "docker").write_text(f'#!/bin/bash\ncase "$*" in *" dump") echo "-- half a dump"; : >{reached}; sleep 60; exit 1 ;; esac\n'
                                  f'exec {shutil.which("docker")} "$@"\n')
    (tools / "docker").chmod(0o755)
    settings = {**os.environ, **site.engine.settings, **site.settings, "PATH": f"{tools}:{os.environ['PATH']}"}
    run = subprocess.Popen(["./dev", "backup", str(tmp_path / "b")], cwd=programs.ROOT, env=settings, start_new_session=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(reached.exists, "the dump has begun")
    os.killpg(run.pid, signal.SIGINT)
    assert run.wait(60) != 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reached", "tools"]


def test_no_password_is_on_a_command_line_or_in_an_environment_during_a_backup(site, tmp_path):
    """What every process of the database's container shows of itself while a dump runs: into a pipe that is full, which nobody
    reads until it was looked at."""
    one = site.one("db-notes")
    script = "exec 3<&0; (head -c 65536 /dev/zero; /bin/sh /etc/notes/database.sh dump) | (read -r _ <&3; cat >/dev/null)"
    dump = subprocess.Popen(["docker", "exec", "--interactive", one.id, "/bin/sh", "-c", script],
                            env={**os.environ, **site.engine.settings}, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    show = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'"
    seen = until(lambda: text if "--single-transaction" in (text := one.exec("sh", "-c", show + " || true")) else None, "a dump runs")
    dump.communicate(b"\n", timeout=60)
    assert dump.returncode == 0
    for name in ("db_notes_password", "db_notes_root_password"):
        assert site.secret(name) not in seen


def test_a_lost_password_of_a_database_with_data_is_not_made_anew(site):
    path = site.secrets / "db_notes_password"
    text = path.read_text()
    path.unlink()
    try:
        assert "db-notes has data that were made with it" in refusal(site, "up")
        assert not path.exists()
    finally:
        path.write_text(text)
        path.chmod(0o444)
