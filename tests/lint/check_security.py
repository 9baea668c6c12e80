#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every file and every test that docs/SECURITY.md and docs/FAULTS.md name exists, and every "yes" of their tables names a test.

Files stand in backquotes, from the project's root; tests as `http/test_x.py::test_y` or `unit/test_x.c::y`, from tests/.

usage: check_security.py ROOT; prints every fault as file:line: text and exits 1 when there is one.
"""
import pathlib
import re
import sys

PAGES = ("docs/SECURITY.md", "docs/FAULTS.md")
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


def main(root: pathlib.Path) -> int:
    faults, counts = [], []
    for page in PAGES:
        counts.append(0)
        for number, line in enumerate((root / page).read_text().splitlines(), 1):
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
