# SPDX-License-Identifier: MIT
"""What only a database server can do to the services: it stops, is killed, stands still, takes no writes, holds locks."""
import collections
import concurrent.futures
import contextlib
import itertools
import signal
import socket
import tempfile
import threading
import time

import pytest

from harness import kept_sessions, mariadb
from harness.client import Client, read_page
from harness.cutting_proxy import CuttingProxy
from harness.disk import SmallDisk
from harness.errors import assert_error
from harness.programs import new_password
from harness.services import Notes
from harness.site import Site
from harness.stored import migrations, opened
from harness.wait import until
from notes_verbs import comment, create_note, destroy_note, shown_comments, view_path

pytestmark = pytest.mark.server_only
CRAMPED_MIB = 160
READ = "/?page=1"  # the list, read from the database; "/" may be shown as it was a moment ago
PATIENCE_MS = 20000  # longer than a busy machine, or its disk, stands still
SHORT_MS = 3000
_serial = itertools.count(1)


@pytest.fixture
def site(server, tmp_path):
    """Its requests have long deadlines. A test in which one passes sets a shorter one."""
    both = Site(tmp_path, {"REQUEST_DEADLINE_MS": PATIENCE_MS, "WRITES_PER_MIN": 0}, {"REQUEST_DEADLINE_MS": PATIENCE_MS})
    both.start()
    yield both
    both.stop()


def signed_in(site, name="me"):
    client = Client(site.url)
    assert client.login(name, site.passwords[name]).status_code == 302
    return client


def save(client, key):
    return client.post("/notes/save", {"docreate": "create", "notekey": key, "title": "T " + key, "body": "precious " + key})


def saved(client):
    """Saves a note; its key when that was answered well. Each time another one: what was told 503 may be there all the same."""
    key = f"saved-{next(_serial)}"
    return key if save(client, key).status_code == 302 else None


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_server_that_goes_and_comes_is_503_and_then_fine_without_a_restart(server, site, end):
    client = signed_in(site)
    client.csrf()
    assert save(client, "before" + end).status_code == 302
    pids = site.notes.pid, site.userauth.pid
    getattr(server, end)()
    try:
        assert Client(site.url).get(READ).status_code == 503
        answer = save(client, "during")
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) >= 1
        assert_error(site.api.get("/find/me"), 503)
        assert Client(site.url).get("/healthz").status_code == 200
        site.notes.wait_log(event="dependency.lost", name="database")
        site.userauth.wait_log(event="dependency.lost", name="database")
    finally:
        server.start()
    until(lambda: Client(site.url).get(READ).status_code == 200, "reading again")
    until(lambda: saved(client), "writing again")
    until(lambda: site.api.get("/find/me").status_code == 200, "users again")
    assert "T before" + end in client.html("/notes/view?key=before" + end).text("notetitle")
    assert pids == (site.notes.pid, site.userauth.pid)
    site.notes.wait_log(event="dependency.found", name="database")


def test_restart_between_two_requests_is_not_noticed(server, site):
    """The service stands still meanwhile: what it looks after every few seconds is a request, too."""
    client = signed_in(site)
    create_note(client, "one")
    for how in ("stop", "kill"):
        site.notes.signal(signal.SIGSTOP)
        try:
            getattr(server, how)()
            server.start()
        finally:
            site.notes.signal(signal.SIGCONT)
        answers = [client.get(READ).status_code for _ in range(20)]
        assert answers == [200] * 20, answers
        assert save(client, "after-" + how).status_code == 302


def test_server_that_stands_still_is_a_503_at_the_deadline(server, site):
    client = signed_in(site)
    client.csrf()
    site.notes.restart(REQUEST_DEADLINE_MS=SHORT_MS)
    server.pause()
    try:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = [pool.submit(save, client, f"still{n}") for n in range(4)]
            assert Client(site.url).get("/healthz").status_code == 200
            assert [answer.result().status_code for answer in answers] == [503] * 4
    finally:
        server.resume()
    until(lambda: saved(client), "writing again")


