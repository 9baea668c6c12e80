# SPDX-License-Identifier: MIT
"""What happens to a site that is soaked: all that tests/replicas/chaos.py knows, and more. One thing after another, from a
seed, each made good again; what is spared (site.py) is halted but never ended.
"""
import contextlib
import os
import resource
import signal
import time

import pymysql

from chaos import Chaos

RESTS_S = 0.5, 2.5


class Faults(Chaos):
    """`part` gives how much of the whole time is over, from 0 to 1."""

    def __init__(self, site, seed, log, part):
        super().__init__(site, seed, log)
        self.part = part
        self.acts = [(self.kill_replica, 4), (self.kill_after_commit, 3), (self.pause_replica, 3), (self.stop_replica, 2),
                     (self.kill_userauth, 2), (self.pause_userauth, 2), (self.stop_userauth, 1), (self.use_up_descriptors, 2)]
        if site.redis is not None:
            self.acts += [(self.kill_redis, 3), (self.pause_redis, 2), (self.restart_redis, 1), (self.empty_redis, 1), (self.fill_redis, 2),
                          (self.kill_database, 2), (self.pause_database, 2), (self.restart_database, 1),
                          (self.kill_database_connections, 3), (self.forbid_writes, 2)]
        else:
            self.acts += [(self.hold_the_write_lock, 3)]
            if site.disk.is_mounted:
                self.acts += [(self.fill_disk, 4)]
        if site.names is not None:
            self.acts += [(self.forget_names, 2)]

    def run(self, for_s):
        """As Chaos.run, but acts that need somebody who may end are left out when there is nobody."""
        end_s = time.monotonic() + for_s
        while time.monotonic() < end_s:
            self.check_running()
            able = [(act, weight) for act, weight in self.acts if self.site.mortal(self.part())[0] or act not in self.ending]
            act, = self.random.choices([act for act, _ in able], [weight for _, weight in able])
            self.log(act.__name__)
            self.counts[act.__name__] = self.counts.get(act.__name__, 0) + 1
            act()
            self.pause(*RESTS_S)

    @property
    def ending(self):
        return self.kill_replica, self.kill_after_commit, self.stop_replica, self.kill_userauth, self.stop_userauth

    def check_running(self):
        super().check_running()
        assert all(one.is_running() for one in self.site.userauths), "a userauth-svc ended by itself"

    def last_act(self):
        if self.site.mortal(self.part())[0]:
            super().last_act()
        else:
            self.calm()

    def some_replica(self):
        return self.random.choice(self.site.mortal(self.part())[0])

    # --- userauth-svc ---

    def some_userauth(self):
        return self.random.choice(self.site.mortal(self.part())[1])

    def kill_userauth(self):
        one = self.some_userauth()
        one.kill()
        self.pause(0, 2)
        one.start()

    def pause_userauth(self):
        one = self.random.choice(self.site.userauths)
        one.signal(signal.SIGSTOP)
        self.pause(0.2, 3)
        one.signal(signal.SIGCONT)

    def stop_userauth(self):
        self.some_userauth().restart()

    # --- what all need ---

    def use_up_descriptors(self):
        """A notes-svc can open nothing: no connection of a client, none to anything it needs."""
        pid = self.random.choice(self.site.notes).pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        open_count = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_count, before[1]))
        try:
            self.pause(0.2, 1.5)
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)

    def forget_names(self):
        """The last notes-svc can't find userauth-svc by its name."""
        self.site.names.set()
        try:
            self.pause(0.2, 2)
        finally:
            self.site.names.set(users="127.0.0.1")

    # --- Redis ---

    def empty_redis(self):
        """Everybody is signed out."""
        self.site.sessions_lost_at = float("inf")  # until it is over, any session may be lost
        self.site.redis.command("FLUSHALL")
        self.site.sessions_lost_at = time.monotonic()

    def fill_redis(self):
        self.site.redis.command("CONFIG", "SET", "maxmemory", 1)
        try:
            self.pause(0.2, 2)
        finally:
            self.site.redis.command("CONFIG", "SET", "maxmemory", 0)

    # --- databases ---

    def kill_database_connections(self):
        for _ in range(self.random.randint(1, 3)):
            with contextlib.suppress(pymysql.err.MySQLError):
                self.site.database.kill_sessions()
            self.pause(0, 0.5)

    def forbid_writes(self):
        """As a server that became a standby."""
        self.site.database.root("SET GLOBAL read_only = ON")
        try:
            self.pause(0.2, 2)
        finally:
            self.site.database.root("SET GLOBAL read_only = OFF")

    def hold_the_write_lock(self):
        """Another program writes to the file and takes its time."""
        with contextlib.closing(self.site.database.connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            self.pause(0.2, 3)
            connection.execute("ROLLBACK")

    def fill_disk(self):
        self.site.disk.fill()
        try:
            self.pause(0.2, 2)
        finally:
            self.site.disk.make_room()
