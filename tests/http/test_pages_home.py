# SPDX-License-Identifier: MIT
"""The home page: titles, newest change first, 50 a page."""

import concurrent.futures
import contextlib
import fcntl
import itertools

import pytest

from harness import mariadb
from harness.client import Client
from harness.client import browser_session as open_session
from harness.stored import opened
from notes_verbs import check_page, comment, create_note, destroy_note, edit_note, error_page, note_titles

NOTES_ENV = {"WRITES_PER_MIN": 0}
COUNT = 123


def fill(site):
    """The site, new, holds COUNT notes, the newest has the highest number. Who made them."""
    client = open_session(site, "me")
    for number in range(COUNT):
        create_note(client, f"n{number:03}", f"Title {number:03}", "text")
    return client


@pytest.fixture(scope="module")
def me(site):
    """Signed in at a full site, whose notes nobody changes."""
    return fill(site)


@pytest.fixture
def changing(make_site):
    """The same at a site of one test's own, for one that changes the list."""
    return fill(make_site(**NOTES_ENV))


def keys(client, path="/"):
    return [key for key, _ in note_titles(check_page(client.html(path)))]


def paths(page):
    return {node["href"] for node in page.first("main").all("a") if node.get("href", "").startswith("/?page=")
            or node.get("href") == "/"}


def test_pages_hold_50_titles_newest_first(me):
    expected = [f"n{number:03}" for number in reversed(range(COUNT))]
    assert keys(me, "/") == expected[:50]
    assert keys(me, "/?page=1") == expected[:50]
    assert keys(me, "/?page=2") == expected[50:100]
    assert keys(me, "/?page=3") == expected[100:]


def test_links_lead_to_the_titles(me):
    key, title = note_titles(me.html("/"))[0]
    assert title == "Title " + key[1:]


def test_pages_are_linked(me):
    first, second, third = (me.html(f"/?page={number}") for number in (1, 2, 3))
    assert "/?page=2" in paths(first)
    assert not paths(first) & {"/?page=0", "/?page=3"}
    assert "/?page=3" in paths(second)
    assert paths(second) & {"/", "/?page=1"}
    assert "/?page=2" in paths(third)
    assert "/?page=4" not in paths(third)
    assert [page.title for page in (first, second, third)] == ["Notes", "Page 2 · Notes", "Page 3 · Notes"]


@pytest.mark.parametrize("value", ["0", "-1", "+1", "01x", "abc", "1.0", "1e1", "", "%20", "2%20", "0x2", "1000001",
                                   "4",
                                   "1000000", "99999999999999999999", "18446744073709551618", "%ff", "2%00"])
def test_page_that_is_none_is_not_found(me, value):
    assert me.get(f"/?page={value}").status_code in ((400,) if value == "%ff" else (400,
                                                                                    404) if "%00" in value else (404,))


def test_page_beyond_the_end_is_an_error_page_that_says_so_and_leads_back(me):
    page = error_page(me.get("/?page=4"), 404)
    assert "ends before this page" in page.first("main").text
    assert "/" in {node["href"] for node in page.first("main").all("a")}


@pytest.mark.parametrize("path, expected", [("/", 304), ("/?page=3", 304), ("/?page=4", 404), ("/?page=1000000", 404),
                                            ("/notes/view?key=nowhere", 404), ("/notes/view?key=nowhere&before=9", 404)])
def test_whatever_the_browser_has_only_a_page_that_is_there_is_unchanged(me, path, expected):
    """RFC 9110, 13.1.2: `If-None-Match: *` fails when there is a current representation; without one the answer is GET's."""
    for send in (me.get, me.head):
        assert send(path, headers={"If-None-Match": "*"}).status_code == expected
    assert send(path).status_code == (200 if expected == 304 else expected)


