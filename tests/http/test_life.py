# SPDX-License-Identifier: MIT
"""How the services start, stop, refuse to start, and live through crashes, full disks and crowds."""
import concurrent.futures
import contextlib
import fcntl
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse

import pytest
import requests

from harness import kept_sessions, programs, shared_redis
from harness.api import Api
from harness.client import Client, browser_session, read_page
from harness.disk import FileLimit, SmallDisk
from harness.errors import assert_error
from harness.ports import free_port
from harness.programs import NOTES_SVC, USERAUTH_SVC, new_password, run
from harness.raw import Connection, basic, request_bytes
from harness.services import Notes, StartFailed, Userauth
from harness.site import Site
from harness.stored import assert_whole, migrations, opened, pretend_newer
from harness.wait import until

EXIT_WITHIN_S = 10
NO_LIMIT_MS = 60_000  # longer than whatever a test does meanwhile
WRITES = 1000
both_services = pytest.mark.parametrize("kind", ["userauth", "notes"])


def make(services, kind, **settings):
    """A service of this kind, not started. Notes gets an address where no userauth is: it must start anyway."""
    if kind == "userauth":
        return services.userauth(**settings)
    return services.notes(f"http://127.0.0.1:{free_port()}", USER_SERVICE_KEY="unused-key", **settings)


def healthcheck(service):
    program = {"userauth-svc": USERAUTH_SVC, "notes-svc": NOTES_SVC}[service.name]
    return run(program, "--healthcheck", **{**service.settings, "PORT": service.port})


def refused_line(service, code=1):
    """Starts a service that must not come up; returns the one line that it says."""
    with pytest.raises(StartFailed) as failed:
        service.start()
    assert failed.value.code == code, failed.value
    lines = [line for line in failed.value.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, lines
    return lines[0]


def fresh_connection(service):
    return Connection(service.port)


# --- healthcheck ---

@both_services
def test_healthcheck_says_whether_the_own_instance_is_ready(services, kind):
    service = make(services, kind)
    assert healthcheck(service).returncode == 1
    service.start()
    done = healthcheck(service)
    assert done.returncode == 0, done
    service.stop()
    done = healthcheck(service)
    assert done.returncode == 1 and done.stderr.strip(), done


@both_services
@pytest.mark.parametrize("listen", ["0.0.0.0", "::", "0:0::0"])
def test_healthcheck_works_when_the_service_listens_everywhere(services, kind, listen):
    service = make(services, kind, LISTEN=listen).start()
    done = healthcheck(service)
    assert done.returncode == 0, done


@both_services
def test_healthcheck_reads_only_where_the_service_listens(services, kind, tmp_path):
    """A file that a setting names may be gone by then: the service that runs has read it, and is not unwell for that."""
    service = make(services, kind).start()
    gone = {"DATABASE_TLS_CA": tmp_path / "gone.pem", "DATABASE_PASSWORD_FILE": tmp_path / "gone", "WORKERS": "many"}
    service.settings.update(gone)
    assert healthcheck(service).returncode == 0
    service.settings["LISTEN"] = "nowhere"
    done = healthcheck(service)
    assert done.returncode == 1 and "LISTEN: " in done.stderr and not any(name in done.stderr for name in gone), done
    service.settings["LISTEN"] = "127.0.0.1"


def test_healthcheck_is_1_when_a_stranger_has_the_port(services):
    service = services.userauth()
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", service.port))
        stranger.listen()
        answered = threading.Event()

        def serve():
            connection, _ = stranger.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\n{}")
                answered.set()

        threading.Thread(target=serve, daemon=True).start()
        assert healthcheck(service).returncode == 1
        assert answered.wait(10)


def test_healthcheck_with_a_bad_port_is_1_and_names_it(tmp_path):
    done = run(USERAUTH_SVC, "--healthcheck", STATE_DIR=tmp_path, PORT="x")
    assert done.returncode == 1 and "PORT" in done.stderr


@both_services
def test_health_pages(services, kind):
    service = make(services, kind).start()
    api = Api(service.url)
    answer = api.get("/healthz")
    assert answer.json() == {"status": "ok"} and answer.headers["Content-Type"].startswith("application/json")
    ready = api.get("/readyz").json()
    assert ready["status"] == "ready" and ready["dependencies"]["database"] == "ok"


def test_lost_userauth_is_told_by_readyz_and_does_not_make_it_fail(site_of_its_own):
    site = site_of_its_own
    names = {"database", "userauth"} | ({"redis"} if shared_redis.is_wanted() else set())
    fine = {name: "ok" for name in names}
    assert Api(site.url).get("/readyz").json()["dependencies"] == fine
    site.userauth.stop()
    client = Client(site.url)
    answer = client.login("me", site.passwords["me"])
    assert answer.status_code == 503
    lost = {**fine, "userauth": "lost"}
    until(lambda: Api(site.url).get("/readyz").json()["dependencies"] == lost, "userauth lost")
    ready = Api(site.url).get("/readyz")
    assert ready.status_code == 200 and ready.json()["status"] == "ready"
    assert client.get("/").status_code == 200
    site.userauth.start()
    until(lambda: client.login("me", site.passwords["me"]).status_code == 302 and client.is_signed_in, "login again")
    until(lambda: Api(site.url).get("/readyz").json()["dependencies"]["userauth"] == "ok", "userauth ok again")


@pytest.fixture
def site_of_its_own(tmp_path):
    """A site for one test that stops and kills as it likes."""
    site = Site(tmp_path, {"WRITES_PER_MIN": 0, "DRAIN_WAIT_MS": NO_LIMIT_MS})
    try:
        site.start()
        yield site
        site.stop()
    finally:
        site.kill()


# --- end ---

def open_request(service, headers, method="POST", path="/create-user", size=0):
    """A request whose head has been read by the service (it said "100 Continue") and whose body is still to come."""
    connection = fresh_connection(service)
    connection.send(request_bytes(method, path, [*headers, ("Content-Length", str(size)), ("Expect", "100-continue")], b""))
    connection.socket.settimeout(20)
    seen = b""
    while b"\r\n\r\n" not in seen:
        data = connection.socket.recv(1000)
        assert data, "closed before 100 Continue"
        seen += data
    assert seen.startswith(b"HTTP/1.1 100 "), seen
    return connection


def is_draining(service):
    """New connections are refused, or /readyz says so."""
    try:
        return Api(service.url).get("/readyz", timeout=2).status_code == 503
    except requests.RequestException:
        return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_lets_a_running_request_of_userauth_finish(services, number):
    service = services.userauth(DRAIN_WAIT_MS=NO_LIMIT_MS).start()
    body = b'{"username":"lastone","provider":"x"}'
    headers = [("Authorization", basic("them", service.key)), ("Content-Type", "application/json")]
    connection = open_request(service, headers, size=len(body))
    service.signal(number)
    until(lambda: is_draining(service), "draining")
    connection.send(body)
    answer = connection.answer()
    assert answer is not None and answer.status == 200, answer
    assert service.wait_exit(EXIT_WITHIN_S) == 0
    service.start()
    assert service.api().get("/find/lastone").status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_lets_a_running_request_of_notes_finish(site_of_its_own, number):
    site = site_of_its_own
    client = Client(site.url)
    client.login("me", site.passwords["me"])
    body = urllib.parse.urlencode(
        {"docreate": "create", "notekey": "last", "title": "Last", "body": "one", "csrf": client.csrf()}).encode()
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.http.cookies)
    headers = [("Cookie", cookies), ("Origin", site.url), ("Host", site.url[len("http://"):]),
               ("Content-Type", "application/x-www-form-urlencoded")]
    connection = open_request(site.notes, headers, path="/notes/save", size=len(body))
    site.notes.signal(number)
    until(lambda: is_draining(site.notes), "draining")
    connection.send(body)
    answer = connection.answer()
    assert answer is not None and answer.status == 302, answer
    assert site.notes.wait_exit(EXIT_WITHIN_S) == 0
    site.notes.start()
    assert Client(site.url).html("/notes/view?key=last").text("notetitle").strip() == "Last"