@pytest.mark.parametrize("variable", ["read_only", "super_read_only"])
def test_server_that_takes_no_writes_is_read(server, site, variable):
    if variable == "super_read_only" and mariadb.engine() == "mariadb":
        variable = "read_only"  # this server has no other
    client = signed_in(site)
    create_note(client, "readable")
    server.root(f"SET GLOBAL {variable} = 1")
    try:
        refused = save(client, "refused")
        assert refused.status_code == 503 and "precious refused" in refused.text
        assert "A title" in client.html("/notes/view?key=readable").text("notetitle")
        assert site.api.get("/find/me").status_code == 200
        assert_error(site.api.post("/create-user", json={"username": "x", "provider": "x"}), 503)
    finally:
        server.root(f"SET GLOBAL {variable} = 0", "SET GLOBAL read_only = 0")
    until(lambda: saved(client), "writing again")
    assert site.api.post("/create-user", json={"username": "x", "provider": "x"}).status_code == 200


def test_row_that_another_holds_locked_is_a_503_and_it_recovers(server, site):
    client = signed_in(site)
    client.csrf()
    site.notes.restart(REQUEST_DEADLINE_MS=SHORT_MS)
    holder = server.connect(site.notes.database.name)
    with holder.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT revision FROM home_list WHERE id = 1 FOR UPDATE")
        assert save(client, "blocked").status_code == 503
        until(lambda: client.get(READ).status_code == 200, "reading meanwhile")
        cursor.execute("ROLLBACK")
    holder.close()
    until(lambda: saved(client), "writing again")


def test_readers_whose_use_is_to_be_noted_read_on_while_sessions_are_locked(server, tmp_path):
    """What is noted of a session is not waited for: the deadline is long, and no answer takes so long."""
    site = Site(tmp_path, {"REDIS_URL": "", "REQUEST_DEADLINE_MS": 120000, "WORKERS": 2, "USER_CHECK_S": 3600})
    site.start()
    try:
        clients = [signed_in(site) for _ in range(4)]
        kept_sessions.age(site.notes, used=1000)
        holder = server.connect(site.notes.database.name)
        with contextlib.closing(holder), holder.cursor() as cursor, concurrent.futures.ThreadPoolExecutor(4) as pool:
            cursor.execute("BEGIN")
            cursor.execute("SELECT digest FROM sessions FOR UPDATE")
            assert list(pool.map(lambda client: client.get("/notes/add", timeout=40).status_code, clients)) == [200] * 4
            site.notes.wait_log(event="session.touch_failed")
            cursor.execute("ROLLBACK")

        def is_noted():
            assert [client.get("/notes/add").status_code for client in clients] == [200] * 4
            return all(time.time() * 1000 - row["used_unix_ms"] < 500_000 for row in kept_sessions.rows(site.notes))

        until(is_noted, "noted by the next request that the server lets write within a second")
    finally:
        site.stop()


def test_comment_on_a_note_that_another_holds_locked_waits_alone(server, site):
    """Comments are committed in groups: one that has to wait for its note keeps nobody else's waiting."""
    client, other = signed_in(site), signed_in(site, "you")
    for key in ("held", "free"):
        assert save(client, key).status_code == 302
    other.csrf()
    holder = server.connect(site.notes.database.name)

    def lock_waits(kind):
        return int(server.root(f"SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_{kind}'")[0][1])

    before = lock_waits("waits")
    with concurrent.futures.ThreadPoolExecutor(4) as pool, holder.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT id FROM notes WHERE note_key = 'held' FOR UPDATE")
        held = pool.submit(comment, client, "held", "patient")
        until(lambda: lock_waits("current_waits") == 1, "the comment to wait for its note")
        for number in range(5):
            comment(other, "free", f"at once {number}")
        assert not held.done()
        cursor.execute("ROLLBACK")
        assert held.result()["message"] == "patient"
    assert lock_waits("waits") == before + 1  # it alone, and not the group first
    holder.close()


