# SPDX-License-Identifier: MIT
"""What a process costs: memory, its start, its image, the instructions of a request."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import shutil
import subprocess
import time

from harness.services import Userauth

from bench import figures, load, stage
from bench.cases_users import authorization
from bench.measure import SMALL

IMAGES = {"image-notes": ("NOTES_SVC_IMAGE", "notes/notes-svc:local"), "image-userauth": ("USERAUTH_SVC_IMAGE", "notes/userauth-svc:local")}
STARTS_COUNT = 10
MEGA, KILO = 1e6, 1e3


def _most_memory(service, work):
    """The most private memory that was seen while `work` ran, looked at every 50 ms."""
    most = load.rss_anon_bytes(service.pid)
    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        running = beside.submit(work)
        while not running.done():
            most = max(most, load.rss_anon_bytes(service.pid))
            concurrent.futures.wait([running], timeout=0.05)
        running.result()
    return most


def _memory_of(measure, service, row, paths):
    idle = load.settled_rss_anon_bytes(service.pid)

    def work():
        for path, headers in paths:
            load.fixed(service.url + path, measure.seconds, headers, connections=256)

    most = _most_memory(service, work)
    after = load.settled_rss_anon_bytes(service.pid)
    measure.add(figures.of_values(row, [idle / MEGA]))
    measure.more["memory"].append({"service": service.name, "idle": idle / MEGA, "most": most / MEGA, "after": after / MEGA})


def memory(measure):
    """Idle is: ready, and nobody has asked anything yet."""
    with measure.stage.notes(SMALL) as service:
        cookie = "Cookie: notescookie.sid=" + measure.stage.sign_in(service).session_cookie
        service.restart()
        path = stage.note_path(stage.FIRST_NOTE)
        _memory_of(measure, service, "memory-notes", [("/", ()), (path, ()), (path, [cookie])])
    with _another_userauth(measure.stage) as service:
        _memory_of(measure, service, "memory-userauth", [("/find/me", [authorization(service)])])


def memory_kept(measure):
    """What each kept page takes: of the difference that a first look at 1,000 notes makes. Their connections are there before."""
    with measure.stage.notes(SMALL) as service:
        count = SMALL.count(measure.stage)
        ask_once(service.port, [stage.note_path(stage.FIRST_NOTE)])
        before = load.settled_rss_anon_bytes(service.pid)
        page_bytes = ask_once(service.port, [stage.note_path(f"note-{number:07}") for number in range(count)]) / count
        kept = (load.settled_rss_anon_bytes(service.pid) - before) / count
        measure.more["kept"].append({"pages": count, "page_kb": page_bytes / KILO, "kept_kb": kept / KILO})


def ask_once(port, paths):
    """Each path once, on one connection. The bytes of all bodies."""
    total = 0
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for path in paths:
            connection.request("GET", path)
            answer = connection.getresponse()
            total += len(answer.read())
            if answer.status != 200:
                raise load.LoadFailed(f"{path}: {answer.status}")
    return total


def _another_userauth(on_stage):
    """A process of its own on the data of the one that stays."""
    first = on_stage.userauth()
    return Userauth(first.state_dir, **{**first.settings, "PORT": None, "STATE_DIR": first.state_dir})


def _start_ms(service):
    begun = time.perf_counter()
    service.spawn()
    while not _is_ready(service.port):
        if not service.is_running():
            raise load.LoadFailed(f"{service.name} ended at its start\n{service.tail()}")
        time.sleep(0.0005)
    taken_ms = 1000 * (time.perf_counter() - begun)
    service.stop()
    return taken_ms


def _is_ready(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def start(measure):
    """From before the fork to the first 200 of /readyz."""
    with measure.stage.notes(SMALL) as service:
        service.stop()
        measure.add(figures.of_values("start-notes", [_start_ms(service) for _ in range(STARTS_COUNT)]))
        service.start()
    measure.add(figures.of_values("start-userauth", [_start_ms(_another_userauth(measure.stage)) for _ in range(STARTS_COUNT)]))


def images(measure):
    for row, (variable, fallback) in IMAGES.items():
        name = os.environ.get(variable) or fallback
        why_not = None if shutil.which("docker") else "there is no docker here"
        if not why_not:
            done = subprocess.run(["docker", "image", "inspect", name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode != 0:
                why_not = f"docker has no image {name}"
        if why_not:
            measure.add(figures.not_measured(row, why_not))
        else:
            measure.add(figures.of_values(row, [json.loads(done.stdout)[0]["Size"] / MEGA], image=name))


# --- instructions ---

FEW, MANY_TIMES = 100, 600


def _ask_often(port, path, headers, count):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for _ in range(count):
        connection.request("GET", path, headers=dict(field.split(": ", 1) for field in headers))
        connection.getresponse().read()
    connection.close()


def _callgrind(report):
    return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={report}"]


def _counted(report):
    return int(re.search(r"^(?:summary|totals): (\d+)", report.read_text(), re.M)[1])


def _each(count_of):
    """Of one request: the difference between two counts, so that the start and the end are out of it."""
    return (count_of(MANY_TIMES) - count_of(FEW)) / (MANY_TIMES - FEW)


def instructions(measure):
    """All instructions of a process that answers so many requests and ends; beside it those of libmicrohttpd alone."""
    if not shutil.which("valgrind"):
        raise load.LoadFailed("valgrind is not installed")
    report = measure.stage.folder / "callgrind.out"
    note = stage.note_path(stage.FIRST_NOTE)
    with measure.stage.notes(SMALL) as service:
        _, _, home = stage.ask(service.url, "/")
        asset = re.search(rb'/assets/notes\.[0-9a-f]+\.js', home)[0].decode()
        cookie = "Cookie: notescookie.sid=" + measure.stage.sign_in(service).session_cookie
        for title, path, headers in (("static asset", asset, ["Accept-Encoding: gzip"]), ("note page, anonymous", note, []),
                                     ("note page, signed in", note, [cookie]), ("home page", "/", [])):
            _, fields, body = stage.ask(service.url, path, headers)

            def of_service(count):
                service.stop()
                service.start(_callgrind(report))
                _ask_often(service.port, path, headers, count)
                service.stop()
                ours = _counted(report)
                service.start()
                return ours

            def of_bare(count):
                with load.BareHttp(measure.stage.folder, fields, body, _callgrind(report)) as bare:
                    _ask_often(bare.port, path, headers, count)
                return _counted(report)

            measure.more["instructions"].append({"title": title, "count": _each(of_service), "yardstick": _each(of_bare)})
