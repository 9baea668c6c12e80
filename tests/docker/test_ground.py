# SPDX-License-Identifier: MIT
"""The test ground itself: images that stand in for the public ones, and what the tests learn of containers."""
import os
import subprocess
import sys

import pytest
import requests

from harness import docker, programs
from harness.ports import free_port
from harness.wait import until

HAPROXY_CFG = """
defaults
    mode http
    timeout connect 2s
    timeout client 5s
    timeout server 5s
frontend pages
    bind :80
    http-request return status 200 content-type text/plain string "from the edge"
"""


@pytest.fixture(scope="module")
def ground(engine, images, tmp_path_factory):
    """ground.yaml, up: database, redis, between, outside."""
    folder = tmp_path_factory.mktemp("ground")
    folder.chmod(0o755)
    texts = {"password": programs.new_password("user"), "root_password": programs.new_password("root"), "haproxy.cfg": HAPROXY_CFG,
             "mysql.cnf": "[mysqld]\nmax_connections = 77\n"}
    for name, text in texts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o444)
    port = free_port()
    with docker.Project(engine, "tests/docker/ground.yaml", CONFIG_DIR=folder, HTTP_PORT=port, **images) as project:
        project.port, project.texts = port, texts
        project.up()
        for service in ("database", "redis", "between", "outside"):
            project.wait_healthy(service)
        yield project


def sql(ground, statement, user="notes", password="password", *options):
    """What a client inside the database's container gets for a statement, as rows of texts."""
    database = ground.one("database")
    client = "mariadb" if database.exec_run("mariadb", "--version").returncode == 0 else "mysql"
    out = database.exec("sh", "-c", f'MYSQL_PWD=$(cat /run/secrets/{password}) exec {client} "$@"', "sh", f"--user={user}", "--batch",
                        "--skip-column-names", *(options or ["--host=127.0.0.1"]), f"--execute={statement}")
    return [line.split("\t") for line in out.splitlines()]


# --- places ---

def test_two_places_have_neither_name_nor_subnet_in_common():
    first, second = docker.Place(), docker.Place()
    try:
        assert first.name != second.name and first.subnet != second.subnet
    finally:
        first.close()
        second.close()


def test_a_place_is_another_processes_too_only_when_it_is_given_back():
    code = "from harness import docker; print(docker.Place().name)"
    mine = docker.Place()
    try:
        theirs = subprocess.run([sys.executable, "-c", code], cwd=programs.ROOT / "tests", check=True, capture_output=True, text=True).stdout
        assert theirs.strip() != mine.name
    finally:
        mine.close()


# --- the images ---

def test_the_database_has_the_account_and_the_database_that_were_asked_for(ground):
    assert sql(ground, "SELECT DATABASE(), CURRENT_USER()", "notes", "password", "--host=127.0.0.1", "--database=notes_test") == [
        ["notes_test", "notes@%"]]
    sql(ground, "CREATE TABLE notes_test.t (a INT); DROP TABLE notes_test.t")


def test_the_account_has_no_right_to_other_databases(ground):
    with pytest.raises(docker.CommandFailed, match="denied"):
        sql(ground, "CREATE DATABASE notesXtest")  # "_" in a grant stands for any character unless it is escaped


def test_root_of_the_database_is_let_in_from_inside_only(ground):
    assert sql(ground, "SELECT host FROM mysql.user WHERE user = 'root'", "root", "root_password", "--socket=/tmp/mysql.sock") == [["localhost"]]


def test_the_database_reads_the_settings_in_its_folder(ground):
    assert sql(ground, "SELECT @@max_connections, @@skip_name_resolve, @@socket") == [["77", "1", "/tmp/mysql.sock"]]


def test_no_password_is_in_the_logs_or_in_the_environment(ground):
    shown = ground.logs() + str([one.inspect() for one in ground.containers()])
    shown += ground.one("database").exec("sh", "-c", "tr '\\0' '\\n' </proc/1/environ")
    programs.assert_no_secret(shown)
    assert "setting up /var/lib/mysql" in shown


def test_the_data_of_the_database_survive_its_container(ground):
    sql(ground, "CREATE TABLE notes_test.kept AS SELECT 42 AS a")
    before = ground.one("database")
    assert before.stop() == 0
    ground.compose("rm", "--force", "database")
    ground.up("database")
    ground.wait_healthy("database")
    assert ground.one("database").id != before.id
    assert sql(ground, "SELECT a FROM notes_test.kept") == [["42"]]


