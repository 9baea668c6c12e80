# SPDX-License-Identifier: MIT
"""Comments on a note's page: adding, reading older ones, deleting, and the answers that a script gets."""

import concurrent.futures
import itertools
import re
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from harness.client import browser_session as open_session
from harness.client import read_page
from notes_verbs import check_page, comment, create_note, error_page, leads_to_view, shown_comments, view_path

NOTES_ENV = {"WRITES_PER_MIN": 0}
JSON = {"Accept": "application/json"}
_serial = itertools.count(1)


@pytest.fixture(scope="module")
def me(site):
    return open_session(site, "me")


@pytest.fixture(scope="module")
def you(site):
    return open_session(site, "you")


@pytest.fixture(scope="module")
def third(site):
    site.add_user("third")
    return open_session(site, "third")


@pytest.fixture
def key(me):
    """A fresh note of `me`."""
    name = f"commented-{next(_serial)}"
    create_note(me, name)
    return name


def messages(page):
    return [node.text for node in shown_comments(page).values()]


def test_form_without_script_leads_back_to_the_note(me, key):
    answer = me.post("/notes/comment", {"key": key, "message": "typed by hand"})
    assert leads_to_view(answer, key)
    page = check_page(read_page(me.get(answer.headers["Location"].split("#")[0])))
    assert "typed by hand" in messages(page)[0]
    assert "me" in messages(page)[0]


def test_script_gets_the_comment_as_json(me, key):
    body = comment(me, key, "from a script\nsecond line")
    assert set(body) == {"id", "from", "message", "timestamp", "canDestroy", "revision"}
    assert type(body["id"]) is int and body["id"] > 0
    assert (body["from"], body["message"], body["canDestroy"]) == ("me", "from a script\nsecond line", True)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["timestamp"])
    assert isinstance(body["revision"], int) and body["revision"] > 0
    assert f"note-message-{body['id']}" in shown_comments(me.html(view_path(key)))


def test_json_of_a_comment_is_json_and_never_stored(me, key):
    answer = me.post("/notes/comment", {"key": key, "message": '"</script>\\ \u2028'}, headers=JSON)
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.json()["message"] == '"</script>\\ \u2028'


def test_revision_changes_with_each_comment_and_deletion(me, key):
    first = comment(me, key, "1")["revision"]
    second = comment(me, key, "2")["revision"]
    assert second > first
    etag = me.get(view_path(key)).headers["ETag"]
    gone = shown_comments(me.html(view_path(key))).popitem()[0].rpartition("-")[2]
    assert me.post("/notes/comment/destroy", {"key": key, "id": gone}).status_code == 302
    assert me.get(view_path(key)).headers["ETag"] != etag


def test_author_is_the_session_whatever_the_form_says(me, key):
    answer = me.post("/notes/comment", {"key": key, "message": "who am I", "from": "you", "author": "you",
                                        "username": "you"}, headers=JSON)
    assert answer.json()["from"] == "me"


def test_twenty_newest_and_a_link_to_the_older(me, key):
    ids = [int(comment(me, key, f"message {number:02}.")["id"]) for number in range(45)]
    assert ids == sorted(ids)
    seen = []
    path = view_path(key)
    for expected in (20, 20, 5):
        page = check_page(me.html(path))
        shown = list(shown_comments(page))
        assert len(shown) == expected
        seen += shown
        older = [node["href"] for node in page.all("a") if "before=" in node.get("href", "")
                 and parse_qs(urlsplit(node["href"]).query)["before"] == [shown[-1].rpartition("-")[2]]]
        assert (len(older) > 0) == (expected == 20)
        path = older[0] if older else None
    assert seen == [f"note-message-{number}" for number in reversed(ids)], "newest first, none twice, none missing"


def test_exactly_twenty_have_no_older_link(me, key):
    for number in range(20):
        comment(me, key, f"m{number}")
    page = me.html(view_path(key))
    assert len(shown_comments(page)) == 20
    assert [node for node in page.all("a") if "before=" in node.get("href", "")] == []


