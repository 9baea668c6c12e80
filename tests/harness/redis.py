# SPDX-License-Identifier: MIT
"""Private Redis servers: data in a temporary folder, ports on 127.0.0.1 that stay the same over a restart.

    with Redis(has_password=True) as redis:
        notes = Notes(state, users, **redis.settings())
        redis.command("GET", "key")             # bytes, int, None or a list; raises RedisError on an error
        redis.pause(); redis.resume(); redis.kill(); redis.start()

    with Sentinels() as group:                  # master, replica and sentinels that know each other
        group.kill_master()                     # SIGKILL, and waits for the replica's promotion
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from . import programs
from .ports import free_port
from .wait import until

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 30
COMMAND_TIMEOUT_S = 20
FAILOVER_TIMEOUT_S = 60
TIMEOUT_MS = 3000  # what notes-svc waits for an answer: a crowded machine, or its disk, is no outage
MASTER_NAME = "mymaster"


class RedisError(Exception):
    """What a server answered with an error: `code` is its first word."""

    def __init__(self, text):
        self.code = text.split(" ", 1)[0]
        super().__init__(text)


def _read_reply(stream):
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("the server closed the connection")
    kind, rest = line[:1], line[1:-2]
    if kind == b"+":
        return rest.decode()
    if kind == b"-":
        raise RedisError(rest.decode())
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if int(rest) < 0 else stream.read(int(rest) + 2)[:-2]
    assert kind == b"*", line
    return None if int(rest) < 0 else [_read_reply(stream) for _ in range(int(rest))]


def command(port, *args, password=None, timeout_s=COMMAND_TIMEOUT_S):
    """One command on a connection of its own, not through the services' client."""
    lines = [("AUTH", password)] if password else []
    lines.append(args)
    with socket.create_connection(("127.0.0.1", port), timeout_s) as link, link.makefile("rb") as stream:
        for line in lines:
            parts = [part if isinstance(part, bytes) else str(part).encode() for part in line]
            link.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
            reply = _read_reply(stream)
    return reply


class _Server:
    """A process of redis-server with a configuration file and a folder of its own."""
    password = None

    def __init__(self, lines, arguments=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="notes-redis-"))
        self.port = free_port()
        self.arguments = list(arguments)
        self.process = None
        self.config = self.folder / "redis.conf"
        self.config.touch(0o600)
        self.config.write_text("\n".join(["bind 127.0.0.1", f"port {self.port}", f"dir {self.folder}", *lines]) + "\n")

    @property
    def pid(self):
        return self.process.pid

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def command(self, *args, timeout_s=COMMAND_TIMEOUT_S):
        return command(self.port, *args, password=self.password, timeout_s=timeout_s)

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(["redis-server", str(self.config), *self.arguments], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, preexec_fn=programs.die_with_parent)

        def answers():
            assert self.process.poll() is None, self.log_text()[-3000:]
            try:
                return self.command("PING") == "PONG"
            except (OSError, RedisError):
                return False

        until(answers, "Redis answers", START_TIMEOUT_S)
        return self

    def stop(self):
        """SIGTERM, and waits for the end."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(STOP_TIMEOUT_S)

    def kill(self):
        """SIGKILL, as a crash. Does nothing when it is down already."""
        if self.is_running():
            self.process.kill()
            self.process.wait()

    def restart(self):
        """The port is kept; the data only with append_only."""
        if self.is_running():
            self.stop()
        return self.start()

    def pause(self):
        """SIGSTOP: connections stay open, connecting works, nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def close(self):
        if self.is_running():
            self.resume()
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log_text(self):
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def __enter__(self):
        return self if self.is_running() else self.start()

    def __exit__(self, kind, error, trace):
        self.close()


