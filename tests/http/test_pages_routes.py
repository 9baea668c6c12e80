# SPDX-License-Identifier: MIT
"""Every row of the page table: who may, which method, which parameters, what it shows and how it refuses."""

import re

import pytest

from harness.client import read_page
from notes_verbs import (check_page, comment, create_note, destroy_path, edit_path, error_page, leads_to_view,
                         note_titles, shown_comments, view_path)

KEY = "route-note"
OPEN_PAGES = ["/", view_path(KEY), "/users/login"]
SIGNED_IN_PAGES = ["/notes/add", edit_path(KEY), destroy_path(KEY)]
KEYED_PAGES = ["/notes/view", "/notes/edit", "/notes/destroy"]
FORM_TARGETS = ["/notes/save", "/notes/destroy/confirm", "/notes/comment", "/notes/comment/destroy"]

METHODS = {
    "/": {"GET", "HEAD"},
    "/notes/view": {"GET", "HEAD"},
    "/notes/add": {"GET", "HEAD"},
    "/notes/edit": {"GET", "HEAD"},
    "/notes/destroy": {"GET", "HEAD"},
    "/notes/save": {"POST"},
    "/notes/destroy/confirm": {"POST"},
    "/notes/comment": {"POST"},
    "/notes/comment/destroy": {"POST"},
    "/users/login": {"GET", "HEAD", "POST"},
    "/users/logout": {"GET", "HEAD", "POST"},
    "/healthz": {"GET", "HEAD"},
    "/readyz": {"GET", "HEAD"},
    "/favicon.ico": {"GET", "HEAD"},
}


@pytest.fixture(scope="module")
def me(site):
    from harness.client import browser_session
    client = browser_session(site, "me")
    create_note(client, KEY, "Route title", "Route **body**")
    comment(client, KEY, "Route comment")
    return client


@pytest.fixture
def stranger(site, me, browser_session):
    return browser_session(site)


# --- what each page shows ---

@pytest.mark.parametrize("path", OPEN_PAGES)
def test_open_page_is_shown_to_a_stranger(stranger, path):
    page = check_page(stranger.html(path))
    header = page.first("header", class_="page-header")
    assert header.first("a", class_="nav-item", href="/users/login") is not None
    assert page.first(href="/users/logout") is None
    assert page.first("a", href="/notes/add") is None


@pytest.mark.parametrize("path", OPEN_PAGES + SIGNED_IN_PAGES)
def test_page_is_shown_to_a_user(me, path):
    page = check_page(me.html(path))
    header = page.first("header", class_="page-header")
    assert header.first("a", href="/users/logout") is not None
    assert header.first("a", href="/notes/add") is not None
    assert header.first("a", class_="nav-item", href="/users/login") is None
    assert "me" in header.text


@pytest.mark.parametrize("path", OPEN_PAGES + SIGNED_IN_PAGES + ["/nothing-here"])
def test_the_place_for_what_is_said_aloud_is_there_and_empty(me, path):
    page = read_page(me.get(path))
    (said,) = page.all(role="status")
    assert said["id"] == "status" and said.text == ""


@pytest.mark.parametrize("path, is_user", [("/users/login", False), ("/notes/add", True), ("/users/account", True)])
def test_the_menu_says_which_page_is_the_current_one(me, stranger, path, is_user):
    page = (me if is_user else stranger).html(path)
    (current,) = page.all(aria_current="page")
    assert current["href"] == path
    for other in ("/", f"/notes/edit?key={KEY}"):
        assert me.html(other).all(aria_current=True) == []


def test_every_form_of_a_user_carries_the_session_token(me):
    for path in OPEN_PAGES + SIGNED_IN_PAGES:
        for form in me.html(path).all("form"):
            if form["action"] != "/users/login":
                assert form.fields()["csrf"] == me.csrf(), (path, form)


def test_pages_of_a_stranger_hold_no_form_but_login(stranger):
    for path in OPEN_PAGES:
        actions = {form["action"] for form in stranger.html(path).all("form")}
        assert actions <= {"/users/login"}, path
    assert stranger.html("/users/login").first(name="csrf") is None


def test_home_lists_the_note(stranger):
    assert (KEY, "Route title") in note_titles(stranger.html("/"))


def test_note_page_shows_title_body_key_and_comments(stranger):
    page = stranger.html(view_path(KEY))
    assert page.by_id("notetitle").tag == "h3"
    assert page.text("notetitle").strip() == "Route title"
    assert page.text("notebody").strip() == "Route body"
    assert page.by_id("notebody").first("strong").text == "body"
    assert KEY in page.first("main").text
    assert "Route title" in page.title
    comments = shown_comments(page)
    assert len(comments) == 1
    name, node = comments.popitem()
    assert re.fullmatch(r"note-message-[0-9]+", name)
    assert "Route comment" in node.text
    assert "me" in node.text


