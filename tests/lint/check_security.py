#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every file and every test that docs/SECURITY.md and docs/FAULTS.md name exists, every "yes" of their tables names a test, no row
is outside a table, and each requirement of OWASP ASVS 5.0.0, levels 1 and 2, is in one row of docs/SECURITY.md.

Files stand in backquotes, from the project's root; tests as `http/test_x.py::test_y` or `unit/test_x.c::y`, from tests/;
requirements at the start of a row, as "1.2.1, 1.2.3 to 1.2.5".

usage: check_security.py ROOT; prints every fault as file:line: text and exits 1 when there is one.
"""
import pathlib
import re
import sys

PAGES = ("docs/SECURITY.md", "docs/FAULTS.md")
ASVS_PAGE = "docs/SECURITY.md"
ASVS_HEADING = "## OWASP ASVS"
# How many requirements of levels 1 and 2 a section of ASVS 5.0.0 has: they are its first ones. 70 of level 1, 183 of level 2.
ASVS_SECTIONS = {
    "1.1": 2, "1.2": 9, "1.3": 11, "1.4": 3, "1.5": 2, "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1, "3.2": 2, "3.3": 4, "3.4": 6, "3.5": 5,
    "3.7": 2, "4.1": 3, "4.2": 1, "4.3": 2, "4.4": 4, "5.1": 1, "5.2": 3, "5.3": 2, "5.4": 3, "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4,
    "6.5": 5, "6.6": 3, "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2, "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1,
    "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4, "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3,
    "11.4": 4, "11.5": 1, "11.6": 1, "12.1": 3, "12.2": 2, "12.3": 4, "13.1": 1, "13.2": 5, "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4,
    "14.3": 3, "15.1": 3, "15.2": 3, "15.3": 7, "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3, "17.1": 1, "17.2": 4, "17.3": 2,
}
REQUIREMENTS = re.compile(r"(\d+\.\d+)\.(\d+)(?: to \1\.(\d+))?")
QUOTED = re.compile(r"`([^`\s]+)`")
TEST = re.compile(r"([\w./-]+\.(?:py|c))::(\w+)")
FILE = re.compile(r"(?:common|notes-svc|userauth-svc|docker|docs|systemd|sql|tests|tools)/[\w./*-]+|meson\.build|dev")


def fault_of_test(root: pathlib.Path, file: str, name: str) -> str | None:
    path = root / "tests" / file
    if not path.is_file():
        return f"there is no test file tests/{file}"
    pattern = rf"^def {name}\(" if file.endswith(".py") else rf"^static void {name}\("
    return None if re.search(pattern, path.read_text(), re.M) else f"there is no test {name} in tests/{file}"


def faults_of(root: pathlib.Path, word: str) -> list[str]:
    tests = TEST.findall(word)
    if tests:
        return [fault for fault in (fault_of_test(root, *test) for test in tests) if fault]
    if FILE.fullmatch(word) and not list(root.glob(word)):
        return [f"there is no {word}"]
    return []


def faults_of_tables(page: str, lines: list[str]) -> list[str]:
    """A row is in a table when the line before it is one of the table's, or is of its head."""
    return [f"{page}:{number}: a row outside a table"
            for number, (before, line, after) in enumerate(zip(["", *lines], lines, [*lines[1:], ""]), 1)
            if line.startswith("|") and not before.startswith("|") and not after.startswith("| ---")]


def faults_of_asvs(text: str) -> list[str]:
    wanted = {f"{section}.{number}" for section, count in ASVS_SECTIONS.items() for number in range(1, count + 1)}
    rows = [line.split("|")[1] for line in text.partition(ASVS_HEADING)[2].splitlines() if line.startswith("|")]
    named = [f"{section}.{number}" for row in rows for section, first, last in REQUIREMENTS.findall(row)
             for number in range(int(first), int(last or first) + 1)]
    return [f"{ASVS_PAGE}: ASVS {number} {says}" for says, numbers in (
        ("is in no row", wanted - set(named)), ("is not of level 1 or 2", set(named) - wanted),
        ("is in two rows", {number for number in named if named.count(number) > 1})) for number in sorted(numbers)]


def main(root: pathlib.Path) -> int:
    faults, counts = faults_of_asvs((root / ASVS_PAGE).read_text()), []
    for page in PAGES:
        counts.append(0)
        lines = (root / page).read_text().splitlines()
        faults += faults_of_tables(page, lines)
        for number, line in enumerate(lines, 1):
            words = QUOTED.findall(line)
            counts[-1] += sum(bool(TEST.fullmatch(word)) for word in words)
            found = [fault for word in words for fault in faults_of(root, word)]
            if re.search(r"\| yes\b", line) and not any(TEST.fullmatch(word) for word in words):
                found.append("a yes without a test")
            faults += [f"{page}:{number}: {fault}" for fault in found]
    print("\n".join(faults) or f"security: {sum(counts)} tests named, no fault")
    return 1 if faults or not all(counts) else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