@pytest.mark.parametrize("step", [1, 7])
def test_comments_made_together_know_their_ids(server, site, step):
    """One statement inserts several; the server tells the first id, and the others follow in its steps."""
    server.root(f"SET GLOBAL auto_increment_increment = {step}")
    site.notes.restart()  # the step is a session's
    try:
        clients = [signed_in(site, name) for name in ("me", "you") for _ in range(8)]
        assert save(clients[0], "many").status_code == 302
        for client in clients:
            client.csrf()

        def write(number):
            return {int(comment(clients[number], "many", f"{number} {turn}")["id"]): f"{number} {turn}" for turn in range(10)}

        commits = "SHOW GLOBAL STATUS LIKE 'Com_commit'"
        before = int(server.root(commits)[0][1])
        with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
            made = dict(collections.ChainMap(*pool.map(write, range(len(clients)))))
        assert int(server.root(commits)[0][1]) - before < len(clients) * 10  # there were groups
        assert made == dict(server.root(f"SELECT id, message FROM {site.notes.database.name}.comments"))
    finally:
        server.root("SET GLOBAL auto_increment_increment = 1")


def test_finds_that_waited_together_are_all_answered(server, site):
    """Two workers wait for the table, and those that come meanwhile for them; then idle ones take over."""
    names = ["me", "you", "nobody", "ME"]
    alone = {name: site.api.get(f"/find/{name}").text for name in names}
    holder = server.connect(site.userauth.database.name)

    def ask(number):
        with site.userauth.api() as api:
            answer = api.get(f"/find/{names[number % len(names)]}")
            return answer.status_code, answer.text

    with concurrent.futures.ThreadPoolExecutor(24) as pool, holder.cursor() as cursor:
        cursor.execute("LOCK TABLES users WRITE")
        asked = [pool.submit(ask, number) for number in range(24)]
        waiting = "SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata lock'"
        until(lambda: server.root(waiting)[0][0] >= 3, "more than two workers to wait")
        cursor.execute("UNLOCK TABLES")
        answers = [one.result() for one in asked]
    holder.close()
    for number, (status, text) in enumerate(answers):
        name = names[number % len(names)]
        assert (status, text) == (404 if name == "nobody" else 200, alone[name]), name


def test_killed_connections_are_made_again(server, site):
    client = signed_in(site)
    for number in range(5):
        server.kill_sessions()
        assert client.get(READ).status_code == 200
        assert save(client, f"killed{number}").status_code == 302


class Writers:
    """Threads that comment on one note until told to stop, each comment with a text of its own."""

    def __init__(self, site, urls, threads=4):
        self.client = signed_in(site)
        create_note(self.client, "load")
        self.token = self.client.csrf()
        self.urls = urls
        self.database = site.notes.database.name
        self.is_over = threading.Event()
        self.done = collections.defaultdict(list)
        self.pool = concurrent.futures.ThreadPoolExecutor(threads)
        self.runs = [self.pool.submit(self._run, number) for number in range(threads)]

    def _run(self, number):
        one = Client(self.urls[number % len(self.urls)])
        one.http.cookies.update(self.client.http.cookies)
        for place in itertools.count():
            if self.is_over.is_set():
                return
            text = f"w{number}-{place}"
            answer = one.post("/notes/comment", {"key": "load", "message": text, "csrf": self.token})
            self.done[answer.status_code].append(text)

    def wait_for(self, count):
        """`count` more comments that were answered well."""
        goal = len(self.done[302]) + count
        until(lambda: len(self.done[302]) >= goal or any(run.done() for run in self.runs), f"{count} comments", 60)

    def end(self):
        self.is_over.set()
        for run in self.runs:
            run.result()
        self.pool.shutdown()

    def assert_kept(self, server):
        """What was answered well is there, once; what was not is there once or not at all; nothing else is."""
        assert set(self.done) <= {302, 503}, {code: len(texts) for code, texts in self.done.items()}
        rows = [row[0] for row in server.root(f"SELECT message FROM {self.database}.comments")]
        there = [row.decode() if isinstance(row, bytes) else row for row in rows]
        assert len(there) == len(set(there))
        assert set(self.done[302]) <= set(there) <= set(self.done[302]) | set(self.done[503])


def test_nothing_answered_is_lost_when_the_server_is_killed_under_load(server, site):
    writers = Writers(site, [site.url])
    try:
        for _ in range(3):
            writers.wait_for(20)
            server.kill()
            server.start()
        writers.wait_for(20)
    finally:
        writers.end()
    writers.assert_kept(server)


