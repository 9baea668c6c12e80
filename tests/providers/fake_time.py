# SPDX-License-Identifier: MIT
"""A clock of one process that a test moves, by the package faketime. Its monotonic clock stays right unless that is asked for.

    clock = Clock(tmp_path)                    # skips the test where there is no such library
    site.notes.restart(**clock.settings)
    clock.move(+601)
"""
import pathlib

import pytest

from harness import programs


class Clock:
    def __init__(self, folder, is_monotonic_too=False):
        library = next(iter(sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
        if library is None:
            pytest.skip("the package faketime is not there")
        self.file = folder / "wall-clock"
        self.move(0)
        self.settings = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": self.file, "FAKETIME_NO_CACHE": 1,
                         "FAKETIME_DONT_FAKE_MONOTONIC": int(not is_monotonic_too),
                         "ASAN_OPTIONS": programs.SANITIZER_ENV["ASAN_OPTIONS"] + ":verify_asan_link_order=0"}

    def move(self, seconds):
        """So far from the true time, from now on."""
        part = self.file.with_suffix(".part")
        part.write_text(f"{seconds:+d}\n", encoding="ascii")
        part.rename(self.file)
