# SPDX-License-Identifier: MIT
"""A machine that gives no more memory, or whose disk stands still. Full disks are in http/test_life.py, descriptors and names
in http/test_resources.py. Here, as sanitizers need memory of their own and end a process that gets none."""
import concurrent.futures
import re
import resource

import pytest
import requests

from harness.client import Client, browser_session, read_page
from harness.errors import assert_error
from harness.programs import new_password
from harness.site import Site
from harness.stored import assert_whole
from harness.wait import until

MIB = 1024 * 1024
WRITERS = 8
SAVES = 64


def limit_memory(pid, more_bytes):
    """The process gets this much more memory of its own (RLIMIT_DATA), and no more."""
    text = open(f"/proc/{pid}/status", encoding="utf-8").read()
    used_bytes = int(re.search(r"VmData:\s+(\d+) kB", text)[1]) * 1024
    resource.prlimit(pid, resource.RLIMIT_DATA, (used_bytes + more_bytes, resource.RLIM_INFINITY))


def give_memory(pid):
    resource.prlimit(pid, resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def test_password_that_there_is_no_memory_to_check_is_a_503_and_others_go_on(services):
    """A hash needs more than all the rest: who signs in is told to come again, and nobody else notices."""
    service = services.userauth(PASSWORD_MEMORY_KIB=64 * 1024).start()
    api, password = service.api(), new_password()
    api.create("me", password)
    assert api.check("me", password).json()["check"] is True
    limit_memory(service.pid, 16 * MIB)
    answer = api.check("me", password)
    assert_error(answer, 503)
    assert int(answer.headers["Retry-After"]) >= 1
    assert "no memory" in service.wait_log(req_id=answer.json()["requestId"])["why"]
    for _ in range(12):  # wrong ones, as often, would lock the name
        assert_error(api.check("me", new_password()), 503)
    assert service.log_lines(event="auth.login_failed") == [], "it is no wrong password"
    assert api.get("/find/me").status_code == 200
    assert api.post("/create-user", json={"username": "other", "provider": "x"}).status_code == 200
    give_memory(service.pid)
    assert api.check("me", password).json()["check"] is True
    assert api.check("me", new_password()).json()["check"] is False


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path, {"WRITES_PER_MIN": 0})
    try:
        yield site.start()
        site.stop()
    finally:
        site.kill()


def test_notes_without_memory_loses_nothing_that_was_answered(site):
    """Larger and larger notes are saved until there is no memory for one: that is a 503, or the end of the process as by a
    crash. With memory again, or started again, it has all that was answered as saved."""
    owner = browser_session(site, "me")
    token, notes = owner.csrf(), site.notes
    saved = set()

    def save(number):
        client = Client(site.url)
        client.http.cookies.update(owner.http.cookies)
        try:
            answer = client.post("/notes/save", {"docreate": "create", "notekey": f"n{number}", "title": f"T{number}",
                                                 "body": "precious " * (1 + number * 1600), "csrf": token})
        except requests.RequestException:
            return None
        assert answer.status_code in (302, 503), answer.status_code
        if answer.status_code == 302:
            saved.add(number)
        return answer.status_code

    assert save(0) == 302
    limit_memory(notes.pid, 8 * MIB)
    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        statuses = list(pool.map(save, range(1, SAVES)))
    assert 503 in statuses or None in statuses, "memory was never used up: this proves nothing"
    assert len(saved) > 1, "nothing was answered while memory was short: this proves nothing"
    if notes.is_running():
        give_memory(notes.pid)
    until(lambda: not notes.is_running() or notes.is_ready(), "it serves, or it has ended, which who asked may know before")
    if not notes.is_running():
        notes.start()
    until(lambda: save(SAVES) == 302, "saving again")
    for number in saved:
        assert Client(site.url).html(f"/notes/view?key=n{number}").text("notetitle").strip() == f"T{number}"
    assert_whole(notes.database)
    assert owner.get("/notes/add").status_code == 200, "the session is gone"


@pytest.mark.sqlite_only(reason="the disk of the service is not the disk of the data")
def test_disk_that_stands_still_holds_one_save_and_the_rest_are_told_at_their_deadline(tmp_path, compiled):
    """Nobody can take back the save that waits in the disk itself: it is answered, truly, when the disk goes on."""
    slow = tmp_path / "slow"
    site = Site(tmp_path, {"WRITES_PER_MIN": 0, "LD_PRELOAD": compiled("slow_disk"), "SLOW_DISK_FILE": slow})
    try:
        site.start()
        clients = [browser_session(site, "me") for _ in range(4)]
        there = lambda number: Client(site.url).get(f"/notes/view?key=n{number}").status_code

        def save(number):
            return clients[number % 4].post("/notes/save", {"docreate": "create", "notekey": f"n{number}", "title": "T", "body": "precious"})

        assert save(10).status_code == 302
        assert all(client.csrf() for client in clients)
        site.notes.restart(REQUEST_DEADLINE_MS=2000)  # what was to be there is there, however slow this machine is
        slow.touch()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(save, number) for number in range(4)]
            try:
                until(lambda: sum(job.done() for job in jobs) == 3, "three are told")
                assert there(10) == 200, "reading goes on"
            finally:
                slow.unlink()
            answers = [job.result() for job in jobs]
        assert sorted(answer.status_code for answer in answers) == [302, 503, 503, 503]
        for answer in answers:
            if answer.status_code == 503:
                assert int(answer.headers["Retry-After"]) >= 1
                assert any("precious" in node.text for node in read_page(answer).all("textarea")), "the typed text is lost"
        assert save(11).status_code == 302
        site.notes.kill()
        site.notes.start()
        assert there(10) == there(11) == 200
        assert [there(number) for number in range(4)] == [200 if answer.status_code == 302 else 404 for answer in answers]
        site.stop()
    finally:
        site.kill()
