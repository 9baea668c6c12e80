# SPDX-License-Identifier: MIT
"""What is looked at all along: each answer, and each process' memory, descriptors and threads."""
import collections
import contextlib
import os
import re
import threading
import time
from urllib.parse import urlsplit

import requests

TICK_S = 0.1
STALL_S = 0.3  # a tick that takes longer: the machine had no time for us
SAMPLE_S = 2.0
# What is shown to one session only.
NAME = re.compile(r'id="signed-in-user">([^<]*)<')
TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
SESSION = re.compile(r"notescookie\.sid=([^;]+)")


class FairClock(threading.Thread):
    """Knows when this machine did not let us run: nobody can answer then, and a wait of that time is nobody's fault."""

    def __init__(self):
        super().__init__(name="clock", daemon=True)
        self.stalls = []  # (when it ended, seconds)
        self.is_over = threading.Event()

    def run(self):
        last = time.monotonic()
        while not self.is_over.wait(TICK_S):
            now = time.monotonic()
            if now - last > STALL_S:
                self.stalls.append((now, now - last - TICK_S))
            last = now

    def span_s(self, begun):
        """Seconds since `begun` (time.monotonic) without those stalls."""
        return time.monotonic() - begun - sum(span for when, span in self.stalls[-1000:] if when > begun)

    @property
    def stalled_s(self):
        return sum(span for _, span in self.stalls)

    def stop(self):
        self.is_over.set()


class Answers:
    """Counts what requests came to, and finds what no answer may be. Knows no order: any thread may tell it anything."""
    KINDS = ("answered", "refused", "unavailable", "lost connection")

    def __init__(self, clock, limit_s):
        self.clock = clock
        self.limit_s = limit_s  # what nobody may wait longer
        self.lock = threading.Lock()
        self.counts = collections.defaultdict(collections.Counter)
        self.faults = []
        self.longest_s = 0.0
        self.token_owners = {}

    def count(self, what, status):
        """A status, or None for a connection that brought no answer."""
        kind = ("lost connection" if status is None else "unavailable" if status == 503 else
                "refused" if status >= 400 else "answered")
        with self.lock:
            self.counts[what][kind] += 1

    def fault(self, text):
        with self.lock:
            self.faults.append(text)

    def took(self, what, begun):
        """`begun` is time.monotonic() of the beginning."""
        span_s = self.clock.span_s(begun)
        with self.lock:
            self.longest_s = max(self.longest_s, span_s)
            if span_s > self.limit_s:
                self.faults.append(f"{what} took {span_s:.1f} s")

    def observe(self, method, path, outcome, begun, client):
        """An observer of harness.client.Client."""
        what = f"{method} {urlsplit(path).path}"
        if what.startswith("GET /assets/"):
            what = "GET /assets/"
        has_answer = isinstance(outcome, requests.Response)
        self.count(what, outcome.status_code if has_answer else None)
        self.took(what, begun)
        if has_answer:
            self._look_at(what, outcome, client)

    def _look_at(self, what, answer, client):
        if answer.status_code >= 500 and answer.status_code != 503:
            self.fault(f"{what}: {answer.status_code} {answer.text[:300]}")
        if answer.status_code == 503 and "Retry-After" not in answer.headers and what != "GET /readyz":  # which says who leaves
            self.fault(f"{what}: 503 without Retry-After {answer.text[:300]}")
        if not answer.headers.get("Content-Type", "").startswith("text/html"):
            return
        session = SESSION.search(answer.request.headers.get("Cookie", ""))
        session = session and session[1]
        for name in NAME.findall(answer.text):
            if session is None or (client.user is not None and name != client.user):
                self.fault(f"{what}: {client.user} was shown the page of {name}")
        for token in TOKEN.findall(answer.text):
            with self.lock:
                owner = self.token_owners.setdefault(token, session)
            if session is None or owner != session:
                self.fault(f"{what}: a form token of another session was shown")

    def total(self):
        with self.lock:
            return sum(sum(counts.values()) for counts in self.counts.values())


class Life:
    """One process from its start to its end: samples are (seconds, bytes of RssAnon, descriptors, threads), and at rest the
    bytes of heap in use and what the descriptors are."""

    def __init__(self, name, pid, is_spared):
        self.name, self.pid, self.is_spared = name, pid, is_spared
        self.samples = []
        self.rests = []

    def points(self, place, of_rests=False):
        samples = self.rests if of_rests else self.samples
        return [(sample[0], sample[place]) for sample in samples if len(sample) > place and sample[place] is not None]


RSS, FILES, THREADS, HEAP, KINDS_OF_FILES = 1, 2, 3, 4, 5


def read_process(pid):
    """(RssAnon in bytes, descriptors, threads)."""
    with open(f"/proc/{pid}/status") as status:
        fields = dict(line.rstrip("\n").split(":", 1) for line in status if ":" in line)
    return int(fields["RssAnon"].split()[0]) * 1024, len(os.listdir(f"/proc/{pid}/fd")), int(fields["Threads"])


def kinds_of_files(pid):
    """How many descriptors of each kind: "TCP to 3306", "TCP listening at 4000", "anon_inode:[eventpoll]", "file notes.sqlite"."""
    ports = {}
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{table}") as lines:
            for fields in (line.split() for line in list(lines)[1:]):
                ports[fields[9]] = [int(fields[place].rpartition(":")[2], 16) for place in (1, 2)]
    listening = {own for own, peer in ports.values() if peer == 0}
    found = collections.Counter()
    for path in os.scandir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found[kind_of_file(os.readlink(path.path), ports, listening)] += 1
    return dict(found)


def kind_of_file(target, ports, listening):
    kind, _, rest = target.partition(":")
    if kind != "socket":
        return "file " + os.path.basename(target) if target.startswith("/") else kind if kind == "pipe" else target
    own, peer = ports.get(rest.strip("[]"), (0, 0))
    if own == 0:
        return "socket that is not connected TCP"
    if own in listening:
        return f"TCP listening at {own}" if peer == 0 else f"TCP accepted at {own}"
    return f"TCP to {peer}"


class Sampler(threading.Thread):
    """`named` gives pairs of a name, a Service and whether it is to live all along."""

    def __init__(self, named):
        super().__init__(name="sampler", daemon=True)
        self.named = named
        self.begun = time.monotonic()
        self.lives = {}
        self.lock = threading.Lock()
        self.is_over = threading.Event()

    def run(self):
        while not self.is_over.wait(SAMPLE_S):
            self.sample()

    def sample(self, heap_in_use=None):
        """With heap_in_use, a function of a Service: nobody is connected and nothing runs."""
        for name, service, is_spared in self.named():
            process = service.process
            # A process between fork and exec is still ours.
            with contextlib.suppress(OSError, KeyError, ValueError):
                if process is None or process.poll() is not None or not is_program(process.pid, service.program):
                    continue
                at_rest = [heap_in_use(service), kinds_of_files(process.pid)] if heap_in_use else []
                sample = (time.monotonic() - self.begun, *read_process(process.pid), *at_rest)
                with self.lock:
                    life = self.lives.setdefault((name, process.pid), Life(name, process.pid, is_spared))
                    (life.rests if heap_in_use else life.samples).append(sample)

    def stop(self):
        self.is_over.set()


def is_program(pid, program):
    return os.readlink(f"/proc/{pid}/exe") == str(program)
