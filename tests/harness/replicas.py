# SPDX-License-Identifier: MIT
"""Several notes-svc that are one site: one MariaDB, one Redis, one userauth-svc, each of which a test may end. Only in
the test's main thread: what another thread starts ends with that thread.

    with Replicas(tmp_path, count=3) as site:
        me = site.sign_in("me")                # a harness.client.Client at the first one
        there = site.client(me, 2)             # the same browser at the third
        site.notes[0].kill(); site.notes[0].start()
        site.redis.kill(); site.redis.start(); site.database.pause(); ...
"""
import signal

from .client import Client
from .mariadb import MariaDb
from .programs import new_password
from .redis import Redis
from .services import Notes, StartFailed, Userauth

# A test that writes a lot from one address must not meet the limits that are there for strangers.
NOTES_ENV = {"WRITES_PER_MIN": 0, "LOGIN_FAILURES_PER_MIN": 0, "CONNECTIONS_PER_ADDRESS": 0, "SOCKETS_PER_ADDRESS": 0,
             "SOCKETS_PER_SESSION": 0, "LIVE_MESSAGES_PER_S": 0}
USERS = ("me", "you", "them")


class Replicas:
    """`notes` are the processes, `database` and `redis` the servers, `schema` the database's name.
    has_redis=False: sessions are in the database, and what others change is found by asking it, whatever NOTES_TEST_REDIS says."""

    def __init__(self, folder, count=2, has_redis=True, redis=None, **notes_env):
        self.folder = folder
        self.count = count
        self.has_redis = has_redis
        self.redis = redis or (Redis(has_password=True, append_only=True) if has_redis else None)
        self.notes_env = {**NOTES_ENV, **notes_env}
        self.database = None
        self.schema = None
        self.userauth = None
        self.notes = []
        self.passwords = {}

    def start_database(self):
        self.database = MariaDb(is_durable=True)
        self.schema = self.database.database_of(self.folder)

    def start_userauth(self, state):
        return Userauth(state).start()

    def make_notes(self, _, state, settings):
        """The process at this place, not started."""
        return Notes(state, self.userauth, **settings)

    def start(self):
        self.start_database()
        if self.redis is not None and not self.redis.is_running():
            self.redis.start()
        state = self.folder / "state"
        self.userauth = self.start_userauth(state)
        api = self.userauth.api()
        for name in USERS:
            self.passwords[name] = new_password(name)
            api.create(name, self.passwords[name])
        settings = {**self.database.settings(self.schema), **(self.redis.settings() if self.redis else {"REDIS_URL": None}), **self.notes_env}
        self.notes = [self.make_notes(place, state, settings) for place in range(self.count)]
        self.notes[0].start()
        for one in self.notes[1:]:
            one.spawn()
        for one in self.notes[1:]:
            try:
                one.wait_ready()
            except StartFailed:
                one.start()
        return self

    @property
    def urls(self):
        return [one.url for one in self.notes]

    def sign_in(self, name="me", place=0):
        client = Client(self.notes[place].url)
        answer = client.login(name, self.passwords[name])
        assert answer.status_code == 302 and client.is_signed_in, (answer.status_code, answer.text[:500])
        return client

    def client(self, other=None, place=0):
        """Somebody at this replica: a stranger, or the browser of `other` (its cookies are copied)."""
        client = Client(self.notes[place].url)
        if other is not None:
            client.http.cookies.update(other.http.cookies)
            client.user = other.user
        return client

    def wake(self):
        """Everything runs again, whatever a test has done to it."""
        if self.redis is not None:
            if self.redis.is_running():
                self.redis.resume()
            else:
                self.redis.start()
        if self.database.is_running():
            self.database.resume()
        else:
            self.database.start()
        for one in self.notes:
            if one.is_running():
                one.signal(signal.SIGCONT)
            else:
                one.settings["NOTES_TEST_HOOK"] = None
                one.start()

    def stop(self):
        """Clean ends, asserted, then the servers go."""
        try:
            self.wake()
            for one in self.notes:
                one.stop()
            self.userauth.stop()
        finally:
            self.close()

    def close(self):
        for service in (*self.notes, self.userauth):
            if service is not None:
                service.kill()
        for server in (self.redis, self.database):
            if server is not None:
                server.close()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.stop()
        else:
            self.close()