def test_who_sends_too_slowly_does_not_hold_up_the_end(services):
    service = services.userauth(READ_TIMEOUT_S=1, DRAIN_WAIT_MS=NO_LIMIT_MS).start()
    headers = [("Authorization", basic("them", service.key)), ("Content-Type", "application/json")]
    connection = open_request(service, headers, size=100)
    service.signal(signal.SIGTERM)
    assert service.wait_exit(EXIT_WITHIN_S) == 0
    assert connection.answer().status == 408
    assert service.log_lines(event="http.request_timed_out") and not service.log_lines(event="service.drain_incomplete")


def test_password_checks_that_wait_for_their_hash_are_answered_before_the_end(services):
    service = services.userauth(PASSWORD_MEMORY_KIB=32768, PASSWORD_PASSES=2, REQUEST_DEADLINE_MS=NO_LIMIT_MS,
                                DRAIN_WAIT_MS=NO_LIMIT_MS).start()
    password = new_password()
    service.api().create("patient", password)
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        ready = threading.Barrier(13)

        def check(number):
            with service.api() as api:
                api.get("/healthz")  # the connection stands
                ready.wait()
                try:
                    return api.check("patient", password, f"c{number}").json()["check"]
                except requests.ConnectionError:
                    return "refused"

        checks = [pool.submit(check, number) for number in range(12)]
        ready.wait()
        concurrent.futures.wait(checks, return_when=concurrent.futures.FIRST_COMPLETED)
        service.signal(signal.SIGTERM)
        results = [check.result() for check in checks]
    assert service.wait_exit(EXIT_WITHIN_S) == 0
    assert True in results and set(results) <= {True, "refused"}, results
    finished = service.log_lines(route="/password-check")
    assert len(finished) == results.count(True)