@pytest.mark.parametrize("what", ["KILL", "KILL QUERY"])
def test_nothing_is_lost_or_doubled_when_connections_are_killed_under_load(server, site, what):
    writers = Writers(site, [site.url])
    try:
        for _ in range(40):
            writers.wait_for(2)
            server.kill_sessions(what)
        writers.wait_for(20)
    finally:
        writers.end()
    writers.assert_kept(server)


def test_storm_on_one_note_by_two_processes_loses_nothing(server, site):
    """All lock the same rows; whoever becomes a deadlock's victim is served all the same."""
    second = Notes(site.state_dir, site.userauth, WRITES_PER_MIN=0, REQUEST_DEADLINE_MS=PATIENCE_MS).start()
    try:
        writers = Writers(site, [site.url, second.url], threads=12)
        try:
            writers.wait_for(300)
        finally:
            writers.end()
        assert set(writers.done) == {302}, {code: len(texts) for code, texts in writers.done.items()}
        writers.assert_kept(server)
    finally:
        second.stop()


@pytest.fixture
def pair(server):
    """Two servers with one user and one database name: `server` and another."""
    other = mariadb.own(is_durable=True)
    other.root(f"ALTER USER {mariadb.USER}@'127.0.0.1' IDENTIFIED BY '{server.password}'")
    yield server, other
    server.root("SET GLOBAL read_only = 0")
    other.close()


def names_in(server, database):
    return {row[0] for row in server.root(f"SELECT username FROM {database}.users")}


def test_next_host_takes_over_and_one_that_takes_writes_is_preferred(pair, services):
    first, second = pair
    service = services.userauth(REQUEST_DEADLINE_MS=5000)
    database = service.database.name
    second.root(f"CREATE DATABASE {database}")
    url = f"mysql://{mariadb.USER}@127.0.0.1:{{}}/{database}"
    service.settings["DATABASE_URL"] = url.format(second.port)
    service.start()  # the second gets its tables, as replication would give it
    service.restart(DATABASE_URL=url.format(f"{first.port},127.0.0.1:{second.port}"))

    def made():
        """Makes a user; its name when that was answered well. Each time another one: what was told 503 may be there all the same."""
        name = f"user{next(_serial)}"
        return name if service.api().post("/create-user", json={"username": name, "provider": "x"}).status_code == 200 else None

    def writes_to(server):
        """Makes users until it works; that one must be on this server then."""
        assert until(made, "a user is made", 30) in names_in(server, database)
        return True

    assert writes_to(first)
    first.kill()
    assert writes_to(second)
    first.start()
    first.root("SET GLOBAL read_only = 1")
    service.restart()  # asks the first one first
    assert writes_to(second)
    first.root("SET GLOBAL read_only = 0")
    second.root("SET GLOBAL read_only = 1")
    assert writes_to(first)
    second.kill()
    assert writes_to(first)


def test_older_names_of_the_settings_sign_in(server, services):
    service = services.userauth()
    name = service.database.name
    for setting in ("DATABASE_URL", "DATABASE_PASSWORD"):
        service.settings[setting] = None
    service.settings.update(SEQUELIZE_DBHOST="127.0.0.1", SEQUELIZE_DBPORT=server.port, SEQUELIZE_DBNAME=name,
                            SEQUELIZE_DBUSER=mariadb.USER, SEQUELIZE_DBPASSWD=server.password)
    service.start()
    assert service.api().post("/create-user", json={"username": "x", "provider": "x"}).status_code == 200
    assert server.root(f"SELECT username FROM {name}.users") == (("x",),)


def test_two_notes_share_sessions_notes_and_revisions(server, site, tmp_path):
    second = Notes(site.state_dir, site.userauth, WRITES_PER_MIN=0, REQUEST_DEADLINE_MS=PATIENCE_MS).start()
    try:
        client = signed_in(site)
        other = Client(second.url)
        other.http.cookies.update(client.http.cookies)
        create_note(client, "shared")
        token = client.csrf()
        assert "A title" in other.html("/notes/view?key=shared").text("notetitle")

        def comment(number):
            one = Client((site.notes, second)[number % 2].url)
            one.http.cookies.update(client.http.cookies)
            return one.post("/notes/comment", {"key": "shared", "message": f"c{number}", "csrf": token}).status_code

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            assert set(pool.map(comment, range(60))) == {302}
        rows = server.root(f"SELECT COUNT(*), COUNT(DISTINCT message) FROM {site.notes.database.name}.comments")
        assert rows == ((60, 60),)
    finally:
        second.stop()


