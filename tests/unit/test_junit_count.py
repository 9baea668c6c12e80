# SPDX-License-Identifier: MIT
"""tests/junit_count.py: what is counted, and what is told of those that failed."""
import pathlib
import subprocess
import sys

import pytest

PROGRAM = pathlib.Path(__file__).resolve().parents[1] / "junit_count.py"
CASES = {
    "passed": '<testcase classname="a" name="good"/>',
    "failed": '<testcase classname="a" name="bad"><failure message="assert 1 == 2&#10;more">trace</failure></testcase>',
    "error": '<testcase classname="b" name="worse"><error>no message\nmore</error></testcase>',
    "skipped": '<testcase classname="b" name="none"><skipped message="why"/></testcase>',
}


@pytest.fixture
def count(tmp_path):
    """Counts these cases: (exit code, what was printed, what was told of failed ones)."""
    def run(*names):
        (tmp_path / "j.xml").write_text(f"<testsuites><testsuite>{''.join(CASES[name] for name in names)}</testsuite></testsuites>")
        done = subprocess.run([sys.executable, PROGRAM, tmp_path / "j.xml", tmp_path / "failed"], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, (tmp_path / "failed").read_text() if (tmp_path / "failed").exists() else None

    return run


def test_each_case_is_counted_once_and_those_that_failed_are_told_in_a_line(count):
    assert count("passed", "failed", "error", "skipped", "passed") == (0, "2 2 1\n", "a bad: assert 1 == 2\nb worse: no message\n")


def test_what_was_told_before_stays(count):
    count("failed")
    assert count("error")[2] == "a bad: assert 1 == 2\nb worse: no message\n"


def test_nothing_is_told_when_none_failed(count):
    assert count("passed", "skipped") == (0, "1 0 1\n", None)


def test_a_file_without_a_test_is_a_failure(count):
    assert count() == (1, "0 0 0\n", None)