@both_services
def test_end_waits_for_no_idle_and_no_stuck_client(services, kind):
    """For nobody else than requests that have begun, and for these as long as the setting says."""
    service = make(services, kind, READ_TIMEOUT_S=600, IDLE_TIMEOUT_S=600, DRAIN_WAIT_MS=500).start()
    idle = [fresh_connection(service) for _ in range(50)]
    for connection in idle[:20]:
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.answer().status == 200
    for connection in idle[20:30]:
        connection.send(b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
    for connection in idle[30:40]:
        connection.send(b"GET /heal")
    service.signal(signal.SIGTERM)
    assert service.wait_exit(EXIT_WITHIN_S) == 0
    for connection in idle:
        connection.close()


@both_services
def test_readyz_fails_while_draining_and_new_requests_are_served_meanwhile(services, kind):
    """The delay is one that nothing here outlasts; the end after one is the next test."""
    service = make(services, kind, DRAIN_DELAY_MS=NO_LIMIT_MS).start()
    service.signal(signal.SIGTERM)
    until(lambda: Api(service.url).get("/readyz").status_code == 503, "readyz 503")
    answer = Api(service.url).get("/readyz")
    assert answer.status_code == 503 and answer.json()["status"] == "draining"
    assert Api(service.url).get("/healthz").status_code == 200
    assert healthcheck(service).returncode == 1
    service.kill()


@both_services
def test_end_comes_by_itself_after_the_delay(services, kind):
    service = make(services, kind, DRAIN_DELAY_MS=500).start()
    with fresh_connection(service) as kept:
        kept.send(request_bytes("GET", "/healthz"))
        assert kept.answer().status == 200
        service.signal(signal.SIGTERM)
        until(lambda: is_draining(service), "draining")
        kept.try_send(request_bytes("GET", "/healthz"))
        assert service.wait_exit(EXIT_WITHIN_S) == 0
    assert service.log_lines()[-1]["event"] == "service.stopped" and not service.log_lines(event="service.drain_incomplete")


@both_services
def test_clients_that_keep_their_connection_are_sent_away_while_draining(services, kind):
    service = make(services, kind, DRAIN_DELAY_MS=NO_LIMIT_MS).start()
    key = [("Authorization", basic("them", service.key))] if kind == "userauth" else []
    asked = [request_bytes("GET", path, key) for path in ["/healthz", "/list" if kind == "userauth" else "/"]]
    kept = [fresh_connection(service) for _ in asked]
    for connection, request in zip(kept, asked):
        connection.send(request)
        answer = connection.answer()
        assert answer.status == 200 and answer.header("Connection", "").lower() != "close", answer
    service.signal(signal.SIGTERM)
    until(lambda: is_draining(service), "draining")
    for connection, request in zip(kept, asked):
        connection.send(request)
        answer = connection.answer()
        assert answer.status == 200 and answer.header("Connection", "").lower() == "close", answer
        assert connection.is_closed()
        connection.close()
    assert Api(service.url).get("/healthz").status_code == 200, "new connections are still served"
    service.kill()


@both_services
def test_program_gains_no_rights_and_leaves_no_core(services, kind):
    service = make(services, kind).start()
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{service.pid}/status").read_text().splitlines() if ":\t" in line)
    assert status["NoNewPrivs"] == "1"
    limits = pathlib.Path(f"/proc/{service.pid}/limits").read_text()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.M), limits


@both_services
def test_signal_right_after_the_start_ends_cleanly(services, kind):
    for _ in range(5):
        service = make(services, kind)
        service.spawn()
        until(lambda: service.stdout_text() or not service.is_running(), "first line")
        service.signal(signal.SIGTERM)
        assert service.wait_exit(EXIT_WITHIN_S) in (0, -signal.SIGTERM)
        assert "Sanitizer" not in service.stderr_text()


