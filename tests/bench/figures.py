# SPDX-License-Identifier: MIT
"""What becomes of the figures of a run: medians, ratios, spread, and whether a bound is met. No process, no clock."""
import dataclasses
import statistics

NOT_RUN = "its case was not run"
AT_LEAST, AT_MOST = "at least", "at most"


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table of bounds. `case` is what measures it; a ratio has no unit."""
    name: str
    case: str
    title: str
    against: str  # what the bound is a share of; "" when it is a plain limit
    direction: str
    bound: float
    unit: str = ""


ROWS = (
    Row("static", "static", "static asset", "limit", AT_LEAST, 0.9),
    Row("note-anonymous", "note", "note page with 20 comments, anonymous", "limit", AT_LEAST, 0.6),
    Row("note-signed-in", "note", "note page with 20 comments, signed in", "limit", AT_LEAST, 0.5),
    Row("home-small", "home", "home page with 1,000 notes", "limit", AT_LEAST, 0.5),
    Row("home-large", "home", "home page with 1,000,000 notes", "limit", AT_LEAST, 0.5),
    Row("note-cold", "cold", "note page, every request another of 100,000 notes", "SQL loop", AT_LEAST, 0.5),
    Row("comments", "comments", "posting comments", "SQL loop", AT_LEAST, 0.7),
    Row("find", "find", "GET /find/:username", "SQL loop", AT_LEAST, 0.5),
    Row("password-check", "password", "POST /password-check", "cores ÷ hash", AT_LEAST, 0.9),
    Row("find-meanwhile", "password", "GET /find/:username meanwhile, p99", "", AT_MOST, 20, "ms"),
    Row("fan-out-last", "fan-out", "one comment to 5,000 sockets, last one served", "", AT_MOST, 100, "ms"),
    Row("fan-out-ratio", "fan-out", "one comment to 5,000 sockets", "epoll loop", AT_LEAST, 0.7),
    Row("memory-notes", "memory", "private memory, idle, notes-svc", "", AT_MOST, 6, "MB"),
    Row("memory-userauth", "memory", "private memory, idle, userauth-svc", "", AT_MOST, 6, "MB"),
    Row("memory-socket", "memory-socket", "private memory of an idle live socket", "", AT_MOST, 2, "KB"),
    Row("start-notes", "start", "start to ready, notes-svc", "", AT_MOST, 100, "ms"),
    Row("start-userauth", "start", "start to ready, userauth-svc", "", AT_MOST, 100, "ms"),
    Row("image-notes", "images", "size of the image of notes-svc", "", AT_MOST, 30, "MB"),
    Row("image-userauth", "images", "size of the image of userauth-svc", "", AT_MOST, 30, "MB"),
)


def row_of(name):
    return next(row for row in ROWS if row.name == name)


def is_met(row, value):
    return value >= row.bound if row.direction == AT_LEAST else value <= row.bound


def _result(row, **members):
    return {"row": row.name, "case": row.case, "title": row.title, "against": row.against, "direction": row.direction,
            "bound": row.bound, "unit": row.unit, "value": None, "low": None, "high": None, "met": None,
            "why_not": None, "ours": None, "yardstick": None, "detail": {}, **members}


def not_measured(name, why):
    """The row is there all the same, with the reason."""
    return _result(row_of(name), why_not=why)


def summary(values, unit):
    """Median and all values, in the order of the rounds."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values), "unit": unit, "all": list(values)}


def of_values(name, values, **detail):
    """A row that is a plain limit: the median of the rounds decides."""
    row = row_of(name)
    value = statistics.median(values)
    return _result(row, value=value, low=min(values), high=max(values), met=is_met(row, value),
                   ours=summary(values, row.unit), detail=detail)


def of_pairs(name, pairs, unit, more_is_better=True, **detail):
    """A row that is a share of a yardstick. `pairs` are (ours, yardstick) of each round, taken one after the other, so
    that what disturbs the machine for long disturbs both: the median of the rounds' ratios decides, not a ratio of medians.
    With more_is_better=False (times) the ratio is turned round."""
    row = row_of(name)
    ratios = [ours / yardstick if more_is_better else yardstick / ours for ours, yardstick in pairs]
    value = statistics.median(ratios)
    return _result(row, value=value, low=min(ratios), high=max(ratios), met=is_met(row, value),
                   ours=summary([one for one, _ in pairs], unit),
                   yardstick=summary([one for _, one in pairs], unit), detail=detail)


def in_order(results):
    """All rows of the table, in its order; what no case gave is there with the reason."""
    given = {result["row"]: result for result in results}
    return [given.get(row.name) or not_measured(row.name, NOT_RUN) for row in ROWS]


def change(old, new):
    """Two results of the same row: (new ÷ old, whether that is more than both spreads), or None when one was not measured."""
    if old is None or new is None or not old["value"] or new["value"] is None:
        return None
    is_apart = new["low"] > old["high"] or new["high"] < old["low"]
    return new["value"] / old["value"], is_apart
