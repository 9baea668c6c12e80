# SPDX-License-Identifier: MIT
"""The site as a stranger attacks it. What a person does with notes comes from ../http, the browser from ../browser."""
import pathlib
import sys

import pytest

from harness.browser import Browser

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "http"))


@pytest.fixture
def browser(site, tmp_path):
    """A Chromium that obeys no Content-Security-Policy: what gets into a page runs."""
    one = Browser(site, tmp_path / "profile")
    one.driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    yield one
    one.driver.quit()