def test_many_who_save_at_once_all_succeed(server, site, tmp_path):
    """Creating, editing and destroying on two processes: nobody is a deadlock's victim for good."""
    second = Notes(site.state_dir, site.userauth, WRITES_PER_MIN=0, REQUEST_DEADLINE_MS=PATIENCE_MS).start()
    try:
        client = signed_in(site)
        token = client.csrf()

        def live(number):
            one = Client((site.notes, second)[number % 2].url)
            one.http.cookies.update(client.http.cookies)
            key = f"busy{number % 3}"
            codes = []
            for _ in range(4):
                codes.append(one.post("/notes/save", {"docreate": "create", "notekey": key, "title": "T", "body": "B",
                                                      "csrf": token}).status_code)
                codes.append(one.post("/notes/destroy/confirm", {"notekey": key, "csrf": token}).status_code)
            return codes

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            codes = {code for codes in pool.map(live, range(8)) for code in codes}
        assert codes <= {302, 404, 409}, codes
    finally:
        second.stop()


def test_wrong_tries_at_once_are_all_counted(server, services):
    services_of_one = [services.userauth().start() for _ in range(2)]
    services_of_one[0].api().create("popular", new_password())

    def attempt(number):
        with services_of_one[number % 2].api() as api:
            return api.check("popular", "wrong", "one").status_code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(attempt, range(4)))
    rows = server.root(f"SELECT is_total, failures FROM {services_of_one[0].database.name}.login_throttle ORDER BY is_total")
    assert rows == ((0, 4), (1, 4))


def test_crash_in_the_middle_of_starts_leaves_a_database_that_opens(server, services):
    for _ in range(6):
        service = services.userauth()
        before = service.database.name
        service.spawn()
        until(lambda: server.root(f"SHOW TABLES FROM {before}") or not service.is_running(), "a table", every_s=0.001)
        service.kill()
    service.start()
    versions = migrations(service.database)
    assert versions and versions == sorted(set(versions))


class Trickle:
    """A relay to the server that, once `is_slow`, greets newcomers with one byte a second instead."""

    def __init__(self, port):
        self.target = ("127.0.0.1", port)
        self.is_slow = False
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                one, _ = self.listener.accept()
                if self.is_slow:
                    threading.Thread(target=self._drip, args=(one,), daemon=True).start()
                    continue
                other = socket.create_connection(self.target)
                self.pairs.append((one, other))
                for pair in ((one, other), (other, one)):
                    threading.Thread(target=self._relay, args=pair, daemon=True).start()

    @staticmethod
    def _relay(source, sink):
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                sink.sendall(chunk)

    @staticmethod
    def _drip(one):
        with contextlib.suppress(OSError):
            one.sendall(b"\xff\xff\x00\x00\x0a")
            while True:
                time.sleep(1)
                one.sendall(b"8")

    def become_slow(self):
        self.is_slow = True
        for pair in self.pairs:
            for one in pair:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


def test_server_that_greets_byte_by_byte_holds_nobody_past_the_deadline(server, services):
    relay = Trickle(server.port)
    userauth = services.userauth().start()
    notes = services.notes(userauth, REQUEST_DEADLINE_MS=SHORT_MS)
    notes.settings["DATABASE_URL"] = notes.settings["DATABASE_URL"].replace(f":{server.port}/", f":{relay.port}/")
    notes.start()
    until(lambda: Client(notes.url).get(READ).status_code == 200, "reading")
    relay.become_slow()
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = [answer.status_code for answer in pool.map(lambda _: Client(notes.url).get(READ), range(12))]
    assert answers == [503] * 12
    assert notes.stop() == 0  # within the harness' patience, although the server still drips
    relay.listener.close()


