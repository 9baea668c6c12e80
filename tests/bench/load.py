# SPDX-License-Identifier: MIT
"""The programs that make load and those that are measured against, as calls that return figures."""
import contextlib
import json
import os
import pathlib
import socket
import subprocess

from harness import programs
from harness.wait import until

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = programs.BUILD / "tests" / "bench"
CONNECTIONS = 32
WRK_THREADS = max(1, min(4, os.cpu_count()))
# In a build with sanitizers too: these programs keep their memory until they end.
ENV = {**programs.clean_env({}), "ASAN_OPTIONS": "detect_leaks=0"}
KEY_MARK = "@@@@@@@"


class LoadFailed(Exception):
    """A tool did not do its work, or what it asked was not answered as it must be."""


def tool(name):
    return str(TOOLS / f"bench_{name}")


_processors = None  # that the load may use; None: any


@contextlib.contextmanager
def on_processors(processors):
    """Keeps the load of calls to these."""
    global _processors
    before, _processors = _processors, processors
    try:
        yield
    finally:
        _processors = before


def _begin():
    programs.die_with_parent()
    if _processors:
        os.sched_setaffinity(0, _processors)


def _run(command, timeout_s, **env):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                          timeout=timeout_s, env={**ENV, **env}, preexec_fn=_begin)
    if done.returncode != 0:
        raise LoadFailed(f"{pathlib.Path(command[0]).name}: {done.stderr.strip() or done.stdout.strip()[-500:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def _checked(answer, what):
    """A figure counts only when everything was answered as asked: refusals are quick."""
    if answer["bad_status"] or answer["broken"] or not answer["count"]:
        raise LoadFailed(f"{what}: {answer['count']} answers, {answer['bad_status']} with a wrong status, "
                         f"{answer['broken']} broken connections")
    return {**answer, "rate": answer["count"] / answer["seconds"]}


def threads_for(connections):
    return min(WRK_THREADS, connections)


def _wrk(url, seconds, connections, *more):
    command = ["wrk", f"-t{threads_for(connections)}", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", *more]
    return _checked(_run(command, seconds + 60), url)


def fixed(url, seconds, headers=(), connections=CONNECTIONS):
    """wrk: the same GET again and again. Its result with "rate", answers a second."""
    fields = [word for field in headers for word in ("-H", field)]
    return _wrk(url, seconds, connections, *fields, "-s", str(HERE / "fixed.lua"), url)


def varied(url, seconds, request_path, first, count, connections=CONNECTIONS):
    """wrk: the request of a file, with another number in it each time."""
    return _wrk(url, seconds, connections, "-s", str(HERE / "varied.lua"), url, "--", str(request_path), str(first), str(count),
                str(threads_for(connections)))


def sql_loop(server, schema, duration_s, first, script_path, connections=CONNECTIONS):
    answer = _run([tool("sql_loop"), str(server.port), server.user, schema, str(connections), str(int(duration_s * 1000)), str(first),
                   str(script_path)], duration_s + 120, SQL_PASSWORD=server.password)
    return {**answer, "rate": answer["count"] / answer["seconds"]}


def hash_time(memory_kib, passes, duration_s):
    return _run([tool("hash_time"), str(memory_kib), str(passes), str(int(duration_s * 1000))], 10 * duration_s + 60)


def open_loop(port, rate, duration_s, request_path, first=0, count=1, connections=1000):
    """Load at a constant rate; see open_loop.c. Adds rates a second."""
    answer = _run([tool("open_loop"), str(port), str(max(1, int(rate))), str(int(duration_s * 1000)), str(connections), str(first),
                   str(count), str(request_path)], duration_s + 60)
    return {**answer, "rate": rate, "ok_per_s": answer["ok"] / duration_s, "refused_per_s": answer["refused"] / duration_s,
            "else_per_s": (answer["else"] + answer["unanswered"]) / duration_s}


class Child:
    """A tool that runs beside, and says "ready ..." when it is."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env=ENV, preexec_fn=programs.die_with_parent)
        self.name = pathlib.Path(command[0]).name
        self.ready = self.line().split()[1:]

    def line(self):
        text = self.process.stdout.readline()
        if not text:
            raise LoadFailed(f"{self.name} ended: {self.process.stderr.read().strip()}")
        return text

    def ask(self, text):
        with contextlib.suppress(BrokenPipeError):  # it has ended, of which line() tells
            self.process.stdin.write(text + "\n")
            self.process.stdin.flush()

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class BareHttp(Child):
    """libmicrohttpd alone, sending what `answer` (an http.client answer that was read) has."""
    OWN_FIELDS = ("date", "content-length", "connection")

    def __init__(self, folder, fields, body, wrapper=()):
        lines = [f"{name}:{value}" for name, value in fields if name.lower() not in self.OWN_FIELDS]
        (folder / "fields").write_text("\n".join(lines))
        (folder / "body").write_bytes(body)
        super().__init__(*wrapper, tool("bare_http"), str(folder / "fields"), str(folder / "body"))
        self.port = int(self.ready[0])
        self.url = f"http://127.0.0.1:{self.port}"


class BareFrames(Child):
    def __init__(self, frame_bytes, sockets):
        super().__init__(tool("bare_frames"), str(frame_bytes), str(sockets + 16))
        self.port = int(self.ready[0])


class Live(Child):
    """Many live sockets on one note; `join` is the connect payload, None for plain sockets."""

    def __init__(self, port, sockets, join=None, frame_bytes=0):
        super().__init__(tool("live_load"), str(port), str(sockets), "-" if join is None else json.dumps(join, separators=(",", ":")))
        self.ready_ms = float(self.ready[0])
        if join is None:
            self.ask(f"plain {frame_bytes}")

    def event(self, request_path):
        """Sends the request and waits until all sockets have its event."""
        self.ask(str(request_path))
        return json.loads(self.line())


def rss_anon_bytes(pid):
    """Private resident memory."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon:"))


def settled_rss_anon_bytes(pid):
    """The same when it does not move any more."""
    seen = [None]

    def is_still():
        seen.append(rss_anon_bytes(pid))
        return seen[-1] == seen[-2]
    until(is_still, "memory that stands still", 30, 0.5)
    return seen[-1]


def send_once(port, request):
    """One request as it is; the bytes of its answer's head."""
    with socket.create_connection(("127.0.0.1", port), 30) as link:
        link.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = link.recv(65536)
            if not piece:
                raise LoadFailed(f"the service closed: {answer[:200]!r}")
            answer += piece
    if answer[9:10] not in b"23":
        raise LoadFailed(f"not answered as it must be: {answer[:200]!r}")
    return answer
