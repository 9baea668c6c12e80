# SPDX-License-Identifier: MIT
"""Signing in and out, and where one lands afterwards."""

import pytest

from cookies import is_removed, set_cookies
from harness.client import browser_session as open_session
from harness.client import read_page
from notes_verbs import check_page, create_note, edit_path, error_page, view_path

NOTES_ENV = {"LOGIN_FAILURES_PER_MIN": 0}


def wrong_fields(page):
    return [node["name"] for node in page.form("/users/login").walk() if node.get("aria-invalid") == "true"]


def test_right_password_signs_in_and_leads_home(site, browser_session):
    client = browser_session(site)
    answer = client.login("me", site.passwords["me"])
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert client.is_signed_in
    assert "me" in client.html("/").first("header").text


def test_user_name_is_found_in_any_case_and_shown_as_stored(site, browser_session):
    site.add_user("CamelUser")
    client = browser_session(site)
    client.login("cAMELuSER", site.passwords["CamelUser"])
    assert "CamelUser" in client.html("/").first("header").text


def test_wrong_password_leads_to_login_which_says_so_once(site, browser_session):
    client = browser_session(site)
    answer = client.login("me", "wrong password")
    assert (answer.status_code, answer.headers["Location"]) == (302, "login")
    assert not client.is_signed_in
    flash = set_cookies(answer)["notesflash"]
    assert "httponly" in flash[1]
    page = check_page(client.html("/users/login"))
    alert = page.first(role="alert")
    assert alert is not None and alert.text.strip() == "That user name or password is not right."
    assert wrong_fields(page) == ["username", "password"]
    assert page.form("/users/login").fields() == {"username": "me", "password": ""}
    again = client.html("/users/login")
    assert again.first(role="alert") is None
    client.login("me", site.passwords["me"])
    assert client.is_signed_in


def test_unknown_user_is_answered_like_a_wrong_password(site, browser_session):
    wrong, unknown = browser_session(site), browser_session(site)
    answers = [wrong.login("you", "wrong password"), unknown.login("nobody-here", "wrong password")]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].headers["Location"] == answers[1].headers["Location"] == "login"
    texts = [client.html("/users/login").first(role="alert").text for client in (wrong, unknown)]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("fields", [
    {}, {"username": "me"}, {"password": "x"}, {"username": "", "password": ""}, {"username": "me", "password": ""},
    {"username": "", "password": "x"}, {"username": "a" * 65, "password": "x"}, {"username": "a/b", "password": "x"},
    {"username": "me\x00", "password": "x"}, {"username": "me", "password": "x" * 1025}, {"username": "a\nb",
                                                                                          "password": "x"},
])
def test_login_that_can_not_be_right_is_refused(site, browser_session, fields):
    client = browser_session(site)
    answer = client.post("/users/login", fields)
    if answer.status_code == 302:
        assert answer.headers["Location"] == "login"
        check_page(client.html("/users/login"))
    else:
        assert answer.status_code == 400
        check_page(read_page(answer))
    assert not client.is_signed_in


def test_double_fields_never_sign_in(site, browser_session):
    client = browser_session(site)
    right = site.passwords["me"]
    answer = client.post("/users/login", [("username", "you"), ("username", "me"), ("password", right)])
    assert answer.status_code in (302, 400)
    assert not client.is_signed_in


def test_login_while_signed_in_replaces_the_session(site, browser_session):
    client = browser_session(site, "me")
    old = client.session_cookie
    assert client.html("/users/login").form("/users/login") is not None
    client.login("you", site.passwords["you"])
    assert client.session_cookie != old
    assert "you" in client.html("/").first("header").text
    replay = browser_session(site)
    assert "/users/login" in [replay.get("/notes/add",
                                         headers={"Cookie": f"notescookie.sid={old}"}).headers.get("Location")]


# --- where one was going ---

@pytest.mark.parametrize("path", ["/notes/add", "/notes/edit?key=return-note", "/notes/destroy?key=return-note",
                                  "/notes/edit?key=with%20space%26and%3Dmore%2F%C3%A4"])
