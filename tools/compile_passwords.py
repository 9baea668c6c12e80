#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles a list of common passwords into one C file.

    compile_passwords.py OUT.c SYMBOL LIST.txt

The list has an entry a line, sorted by bytes, in lower case; lines that begin with "#" are remarks. It becomes a
`const struct common_passwords SYMBOL` (userauth-svc/rules/password_rules.h): all texts in one, and where each begins, so that
nothing of it has to be relocated or kept in private memory. What would make the binary search miss fails the build instead.
Tests: tests/unit/test_compile_passwords.py.
"""

import sys
from pathlib import Path

COUNT_MIN = 3000
SIZE_MIN = 5  # as in password_rules.c, where shorter pieces are refused without a list
SIZE_MAX = 64
C_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "?": "\\?"})


class Fault(Exception):
    """Something is wrong with the list; the text names the place."""


def check(entry, before):
    if not SIZE_MIN <= len(entry) <= SIZE_MAX:
        return f"{len(entry)} characters, {SIZE_MIN} to {SIZE_MAX} are allowed"
    if any(not 32 <= ord(letter) < 127 for letter in entry):
        return "a character that is not printable ASCII"
    if entry != entry.lower():
        return "an upper-case letter: passwords are compared in lower case"
    if entry <= before:
        return f'"{entry}" after "{before}": entries must be sorted and stand once'
    return None


def read_list(path, count_min=COUNT_MIN):
    entries = []
    for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").split("\n"), 1):
        if line.startswith("#") or not line:
            continue
        fault = check(line, entries[-1] if entries else "")
        if fault:
            raise Fault(f"{path}:{number}: {fault}")
        entries.append(line)
    if len(entries) < count_min:
        raise Fault(f"{path}: {len(entries)} entries, at least {count_min} are needed")
    return entries


def c_text(symbol, entries):
    starts, place = [], 0
    for entry in entries:
        starts.append(place)
        place += len(entry) + 1
    rows = [", ".join(map(str, starts[i:i + 16])) + "," for i in range(0, len(starts), 16)]
    return "\n".join([
        "/* Made by tools/compile_passwords.py: edit the list instead. */",
        '#include "rules/password_rules.h"',
        "",
        "/* C promises strings of 4095 bytes only; gcc and clang take longer ones. */",
        '#pragma GCC diagnostic ignored "-Woverlength-strings"',
        "",
        "static const char texts[] =",
        *(f'    "{entry.translate(C_ESCAPES)}\\0"' for entry in entries),
        "    ;",
        "",
        "static const uint32_t starts[] = {",
        *(f"    {row}" for row in rows),
        "};",
        "",
        f"const struct common_passwords {symbol} = {{.texts = texts, .starts = starts, .count = {len(entries)}}};",
        "",
    ])


def main(arguments):
    if len(arguments) != 3:
        print("usage: compile_passwords.py OUT.c SYMBOL LIST.txt", file=sys.stderr)
        return 2
    out, symbol, path = Path(arguments[0]), arguments[1], Path(arguments[2])
    try:
        out.write_text(c_text(symbol, read_list(path)), encoding="ascii")
    except Fault as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
