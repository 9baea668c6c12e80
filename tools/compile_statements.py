#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles files of named SELECTs into one C file.

    compile_statements.py OUT.c PREFIX FILE.sql...

A statement begins with a line `-- statement: NAME`; its text follows, either the same for all engines or after the
lines `-- on sqlite:` and `-- on mysql:`. Each becomes `const struct db_statement PREFIX_FILE_NAME` (common/data/db.h).
Only SELECTs are taken: what these files read is never changed.
"""

import re
import sys
from pathlib import Path

STATEMENT = re.compile(r"-- statement: ([a-z][a-z0-9_]*)\Z")
ENGINE = re.compile(r"-- on (sqlite|mysql):\Z")
C_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "?": "\\?"})


class Fault(Exception):
    """Something is wrong with a file; the text names the place."""


def read_statements(path):
    """{name: {"sqlite"|"mysql"|"": text}}, comments and line ends removed."""
    statements, texts, engine = {}, None, ""
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
        named, on = STATEMENT.match(line), ENGINE.match(line)
        if named:
            if named.group(1) in statements:
                raise Fault(f"{path}:{number}: {named.group(1)} is there already")
            texts, engine = statements.setdefault(named.group(1), {}), ""
        elif on:
            if texts is None or "" in texts or on.group(1) in texts:
                raise Fault(f"{path}:{number}: an engine without a statement, or twice")
            engine = on.group(1)
        elif line.strip() and not line.startswith("--"):
            if texts is None:
                raise Fault(f"{path}:{number}: text before the first statement")
            texts[engine] = (texts.get(engine, "") + " " + line.strip()).strip()
    return statements


def c_text(text):
    return '"' + text.rstrip(";").translate(C_ESCAPES) + '"'


def compile_one(path, prefix, name, texts):
    if set(texts) not in ({""}, {"sqlite", "mysql"}):
        raise Fault(f"{path}: {name} needs one text, or one for each engine")
    for text in texts.values():
        if not text.startswith("SELECT ") or ";" in text[:-1]:
            raise Fault(f"{path}: {name} is not one SELECT")
    symbol = f"{prefix}_{path.stem}_{name}"
    mysql = f",\n    .mysql = {c_text(texts['mysql'])}" if "mysql" in texts else ""
    return (f"extern const struct db_statement {symbol};\nconst struct db_statement {symbol} = {{\n"
            f"    .sql = {c_text(texts.get('sqlite') or texts[''])}{mysql}}};\n")


def main(arguments):
    if len(arguments) < 3:
        print("usage: compile_statements.py OUT.c PREFIX FILE.sql...", file=sys.stderr)
        return 2
    out, prefix, paths = Path(arguments[0]), arguments[1], [Path(path) for path in arguments[2:]]
    try:
        parts = [compile_one(path, prefix, name, texts) for path in paths for name, texts in read_statements(path).items()]
    except (Fault, UnicodeDecodeError) as fault:
        print(fault, file=sys.stderr)
        return 1
    head = '/* Made by tools/compile_statements.py: edit the .sql files instead. */\n#include "data/db.h"\n\n'
    out.write_text(head + "\n".join(parts), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
