# SPDX-License-Identifier: MIT
"""A soak: rounds of mixed load under faults, one after another on one site that lives all along. After each round all must
agree and everything answered must be there (tests/replicas/judge.py); then nobody is connected for a moment, and the
processes are measured at rest. At the end everything that was ever answered is looked for once more.
"""
import collections
import contextlib
import json
import threading
import time
import traceback

import judge
from episode import Log, end, make_viewers, run_for_a_while, wait_for_agreement, wait_for_pages
from harness import programs
from harness.client import Client
from harness.wait import until
from history import SQLITE_TABLE, TABLE, History, install
from notes_verbs import create_note

from soak import figures, watch
from soak.faults import Faults
from soak.load import Reader, Rude, Script, SoakWriter, Steady
from soak.site import FileSite, ServerSite, heap_in_use

SITES = {"servers": ServerSite, "files": FileSite}
ROUND_S = 40
QUIET_S = 30
WAIT_LIMIT_S = 15  # the deadline of 5 s, a halt of 3 s, and a crowded machine
REST_S = 15
NOTES_COUNT = 3
FAULTY_ROUNDS_MAX = 3
FAULTS_KEPT = 50
DESIGNED = 501, 503, 505  # a method or a version of HTTP that nobody knows; what is away
SCRIPTS_COUNT = 2


class Expected:
    """Every text and comment of all rounds, and what became of it as far as was answered."""

    def __init__(self):
        self.counts = {"comments": {}, "texts": {}}
        self.outcomes = collections.defaultdict(collections.Counter)

    def add(self, ledger):
        texts_of = {int(answer["id"]): answer["message"] for answer, _ in ledger.answers}
        self.counts["comments"].update(ledger.comments)
        self.counts["texts"].update(ledger.texts)
        for number, outcome in ledger.unmade.items():
            if outcome != "refused":
                self.counts["comments"][texts_of[number]] = "unmade" if outcome == "done" else "maybe"
        for what, outcomes in (("comments", ledger.comments), ("saves", ledger.texts), ("deleted comments", ledger.unmade),
                               ("destroyed notes", dict(enumerate(ledger.destroys)))):
            self.outcomes[what].update(outcome[1] if isinstance(outcome, tuple) else outcome for outcome in outcomes.values())

    def compare(self, database, schema):
        """(lost, doubled, wrongly there), each a list of sentences, by the rows that are there now."""
        lost, doubled, wrong = [], [], []
        for what, column, table in (("comments", "message", "comments"), ("texts", "body", "note_versions")):
            there = collections.Counter(text for text, in database.root(f"SELECT {column} FROM {schema}.{table}"))
            for token, outcome in self.counts[what].items():
                count = there[token]
                if count > 1:
                    doubled.append(f"{token} of {what} is there {count} times")
                elif count == 0 and outcome == "done":
                    lost.append(f"{token} of {what} is not there")
                elif count and outcome in ("refused", "unmade"):
                    wrong.append(f"{token} of {what} was {outcome} and is there")
        return lost, doubled, wrong


