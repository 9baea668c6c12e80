#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts a JUnit file of meson or pytest: prints "passed failed skipped" and exits 1 when there was no test.

usage: junit_count.py FILE
"""
import sys
import xml.etree.ElementTree as ElementTree


def main(path: str) -> int:
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    print(passed, failed, skipped)
    return 0 if passed + failed + skipped else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
