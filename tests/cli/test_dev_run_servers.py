# SPDX-License-Identifier: MIT
"""`./dev run` with database servers and Redis: its own, and ones that exist."""
import os
import re
import signal
import socket
import stat
import subprocess

import pytest

from harness import dev_run, programs
from harness.client import Client
from harness.dev_run import Run, start
from harness.mariadb import USER, MariaDb
from harness.ports import free_port, is_listening
from harness.redis import Redis
from harness.wait import until

pytestmark = pytest.mark.sqlite_only(reason="./dev run chooses the engine itself")
LOCAL = ("--local-servers", "--replicas", "2")
SERVERS = ["mariadbd", "redis-server"]


def start_local(tree, folder):
    return start(tree, folder, *LOCAL, port=free_port(2))


def sign_in(port, password):
    client = Client(f"http://127.0.0.1:{port}")
    answer = client.login("me", password)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    return client


def save(client, key):
    answer = client.post("/notes/save", {"docreate": "create", "notekey": key, "title": f"Title of {key}", "body": "B"})
    assert answer.status_code == 302, answer.text


def title_at(port, key, client=None):
    """The note as a process shows it to somebody, who may be signed in at another one."""
    page = (client or Client(f"http://127.0.0.1:{port}")).html(f"http://127.0.0.1:{port}/notes/view?key={key}")
    return page.first("h3", id="notetitle").text


def assert_gone(pids, ports=()):
    assert [pid for pid in pids if dev_run.is_alive(pid)] == [], "an orphan is left"
    assert [port for port in ports if is_listening(port)] == []


def assert_secret_kept(folder, run, *passwords):
    """In no command line, in no log, and not in what was printed."""
    texts = [dev_run.command_lines(), run.text().encode(), *(path.read_bytes() for path in folder.rglob("*.log")),
             *(path.read_bytes() for path in folder.rglob("*.err"))]
    for password in passwords:
        assert password and not [text for text in texts if password.encode() in text]


def test_what_the_script_calls_for_a_moment_is_none_of_its_processes(tmp_path):
    """Nobody may count it, or halt it: it can be gone in between."""
    (tmp_path / "dev").write_text("#!/bin/bash\nsleep 60 &\nsetsid tail -f /dev/null &\necho there\nwait\n")
    (tmp_path / "dev").chmod(0o755)
    run = Run(tmp_path)
    try:
        run.wait_for_text("there")
        until(lambda: [dev_run.name_of(pid) for pid in run.processes()] == ["tail"], "what has a session of its own")
    finally:
        for pid in run.processes():
            os.kill(pid, signal.SIGKILL)
        os.killpg(run.process.pid, signal.SIGKILL)
        run.process.wait()


@pytest.mark.parametrize("setting", ["users_port=$first", "port=$first", "port=$((first - 7)) replicas=8"])
def test_no_local_server_gets_a_port_that_a_service_will_have(tree, setting):
    """The services listen later than the servers. The same seed leads to the same port, unless it is passed over."""
    code = f"""source tools/dev_servers.sh
        port_is_open() {{ return 1; }}
        port=1 users_port=2 replicas=1
        RANDOM=7; find_port >"$0"
        first=$(<"$0")
        {setting}
        RANDOM=7; find_port >"$0.again"
        echo "$first $(<"$0.again")" """
    done = subprocess.run(["bash", "-euc", code, tree / "found"], cwd=tree, capture_output=True, text=True, check=True)
    first, again = done.stdout.split()
    assert first.isdigit() and again.isdigit() and first != again


