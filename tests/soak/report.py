# SPDX-License-Identifier: MIT
"""What a soak came to: the result as plain data, as tables for people, and as Markdown for docs/SOAK.md."""
import json
import os
import platform
import re
import subprocess

from harness import programs

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
FORMAT = 2
KINDS = ("answered", "refused", "unavailable", "lost connection")
# A slope that is above its noise counts from here on: less is one page of memory, or one connection that is opened late.
LEAST_GROWTH = {"heap": 64 * 1024, "memory": 4 << 20, "descriptors": 3, "threads": 1}


def first_line(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return (done.stdout.splitlines() or [""])[0]


def machine():
    with open("/proc/cpuinfo") as info:
        processor = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo") as info:
        memory_gb = round(int(next(info).split()[1]) / 1e6)
    with open("/etc/os-release") as info:
        system = re.search(r'^PRETTY_NAME="(.*)"', info.read(), re.M)[1]
    return f"{os.cpu_count()} × {processor}, {memory_gb} GB, Linux {platform.release()}, {system}"


def build(folder):
    """What the programs in this folder of meson's were built with."""
    options = json.loads((folder / "meson-info" / "intro-buildoptions.json").read_text())
    chosen = {option["name"]: option["value"] for option in options}
    return f"{chosen['buildtype']} with sanitizers {chosen['b_sanitize']}" if chosen["b_sanitize"] != "none" else f"{chosen['buildtype']} without sanitizers"


def growth_of(one):
    """What a slope came to in its span, or 0 when it is within its noise."""
    trend = one["trend"]
    if trend is None or not trend["is_growing"]:
        return 0.0
    return trend["per_hour"] * trend["span_s"] / 3600


def is_growing(one):
    return growth_of(one) >= LEAST_GROWTH[one["what"]]


def gained(one):
    """Which descriptors there are more of at the end than in the middle."""
    if not one["kinds"]:
        return ""
    _, middle, end = one["kinds"]
    more = {kind: end[kind] - middle.get(kind, 0) for kind in sorted(end) if end[kind] > middle.get(kind, 0)}
    return " (" + ", ".join(f"{kind}: {count:+}" for kind, count in more.items()) + ")"


def of(soak, begun, took_s, servers):
    """Everything that was seen, for JSON."""
    trends = soak.trends()
    faults = [*soak.faults, *(f"{one['process']}: {one['what']} grow{gained(one)}" for one in trends if is_growing(one))]
    lives = [{"process": life.name, "pid": life.pid, "is_spared": life.is_spared, "samples": life.samples, "rests": life.rests}
             for life in soak.sampler.lives.values()]
    return {"format": FORMAT, "begun": begun, "took_s": took_s, "machine": machine(), "build": build(programs.BUILD),
            "servers": servers, "site": soak.kind, "seed": soak.seed,
            "rounds": soak.rounds, "injected": dict(soak.injected), "deaths_after_commit": soak.deaths_after_commit,
            "answers": {what: dict(counts) for what, counts in soak.answers.counts.items()},
            "requests": soak.answers.total(), "longest_wait_s": soak.answers.longest_s, "wait_limit_s": soak.answers.limit_s,
            "stalled_s": soak.clock.stalled_s, "joins": soak.joins, "slowest_agreement_s": soak.slowest_agreement_s,
            "writes": {what: dict(counts) for what, counts in soak.expected.outcomes.items()},
            "lost": len(soak.lost), "doubled": len(soak.doubled), "wrong": len(soak.wrong),
            "trends": trends, "lives": lives, "faults": faults}


# --- tables ---

def plain(head, lines):
    widths = [max(len(line[place]) for line in [head, *lines]) for place in range(len(head))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip() for line in [head, *lines])


def markdown(head, lines):
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *lines])


def amount(what, value):
    if value is None:
        return "-"
    return f"{value / 1e6:.2f} MB" if what in ("heap", "memory") else f"{value:.0f}"


def rate(what, value):
    return f"{value / 1e3:+,.0f} KB/h" if what in ("heap", "memory") else f"{value:+.1f}/h"


def trend_cells(one, requests_per_s):
    ends = one["start_middle_end"] or (None, None, None)
    trend = one["trend"]
    cells = [one["process"], one["what"], *(amount(one["what"], value) for value in ends), amount(one["what"], one["most_under_load"])]
    if trend is None:
        return [*cells, "-", "-", "too few samples"]
    return [*cells, rate(one["what"], trend["per_hour"]), "± " + rate(one["what"], trend["noise_per_hour"]).lstrip("+"),
            verdict(one, requests_per_s)]


def verdict(one, requests_per_s):
    if is_growing(one):
        return "GROWS"
    if one["trend"]["is_growing"]:
        return f"rises, by less than {amount(one['what'], LEAST_GROWTH[one['what']])}"
    most = one["trend"]["per_hour"] + one["trend"]["noise_per_hour"]
    if one["what"] == "heap" and most > 0:
        return f"flat (under {most / 3600 / requests_per_s:.0f} bytes a request of the whole site)"
    return "flat"


def tables(run, as_markdown=False):
    draw = markdown if as_markdown else plain
    title = "### {}" if as_markdown else "{}"
    rate_per_s = run["requests"] / run["took_s"]
    parts = [f"{run['machine']}; {run['servers']}; build: {run['build']}",
             f"{run['begun']}, seed {run['seed']}, {run['took_s'] / 60:.1f} minutes, {run['rounds']} rounds, {run['requests']:,} requests "
             f"({rate_per_s:.0f} a second), {run['joins']:,} joins of live sockets that must agree at the end of each round"]
    parts += [title.format("Faults injected"), draw(["fault", "times"], [[name.replace("_", " "), str(count)]
                                                                        for name, count in sorted(run["injected"].items())] +
                                                    [["in all", str(sum(run["injected"].values()))]])]
    parts += [title.format("Requests"), draw(["request", *KINDS], [[what, *(f"{counts.get(kind, 0):,}" for kind in KINDS)]
                                                                  for what, counts in sorted(run["answers"].items())])]
    outcomes = ("done", "unknown", "refused")
    parts += [title.format("What was written"), draw(["what", *outcomes], [[what, *(f"{counts.get(one, 0):,}" for one in outcomes)]
                                                                          for what, counts in sorted(run["writes"].items())])]
    parts += [title.format("Promises"), draw(["promise", "found"], promises(run))]
    parts += [title.format("Memory, descriptors and threads at rest, second half"),
              draw(["process", "what", "start", "middle", "end", "most under load", "slope", "noise", "verdict"],
                   [trend_cells(one, rate_per_s) for one in run["trends"]])]
    parts += [f"{len(run['faults'])} faults."] + [fault if as_markdown else "FAULT " + fault for fault in run["faults"]]
    return "\n\n".join(parts)


def promises(run):
    return [["answered writes that are lost", str(run["lost"])], ["writes that are there twice", str(run["doubled"])],
            ["refused or deleted, and there all the same", str(run["wrong"])],
            ["faults of any kind", str(len(run["faults"]))],
            ["deaths between a commit and its publication", str(run["deaths_after_commit"])],
            ["longest wait for an answer", f"{run['longest_wait_s']:.1f} s (limit {run['wait_limit_s']} s)"],
            ["slowest agreement of all viewers", f"{run['slowest_agreement_s']:.2f} s"],
            ["this machine gave us no time for", f"{run['stalled_s']:.0f} s"]]


def put_between_marks(document, text):
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"it lacks {BEGIN} or {END}")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"
