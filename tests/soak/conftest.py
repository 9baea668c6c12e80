# SPDX-License-Identifier: MIT
"""The soak uses writers, viewers and faults of tests/replicas, and what a person does with notes (tests/http)."""
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "http"), str(TESTS / "replicas")]
