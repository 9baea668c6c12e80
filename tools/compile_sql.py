#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles a folder of migrations into one C file.

    compile_sql.py OUT.c SYMBOL DIR

Each DIR/NNNN_name.sql becomes a row of `const struct migrations SYMBOL` (common/data/migrate.h). What would fail on
somebody's database fails the build instead, with file and line: a gap in the numbers, a first line that does not state
the oldest program that can run on the result, a script that ends the transaction that all migrations share.
"""

import re
import sys
from pathlib import Path

FILE_NAME = re.compile(r"([0-9]{4})_([a-z0-9_]+)\.sql\Z")
FIRST_LINE = re.compile(r"-- oldest program: ([1-9][0-9]*)\Z")
TRANSACTION = re.compile(r"\s*(COMMIT|ROLLBACK|END\s+TRANSACTION|BEGIN(\s+(DEFERRED|IMMEDIATE|EXCLUSIVE|TRANSACTION))*\s*;)",
                         re.IGNORECASE)
C_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\t": "\\t", "?": "\\?"})


class Fault(Exception):
    """Something is wrong with a script; the text names the place."""


def read_text(path):
    content = path.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[:error.start].count(b"\n") + 1
        raise Fault(f"{path}:{line}: not UTF-8") from error
    for number, line in enumerate(text.split("\n"), 1):
        if any(ord(c) < 32 and c != "\t" for c in line):
            raise Fault(f"{path}:{number}: a control character")
        if TRANSACTION.match(line):
            raise Fault(f"{path}:{number}: all migrations run in one transaction: a script must not begin or end one")
    if not text.endswith("\n"):
        raise Fault(f"{path}:{text.count(chr(10)) + 1}: the last line has no line end")
    return text


def read_migration(path, wanted_version):
    named = FILE_NAME.match(path.name)
    if not named:
        raise Fault(f"{path}:1: the name is not of the form NNNN_name.sql (digits; lower-case letters, digits and _)")
    version = int(named.group(1))
    if version != wanted_version:
        raise Fault(f"{path}:1: migration {version} where {wanted_version} must come: the numbers run from 1 without gaps")
    text = read_text(path)
    stated = FIRST_LINE.match(text.split("\n", 1)[0])
    if not stated:
        raise Fault(f"{path}:1: the first line must be '-- oldest program: N', with the newest migration that the oldest "
                    "program still fit for the result knows")
    oldest_program = int(stated.group(1))
    if oldest_program > version:
        raise Fault(f"{path}:1: oldest program {oldest_program} is newer than this migration, {version}")
    return version, named.group(2), oldest_program, text


def c_lines(text):
    return "\n".join(f'    "{line.translate(C_ESCAPES)}\\n"' for line in text.split("\n")[:-1])


def compile_folder(symbol, folder):
    paths = sorted(folder.glob("*.sql"))
    if not paths:
        raise Fault(f"{folder}: no migration in it")
    migrations = [read_migration(path, index) for index, path in enumerate(paths, 1)]
    parts = [
        "/* Made by tools/compile_sql.py: edit the .sql files instead. */",
        '#include "data/migrate.h"',
        "",
        "/* C promises strings of 4095 bytes only; gcc and clang take longer ones. */",
        '#pragma GCC diagnostic ignored "-Woverlength-strings"',
        "",
        f"extern const struct migrations {symbol};",
    ]
    for version, _, _, text in migrations:
        parts += ["", f"static const char sql_{version}[] =", c_lines(text) + ";"]
    parts += ["", "static const struct migration items[] = {"]
    for version, name, oldest_program, _ in migrations:
        parts.append(f'    {{.version = {version}, .name = "{name}", .oldest_program = {oldest_program}, .sql = sql_{version}}},')
    parts += ["};", "", f"const struct migrations {symbol} = {{.items = items, .count = {len(migrations)}}};", ""]
    return "\n".join(parts)


def main(arguments):
    if len(arguments) != 3:
        print("usage: compile_sql.py OUT.c SYMBOL DIR", file=sys.stderr)
        return 2
    out, symbol, folder = Path(arguments[0]), arguments[1], Path(arguments[2])
    try:
        out.write_text(compile_folder(symbol, folder), encoding="utf-8")
    except Fault as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
