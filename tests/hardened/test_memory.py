# SPDX-License-Identifier: MIT
"""How much memory notes-svc takes at most, of what its container has: by the kernel's own mark of the most that it ever had."""
import concurrent.futures
import pathlib
import re

import requests

from harness.client import browser_session

MIB = 1 << 20


def most_bytes(service):
    status = pathlib.Path(f"/proc/{service.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def save_at_once(site, client, count, text):
    """Saves so many new notes, side by side. Returns the statuses."""
    fields = f"docreate=create&notekey=&csrf={client.csrf()}&body={text}&title="
    headers = {"Origin": client.origin, "Content-Type": "application/x-www-form-urlencoded"}

    def save(number):
        return requests.post(site.url + "/notes/save", f"{fields}{number}", headers=headers, cookies=client.http.cookies, timeout=60,
                             allow_redirects=False).status_code

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(save, range(count)))


def test_texts_that_are_costly_to_render_take_little_memory_when_many_save_them_at_once(make_site):
    """One takes up to 75 MB while it is worked on, and two are at a time."""
    site = make_site()
    assert set(save_at_once(site, browser_session(site, "me"), 24, "[" * MIB)) <= {302, 503}
    assert most_bytes(site.notes) < 350 * MIB
    assert browser_session(site).get("/").status_code == 200