@pytest.mark.parametrize("value", ["abc", "-1", "", "1x", "99999999999999999999", "1%00"])
def test_before_that_is_no_comment_id_is_refused(me, key, value):
    assert me.get(f"{view_path(key)}&before={value}").status_code in (400, 404)


def test_before_given_twice_is_refused(me, key):
    assert me.get(f"{view_path(key)}&before=1&before=2").status_code in (400, 404)


# --- who may delete ---

def can_delete(client, key, number):
    forms = [form.fields() for form in client.html(view_path(key)).all("form", action="/notes/comment/destroy")]
    return str(number) in [fields["id"] for fields in forms if fields["key"] == key]


def delete(client, key, number, **options):
    return client.post("/notes/comment/destroy", {"key": key, "id": str(number)}, **options)


def test_author_of_the_comment_may_delete_it(me, you, key):
    number = comment(you, key, "yours")["id"]
    assert can_delete(you, key, number)
    assert leads_to_view(delete(you, key, number), key)
    assert shown_comments(me.html(view_path(key))) == {}


def test_author_of_the_note_may_delete_any(me, you, key):
    number = comment(you, key, "yours")["id"]
    assert can_delete(me, key, number)
    answer = delete(me, key, number, headers=JSON)
    assert (answer.status_code, answer.json()) == (200, {})
    assert shown_comments(you.html(view_path(key))) == {}


def test_nobody_else_may_delete(me, you, third, key):
    for author in (me, you):
        number = comment(author, key, "stays")["id"]
        assert not can_delete(third, key, number)
        error_page(delete(third, key, number), 403)
        refused = delete(third, key, number, headers=JSON)
        assert refused.status_code == 403
        assert refused.json()["code"] and refused.json()["message"]
        assert f"note-message-{number}" in shown_comments(me.html(view_path(key)))
    assert not can_delete(you, key, list(shown_comments(me.html(view_path(key))))[-1].rpartition("-")[2])


def test_can_destroy_in_json_is_what_the_page_offers(you, key):
    body = comment(you, key, "mine")
    assert body["canDestroy"] is True
    assert can_delete(you, key, body["id"])


def test_user_of_a_name_in_other_case_is_the_same_author(site, me, key):
    """User names are found regardless of ASCII case; the stored spelling is the author."""
    client = open_session(site)
    assert client.login("ME", site.passwords["me"]).headers["Location"] == "/"
    body = comment(client, key, "upper")
    assert body["from"] == "me"
    assert can_delete(me, key, body["id"])


def test_comment_of_another_note_is_not_found(me, key):
    other = f"other-{key}"
    create_note(me, other)
    number = comment(me, other, "there")["id"]
    error_page(delete(me, key, number), 404)
    assert f"note-message-{number}" in shown_comments(me.html(view_path(other)))


def test_deleting_twice_is_not_found(me, key):
    number = comment(me, key, "once")["id"]
    assert delete(me, key, number).status_code == 302
    error_page(delete(me, key, number), 404)
    assert delete(me, key, number, headers=JSON).status_code == 404


@pytest.mark.parametrize("number", ["abc", "", "-1", "1.5", "0x1", " 1", "99999999999999999999", "1 OR 1=1"])
def test_id_that_is_no_number_is_refused(me, key, number):
    comment(me, key, "stays")
    assert delete(me, key, number).status_code in (400, 404)
    assert len(shown_comments(me.html(view_path(key)))) == 1


# --- refusals ---

