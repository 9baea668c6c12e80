# SPDX-License-Identifier: MIT
"""A short soak of each kind of site, and what the soak says of samples of which it is known whether they grow.

SOAK_S is how long each lasts; docs/SOAK.md has the long one.
"""
import json
import os
import random
import socket
import subprocess

import pytest

from harness import programs

from soak import figures, report, watch
from soak.soak import Expected, Soak, is_bad
from writers import Ledger

RUN_S = float(os.environ.get("SOAK_S", "10"))
RUN = [programs.ROOT / "tests" / "soak" / "run.py"]
HALF_S = 900


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["servers", "files"])
def test_nothing_is_lost_and_nobody_waits_for_ever(tmp_path, kind):
    soak = Soak(tmp_path, kind, seed=1, run_s=RUN_S, round_s=RUN_S, least_faults=3)
    soak.run()
    run = report.of(soak, "now", soak.took_s, soak.servers)
    print(report.tables(run))
    assert run["faults"] == []
    assert run["requests"] > 100 and sum(run["injected"].values()) > 2, "nothing was tried"
    assert sum(counts["done"] for counts in run["writes"].values()) > 10, "nothing was written"
    assert {one["process"] for one in run["trends"]} >= {"notes-svc 1", "userauth-svc 1"}
    assert report.tables(json.loads(json.dumps(run)), as_markdown=True).count("\n| ") > 30


# --- does it grow? ---

def samples(per_s, noise, count=30):
    chance = random.Random(1)
    return [(place * HALF_S / count, 30e6 + per_s * place * HALF_S / count + chance.gauss(0, noise)) for place in range(count)]


def test_what_goes_up_and_down_by_chance_is_flat():
    assert not figures.trend(samples(0, 300_000)).is_growing


def test_a_leak_below_the_noise_of_each_sample_is_found():
    trend = figures.trend(samples(1000, 200_000))
    assert trend.is_growing
    assert trend.slope - trend.noise < 1000 < trend.slope + trend.noise


def test_what_falls_does_not_grow():
    assert not figures.trend(samples(-1000, 100_000)).is_growing


def test_a_cache_that_is_filled_in_the_first_half_is_flat():
    points = [(second, 30e6 + 20e6 * min(second / 600, 1)) for second in range(0, 1800, 60)]
    assert figures.trend(points).is_growing
    assert not figures.trend(figures.second_half(points)).is_growing


def test_too_few_samples_tell_nothing():
    assert figures.trend([(0, 1), (1, 2), (2, 3)]) is None
    assert figures.start_middle_end([]) is None


def growth(what, per_hour, noise_per_hour):
    return {"process": "notes-svc 1", "what": what, "start_middle_end": (1, 2, 3), "most_under_load": 3,
            "trend": {"count": 15, "span_s": HALF_S, "per_hour": per_hour, "noise_per_hour": noise_per_hour,
                      "is_growing": per_hour > noise_per_hour}}


def test_a_growth_is_told_from_noise_and_from_a_page_of_memory():
    assert report.is_growing(growth("heap", 3e6, 1e6))
    assert not report.is_growing(growth("heap", 3e6, 4e6))
    assert not report.is_growing(growth("heap", 2e5, 1e5))
    assert report.is_growing(growth("memory", 3e7, 1e7))
    assert not report.is_growing(growth("memory", 3e6, 1e6))
    assert report.is_growing(growth("descriptors", 20, 5))
    assert not report.is_growing(growth("descriptors", 8, 5))


def test_descriptors_that_are_gained_are_told_by_kind():
    pid, before = os.getpid(), watch.kinds_of_files(os.getpid())
    with socket.create_server(("127.0.0.1", 0)) as server, open(__file__, encoding="utf-8"):
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), server.accept()[0]:
            after = watch.kinds_of_files(pid)
    assert report.gained({"kinds": (before, before, after)}) == \
        f" (TCP accepted at {port}: +1, TCP listening at {port}: +1, TCP to {port}: +1, file test_soak.py: +1)"
    assert report.gained({"kinds": None}) == ""


# --- what is lost ---

class Rows:
    def __init__(self, **tables):
        self.tables = tables

    def root(self, statement):
        return [(text,) for text in self.tables[statement.rpartition(".")[2]]]


