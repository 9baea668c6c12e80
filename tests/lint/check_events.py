#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every event that the sources log stands in docs/EVENTS.md, with its level and its fields, and every event there is logged.
Those of the audit, and errors, are named by a test. All kinds of errors that `err` may name stand there.

An event's name is a text like "note.destroyed" in a source; those with the endings of files are none, nor are test hooks.

usage: check_events.py ROOT; prints every fault and exits 1 when there is one.
"""
import pathlib
import re
import sys

NAME = r"[a-z]+(?:_[a-z]+)*\.[a-z]+(?:_[a-z]+)*"
TEXT = re.compile(rf'"({NAME})"')
CALL = re.compile(r"\blog_(error|warn|info|debug)\(")
FIELD = re.compile(r'\blog_(?:str|i64|bool)\("(\w+)"')
HOOK = re.compile(r"\bTEST_HOOK\([^)]*\)")
ROW = re.compile(rf"^\| `({NAME})` \| ([^|]*) \| ([^|]*) \|", re.M)
FILE_ENDINGS = {"sqlite", "key", "css", "js", "svg", "sid", "lock", "h"}
ROOTS = ["common", "userauth-svc", "notes-svc"]


def code_only(text: str) -> str:
    """Without comments; texts stay."""
    pattern = re.compile(r'("(?:\\.|[^"\\\n])*")|/\*.*?\*/|//[^\n]*', re.S)
    return HOOK.sub("", pattern.sub(lambda match: match[1] or " ", text))


def call_at(code: str, start: int) -> str:
    """The call that begins there, to its last bracket."""
    depth = 0
    for at in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        if depth == 0 and code[at] == ")":
            return code[start:at + 1]
    return code[start:]


def names_in(code: str) -> set[str]:
    return {name for name in TEXT.findall(code) if name.rpartition(".")[2] not in FILE_ENDINGS}


def logged(root: pathlib.Path) -> tuple[dict, dict]:
    """Event -> first file that names it; event -> (levels, fields) where it is logged by its name."""
    places, shapes = {}, {}
    for file in sorted(file for top in ROOTS for file in (root / top).rglob("*.c")):
        code = code_only(file.read_text())
        for name in names_in(code):
            places.setdefault(name, file.relative_to(root).as_posix())
        for match in CALL.finditer(code):
            call = call_at(code, match.start())
            for name in names_in(call):
                levels, fields = shapes.setdefault(name, (set(), set()))
                levels.add(match[1])
                fields.update(FIELD.findall(call))
    return places, shapes


def words(cell: str) -> set[str]:
    return {word.strip(" `") for word in cell.split(",") if word.strip(" `")}


def untested(root: pathlib.Path, page: str) -> list[str]:
    """Events that somebody relies on, and no test expects."""
    audit = page[page.index("\n## Audit"):page.index("\n## Requests")]
    wanted = {name for name, _, _ in ROW.findall(audit)} | {name for name, level, _ in ROW.findall(page) if "error" in words(level)}
    named = {name for file in (root / "tests").rglob("test_*.py") for name in TEXT.findall(file.read_text())}
    return [f"docs/EVENTS.md: no test expects {name}" for name in sorted(wanted - named)]


def unnamed_errors(root: pathlib.Path, page: str) -> list[str]:
    """Kinds of errors that `err` may name, and the page does not."""
    kinds = re.findall(r"^    X\((\w+),", (root / "common/base/err.h").read_text(), re.M)
    row = re.search(r"^\| `err` \|.*$", page, re.M)[0]
    return [f"docs/EVENTS.md: err may be {kind}" for kind in kinds if kind != "OK" and f"`{kind}`" not in row]


def check(root: pathlib.Path) -> tuple[list[str], int]:
    places, shapes = logged(root)
    page = (root / "docs/EVENTS.md").read_text()
    rows = {name: (words(level), words(fields)) for name, level, fields in ROW.findall(page)}
    faults = untested(root, page) + unnamed_errors(root, page)
    faults += [f"{place}: {name} is not in docs/EVENTS.md" for name, place in places.items() if name not in rows]
    faults += [f"docs/EVENTS.md: nothing logs {name}" for name in rows if name not in places]
    for name, (levels, fields) in shapes.items():
        for what, here, there in (("level", levels, rows.get(name, (levels,))[0]), ("fields", fields, rows.get(name, (0, fields))[1])):
            if here != there:
                faults.append(f"docs/EVENTS.md: {name}: {what}: {', '.join(sorted(there))}; logged: {', '.join(sorted(here))}")
    return faults, len(rows)


def main(root: pathlib.Path) -> int:
    faults, count = check(root)
    print("\n".join(faults) or f"events: {count}, no fault")
    return 1 if faults or not count else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
