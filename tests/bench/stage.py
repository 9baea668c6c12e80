# SPDX-License-Identifier: MIT
"""Everything that is measured, on loopback: a database server and a Redis that lose nothing they have confirmed, both
services from the release build with their own defaults (but no limits by address and user, for all load comes from one),
and the data of each case, made once."""
import contextlib
import http.client
import os
import pathlib
import platform
import re
import subprocess
from urllib.parse import urlencode

from harness import programs
from harness.client import Client
from harness.database_server import USER
from harness.mariadb import MariaDb
from harness.redis import Redis
from harness.services import Notes, Userauth

from bench import fill, statements

NO_LIMITS = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0, "CONNECTIONS_PER_ADDRESS": 0, "SOCKETS_PER_ADDRESS": 0,
             "SOCKETS_PER_SESSION": 0, "LIVE_SOCKETS": 12000}
NO_LIMITS_OF_USERS = {"CONNECTIONS_PER_ADDRESS": 0}
REAL_COST = {"PASSWORD_MEMORY_KIB": None, "PASSWORD_PASSES": None}
# Room for all data of a case, and writes to disk as a server does them by itself.
BUFFERS = ["--innodb-buffer-pool-size=1G", "--innodb-doublewrite=1"]
LOG_SIZE = {"MariaDB": "--innodb-log-file-size=512M", "MySQL": "--innodb-redo-log-capacity=1G"}
FIRST_NOTE = "note-0000000"


def note_path(key):
    return "/notes/view?key=" + key


