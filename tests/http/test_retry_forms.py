# SPDX-License-Identifier: MIT
"""A form that was refused for a reason that passes comes back filled in, to be sent again by one press."""
import pytest

from harness.client import browser_session as open_session
from harness.site import Site
from notes_verbs import create_note, destroy_note, edit_fields, error_page, leads_to_view, view_path

NASTY = """"><script>alert(1)</script>&amp;'`"""


@pytest.fixture
def slow(tmp_path):
    """A site that takes one write per minute, and who has made it already."""
    site = Site(tmp_path, {"WRITES_PER_MIN": 1}).start()
    site.client = open_session(site, "me")
    create_note(site.client, "first")
    yield site
    site.stop()


def retry_form(page, action, button="Try again"):
    """The only form of the page; its first button sends it."""
    forms = page.first("main").all("form")
    assert [form["action"] for form in forms] == [action]
    assert [node.text.strip() for node in forms[0].all("button")] == [button]
    assert page.by_id("kept-title") is None and page.by_id("kept-text") is None
    return forms[0]


SENT = [
    ("/notes/save", {"docreate": "create", "notekey": "k" + NASTY, "title": "T" + NASTY, "body": "\nline\n</textarea>" + NASTY},
     ["title", "body"]),
    ("/notes/save", {"docreate": "update", "notekey": "first", "version": "1", "title": "Title", "body": ""}, ["title", "body"]),
    ("/notes/save", {"docreate": "create", "notekey": "k", "title": "T", "body": "B", NASTY: NASTY}, ["title", "body"]),
    ("/notes/comment", {"key": "first", "message": "</textarea>" + NASTY}, ["message"]),
]


def test_too_many_writes_give_the_form_back_as_it_was_sent(slow):
    for action, fields, shown in SENT:
        sent = {**fields, "csrf": slow.client.csrf()}
        answer = slow.client.post(action, sent)
        page = error_page(answer, 429)
        assert int(answer.headers["Retry-After"]) >= 1
        form = retry_form(page, action)
        assert form.fields() == sent
        assert [node["name"] for node in form.all("input") + form.all("textarea") if node.get("type") != "hidden"] == shown
        assert not [node for node in form.walk() if "readonly" in node.attrs or "disabled" in node.attrs]


def test_more_than_a_note_holds_is_shown_to_be_copied_and_not_sent_again_cut(slow):
    sent = {"docreate": "create", "notekey": "k", "title": "Typed title", "body": "x" * (1300 * 1024)}
    page = error_page(slow.client.post("/notes/save", sent), 429)
    assert page.first("main").all("form") == []
    assert page.by_id("kept-title")["value"] == "Typed title"
    assert set(page.by_id("kept-text").text.strip()) == {"x"}


def test_a_whole_note_of_line_ends_is_given_back(slow):
    sent = {"docreate": "create", "notekey": "k", "title": "T", "body": "\r\n" * (1024 * 1024)}
    form = retry_form(error_page(slow.client.post("/notes/save", sent), 429), "/notes/save")
    assert form.fields()["body"].replace("\r\n", "\n") == "\n" * (1024 * 1024)


def test_field_that_came_twice_comes_twice_again(slow):
    answer = slow.client.post("/notes/save", [("docreate", "create"), ("title", "one"), ("body", "b"), ("title", "two")])
    form = retry_form(error_page(answer, 429), "/notes/save")
    values = [node["value"] for node in form.all("input", name="title")]
    assert sorted(values) == ["one", "two"]


def test_script_gets_no_form(slow):
    answer = slow.client.post("/notes/comment", {"key": "first", "message": "m"}, headers={"Accept": "application/json"})
    assert answer.status_code == 429 and "<form" not in answer.text


def test_retry_of_who_is_signed_out_meanwhile_leads_to_login(slow):
    client = open_session(slow, "me")
    fields = retry_form(error_page(client.post("/notes/comment", {"key": "first", "message": "m"}), 429), "/notes/comment").fields()
    client.logout()
    answer = client.post("/notes/comment", fields)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/users/login")


def test_what_will_not_pass_has_no_such_form(slow):
    forbidden = slow.client.post("/notes/save", {"csrf": "x", "docreate": "create", "title": "T", "body": "Typed", "notekey": "k"})
    page = error_page(forbidden, 403)
    assert page.first("main").all("form") == [] and page.by_id("kept-text").text.strip() == "Typed"
    large = error_page(slow.client.post("/notes/comment", {"key": "first", "message": "x" * 70000}), 413)
    assert large.first("main").all("form") == []


def test_note_that_was_deleted_meanwhile_is_saved_as_a_new_one(site):
    me = open_session(site, "me")
    create_note(me, "gone meanwhile")
    fields = edit_fields(me, "gone meanwhile")
    destroy_note(me, "gone meanwhile")
    page = error_page(me.post("/notes/save", {**fields, "title": "Typed title", "body": "typed text"}), 404)
    assert page.first("h1").text == "This note is gone" and "This note is gone" in page.title
    form = retry_form(page, "/notes/save", "Save as a new note")
    again = form.fields()
    assert again == {**fields, "title": "Typed title", "body": "typed text", "docreate": "create", "version": "0"}
    assert leads_to_view(me.post("/notes/save", again), "gone meanwhile")
    assert "typed text" in me.html(view_path("gone meanwhile")).text("notebody")


def test_comment_on_a_note_that_is_gone_is_shown_to_be_copied(site):
    me = open_session(site, "me")
    page = error_page(me.post("/notes/comment", {"key": "never was", "message": "typed remark"}), 404)
    assert page.first("main").all("form") == [] and page.by_id("kept-text").text.strip() == "typed remark"


def test_login_comes_back_with_the_name_and_without_the_password(tmp_path):
    site = Site(tmp_path).start()
    try:
        site.userauth.kill()
        client = open_session(site)
        answer = client.login("me" + NASTY, site.passwords["me"])
        form = retry_form(error_page(answer, 503), "/users/login")
        assert form.fields() == {"username": "me" + NASTY, "password": ""}
        assert site.passwords["me"] not in answer.text
        site.userauth.start()
        again = {**form.fields(), "username": "me", "password": site.passwords["me"]}
        assert client.post("/users/login", again).headers["Location"] == "/"
    finally:
        site.stop()