def test_note_page_offers_a_stranger_nothing_to_change(stranger):
    page = stranger.html(view_path(KEY))
    assert page.by_id("notedestroy") is None
    assert page.first("a", href=edit_path(KEY)) is None
    assert page.form("/notes/comment") is None
    assert page.form("/notes/comment/destroy") is None


def test_note_page_offers_a_user_edit_destroy_and_comment(me):
    page = me.html(view_path(KEY))
    link = page.by_id("notedestroy")
    assert (link.tag, link["href"]) == ("a", destroy_path(KEY))
    assert page.first("a", href=edit_path(KEY)) is not None
    form = page.form("/notes/comment")
    assert form.fields()["key"] == KEY
    assert form.first("textarea", name="message") is not None or form.first("input", name="message") is not None
    removal = page.form("/notes/comment/destroy").fields()
    assert removal["key"] == KEY
    assert f"note-message-{removal['id']}" in shown_comments(page)


def test_add_form(me):
    fields = me.html("/notes/add").form("/notes/save").fields()
    assert fields["docreate"] == "create"
    assert (fields["notekey"], fields["title"], fields["body"]) == ("", "", "")


def test_edit_form_holds_the_note_as_it_was_typed(me):
    page = me.html(edit_path(KEY))
    fields = page.form("/notes/save").fields()
    assert fields["docreate"] == "update"
    assert (fields["notekey"], fields["title"], fields["body"]) == (KEY, "Route title", "Route **body**")
    assert re.fullmatch("[0-9]+", fields["version"])
    key_field = page.form("/notes/save").first("input", name="notekey")
    assert key_field.get("type") == "hidden" or "readonly" in key_field.attrs, "the key of a note is fixed"
    assert KEY in page.first("main").text or "readonly" in key_field.attrs


def test_destroy_page_asks(me):
    page = me.html(destroy_path(KEY))
    assert page.form("/notes/destroy/confirm").fields()["notekey"] == KEY
    assert "Route title" in page.first("main").text


def test_login_form(stranger):
    form = stranger.html("/users/login").form("/users/login")
    assert set(form.fields()) == {"username", "password"}
    assert form.first("input", name="username").get("autocomplete") == "username"
    assert form.first("input", name="password").get("autocomplete") == "current-password"
    assert form.first("input", name="password").get("type") == "password"


@pytest.mark.parametrize("path, action", [("/users/login", "/users/login"), ("/notes/add", "/notes/save"),
                                          (edit_path(KEY), "/notes/save"),
                                          (destroy_path(KEY), "/notes/destroy/confirm")])
def test_first_submit_button_is_the_one_the_page_is_there_for(me, path, action):
    page = me.html(path)
    button = page.first("button", type="submit")
    form = button
    while form.tag != "form":
        form = form.parent
    assert form["action"] == action


# --- HEAD, methods, exact paths ---

@pytest.mark.parametrize("path", OPEN_PAGES + SIGNED_IN_PAGES + ["/healthz", "/readyz", "/favicon.ico"])
def test_head_answers_as_get_without_a_body(me, path):
    head = me.head(path)
    get = me.get(path)
    assert head.status_code == get.status_code == 200
    assert head.content == b""
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    assert head.headers.get("ETag") == get.headers.get("ETag")