def test_login_leads_back_to_where_one_was_going(site, browser_session, path):
    client = browser_session(site)
    answer = client.get(path)
    assert answer.headers["Location"] == "/users/login"
    _, attributes = set_cookies(answer)["notesnext"]
    assert {"httponly", "samesite=lax", "max-age=600"} <= attributes
    login = client.login("me", site.passwords["me"])
    assert login.headers["Location"] == path
    assert is_removed(set_cookies(login)["notesnext"][1])
    client.logout()
    assert client.login("me", site.passwords["me"]).headers["Location"] == "/", "the way back is used once"


def test_login_leads_back_to_a_note_with_the_longest_key(site, browser_session):
    """255 characters, each nine bytes in an address."""
    client = browser_session(site)
    path = edit_path("\u7d19" * 255)
    assert client.get(path).headers["Location"] == "/users/login"
    assert client.login("me", site.passwords["me"]).headers["Location"] == path


def test_wrong_password_keeps_the_way_back(site, browser_session):
    client = browser_session(site)
    client.get("/notes/add")
    client.login("me", "wrong password")
    client.html("/users/login")
    assert client.login("me", site.passwords["me"]).headers["Location"] == "/notes/add"


@pytest.mark.parametrize("referer,location", [
    ("{origin}/notes/edit?key=return%20note", "/notes/edit?key=return%20note"),
    ("{origin}/notes/save", "/"),  # the answer to such a form
    ("{origin}/", "/"), ("{origin}", "/"), (None, "/"), ("nonsense", "/"), ("{origin}//evil.example/", "/"),
    ("{origin}/\\evil.example", "/"), ("{origin}/" + "x" * 2900, "/"), ("javascript:alert(1)", "/")])
def test_form_that_met_an_ended_session_leads_back_to_its_page(site, browser_session, referer, location):
    client = browser_session(site)
    headers = {"Referer": referer.format(origin=site.url)} if referer else {}
    answer = client.post("/notes/save", {"docreate": "create", "title": "t", "body": "b"}, headers=headers)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/users/login")
    assert client.login("me", site.passwords["me"]).headers["Location"] == location


def test_an_ended_session_s_form_of_another_site_leads_nowhere(site, browser_session):
    client = browser_session(site)
    answer = client.post("/notes/save", {"title": "t"}, headers={"Origin": "https://evil.example", "Referer": "https://evil.example/notes/add"})
    assert answer.status_code == 403 and "notesnext" not in set_cookies(answer)


@pytest.mark.parametrize("referer,location", [
    ("{origin}/notes/view?key=return%20note", "/notes/view?key=return%20note"), ("{origin}/notes/view?key=n&before=7", "/notes/view?key=n&before=7"),
    ("{origin}/", "/"), ("{origin}/users/logout", "/"), ("{origin}/notes/view", "/"), ("{origin}//notes/view?key=n", "/"), (None, "/"),
    ("{origin}/notes/view?key=" + "x" * 2900, "/"), ("{origin}/notes/view?key=\\evil", "/")])
def test_login_leads_back_to_the_note_that_one_was_reading(site, browser_session, referer, location):
    client = browser_session(site)
    client.get("/users/login", headers={"Referer": referer.format(origin=site.url)} if referer else {})
    assert client.login("me", site.passwords["me"]).headers["Location"] == location


def test_where_one_was_going_goes_before_what_one_was_reading(site, browser_session):
    """Browsers name the page before also after a redirect."""
    client = browser_session(site)
    headers = {"Referer": site.url + "/notes/view?key=n"}
    assert client.get("/notes/edit?key=n", headers=headers).headers["Location"] == "/users/login"
    client.get("/users/login", headers=headers)
    assert client.login("me", site.passwords["me"]).headers["Location"] == "/notes/edit?key=n"