def test_an_answered_write_that_is_not_there_once_is_found():
    expected = Expected()
    answers = [({"id": "7", "message": "deleted"}, "k")]
    expected.add(Ledger(texts={"t": "done", "u": "unknown"}, unmade={7: "done"}, answers=answers, comments={
        "kept": "done", "twice": "done", "gone": "done", "never": "refused", "either": "unknown", "deleted": "done"}))
    rows = Rows(comments=["kept", "twice", "twice", "never", "deleted"], note_versions=["u"])
    lost, doubled, wrong = expected.compare(rows, "any")
    assert lost == ["gone of comments is not there", "t of texts is not there"]
    assert doubled == ["twice of comments is there 2 times"]
    assert wrong == ["never of comments was refused and is there", "deleted of comments was unmade and is there"]


# --- what is answered ---

class Sent:
    def __init__(self, cookie):
        self.headers = {"Cookie": cookie} if cookie else {}


class Answer(watch.requests.Response):
    def __init__(self, status, text="", cookie="", **headers):
        super().__init__()
        self.status_code = status
        self._content = text.encode()
        self.headers.update({"Content-Type": "text/html", **headers})
        self.request = Sent(cookie)


class Somebody:
    user = "me"


def faults_of(*answers):
    seen = watch.Answers(watch.FairClock(), 15)
    for answer in answers:
        seen.observe("GET", "/", answer, watch.time.monotonic(), Somebody)
    return seen.faults


def test_a_page_of_somebody_else_is_found():
    mine = '<bdi id="signed-in-user">me</bdi><input type="hidden" name="csrf" value="token">'
    assert faults_of(Answer(200, mine, "notescookie.sid=a")) == []
    assert len(faults_of(Answer(200, mine.replace(">me<", ">you<"), "notescookie.sid=a"))) == 1
    assert len(faults_of(Answer(200, mine, "notescookie.sid=a"), Answer(200, mine, "notescookie.sid=b"))) == 1
    assert len(faults_of(Answer(200, mine))) == 2, "a stranger has neither name nor token"


def test_answers_of_500_and_those_without_a_time_to_come_back_are_found():
    assert faults_of(Answer(503, **{"Retry-After": "1"}), Answer(404), watch.requests.ConnectionError()) == []
    assert len(faults_of(Answer(500))) == 1
    assert len(faults_of(Answer(503))) == 1


def test_who_waits_too_long_is_found_but_not_while_the_machine_stands_still():
    clock = watch.FairClock()
    seen = watch.Answers(clock, 15)
    begun = watch.time.monotonic() - 20
    clock.stalls.append((begun + 10, 9))
    seen.took("GET /", begun)
    assert seen.faults == []
    clock.stalls.clear()
    seen.took("GET /", begun)
    assert len(seen.faults) == 1


def test_log_lines_of_failures_are_told_from_others():
    assert is_bad('{"event":"http.request","status":500}\n')
    assert not is_bad('{"event":"http.request","status":503}\n')
    assert not is_bad('{"event":"service.ready"}\n')
    assert not is_bad('{"event":"http.req')


def test_a_build_tells_what_it_was_built_with(tmp_path):
    (tmp_path / "meson-info").mkdir()
    for sanitize, said in (("address,undefined", "release with sanitizers address,undefined"), ("none", "release without sanitizers")):
        options = [{"name": "buildtype", "value": "release"}, {"name": "b_sanitize", "value": sanitize}]
        (tmp_path / "meson-info" / "intro-buildoptions.json").write_text(json.dumps(options))
        assert report.build(tmp_path) == said


# --- the command ---

def command(*arguments):
    return subprocess.run([*RUN, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


@pytest.mark.parametrize("arguments", [("--minutes", "0"), ("--leak", "-1"), ("--into", "x.md"), ("--site", "none")])
def test_what_is_asked_wrongly_is_usage(arguments):
    done = command(*arguments)
    assert done.returncode == 2 and "usage: ./dev soak" in done.stdout, done.stdout


def test_old_results_need_no_run(tmp_path):
    assert command("--needs-programs").returncode == 0
    assert command("--needs-programs", "--markdown", "any.json").returncode == 4
    other = tmp_path / "other.json"
    other.write_text('{"format": 0}')
    done = command("--markdown", other)
    assert done.returncode == 1 and "no result of this soak" in done.stdout
