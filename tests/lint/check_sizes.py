#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sizes that may not be passed: lines of a function and of a file, nesting, parameters.

Exceptions stand in EXCEPTIONS with their present value; the value may fall, never rise.
usage: check_sizes.py ROOT; prints every fault and exits 1 when there is one. Needs universal-ctags.
"""
import json
import pathlib
import re
import subprocess
import sys

FUNCTION_MAX_LINES = 60
NESTING_MAX = 4
PARAMETERS_MAX = 6
SOURCE_MAX_LINES = 700
HEADER_MAX_LINES = 200
WIDTH_MAX_COLUMNS = 100
TABLE_MAX_COLUMNS = 125  # between "clang-format off" and "on": rows that must stay aligned

# (file, function or "") -> {what: value}
EXCEPTIONS: dict[tuple[str, str], dict[str, int]] = {
    ("common/http/http_server.c", ""): {"lines": 742},  # the only file that may include libmicrohttpd
    ("common/http/http_server.c", "on_request"): {"parameters": 8},  # libmicrohttpd calls it so
    ("common/http/http_server.c", "on_upgraded"): {"parameters": 7},  # and this
    ("tests/bench/bare_http.c", "on_request"): {"parameters": 8},
}

ROOTS = ["common", "userauth-svc", "notes-svc", "tests"]


def functions(files: list[str], root: pathlib.Path) -> list[dict]:
    command = ["ctags", "-L", "-", "--languages=C", "--map-C=+.h", "--c-kinds=f", "--fields=+neS", "--output-format=json", "-f", "-"]
    out = subprocess.run(command, input="\n".join(files), capture_output=True, text=True, check=True, cwd=root).stdout
    return [json.loads(line) for line in out.splitlines()]


def code_only(text: str) -> str:
    """Blanks out comments, strings and characters, keeping lines."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def nesting(lines: list[str]) -> int:
    """The deepest brace level inside the function's own braces; initialisers (`= {`, `){`) do not count."""
    depth = deepest = 0
    stack: list[bool] = []
    text = "\n".join(lines)
    for place, char in enumerate(text):
        if char == "{":
            before = text[:place].rstrip()
            is_block = before.endswith((")", "else", "do", ";", "{", "}", ":")) and not re.search(r"\(\s*(const )?struct [\w ]*(\[\])?\s*\)$|\]\)$", before)
            stack.append(is_block)
            depth += is_block
            deepest = max(deepest, depth)
        elif char == "}" and stack:
            depth -= stack.pop()
    return deepest - 1


def parameters(signature: str) -> int:
    inner = signature.strip()[1:-1].strip()
    if inner in ("", "void"):
        return 0
    depth = count = 0
    for char in inner:
        depth += (char == "(") - (char == ")")
        count += char == "," and depth == 0
    return count + 1


def over(path: str, name: str, what: str, value: int, limit: int) -> str | None:
    limit = EXCEPTIONS.get((path, name), {}).get(what, limit)
    return f"{path}: {name or 'file'}: {what} is {value}, at most {limit}" if value > limit else None


def widths(path: str, lines: list[str]) -> list[str | None]:
    faults, limit = [], WIDTH_MAX_COLUMNS
    for number, line in enumerate(lines, 1):
        if "clang-format off" in line:
            limit = TABLE_MAX_COLUMNS
        if len(line) > limit and not line.lstrip().startswith('"'):  # a long text is one piece to grep for
            faults.append(f"{path}:{number}: {len(line)} columns, at most {limit}")
        if "clang-format on" in line:
            limit = WIDTH_MAX_COLUMNS
    return faults


def main(root: pathlib.Path) -> int:
    files = sorted(str(f.relative_to(root)) for top in ROOTS for f in (root / top).rglob("*.[ch]"))
    texts = {path: (root / path).read_text() for path in files}
    code = {path: code_only(text).split("\n") for path, text in texts.items()}
    faults = []
    for path, text in texts.items():
        limit = HEADER_MAX_LINES if path.endswith(".h") else SOURCE_MAX_LINES
        lines = text.splitlines()
        faults.append(over(path, "", "lines", len(lines), limit))
        faults += widths(path, lines)
    tags = functions(files, root)
    for tag in tags:
        path, name, start, end = tag["path"], tag["name"], tag["line"], tag.get("end", tag["line"])
        faults.append(over(path, name, "function lines", end - start + 1, FUNCTION_MAX_LINES))
        faults.append(over(path, name, "nesting", nesting(code[path][start - 1 : end]), NESTING_MAX))
        faults.append(over(path, name, "parameters", parameters(tag.get("signature", "()")), PARAMETERS_MAX))
    found = [fault for fault in faults if fault]
    print("\n".join(found) or f"sizes: {len(files)} files, {len(tags)} functions, no fault")
    return 1 if found or not tags else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