FOREIGN = ["https://evil.example/", "//evil.example/", "///evil.example", "/\\evil.example", "\\\\evil.example",
           "/%2f/evil.example",
           "/%5cevil.example", "%2F%2Fevil.example", "https%3A%2F%2Fevil.example", "javascript:alert(1)",
           "evil.example",
           "/\tevil", "/%09/evil.example", "/%0d%0aX-Evil:%201", "%0d%0aX-Evil:%201", "/ /evil.example",
           "@evil.example",
           ".evil.example", "http:evil.example", "/.//evil.example", "/x/..//evil.example", "x" * 5000, "/" * 100, "",
           "Ly9ldmlsLmV4YW1wbGU", "Ly9ldmlsLmV4YW1wbGUv", "aHR0cHM6Ly9ldmlsLmV4YW1wbGUv", "L1xldmlsLmV4YW1wbGU"]


@pytest.mark.parametrize("value", FOREIGN)
def test_forged_way_back_never_leads_off_the_site(site, browser_session, value):
    """The cookie is input like any other: whatever it holds, login leads to a path of this site."""
    client = browser_session(site)
    answer = client.post("/users/login", {"username": "me", "password": site.passwords["me"]},
                         headers={"Cookie": f"notesnext={value}"})
    assert answer.status_code in (302, 400, 431)
    if answer.status_code == 302:
        location = answer.headers["Location"]
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\", "/\t", "/%5c", "/%09"))
        assert not any(char in location for char in "\r\n\t\\ ")
        assert "x-evil" not in {name.lower() for name in answer.headers}


@pytest.mark.parametrize("name", ["next", "returnTo", "redirect", "url", "notesnext"])
def test_query_and_form_can_not_set_the_way_back(site, browser_session, name):
    client = browser_session(site)
    client.get(f"/users/login?{name}=//evil.example")
    answer = client.post(f"/users/login?{name}=//evil.example", {"username": "me", "password": site.passwords["me"],
                                                                 name: "//evil.example"})
    assert answer.headers["Location"] == "/"


# --- out ---

def dead(site, cookie):
    """Whether this session cookie signs nobody in."""
    answer = open_session(site).get("/notes/add", headers={"Cookie": f"notescookie.sid={cookie}"})
    return answer.status_code == 302


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_logout_ends_the_session_here_and_at_the_server(site, browser_session, method):
    client = browser_session(site, "me")
    cookie = client.session_cookie
    assert not dead(site, cookie)
    answer = client.get("/users/logout") if method == "GET" else client.post("/users/logout", {})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert is_removed(set_cookies(answer)["notescookie.sid"][1])
    assert not client.is_signed_in
    assert dead(site, cookie)


def test_other_sessions_of_the_user_go_on(site, browser_session):
    one, other = browser_session(site, "me"), browser_session(site, "me")
    one.logout()
    assert other.get("/notes/add").status_code == 200


def test_logout_form_needs_the_token(site, browser_session):
    client = browser_session(site, "me")
    error_page(client.post("/users/logout", {}, csrf=False), 403)
    assert client.get("/notes/add").status_code == 200


def test_logout_from_another_site_is_refused(site, browser_session):
    client = browser_session(site, "me")
    error_page(client.get("/users/logout", headers={"Sec-Fetch-Site": "cross-site"}), 403)
    assert client.get("/notes/add").status_code == 200


@pytest.mark.parametrize("value", ["same-origin", "none"])
def test_logout_from_here_is_done(site, browser_session, value):
    client = browser_session(site, "me")
    assert client.get("/users/logout", headers={"Sec-Fetch-Site": value}).status_code == 302
    assert not client.is_signed_in


def test_head_of_logout_does_not_break(site, browser_session):
    client = browser_session(site, "me")
    answer = client.head("/users/logout")
    assert (answer.status_code, answer.content) == (302, b"")


def test_logout_of_a_stranger_leads_home(site, browser_session):
    client = browser_session(site)
    answer = client.get("/users/logout")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_signed_out_pages_are_those_of_a_stranger(site, browser_session):
    client = browser_session(site, "me")
    create_note(client, "after-logout")
    client.logout()
    page = check_page(client.html(view_path("after-logout")))
    assert page.by_id("notedestroy") is None
    assert page.form("/notes/comment") is None
    assert client.get(edit_path("after-logout")).headers["Location"] == "/users/login"