@both_services
def test_reader_of_the_log_that_goes_away_does_not_end_the_service(services, kind):
    service = make(services, kind)
    service.settings["PORT"] = service.port
    process = subprocess.Popen([str(service.program)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               stdin=subprocess.DEVNULL, env=programs.clean_env(service.settings),
                               preexec_fn=programs.die_with_parent)
    try:
        until(service.is_ready, "ready", 40)
        process.stdout.close()
        for _ in range(50):
            assert Api(service.url).get("/healthz").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.wait()


# --- refused starts ---

@both_services
def test_port_that_is_taken_is_one_clear_line(services, kind):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refused_line(make(services, kind, PORT=port))
    assert str(port) in line and re.search("in use|already", line), line


@both_services
def test_address_that_is_not_ours_is_one_clear_line(services, kind):
    line = refused_line(make(services, kind, LISTEN="192.0.2.1"))
    assert "192.0.2.1" in line


@pytest.mark.sqlite_only(reason="with a server, notes-svc keeps nothing in the folder")
@both_services
@pytest.mark.parametrize("where", ["itself", "parent"])
def test_file_in_the_place_of_the_state_folder_is_one_clear_line(services, kind, tmp_path, where):
    (tmp_path / "file").write_text("in the way")
    folder = tmp_path / "file" if where == "itself" else tmp_path / "file" / "below"
    service = make(services, kind)
    service.settings["STATE_DIR"] = folder
    assert str(folder) in refused_line(service)
    assert (tmp_path / "file").read_text() == "in the way"


@contextlib.contextmanager
def folder_for_all():
    """A folder that other users can reach (pytest's own are private)."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="notes-life-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to run a service as another user")


@pytest.mark.sqlite_only(reason="with a server, notes-svc keeps nothing in the folder")
@both_services
def test_folder_that_is_not_writable_is_one_clear_line(services, kind):
    with folder_for_all() as folder:
        wrapper = AS_NOBODY if os.geteuid() == 0 else ()
        (folder / "state").mkdir(mode=0o555)
        service = make(services, kind)
        service.settings["STATE_DIR"] = folder / "state"
        with pytest.raises(StartFailed) as failed:
            service.start(wrapper)
        lines = failed.value.stderr.splitlines()
        assert failed.value.code == 1 and len(lines) == 1 and str(folder / "state") in lines[0], failed.value
        assert list((folder / "state").iterdir()) == []


@pytest.mark.sqlite_only(reason="the file itself is damaged")
@both_services
def test_file_that_is_no_database_is_one_clear_line(services, kind):
    service = make(services, kind)
    service.state_dir.mkdir(mode=0o700)
    service.database.write_bytes(b"this is no database at all, and it must stay as it is" * 100)
    before = service.database.read_bytes()
    assert service.database.name in refused_line(service)
    assert service.database.read_bytes() == before


@both_services
def test_database_of_a_newer_program_is_refused_and_left_alone(services, kind):
    service = make(services, kind).start()
    service.stop()
    pretend_newer(service.database, 9999, 9999)
    line = refused_line(service)
    assert "database" in line and re.search("newer|needs a program", line), line
    assert 9999 in migrations(service.database)


@both_services
def test_database_of_a_newer_program_that_still_allows_this_one_is_accepted(services, kind):
    service = make(services, kind).start()
    service.stop()
    pretend_newer(service.database, 9999, 1)
    service.start()
    assert Api(service.url).get("/readyz").status_code == 200


@pytest.mark.sqlite_only(reason="several processes may share a server")
def test_second_notes_on_one_folder_is_refused_and_the_first_goes_on(services):
    first = make(services, "notes").start()
    line = refused_line(make(services, "notes"))
    assert "notes.sqlite" in line
    assert Api(first.url).get("/").status_code == 200
    first.kill()
    second = make(services, "notes").start()
    assert Api(second.url).get("/").status_code == 200


@pytest.mark.sqlite_only(reason="several processes may share a server")
def test_second_start_does_not_disturb_the_first_ones_data(site_of_its_own):
    site = site_of_its_own
    client = Client(site.url)
    client.login("me", site.passwords["me"])
    second = Notes(site.state_dir, site.userauth)
    refused_line(second)
    answer = client.post("/notes/save", {"docreate": "create", "notekey": "k", "title": "T", "body": "B"})
    assert answer.status_code == 302
    assert client.html("/notes/view?key=k").text("notetitle").strip() == "T"


@pytest.mark.sqlite_only(reason="several processes may share a server")
@pytest.mark.parametrize("linked_first", [True, False], ids=["link first", "file first"])
def test_second_notes_on_one_file_by_another_name_is_refused(services, tmp_path, linked_first):
    (tmp_path / "link.sqlite").symlink_to(tmp_path / "real.sqlite")
    (tmp_path / "real.sqlite").touch(mode=0o600)
    names = ["link.sqlite", "real.sqlite"] if linked_first else ["real.sqlite", "link.sqlite"]
    first, second = (make(services, "notes", DATABASE_URL=f"sqlite:{tmp_path / name}") for name in names)
    first.start()
    assert names[1] in refused_line(second)
    assert Api(first.url).get("/").status_code == 200


# --- open files ---

def open_files(pid):
    """What a process has open; what it closes meanwhile is left out."""
    files = []
    for name in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            files.append(os.readlink(name))
    return files


@pytest.mark.sqlite_only(reason="with a server, connections are made when they are used")
@both_services
def test_limit_of_open_files_is_raised_for_all_workers(services, kind):
    """Each worker owns a database connection; none may find out later that there was no room."""
    workers_count = 40
    service = make(services, kind, WORKERS=workers_count, CONNECTION_LIMIT=64, LIVE_SOCKETS=64)
    service.start(("prlimit", "--nofile=48:4096"))
    databases = [file for file in open_files(service.pid) if file.endswith(".sqlite")]
    assert len(databases) >= workers_count
    assert service.stop() == 0


@both_services
def test_too_few_open_files_for_the_workers_is_one_clear_line(services, kind):
    service = make(services, kind, WORKERS=40, CONNECTION_LIMIT=16)
    with pytest.raises(StartFailed) as failed:
        service.start(("prlimit", "--nofile=100:100"))
    lines = failed.value.stderr.splitlines()
    assert failed.value.code == 1 and len(lines) == 1 and "open files" in lines[0], failed.value


# --- several at once ---

def test_several_userauths_start_at_once_on_one_fresh_folder(services):
    crowd = [services.userauth() for _ in range(5)]
    for service in crowd:
        service.spawn()
    for service in crowd:
        service.wait_ready()
    keys = {service.key for service in crowd}
    assert len(keys) == 1
    versions = migrations(crowd[0].database)
    assert versions and versions == sorted(set(versions))
    for number, service in enumerate(crowd):
        assert service.api().post("/create-user", json={"username": f"of{number}", "provider": "x"}).status_code == 200
    for service in crowd:
        assert [user["username"] for user in service.api().get("/list").json()] == [f"of{n}" for n in range(5)]


def test_two_userauths_share_throttle_and_passwords(services):
    one, two = services.userauth().start(), services.userauth().start()
    password = new_password()
    one.api().create("shared", password)
    for service in (one, two, one, two):
        answer = service.api().check("shared", "wrong", "c")
        assert answer.status_code == 200, answer.text
    assert_error(one.api().check("shared", "wrong", "c"), 429)
    assert two.api().check("shared", password, "other").json()["check"] is True


def test_many_writers_on_two_userauths_are_all_answered(services):
    """They take turns by chance, each at its own speed: no deadline, as nothing here says how long one waits."""
    pair = [services.userauth(REQUEST_DEADLINE_MS=120_000).start() for _ in range(2)]

    def write(number):
        with pair[number % 2].api() as api:
            return [api.post("/create-user", json={"username": f"w{number}-{turn}", "provider": "x"}, timeout=120).status_code
                    for turn in range(10)]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        results = list(pool.map(write, range(32)))
    assert results == [[200] * 10] * 32


# --- crashes ---

def kill_in_the_middle(service, write, is_written):
    """1000 writes by 32 threads, a crash when some hundreds were answered; after a restart all answered ones are there.

    write(n) returns True when number n was answered as done; it may raise RequestException once the service is gone."""
    done, lock = set(), threading.Lock()

    def work(numbers):
        for number in numbers:
            try:
                if not write(number):
                    continue
            except requests.RequestException:
                return
            with lock:
                done.add(number)
                if len(done) == 300:
                    service.kill()

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        for job in [pool.submit(work, range(start, WRITES, 32)) for start in range(32)]:
            job.result()
    assert 300 <= len(done) < WRITES, "the crash came too late to prove anything"
    service.start()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        found = dict(zip(sorted(done), pool.map(is_written, sorted(done))))
    assert [number for number, is_there in found.items() if not is_there] == []


def test_crash_of_userauth_loses_no_answered_write(services):
    service = services.userauth().start()
    local = threading.local()

    def own_api():
        if not hasattr(local, "api"):
            local.api = service.api()
        return local.api

    kill_in_the_middle(
        service,
        lambda n: own_api().post("/create-user", json={"username": f"n{n}", "provider": "x"}).status_code == 200,
        lambda n: own_api().get(f"/find/n{n}").status_code == 200)
    assert_whole(service.database)


def test_crash_of_notes_loses_no_answered_write_and_no_session(site_of_its_own):
    site = site_of_its_own
    owner = Client(site.url)
    owner.login("me", site.passwords["me"])
    token = owner.csrf()
    local = threading.local()

    def own_client():
        if not hasattr(local, "client"):
            local.client = Client(site.url)
            local.client.http.cookies.update(owner.http.cookies)
        return local.client

    def save(number):
        answer = own_client().post("/notes/save", {"docreate": "create", "notekey": f"n{number}", "title": f"Title {number}",
                                                   "body": "text " * 20, "csrf": token})
        assert answer.status_code in (302, 503), answer.status_code
        return answer.status_code == 302

    kill_in_the_middle(site.notes, save,
                       lambda n: f"Title {n}" in Client(site.url).html(f"/notes/view?key=n{n}").text("notetitle"))
    assert_whole(site.notes.database)
    assert owner.get("/notes/add").status_code == 200, "the session is gone"


@pytest.mark.sqlite_only(reason="waits for the file; test_mysql_faults.py has its like")
@both_services
def test_crash_in_the_middle_of_starts_leaves_a_database_that_opens(services, kind):
    for _ in range(6):
        service = make(services, kind)
        service.spawn()
        until(lambda: service.database.exists() or not service.is_running(), "database file")
        service.kill()
    service.start()
    versions = migrations(service.database)
    assert versions == sorted(set(versions))


# --- full disk, locked and read-only database ---

@contextlib.contextmanager
def full_disk(tmp_path):
    """Gives (state folder, function that turns a running service's disk full, function that makes room)."""
    disk = SmallDisk(tmp_path / "disk")
    try:
        if disk.is_mounted:
            yield disk.folder / "state", lambda service: disk.fill(), lambda service: disk.make_room()
        else:
            yield (tmp_path / "state", lambda service: FileLimit(service.pid).fill(),
                   lambda service: FileLimit(service.pid).make_room())
    finally:
        disk.close()


@pytest.mark.sqlite_only(reason="the disk of the service is not the disk of the data")
def test_full_disk_is_a_clear_503_of_userauth_and_it_recovers(tmp_path):
    with full_disk(tmp_path) as (folder, fill, make_room):
        service = Userauth(folder, tmp_path / "printed").start()
        try:
            api, password = service.api(), new_password()
            api.create("before", password)
            fill(service)

            def refused(number):
                answer = api.post("/create-user", json={"username": f"during{number}", "provider": "x",
                                                        "familyName": "x" * 200, "emails": ["x" * 1500]})
                return answer if answer.status_code != 200 else None

            answer = None
            for number in range(400):  # free pages of the file may take some writes
                answer = refused(number)
                if answer is not None:
                    break
            assert_error(answer, 503)
            assert int(answer.headers["Retry-After"]) >= 1
            lost = answer.json()["requestId"]
            assert service.wait_log(req_id=lost)["status"] == 503
            assert api.get("/find/before").status_code == 200, "reading must go on"
            assert api.get("/list").status_code == 200
            pid = service.pid
            make_room(service)
            until(lambda: refused(1000) is None, "writing again")
            assert service.pid == pid and service.is_running()
            assert api.check("before", password, "new").json()["check"] is True
            service.stop()
        finally:
            service.kill()


@pytest.mark.sqlite_only(reason="the disk of the service is not the disk of the data")
def test_full_disk_is_a_clear_503_page_of_notes_that_keeps_the_text_and_it_recovers(tmp_path):
    users = Userauth(tmp_path / "users").start()
    password = new_password()
    users.api().create("me", password)
    with full_disk(tmp_path) as (folder, fill, make_room):
        notes = Notes(folder, users, tmp_path / "printed", WRITES_PER_MIN=0).start()
        try:
            client = Client(notes.url)
            assert client.login("me", password).status_code == 302
            save = lambda key: client.post("/notes/save", {"docreate": "create", "notekey": key, "title": "T " + key,
                                                           "body": "precious " * 2000})
            assert save("before").status_code == 302
            fill(notes)
            answer = None
            for number in range(100):
                answer = save(f"during{number}")
                if answer.status_code != 302:
                    break
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) >= 1
            page = read_page(answer)
            assert any("precious precious" in node.text for node in page.all("textarea")), "the typed text is lost"
            assert client.html("/notes/view?key=before").text("notetitle").strip() == "T before"
            assert Client(notes.url).get("/").status_code == 200
            make_room(notes)
            until(lambda: save("after").status_code == 302, "writing again")
            assert client.html("/notes/view?key=after").text("notetitle").strip() == "T after"
            notes.stop()
        finally:
            notes.kill()
            users.stop()


@pytest.mark.sqlite_only(reason="the disk of the service is not the disk of the data")
def test_start_on_a_full_disk_is_one_clear_line(tmp_path):
    with full_disk(tmp_path) as (folder, fill, _):
        if not folder.parent.is_mount():
            pytest.skip("nothing can be mounted here, and a process that has not started has no limit to set")
        fill(None)
        service = Userauth(folder, tmp_path / "printed")
        with pytest.raises(StartFailed) as failed:
            service.start()
        assert failed.value.code == 1
        assert len(failed.value.stderr.splitlines()) == 1, failed.value.stderr


@pytest.mark.sqlite_only(reason="one lock for the whole file; test_mysql_faults.py has its like")
def test_database_that_another_process_holds_locked_is_a_503_and_it_recovers(services):
    service = services.userauth(REQUEST_DEADLINE_MS=1500).start()
    api = service.api()
    api.create("before", new_password())
    with opened(service.database, is_writable=True) as holder:
        holder.execute("BEGIN IMMEDIATE")
        assert_error(api.post("/create-user", json={"username": "blocked", "provider": "x"}), 503)
        assert api.get("/find/before").status_code == 200
        holder.execute("ROLLBACK")
    assert api.get("/find/blocked").status_code == 404
    assert api.post("/create-user", json={"username": "blocked", "provider": "x"}).status_code == 200


@pytest.mark.sqlite_only(reason="locks a file; test_mysql_faults.py has its like")
def test_readers_whose_use_is_to_be_noted_read_on_while_the_file_is_locked(tmp_path):
    """What is noted of a session is not waited for: the deadline is long, and no answer takes so long."""
    site = Site(tmp_path, {"REDIS_URL": "", "REQUEST_DEADLINE_MS": 120000, "WORKERS": 2, "USER_CHECK_S": 3600})
    site.start()
    try:
        clients = [browser_session(site, "me") for _ in range(4)]
        kept_sessions.age(site.notes, used=1000)
        with opened(site.notes.database, is_writable=True) as holder:
            holder.execute("BEGIN IMMEDIATE")
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                assert list(pool.map(lambda client: client.get("/notes/add", timeout=60).status_code, clients)) == [200] * 4
            site.notes.wait_log(event="session.touch_failed")
            holder.execute("ROLLBACK")
        assert clients[0].get("/notes/add").status_code == 200
        noted = sorted(time.time() * 1000 - row["used_unix_ms"] < 500_000 for row in kept_sessions.rows(site.notes))
        assert noted == [False, False, False, True], "the next request notes its use"
        kept_sessions.age(site.notes, used=7200)
        with opened(site.notes.database, is_writable=True) as holder:
            holder.execute("BEGIN IMMEDIATE")
            assert clients[0].get("/notes/add", timeout=60).status_code == 302, "who is signed out by then, at once, too"
            holder.execute("ROLLBACK")
    finally:
        site.stop()


@contextlib.contextmanager
def read_marks_held(database):
    """Holds, as another process, what each reader of a database in WAL mode locks one of: its file format says where. The service
    may just be reading, to see whether its database is there."""
    with open(f"{database}-shm", "r+b") as index:
        fcntl.lockf(index, fcntl.LOCK_EX, 5, 123)
        yield


@pytest.mark.sqlite_only(reason="locks a file; test_mysql_faults.py has its like")
def test_read_marks_that_another_process_holds_are_a_503_and_it_recovers(tmp_path):
    """Also on a connection that read the schema when there were no tables yet, and used none since."""
    site = Site(tmp_path, {"REDIS_URL": "", "REQUEST_DEADLINE_MS": 1500, "WORKERS": 4}, {"REQUEST_DEADLINE_MS": 1500})
    site.start()
    try:
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            with read_marks_held(site.notes.database):
                answers = list(pool.map(lambda _: Client(site.url).get("/notes/view?key=x", timeout=60), range(12)))
            assert [answer.status_code for answer in answers] == [503] * 12
            assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers)
            with read_marks_held(site.userauth.database):
                answers = list(pool.map(lambda _: site.api.get("/find/nobody"), range(12)))
            for answer in answers:
                assert_error(answer, 503)
                assert int(answer.headers["Retry-After"]) >= 1
        assert Client(site.url).get("/notes/view?key=x").status_code == 404
        assert site.api.get("/find/nobody").status_code == 404
    finally:
        site.stop()


