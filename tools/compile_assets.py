#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles the files of assets/ into one C table, with hashed names and gzipped twins.

    compile_assets.py OUT.c OUT_MAP.json ASSETS_DIR

The map (name → path with hash) is for compile_views.py; the table (`struct asset`, common/http/assets.h) is for
the server. The same files give the same bytes: sorted, no times. Files are not rewritten, so what runs in the
browser is what stands in the repository; gzip takes care of white space.
Tests: tests/unit/test_compile_views.py.
"""

import gzip
import hashlib
import json
import sys
from pathlib import Path

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}

HEAD = """/* SPDX-License-Identifier: MIT
 *
 * Style sheet, script and pictures, with their gzipped twins. Made from assets/ by tools/compile_assets.py.
 * Depends on: assets.h. */
#include "http/assets.h"
"""


def c_array(name, data):
    """Bytes as an array: strings would have a length limit. C has no empty array, so an empty file has one 0."""
    rows = [", ".join(str(byte) for byte in data[i:i + 24]) for i in range(0, len(data), 24)] or ["0"]
    return f"static const unsigned char {name}[] = {{\n    " + ",\n    ".join(rows) + "};\n"


def hashed_path(path, data):
    return f"/assets/{path.stem}.{hashlib.sha256(data).hexdigest()[:10]}{path.suffix}"


def compile_assets(folder):
    """The C text and the map."""
    arrays, rows, names = [], [], {}
    for number, path in enumerate(sorted(item for item in folder.iterdir() if not item.name.startswith("."))):
        if path.suffix not in TYPES:
            raise ValueError(f"{path.as_posix()}: unknown kind of file; known are {' '.join(TYPES)}")
        data = path.read_bytes()
        packed = gzip.compress(data, compresslevel=9, mtime=0)
        arrays.append(c_array(f"bytes_{number}", data))
        gzip_value, gzip_size = "NULL", "0"
        if len(packed) < len(data):
            arrays.append(c_array(f"gzip_{number}", packed))
            gzip_value, gzip_size = f"gzip_{number}", str(len(packed))
        names[path.name] = hashed_path(path, data)
        rows.append(f'    {{.name = "{path.name}",\n     .path = "{names[path.name]}",\n'
                    f'     .type = "{TYPES[path.suffix]}",\n'
                    f"     .bytes = bytes_{number},\n     .size_bytes = {len(data)},\n"
                    f"     .gzip = {gzip_value},\n     .gzip_bytes = {gzip_size}}},\n")
    if not rows:
        raise ValueError(f"{folder.as_posix()}: holds no assets")
    table = "const struct asset assets_table[] = {\n" + "".join(rows) + "};\n\n"
    table += "const size_t assets_count = sizeof(assets_table) / sizeof(assets_table[0]);\n"
    return HEAD + "\n" + "\n".join(arrays) + "\n" + table, names


def main(arguments):
    if len(arguments) != 3:
        print("usage: compile_assets.py OUT.c OUT_MAP.json ASSETS_DIR", file=sys.stderr)
        return 2
    try:
        text, names = compile_assets(Path(arguments[2]))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    Path(arguments[0]).write_text(text, encoding="utf-8")
    Path(arguments[1]).write_text(json.dumps(names, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
