# SPDX-License-Identifier: MIT
"""A copy of the tree for the tests of `./dev`, built once."""
import shutil
import subprocess

import pytest

from harness import programs


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """The files that git knows, without its history, so that the build is the copy's own."""
    copy = tmp_path_factory.mktemp("tree")
    names = subprocess.run(["git", "ls-files", "-z"], cwd=programs.ROOT, capture_output=True, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        if (programs.ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(programs.ROOT / name, copy / name)
    return copy