@pytest.mark.sqlite_only(reason="rights of files; test_mysql_faults.py has its like")
@needs_root
def test_read_only_database_is_told_and_heals(services):
    """The service runs as another user and its files turn read-only: a clear refusal, at start or by 503."""
    with folder_for_all() as folder:
        os.chown(folder, 65534, 65534)
        service = services.userauth(folder / "state")
        service.start(AS_NOBODY)
        service.api().create("before", new_password())
        service.stop()
        files = [path for path in service.state_dir.iterdir() if path.name.startswith("users.sqlite")]
        for path in files:
            os.chown(path, 0, 0)
            path.chmod(0o444)
        try:
            service.start(AS_NOBODY)
        except StartFailed as failed:
            assert failed.code == 1
            lines = failed.stderr.splitlines()
            assert len(lines) == 1 and "users.sqlite" in lines[0], lines
            heal(files)
            service.start(AS_NOBODY)
        else:
            assert service.api().get("/find/before").status_code == 200
            assert_error(service.api().post("/create-user", json={"username": "x", "provider": "x"}), 503)
            heal(files)
        until(lambda: service.api().post("/create-user", json={"username": "y", "provider": "x"}).status_code == 200,
              "writing again")
        service.stop()


def heal(files):
    for path in files:
        if path.exists():
            os.chown(path, 65534, 65534)
            path.chmod(0o600)


