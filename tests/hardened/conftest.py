# SPDX-License-Identifier: MIT
"""Tests of what only a release build has: sanitizers and the filter of system calls exclude each other."""
import subprocess

import pytest

from harness import programs
from harness.programs import ROOT


def pytest_collection_modifyitems(items):
    """Tests of tests/http may run beside these, on whatever build is given."""
    if not programs.NOTES_SVC.exists() or b"__asan_init" not in programs.NOTES_SVC.read_bytes():
        return
    for item in items:
        if item.path.parent.name == "hardened":
            item.add_marker(pytest.mark.skip(reason="needs a build without sanitizers: NOTES_BUILD=build-test/release"))


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """compiled("intruder") -> the library made of tests/hardened/intruder.c, to be loaded into a program by LD_PRELOAD."""
    folder = tmp_path_factory.mktemp("preloaded")

    def compile_library(name):
        path = folder / f"{name}.so"
        if not path.exists():
            subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Werror", "-shared", "-fPIC", "-pthread",
                            "-o", path, ROOT / "tests" / "hardened" / f"{name}.c"], check=True)
        return path

    return compile_library
