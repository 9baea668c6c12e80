#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""./dev soak: mixed load and random faults for a long time, and what came of it.

Exit 0 when every promise held and nothing grows; 1 when not; 2 for wrong usage.
"""
import argparse
import datetime
import json
import pathlib
import sys
import tempfile
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:1] = [str(TESTS), str(TESTS / "http"), str(TESTS / "replicas")]

from soak import report  # noqa: E402


def options_of(arguments):
    parser = argparse.ArgumentParser(prog="./dev soak", description="Mixed load and random faults, on the build with sanitizers: nothing answered may "
                                     "be lost, nobody may wait for ever, and neither memory nor descriptors may grow. docs/SOAK.md")
    parser.add_argument("--minutes", type=float, default=30, metavar="N", help="how long (30); besides, some seconds of start and end")
    parser.add_argument("--seed", default=None, metavar="S", help="of load and faults; by chance when it is not given, and shown")
    parser.add_argument("--site", choices=("servers", "files"), default="servers",
                        help="three notes-svc and two userauth-svc on MariaDB and Redis, or one of each on SQLite files")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="writes everything that was seen, with all samples")
    parser.add_argument("--markdown", nargs="?", type=pathlib.Path, const=True, metavar="RUN.json",
                        help="prints the tables as Markdown; with a file runs nothing: the tables of that run")
    parser.add_argument("--into", type=pathlib.Path, metavar="FILE.md", help="with --markdown: between that file's two marks instead")
    parser.add_argument("--round", type=float, default=40, metavar="S", help="of load until all must agree and the processes are measured (40)")
    parser.add_argument("--steady", type=float, default=0, metavar="N",
                        help="besides, N pages a second of the notes-svc that is measured, so that smaller leaks are seen (0)")
    parser.add_argument("--leak", type=int, default=0, metavar="BYTES",
                        help="tries the soak itself: each answer of one notes-svc leaks so many; it must end with 1")
    parser.add_argument("--without-sanitizers", action="store_true",
                        help="on a build like a released one: private memory tells of the service then, not of AddressSanitizer")
    parser.add_argument("--needs-programs", action="store_true", help=argparse.SUPPRESS)  # for ./dev: only the exit code, 0 or 4
    options = parser.parse_args(arguments)
    if options.minutes <= 0 or options.round <= 0 or options.steady < 0 or options.leak < 0:
        parser.error("--minutes and --round are above 0, --steady and --leak not below")
    if options.into and not options.markdown:
        parser.error("--into goes with --markdown")
    options.seed = options.seed or str(int(time.time()) % 100_000)
    return options


def read_run(path):
    try:
        run = json.loads(path.read_text())
    except (OSError, ValueError) as fault:
        sys.exit(f"soak: {path}: {fault}")
    if not isinstance(run, dict) or run.get("format") != report.FORMAT:
        sys.exit(f"soak: {path} is no result of this soak")
    return run


def soak_now(options):
    """What running needs is asked for here only: help and old results need no package."""
    from soak.soak import Soak
    begun = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    print(f"soak: seed {options.seed}, {options.minutes:g} minutes", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="notes-soak-") as folder:
        soak = Soak(pathlib.Path(folder), options.site, options.seed, options.minutes * 60, options.round, options.steady, options.leak,
                    say=lambda text: print(text, file=sys.stderr, flush=True))
        soak.run()
        return report.of(soak, begun, soak.took_s, soak.servers)


def show(run, options):
    text = report.tables(run, as_markdown=bool(options.markdown))
    if not options.into:
        print(text)
        return
    try:
        options.into.write_text(report.put_between_marks(options.into.read_text(), text))
    except (OSError, ValueError) as fault:
        sys.exit(f"soak: {options.into}: {fault}")


def main(arguments):
    options = options_of(arguments)
    if options.needs_programs:
        return 4 if isinstance(options.markdown, pathlib.Path) else 0
    if isinstance(options.markdown, pathlib.Path):
        show(read_run(options.markdown), options)
        return 0
    run = soak_now(options)
    if options.json:
        options.json.write_text(json.dumps(run) + "\n")
    show(run, options)
    return 1 if run["faults"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