@pytest.mark.parametrize("path", sorted(METHODS))
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_405_before_anything_else(stranger, path, method):
    """405 also for a stranger and a foreign Origin: it comes before every other check."""
    if method in METHODS[path]:
        return_code = stranger.request(method, path).status_code
        assert return_code != 405
        return
    answer = stranger.request(method, path, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 405
    assert {name.strip() for name in answer.headers["Allow"].split(",")} == METHODS[path]
    if method != "HEAD":
        error_page(answer, 405)


@pytest.mark.parametrize("path", ["/notes", "/notes/", "/notes/view/", "/notes/view/x", "/Notes/view", "/notes/View",
                                  "/users", "/users/", "/users/login/", "/users/accounts", "/users/register",
                                  "/index.html",
                                  "/no-such-page", "/notes/%76iew/x", "/healthz/x", "/readyz/", "/favicon.ico/",
                                  "/socket.io", "/assets", "/assets/"])
def test_unknown_path_is_404(stranger, me, path):
    for client in (stranger, me):
        text = error_page(client.get(path), 404).first("main").text
        assert "This address leads nowhere." in text and "deleted" not in text


def test_unknown_path_is_404_for_post_too(me):
    error_page(me.post("/no-such-page", {"a": "b"}), 404)


def test_unknown_query_parameters_are_ignored(stranger):
    assert stranger.get(view_path(KEY) + "&utm_source=mail").status_code == 200
    assert stranger.get("/users/login?x=1&x=2").status_code == 200


# --- who may ---

@pytest.mark.parametrize("path", SIGNED_IN_PAGES + ["/notes/edit", "/notes/edit?key=no-such-note"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_signed_in_page_sends_a_stranger_to_login(stranger, path, method):
    answer = stranger.request(method, path)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/users/login"


@pytest.mark.parametrize("path", FORM_TARGETS)
def test_form_of_a_stranger_is_sent_to_login(stranger, path):
    answer = stranger.post(path, {"notekey": KEY, "key": KEY, "id": "1", "message": "x", "docreate": "create",
                                  "title": "x", "body": "x"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/users/login"
    assert stranger.get(view_path(KEY)).status_code == 200


@pytest.mark.parametrize("path", ["/notes/comment", "/notes/comment/destroy"])
def test_script_of_a_stranger_gets_401_json(stranger, path):
    answer = stranger.post(path, {"key": KEY, "id": "1", "message": "x"}, headers={"Accept": "application/json"})
    assert answer.status_code == 401
    body = answer.json()
    assert body["code"] and body["message"]
    assert body["requestId"] == answer.headers["X-Request-Id"]


# --- parameters ---

@pytest.mark.parametrize("path", KEYED_PAGES)
class TestKey:
    def test_missing_is_400(self, me, path):
        for query in ("", "?other=x"):
            assert '"key" is missing.' in error_page(me.get(path + query), 400).first("main").text

    def test_empty_is_refused(self, me, path):
        assert me.get(path + "?key=").status_code in (400, 404)

    def test_given_twice_is_400(self, me, path):
        page = error_page(me.get(f"{path}?key={KEY}&key={KEY}"), 400)
        assert '"key" was sent more than once.' in page.first("main").text
        error_page(me.get(f"{path}?key={KEY}&key=other"), 400)

    def test_unknown_is_404(self, me, path):
        page = error_page(me.get(path + "?key=no-such-note"), 404)
        assert "The note may have been deleted" in page.first("main").text
        error_page(me.get(f"{path}?key={KEY.upper()}"), 404)
        error_page(me.get(f"{path}?key={KEY}%20"), 404)

    def test_too_long_is_404(self, me, path):
        assert me.get(f"{path}?key={'k' * 256}").status_code in (400, 404)
        assert me.get(f"{path}?key={'k' * 4000}").status_code in (400, 404)

    def test_bytes_that_are_no_text_are_400(self, me, path):
        for bad in ("%ff", "%c3", "%c0%af", "%ed%a0%80", "%f5%80%80%80", KEY + "%fe"):
            error_page(me.get(f"{path}?key={bad}"), 400)

    def test_nul_and_half_a_percent_are_refused(self, me, path):
        for bad in (KEY + "%00", "%00", KEY + "%", KEY + "%4", KEY + "%zz"):
            assert me.get(f"{path}?key={bad}").status_code in (400, 404), bad


@pytest.mark.parametrize("path, fields", [
    ("/notes/destroy/confirm", {"notekey": KEY}),
    ("/notes/comment", {"key": KEY, "message": "once"}),
    ("/notes/comment/destroy", {"key": KEY, "id": "1"}),
])
def test_form_with_a_missing_or_double_field_is_400(me, path, fields):
    for name in fields:
        rest = {other: value for other, value in fields.items() if other != name}
        assert me.post(path, rest).status_code == 400, f"{path} without {name}"
        twice = list(fields.items()) + [(name, fields[name])]
        assert me.post(path, twice).status_code == 400, f"{path} with two {name}"
    assert me.get(view_path(KEY)).status_code == 200


@pytest.mark.parametrize("path, fields", [
    ("/notes/destroy/confirm", {"notekey": "no-such-note"}),
    ("/notes/comment", {"key": "no-such-note", "message": "text"}),
    ("/notes/comment/destroy", {"key": "no-such-note", "id": "1"}),
    ("/notes/comment/destroy", {"key": KEY, "id": "999999999"}),
    ("/notes/save", {"docreate": "update", "notekey": "no-such-note", "title": "T", "body": "B", "version": "1"}),
])
def test_form_for_what_is_not_there_is_404(me, path, fields):
    error_page(me.post(path, fields), 404)


# --- health ---

def test_health_is_for_all_and_json(stranger):
    answer = stranger.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    ready = stranger.get("/readyz")
    assert ready.status_code == 200
    body = ready.json()
    assert body["status"] == "ready"
    assert body["dependencies"]["database"] == "ok"
    assert body["dependencies"]["userauth"] == "ok"


def test_view_of_a_new_note_through_the_redirect(me):
    answer = me.post("/notes/save", {"docreate": "create", "notekey": "through redirect/ä?&", "title": "T",
                                     "body": "B"})
    assert leads_to_view(answer, "through redirect/ä?&")
    page = check_page(read_page(me.get(answer.headers["Location"])))
    assert page.text("notetitle").strip() == "T"
    assert "through redirect/ä?&" in page.first("main").text


def test_plus_and_percent_20_are_the_same_space(me):
    create_note(me, "two words")
    assert me.get("/notes/view?key=two+words").status_code == 200
    assert me.get("/notes/view?key=two%20words").status_code == 200
