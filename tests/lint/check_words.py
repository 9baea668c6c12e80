#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Calls that are banned, and heads that every source file has.

usage: check_words.py ROOT; prints every fault as file:line: text and exits 1 when there is one.
"""
import pathlib
import re
import sys

# Function -> files that may call it all the same (path patterns).
EVERYWHERE: list[str] = []
BANNED = {
    "strcpy": EVERYWHERE, "strcat": EVERYWHERE, "sprintf": EVERYWHERE, "vsprintf": EVERYWHERE, "strncpy": EVERYWHERE,
    "strncat": EVERYWHERE, "strtok": EVERYWHERE, "gets": EVERYWHERE, "atoi": EVERYWHERE, "atol": EVERYWHERE,
    "rand": EVERYWHERE, "gmtime": EVERYWHERE, "localtime": EVERYWHERE, "ctime": EVERYWHERE, "asctime": EVERYWHERE,
    "system": EVERYWHERE, "popen": EVERYWHERE, "alloca": EVERYWHERE, "setjmp": EVERYWHERE, "longjmp": EVERYWHERE,
    "strtol": ["common/base/parse.c"], "strtoll": ["common/base/parse.c"], "strtoul": ["common/base/parse.c", "tests/**"],
    "printf": ["common/service/*.c", "common/base/env.c", "common/http/router.c", "userauth-svc/cli/*.c", "tests/**"],
    "sqlite3_exec": ["common/data/db_sqlite.c"],
    "memcmp": [],
}
# Comparing bytes that are not secret; secrets go through secret_equals.
BANNED["memcmp"] = ["common/**", "notes-svc/page/page_error.c", "notes-svc/note/*.c",
                    "notes-svc/from_node_notes.c", "notes-svc/live/session_sweep.c",
                    "notes-svc/provider/provider_url.c", "userauth-svc/cli/*.c", "tests/**"]
BANNED_WORDS = {"goto": "no goto: CLEANUP(fn) and early returns"}
HEAD = re.compile(r"/\* SPDX-License-Identifier: MIT\n \*\n( \* .+\n| \*\n){0,24}")
ROOTS = ["common", "userauth-svc", "notes-svc", "tests"]


def code_only(text: str) -> str:
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def may_call(path: str, patterns: list[str]) -> bool:
    return any(path.startswith(p[:-2]) if p.endswith("**") else pathlib.PurePath(path).match(p) for p in patterns)


def check(path: str, text: str) -> list[str]:
    faults = [] if HEAD.match(text) else [f"{path}:1: no head: an SPDX line, an empty line, then what the file is for"]
    for number, line in enumerate(code_only(text).splitlines(), 1):
        for name, allowed in BANNED.items():
            if re.search(rf"(?<![\w.>]){name}\s*\(", line) and not may_call(path, allowed):
                faults.append(f"{path}:{number}: {name} is banned here")
        for word, why in BANNED_WORDS.items():
            if re.search(rf"\b{word}\b", line):
                faults.append(f"{path}:{number}: {why}")
    return faults


def main(root: pathlib.Path) -> int:
    files = sorted(f for top in ROOTS for f in (root / top).rglob("*.[ch]"))
    faults = [fault for f in files for fault in check(f.relative_to(root).as_posix(), f.read_text())]
    print("\n".join(faults) or f"words: {len(files)} files, no fault")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
