# SPDX-License-Identifier: MIT
"""The programs that make load, against servers of which it is known what they answer; and a whole small run."""
import http.server
import json
import subprocess
import threading

import pytest
from harness import programs

from bench import figures, load

RUN = [programs.ROOT / "tests" / "bench" / "run.py"]


class EverySecond(http.server.BaseHTTPRequestHandler):
    """Refuses every second request; keeps the connection."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with self.server.lock:
            self.server.paths.append(self.path)
            is_refused = len(self.server.paths) % 2 == 0
        body = b"x" * 5000
        self.send_response(503 if is_refused else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Who asks may go without a word."""


@pytest.fixture
def every_second():
    server = Server(("127.0.0.1", 0), EverySecond)
    server.paths, server.lock = [], threading.Lock()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_open_loop_counts_each_outcome_and_asks_for_other_keys(every_second, tmp_path):
    (tmp_path / "request").write_text("GET /k-@@@@@@@ HTTP/1.1\r\nHost: h\r\n\r\n")
    answer = load.open_loop(every_second.server_port, 100, 1, tmp_path / "request", count=1000, connections=4)
    assert answer["due"] == 100
    assert answer["ok"] + answer["refused"] == len(every_second.paths)
    assert answer["ok"] - answer["refused"] in (0, 1)
    assert answer["else"] == 0 and answer["unanswered"] == 100 - len(every_second.paths)
    assert len(set(every_second.paths)) == len(every_second.paths) and all(len(path) == 10 for path in every_second.paths)
    assert 0 < answer["ok_p50_ms"] <= answer["ok_p99_ms"] <= answer["ok_max_ms"]


def test_a_figure_of_refused_requests_is_none(every_second):
    with pytest.raises(load.LoadFailed, match="with a wrong status"):
        load.fixed(f"http://127.0.0.1:{every_second.server_port}/", 1, connections=2)


def test_live_sockets_are_all_served_by_the_bare_loop(tmp_path):
    (tmp_path / "trigger").write_text("x")
    with load.BareFrames(300, 50) as bare, load.Live(bare.port, 50, frame_bytes=300) as sockets:
        for _ in range(40):  # who triggers comes and goes
            event = sockets.event(tmp_path / "trigger")
            assert event["frame_bytes"] == 300 and 0 < event["first_ms"] <= event["last_ms"]


def test_a_live_load_that_loses_a_socket_says_so(tmp_path):
    (tmp_path / "trigger").write_text("x")
    with load.BareFrames(300, 5) as bare, load.Live(bare.port, 5, frame_bytes=300) as sockets:
        bare.process.kill()
        with pytest.raises(load.LoadFailed, match="ended"):
            sockets.event(tmp_path / "trigger")


def test_the_bare_server_sends_the_given_fields_and_body_and_keeps_the_connection(tmp_path):
    fields = [("Content-Type", "text/plain"), ("Date", "never"), ("Content-Length", "1"), ("X-Some", "a: b")]
    with load.BareHttp(tmp_path, fields, b"hello") as bare:
        head = load.send_once(bare.port, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert b"\r\nContent-Type: text/plain\r\n" in head and b"\r\nX-Some: a: b\r\n" in head
    assert b"\r\nContent-Length: 5\r\n" in head and b"never" not in head and b"close" not in head


def test_the_time_of_a_hash_grows_with_its_cost():
    assert load.hash_time(1024, 1, 0.2)["one_ms"] < load.hash_time(16384, 2, 0.2)["one_ms"]


def run(*arguments):
    return subprocess.run([*RUN, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)


@pytest.mark.slow
def test_a_small_run_writes_every_row_and_a_table(tmp_path):
    out = tmp_path / "run.json"
    done = run("--case", "static", "--case", "comments", "--rounds", 2, "--seconds", 1, "--scale", 0.1, "--json", out)
    assert done.returncode == 0, done.stderr
    written = json.loads(out.read_text())
    assert [row["row"] for row in written["rows"]] == [row.name for row in figures.ROWS]
    assert written["faults"] == [] and written["settings"]["cases"] == ["static", "comments"]
    by_name = {row["row"]: row for row in written["rows"]}
    for name in ("static", "comments"):
        row = by_name[name]
        assert row["value"] > 0 and row["met"] in (True, False) and len(row["ours"]["all"]) == len(row["yardstick"]["all"]) == 2
    assert by_name["find"]["why_not"] == figures.NOT_RUN
    # The loop does what the service needs of the database, and nothing else.
    said = by_name["comments"]["detail"]
    assert [text for text in said["service_says"] if text in said["loop_says"]] == said["loop_says"]
    assert "2 of 19 rows measured" in done.stdout
    tables = run("--markdown", out)
    assert tables.returncode == 0 and tables.stdout.count("\n| ") == 1 + 1 + 2
    assert run("--case", "static", "--compare", tmp_path / "missing.json").returncode == 1


def test_the_cases_are_listed_and_others_refused():
    done = run("--list")
    listed = [line.split()[0] for line in done.stdout.splitlines()]
    assert {row.case for row in figures.ROWS} <= set(listed)
    assert run("--case", "nothing").returncode == 2
    assert run("--rounds", "0").returncode == 2
    assert run("--json", "/no/such/folder/run.json").returncode == 2


def test_what_is_no_result_is_not_read(tmp_path):
    (tmp_path / "other.json").write_text("{}")
    done = run("--markdown", tmp_path / "other.json")
    assert done.returncode == 1 and "is no result of this bench" in done.stderr
