# SPDX-License-Identifier: MIT
"""How cost grows with data and browsers, and what happens when more is asked than can be done."""
import contextlib
import os
import statistics

from bench import load, stage
from bench.cases_live import fan_out_times
from bench.cases_users import find_request
from bench.measure import LARGE, MANY, SMALL, Data

COMMENTED = Data("commented", 100, comments_each=20_000, commented=1)
STEPS = (0.5, 0.8, 1.0, 1.25, 1.5, 2.0)
CONNECTIONS = 3000
AFTER = "0.5 × again, at once"


def _grown(measure, title, unit, small, large, more_is_better=True):
    """`small` and `large` are (size, figure)."""
    cost = small[1] / large[1] if more_is_better else large[1] / small[1]
    measure.more["growth"].append({"title": title, "unit": unit, "small_size": small[0], "small": small[1], "large_size": large[0],
                                   "large": large[1], "cost": cost})


def _page_rates(measure, path, *datas):
    rates = []
    for data in datas:
        with measure.stage.notes(data) as service:
            rates.append(statistics.median(measure.page_rate(service, path)))
    return rates


def _find_rate(measure, users_count):
    service = measure.stage.userauth(users_count)
    request, count = find_request(measure.stage, service), measure.stage.scaled(users_count, least=10)
    return statistics.median(measure.varied(service.url, (request, count))["rate"] for _ in range(measure.rounds))


def _last_ms(measure, sockets_count):
    with measure.stage.notes(SMALL) as service:
        times = fan_out_times(measure, service, sockets_count, 10)
    return statistics.median(ours["last_ms"] for ours, _ in times)


def growth(measure):
    scaled = measure.stage.scaled
    note = stage.note_path(stage.FIRST_NOTE)
    small, large = _page_rates(measure, note, SMALL, COMMENTED)
    _grown(measure, "note page, comments on the note", "/s", (20, small), (COMMENTED.comments_each, large))
    small, large = _page_rates(measure, "/", SMALL, LARGE)
    _grown(measure, "home page, notes", "/s", (SMALL.count(measure.stage), small), (LARGE.count(measure.stage), large))
    few, many = scaled(100, least=10), scaled(1_000_000, least=20)
    _grown(measure, "GET /find/:username, users", "/s", (few, _find_rate(measure, 100)), (many, _find_rate(measure, 1_000_000)))
    few, many = 10, scaled(10_000, least=20)
    _grown(measure, "one comment, live sockets, last one served", "ms", (few, _last_ms(measure, few)), (many, _last_ms(measure, many)),
           more_is_better=False)
    _grown(measure, "posting comments, processes that hear of them", "/s", (1, _comment_rate(measure, 0)), (3, _comment_rate(measure, 2)))


def _comment_rate(measure, others_count):
    """At one process, beside others on the same data that are told of each."""
    with contextlib.ExitStack() as running:
        service = running.enter_context(measure.stage.notes(SMALL))
        for _ in range(others_count):
            running.enter_context(measure.stage.notes(SMALL))
        request = measure.stage.comment_file(service, measure.stage.sign_in(service), "note-@@@@@@@")
        keys = SMALL.count(measure.stage)
        measure.varied(service.url, (request, keys))
        return statistics.median(measure.varied(service.url, (request, keys))["rate"] for _ in range(measure.rounds))


def _keep_to(pid, processors):
    with contextlib.suppress(FileNotFoundError):  # it has ended
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread), processors)


@contextlib.contextmanager
def _load_apart(measure):
    """The load has one processor for itself and what is measured has the others, as if it came from another machine: else the
    load waits for a processor too, and what it measures then are waits of its own. With one processor all share it."""
    every = os.sched_getaffinity(0)
    of_load = {max(every)}
    others = every - of_load or every
    pids = measure.stage.pids()
    try:
        for pid in pids:
            _keep_to(pid, others)
        os.sched_setaffinity(0, others)  # for what is started from here on
        with load.on_processors(of_load):
            yield
    finally:
        os.sched_setaffinity(0, every)
        for pid in pids:
            _keep_to(pid, every)


def overload(measure):
    """Other notes all the time, so that each request needs the database. First what can be done at most, then shares of it at
    a constant rate up to twice as much, then half of it again without a pause."""
    with _load_apart(measure), measure.stage.notes(MANY) as service:
        keys = MANY.count(measure.stage)
        request = measure.stage.get_file(service, stage.note_path("note-@@@@@@@"))
        measure.varied(service.url, (request, keys), connections=64)
        capacity = measure.varied(service.url, (request, keys), connections=64)["rate"]
        for share in (*STEPS, AFTER):
            rate = capacity * (0.5 if share == AFTER else share)
            answer = load.open_loop(service.port, rate, max(2, measure.seconds), request, measure.next_number, keys, CONNECTIONS)
            measure.next_number += answer["due"]
            measure.more["overload"].append({"load": share if share == AFTER else f"{share:g} × capacity", **answer})
        if not service.is_ready():
            raise load.LoadFailed("the service does not answer after the overload\n" + service.tail())
