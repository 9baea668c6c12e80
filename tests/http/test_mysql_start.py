# SPDX-License-Identifier: MIT
"""Starting with a database server that is away, refuses us, takes no writes, says nothing: the service waits for it."""
import signal
import socket

import pytest
import requests

from harness import mariadb, programs
from harness.programs import new_password
from harness.stored import migrations
from harness.wait import until

pytestmark = pytest.mark.server_only


@pytest.fixture(params=["userauth", "notes"])
def service(request, server, services):
    """One that is not started; notes-svc gets a userauth-svc that runs."""
    if request.param == "userauth":
        return services.userauth()
    return services.notes(services.userauth().start())


def assert_waits(service, level, *words):
    """It runs, says once what it waits for, and nothing on standard error."""
    line = service.wait_log(event="service.waiting")
    assert line["level"] == level and line["for"] == "database", line
    for word in words:
        assert word in line["why"], line
    assert service.is_running() and service.stderr_text() == ""
    assert service.settings["DATABASE_PASSWORD"] not in service.stdout_text()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_server_that_is_away_is_waited_for(server, service, end):
    getattr(server, end)()
    try:
        service.spawn()
        assert_waits(service, "warn", "can't be reached", f"127.0.0.1:{server.port}")
        assert not service.is_ready()
    finally:
        server.start()
    service.wait_ready()
    assert len(service.log_lines(event="service.waiting")) >= 1
    service.wait_log(event="dependency.found")
    service.wait_log(event="service.started")
    assert migrations(service.database)


def ask(service, path, method="GET"):
    """None: nobody answers there yet."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.request(method, service.url + path, timeout=10)
        except requests.ConnectionError:
            return None


def test_health_is_answered_while_the_server_is_waited_for(server, service):
    """/healthz is 200 while the process runs, /readyz 503 until the start is complete; also beside one who connects and is
    silent. Such an answer is no line of the log: one looks every second."""
    server.stop()
    try:
        service.spawn()
        until(lambda: ask(service, "/healthz"), "an answer")
        with socket.create_connection(("127.0.0.1", service.port)):
            live = ask(service, "/healthz?x=1")
            assert (live.status_code, live.json()) == (200, {"status": "ok"})
            ready = ask(service, "/readyz")
            assert (ready.status_code, ready.json()["status"]) == (503, "starting")
            assert ready.json()["dependencies"]["database"] == "lost"
            assert [ask(service, path, "HEAD").status_code for path in ("/healthz", "/readyz")] == [200, 503]
            for path, method in (("/", "GET"), ("/healthzz", "GET"), ("/healthz", "POST"), ("/find/me", "GET")):
                answer = ask(service, path, method)
                assert (answer.status_code, answer.json()["code"]) == (503, "ServiceUnavailable")
                assert int(answer.headers["Retry-After"]) >= 1
        assert not service.log_lines(event="http.request_done", route="/readyz")
        checked = programs.run(service.program, "--healthcheck", **service.settings)
        assert checked.returncode == 1 and "answers 503" in checked.stderr
    finally:
        server.start()
    service.wait_ready()
    assert ask(service, "/healthz").json() == {"status": "ok"}
    service.stop()


def test_signal_ends_one_that_answers_meanwhile(server, service):
    server.stop()
    try:
        service.spawn()
        until(lambda: ask(service, "/healthz"), "an answer")
        service.signal(signal.SIGTERM)
        assert service.wait_exit() == 0
    finally:
        server.start()


def test_same_reason_is_told_once(server, service):
    """In the server's place stands one that hangs up on everybody."""
    server.stop()
    try:
        with socket.create_server(("127.0.0.1", server.port)) as listener:
            listener.settimeout(30)
            service.spawn()
            for _ in range(6):
                listener.accept()[0].close()
            assert len(service.log_lines(event="service.waiting")) == 1, service.tail()
    finally:
        server.start()
    service.wait_ready()


@pytest.mark.parametrize("setting, what", [("DATABASE_PASSWORD", "ER_ACCESS_DENIED_ERROR"), ("DATABASE_URL", "ER_BAD_DB_ERROR")])
def test_server_that_refuses_us_is_an_error_and_waited_for(server, service, setting, what):
    right = dict(service.settings)
    service.settings[setting] = {"DATABASE_PASSWORD": new_password(),
                                 "DATABASE_URL": server.settings("notes_missing")["DATABASE_URL"]}[setting]
    service.spawn()
    assert_waits(service, "error", what)
    if setting == "DATABASE_URL":
        server.root("CREATE DATABASE notes_missing")
    else:
        server.root(f"ALTER USER {mariadb.USER}@'127.0.0.1' IDENTIFIED BY '{service.settings[setting]}'")
    try:
        service.wait_ready()
    finally:
        server.root("DROP DATABASE IF EXISTS notes_missing",
                    f"ALTER USER {mariadb.USER}@'127.0.0.1' IDENTIFIED BY '{server.password}'")
        service.kill()
        service.settings = right