@contextlib.contextmanager
def list_held(notes):
    """Who reads the list waits: for a table's lock, or for one of the marks of readers in SQLite's index of its log."""
    if mariadb.engine() == "sqlite":
        with notes.database.with_name(notes.database.name + "-shm").open("r+b") as index:
            fcntl.lockf(index, fcntl.LOCK_EX, 5, 123)
            yield
    else:
        with opened(notes.database, is_writable=True) as connection:
            connection.execute("LOCK TABLES notes WRITE")
            yield


@contextlib.contextmanager
def far_pages_waiting(site, count):
    """Of six that ask for one, so many wait for the list meanwhile; the others were told at once."""
    with concurrent.futures.ThreadPoolExecutor(7) as pool:
        with list_held(site.notes):
            asked = [pool.submit(Client(site.url).get, "/?page=200") for _ in range(6)]
            told = [one.result() for one in itertools.islice(concurrent.futures.as_completed(asked, timeout=20), 6 - count)]
            yield pool
        for answer in told:
            assert "this far back" in error_page(answer, 503).first("main").text
            assert int(answer.headers["Retry-After"]) >= 1
        assert sorted(one.result().status_code for one in asked) == [404] * count + [503] * (6 - count)
    assert Client(site.url).get("/?page=200").status_code == 404


def test_pages_far_behind_are_read_two_at_a_time(site):
    """Each counts all notes before it: many at once would leave no worker to others."""
    with far_pages_waiting(site, 2):
        pass


def test_pages_far_behind_are_read_one_at_a_time_where_two_are_all_workers(make_site):
    with far_pages_waiting(make_site(WORKERS=2), 1):
        pass


def test_who_has_a_page_far_behind_is_told_so_while_others_are_read(site, me):
    """That needs no reading of the list. With SQLite nobody can read anything meanwhile: the answer comes after."""
    tag = Client(site.url).get("/?page=3").headers["ETag"]
    far_tag = tag.replace("-p3-", "-p200-")
    assert far_tag != tag
    with far_pages_waiting(site, 2) as pool:
        answer = pool.submit(Client(site.url).get, "/?page=200", headers={"If-None-Match": far_tag})
        concurrent.futures.wait([answer], timeout=1)
    assert answer.result().status_code == 304


def test_page_given_twice_is_refused(me):
    assert me.get("/?page=1&page=2").status_code in (400, 404)


def test_strangers_see_the_same_list(site, me, browser_session):
    assert keys(browser_session(site)) == keys(me)


def test_changed_note_comes_first_and_a_comment_moves_nothing(changing):
    before = keys(changing, "/?page=3")
    old = before[-1]
    comment(changing, old, "a comment")
    assert keys(changing, "/?page=3") == before
    edit_note(changing, old, title="Changed title")
    assert note_titles(changing.html("/"))[0] == (old, "Changed title")
    assert old not in keys(changing, "/?page=3")


def test_saving_without_a_change_is_harmless(changing):
    key = keys(changing)[3]
    edit_note(changing, key)
    assert sorted(keys(changing, "/?page=1") + keys(changing, "/?page=2") + keys(changing, "/?page=3")) == \
        sorted(f"n{number:03}" for number in range(COUNT))


def test_fifty_notes_are_one_page_and_none_is_a_page_too(services, tmp_path):
    from harness.site import Site
    site = Site(tmp_path, {"WRITES_PER_MIN": 0})
    site.start()
    try:
        client = open_session(site, "me")
        empty = check_page(client.html("/"))
        assert note_titles(empty) == []
        assert [node for node in empty.first("main").all("a") if node.get("href") == "/notes/add"] or \
            "add" in empty.first("main").text.lower(), "an empty list does not say what to do"
        error_page(client.get("/?page=2"), 404)
        for number in range(50):
            create_note(client, f"k{number}")
        full = client.html("/")
        assert len(note_titles(full)) == 50
        assert "/?page=2" not in paths(full)
        error_page(client.get("/?page=2"), 404)
        create_note(client, "k50")
        assert "/?page=2" in paths(client.html("/"))
        assert keys(client, "/?page=2") == ["k0"]
        destroy_note(client, "k50")
        error_page(client.get("/?page=2"), 404)
    finally:
        site.stop()
