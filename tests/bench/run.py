#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""./dev bench: measures, prints a table, and writes JSON. No test: it judges nothing and has no time limit.

Exit 0 when it has measured, also when a bound is missed; 1 when a case could not be run; 2 for wrong usage; 130 when it was
interrupted, with what had been measured by then.
"""
import argparse
import datetime
import importlib
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])
sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1] / "http"))

from bench import figures, plot, report  # noqa: E402

FORMAT = 1
CASES = {
    "static": ("cases_pages", "static", "a static asset against libmicrohttpd alone"),
    "note": ("cases_pages", "note", "a note's page with 20 comments, likewise, for a stranger and signed in"),
    "home": ("cases_pages", "home", "the home page with 1,000 and 1,000,000 notes, likewise"),
    "cold": ("cases_pages", "cold", "another note each time, against a loop of the same statements"),
    "comments": ("cases_pages", "comments", "posting comments, against a loop of the same transaction"),
    "find": ("cases_users", "find", "GET /find/:username, against a loop of the same statement"),
    "password": ("cases_users", "password", "POST /password-check, against Argon2id alone; /find meanwhile"),
    "fan-out": ("cases_live", "fan_out", "one comment to 5,000 live sockets, against a bare epoll loop"),
    "memory": ("cases_process", "memory", "private memory of both services: idle, under load, after it"),
    "memory-kept": ("cases_process", "memory_kept", "private memory of each kept page"),
    "memory-socket": ("cases_live", "memory_socket", "private memory of each of 10,000 idle live sockets"),
    "start": ("cases_process", "start", "start to ready"),
    "images": ("cases_process", "images", "sizes of the images, where docker has them"),
    "growth": ("cases_load", "growth", "the cost of 1,000 times the data"),
    "overload": ("cases_load", "overload", "up to twice of what can be done, at a constant rate"),
    "latency": ("cases_live", "latency", "a comment's way to a browser at another replica"),
    "instructions": ("cases_process", "instructions", "instructions of a request, by callgrind; only when it is named"),
}
ONLY_WHEN_NAMED = ("instructions",)
NOT_IN_QUICK = ("growth", "overload", "latency")
FILES_COUNT = 100_000
INTERRUPTED = "interrupted"


def options_of(arguments):
    parser = argparse.ArgumentParser(prog="./dev bench", description="How near to the machine's limit each path runs.")
    parser.add_argument("--quick", action="store_true", help="a look in two minutes: fewer and shorter rounds, no growth, overload and latency")
    parser.add_argument("--case", action="append", default=[], choices=list(CASES), metavar="NAME", help="only this case (--list); may be repeated")
    parser.add_argument("--list", action="store_true", help="the names of the cases")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="writes everything that was measured")
    parser.add_argument("--compare", type=pathlib.Path, metavar="OLD.json", help="each row beside that of an earlier run")
    parser.add_argument("--markdown", type=pathlib.Path, metavar="RUN.json", help="measures nothing: prints the tables of that run")
    parser.add_argument("--into", type=pathlib.Path, metavar="FILE.md", help="with --markdown: between that file's two marks instead")
    parser.add_argument("--plot", type=pathlib.Path, metavar="FILE.svg", help="with --markdown: draws that run's overload")
    parser.add_argument("--rounds", type=int, help="rounds of ours and the yardstick (5, --quick 3)")
    parser.add_argument("--seconds", type=int, help="how long each side of a round is measured (3, --quick 1)")
    parser.add_argument("--scale", type=float, default=1.0, metavar="F", help="data of F times the size, to try the bench itself")
    parser.add_argument("--engine", choices=("mariadb", "mysql"), default="mariadb", help="mariadb from the system's packages, or a private mysql where one can be made")
    options = parser.parse_args(arguments)
    if options.rounds is None:
        options.rounds = 3 if options.quick else 5
    if options.seconds is None:
        options.seconds = 1 if options.quick else 3
    if options.rounds < 1 or options.seconds < 1 or options.scale <= 0:
        parser.error("--rounds and --seconds are 1 or more, --scale is above 0")
    if (options.into or options.plot) and not options.markdown:
        parser.error("--into and --plot go with --markdown")
    if options.json and not options.json.absolute().parent.is_dir():
        parser.error(f"--json {options.json}: there is no such folder")
    return options


def read_run(path):
    try:
        run = json.loads(path.read_text())
    except (OSError, ValueError) as fault:
        sys.exit(f"bench: {path}: {fault}")
    if not isinstance(run, dict) or run.get("format") != FORMAT:
        sys.exit(f"bench: {path} is no result of this bench")
    return run


def wanted_cases(options):
    if options.case:
        return options.case
    return [name for name in CASES if name not in ONLY_WHEN_NAMED and not (options.quick and name in NOT_IN_QUICK)]


def run_case(name, measure, faults):
    """A case that fails leaves its rows with the reason; the others go on."""
    begun = time.monotonic()
    print(f"{name:14} {CASES[name][2]} ...", end=" ", file=sys.stderr, flush=True)
    try:
        module, function, _ = CASES[name]
        getattr(importlib.import_module(f"bench.{module}"), function)(measure)
        print(f"{time.monotonic() - begun:.0f} s", file=sys.stderr)
    except Exception as fault:  # whatever it is, the other cases can be measured
        print(f"FAILED: {fault}", file=sys.stderr)
        faults.append({"case": name, "why": f"{type(fault).__name__}: {fault}"[:2000]})
        have = {result["row"] for result in measure.results}
        for row in figures.ROWS:
            if row.case == name and row.name not in have:
                measure.add(figures.not_measured(row.name, "its case failed"))


def commit_name():
    done = subprocess.run(["git", "-C", str(pathlib.Path(__file__).parent), "describe", "--always", "--dirty"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.strip()


def measure_all(options):
    """What measuring needs is asked for here only: help and old results need no package."""
    from bench.measure import Measure
    from bench.stage import Stage
    faults = []
    begun = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    with tempfile.TemporaryDirectory(prefix="notes-bench-") as folder, Stage(folder, options.engine, options.scale) as on_stage:
        measure = Measure(on_stage, options.rounds, options.seconds, options.quick)
        for name in wanted_cases(options):
            try:
                run_case(name, measure, faults)
            except KeyboardInterrupt:
                print("interrupted", file=sys.stderr)
                faults.append({"case": name, "why": INTERRUPTED})
                break
        machine = on_stage.machine()
    return {"format": FORMAT, "begun": begun, "commit": commit_name(), "machine": machine,
            "settings": {"rounds": options.rounds, "seconds": options.seconds, "scale": options.scale, "quick": options.quick,
                         "engine": options.engine, "cases": wanted_cases(options)},
            "rows": figures.in_order(measure.results), **measure.more, "faults": faults}


def raise_files_limit():
    """Thousands of sockets on both sides; root may have more than the limit says."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for most in (max(hard, FILES_COUNT), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            return
        except (ValueError, OSError):
            continue


def show_old(options):
    """What a run has measured, as the document wants it."""
    run = read_run(options.markdown)
    text = report.tables(run, as_markdown=True)
    if options.into:
        try:
            options.into.write_text(report.put_between_marks(options.into.read_text(), text))
        except (OSError, ValueError) as fault:
            sys.exit(f"bench: {options.into}: {fault}")
    else:
        print(text)
    if options.plot:
        if not run["overload"]:
            sys.exit(f"bench: {options.markdown} has no overload to draw")
        options.plot.write_text(plot.overload(run["overload"]))


def main(arguments):
    options = options_of(arguments)
    if options.list:
        print("\n".join(f"{name:14} {what}" for name, (_, _, what) in CASES.items()))
        return 0
    if options.markdown:
        show_old(options)
        return 0
    old = read_run(options.compare) if options.compare else None
    raise_files_limit()
    run = measure_all(options)
    print("\n" + report.tables(run))
    if options.json:
        options.json.write_text(json.dumps(run, indent=1) + "\n")
    if old:
        print("\nBeside " + str(options.compare) + "\n\n" + report.comparison(old, run))
    if any(fault["why"] == INTERRUPTED for fault in run["faults"]):
        return 130
    return 1 if run["faults"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