def test_while_the_server_stands_still_most_are_told_at_once(server, services):
    """Some wait for it until their deadline; the rest need not find out for themselves."""
    userauth = services.userauth().start()
    notes = services.notes(userauth).start()
    assert Client(notes.url).get(READ).status_code == 200
    server.pause()
    try:
        with concurrent.futures.ThreadPoolExecutor(60) as pool:
            answers = []

            def somebody_is_told_at_once():
                answers.append(pool.submit(Client(notes.url).get, READ))
                return "stands still: not asked just now" in notes.stdout_text()

            until(somebody_is_told_at_once, "requests that are not held", 60, every_s=0.2)
        assert {answer.result().status_code for answer in answers} == {503}
    finally:
        server.resume()
    until(lambda: Client(notes.url).get(READ).status_code == 200, "reading again")


@pytest.fixture
def cramped(tmp_path, monkeypatch):
    """A server whose data lie on a small disk, and that disk."""
    if mariadb.engine() == "mysql":
        pytest.skip("the MySQL of the tests has its data in a root of its own")
    disk = SmallDisk(tmp_path / "disk", size_mib=CRAMPED_MIB)
    if not disk.is_mounted:
        pytest.skip("nothing can be mounted here")
    disk.folder.chmod(0o1777)
    monkeypatch.setattr(tempfile, "tempdir", str(disk.folder))
    server = mariadb.own(is_durable=True)
    monkeypatch.undo()
    yield server, disk
    server.close()
    disk.close()


def test_full_disk_of_the_server_is_a_503_that_keeps_the_text_and_it_recovers(cramped, services):
    server, disk = cramped
    userauth = services.userauth().start()
    userauth.api().create("me", "a password of me")
    notes = services.notes(userauth, WRITES_PER_MIN=0, **server.settings(server.database_of("cramped"))).start()
    client = Client(notes.url)
    client.login("me", "a password of me")
    assert save(client, "before").status_code == 302
    disk.fill()
    numbers = itertools.count()

    def refused():
        form = {"docreate": "create", "notekey": f"during-{next(numbers)}", "title": "During", "body": "precious " * 50_000}
        answer = client.post("/notes/save", form)
        return answer.status_code != 302 and [answer]  # an answer of 503 by itself counts as nothing

    answer, = until(refused, "a save that is refused", 60)
    assert answer.status_code == 503
    assert any("precious precious" in node.text for node in read_page(answer).all("textarea")), "the typed text is lost"
    disk.make_room()

    def saves_again():
        if not server.is_running():  # InnoDB gives up on some writes, maybe later; who looks after the server starts it again
            server.start()
        return saved(client)

    for key in ("before", until(saves_again, "writing again", 60, every_s=0.5)):
        assert Client(notes.url).get(f"/notes/view?key={key}").status_code == 200


def test_server_without_skip_locked_is_told_and_all_works(server, site):
    """What an old server says to it, a syntax error, this one says to a word that it does not know."""
    if mariadb.engine() == "mysql":
        pytest.skip("connections to MySQL are encrypted, so no word in them can be misspelt on the way")
    relay = CuttingProxy(server.port)
    relay.misspelt = b" SKIP LOCKED"
    site.notes.settings["DATABASE_URL"] = site.notes.settings["DATABASE_URL"].replace(f":{server.port}/", f":{relay.port}/")
    try:
        site.notes.restart()
        client = signed_in(site)
        create_note(client, "long ago")
        comment(client, "long ago", "on it")
        destroy_note(client, "long ago")
        create_note(client, "talked about")
        client.csrf()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = [pool.submit(client.post, "/notes/comment", {"key": "talked about", "message": f"comment {n}"}) for n in range(16)]
            assert {one.result().status_code for one in answers} == {302}
        assert len(shown_comments(client.html(view_path("talked about")))) == 16
        with opened(site.notes.database, is_writable=True) as database:
            database.execute("UPDATE destroyed_notes SET destroyed_unix_ms = 1000")
        told_count = len(site.notes.log_lines(event="database.old"))
        site.notes.restart()
        assert site.notes.wait_log(event="note.purged")["count"] == 1
        assert told_count == 1 and len(site.notes.log_lines(event="database.old")) == 2, "once at each start"
        assert not site.notes.log_lines(event="housekeeping.failed")
    finally:
        relay.close()
