# SPDX-License-Identifier: MIT
"""Browsers of the module's site."""
import pytest

from harness.browser import Browser


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
