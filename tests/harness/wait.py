# SPDX-License-Identifier: MIT
"""Waiting for a condition: polls with a bound, never sleeps as a proof."""
import time


def until(condition, what, timeout_s=20.0, every_s=0.02):
    """Calls `condition` until it gives something true, which is returned; fails after timeout_s."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what}")
        time.sleep(every_s)