@pytest.mark.sqlite_only(reason="moves a file")
def test_database_file_of_userauth_that_goes_takes_no_write_until_it_is_back(services):
    """What is answered as done is in the file that a restart finds; nothing makes a new, empty one meanwhile."""
    service = services.userauth().start()
    api, password = service.api(), new_password()
    api.create("before", password)
    create = lambda name: api.post("/create-user", json={"username": name, "provider": "x"})
    away = service.database.with_suffix(".away")
    service.database.rename(away)
    answer = create("meanwhile")
    assert_error(answer, 503)
    assert int(answer.headers["Retry-After"]) >= 1
    assert "was removed or replaced" in service.wait_log(req_id=answer.json()["requestId"])["why"]
    assert "was removed or replaced" in service.wait_log(event="dependency.lost", level="error")["why"]
    assert api.get("/readyz").json()["dependencies"]["database"] == "lost"
    assert api.get("/find/before").status_code == 200, "reading goes on"
    assert not service.database.exists()
    away.rename(service.database)
    assert create("afterwards").status_code == 200
    service.wait_log(event="dependency.found")
    service.restart()
    assert [api.get(f"/find/{name}").status_code for name in ("before", "meanwhile", "afterwards")] == [200, 404, 200]


@pytest.mark.sqlite_only(reason="moves and removes files")
@pytest.mark.parametrize("what", ["file", "log", "both", "replaced"])
def test_database_file_of_notes_that_goes_takes_no_save_and_keeps_the_text(site_of_its_own, what):
    """Saves are refused with what was typed; a note that was answered with a redirect is there after a restart."""
    site = site_of_its_own
    client, notes = browser_session(site, "me"), site.notes
    save = lambda key: client.post("/notes/save", {"docreate": "create", "notekey": key, "title": "T " + key, "body": "precious"})
    assert save("before").status_code == 302
    file, log = notes.database, notes.database.with_name(notes.database.name + "-wal")
    gone = {"file": [file], "log": [log], "both": [file, log], "replaced": [file]}[what]
    for path in gone:
        path.rename(path.with_name(path.name + ".away"))
    if what == "replaced":
        shutil.copy(file.with_name(file.name + ".away"), file)
    answer = save("meanwhile")
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) >= 1
    assert any("precious" in node.text for node in read_page(answer).all("textarea")), "the typed text is lost"
    assert "was removed or replaced" in notes.wait_log(event="dependency.lost", level="error", name="database")["why"]
    assert client.html("/notes/view?key=before").text("notetitle").strip() == "T before", "reading goes on"
    for path in gone:
        path.with_name(path.name + ".away").rename(path)
    assert save("afterwards").status_code == 302
    notes.kill()
    notes.start()
    assert [client.get(f"/notes/view?key={key}").status_code for key in ("before", "meanwhile", "afterwards")] == [200, 404, 200]


