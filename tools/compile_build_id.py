#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Names a build by what its pages are made of: version, templates and assets.

usage: compile_build_id.py OUT.h VERSION FILE...

Pages carry the name in their entity tags, so that a browser never keeps a page of an older look.
"""
import hashlib
import pathlib
import sys

DIGEST_CHARS = 8


def main(out: str, version: str, files: list[str]) -> None:
    digest = hashlib.sha256(version.encode())
    for name in sorted(files):
        digest.update(pathlib.Path(name).read_bytes())
    pathlib.Path(out).write_text(
        "/* SPDX-License-Identifier: MIT\n *\n * Made by tools/compile_build_id.py: names what pages are made of. */\n"
        f'#ifndef NOTES_BUILD_ID_H\n#define NOTES_BUILD_ID_H\n\n#define BUILD_ID "{digest.hexdigest()[:DIGEST_CHARS]}"\n\n#endif\n'
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
