# SPDX-License-Identifier: MIT
"""A real Chromium for the browser tests, one process per test. They use what a person does with notes, too
(../http/notes_verbs.py)."""
import pathlib
import sys

import pytest

from harness.browser import Browser

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))


@pytest.fixture
def open_browser(site, tmp_path):
    """open_browser() -> a Browser on the module's site; closed at the end."""
    opened = []

    def start():
        opened.append(Browser(site, tmp_path / f"profile-{len(opened)}"))
        return opened[-1]

    yield start
    for browser in opened:
        browser.driver.quit()


@pytest.fixture
def browser(open_browser):
    """One Browser; the test fails when the console complained."""
    one = open_browser()
    yield one
    assert one.complaints() == []