class Damage:
    """Overwrites pages of a database file while it is in use, from `first` (0 is the one with the header) on."""

    def __init__(self, database, first):
        with opened(database, is_writable=True) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self.offset = first * connection.execute("PRAGMA page_size").fetchone()[0]
        self.path = database
        self.good = database.read_bytes()[self.offset:]

    def write(self, data):
        with open(self.path, "r+b") as file:
            file.seek(self.offset)
            file.write(data)

    def do(self):
        self.write(b"\xa5" * len(self.good))

    def mend(self):
        self.write(self.good)


def damage_is_told_and_ends(service, damage, is_refused):
    """`is_refused()` says whether a request was a 503. Health and log tell while it lasts, and nobody restarts."""
    database = lambda: Api(service.url).get("/readyz").json()["dependencies"]["database"]
    assert not is_refused() and database() == "ok"
    damage.do()
    until(is_refused, "the damage is met")
    why = service.wait_log(event="dependency.lost", level="error", name="database")["why"]
    assert re.search("damaged|SQLITE_CORRUPT|SQLITE_NOTADB", why), why
    assert database() == "lost"
    damage.mend()
    until(lambda: not is_refused(), "well again")
    service.wait_log(event="dependency.found", name="database")
    assert database() == "ok"


@pytest.mark.sqlite_only(reason="overwrites pages of a file")
@pytest.mark.parametrize("first", [0, 1])
def test_damaged_database_of_userauth_is_told_and_well_again_without_a_restart(services, first):
    service = services.userauth().start()
    api = service.api()
    for number in range(50):
        api.create(f"user{number}", new_password())
    damage_is_told_and_ends(service, Damage(service.database, first), lambda: api.get("/list").status_code == 503)
    assert api.get("/find/user49").status_code == 200