def test_local_servers_serve_two_replicas_and_keep_the_data(tree, tmp_path):
    folder = tmp_path / "data of mine"
    run, port = start_local(tree, folder)
    password = run.password()
    pids = run.processes()
    assert sorted(map(dev_run.name_of, pids)) == ["mariadbd", "notes-svc", "notes-svc", "redis-server", "userauth-svc"]
    addresses, ports = zip(*dev_run.listeners(pids, folder))
    assert set(addresses) == {dev_run.LOOPBACK}
    assert len(ports) == 5 and {port, port + 1} < set(ports)
    client = sign_in(port, password)
    save(client, "first")
    assert title_at(port + 1, "first") == "Title of first"
    assert "/users/logout" in client.get(f"http://127.0.0.1:{port + 1}/").text, "signed in at one is signed in at all"
    files = sorted((folder / "servers").glob("*.password"))
    assert [path.name for path in files] == ["notes.password", "redis.password", "users.password"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert_secret_kept(folder, run, *(path.read_text().strip() for path in files))
    run.out.write_text("")
    assert run.stop() == 0
    assert_gone(pids, ports)

    again, port = start_local(tree, folder)
    assert "password" not in again.text() and title_at(port, "first") == "Title of first"
    sign_in(port + 1, password)
    assert "/users/logout" in client.get(f"http://127.0.0.1:{port}/").text, "Redis keeps sessions"
    pids = again.processes()
    assert again.stop(signal.SIGTERM) == 0
    assert_gone(pids)


def test_killed_script_leaves_nothing_and_the_next_start_has_the_data(tree, tmp_path):
    run, port = start_local(tree, tmp_path)
    password = run.password()
    run.out.write_text("")
    save(sign_in(port, password), "kept")
    pids = run.processes()
    assert len(pids) == 5
    run.process.kill()
    run.process.wait()
    again, port = start_local(tree, tmp_path)  # at once: it waits for what is still ending
    assert_gone(pids)
    assert title_at(port, "kept") == "Title of kept"
    sign_in(port, password)
    assert again.stop() == 0


@pytest.mark.parametrize("server", SERVERS)
def test_server_that_dies_ends_the_run_and_the_next_one_goes_on(tree, tmp_path, server):
    run, port = start_local(tree, tmp_path)
    password = run.password()
    save(sign_in(port, password), "kept")
    pids = run.processes()
    victim = [pid for pid in pids if dev_run.name_of(pid) == server]
    subprocess.run(["kill", "-KILL", str(victim[0])], check=True)
    assert run.process.wait(dev_run.STOP_S) == 1
    assert_gone(pids)
    name = {"mariadbd": "MariaDB", "redis-server": "Redis"}[server]
    assert f"dev: {name} ended by itself; the last lines of {tmp_path}/servers/{name.lower()}.log:" in run.text()
    assert '"svc":' not in run.text() and ": line " not in run.text(), "other logs, or bash's own words"
    again, port = start_local(tree, tmp_path)
    assert title_at(port, "kept") == "Title of kept"
    assert again.stop() == 0
    again.out.write_text("")


def test_replica_that_dies_is_said_and_the_others_go_on_until_the_last(tree, tmp_path):
    run, port = start_local(tree, tmp_path)
    password = run.password()
    pids = run.processes()
    ids = dict(zip(*[iter(re.search(r"^ *Processes +(.*)$", run.text(), re.M)[1].split())] * 2))
    assert sorted(map(int, ids.values())) == sorted(pids)
    os.kill(int(ids["notes-svc"]), signal.SIGKILL)
    run.wait_for_text(f"dev: notes-svc ended by itself, see {tmp_path}/notes-svc.log; 1 of them still there")
    save(sign_in(port + 1, password), "kept")
    os.kill(int(ids["notes-svc-2"]), signal.SIGKILL)
    assert run.process.wait(dev_run.STOP_S) == 1
    assert_gone(pids)
    assert run.text().count("ended by itself") == 2 and ": line " not in run.text()
    assert f"dev: notes-svc-2 ended by itself; the last lines of {tmp_path}/notes-svc-2.log:" in run.text()
    run.out.write_text("")


def test_halted_process_is_ended_too(tree, tmp_path):
    run, _ = start_local(tree, tmp_path)
    run.out.write_text("")
    pids = run.processes()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    assert run.stop() == 0
    assert_gone(pids)
    log = (tmp_path / "notes-svc-2.log").read_text()
    assert "service.stopped" in log, "in order, not by force"


@pytest.mark.parametrize("server", SERVERS)
def test_ctrl_c_while_it_starts_leaves_nothing(tree, tmp_path, server):
    run = Run(tree, "--port", free_port(2), "--users-port", free_port(), "--var", tmp_path, *LOCAL)
    until(lambda: server in map(dev_run.name_of, run.processes()), server, dev_run.START_S)
    pids = run.processes()
    assert run.stop() == 0, run.text()
    assert_gone(pids)
    assert not [pid for pid in dev_run.all_processes() if str(tmp_path).encode() in command_line(pid)]


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


# --- servers that exist ---

@pytest.fixture(scope="module")
def mariadb():
    server = MariaDb()
    yield server
    server.close()


@pytest.fixture(scope="module")
def redis():
    with Redis(has_password=True) as server:
        yield server


def url_of(mariadb, key, password=None):
    return f"mysql://{USER}:{password or mariadb.password}@127.0.0.1:{mariadb.port}/{mariadb.database_of(key)}"


def test_servers_that_exist_are_used_and_their_passwords_kept(tree, tmp_path, mariadb, redis):
    notes, users = url_of(mariadb, "notes"), url_of(mariadb, "users")
    options = ("--mysql", notes, "--users-mysql", users, "--redis", f"redis://:{redis.password}@127.0.0.1:{redis.port}/3")
    run, port = start(tree, tmp_path, *options)
    password = run.password()
    assert_secret_kept(tmp_path, run, mariadb.password, redis.password)
    assert not list(tmp_path.glob("*.sqlite")) and not (tmp_path / "servers").exists()
    client = sign_in(port, password)
    save(client, "there")
    assert mariadb.root(f"SELECT COUNT(*) FROM {mariadb.database_of('notes')}.notes") == ((1,),)
    assert redis.command("INFO", "keyspace").startswith(b"# Keyspace\r\ndb3:")
    pids = run.processes()
    assert run.stop() == 0
    assert_gone(pids)
    assert redis.is_running() and mariadb.process.poll() is None, "they are not ours to end"
    run.out.write_text("")
    again, port = start(tree, tmp_path, DEV_MYSQL=notes, DEV_USERS_MYSQL=users)
    assert title_at(port, "there") == "Title of there"
    sign_in(port, password)
    assert again.stop() == 0


SECRET = "not-to-be-shown"


@pytest.mark.parametrize("options,says", [
    (["--mysql", f"mysql://me:{SECRET}@127.0.0.1"], "--mysql: this is not of the form mysql://"),
    (["--users-mysql", f"http://me:{SECRET}@127.0.0.1/db"], "--users-mysql: this is not of the form mysql://"),
    (["--redis", f"rediss://:{SECRET}@127.0.0.1"], "--redis: TLS is not supported"),
    (["--mysql", f"mysql://me:{SECRET}@127.0.0.1:CLOSED/db"], "--mysql: nothing answers at 127.0.0.1 port CLOSED"),
    (["--users-mysql", f"mysql://me:{SECRET}@[::1]:CLOSED,127.0.0.1:CLOSED/db"],
     "--users-mysql: nothing answers at ::1 port CLOSED 127.0.0.1 port CLOSED"),
    (["--redis", f"redis://:{SECRET}@127.0.0.1:CLOSED"], "--redis: nothing answers at 127.0.0.1 port CLOSED"),
    (["--redis", SECRET], "--redis: this is not of the form redis://"),
    (["--redis", ""], "--redis needs a value"),
    (["--replicas", "0"], "not a number from 1 to 8"), (["--replicas", "9"], "not a number from 1 to 8"),
    (["--replicas", "2"], "--replicas needs --mysql or --local-servers"),
    (["--local-servers", "--redis", "redis://127.0.0.1"], "--local-servers is instead of"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_wrong_option_is_said_before_anything_starts(tree, tmp_path, options, says):
    closed = str(free_port())
    run = Run(tree, "--port", free_port(), "--users-port", free_port(), "--var", tmp_path,
              *(option.replace("CLOSED", closed) for option in options))
    assert run.wait_end() == 1
    assert says.replace("CLOSED", closed) in run.text()
    assert_secret_kept(tmp_path, run, SECRET)
    assert not list(tmp_path.iterdir()) and "Building" not in run.text() and "Stopped" not in run.text()


@pytest.mark.parametrize("service,password,database,says", [
    ("notes-svc", SECRET, "refused", "Access denied for user"),
    ("userauth-svc", SECRET, "refused", "Access denied for user"),
    ("notes-svc", None, "missing", f"Access denied for user '{USER}'@'127.0.0.1' to database 'missing'"),
    ("userauth-svc", None, "missing", f"Access denied for user '{USER}'@'127.0.0.1' to database 'missing'"),
])
@pytest.mark.parametrize("form", ["json", "text"])
def test_database_that_refuses_us_is_said_in_words(tree, tmp_path, mariadb, service, password, database, says, form):
    url = f"mysql://{USER}:{password or mariadb.password}@127.0.0.1:{mariadb.port}/{database}"
    run = Run(tree, "--port", free_port(), "--users-port", free_port(), "--var", tmp_path,
              "--mysql" if service == "notes-svc" else "--users-mysql", url, LOG_FORMAT=form)
    assert run.wait_end() == 1
    line, = [line for line in run.text().splitlines() if line.startswith("dev: ")]  # a slow start is told of before
    assert line.startswith(f"dev: {service} can't use its database: 127.0.0.1:{mariadb.port}: {says}") and "\\" not in line
    assert "did not get ready" not in run.text() and "{" not in run.text() and "Stopped" not in run.text()
    assert_secret_kept(tmp_path, run, SECRET)
    assert dev_run.services_of(tmp_path) == []


@pytest.mark.parametrize("form", ["json", "text"])
def test_redis_that_does_not_let_us_in_is_said(tree, tmp_path, redis, form):
    url = f"redis://:{SECRET}@127.0.0.1:{redis.port}"
    run, _ = start(tree, tmp_path, "--redis", url, LOG_FORMAT=form)
    run.wait_for_text("dev: nobody can sign in, for Redis does not let us in: Redis ").wait_for_text("WRONGPASS")
    assert_secret_kept(tmp_path, run, SECRET)
    assert run.stop() == 0
    run.out.write_text("")


def test_ports_of_replicas_must_be_free(tree, tmp_path):
    port = free_port(2)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + 1))
        taken.listen()
        run = Run(tree, "--port", port, "--users-port", free_port(), "--var", tmp_path, *LOCAL)
        assert run.wait_end() == 1
    assert f"port {port + 1} is in use" in run.text()
    run = Run(tree, "--port", port, "--users-port", port + 1, "--var", tmp_path, *LOCAL)
    assert run.wait_end() == 1 and "must differ" in run.text()


def test_databases_of_local_servers_are_each_users_own(tree, tmp_path):
    run, _ = start_local(tree, tmp_path)
    run.out.write_text("")
    data = tmp_path / "servers/mariadb"

    def grants(user):
        done = subprocess.run(["mariadb", "--no-defaults", "--protocol=socket", "--socket=mariadb.sock", "-N", "-e",
                               f"SHOW GRANTS FOR {user}@127.0.0.1"], cwd=data, capture_output=True, text=True, check=True)
        return [line.split(" IDENTIFIED")[0] for line in done.stdout.replace("`", "").splitlines()]

    for user in ("notes", "users"):
        assert grants(user) == [f"GRANT USAGE ON *.* TO {user}@127.0.0.1", f"GRANT ALL PRIVILEGES ON {user}.* TO {user}@127.0.0.1"]
    assert run.stop() == 0


def test_program_of_the_tests_is_the_copys_own(tree):
    """What is started here is built from the tree, not from NOTES_BUILD."""
    assert (tree / "build/notes-svc/notes-svc").exists() and programs.BUILD != tree / "build"
