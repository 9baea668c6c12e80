# SPDX-License-Identifier: MIT
"""The result of a run as a table for people, as Markdown for docs/PERFORMANCE.md, and beside an older one."""
from bench import figures

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
MARKS = {True: "yes", False: "NO", None: "-"}


def number(value, unit=""):
    """Short: three digits that count, thousands divided."""
    if value is None:
        return "-"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}" + (f" {unit}" if unit else "")


def bound_text(result):
    sign = "≥" if result["direction"] == figures.AT_LEAST else "≤"
    text = f"{sign} {result['bound']:g}"
    if result["against"]:
        return f"{text} × {result['against']}"
    return f"{text} {result['unit']}"


def value_text(result):
    if result["value"] is None:
        return "not measured: " + result["why_not"]
    spread = f" ({number(result['low'])} to {number(result['high'])})"
    return number(result["value"], result["unit"]) + spread


def side_text(side):
    return "-" if side is None else number(side["median"], side["unit"])


COLUMNS = ("case", "bound", "measured (spread)", "ours", "yardstick", "met")


def cells_of(result):
    has_yardstick = result["yardstick"] is not None
    return [result["title"], bound_text(result), value_text(result), side_text(result["ours"]) if has_yardstick else "",
            side_text(result["yardstick"]) if has_yardstick else "", MARKS[result["met"]]]


def plain(head, lines):
    """Columns as wide as they must be; the last text of a line may be longer."""
    widths = [max(len(line[place]) for line in [head, *lines] if not line[place].startswith("not measured"))
              for place in range(len(head))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in [head, *lines])


def markdown(head, lines):
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _more_tables(run):
    """(title, head, lines) of what has no bound."""
    if run.get("growth"):
        yield ("Growth", ["what grows", "small", "large", "large costs"],
               [[one["title"], f"{one['small_size']:,}: {number(one['small'], one['unit'])}",
                 f"{one['large_size']:,}: {number(one['large'], one['unit'])}", f"{number(one['cost'])} ×"] for one in run["growth"]])
    if run.get("overload"):
        yield ("Overload", ["offered", "asked a second", "answered", "refused (503)", "else", "p50", "p99", "p50 of refusals",
                            "p99 of refusals", "sent late, p99"],
               [[one["load"], number(one["rate"]), number(one["ok_per_s"]), number(one["refused_per_s"]),
                 number(one["else_per_s"]), number(one["ok_p50_ms"], "ms"), number(one["ok_p99_ms"], "ms"),
                 *(number(one[part] if one["refused"] else None, "ms") for part in ("refused_p50_ms", "refused_p99_ms")),
                 number(one["late_p99_ms"], "ms")] for one in run["overload"]])
    if run.get("memory"):
        yield ("Private memory (RssAnon)", ["service", "idle", "under load, at most", "after load"],
               [[one["service"], *(number(one[when], "MB") for when in ("idle", "most", "after"))] for one in run["memory"]])
    if run.get("kept"):
        yield ("Private memory of kept pages", ["pages", "a page's body", "a kept page takes"],
               [[f"{one['pages']:,}", number(one["page_kb"], "KB"), number(one["kept_kb"], "KB")] for one in run["kept"]])
    if run.get("latency"):
        yield ("A comment's way", ["to", "median", "p95", "p99"],
               [[one["title"], *(number(one[part], "ms") for part in ("median", "p95", "p99"))] for one in run["latency"]])
    if run.get("instructions"):
        yield ("Instructions a request", ["request", "ours", "libmicrohttpd alone"],
               [[one["title"], number(one["count"]), number(one["yardstick"])] for one in run["instructions"]])


def machine_text(machine):
    return (f"{machine['cores']} × {machine['processor']}, {machine['memory_gb']} GB, Linux {machine['kernel']}, "
            f"{machine['system']}; {machine['database']}, Redis {machine['redis']}, libmicrohttpd {machine['libmicrohttpd']}")


def run_text(run):
    how = run["settings"]
    commit = f"commit {run['commit']}, " if run.get("commit") else ""
    return f"{run['begun']}, {commit}{how['rounds']} rounds of {how['seconds']} s each side, data × {how['scale']:g}"


def tables(run, as_markdown=False):
    """The whole report."""
    draw = markdown if as_markdown else plain
    parts = [machine_text(run["machine"]) + "  \n" * as_markdown + "\n" * (not as_markdown) + run_text(run),
             draw(list(COLUMNS), [cells_of(result) for result in run["rows"] if result["why_not"] != figures.NOT_RUN])]
    for title, head, lines in _more_tables(run):
        parts.append(("### " if as_markdown else "") + title)
        parts.append(draw(head, lines))
    measured = [result for result in run["rows"] if result["met"] is not None]
    missed = sum(not result["met"] for result in measured)
    parts.append(f"{len(measured)} of {len(run['rows'])} rows measured, {missed} of them miss their bound.")
    parts += [f"{fault['case']} failed: {fault['why']}" for fault in run["faults"]]
    return "\n\n".join(parts)


def _differences(old_run, new_run):
    """A warning when the runs are not alike."""
    names = [name for part in ("machine", "settings") for name in sorted({*old_run[part], *new_run[part]} - {"cases"})
             if old_run[part].get(name) != new_run[part].get(name)]
    return f"NOT ALIKE, so little can be said of changes: {', '.join(names)}\n\n" if names else ""


def comparison(old_run, new_run):
    """Each row with a bound, then and now; what differs by less than the spread is said to."""
    olds = {result["row"]: result for result in old_run["rows"]}
    lines = []
    for new in new_run["rows"]:
        old = olds.get(new["row"])
        factor = figures.change(old, new)
        if factor is None:
            continue
        word = "" if factor[1] else "within the spread"
        lines.append([new["title"], number(old["value"], new["unit"]), number(new["value"], new["unit"]), f"× {factor[0]:.3f}", word])
    if not lines:
        return "No row with a bound was measured in both runs."
    return _differences(old_run, new_run) + plain(["case", "then", "now", "change", ""], lines)


def put_between_marks(document, text):
    """The document with `text` between its marks."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"it lacks {BEGIN} or {END}")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"