@pytest.mark.sqlite_only(reason="overwrites pages of a file")
@pytest.mark.parametrize("first", [0, 1])
def test_damaged_database_of_notes_keeps_the_text_and_is_well_again_without_a_restart(site_of_its_own, first):
    client, notes = browser_session(site_of_its_own, "me"), site_of_its_own.notes
    serial = iter(range(1000))

    def is_refused():
        answer = client.post("/notes/save", {"docreate": "create", "notekey": f"n{next(serial)}", "title": "T", "body": "precious"})
        assert answer.status_code in (302, 503)
        return answer.status_code == 503 and any("precious" in node.text for node in read_page(answer).all("textarea"))

    assert not is_refused()
    damage_is_told_and_ends(notes, Damage(notes.database, first), is_refused)
    assert client.html("/notes/view?key=n0").text("notetitle").strip() == "T"


# --- crowds ---

@pytest.mark.parametrize("kind", ["userauth", "notes"])
def test_ten_thousand_idle_connections_leave_the_service_answering(services, kind):
    count = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count + 500:
        pytest.skip(f"this machine lets a process open {hard} files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 500, hard))
    idle = []
    try:
        service = make(services, kind, CONNECTION_LIMIT=count + 500, CONNECTIONS_PER_ADDRESS=0, IDLE_TIMEOUT_S=600,
                       READ_TIMEOUT_S=600).start()
        for number in range(count):
            idle.append(socket.create_connection(("127.0.0.1", service.port), 20, (f"127.0.{1 + number // 5000}.1", 0)))
        for number in range(0, count, 10):  # a tenth has begun a request
            idle[number].send(b"GET /healthz HTTP/1.1\r\n")
        path = "/list" if kind == "userauth" else "/"
        for _ in range(50):
            api = service.api() if kind == "userauth" else Api(service.url)
            assert api.get(path, timeout=20).status_code == 200
            api.close()
        for number in range(0, count, 10):
            idle[number].send(b"Host: x\r\n\r\n")
        for number in range(0, count, 10):
            assert idle[number].recv(12) == b"HTTP/1.1 200"
        assert all(is_open(connection) for connection in idle[1::10])
        service.stop()
    finally:
        for connection in idle:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def is_open(connection):
    """Nothing to read and not closed by the peer."""
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_one_address_cannot_take_all_connections_of_notes(services):
    service = make(services, "notes", CONNECTIONS_PER_ADDRESS=20).start()
    mine = [socket.create_connection(("127.0.0.1", service.port), 20, ("127.0.0.2", 0)) for _ in range(60)]
    try:
        until(lambda: sum(is_open(connection) for connection in mine) <= 20, "the rest is closed")
        other = socket.create_connection(("127.0.0.1", service.port), 20, ("127.0.0.3", 0))
        other.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert other.recv(12) == b"HTTP/1.1 200"
        other.close()
        service.wait_log(event="http.connection_refused", why="too many of one address")
    finally:
        for connection in mine:
            connection.close()


def test_full_queue_is_an_immediate_503_and_health_stays_fine(services):
    service = services.userauth(WORKERS=1, QUEUE_LIMIT=1, PASSWORD_MEMORY_KIB=65536, PASSWORD_PASSES=4, HASH_WORKERS=1)
    service.start()
    service.api().create("popular", new_password())

    def check(number):
        with service.api() as api:
            return api.check("popular", "wrong", f"c{number}")

    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        jobs = [pool.submit(check, number) for number in range(24)]
        while not all(job.done() for job in jobs):
            assert Api(service.url).get("/healthz").status_code == 200
        answers = [job.result() for job in jobs]
    assert {answer.status_code for answer in answers} <= {200, 503}
    refused = [answer for answer in answers if answer.status_code == 503]
    assert refused, "24 slow checks at once should fill a queue of one"
    for answer in refused:
        assert_error(answer, 503)
        assert int(answer.headers["Retry-After"]) >= 1