def ask(url, path, headers=()):
    """One GET; the answer's status, fields in their order and body as they are."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    with contextlib.closing(connection):
        connection.putrequest("GET", path, skip_accept_encoding=True)
        for field in headers:
            connection.putheader(*(part.strip() for part in field.split(":", 1)))
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()


class Stage:
    def __init__(self, folder, engine="mariadb", scale=1.0):
        """scale: data of so many times the size, to try the bench itself."""
        self.folder = pathlib.Path(folder)
        self.engine = engine
        self.scale = scale
        self.password = programs.new_password("me")
        self._made = {}  # servers and services by what they are
        self._filled = set()
        self._files = iter(range(1, 1_000_000))

    def scaled(self, count, least=1):
        return max(least, int(count * self.scale))

    # --- servers ---

    def _once(self, name, make):
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    @property
    def database(self):
        def make():
            if self.engine == "mysql":
                from harness.mysql import MySql, missing
                why_not = missing()
                if why_not:
                    raise RuntimeError(why_not)
                server = MySql(is_durable=True, options=[*BUFFERS, LOG_SIZE["MySQL"]])
            else:
                server = MariaDb(is_durable=True, options=[*BUFFERS, LOG_SIZE["MariaDB"]])
            server.user = USER
            return server
        return self._once("database", make)

    @property
    def redis(self):
        return self._once("redis", lambda: Redis(has_password=True, append_only=True).start())

    def schema(self, name):
        return self.database.database_of(name)

    def pids(self):
        """Of the servers, and of the services that stay."""
        return [thing.process.pid for thing in (self.database, self.redis, self.userauth(), *self._made.values()) if thing.process]

    @contextlib.contextmanager
    def _all_or_nothing(self, schema, service):
        """Data that could not be made whole go, with who runs on them, so that the next case begins anew."""
        try:
            yield
        except BaseException:
            service.kill()
            self.database.root(f"DROP DATABASE {schema}")
            raise

    # --- services ---

    def userauth(self, count=1000):
        """A userauth-svc with that many users besides "me"; it stays until the end."""
        count = self.scaled(count, least=10)

        def make():
            schema = self.schema(f"users-{count}")
            service = Userauth(self.folder / f"users-{count}", **self.database.settings(schema), **NO_LIMITS_OF_USERS, **REAL_COST).start()
            with self._all_or_nothing(schema, service), service.api() as api:
                api.create("me", self.password)
                fill.users(self.database, schema, count)
            return service
        return self._once(f"users-{count}", make)

    def users_schema(self, count=1000):
        return self.schema(f"users-{self.scaled(count, least=10)}")

    def _notes_service(self, schema, **env):
        return Notes(self.folder / "notes", self.userauth(), **self.database.settings(schema), **self.redis.settings(),
                     **{**NO_LIMITS, **env})

    @contextlib.contextmanager
    def notes(self, data, **env):
        """A running notes-svc on `data` (measure.py), which is made first when it is not there."""
        schema = self.schema(data.name)
        if data.name not in self._filled:
            maker = self._notes_service(schema)
            with self._all_or_nothing(schema, maker):
                with maker:
                    self.sign_in(maker).post("/notes/save", {"docreate": "create", "notekey": FIRST_NOTE, "body": fill.BODY,
                                                             "title": "How we look after the house"})
                data.fill(self.database, schema, self)
            self._filled.add(data.name)
        service = self._notes_service(schema, **env).start()
        try:
            yield service
        except BaseException:
            service.kill()
            raise
        service.stop()
        os.truncate(service.stdout_path, 0)

    def sign_in(self, service):
        client = Client(service.url)
        client.login("me", self.password)
        if not client.is_signed_in:
            raise RuntimeError("signing in failed\n" + service.tail())
        return client

    # --- requests ---

    def file(self, content):
        path = self.folder / f"file-{next(self._files)}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def get_file(self, service, path, headers=()):
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{service.port}", *headers]
        return self.file("\r\n".join(lines) + "\r\n\r\n")

    def post_file(self, service, path, body, content_type, headers=()):
        lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{service.port}", f"Content-Type: {content_type}",
                 f"Content-Length: {len(body)}", *headers]
        return self.file("\r\n".join(lines) + "\r\n\r\n" + body)

    def comment_file(self, service, client, key):
        body = urlencode({"key": "KEY", "message": fill.MESSAGE, "csrf": client.csrf()}).replace("KEY", key, 1)
        return self.post_file(service, "/notes/comment", body, "application/x-www-form-urlencoded",
                              [f"Cookie: notescookie.sid={client.session_cookie}", f"Origin: {service.url}", "Accept: application/json"])

    # --- what the service says to the database ---

    @contextlib.contextmanager
    def statements_log(self):
        """Collects the statements that our user runs meanwhile, in their order: a list that is full at the end."""
        collected = []
        self.database.root("SET GLOBAL log_output = 'TABLE'", "TRUNCATE TABLE mysql.general_log", "SET GLOBAL general_log = ON")
        try:
            yield collected
        finally:
            self.database.root("SET GLOBAL general_log = OFF")
        rows = self.database.root("SELECT argument FROM mysql.general_log WHERE command_type IN ('Execute', 'Query')"
                                  f" AND user_host LIKE '%{USER}%' ORDER BY event_time")
        collected += [statements.normal(row[0]) for row in rows]

    def questions_count(self):
        return int(self.database.root("SHOW GLOBAL STATUS LIKE 'Questions'")[0][1])

    # --- the end ---

    def close(self):
        for thing in reversed(list(self._made.values())):
            (thing.kill if isinstance(thing, Userauth) else thing.close)()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def machine(self):
        """What the figures depend on."""
        def first_line(*command):
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
            return (done.stdout.splitlines() or [""])[0]
        with open("/proc/cpuinfo") as info:
            processor = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), platform.machine())
        with open("/proc/meminfo") as info:
            memory_gb = round(int(next(info).split()[1]) / 1e6)
        with open("/etc/os-release") as info:
            system = re.search(r'^PRETTY_NAME="(.*)"', info.read(), re.M)[1]
        version = self.database.root("SELECT VERSION()")[0][0]
        return {"cores": os.cpu_count(), "processor": processor, "memory_gb": memory_gb, "kernel": platform.release(), "system": system,
                "database": f"{self.database.name} {version}", "redis": first_line("redis-server", "--version").split("v=")[-1].split()[0],
                "libmicrohttpd": first_line("pkg-config", "--modversion", "libmicrohttpd")}

