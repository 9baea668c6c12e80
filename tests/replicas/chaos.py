# SPDX-License-Identifier: MIT
"""What may happen to a site: replicas are killed (also between a commit and its publication), halted, stopped and started,
Redis dies or stands still, the database is killed, halted or restarted. One thing after another, each made good again.
"""
import random
import signal
import time

from harness.services import StartFailed

HOOKS = ("comment.committed:kill:{}", "note.committed:kill:{}")


class Chaos:
    """Its acts run in the test's own thread: what a thread starts ends with it (programs.die_with_parent)."""

    def __init__(self, site, seed, log):
        self.site = site
        self.seed = seed
        self.random = random.Random(f"{seed} chaos")
        self.log = lambda text: log("chaos", text)
        self.counts = {}
        self.hits_count = 0  # how often a replica died so
        self.acts = [(self.kill_replica, 5), (self.kill_after_commit, 5), (self.pause_replica, 3), (self.stop_replica, 2),
                     (self.kill_database, 1), (self.pause_database, 1), (self.restart_database, 1)]
        if site.redis is not None:
            self.acts += [(self.kill_redis, 5), (self.pause_redis, 3), (self.restart_redis, 1)]

    def run(self, for_s):
        end_s = time.monotonic() + for_s
        while time.monotonic() < end_s:
            self.check_running()
            act, = self.random.choices([act for act, _ in self.acts], [weight for _, weight in self.acts])
            self.log(act.__name__)
            self.counts[act.__name__] = self.counts.get(act.__name__, 0) + 1
            act()
            self.pause(0.2, 1.2)

    def check_running(self):
        assert all(one.is_running() for one in self.site.notes), "a replica ended by itself"

    def last_act(self):
        """Right before the writers end, so that no later event tells of what was missed: by turns a replica dies between
        commit and publication, Redis comes back just before, or nothing breaks any more."""
        acts = [self.die_after_commit, self.calm] + ([self.restart_redis] if self.site.redis is not None else [])
        act = acts[self.seed % len(acts)]
        self.log(f"at last {act.__name__}")
        act()

    def calm(self):
        time.sleep(1)

    def pause(self, least_s, most_s):
        time.sleep(self.random.uniform(least_s, most_s))

    def some_replica(self):
        """One that may end."""
        return self.random.choice(self.site.notes)

    def kill_replica(self):
        one = self.some_replica()
        one.kill()
        self.log(f"{self.site.notes.index(one)} is killed")
        self.pause(0, 1)
        one.start()

    def pause_replica(self):
        """As if its machine hung: its sockets stay open, it hears what the others tell when it goes on, or never."""
        one = self.random.choice(self.site.notes)
        one.signal(signal.SIGSTOP)
        self.log(f"{self.site.notes.index(one)} stands still")
        self.pause(0.2, 3)
        one.signal(signal.SIGCONT)

    def stop_replica(self):
        self.some_replica().restart()

    def kill_after_commit(self):
        one = self.die_after_commit()
        one.kill()  # one that was not hit might still meet its hook, while it is told to end
        one.restart(NOTES_TEST_HOOK=None)

    def die_after_commit(self):
        """Restarted with a hook, a replica ends between the commit of its n-th change and that change's publication."""
        one = self.some_replica()
        try:
            one.restart(NOTES_TEST_HOOK=self.random.choice(HOOKS).format(self.random.randint(1, 4)))
        except StartFailed as failed:
            assert failed.code == -signal.SIGKILL, failed  # it met its hook before it was asked whether it is ready
        deadline = time.monotonic() + 3
        while one.is_running() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.hits_count += not one.is_running()
        self.log(f"{self.site.notes.index(one)} {'was not hit' if one.is_running() else 'died after a commit'}")
        return one

    def kill_redis(self):
        self.site.redis.kill()
        self.pause(0.1, 2)
        self.site.redis.start()

    def pause_redis(self):
        self.site.redis.pause()
        self.pause(0.2, 2)
        self.site.redis.resume()

    def restart_redis(self):
        self.site.redis.restart()

    def kill_database(self):
        self.site.database.kill()
        self.pause(0, 1)
        self.site.database.start()

    def pause_database(self):
        self.site.database.pause()
        self.pause(0.2, 2)
        self.site.database.resume()

    def restart_database(self):
        self.site.database.stop()
        self.site.database.start()