@pytest.mark.parametrize("service, user", [("database", "999:999"), ("redis", "999:999"), ("between", "99:99")])
def test_a_server_runs_as_its_user_without_rights_and_cannot_write_to_its_image(ground, service, user):
    one = ground.one(service)
    status = one.exec("cat", "/proc/1/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert {fields["Uid"].split()[0], fields["Gid"].split()[0]} == set(user.split(":"))
    assert int(fields["CapEff"], 16) == 0
    assert one.exec_run("touch", "/etc/x").returncode != 0


def test_redis_answers_other_containers(ground):
    assert ground.one("redis").exec("redis-cli", "-h", "redis", "PING") == "PONG\n"


def test_the_edge_answers_at_its_port_on_this_machine(ground):
    assert requests.get(f"http://127.0.0.1:{ground.port}/", timeout=10).text == "from the edge"


def test_an_empty_environment_is_refused_by_the_database_with_the_reason(engine, images):
    done = engine.run("run", "--rm", "--network", "none", images["MYSQL_IMAGE"])
    assert done.returncode != 0 and "ROOT_PASSWORD" in done.stderr


# --- who reaches whom ---

def test_a_name_and_an_address_in_the_same_network_are_reached(ground):
    address = ground.one("database").address("inner")
    assert set(ground.one("between").reach([("database", 3306), (address, 3306), ("redis", 6379)]).values()) == {"open"}


def test_a_closed_port_of_a_neighbour_is_refused(ground):
    assert ground.one("between").reach([("database", 3307)]) == {("database", 3307): "refused"}


def test_a_container_of_another_network_is_not_reached_by_name_or_address(ground):
    address = ground.one("database").address("inner")
    found = ground.one("outside").reach([("database", 3306), (address, 3306), ("between", 80)])
    assert found.pop(("between", 80)) == "open"
    assert found[("database", 3306)] in ("unknown name", "no answer")
    assert found[(address, 3306)] in ("no answer", "no route")


def test_there_is_no_way_out_of_an_internal_network(ground, elsewhere):
    place = (elsewhere.address, elsewhere.port)
    assert ground.one("outside").reach([place]) == {place: "open"}
    assert ground.one("between").reach([place]) == {place: "open"}
    assert ground.one("redis").reach([place])[place] in ("no answer", "no route")


# --- what happens to containers ---

def test_a_killed_main_process_comes_back_by_itself(ground):
    one = ground.one("redis")
    before = one.pid
    one.kill()
    ground.wait_healthy("redis")
    assert ground.one("redis").id == one.id
    assert one.pid not in (0, before)
    assert one.inspect()["RestartCount"] == 1


def test_a_service_is_scaled_up_and_down(ground):
    ground.up("--scale", "outside=3", "--no-recreate")
    assert len({one.address("outer") for one in ground.wait_healthy("outside", 3)}) == 3
    ground.up("--scale", "outside=1", "--no-recreate")
    ground.wait_healthy("outside", 1)


def test_what_is_not_ready_is_shown_with_its_log(engine, images, tmp_path):
    broken = tmp_path / "compose.yaml"
    broken.write_text('services: {broken: {image: "${DEBIAN_IMAGE}", command: ["sh", "-c", "echo I am broken; exit 3"]}}\n')
    with docker.Project(engine, broken, **images) as project:
        project.up()
        until(lambda: not project.one("broken").is_running, "its end")
        with pytest.raises(AssertionError, match="(?s)exit code 3.*I am broken"):
            project.wait_healthy("broken", timeout_s=0)


def test_nothing_of_a_project_is_left_after_it(engine, images, tmp_path):
    file = tmp_path / "compose.yaml"
    file.write_text('services: {one: {image: "notes-test/left-over:${PLACE}", build: {context: ., dockerfile: Dockerfile}, '
                    'command: ["sleep", "infinity"], init: true, volumes: ["kept:/kept", "/unnamed"]}}\nvolumes: {kept: }\n')
    (tmp_path / "Dockerfile").write_text(f"FROM {images['DEBIAN_IMAGE']}\nENV A=1\n")
    project = docker.Project(engine, file)
    name = project.name
    label = f"label={docker.PROJECT_LABEL}={name}"
    kinds = ("container", "network", "volume")
    project.up()
    assert all(engine.names(kind, label) for kind in kinds) and engine.run("image", "inspect", f"notes-test/left-over:{name}").returncode == 0
    volumes = [mount["Name"] for mount in project.one("one").inspect()["Mounts"]]
    project.close()
    assert not any(engine.names(kind, label) for kind in kinds)
    assert len(volumes) == 2 and not set(volumes) & set(engine.names("volume"))
    assert engine.run("image", "inspect", f"notes-test/left-over:{name}").returncode != 0


def test_what_a_killed_run_left_behind_is_removed_by_the_next_one(engine, images, tmp_path):
    file = tmp_path / "compose.yaml"
    file.write_text('services: {one: {image: "${DEBIAN_IMAGE}", command: ["sleep", "infinity"], init: true}}\n')
    code = ("import os, sys; from harness import docker; project = docker.Project(docker.Engine(), sys.argv[1]); project.up();"
            "print(project.name, flush=True); os.kill(os.getpid(), 9)")
    killed = subprocess.run([sys.executable, "-c", code, file], cwd=programs.ROOT / "tests", capture_output=True, text=True,
                            env={**os.environ, **images}, check=False)
    name = killed.stdout.strip()
    assert killed.returncode == -9 and engine.names("container", f"label={docker.PROJECT_LABEL}={name}"), killed
    docker.Engine().close()
    assert not engine.names("container", f"label={docker.PROJECT_LABEL}={name}")
