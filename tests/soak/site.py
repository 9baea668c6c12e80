# SPDX-License-Identifier: MIT
"""The sites that are soaked: three notes-svc and two userauth-svc on MariaDB and Redis, or one of each on SQLite files.
The first of each is spared: it is halted, and all that it needs is taken away, but it lives from the beginning to the end,
so that what it keeps can be measured.
"""
import contextlib
import pathlib
import signal
import sqlite3
import subprocess
import time

from harness import disk, names, programs
from harness.replicas import Replicas
from harness.services import Notes, Userauth

# What fills up once is small, so that it is full soon and memory can be judged after it: caches, and threads, of which each
# opens its connections when it is needed first, and the last one is needed rarely.
SMALL = {"PAGE_CACHE_BYTES": 1 << 20, "SESSION_CACHE_BYTES": 1 << 16, "WORKERS": 4, "WRITERS": 6, "LOGIN_WORKERS": 2}
# In the spared ones even less: each connection prepares a statement when it is needed first, which of one that is taken rarely
# goes on for long, and a cache of a megabyte is not full after half an hour.
FEW = {"WORKERS": 2, "WRITERS": 2, "LOGIN_WORKERS": 1, "HTTP_LOOPS": 1, "PAGE_CACHE_BYTES": 1 << 16, "SESSION_CACHE_BYTES": 1 << 13}
NOTES_ENV = {"LIVE_PING_INTERVAL_MS": 2000, "LIVE_PING_TIMEOUT_MS": 5000, "LIVE_CONNECT_TIMEOUT_MS": 5000,
             "REQUEST_DEADLINE_MS": 5000, "READ_TIMEOUT_S": 5, "USER_CHECK_S": 5, "REDIS_TIMEOUT_MS": 500, **SMALL}
USERAUTH_ENV = {"REQUEST_DEADLINE_MS": 5000, "READ_TIMEOUT_S": 5, "CONNECTIONS_PER_ADDRESS": 0, "WORKERS": 4}
FEW_OF_USERS = {"WORKERS": 2, "HASH_WORKERS": 1}
# Freed memory is used again soon: with the quarantine of ASan's own default nothing could be said about growth for long.
ASAN = ":quarantine_size_mb=1:thread_local_quarantine_size_kb=16:malloc_context_size=5"


def asan_options(more=""):
    return programs.SANITIZER_ENV["ASAN_OPTIONS"] + ASAN + more


class Probe:
    """A library for the spared processes: it tells how much heap is in use, and can make answers leak so many bytes."""

    def __init__(self, folder, leak_bytes):
        self.folder, self.leak_bytes = folder, leak_bytes
        self.library = folder / "probe.so"
        source = pathlib.Path(__file__).with_name("probe.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", f"-DLEAK_BYTES={leak_bytes}", "-o", str(self.library), str(source), "-ldl"],
                       check=True)

    def settings(self, name):
        more = ":verify_asan_link_order=0" + (":detect_leaks=0" if self.leak_bytes else "")
        return {"LD_PRELOAD": self.library, "ASAN_OPTIONS": asan_options(more), "SOAK_HEAP": self.folder / f"heap-{name}"}


def heap_in_use(service):
    """Bytes, as they are now; None where no probe is."""
    path = service.settings.get("SOAK_HEAP")
    if path is None:
        return None
    for _ in range(2):  # the first one may be too soon after another answer, and what it took itself is given back by the second
        time.sleep(0.2)
        if not service.is_ready():
            return None
    return int(path.read_text()) if path.exists() else None


class ServerSite(Replicas):
    """`userauths` are two on one database; the spared notes-svc asks the first, the others the second, and the last one by a
    name of host that may stop being known."""
    def __init__(self, folder, leak_bytes=0, count=3, has_redis=True):
        super().__init__(folder, count, has_redis, ASAN_OPTIONS=asan_options(), **NOTES_ENV)
        self.probe = Probe(folder, leak_bytes)
        self.names = names.Names(folder, "127.0.0.1") if names.missing() is None and count > 1 else None
        self.userauths = []
        self.sessions_lost_at = float("-inf")

    def start_userauth(self, state):
        settings = self.database.settings(self.database.database_of("users"))
        self.userauths = [Userauth(state, ASAN_OPTIONS=asan_options(), **USERAUTH_ENV, **settings) for _ in range(2)]
        self.userauths[0].settings.update({**FEW_OF_USERS, **self.probe.settings("userauth")})
        for one in self.userauths:
            one.start()
        return self.userauths[0]

    def make_notes(self, place, state, settings):
        if place == 0:
            return Notes(state, self.userauths[0], **{**settings, **FEW, **self.probe.settings("notes")})
        one = Notes(state, self.userauths[1], **settings)
        if place == self.count - 1 and self.names:
            self.names.set(users="127.0.0.1")
            one.settings["USER_SERVICE_URL"] = f"http://users.test:{self.userauths[1].port}"
            start = one.spawn
            one.spawn = lambda wrapper=(): start(wrapper or self.names.wrapper)
        return one

    def describe(self):
        """Words for a report."""
        redis = self.redis.command("INFO", "server").decode().partition("redis_version:")[2].split()[0]
        return f"{self.database.name} {self.database.root('SELECT VERSION()')[0][0]}, Redis {redis}"

    def mortal(self, _):
        """Those notes-svc and userauth-svc that may end, at this part of the whole time."""
        return self.notes[1:], self.userauths[1:]

    def processes(self):
        """For a Sampler."""
        for kind, services in (("notes-svc", self.notes), ("userauth-svc", self.userauths)):
            for place, one in enumerate(services):
                yield f"{kind} {place + 1}", one, place == 0

    def wake(self):
        for one in self.userauths:
            if one.is_running():
                one.signal(signal.SIGCONT)
            else:
                one.start()
        super().wake()
        for one in self.notes:
            if one.settings.pop("NOTES_TEST_HOOK", None) is not None:  # one that was not hit must not be hit later
                one.kill()
                one.start()

    def close(self):
        for one in self.userauths:
            one.kill()
        super().close()


class SqliteFile:
    """As much of a database server as chaos, history and the end need, for one file."""
    begin = "BEGIN"

    def __init__(self, path):
        self.path = path

    def settings(self, _):
        return {}

    def connect(self, _=None):
        return sqlite3.connect(self.path, timeout=30, isolation_level=None)

    def root(self, *statements):
        with contextlib.closing(self.connect()) as connection:
            for statement in statements:
                rows = connection.execute(statement).fetchall()
            return rows

    def is_running(self):
        return True

    def resume(self):
        pass

    def close(self):
        pass


class FileSite(ServerSite):
    """One notes-svc and one userauth-svc with a file each, on a disk that can be full where one can be mounted. They may end in
    the first third of the time only."""
    MORTAL_PART = 1 / 3

    def __init__(self, folder, leak_bytes=0):
        super().__init__(folder, leak_bytes, count=1, has_redis=False)
        self.disk = disk.SmallDisk(folder / "state", 64)

    def start_database(self):
        self.schema = "main"
        self.database = SqliteFile(self.folder / "state" / "notes.sqlite")

    def start_userauth(self, state):
        self.userauths = [Userauth(state, **USERAUTH_ENV, **self.probe.settings("userauth")).start()]
        return self.userauths[0]

    def describe(self):
        return f"SQLite {sqlite3.sqlite_version}"

    def mortal(self, part):
        return (self.notes, self.userauths) if part < self.MORTAL_PART else ([], [])

    def wake(self):
        if self.disk.filler.exists():
            self.disk.make_room()
        super().wake()

    def close(self):
        super().close()
        self.disk.close()
