#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts a JUnit file of meson or pytest: prints "passed failed skipped" and exits 1 when there was no test. Those that failed
are appended to FAILED with the first line of the reason.

usage: junit_count.py FILE [FAILED]
"""
import sys
import xml.etree.ElementTree as ElementTree

REASON_CHARS = 200


def fault_of(case):
    """The element that says why a test failed; None when it did not."""
    failure = case.find("failure")
    return case.find("error") if failure is None else failure


def sentence(case, fault) -> str:
    reason = (fault.get("message") or fault.text or "").strip()
    return f"{case.get('classname') or ''} {case.get('name')}: {reason.partition(chr(10))[0][:REASON_CHARS]}".strip()


def main(path: str, failed_path: str = "") -> int:
    passed = skipped = 0
    failed = []
    for case in ElementTree.parse(path).iter("testcase"):
        fault = fault_of(case)
        if fault is not None:
            failed.append(sentence(case, fault))
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    print(passed, len(failed), skipped)
    if failed_path and failed:
        with open(failed_path, "a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in failed)
    return 0 if passed + len(failed) + skipped else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