class Soak:
    def __init__(self, folder, kind, seed, run_s, round_s=ROUND_S, steady_per_s=0, leak_bytes=0, say=print, least_faults=0):
        """It goes on beyond run_s, round by round, until so many faults were injected: a slow machine takes longer for each."""
        self.least_faults = least_faults
        self.site = SITES[kind](folder, leak_bytes)
        self.kind, self.seed, self.run_s, self.round_s, self.say = kind, seed, run_s, round_s, say
        self.steady_per_s = steady_per_s
        self.clock = watch.FairClock()
        self.answers = watch.Answers(self.clock, WAIT_LIMIT_S)
        self.sampler = watch.Sampler(self.site.processes)
        self.expected = Expected()
        self.injected = collections.Counter()
        self.deaths_after_commit = self.joins = self.rounds = self.faulty_rounds = 0
        self.slowest_agreement_s = 0.0
        self.faults = []
        self.scripts = []
        self.history = None
        self.lost = self.doubled = self.wrong = ()
        self.begun = time.monotonic()
        self.took_s = 1.0
        self.servers = ""

    def part(self):
        return (time.monotonic() - self.begun) / self.run_s

    def is_unfinished(self):
        return self.part() < 1 or sum(self.injected.values()) < self.least_faults

    def run(self):
        """All of it; what was found is in the attributes. Only in the main thread."""
        Client.observers.append(self.answers.observe)
        self.clock.start()
        try:
            with self.site:
                install(self.site.database, self.site.schema, TABLE if self.kind == "servers" else SQLITE_TABLE)
                self.history = History(self.site.database, self.site.schema)
                self.scripts = [Script(f"script{number}", self.site, self.seed, self.answers, number) for number in range(SCRIPTS_COUNT)]
                self.begun = time.monotonic()
                self.sampler.start()
                while self.is_unfinished() and self.faulty_rounds < FAULTY_ROUNDS_MAX:
                    self.round()
                self.sampler.stop()
                self.servers = self.site.describe()
                self.at_the_end()
        except Exception:  # the report says so, with all that was seen until then
            self.fault("the soak ended early: " + traceback.format_exc()[-3000:])
        finally:
            self.took_s = time.monotonic() - self.begun
            self.sampler.stop()
            self.clock.stop()
            Client.observers.remove(self.answers.observe)
        self.look_at_what_was_printed()
        self.faults += self.answers.faults

    def fault(self, text):
        self.faults.append(f"round {self.rounds}: {text}")

    # --- a round ---

    def round(self):
        self.rounds += 1
        seed = f"{self.seed}-{self.rounds}"
        log = Log()
        known = len(self.faults) + len(self.answers.faults)
        faults = []
        try:
            faults = self.play(seed, log)
        except Exception:  # the next round may go well
            faults = [traceback.format_exc()[-3000:]]
        finally:
            self.site.wake()
        self.faults += [f"round {self.rounds}: {text}" for text in faults[:FAULTS_KEPT]]
        if len(self.faults) + len(self.answers.faults) > known:
            self.faulty_rounds += 1
            found = [*self.faults, *self.answers.faults]
            self.say(f"round {self.rounds}: faults\n" + "\n".join(found[-5:]) + "\n--- what led there\n" + log.about(found[-5:]))
        self.rest()
        self.say(f"round {self.rounds}: {time.monotonic() - self.begun:.0f} s, {self.answers.total()} requests, "
                 f"{sum(self.injected.values())} faults injected")

    def play(self, seed, log):
        """Load, faults, agreement, judgement; returns the faults."""
        site = self.site
        keys = [f"soak{seed}-{letter} <ü>" for letter in "abcdef"[:NOTES_COUNT]]
        me = until(self.sign_in, "all is back after the last round", QUIET_S, 0.2)
        for key in keys:
            create_note(me, key, body="start of " + key)
        viewers = make_viewers(site, keys, seed, log)
        writers = [SoakWriter(f"writer{number}", site, keys, seed, log) for number in range(4)]
        others = [Reader("stranger", site, seed, self.answers, keys), Reader("reader", site, seed, self.answers, keys, "you"),
                  Rude("rude0", site, seed, self.answers), Rude("rude1", site, seed, self.answers),
                  *(Visiting(script) for script in self.scripts)]
        if self.steady_per_s:
            others.append(Steady("steady", site, seed, self.answers, keys, self.steady_per_s))
        chaos = Faults(site, self.rounds, log, self.part)  # by the number its last act is chosen
        chaos.random.seed(f"{seed} chaos")
        try:
            for thread in others:
                thread.start()
            run_for_a_while(site, viewers, writers, chaos, max(5.0, min(self.round_s, self.run_s - (time.monotonic() - self.begun))))
            end(others)
            took_s, faults = wait_for_agreement(site, viewers, QUIET_S, self.history)
            faults += wait_for_pages(site, keys, QUIET_S, self.history)
            self.slowest_agreement_s = max(self.slowest_agreement_s, took_s)
        finally:
            site.wake()
            self.injected.update(chaos.counts)
            self.deaths_after_commit += chaos.hits_count
            for thread in (*others, *writers, *viewers):
                thread.stop()
        for thread in (*others, *writers, *viewers):
            if thread.ident is not None:
                thread.join(60)
        return faults + self.judge(keys, viewers, writers)

    def sign_in(self):
        client = self.site.client()
        is_in = client.login("me", self.site.passwords["me"]).status_code == 302 and client.is_signed_in
        return client if is_in else None

    def judge(self, keys, viewers, writers):
        history = History(self.site.database, self.site.schema, self.history)
        ledgers = [writer.ledger for writer in writers]
        faults = [fault for viewer in viewers for fault in judge.of_viewer(history, viewer)]
        faults += [fault for ledger in ledgers for fault in judge.of_ledger(history, ledger)]
        faults += judge.of_destroys(history, ledgers, keys)
        self.joins += sum(viewer.joins for viewer in viewers)
        for ledger in ledgers:
            self.expected.add(ledger)
        history.forget(self.site.database, self.site.schema)
        self.history = history
        return faults

    def rest(self):
        """Nobody is connected: once the descriptors stay as they are, the processes are measured."""
        spared = [service for _, service, is_spared in self.site.processes() if is_spared]
        seen = []

        def is_quiet():
            time.sleep(0.2)
            seen.append([watch.read_process(service.pid)[1] for service in spared])
            return len(seen) > 5 and all(one == seen[-1] for one in seen[-6:])

        with contextlib.suppress(AssertionError, OSError):  # then it is measured as it is
            until(is_quiet, "rest", REST_S)
        self.sampler.sample(heap_in_use)

    # --- the end ---

    def at_the_end(self):
        self.lost, self.doubled, self.wrong = self.expected.compare(self.site.database, self.site.schema)
        self.lost += [fault for script in self.scripts for fault in script.lost()]
        for text in (*self.lost, *self.doubled, *self.wrong)[:FAULTS_KEPT]:
            self.fault(text)

    def look_at_what_was_printed(self):
        """Every process of the whole run: reports of sanitizers, answers of 500, secrets."""
        for path in (self.site.folder / "printed").glob("*.stderr"):
            with contextlib.suppress(OSError):
                try:
                    programs.assert_no_sanitizer_report(path.read_text(errors="replace"))
                except AssertionError as report:
                    self.fault(f"{path.name}: {report}")
        for path in (self.site.folder / "printed").glob("*.stdout"):
            with open(path, errors="replace") as lines:
                bad = [line for line in lines if is_bad(line)]
            for line in bad[:5]:
                self.fault(f"{path.name}: {line.strip()[:600]}")
        for path, secret in programs.leaked_secrets():
            self.fault(f"{path} shows the secret {secret}")

    # --- figures ---

    def trends(self):
        """For each spared process what its memory and descriptors did at rest in the second half of the time."""
        found = []
        lives = {life.name: life for life in self.sampler.lives.values() if life.is_spared}  # the last one of each
        for life in lives.values():
            for what, place in (("heap", watch.HEAP), ("memory", watch.RSS), ("descriptors", watch.FILES), ("threads", watch.THREADS)):
                points = life.points(place, of_rests=True)
                trend = figures.trend(figures.second_half(points))
                found.append({"process": life.name, "pid": life.pid, "what": what, "rests": len(points),
                              "start_middle_end": figures.start_middle_end(points),
                              "trend": trend and {"count": trend.count, "span_s": trend.span_s, "per_hour": trend.slope * 3600,
                                                  "noise_per_hour": trend.noise * 3600, "is_growing": trend.is_growing},
                              "most_under_load": max((value for _, value in life.points(place)), default=None),
                              "kinds": figures.start_middle_end(life.points(watch.KINDS_OF_FILES, of_rests=True)) if what == "descriptors" else None})
        return found


class Visiting:
    """A Visitor that goes on from round to round: one thread for each, the same state."""

    def __init__(self, visitor):
        self.visitor = visitor
        self.thread = None
        self.name = visitor.name

    @property
    def ident(self):
        return self.thread and self.thread.ident

    def start(self):
        self.visitor.is_over.clear()
        self.thread = threading.Thread(target=self.visitor.run, name=self.name, daemon=True)
        self.thread.start()

    def stop(self):
        self.visitor.stop()

    def join(self, timeout):
        self.thread.join(timeout)

    def is_alive(self):
        return self.thread.is_alive()


def is_bad(line):
    """A log line of an answer that is a fault of ours."""
    try:
        fields = json.loads(line)
    except ValueError:
        return False  # a process was killed in the midst of it
    status = fields.get("status")
    return isinstance(status, int) and status >= 500 and status not in DESIGNED