class Redis(_Server):
    """has_password: a random one is asked for. append_only: what was written is there after kill().
    maxmemory: bytes, full beyond (nothing is evicted). replica_of: another Redis."""

    def __init__(self, has_password=False, append_only=False, maxmemory=0, replica_of=None, password=None):
        self.password = password or (programs.new_password("redis") if has_password else None)
        lines = ['save ""', f"appendonly {'yes' if append_only else 'no'}", "appendfsync always",
                 f"maxmemory {maxmemory}", "maxmemory-policy noeviction", "repl-diskless-sync-delay 0"]
        if self.password:
            lines += [f"requirepass {self.password}", f"masterauth {self.password}"]
        if replica_of:
            lines.append(f"replicaof 127.0.0.1 {replica_of.port}")
        super().__init__(lines)

    def settings(self):
        """Settings of notes-svc for this server."""
        return {"REDIS_URL": f"redis://127.0.0.1:{self.port}/0", "REDIS_PASSWORD": self.password, "REDIS_TIMEOUT_MS": TIMEOUT_MS}

    def role(self):
        """master, slave, or None when it does not answer."""
        try:
            return self.command("ROLE", timeout_s=2)[0].decode()
        except (OSError, RedisError):
            return None

    def clients(self, name="notes-svc"):
        """How many connections are named so."""
        return self.command("CLIENT", "LIST").decode().split().count(f"name={name}")


class Sentinel(_Server):
    def __init__(self, master, quorum, down_after_ms):
        lines = [f"sentinel monitor {MASTER_NAME} 127.0.0.1 {master.port} {quorum}",
                 f"sentinel down-after-milliseconds {MASTER_NAME} {down_after_ms}",
                 f"sentinel failover-timeout {MASTER_NAME} 5000"]
        if master.password:
            lines.append(f"sentinel auth-pass {MASTER_NAME} {master.password}")
        super().__init__(lines, ["--sentinel"])

    def is_informed(self, peers_count):
        """Knows the replica and the other sentinels."""
        flat = self.command("SENTINEL", "MASTER", MASTER_NAME)
        facts = dict(zip(flat[::2], flat[1::2]))
        return int(facts[b"num-slaves"]) >= 1 and int(facts[b"num-other-sentinels"]) == peers_count

    def master_port(self):
        return int(self.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME)[1])


class Sentinels:
    """A master, its replica and n sentinels, whose majority decides. `master` and `replica` trade places when the
    master was killed."""

    def __init__(self, count=3, has_password=False, append_only=False, down_after_ms=500):
        self.master = Redis(has_password=has_password, append_only=append_only)
        self.replica = Redis(append_only=append_only, replica_of=self.master, password=self.master.password)
        self.sentinels = [Sentinel(self.master, count // 2 + 1, down_after_ms) for _ in range(count)]

    def settings(self):
        return {"REDIS_SENTINELS": ",".join(f"127.0.0.1:{s.port}" for s in self.sentinels),
                "REDIS_MASTER": MASTER_NAME, "REDIS_PASSWORD": self.master.password, "REDIS_TIMEOUT_MS": TIMEOUT_MS}

    def start(self):
        for server in (self.master, self.replica, *self.sentinels):
            server.start()
        until(lambda: b"master_link_status:up" in self.replica.command("INFO", "replication"), "the replica is in step")
        peers_count = len(self.sentinels) - 1
        until(lambda: all(s.is_informed(peers_count) for s in self.sentinels), "the sentinels know each other", 60)
        return self

    def wait_promoted(self):
        """Waits until the replica is a master and all sentinels say so; then `master` is that one."""
        until(lambda: self.replica.role() == "master", "the replica was promoted", FAILOVER_TIMEOUT_S)
        port = self.replica.port
        until(lambda: all(s.master_port() == port for s in self.sentinels), "the sentinels agree", FAILOVER_TIMEOUT_S)
        self.master, self.replica = self.replica, self.master

    def kill_master(self):
        self.master.kill()
        self.wait_promoted()

    def close(self):
        for server in (*self.sentinels, self.replica, self.master):
            server.close()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, kind, error, trace):
        self.close()