REFUSED = {
    "empty": "",
    "white space": " \n\t \r\n ",
    "too long": "x" * 1025,
    "too long in characters": "ä" * 1025,
    "control character": "bell \x07",
    "escape": "\x1b[31mred",
    "delete": "a\x7fb",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_comment_comes_back_with_its_text_and_the_reason(me, key, name):
    answer = me.post("/notes/comment", {"key": key, "message": REFUSED[name]})
    assert answer.status_code == 400
    page = check_page(read_page(answer))
    form = page.form("/notes/comment")
    assert form.fields()["message"].strip() == REFUSED[name].replace("\r\n", "\n").strip()
    assert page.by_id("notetitle") is not None, "the note is still there to be read"
    field = form.first(name="message")
    assert field.get("aria-invalid") == "true"
    assert shown_comments(page) == {}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_comment_says_why_to_a_script(me, key, name):
    answer = me.post("/notes/comment", {"key": key, "message": REFUSED[name]}, headers=JSON)
    assert answer.status_code == 400
    body = answer.json()
    assert body["field"] == "message"
    assert body["code"] and body["message"] and body["requestId"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize("text", ["x" * 1024, "ä" * 1024, "\U0001F433" * 1024, "a\r\n" * 512, "1", "\U0001F433",
                                  "tab\there", "two\n\n\nlines"])
def test_comment_within_the_limit_is_kept_whole(me, key, text):
    """1,024 characters of the decoded text; a line end counts as one."""
    body = comment(me, key, text)
    assert body["message"] == text.replace("\r\n", "\n")


def test_unknown_note_is_404_for_a_script_too(me):
    answer = me.post("/notes/comment", {"key": "no-such-note", "message": "x"}, headers=JSON)
    assert answer.status_code == 404
    assert set(answer.json()) >= {"code", "message", "requestId"}


def test_comments_made_together_are_each_their_notes_own(site, me):
    """Several notes, and one that is not there, at the same time: each comment is where it belongs, each note's revision was
    renewed by each of its own and by no other's, and whoever asked for the missing note is told."""
    keys = [f"together-{next(_serial)}" for _ in range(3)]
    for name in keys:
        create_note(me, name)
    clients = [open_session(site, user) for user in ("me", "you") for _ in range(6)]
    for client in clients:
        client.csrf()
    gate = threading.Barrier(len(clients))

    def write(number):
        gate.wait()
        answers = []
        for turn in range(8):
            name = (*keys, "not-there")[(number + turn) % 4]
            text = f"{name} {number} {turn}"
            answers.append((name, text, clients[number].post("/notes/comment", {"key": name, "message": text}, headers=JSON)))
        return answers

    with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
        answers = [answer for answers in pool.map(write, range(len(clients))) for answer in answers]
    assert {answer.status_code for name, _, answer in answers if name == "not-there"} == {404}
    for key in keys:
        made = [(answer.json()["id"], text, answer.json()["revision"]) for name, text, answer in answers if name == key]
        assert len({revision for _, _, revision in made}) == len({number for number, _, _ in made}) == len(clients) * 2
        by_revision = [number for _, _, number in sorted((revision, text, int(number)) for number, text, revision in made)]
        assert by_revision == sorted(by_revision)
        texts = {f"note-message-{number}": text for number, text, _ in made}
        shown = shown_comments(me.html(view_path(key)))
        assert list(shown) == sorted(texts, key=lambda name: -int(name.rpartition("-")[2]))[:20]
        assert all(texts[name] in node.text for name, node in shown.items())


def test_many_comments_at_once_are_all_kept(site, me, key):
    """Two users, several connections each: no comment is lost, each has its own id."""
    ids, faults = [], []

    def write(user):
        try:
            client = open_session(site, user)
            for number in range(10):
                ids.append(comment(client, key, f"{user} {number}")["id"])
        except Exception as fault:  # pylint: disable=broad-except
            faults.append(fault)

    threads = [threading.Thread(target=write, args=(user,)) for user in ("me", "you", "me", "you")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(set(ids)) == 40
    newest = [int(name.rpartition("-")[2]) for name in shown_comments(me.html(view_path(key)))]
    assert newest == sorted(map(int, ids), reverse=True)[:20]