def test_server_that_takes_no_writes_is_waited_for(server, service):
    server.root("SET GLOBAL read_only = 1")
    try:
        service.spawn()
        assert_waits(service, "warn", "read")
    finally:
        server.root("SET GLOBAL read_only = 0")
    service.wait_ready()
    assert migrations(service.database)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("how", ["stop", "pause"])
def test_signal_ends_one_that_waits(server, service, how, number):
    """Also in the middle of a call that stands still."""
    getattr(server, how)()
    try:
        service.spawn()
        if how == "stop":
            service.wait_log(event="service.waiting")
        else:
            until(lambda: server.has_client(service.pid), "a connection")
        service.signal(number)
        assert service.wait_exit() == 0
        assert service.log_lines()[-1]["event"] == "service.stopped"
    finally:
        server.resume() if how == "pause" else server.start()


def test_one_that_waits_can_be_halted_and_goes_on(server, service):
    """As by Ctrl-Z and fg: a halt ends what waits for a signal, but it is none to end."""
    server.stop()
    try:
        service.spawn()
        service.wait_log(event="service.waiting")
        until(lambda: ask(service, "/healthz"), "an answer")
        service.signal(signal.SIGSTOP)
        service.signal(signal.SIGCONT)
        assert ask(service, "/healthz").status_code == 200
    finally:
        server.start()
    service.wait_ready()
    service.stop()


def test_health_is_answered_while_another_ones_migration_is_waited_for(server, service):
    """Also where no try has failed: whoever migrates for an hour is not dead."""
    holder = server.connect(service.database.name)
    with holder.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(CONCAT('notes.', SHA2(DATABASE(), 224)), 0)")
        service.spawn()
        until(lambda: ask(service, "/healthz"), "an answer")
        ready = ask(service, "/readyz")
        assert (ready.status_code, ready.json()["dependencies"]["database"]) == (503, "ok")
    holder.close()
    service.wait_ready()
    service.stop()


def test_signal_ends_one_that_waits_for_another_ones_migration(server, service):
    holder = server.connect(service.database.name)
    with holder.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(CONCAT('notes.', SHA2(DATABASE(), 224)), 0)")
        service.spawn()
        until(lambda: [what for _, _, what in server.sessions() if what and "GET_LOCK" in what], "waiting")
        service.signal(signal.SIGTERM)
        assert service.wait_exit() == 0
    holder.close()
    service.start()


def test_signal_ends_one_amid_a_migration(server, service):
    """Which has no deadline of its own."""
    holder = server.connect(service.database.name)
    with holder.cursor() as cursor:
        cursor.execute("CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name VARCHAR(255) NOT NULL,"
                       " oldest_program INTEGER NOT NULL, applied_unix_ms BIGINT NOT NULL)")
        cursor.execute("LOCK TABLES schema_migrations WRITE")
        service.spawn()
        until(lambda: [what for _, _, what in server.sessions() if what and "schema_migrations" in what], "waiting")
        service.signal(signal.SIGTERM)
        assert service.wait_exit() == 0
        assert service.log_lines()[-1]["event"] == "service.stopped"
    holder.close()
    service.start()


def test_newer_programs_database_still_stops_the_start(server, service):
    service.start()
    service.stop()
    known = max(migrations(service.database))
    server.root(f"INSERT INTO {service.database.name}.schema_migrations VALUES ({known + 1}, 'newer', {known + 1}, 1)")
    service.spawn()
    assert service.wait_exit() == 1
    assert "newer program" in service.stderr_text() and len(service.stderr_text().splitlines()) == 1


@pytest.mark.parametrize("settings", [{"DATABASE_URL": "mysql://user@/db"}, {"DATABASE_URL": "mysql://u@h:0/db"},
                                      {"DATABASE_TLS": "perhaps"}])
def test_malformed_setting_stops_the_start(server, service, settings):
    service.settings.update(settings)
    service.spawn()
    assert service.wait_exit() == 2
    assert list(settings)[0] in service.stderr_text()


def test_administration_does_not_wait_for_ever(server, services):
    userauth = services.userauth().start()
    notes = services.notes(userauth).start()
    notes.stop()
    settings = {**notes.settings, "DATABASE_PASSWORD": new_password()}
    done = programs.run(notes.program, "--restore", "key", **settings)
    assert done.returncode == 1 and "ER_ACCESS_DENIED_ERROR" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_four_notes_start_at_once_on_an_empty_database(server, services):
    """Also when the first two are killed in the middle of it."""
    userauth = services.userauth().start()
    all_four = [services.notes(userauth) for _ in range(4)]
    for service in all_four:
        service.spawn()
    until(lambda: server.root(f"SHOW TABLES FROM {all_four[0].database.name}"), "a table", every_s=0.001)
    for service in all_four[:2]:
        service.kill()
    for service in all_four[2:]:
        service.wait_ready()
    versions = migrations(all_four[3].database)
    assert versions and versions == list(range(1, len(versions) + 1))
    assert server.root(f"SELECT COUNT(*) FROM {all_four[3].database.name}.schema_migration_steps WHERE is_running = 1") == ((0,),)
