# SPDX-License-Identifier: MIT
"""Two notes-svc that are one site, each with a Chromium window of its own: signed in at one is signed in at the other, what
one window does appears in the other, and a window whose process was killed catches up."""
import types

import pytest

from harness.browser import Browser
from harness.replicas import Replicas
from notes_verbs import comment, create_note, edit_note, view_path

SUBMIT = "form[action='/notes/comment'] button[type=submit]"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with Replicas(tmp_path_factory.mktemp("replicas"), count=2) as replicas:
        yield replicas


@pytest.fixture
def windows(site, tmp_path):
    """A browser at each of the two; the test fails when a console complained."""
    opened = []
    try:
        for place in range(2):
            at = types.SimpleNamespace(url=site.urls[place], passwords=site.passwords)
            opened.append(Browser(at, tmp_path / f"profile-{place}"))
        yield opened
        assert [window.complaints() for window in opened] == [[], []]
    finally:
        for window in opened:
            window.driver.quit()


def open_live(window, path):
    window.open(path)
    window.find("html[data-live=on]")


def shows(window, selector, wanted):
    window.until(lambda: [node.text for node in window.all(selector)] == wanted, f"{selector} to be {wanted}")


def say(window, text):
    window.type("[name=message]", text)
    window.click(SUBMIT)


def test_what_one_window_does_appears_in_the_window_at_the_other(site, windows):
    here, there = windows
    create_note(site.sign_in("me"), "k", title="A title")
    here.sign_in("me")
    there.sign_in("you")
    for window in windows:
        open_live(window, view_path("k"))
        window.run("window.sameDocument = true")
    say(here, "from here")
    shows(there, ".comment-text", ["from here"])
    say(there, "from there")
    for window in windows:
        shows(window, ".comment-text", ["from there", "from here"])
    edit_note(site.sign_in("me", 1), "k", title="Changed there")
    shows(here, "#notetitle", ["Changed there"])
    there.click("#noteMessages .comment:first-child form.comment-destroy button")
    for window in windows:
        shows(window, ".comment-text", ["from here"])
        assert window.run("return window.sameDocument") is True, "without a reload"


def test_signed_in_at_one_is_signed_in_at_both_until_it_ends_at_one(site, windows):
    """Of one computer's two ports a browser takes the same cookie, as it does of one name before a proxy."""
    window, _ = windows
    window.sign_in("me")
    window.driver.get(site.urls[1] + "/notes/add")
    window.find("form[action='/notes/save']")
    window.driver.get(site.urls[1] + "/users/logout")
    window.open("/notes/add")
    window.at("/users/login")


def test_a_window_whose_process_was_killed_catches_up(site, windows):
    _, there = windows
    me = site.sign_in("me")
    create_note(me, "killed", title="Before")
    open_live(there, view_path("killed"))
    site.notes[1].kill()
    there.gone("html[data-live]")
    comment(me, "killed", "written at the other one")
    edit_note(me, "killed", title="After")
    site.notes[1].start()
    shows(there, "#notetitle", ["After"])
    shows(there, ".comment-text", ["written at the other one"])
    there.complaints()  # that nobody answered meanwhile is no fault
